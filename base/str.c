/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <string.h>

#include "base/ascii.h"

struct str str_of_c(const char *c)
{
        return (struct str){c, strlen(c)};
}

bool str_eq(struct str a, struct str b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
        if (a.n != b.n)
                return false;
        for (size_t i = 0; i < a.n; i++)
                if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
                        return false;
        return true;
}

int str_compare(struct str a, struct str b)
{
        size_t n = a.n < b.n ? a.n : b.n;
        int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
        if (order != 0)
                return order;
        return a.n < b.n ? -1 : a.n > b.n;
}

bool str_has_prefix(struct str s, struct str prefix)
{
        return s.n >= prefix.n && str_eq(str_take(s, prefix.n), prefix);
}

bool str_has_prefix_nocase(struct str s, struct str prefix)
{
        return s.n >= prefix.n && str_eq_nocase(str_take(s, prefix.n), prefix);
}

bool str_has_suffix_nocase(struct str s, struct str suffix)
{
        return s.n >= suffix.n && str_eq_nocase(str_skip(s, s.n - suffix.n), suffix);
}

size_t str_find_byte(struct str s, char c)
{
        const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
        return at ? (size_t)(at - s.p) : s.n;
}

size_t str_find(struct str s, struct str needle)
{
        if (needle.n == 0)
                return 0;
        for (size_t at = 0; s.n - at >= needle.n; at++) {
                at += str_find_byte(str_skip(s, at), needle.p[0]);
                if (s.n - at < needle.n)
                        break;
                if (memcmp(s.p + at, needle.p, needle.n) == 0)
                        return at;
        }
        return s.n;
}

size_t str_find_last_byte(struct str s, char c)
{
        for (size_t i = s.n; i > 0; i--)
                if (s.p[i - 1] == c)
                        return i - 1;
        return s.n;
}

static bool is_blank(char c)
{
        return ascii_is_wsp(c) || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
        while (s.n > 0 && is_blank(s.p[0]))
                s = str_skip(s, 1);
        while (s.n > 0 && is_blank(s.p[s.n - 1]))
                s.n--;
        return s;
}

struct str str_trim_wsp(struct str s)
{
        while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
                s = str_skip(s, 1);
        while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
                s.n--;
        return s;
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
        size_t at = str_find_byte(s, sep);
        *head = str_take(s, at);
        *tail = str_skip(s, at + 1);
        return at < s.n;
}

enum err str_to_u64(struct str s, uint64_t most, uint64_t *out)
{
        uint64_t value = 0;
        *out = 0;
        if (s.n == 0)
                return ERR_SYNTAX;
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_digit(s.p[i]))
                        return ERR_SYNTAX;
        for (size_t i = 0; i < s.n; i++) {
                uint64_t digit = (uint64_t)(s.p[i] - '0');
                if (value > (UINT64_MAX - digit) / 10)
                        return ERR_LIMIT;
                value = value * 10 + digit;
        }
        if (value > most)
                return ERR_LIMIT;
        *out = value;
        return ERR_OK;
}
