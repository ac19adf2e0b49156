/* SPDX-License-Identifier: ISC */
/* SHA-256 (FIPS 180-4), in one call or streaming.
 * A running hash is a value: it owns no memory, and may be left at any moment. A zeroed struct is not running. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define SHA256_SIZE 32

struct sha256 {
        bool is_running;
        uint64_t state[14]; /* of the library */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, struct str bytes);
/* `to` becomes a second hash of all that `h` has taken. */
void sha256_copy(const struct sha256 *h, struct sha256 *to);
/* Give the digest and wipe the hash, whatever the outcome.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` for one that is not running or failed */
MUST_USE enum err sha256_end(struct sha256 *h, uint8_t out[SHA256_SIZE]);
/* Wipe a hash whose digest nobody wants any more. */
void sha256_drop(struct sha256 *h);

/*   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err sha256(struct str bytes, uint8_t out[SHA256_SIZE]);

#endif
