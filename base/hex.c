/* SPDX-License-Identifier: ISC */
#include "base/hex.h"

#include "base/ascii.h"

void hex_encode(struct wr *w, struct str bytes)
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < bytes.n; i++) {
                uint8_t byte = (uint8_t)bytes.p[i];
                wr_byte(w, digits[byte >> 4]);
                wr_byte(w, digits[byte & 15]);
        }
}

static int value_of(char c)
{
        if (!ascii_is_hex(c))
                return -1;
        return ascii_is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10;
}

enum err hex_decode(struct str text, struct wr *w)
{
        if (text.n % 2 != 0)
                return ERR_SYNTAX;
        for (size_t i = 0; i < text.n; i += 2) {
                int high = value_of(text.p[i]), low = value_of(text.p[i + 1]);
                if (high < 0 || low < 0)
                        return ERR_SYNTAX;
                wr_byte(w, (char)(uint8_t)(high << 4 | low));
        }
        return wr_end(w);
}
