/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/sim/memo.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "auth/key.h"
#include "base/check.h"
#include "crypto/sha256.h"

#define SLOTS 4096
#define VALUE_MAX 2048 /* the PEM of an RSA-2048 key */

enum { EMPTY, FILLING, READY };

struct slot {
        _Atomic int state;
        uint8_t tag[SHA256_SIZE];
        size_t n;
        char value[VALUE_MAX];
};

static struct slot *slots;

bool memo_share(void)
{
        void *p =
                mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                return false;
        slots = p;
        return true;
}

static bool find(const uint8_t tag[SHA256_SIZE], struct str *value)
{
        for (size_t i = 0; slots && i < SLOTS; i++) {
                struct slot *s = &slots[(tag[0] + 256u * tag[1] + i) % SLOTS];
                int state = atomic_load(&s->state);
                if (state == EMPTY)
                        return false;
                if (state == READY && memcmp(s->tag, tag, SHA256_SIZE) == 0) {
                        *value = str_of(s->value, s->n);
                        return true;
                }
        }
        return false;
}

static void keep(const uint8_t tag[SHA256_SIZE], struct str value)
{
        for (size_t i = 0; slots && value.n <= VALUE_MAX && i < SLOTS; i++) {
                struct slot *s = &slots[(tag[0] + 256u * tag[1] + i) % SLOTS];
                int empty = EMPTY;
                if (!atomic_compare_exchange_strong(&s->state, &empty, FILLING))
                        continue;
                memcpy(s->tag, tag, SHA256_SIZE);
                memcpy(s->value, value.p, value.n);
                s->n = value.n;
                atomic_store(&s->state, READY);
                return;
        }
}

static void tag_of(struct str kind, struct str a, struct str b, uint8_t tag[SHA256_SIZE])
{
        struct sha256 h;
        sha256_init(&h);
        sha256_update(&h, kind);
        sha256_update(&h, a);
        sha256_update(&h, S("\0"));
        sha256_update(&h, b);
        CHECK(sha256_end(&h, tag) == ERR_OK);
}

enum err __real_key_seed_derive(const struct key_password *password, struct str domain, struct key_seed *out);
enum err __wrap_key_seed_derive(const struct key_password *password, struct str domain, struct key_seed *out);
enum err __real_key_search_init(struct key_search *s, const struct key_seed *seed, enum key_purpose purpose,
        enum key_algorithm algorithm, struct str selector);
enum err __wrap_key_search_init(struct key_search *s, const struct key_seed *seed, enum key_purpose purpose,
        enum key_algorithm algorithm, struct str selector);
enum err __real_key_search_step(struct key_search *s, struct crypto_key **out);
enum err __wrap_key_search_step(struct key_search *s, struct crypto_key **out);

enum err __wrap_key_seed_derive(const struct key_password *password, struct str domain, struct key_seed *out)
{
        uint8_t tag[SHA256_SIZE];
        struct str value;
        tag_of(S("seed"), str_of(password->bytes, password->n), domain, tag);
        if (find(tag, &value)) {
                memcpy(out->bytes, value.p, sizeof out->bytes);
                return ERR_OK;
        }
        enum err e = __real_key_seed_derive(password, domain, out);
        if (e == ERR_OK)
                keep(tag, str_of(out->bytes, sizeof out->bytes));
        return e;
}

/* The whole search, whose key is kept as PEM. */
static enum err search(
        const struct key_seed *seed, enum key_purpose purpose, struct str selector, struct wr *pem)
{
        struct key_search s;
        struct crypto_key *key = NULL;
        enum err e = __real_key_search_init(&s, seed, purpose, KEY_RSA_2048, selector);
        if (e != ERR_OK)
                return e;
        while ((e = __real_key_search_step(&s, &key)) == ERR_AGAIN)
                ;
        key_search_drop(&s);
        if (e == ERR_OK)
                e = crypto_key_private_pem(key, pem);
        crypto_key_free(key);
        return e;
}

/* A search for an RSA key holds the tag of its result in place of an Ed25519 seed. */
enum err __wrap_key_search_init(struct key_search *s, const struct key_seed *seed, enum key_purpose purpose,
        enum key_algorithm algorithm, struct str selector)
{
        static const struct str purposes[] = {S("dkim"), S("arc"), S("tls")};
        char pem[VALUE_MAX];
        struct str value;
        struct wr w;
        if (algorithm != KEY_RSA_2048 || !slots)
                return __real_key_search_init(s, seed, purpose, algorithm, selector);
        *s = (struct key_search){.algorithm = algorithm};
        tag_of(purposes[purpose], str_of(seed->bytes, sizeof seed->bytes), selector, s->ed25519_seed);
        if (find(s->ed25519_seed, &value))
                return ERR_OK;
        wr_init(&w, pem, sizeof pem);
        enum err e = search(seed, purpose, selector, &w);
        if (e == ERR_OK)
                keep(s->ed25519_seed, wr_text(&w));
        return e;
}

enum err __wrap_key_search_step(struct key_search *s, struct crypto_key **out)
{
        struct str pem;
        if (s->algorithm != KEY_RSA_2048 || !slots)
                return __real_key_search_step(s, out);
        CHECK(find(s->ed25519_seed, &pem)); /* the table is large enough for every run of a session */
        return crypto_key_private_from_pem(pem, out);
}
