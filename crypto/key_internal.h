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
};

/* Make a key of `pkey` and take it over, on errors too.
 *   ERR_OK, ERR_UNSUPPORTED as crypto_key_public_from_der says, ERR_CRYPTO */
MUST_USE enum err key_adopt(EVP_PKEY *pkey, bool is_private, struct crypto_key **out);
/* A call of the library has failed: ERR_CRYPTO when memory was out, else `verdict`, which blames the input.
 * Empties the library's error queue. */
enum err key_fault(enum err verdict);

#endif
