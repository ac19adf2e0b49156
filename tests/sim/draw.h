/* SPDX-License-Identifier: ISC */
/* Draws: a stream of numbers that a seed and a name determine, so that one more draw here shifts none elsewhere. Never
 * two draws in one expression: their order would be the compiler's. */
#ifndef TESTS_SIM_DRAW_H
#define TESTS_SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct draw {
        uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t draw_u64(struct draw *d)
{
        uint64_t z = d->state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
}

static inline struct draw draw_of(uint64_t seed, struct str name)
{
        struct draw d = {seed};
        for (size_t i = 0; i < name.n; i++)
                d.state = draw_u64(&d) ^ (uint8_t)name.p[i];
        return d;
}

/* 0 to bound - 1. The tiny bias towards small numbers is the same everywhere. */
static inline uint64_t draw_below(struct draw *d, uint64_t bound)
{
        CHECK(bound > 0);
        return draw_u64(d) % bound;
}

static inline bool draw_percent(struct draw *d, unsigned percent)
{
        return draw_below(d, 100) < percent;
}

#endif
