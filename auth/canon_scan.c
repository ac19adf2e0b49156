/* SPDX-License-Identifier: ISC */
#include "auth/canon_scan.h"

#include "base/ascii.h"
#include "base/word.h"

/* From `at` on, where what comes before has been looked at. */
static size_t scan_rest(struct str text, size_t at)
{
        for (; at + 1 < text.n; at++) {
                char next = text.p[at + 1];
                if (text.p[at] == '\t' || (text.p[at] == ' ' && (ascii_is_wsp(next) || next == '\r')))
                        return at;
        }
        if (at < text.n && !ascii_is_wsp(text.p[at]) && text.p[at] != '\r')
                at++;
        return at;
}

size_t canon_scan_bytes(struct str text)
{
        return scan_rest(text, 0);
}

size_t canon_scan_words(struct str text)
{
        size_t at = 0;
        for (; text.n - at > 8; at += 8) {
                uint64_t here = word_load(text.p + at), next = word_load(text.p + at + 1);
                uint64_t blank = word_equal(next, ' ') | word_equal(next, '\t') | word_equal(next, '\r');
                uint64_t stops = word_equal(here, '\t') | (word_equal(here, ' ') & blank);
                if (stops != 0)
                        return at + word_first(stops);
        }
        return scan_rest(text, at);
}

#if defined(__x86_64__)

#include <immintrin.h>

/* The places among 32 bytes where the text stops: bytes with all bits set. _mm256_shuffle_epi8 looks a byte up by its low
 * four bits, and gives 0 for one above 127, so a byte is SP, HTAB or CR if that gives the byte itself. */
__attribute__((target("avx2"))) static inline __m256i look(const char *p)
{
        const __m256i space = _mm256_set1_epi8(' '), tab = _mm256_set1_epi8('\t');
        const __m256i blanks = _mm256_broadcastsi128_si256(
                _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, '\r', -1, 0));
        __m256i here = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
        __m256i blank = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(blanks, next), next);
        __m256i last = _mm256_and_si256(_mm256_cmpeq_epi8(here, space), blank);
        return _mm256_or_si256(last, _mm256_cmpeq_epi8(here, tab));
}

__attribute__((target("avx2"))) static size_t scan_avx2(struct str text)
{
        size_t at = 0;
        for (; text.n - at > 64; at += 64) {
                __m256i a = look(text.p + at), b = look(text.p + at + 32);
                __m256i any = _mm256_or_si256(a, b);
                if (_mm256_testz_si256(any, any))
                        continue;
                uint64_t stops =
                        (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
                return at + (size_t)__builtin_ctzll(stops);
        }
        return at + canon_scan_words(str_skip(text, at));
}

canon_scan *canon_scan_best(void)
{
        return __builtin_cpu_supports("avx2") ? scan_avx2 : canon_scan_words;
}

#else

canon_scan *canon_scan_best(void)
{
        return canon_scan_words;
}

#endif
