/* SPDX-License-Identifier: ISC */
/* Reads addresses as hexadecimal, one a line. For each one line: "smtp OUTCOME field OUTCOME", of mail_mailbox_parse with
 * MAIL_ASCII and of mail_address_parse, where OUTCOME is err_text with "-" for spaces, or "ok:LOCAL:DOMAIN" in hexadecimal. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "mail/address.h"

static void print(const char *which, enum err e, const struct mail_address *a)
{
        char text[1200];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (e == ERR_OK) {
                wr_str(&w, S("ok:"));
                hex_encode(&w, a->local);
                wr_byte(&w, ':');
                hex_encode(&w, a->domain);
        } else {
                wr_str(&w, str_of_c(err_text(e)));
                for (size_t i = 0; i < w.n; i++)
                        if (w.p[i] == ' ')
                                w.p[i] = '-';
        }
        printf("%s %.*s", which, STR_ARG(wr_text(&w)));
}

int main(void)
{
        char line[8192], octets[4096];
        while (fgets(line, sizeof line, stdin)) {
                struct mail_address a;
                struct mail_mailbox m;
                struct wr w;
                wr_init(&w, octets, sizeof octets);
                if (hex_decode(str_trim(str_of_c(line)), &w) != ERR_OK) {
                        fprintf(stderr, "not hexadecimal: %s", line);
                        return 64;
                }
                print("smtp", mail_mailbox_parse(wr_text(&w), MAIL_ASCII, &a), &a);
                enum err e = mail_address_parse(wr_text(&w), &m);
                print(" field", e, &m.address);
                printf("\n");
        }
        return 0;
}
