/* SPDX-License-Identifier: ISC */
/* Slices: a pointer and a length, passed by value, never terminated by NUL, never owning.
 * A slice is borrowed for as long as the bytes that it points into. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct str {
        const char *p;
        size_t n;
};

/* A slice of a string literal. */
#define S(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const void *p, size_t n)
{
        return (struct str){p, n};
}

struct str str_of_c(const char *c); /* of a NUL-terminated string: for command lines and tests */

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII case folded */
int str_compare(struct str a, struct str b);    /* bytewise order: <0, 0, >0 */
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_prefix_nocase(struct str s, struct str prefix);
bool str_has_suffix_nocase(struct str s, struct str suffix);

/* Index of the first match, or s.n when there is none. */
size_t str_find_byte(struct str s, char c);
size_t str_find(struct str s, struct str needle);
/* Index of the last match, or s.n. */
size_t str_find_last_byte(struct str s, char c);

/* Parts; positions past the end are clamped to it. */
static inline struct str str_skip(struct str s, size_t n)
{
        if (n >= s.n)
                return (struct str){s.n == 0 ? s.p : s.p + s.n, 0};
        return (struct str){s.p + n, s.n - n};
}

static inline struct str str_take(struct str s, size_t n)
{
        return (struct str){s.p, n < s.n ? n : s.n};
}

struct str str_trim(struct str s);     /* without SP, HTAB, CR, LF at both ends */
struct str str_trim_wsp(struct str s); /* without SP and HTAB at both ends */

/* Split at the first `sep`: true, head before it and tail after it; without one: false, head is all, tail is empty. */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);

/* A decimal number of digits only, without sign.
 *   ERR_OK      `*out` is at most `most`
 *   ERR_SYNTAX  empty, or another byte than a digit
 *   ERR_LIMIT   above `most`            (`*out` is 0 on both errors) */
MUST_USE enum err str_to_u64(struct str s, uint64_t most, uint64_t *out);

#endif
