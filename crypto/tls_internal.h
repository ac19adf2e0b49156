/* SPDX-License-Identifier: ISC */
/* What crypto/tls*.c share; nobody else includes it. */
#ifndef CRYPTO_TLS_INTERNAL_H
#define CRYPTO_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "base/limits.h"
#include "crypto/sha256.h"
#include "crypto/tls.h"

#define TLS_TICKET_NAME_SIZE 16
#define TLS_TICKET_KEY_SIZE 32

/* Of a server: what its tickets are encrypted and signed with. Zeros: none. */
struct tls_ticket_key {
        bool is_set;
        unsigned char name[TLS_TICKET_NAME_SIZE];
        unsigned char aes[TLS_TICKET_KEY_SIZE], hmac[TLS_TICKET_KEY_SIZE];
};

/* Of a client: a session that may be resumed. */
struct tls_kept {
        SSL_SESSION *session; /* owned; NULL: none */
        uint8_t whose[SHA256_SIZE];
        int64_t proven_ms; /* when the server proved itself */
        uint64_t turn;     /* of the last change: the least gives way */
};

struct tls_context {
        SSL_CTX *ssl;
        size_t users; /* its owner and its sessions */
        bool has_roots;
        struct tls_ticket_key tickets[2]; /* the present one, the one before */
        struct tls_kept *kept;            /* TLS_SESSIONS_MAX of them, or NULL */
        uint64_t turns;
};

struct tls {
        struct tls_context *context; /* counted there */
        SSL *ssl;
        BIO *in, *out; /* the session's own */
        const char *fault;
        bool may_keep; /* what the server gives may be resumed one day, by this owner */
        uint8_t whose[SHA256_SIZE];
        int64_t now_ms,
                kept_ms; /* when it began; when the server proved itself for the session that it asks to resume */
};

/* A context of OpenSSL's with our versions and options.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_context_new(const SSL_METHOD *method, struct tls_context **out);
/* Give `*c` back and make it NULL. */
enum err tls_context_fail(struct tls_context **c, enum err e);

/* tls_ticket.c: tickets of a new server.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_ticket_init(struct tls_context *server);

/* tls_resume.c. Let a client keep sessions.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_resume_init(struct tls_context *client);
void tls_resume_drop(struct tls_context *client);
/* For a session that begins: what is kept for what it expects, if it may be resumed.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_resume_begin(struct tls *t, const struct tls_expect *expect);
/* The handshake failed: perhaps for what was resumed, so nothing of that server is any more. */
void tls_resume_forget(struct tls *t);

#endif
