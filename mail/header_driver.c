/* SPDX-License-Identifier: ISC */
/* Reads one message. Prints a line a field, "field NAME RAW", a line a stray, "stray RAW", all in hexadecimal; at the end
 * "end BODY-OFFSET" or, without an empty line, "eof LENGTH". From, To and Cc give "mailbox DISPLAY LOCAL DOMAIN" lines (the
 * display name decoded, "-" for none), Date gives "date UNIX-SECONDS", both "wrong NAME" where they do not parse. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

static void print_hex(struct str s)
{
        printf(s.n == 0 ? " -" : " ");
        for (size_t i = 0; i < s.n; i++)
                printf("%02x", (unsigned)(unsigned char)s.p[i]);
}

static void print_mailboxes(const struct mail_field *f)
{
        struct mail_addresses r;
        struct mail_mailbox m;
        enum err e;
        mail_addresses_init(&r, f->body);
        while ((e = mail_addresses_next(&r, &m)) == ERR_OK) {
                char name[4096];
                struct wr w;
                wr_init(&w, name, sizeof name);
                mail_phrase_decode(&w, m.display);
                printf("mailbox");
                print_hex(wr_text(&w));
                print_hex(m.address.local);
                print_hex(m.address.domain);
                printf("\n");
        }
        if (e != ERR_EOF)
                printf("wrong %.*s\n", STR_ARG(f->name));
}

static void print_field(const struct mail_field *f)
{
        struct mail_date date;
        printf("field");
        print_hex(f->name);
        print_hex(f->raw);
        printf("\n");
        if (str_eq_nocase(f->name, S("From")) || str_eq_nocase(f->name, S("To")) ||
                str_eq_nocase(f->name, S("Cc")))
                print_mailboxes(f);
        if (!str_eq_nocase(f->name, S("Date")))
                return;
        if (mail_date_parse(f->body, &date) == ERR_OK)
                printf("date %lld\n", (long long)date.unix_s);
        else
                printf("wrong Date\n");
}

static void print_message(struct str text)
{
        struct mail_field f;
        size_t at = 0;
        for (;;) {
                enum mail_item item = mail_item_next(text, &at, &f);
                if (item == MAIL_ITEM_END || item == MAIL_ITEM_EOF) {
                        printf("%s %zu\n", item == MAIL_ITEM_END ? "end" : "eof", at);
                        return;
                }
                if (item == MAIL_ITEM_FIELD) {
                        print_field(&f);
                        continue;
                }
                printf("stray");
                print_hex(f.raw);
                printf("\n");
        }
}

int main(void)
{
        char *text = malloc(MAIL_MESSAGE_MAX);
        if (!text)
                return 71;
        print_message(str_of(text, fread(text, 1, MAIL_MESSAGE_MAX, stdin)));
        free(text);
        return 0;
}
