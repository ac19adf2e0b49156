/* SPDX-License-Identifier: ISC */
/* An RSA key as a pure function of a seed: p, then q, are the first candidates of an HMAC_DRBG that fit.
 *
 * Each candidate is one Generate request of bits/2 bits, big-endian, with the top two bits and the lowest set. It is
 * accepted when it is prime, gcd(candidate - 1, 65537) = 1, and, for q, |p - q| > 2^(bits/2 - 100) (FIPS 186-5 A.1.3).
 * The greater of both becomes p of the key; e = 65537; d is taken modulo lcm(p-1, q-1).
 *
 * One step looks at one candidate (some 0.05 ms, seldom 20), so that the caller can yield between steps.
 * The search owns memory and secrets until rsa_search_drop, which is harmless on a zeroed struct. */
#ifndef CRYPTO_RSA_SEARCH_H
#define CRYPTO_RSA_SEARCH_H

#include <stddef.h>

#include "base/str.h"
#include "crypto/drbg.h"
#include "crypto/key.h"

#define RSA_SEARCH_BITS_MIN 1024
#define RSA_SEARCH_BITS_MAX 8192

struct rsa_search {
        struct drbg drbg;
        void *primes; /* owned: the primes found, and room to compute in */
        size_t bits;
        size_t candidates; /* looked at so far */
};

/* `seed` is the DRBG's whole seed; `bits` are those of the modulus: a multiple of 16 from RSA_SEARCH_BITS_MIN to
 * RSA_SEARCH_BITS_MAX, by the caller's promise. */
void rsa_search_init(struct rsa_search *s, struct str seed, size_t bits);
/*   ERR_OK     `*out` is the key, owned by the caller; the search is over: drop it
 *   ERR_AGAIN  not yet: call again (`*out` is NULL)
 *   ERR_CRYPTO the library failed */
MUST_USE enum err rsa_search_step(struct rsa_search *s, struct crypto_key **out);
void rsa_search_drop(struct rsa_search *s);

#endif
