/* SPDX-License-Identifier: ISC */
/* The library's functions for SHA-256 itself: they run the same code as its EVP interface, which looks the algorithm up
 * under a lock and allocates for each digest, and so costs as much again as hashing 4 KB. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "crypto/bytes.h"

static_assert(sizeof(SHA256_CTX) <= sizeof((struct sha256){0}.state), "the library's state fits");
static_assert(SHA256_SIZE == SHA256_DIGEST_LENGTH, "as the library says");

static SHA256_CTX *state(struct sha256 *h)
{
        return (SHA256_CTX *)h->state;
}

void sha256_init(struct sha256 *h)
{
        h->is_running = SHA256_Init(state(h)) == 1;
}

void sha256_update(struct sha256 *h, struct str bytes)
{
        if (h->is_running && bytes.n > 0)
                h->is_running = SHA256_Update(state(h), bytes.p, bytes.n) == 1;
}

void sha256_copy(const struct sha256 *h, struct sha256 *to)
{
        *to = *h;
}

enum err sha256_end(struct sha256 *h, uint8_t out[SHA256_SIZE])
{
        bool done = h->is_running && SHA256_Final(out, state(h)) == 1;
        sha256_drop(h);
        if (done)
                return ERR_OK;
        memset(out, 0, SHA256_SIZE);
        return ERR_CRYPTO;
}

void sha256_drop(struct sha256 *h)
{
        crypto_wipe(h, sizeof *h);
}

enum err sha256(struct str bytes, uint8_t out[SHA256_SIZE])
{
        struct sha256 h;
        sha256_init(&h);
        sha256_update(&h, bytes);
        return sha256_end(&h, out);
}
