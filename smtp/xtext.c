/* SPDX-License-Identifier: ISC */
#include "smtp/xtext.h"

#include "base/ascii.h"

/* xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "=" */
static bool is_xchar(char c)
{
        return ascii_is_graph(c) && c != '+' && c != '=';
}

void smtp_xtext_encode(struct wr *w, struct str bytes)
{
        static const char digits[] = "0123456789ABCDEF";
        for (size_t i = 0; i < bytes.n; i++) {
                unsigned char c = (unsigned char)bytes.p[i];
                if (is_xchar(bytes.p[i])) {
                        wr_byte(w, bytes.p[i]);
                        continue;
                }
                wr_byte(w, '+');
                wr_byte(w, digits[c >> 4]);
                wr_byte(w, digits[c & 15]);
        }
}

/* hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits */
static int digit_value(char c)
{
        if (ascii_is_digit(c))
                return c - '0';
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err smtp_xtext_decode(struct str text, struct wr *w)
{
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                if (c == '+') {
                        if (text.n - i < 3)
                                return ERR_SYNTAX;
                        int high = digit_value(text.p[i + 1]), low = digit_value(text.p[i + 2]);
                        if (high < 0 || low < 0)
                                return ERR_SYNTAX;
                        c = (char)(high << 4 | low);
                        i += 2;
                } else if (!is_xchar(c)) {
                        return ERR_SYNTAX;
                }
                wr_byte(w, c);
        }
        return wr_end(w);
}
