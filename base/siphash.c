/* SPDX-License-Identifier: ISC */
#include "base/siphash.h"

struct state {
        uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t v, unsigned bits)
{
        return v << bits | v >> (64 - bits);
}

static uint64_t read_le(const char *p, size_t n)
{
        uint64_t v = 0;
        for (size_t i = 0; i < n; i++)
                v |= (uint64_t)(uint8_t)p[i] << (8 * i);
        return v;
}

static void rounds(struct state *s, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                s->a += s->b;
                s->c += s->d;
                s->b = rotate(s->b, 13) ^ s->a;
                s->d = rotate(s->d, 16) ^ s->c;
                s->a = rotate(s->a, 32);
                s->c += s->b;
                s->a += s->d;
                s->b = rotate(s->b, 17) ^ s->c;
                s->d = rotate(s->d, 21) ^ s->a;
                s->c = rotate(s->c, 32);
        }
}

static void absorb(struct state *s, uint64_t word)
{
        s->d ^= word;
        rounds(s, 2);
        s->a ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct str bytes)
{
        uint64_t low = read_le((const char *)key, 8), high = read_le((const char *)key + 8, 8);
        struct state s = {low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d, low ^ 0x6c7967656e657261,
                high ^ 0x7465646279746573};
        size_t whole = bytes.n - bytes.n % 8;
        for (size_t i = 0; i < whole; i += 8)
                absorb(&s, read_le(bytes.p + i, 8));
        absorb(&s, read_le(bytes.p + whole, bytes.n - whole) | (uint64_t)bytes.n << 56);
        s.c ^= 0xff;
        rounds(&s, 4);
        return s.a ^ s.b ^ s.c ^ s.d;
}
