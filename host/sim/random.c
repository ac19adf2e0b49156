/* SPDX-License-Identifier: ISC */
#include "host/sim/random.h"

#include <string.h>

#include "base/check.h"
#include "base/siphash.h"
#include "host/sim/inside.h"

static uint64_t rotate(uint64_t v, unsigned bits)
{
        return v << bits | v >> (64 - bits);
}

static void put_le64(uint8_t out[8], uint64_t v)
{
        for (size_t i = 0; i < 8; i++)
                out[i] = (uint8_t)(v >> (8 * i));
}

/* splitmix64: what the authors of xoshiro fill its state with. */
static uint64_t mix(uint64_t *state)
{
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

struct sim_random sim_random_of(uint64_t seed, struct str kind, struct str name)
{
        struct sim_random r;
        uint8_t key[SIPHASH_KEY_SIZE] = {0};
        put_le64(key, seed);
        put_le64(key + 8, siphash(key, kind));
        uint64_t state = siphash(key, name);
        for (size_t i = 0; i < 4; i++)
                r.state[i] = mix(&state);
        return r;
}

uint64_t sim_random_u64(struct sim_random *r)
{
        uint64_t *s = r->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
        return result;
}

uint64_t sim_random_below(struct sim_random *r, uint64_t bound)
{
        CHECK(bound > 0);
        uint64_t surplus = (UINT64_MAX % bound + 1) % bound; /* 2^64 mod bound */
        uint64_t v;
        do
                v = sim_random_u64(r);
        while (v > UINT64_MAX - surplus);
        return v % bound;
}

int64_t sim_random_between(struct sim_random *r, int64_t least, int64_t most)
{
        CHECK(least <= most);
        uint64_t span = (uint64_t)most - (uint64_t)least;
        uint64_t v = span == UINT64_MAX ? sim_random_u64(r) : sim_random_below(r, span + 1);
        return (int64_t)((uint64_t)least + v);
}

bool sim_random_chance(struct sim_random *r, uint32_t ppm)
{
        if (ppm == 0 || ppm >= SIM_PPM)
                return ppm > 0;
        return sim_random_below(r, SIM_PPM) < ppm;
}

void sim_random_bytes(struct sim_random *r, void *out, size_t n)
{
        uint8_t *p = out, bytes[8];
        while (n > 0) {
                size_t take = n < sizeof bytes ? n : sizeof bytes;
                put_le64(bytes, sim_random_u64(r));
                memcpy(p, bytes, take);
                p += take;
                n -= take;
        }
}

void node_random(struct host *h, void *out, size_t n)
{
        sim_random_bytes(&node_of(h)->bytes, out, n);
}
