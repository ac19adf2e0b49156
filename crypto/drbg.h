/* SPDX-License-Identifier: ISC */
/* HMAC_DRBG with SHA-256 (NIST SP 800-90A 10.1.2) as a deterministic generator: all of its output follows from the seed.
 * It is never reseeded, and takes no additional input. For randomness use host_random instead.
 * The struct holds secrets: drbg_wipe when done. A failure of the library sticks in `fault`. */
#ifndef CRYPTO_DRBG_H
#define CRYPTO_DRBG_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define DRBG_REQUEST_MAX 65536 /* 2^19 bits, SP 800-90A table 2 */

struct drbg {
        uint8_t key[32];
        uint8_t value[32];
        enum err fault;
};

/* Instantiate with entropy || nonce || personalisation = `seed`. */
void drbg_init(struct drbg *g, struct str seed);
/* One Generate request of `n` bytes, at most DRBG_REQUEST_MAX.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err drbg_generate(struct drbg *g, uint8_t *out, size_t n);
void drbg_wipe(struct drbg *g);

#endif
