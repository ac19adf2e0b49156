/* SPDX-License-Identifier: ISC */
#include "smtp/text.h"

#include <string.h>

#include "base/word.h"

/* May `next` not stand behind `here`? */
static bool is_break(char here, char next, char stop)
{
        return here == '\0' || (here == '\r') != (next == '\n') || (here == '\n' && next == stop);
}

/* The text ends before or behind its byte `at`, which does not go with the next one. */
static size_t end_at(struct str text, size_t at)
{
        return at + (text.p[at] != '\0' && text.p[at] != '\r');
}

/* From `at` on, where what comes before has been looked at. */
static size_t scan_rest(struct str text, size_t at, char stop)
{
        while (at + 1 < text.n && !is_break(text.p[at], text.p[at + 1], stop))
                at++;
        return at < text.n ? end_at(text, at) : at;
}

static bool begins_with_lf(struct str text)
{
        return text.n > 0 && text.p[0] == '\n';
}

size_t smtp_text_scan_bytes(struct str text, char stop)
{
        return begins_with_lf(text) ? 0 : scan_rest(text, 0, stop);
}

static size_t scan_words(struct str text, size_t at, char stop)
{
        for (; text.n - at > 8; at += 8) {
                uint64_t here = word_load(text.p + at), next = word_load(text.p + at + 1);
                uint64_t breaks = word_equal(here, '\0') | (word_equal(here, '\r') ^ word_equal(next, '\n')) |
                                  (word_equal(here, '\n') & word_equal(next, stop));
                if (breaks != 0)
                        return end_at(text, at + word_first(breaks));
        }
        return scan_rest(text, at, stop);
}

size_t smtp_text_scan_words(struct str text, char stop)
{
        return begins_with_lf(text) ? 0 : scan_words(text, 0, stop);
}

bool smtp_text_has_8bit(struct str text)
{
        uint64_t all = 0, four[4]; /* their order means nothing */
        size_t at = 0;
        for (; text.n - at >= sizeof four; at += sizeof four) {
                memcpy(four, text.p + at, sizeof four);
                all |= four[0] | four[1] | four[2] | four[3];
        }
        for (; at < text.n; at++)
                all |= (unsigned char)text.p[at];
        return (all & WORD_HIGH) != 0;
}

#if defined(__x86_64__)

#include <immintrin.h>

/* The places among 32 bytes behind which, or before which, the text breaks: bytes with all bits set. */
__attribute__((target("avx2"))) static inline __m256i look(const char *p, __m256i stop)
{
        const __m256i cr = _mm256_set1_epi8('\r'), lf = _mm256_set1_epi8('\n');
        __m256i here = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
        __m256i half = _mm256_xor_si256(_mm256_cmpeq_epi8(here, cr), _mm256_cmpeq_epi8(next, lf));
        __m256i head = _mm256_and_si256(_mm256_cmpeq_epi8(here, lf), _mm256_cmpeq_epi8(next, stop));
        return _mm256_or_si256(_mm256_or_si256(half, head), _mm256_cmpeq_epi8(here, _mm256_setzero_si256()));
}

__attribute__((target("avx2"))) static size_t scan_avx2(struct str text, char stop)
{
        const __m256i stops = _mm256_set1_epi8(stop);
        size_t at = 0;
        if (begins_with_lf(text))
                return 0;
        for (; text.n - at > 64; at += 64) {
                __m256i a = look(text.p + at, stops), b = look(text.p + at + 32, stops);
                __m256i any = _mm256_or_si256(a, b);
                if (_mm256_testz_si256(any, any))
                        continue;
                uint64_t breaks =
                        (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
                return end_at(text, at + (size_t)__builtin_ctzll(breaks));
        }
        return scan_words(text, at, stop);
}

smtp_text_scan *smtp_text_scan_best(void)
{
        return __builtin_cpu_supports("avx2") ? scan_avx2 : smtp_text_scan_words;
}

#else

smtp_text_scan *smtp_text_scan_best(void)
{
        return smtp_text_scan_words;
}

#endif
