/* SPDX-License-Identifier: ISC */
/* Validates and seals messages for tests/suites. On standard input, a line each:
 *     key NAME TEXT      a TXT record at NAME; given twice, there are two
 *     trouble NAME       DNS gives no answer for NAME
 *     forget             no records any more
 *     now SECONDS        the clock
 *     sign SIZE          followed by SIZE bytes of a private key in PEM, for seals made from now on
 *     as DOMAIN SELECTOR ID NAME:NAME...      who seals, the authserv-id and the fields to cover
 *     verify SIZE        followed by a message of SIZE bytes, the lines ending in CRLF
 *     seal SIZE          likewise
 * verify answers with a line
 *     CV <TAB> sets <TAB> set at fault <TAB> reason
 * and seal with "SIZE" and SIZE bytes of fields, or with "- " and why there are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/arc_seal.h"
#include "auth/arc_verify.h"
#include "auth/tags.h"
#include "base/check.h"
#include "base/limits.h"

#define RECORDS_MAX 128
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
        struct crypto_key *key;
        char who[LINE_MAX_SIZE];
        struct arc_seal_params params;
        struct str id;
        struct dkim_cover cover[DKIM_COVERED_MAX];
        struct arc_verify verify;
        struct arc_chain chain;
        char results[MAIL_HEADER_MAX + ARC_RESULTS_MAX];
        char out[ARC_SET_ROOM];
};

/* A message as the callers need it. */
struct message {
        char *text; /* owned */
        struct mail_header header;
        struct str body;
};

static struct message read_message(struct driver *d, size_t size)
{
        struct message m = {.text = malloc(size + 1)}; /* one more, so that an empty message has a block */
        CHECK(m.text && fread(m.text, 1, size, stdin) == size);
        CHECK(mail_header_index(str_of(m.text, size), d->fields, MAIL_FIELDS_MAX, &m.header) == ERR_OK);
        m.body = str_skip(str_of(m.text, size), m.header.body_at);
        return m;
}

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

static void verify(struct driver *d, size_t size)
{
        struct message m = read_message(d, size);
        struct body_hash body;
        char reason[ARC_REASON_MAX], name[DNS_NAME_MAX];
        struct wr w;
        body_hash_init(&body);
        arc_verify_init(&d->verify, &m.header, d->now_s, &body);
        body_hash_write(&body, m.body);
        body_hash_end(&body);
        for (size_t i = 0; i < d->verify.count; i++) {
                struct dkim_key key;
                wr_init(&w, name, sizeof name);
                CHECK(arc_verify_question(&d->verify, i, &w) == ERR_OK);
                answer(d, wr_text(&w), &key);
                bool good = arc_verify_check(&d->verify, i, &key);
                dkim_key_drop(&key);
                if (!good)
                        break;
        }
        const struct arc_verdict *v = &d->verify.chain.verdict;
        wr_init(&w, reason, sizeof reason);
        arc_reason_write(&w, v);
        printf("%.*s\t%zu\t%zu\t%.*s\n", STR_ARG(arc_cv_text(v->cv)), v->count, v->instance,
                STR_ARG(wr_text(&w)));
        free(m.text);
}

static enum err seal_message(struct driver *d, const struct message *m, struct wr *w)
{
        struct body_hash body;
        uint8_t digest[SHA256_SIZE];
        struct arc_results results;
        struct wr room;
        wr_init(&room, d->results, sizeof d->results);
        enum err e = arc_results_gather(&m->header, d->id, &room, &results);
        if (e != ERR_OK)
                return e;
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, m->body);
        body_hash_end(&body);
        CHECK(body_hash_result(&body, slot, digest) == ERR_OK);
        arc_chain_read(&m->header, &d->chain);
        d->params.results = results.payload;
        d->params.cv = results.cv;
        d->params.time_s = d->now_s;
        d->params.line_goal = MAIL_LINE_MAX; /* folds inside of a value would be signed, too */
        d->params.seal.key = d->params.message.key = d->key;
        return arc_seal(&d->params, &m->header, &d->chain, digest, w);
}

static void seal(struct driver *d, size_t size)
{
        struct message m = read_message(d, size);
        struct wr w;
        wr_init(&w, d->out, sizeof d->out);
        enum err e = seal_message(d, &m, &w);
        if (e == ERR_OK)
                printf("%zu\n%.*s", w.n, STR_ARG(wr_text(&w)));
        else
                printf("- %s\n", err_text(e));
        free(m.text);
}

static void take_key(struct driver *d, size_t size)
{
        char *pem = malloc(size + 1);
        CHECK(pem && fread(pem, 1, size, stdin) == size);
        crypto_key_free(d->key);
        CHECK(crypto_key_private_from_pem(str_of(pem, size), &d->key) == ERR_OK);
        free(pem);
}

static void take_who(struct driver *d, struct str line)
{
        struct str rest, names, name;
        memcpy(d->who, line.p, line.n);
        CHECK(str_cut(str_of(d->who, line.n), ' ', &d->params.domain, &rest));
        CHECK(str_cut(rest, ' ', &d->params.seal.selector, &rest));
        CHECK(str_cut(rest, ' ', &d->id, &names));
        d->params.message.selector = d->params.seal.selector;
        d->params.cover = d->cover;
        d->params.cover_count = 0;
        while (d->params.cover_count < DKIM_COVERED_MAX && tags_item(&names, &name))
                d->cover[d->params.cover_count++] = (struct dkim_cover){name, false};
}

static void take_record(struct driver *d, struct str verb, struct str line)
{
        struct record *r = &d->records[d->count];
        CHECK(d->count < RECORDS_MAX && line.n <= sizeof r->line);
        memcpy(r->line, line.p, line.n);
        str_cut(str_of(r->line, line.n), ' ', &r->name, &r->text);
        r->trouble = str_eq(verb, S("trouble"));
        d->count++;
}

static void command(struct driver *d, struct str verb, struct str rest)
{
        uint64_t number = 0;
        if (str_eq(verb, S("key")) || str_eq(verb, S("trouble"))) {
                take_record(d, verb, rest);
        } else if (str_eq(verb, S("forget"))) {
                d->count = 0;
        } else if (str_eq(verb, S("as"))) {
                take_who(d, rest);
        } else {
                CHECK(str_to_u64(rest, INT64_MAX, &number) == ERR_OK);
                if (str_eq(verb, S("now")))
                        d->now_s = (int64_t)number;
                else if (str_eq(verb, S("sign")))
                        take_key(d, (size_t)number);
                else if (str_eq(verb, S("verify")))
                        verify(d, (size_t)number);
                else if (str_eq(verb, S("seal")))
                        seal(d, (size_t)number);
                else
                        CHECK(false);
        }
        fflush(stdout);
}

int main(void)
{
        static struct driver d; /* large */
        char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_of_c(line), verb, rest;
                if (text.n > 0 && text.p[text.n - 1] == '\n')
                        text.n--;
                str_cut(text, ' ', &verb, &rest);
                command(&d, verb, rest);
        }
        crypto_key_free(d.key);
        return 0;
}
