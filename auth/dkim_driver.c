/* SPDX-License-Identifier: ISC */
/* Verifies messages for tests/suites. On standard input, a line each:
 *     key NAME TEXT      a TXT record at NAME; given twice, there are two
 *     trouble NAME       DNS gives no answer for NAME
 *     forget             no records any more
 *     now SECONDS        the clock
 *     message SIZE       followed by SIZE bytes, the lines ending in CRLF
 * For each message a line a signature, from the top, then "end":
 *     RESULT <TAB> fault <TAB> detail <TAB> domain <TAB> fault of the key record alone */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_verify.h"
#include "base/check.h"
#include "base/limits.h"

#define RECORDS_MAX 64
#define LINE_MAX_SIZE 8192

struct record {
        char line[LINE_MAX_SIZE];
        struct str name, text;
        bool trouble;
};

struct driver {
        struct record records[RECORDS_MAX];
        size_t count;
        int64_t now_s;
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct dkim_verify verify;
};

static void answer(const struct driver *d, struct str name, struct dkim_key *out)
{
        struct str texts[RECORDS_MAX];
        size_t count = 0;
        for (size_t i = 0; i < d->count; i++) {
                if (!str_eq_nocase(d->records[i].name, name))
                        continue;
                if (d->records[i].trouble) {
                        dkim_key_from_trouble(out);
                        return;
                }
                texts[count++] = d->records[i].text;
        }
        dkim_key_from_records(texts, count, out);
}

static void report(struct driver *d, size_t i)
{
        const struct dkim_signature *s = &d->verify.list[i].signature;
        char name[2 * DNS_NAME_MAX];
        struct dkim_key key = {0};
        struct str key_text = S("-");
        struct wr w;
        wr_init(&w, name, sizeof name);
        if (s->domain.n > 0 && s->selector.n > 0 && dkim_key_name(s->selector, s->domain, &w) == ERR_OK) {
                answer(d, wr_text(&w), &key);
                key_text = dkim_fault_text(key.fault);
        }
        struct dkim_verdict v = dkim_verify_verdict(&d->verify, i, &key);
        static const char *const words[] = {
                "none", "pass", "expired", "policy", "fail", "temperror", "permerror"};
        printf("%s\t%.*s\t%.*s\t%.*s\t%.*s\n", words[v.result], STR_ARG(dkim_fault_text(v.fault)),
                STR_ARG(v.detail), STR_ARG(s->domain), STR_ARG(key_text));
        dkim_key_drop(&key);
}

static void verify(struct driver *d, size_t size)
{
        char *text = malloc(size + 1); /* freed below; one more, so that an empty message has a block */
        struct mail_header header;
        CHECK(text && fread(text, 1, size, stdin) == size);
        CHECK(mail_header_index(str_of(text, size), d->fields, MAIL_FIELDS_MAX, &header) == ERR_OK);
        dkim_verify_init(&d->verify, &header, d->now_s);
        dkim_verify_body(&d->verify, str_skip(str_of(text, size), header.body_at));
        dkim_verify_body_end(&d->verify);
        for (size_t i = 0; i < d->verify.count; i++)
                report(d, i);
        printf("end\n");
        fflush(stdout);
        dkim_verify_drop(&d->verify);
        free(text);
}

static void command(struct driver *d, struct str line)
{
        struct record *r = &d->records[d->count];
        struct str verb, rest;
        uint64_t number = 0;
        str_cut(line, ' ', &verb, &rest);
        if (str_eq(verb, S("key")) || str_eq(verb, S("trouble"))) {
                CHECK(d->count < RECORDS_MAX && line.n <= sizeof r->line);
                memcpy(r->line, line.p, line.n);
                str_cut(str_skip(str_of(r->line, line.n), verb.n + 1), ' ', &r->name, &r->text);
                r->trouble = str_eq(verb, S("trouble"));
                d->count++;
        } else if (str_eq(verb, S("forget"))) {
                d->count = 0;
        } else {
                CHECK(str_to_u64(rest, INT64_MAX, &number) == ERR_OK);
                if (str_eq(verb, S("now")))
                        d->now_s = (int64_t)number;
                else if (str_eq(verb, S("message")))
                        verify(d, (size_t)number);
                else
                        CHECK(false);
        }
}

int main(void)
{
        static struct driver d; /* large */
        char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_of_c(line);
                if (text.n > 0 && text.p[text.n - 1] == '\n')
                        text.n--;
                command(&d, text);
        }
        return 0;
}
