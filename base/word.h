/* SPDX-License-Identifier: ISC */
/* Bytes looked at eight at a time, on any processor: a word whose lowest byte is the first in memory. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stddef.h>
#include <stdint.h>

#define WORD_ONES 0x0101010101010101U
#define WORD_HIGH 0x8080808080808080U

/* The eight bytes at `p`: one instruction where the first byte in memory is the lowest anyway. */
static inline uint64_t word_load(const char *p)
{
        const unsigned char *b = (const unsigned char *)p;
        return b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
               (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

/* The high bit of each byte that is `c`, and of no other. */
static inline uint64_t word_equal(uint64_t word, char c)
{
        uint64_t x = word ^ (WORD_ONES * (unsigned char)c);
        return ~(((x & ~WORD_HIGH) + ~WORD_HIGH) | x) & WORD_HIGH;
}

/* Index of the first byte whose high bit is set; `bits` is not 0. */
static inline size_t word_first(uint64_t bits)
{
        return (size_t)__builtin_ctzll(bits) / 8;
}

#endif
