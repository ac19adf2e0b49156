/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

/* RFC 3629 4, first and second octet of each row of its table. */
static const struct {
        uint8_t first_least, first_most, second_least, second_most;
        size_t n;
} rows[] = {
        {0x00, 0x7f, 0, 0, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool is_between(char c, uint8_t least, uint8_t most)
{
        return (uint8_t)c >= least && (uint8_t)c <= most;
}

size_t utf8_head(struct str s)
{
        size_t row = 0, rows_n = sizeof rows / sizeof rows[0];
        while (s.n > 0 && row < rows_n && !is_between(s.p[0], rows[row].first_least, rows[row].first_most))
                row++;
        if (s.n == 0 || row == rows_n || s.n < rows[row].n)
                return 0;
        if (rows[row].n > 1 && !is_between(s.p[1], rows[row].second_least, rows[row].second_most))
                return 0;
        for (size_t i = 2; i < rows[row].n; i++)
                if (!is_between(s.p[i], 0x80, 0xbf))
                        return 0;
        return rows[row].n;
}

bool utf8_is_valid(struct str s)
{
        for (size_t n = 0; n < s.n;) {
                size_t size = (uint8_t)s.p[n] < 0x80 ? 1 : utf8_head(str_skip(s, n));
                if (size == 0)
                        return false;
                n += size;
        }
        return true;
}

void utf8_write(struct wr *w, uint32_t code)
{
        char out[4];
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
                utf8_write(w, 0xfffd);
                return;
        }
        for (size_t i = n - 1; i > 0; i--) {
                out[i] = (char)(uint8_t)(0x80 | (code & 0x3f));
                code >>= 6;
        }
        out[0] = (char)(uint8_t)(n == 1 ? code : (0xf00U >> n & 0xffU) | code);
        wr_str(w, str_of(out, n));
}
