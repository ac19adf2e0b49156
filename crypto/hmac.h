/* SPDX-License-Identifier: ISC */
/* HMAC (RFC 2104) with SHA-256, SHA-384 or SHA-512, in one call or streaming.
 * A running HMAC is a value: it owns no memory, and may be left at any moment, but hmac_end and hmac_drop wipe what of the
 * key is in it. A zeroed struct is not running.
 * A failure inside sticks and is told once, at the end. Compare codes with crypto_equal (crypto/bytes.h). */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HMAC_SIZE_MAX 64

enum hmac_hash { HMAC_SHA256, HMAC_SHA384, HMAC_SHA512 };

struct hmac {
        bool is_running;
        enum hmac_hash hash;
        uint64_t inner[27], outer[27]; /* of the library */
};

/* Bytes of a code: 32, 48 or 64. */
size_t hmac_size(enum hmac_hash hash);

/* `key` may have any length and is not needed after the call. */
void hmac_init(struct hmac *m, enum hmac_hash hash, struct str key);
void hmac_update(struct hmac *m, struct str bytes);
/* Give hmac_size bytes in `out`, zeros behind them, and wipe the HMAC, whatever the outcome.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` for one that is not running or failed */
MUST_USE enum err hmac_end(struct hmac *m, uint8_t out[HMAC_SIZE_MAX]);
/* Wipe one whose code nobody wants. */
void hmac_drop(struct hmac *m);

/* The code of `bytes`, as hmac_end gives it.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err hmac(enum hmac_hash hash, struct str key, struct str bytes, uint8_t out[HMAC_SIZE_MAX]);

#endif
