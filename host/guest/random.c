/* SPDX-License-Identifier: ISC */
/* HMAC_DRBG, seeded anew from the processor at the start, each minute and after each megabyte: with fresh entropy and
 * what the old state gives, so that a new seed never makes it weaker. */
#include <string.h>

#include "base/check.h"
#include "crypto/bytes.h"
#include "crypto/drbg.h"
#include "host/guest/entropy.h"
#include "host/guest/inside.h"

#define SEED_WORDS 8 /* 512 bits from the processor */
#define START_WORDS \
        512 /* seen by the health tests before the first seed (SP 800-90B 4.3: at least 1024 samples) */
#define AGAIN_BYTES (1024 * 1024)
#define AGAIN_NS (60 * (uint64_t)1000000000)
#define STOCK 128 /* numbers drawn ahead for random_u16 */

struct generator {
        struct entropy_health health;
        struct drbg drbg;
        size_t given;
        uint64_t seeded_ns;
        uint16_t stock[STOCK];
        size_t left;
};

static struct generator generator;

static void must(bool ok)
{
        if (!ok)
                guest_fail(S("the processor's random generator (RDRAND) is broken"));
}

static void seed(struct generator *g, bool is_first)
{
        struct {
                uint64_t fresh[SEED_WORDS];
                uint8_t old[32];
        } in = {0};
        must(entropy_gather(&g->health, entropy_rdrand, NULL, in.fresh, SEED_WORDS));
        if (!is_first)
                CHECK(drbg_generate(&g->drbg, in.old, sizeof in.old) == ERR_OK);
        drbg_init(&g->drbg, str_of((const char *)&in, sizeof in));
        crypto_wipe(&in, sizeof in);
        g->given = 0;
        g->seeded_ns = machine_now_ns();
}

void random_init(void)
{
        uint64_t seen[SEED_WORDS];
        if (!entropy_has_rdrand())
                guest_fail(S("this processor has no random generator (RDRAND), and without one there are no "
                             "keys"));
        for (unsigned i = 0; i < START_WORDS / SEED_WORDS; i++)
                must(entropy_gather(&generator.health, entropy_rdrand, NULL, seen, SEED_WORDS));
        seed(&generator, true);
}

void random_bytes(void *out, size_t n)
{
        struct generator *g = &generator;
        uint8_t *p = out;
        if (g->given > AGAIN_BYTES || machine_now_ns() - g->seeded_ns > AGAIN_NS)
                seed(g, false);
        g->given += n;
        while (n > 0) {
                size_t part = n < DRBG_REQUEST_MAX ? n : DRBG_REQUEST_MAX;
                CHECK(drbg_generate(&g->drbg, p, part) == ERR_OK);
                p += part;
                n -= part;
        }
}

void guest_random(struct host *h, void *out, size_t n)
{
        (void)h;
        random_bytes(out, n);
}

uint16_t random_u16(void)
{
        struct generator *g = &generator;
        if (g->left == 0) {
                random_bytes(g->stock, sizeof g->stock);
                g->left = STOCK;
        }
        return g->stock[--g->left];
}
