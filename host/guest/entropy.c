/* SPDX-License-Identifier: ISC */
#include "host/guest/entropy.h"

#include <string.h>

/* SP 800-90B 4.4.2 with a false alarm in 2^40 windows, for bytes of at least four bits of entropy each:
 * critbinom(512, 2^-4, 1 - 2^-40) + 1. */
enum { WINDOW = 512, WINDOW_EQUAL_MAX = 78, TRIES = 10 };

/* One byte of the window: how often does its first one come again? */
static bool take_byte(struct entropy_health *h, uint8_t byte)
{
        if (h->seen == 0) {
                h->sample = byte;
                h->equal = 0;
        }
        h->equal += byte == h->sample;
        h->seen = (h->seen + 1) % WINDOW;
        return h->equal < WINDOW_EQUAL_MAX;
}

/* 4.4.1: 64 bits that come twice in a row are an alarm, false in 2^64 at most; stuck generators show it at once. */
bool entropy_health_take(struct entropy_health *h, uint64_t sample)
{
        if (h->has_last && sample == h->last)
                h->failed = true;
        h->has_last = true;
        h->last = sample;
        for (unsigned i = 0; i < sizeof sample; i++)
                if (!take_byte(h, (uint8_t)(sample >> 8 * i)))
                        h->failed = true;
        return !h->failed;
}

static bool gather_one(
        struct entropy_health *h, bool (*read)(void *ctx, uint64_t *out), void *ctx, uint64_t *out)
{
        for (unsigned i = 0; i < TRIES; i++)
                if (read(ctx, out))
                        return entropy_health_take(h, *out);
        h->failed = true;
        return false;
}

bool entropy_gather(
        struct entropy_health *h, bool (*read)(void *ctx, uint64_t *out), void *ctx, uint64_t *out, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (h->failed || !gather_one(h, read, ctx, &out[i])) {
                        memset(out, 0, n * sizeof *out);
                        return false;
                }
        return true;
}
