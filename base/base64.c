/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include "base/ascii.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_size(size_t n)
{
        return (n + 2) / 3 * 4;
}

void base64_encode(struct wr *w, struct str bytes)
{
        for (size_t i = 0; i < bytes.n; i += 3) {
                size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
                uint32_t group = 0;
                char out[4];
                for (size_t k = 0; k < 3; k++)
                        group = group << 8 | (k < have ? (uint8_t)bytes.p[i + k] : 0);
                for (size_t k = 0; k < 4; k++)
                        out[k] = k <= have ? alphabet[group >> (18 - 6 * k) & 63] : '=';
                wr_str(w, str_of(out, 4));
        }
}

static int value_of(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (ascii_is_digit(c))
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum err base64_decode(struct str text, struct wr *w)
{
        uint32_t group = 0;
        size_t have = 0, padding = 0;
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                int value = value_of(c);
                if (ascii_is_wsp(c) || c == '\r' || c == '\n')
                        continue;
                if (c == '=') {
                        padding++;
                        continue;
                }
                if (value < 0 || padding > 0)
                        return ERR_SYNTAX;
                group = group << 6 | (uint32_t)value;
                if (++have == 4) {
                        wr_byte(w, (char)(uint8_t)(group >> 16));
                        wr_byte(w, (char)(uint8_t)(group >> 8));
                        wr_byte(w, (char)(uint8_t)group);
                        group = 0;
                        have = 0;
                }
        }
        if (have == 0)
                return padding == 0 ? wr_end(w) : ERR_SYNTAX;
        if (have == 1 || padding != 4 - have)
                return ERR_SYNTAX;
        group <<= 6 * (4 - have);
        if ((group & (have == 2 ? 0xffffU : 0xffU)) != 0)
                return ERR_SYNTAX;
        wr_byte(w, (char)(uint8_t)(group >> 16));
        if (have == 3)
                wr_byte(w, (char)(uint8_t)(group >> 8));
        return wr_end(w);
}
