/* SPDX-License-Identifier: ISC */
#include "mail/percent.h"

#include "base/ascii.h"

void mail_percent_encode(struct wr *w, struct str s, struct str plain)
{
        static const char digits[] = "0123456789ABCDEF";
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (ascii_is_alnum(c) || str_find_byte(plain, c) < plain.n) {
                        wr_byte(w, c);
                        continue;
                }
                wr_byte(w, '%');
                wr_byte(w, digits[(uint8_t)c >> 4]);
                wr_byte(w, digits[(uint8_t)c & 15]);
        }
}
