/* SPDX-License-Identifier: ISC */
/* What crypto/tls*.c share; nobody else includes it. */
#ifndef CRYPTO_TLS_INTERNAL_H
#define CRYPTO_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "crypto/tls.h"

struct tls_context {
        SSL_CTX *ssl;
        bool has_roots;
};

struct tls {
        SSL *ssl;
        BIO *in, *out; /* the session's own */
        const char *fault;
};

/* A context of OpenSSL's with our versions and options.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err tls_context_new(const SSL_METHOD *method, struct tls_context **out);
/* Give `*c` back and make it NULL. */
enum err tls_context_fail(struct tls_context **c, enum err e);

#endif
