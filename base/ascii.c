/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"

char ascii_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

char ascii_upper(char c)
{
        return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

bool ascii_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

bool ascii_is_alpha(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ascii_is_alnum(char c)
{
        return ascii_is_alpha(c) || ascii_is_digit(c);
}

bool ascii_is_hex(char c)
{
        char l = ascii_lower(c);
        return ascii_is_digit(c) || (l >= 'a' && l <= 'f');
}

bool ascii_is_wsp(char c)
{
        return c == ' ' || c == '\t';
}

bool ascii_is_graph(char c)
{
        return c > 32 && c < 127;
}

bool ascii_is_control(char c)
{
        unsigned char u = (unsigned char)c;
        return u < 32 || u == 127;
}

bool ascii_is_8bit(char c)
{
        return (unsigned char)c >= 128;
}
