/* SPDX-License-Identifier: ISC */
#include "host/guest/find.h"

#include <emmintrin.h>

#define BLOCK 16

/* Whole blocks are read, which no page cuts in two: so none is touched that has no byte to look at. */
__attribute__((no_sanitize("address"))) const void *find_byte(const void *from, uint8_t c, size_t n)
{
        const char *at = from, *end = (const char *)UINTPTR_MAX;
        if (n < UINTPTR_MAX -
                        (uintptr_t)at) /* else it is more than there is, and the byte is known to come */
                end = at + n;
        const __m128i wanted = _mm_set1_epi8((char)c);
        unsigned before = (unsigned)((uintptr_t)at % BLOCK), hits;
        if (n == 0)
                return NULL;
        for (at -= before;; at += BLOCK, before = 0) {
                __m128i same = _mm_cmpeq_epi8(_mm_load_si128((const __m128i *)(const void *)at), wanted);
                hits = (unsigned)_mm_movemask_epi8(same) >> before << before;
                if (hits != 0 || (size_t)(end - at) <= BLOCK)
                        break;
        }
        if (hits == 0)
                return NULL;
        at += __builtin_ctz(hits);
        return at < end ? at : NULL;
}
