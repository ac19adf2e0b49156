/* SPDX-License-Identifier: ISC */
/* SHA-256 (FIPS 180-4), in one call or streaming.
 * A running hash owns memory of the library until sha256_end or sha256_drop; a zeroed struct owns nothing.
 * A failure inside (memory, the library) sticks and is told once, at the end. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stdint.h>

#include "base/str.h"

#define SHA256_SIZE 32

struct sha256 {
        void *state; /* owned; NULL: not running, or failed */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, struct str bytes);
/* `to`, which owns nothing, becomes a second hash of all that `h` has taken. */
void sha256_copy(const struct sha256 *h, struct sha256 *to);
/* Give the digest and release the hash, whatever the outcome.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err sha256_end(struct sha256 *h, uint8_t out[SHA256_SIZE]);
/* Release a hash whose digest nobody wants any more; harmless when it owns nothing. */
void sha256_drop(struct sha256 *h);

/*   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err sha256(struct str bytes, uint8_t out[SHA256_SIZE]);

#endif
