/* SPDX-License-Identifier: ISC */
#include "base/base32.h"

#include "base/ascii.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

size_t base32_encoded_size(size_t n)
{
        return (n * 8 + 4) / 5;
}

void base32_encode(struct wr *w, struct str bytes)
{
        uint32_t bits = 0;
        unsigned have = 0;
        for (size_t i = 0; i < bytes.n; i++) {
                bits = bits << 8 | (uint8_t)bytes.p[i];
                for (have += 8; have >= 5; have -= 5)
                        wr_byte(w, alphabet[bits >> (have - 5) & 31]);
        }
        if (have > 0)
                wr_byte(w, alphabet[bits << (5 - have) & 31]);
}

static int value_of(char c)
{
        char l = ascii_lower(c);
        if (l >= 'a' && l <= 'z')
                return l - 'a';
        return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

enum err base32_decode(struct str text, struct wr *w)
{
        uint32_t bits = 0;
        unsigned have = 0;
        for (size_t i = 0; i < text.n; i++) {
                int value = value_of(text.p[i]);
                if (value < 0)
                        return ERR_SYNTAX;
                bits = bits << 5 | (uint32_t)value;
                have += 5;
                if (have >= 8) {
                        have -= 8;
                        wr_byte(w, (char)(uint8_t)(bits >> have));
                }
        }
        if (have >= 5 || (bits & ((1U << have) - 1)) != 0)
                return ERR_SYNTAX;
        return wr_end(w);
}
