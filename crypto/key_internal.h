/* SPDX-License-Identifier: ISC */
/* What the files of crypto/key*.c share; nobody else includes it. */
#ifndef CRYPTO_KEY_INTERNAL_H
#define CRYPTO_KEY_INTERNAL_H

#include <openssl/evp.h>

#include "crypto/key.h"

struct crypto_key {
        EVP_PKEY *pkey;
        enum crypto_key_kind kind;
        bool is_private;
        unsigned bits;
        /* RSA: ready for PKCS#1 v1.5 over a SHA-256 digest, and for nothing else, since to make one costs more than to
         * verify a signature. NULL: the library cannot do that with this key. */
        EVP_PKEY_CTX *signer, *verifier;
};

/* Make a key of `pkey` and take it over, on errors too.
 *   ERR_OK, ERR_UNSUPPORTED as crypto_key_public_from_der says, ERR_CRYPTO */
MUST_USE enum err key_adopt(EVP_PKEY *pkey, bool is_private, struct crypto_key **out);
/* Make the contexts of an RSA key. */
void key_rsa_ready(struct crypto_key *key);
/* A call of the library has failed: ERR_CRYPTO when memory was out, else `verdict`, which blames the input.
 * Empties the library's error queue. */
enum err key_fault(enum err verdict);

#endif
