/* SPDX-License-Identifier: ISC */
/* Over the library's functions for the hashes themselves (crypto/sha256.c tells why): its HMAC looks two algorithms up
 * under locks and allocates for each code, which is most of what a short one costs. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hmac.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "crypto/bytes.h"

#define BLOCK_MAX 128

static_assert(sizeof(SHA256_CTX) <= sizeof((struct hmac){0}.inner), "the library's states fit");
static_assert(sizeof(SHA512_CTX) <= sizeof((struct hmac){0}.inner), "the library's states fit");

static int begin256(void *state)
{
        return SHA256_Init(state);
}

static int begin384(void *state)
{
        return SHA384_Init(state);
}

static int begin512(void *state)
{
        return SHA512_Init(state);
}

static int add256(void *state, const void *p, size_t n)
{
        return SHA256_Update(state, p, n);
}

static int add512(void *state, const void *p, size_t n)
{
        return SHA512_Update(state, p, n);
}

static int end256(uint8_t *out, void *state)
{
        return SHA256_Final(out, state);
}

static int end512(uint8_t *out, void *state)
{
        return SHA512_Final(out, state); /* of SHA-384 too: as many bytes as it began with */
}

static const struct {
        size_t size, block;
        int (*begin)(void *state);
        int (*add)(void *state, const void *p, size_t n);
        int (*end)(uint8_t *out, void *state);
} hashes[] = {
        [HMAC_SHA256] = {32, 64, begin256, add256, end256},
        [HMAC_SHA384] = {48, 128, begin384, add512, end512},
        [HMAC_SHA512] = {64, 128, begin512, add512, end512},
};

size_t hmac_size(enum hmac_hash hash)
{
        return hashes[hash].size;
}

/* A key longer than a block counts as its hash; then zeros up to a block (RFC 2104 2). */
static bool spread_key(enum hmac_hash hash, struct str key, uint8_t block[BLOCK_MAX])
{
        uint64_t state[sizeof((struct hmac){0}.inner) / 8];
        memset(block, 0, BLOCK_MAX);
        if (key.n <= hashes[hash].block) {
                if (key.n > 0)
                        memcpy(block, key.p, key.n);
                return true;
        }
        bool good = hashes[hash].begin(state) == 1 && hashes[hash].add(state, key.p, key.n) == 1 &&
                    hashes[hash].end(block, state) == 1;
        crypto_wipe(state, sizeof state);
        return good;
}

/* A hash that has taken the key under a pad. */
static bool begin_padded(enum hmac_hash hash, const uint8_t key[BLOCK_MAX], uint8_t pad, uint64_t *state)
{
        uint8_t block[BLOCK_MAX];
        for (size_t i = 0; i < BLOCK_MAX; i++)
                block[i] = key[i] ^ pad;
        bool good = hashes[hash].begin(state) == 1 && hashes[hash].add(state, block, hashes[hash].block) == 1;
        crypto_wipe(block, sizeof block);
        return good;
}

void hmac_init(struct hmac *m, enum hmac_hash hash, struct str key)
{
        uint8_t block[BLOCK_MAX];
        m->hash = hash;
        m->is_running = spread_key(hash, key, block) && begin_padded(hash, block, 0x36, m->inner) &&
                        begin_padded(hash, block, 0x5c, m->outer);
        crypto_wipe(block, sizeof block);
}

void hmac_update(struct hmac *m, struct str bytes)
{
        if (m->is_running && bytes.n > 0)
                m->is_running = hashes[m->hash].add(m->inner, bytes.p, bytes.n) == 1;
}

enum err hmac_end(struct hmac *m, uint8_t out[HMAC_SIZE_MAX])
{
        uint8_t inside[HMAC_SIZE_MAX];
        memset(out, 0, HMAC_SIZE_MAX);
        bool done = m->is_running && hashes[m->hash].end(inside, m->inner) == 1 &&
                    hashes[m->hash].add(m->outer, inside, hashes[m->hash].size) == 1 &&
                    hashes[m->hash].end(out, m->outer) == 1;
        hmac_drop(m);
        crypto_wipe(inside, sizeof inside);
        if (!done)
                memset(out, 0, HMAC_SIZE_MAX);
        return done ? ERR_OK : ERR_CRYPTO;
}

void hmac_drop(struct hmac *m)
{
        crypto_wipe(m, sizeof *m);
}

enum err hmac(enum hmac_hash hash, struct str key, struct str bytes, uint8_t out[HMAC_SIZE_MAX])
{
        struct hmac m;
        hmac_init(&m, hash, key);
        hmac_update(&m, bytes);
        return hmac_end(&m, out);
}
