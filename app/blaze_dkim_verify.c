/* SPDX-License-Identifier: ISC */
/* blaze dkim verify */
#include <stdio.h>
#include <stdlib.h>

#include "app/blaze.h"
#include "app/blaze_dns.h"
#include "app/blaze_key.h"
#include "app/blaze_message.h"
#include "auth/dkim_name.h"
#include "auth/dkim_verify.h"
#include "auth/tags.h"
#include "base/check.h"
#include "host/linux/linux.h"

static const struct option_spec specs[] = {
        BLAZE_NAMESERVER_OPTION,
        BLAZE_NEWLINE_OPTION,
        {"extra", 'e', "SEL:DOMAIN:KEY", true, "take this key instead of DNS: a PEM file, or base64 of DER"},
        {"fields", 0, NULL, false, "print the names of the fields that each signature covers"},
        {"quiet", 'q', NULL, false, "print no signatures: the exit status tells"},
        {"verbose", 'v', NULL, false, "say on standard error why a signature is not [OK]"},
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

/* All that one run holds. */
struct run {
        const struct options *o;
        struct blaze_message message;
        struct blaze_dns dns;
        struct dkim_verify verify;
        struct dkim_key keys[DKIM_SIGNATURES_MAX];
        struct dkim_verdict verdicts[DKIM_SIGNATURES_MAX];
};

/* SEL:DOMAIN:KEY */
static bool read_extra(struct str text, struct str *selector, struct str *domain, struct str *key)
{
        struct str rest;
        if (str_cut(text, ':', selector, &rest) && str_cut(rest, ':', domain, key) && key->n > 0)
                return true;
        blaze_fail("Not SEL:DOMAIN:KEY: %.*s", STR_ARG(text));
        return false;
}

/* Each -e must hold a key; where one names the key of a signature, that is settled. `known[i]` tells. */
static bool take_extra(struct run *r, bool known[DKIM_SIGNATURES_MAX])
{
        struct str text, selector, domain, key_text;
        for (size_t k = 0; options_nth(r->o, "extra", k, &text); k++) {
                if (!read_extra(text, &selector, &domain, &key_text))
                        return false;
                struct crypto_key *key = blaze_key_public(key_text);
                if (!key)
                        return false;
                crypto_key_free(key);
                for (size_t i = 0; i < r->verify.count; i++) {
                        const struct dkim_signature *s = &r->verify.list[i].signature;
                        if (known[i] || !str_eq_nocase(s->selector, selector) ||
                                !str_eq_nocase(s->domain, domain))
                                continue;
                        key = blaze_key_public(key_text);
                        if (!key)
                                return false;
                        dkim_key_from_crypto(key, &r->keys[i]);
                        known[i] = true;
                }
        }
        return true;
}

static void take_answer(const struct blaze_txt *q, struct dkim_key *out)
{
        if (q->status == BLAZE_TXT_TROUBLE)
                dkim_key_from_trouble(out);
        else
                dkim_key_from_records(q->texts, q->count, out);
}

/* The key of each signature that needs one. */
static bool find_keys(struct run *r)
{
        bool known[DKIM_SIGNATURES_MAX] = {false};
        char names[DKIM_SIGNATURES_MAX][DNS_NAME_MAX];
        struct blaze_txt questions[DKIM_SIGNATURES_MAX];
        size_t of[DKIM_SIGNATURES_MAX], count = 0;
        if (!take_extra(r, known))
                return false;
        for (size_t i = 0; i < r->verify.count; i++) {
                struct wr w;
                wr_init(&w, names[count], sizeof names[count]);
                if (known[i] || dkim_verify_question(&r->verify, i, &w) != ERR_OK)
                        continue;
                questions[count].name = wr_text(&w);
                of[count++] = i;
        }
        blaze_dns_ask(&r->dns, questions, count);
        for (size_t k = 0; k < count; k++)
                take_answer(&questions[k], &r->keys[of[k]]);
        return true;
}

static bool read_body(struct run *r)
{
        struct str bytes;
        enum err e;
        while ((e = blaze_message_body(&r->message, &bytes)) == ERR_OK)
                dkim_verify_body(&r->verify, bytes);
        dkim_verify_body_end(&r->verify);
        if (e == ERR_EOF)
                return true;
        blaze_fail("The message cannot be read: %s", err_text(e));
        return false;
}

enum group { GROUP_OK, GROUP_EX, GROUP_ER, GROUPS };

static enum group group_of(enum dkim_result result)
{
        return result == DKIM_PASS ? GROUP_OK : result == DKIM_EXPIRED ? GROUP_EX : GROUP_ER;
}

/* The covered names, each once, in the order of h=. */
static void print_fields(struct str covered)
{
        struct str rest = covered, name;
        while (tags_item(&rest, &name)) {
                struct str again = covered, other;
                while (tags_item(&again, &other) && !str_eq_nocase(other, name))
                        ;
                if (other.p == name.p && name.n > 0)
                        printf("  %.*s\n", STR_ARG(name));
        }
}

static void print_one(const struct run *r, size_t i)
{
        static const char *const marks[GROUPS] = {"OK", "EX", "ER"};
        const struct dkim_signature *s = &r->verify.list[i].signature;
        const struct dkim_verdict *v = &r->verdicts[i];
        char room[DNS_NAME_MAX];
        struct wr name;
        wr_init(&name, room, sizeof room);
        dkim_name_write(&name, s->domain);
        struct str domain = name.n > 0 ? wr_text(&name) : S("(no domain)");
        if (!options_has(r->o, "quiet")) {
                printf("[%s]: %.*s\n", marks[group_of(v->result)], STR_ARG(domain));
                if (options_has(r->o, "fields"))
                        print_fields(s->covered);
        }
        if (!options_has(r->o, "verbose") || v->result == DKIM_PASS)
                return;
        fflush(stdout);
        char reason[DKIM_REASON_MAX];
        struct wr w;
        wr_init(&w, reason, sizeof reason);
        dkim_reason_write(&w, v->fault, v->detail, s->selector, s->domain);
        fprintf(stderr, "%.*s: %.*s\n", STR_ARG(domain), STR_ARG(wr_text(&w)));
}

static int report(const struct run *r)
{
        size_t counts[GROUPS] = {0};
        for (int group = GROUP_OK; group < GROUPS; group++)
                for (size_t i = 0; i < r->verify.count; i++)
                        if (group_of(r->verdicts[i].result) == (enum group)group) {
                                print_one(r, i);
                                counts[group]++;
                        }
        if (r->verify.ignored > 0 && options_has(r->o, "verbose"))
                fprintf(stderr, "%zu more signatures were not looked at\n", r->verify.ignored);
        if (r->verify.count == 0)
                return blaze_fail("No DKIM signature");
        return counts[GROUP_ER] > 0 ? blaze_fail("Invalid DKIM signature") : 0;
}

static int64_t now_s(void)
{
        struct host *h = linux_host_new(NULL);
        CHECK(h);
        int64_t now = host_wall_ms(h) / 1000;
        linux_host_free(h);
        return now;
}

static int verify(struct run *r)
{
        int status = EXIT_BLAZE;
        dkim_verify_init(&r->verify, &r->message.header, now_s());
        if (find_keys(r) && read_body(r)) {
                for (size_t i = 0; i < r->verify.count; i++)
                        r->verdicts[i] = dkim_verify_verdict(&r->verify, i, &r->keys[i]);
                status = report(r);
        }
        for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++)
                dkim_key_drop(&r->keys[i]);
        dkim_verify_drop(&r->verify);
        return status;
}

static int run(const struct options *o)
{
        struct run *r = calloc(1, sizeof *r);
        int status = EXIT_BLAZE;
        if (!r)
                return blaze_fail("Out of memory");
        r->o = o;
        if (blaze_dns_init(&r->dns, o)) {
                if (blaze_message_open(&r->message, o, false))
                        status = verify(r);
                blaze_message_close(&r->message);
        }
        blaze_dns_drop(&r->dns);
        free(r);
        return status;
}

const struct blaze_command blaze_dkim_verify = {
        .group = "dkim",
        .verb = "verify",
        .arguments = "[FILE]",
        .arguments_max = 1,
        .about = "Verify the DKIM signatures of a message from FILE or standard input, and print a line for "
                 "each: [OK] and its\n"
                 "domain, [EX] when it is right but past its x=, [ER] otherwise. Any [ER], or no signature, "
                 "is a failure.\n"
                 "BLAZE_DNS_STATIC=DIR in the environment answers from files NAME.dns with lines `txt:...` "
                 "instead of DNS.\n",
        .specs = specs,
        .run = run,
};
