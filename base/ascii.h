/* SPDX-License-Identifier: ISC */
/* ASCII classes and case, independent of any locale. Bytes above 127 belong to no class. Inline: parsers ask for each
 * byte. */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

static inline char ascii_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char ascii_upper(char c)
{
        return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(char c)
{
        return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool ascii_is_hex(char c)
{
        char l = ascii_lower(c);
        return ascii_is_digit(c) || (l >= 'a' && l <= 'f');
}

/* SP or HTAB (RFC 5234 B.1) */
static inline bool ascii_is_wsp(char c)
{
        return c == ' ' || c == '\t';
}

/* VCHAR: 33 to 126 */
static inline bool ascii_is_graph(char c)
{
        return c > 32 && c < 127;
}

/* 0 to 31, 127 */
static inline bool ascii_is_control(char c)
{
        unsigned char u = (unsigned char)c;
        return u < 32 || u == 127;
}

/* 128 to 255 */
static inline bool ascii_is_8bit(char c)
{
        return (unsigned char)c >= 128;
}

#endif
