/* SPDX-License-Identifier: ISC */
/* HMAC (RFC 2104) with SHA-256, SHA-384 or SHA-512, in one call or streaming.
 * A running HMAC owns memory of the library until hmac_end or hmac_drop; a zeroed struct owns nothing.
 * A failure inside sticks and is told once, at the end. Compare codes with crypto_equal (crypto/bytes.h). */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HMAC_SIZE_MAX 64

enum hmac_hash { HMAC_SHA256, HMAC_SHA384, HMAC_SHA512 };

struct hmac {
        void *state; /* owned; NULL: not running, or failed */
        enum hmac_hash hash;
};

/* Bytes of a code: 32, 48 or 64. */
size_t hmac_size(enum hmac_hash hash);

/* `key` may have any length and is not needed after the call. */
void hmac_init(struct hmac *m, enum hmac_hash hash, struct str key);
void hmac_update(struct hmac *m, struct str bytes);
/* Give hmac_size bytes in `out`, zeros behind them, and release the HMAC, whatever the outcome.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err hmac_end(struct hmac *m, uint8_t out[HMAC_SIZE_MAX]);
/* Release without a result; harmless when it owns nothing. */
void hmac_drop(struct hmac *m);

/* The code of `bytes`, as hmac_end gives it.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err hmac(enum hmac_hash hash, struct str key, struct str bytes, uint8_t out[HMAC_SIZE_MAX]);

#endif
