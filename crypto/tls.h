/* SPDX-License-Identifier: ISC */
/* TLS 1.2 and 1.3 (RFC 5246, RFC 8446) without sockets: octets of the connection go in and out by memory, whoever owns the
 * connection moves them. Over OpenSSL.
 *
 *     tls_got(t, octets from the peer)              before each of these, when they said ERR_AGAIN
 *     tls_handshake(t), tls_read(t, ...), tls_write(t, ...), tls_end(t)
 *     tls_pending(t), tls_sent(t, n)                after each of these: what is to be sent to the peer
 *
 * A server proves itself by a certificate; what a client asks of it is said for each session. No client certificates, no
 * renegotiation, no compression, no early data.
 *
 * Sessions are resumed (RFC 8446 2.2, RFC 5077), which saves both sides the certificate and its proof. A server gives tickets
 * and keeps nothing of them. A client keeps TLS_SESSIONS_MAX sessions; one is resumed only towards the same name, under the
 * same kind of expectation, within TLS_RESUME_MS of the proof, and each ticket of TLS 1.3 once. */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "crypto/key.h"

struct tls_context; /* what sessions share */
struct tls;         /* a session */

#define TLS_CHAIN_MAX 10         /* certificates of a chain of ours */
#define TLS_PEM_MAX (512 * 1024) /* of a chain or of roots that is looked at */
#define TLS_TLSA_MAX 32          /* records of one server that are looked at */
#define TLS_GOT_MAX (256 * 1024) /* octets that wait unread before a peer is taken for hostile */

/* A server whose certificate is signed by its own key, for `hostname`, valid for these Unix seconds; the same input gives the same
 * octets. The key is used while the context lives, and stays the caller's.
 *   ERR_OK, ERR_SYNTAX (a host name that no certificate can hold), ERR_CRYPTO          (`*out` is NULL on errors) */
MUST_USE enum err tls_server_self_signed(const struct crypto_key *key, struct str hostname, int64_t from_s,
        int64_t until_s, struct tls_context **out);
/* A server with a certificate, followed by those that lead to a root, and its private key, as PEM text.
 *   ERR_OK
 *   ERR_SYNTAX       no certificate or no key in them, or one that is encrypted
 *   ERR_MISMATCH     the key is not the first certificate's
 *   ERR_LIMIT        too long, or too many certificates
 *   ERR_CRYPTO       also for keys that are too weak */
MUST_USE enum err tls_server_pem(struct str certificates, struct str key, struct tls_context **out);
/* Clients. `roots` are certificates as PEM text for TLS_EXPECT_NAME; empty: none.
 *   ERR_OK, ERR_SYNTAX, ERR_LIMIT, ERR_CRYPTO */
MUST_USE enum err tls_client(struct str roots, struct tls_context **out);
bool tls_client_has_roots(const struct tls_context *client);
void tls_context_free(
        struct tls_context *c); /* NULL is harmless; sessions that are open keep what they need */
/* New keys for the tickets of a server. Tickets under the keys before are still taken, and those before them no more. The keys
 * are random, not derived: whoever learns the password shall not read what was said under old tickets (RFC 5077 5.5).
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_server_rotate(struct tls_context *server);
/* SHA-256 of a server's public key: the data of its TLSA record 3 1 1 (RFC 6698 2.1, RFC 7672 3.1). */
MUST_USE enum err tls_server_key_hash(const struct tls_context *c, uint8_t out[SHA256_SIZE]);
/* The end of the first certificate's life, in Unix seconds. */
int64_t tls_server_until(const struct tls_context *c);

/* What a client asks of the server's certificate. */
enum tls_expect_kind {
        TLS_EXPECT_NOTHING, /* encrypt only (RFC 7435) */
        TLS_EXPECT_NAME,    /* a root of ours leads to it, and it has the name (RFC 6125, RFC 8461 4.2) */
        TLS_EXPECT_DANE     /* a usable TLSA record fits (RFC 7672) */
};
struct tls_tlsa {
        uint8_t usage, selector, matching; /* RFC 6698 2.1 */
        struct str data;
};
struct tls_expect {
        enum tls_expect_kind kind;
        struct str name;  /* of the server, for SNI and the certificate; not for an address */
        struct str other; /* DANE: one more name that is as good (RFC 7672 3.2.2); may be empty */
        const struct tls_tlsa *tlsa;
        size_t tlsa_count;
        bool may_resume; /* a session with this name; never with DANE, whose proof is of the certificate */
        int64_t now_ms;  /* with that: of a clock that never goes back */
};

/*   ERR_OK, ERR_CRYPTO (also memory) */
MUST_USE enum err tls_accept(struct tls_context *server, struct tls **out);
/*   ERR_OK, ERR_SYNTAX (a name that cannot be one), ERR_CRYPTO
 *   ERR_UNSUPPORTED  none of the TLSA records is usable (RFC 7672 3.1.3): usages 0 and 1, unknown selectors and types */
MUST_USE enum err tls_connect(struct tls_context *client, const struct tls_expect *expect, struct tls **out);
void tls_free(struct tls *t); /* NULL is harmless */

/* Octets from the peer; they are copied.
 *   ERR_OK, ERR_LIMIT (TLS_GOT_MAX wait), ERR_CRYPTO (memory) */
MUST_USE enum err tls_got(struct tls *t, struct str bytes);
/* What is to be sent; borrowed until the next call on `t`. */
struct str tls_pending(struct tls *t);
void tls_sent(struct tls *t, size_t n);

/*   ERR_OK          done
 *   ERR_AGAIN       more octets of the peer are needed
 *   ERR_DENIED      the server's certificate is not as expected: tls_fault_text
 *   ERR_SYNTAX      the peer does not speak TLS, or none that we do: tls_fault_text */
MUST_USE enum err tls_handshake(struct tls *t);
/* After the handshake.
 *   ERR_OK      `*got` octets, at least one
 *   ERR_AGAIN   more octets of the peer are needed
 *   ERR_EOF     the peer ended in order (close_notify)
 *   ERR_SYNTAX  the stream is damaged */
MUST_USE enum err tls_read(struct tls *t, void *into, size_t cap, size_t *got);
/* All of `bytes`, encrypted, is pending then.
 *   ERR_OK, ERR_CRYPTO, ERR_SYNTAX */
MUST_USE enum err tls_write(struct tls *t, struct str bytes);
void tls_end(struct tls *t); /* close_notify */

bool tls_is_ended(const struct tls *t); /* the peer ended in order: what was read is all that it said */

const char *tls_version_text(const struct tls *t); /* "TLSv1.3" */
const char *tls_cipher_text(const struct tls *t);
bool tls_is_resumed(const struct tls *t); /* after the handshake */
/* Why it was refused, for a log: lives for ever. */
const char *tls_fault_text(const struct tls *t);

#endif
