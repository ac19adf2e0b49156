/* SPDX-License-Identifier: ISC */
#include "list/posting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What one check found, of which domain. NULL: it said nothing (SPF none, no signature). */
struct found {
        const char *domain;
        enum { FAILED, PASSED, TROUBLE, TESTING } how;
};

struct verdicts {
        const char *name;
        enum dmarc_fault dmarc;
        struct found spf, dkim[4];
        enum posting_proof proof;
        unsigned code, detail; /* when it is not proven */
};

static const struct verdicts verdicts[] = {
        {"DMARC passes by DKIM", DMARC_OK, {NULL, 0}, {{"a.example", PASSED}}, POSTING_PROVEN, 0, 0},
        {"DMARC passes by another domain of the organization", DMARC_OK, {"m.a.example", PASSED}, {{0}},
                POSTING_PROVEN, 0, 0},
        {"DMARC fails", DMARC_NOTHING_PASSED, {"a.example", FAILED}, {{"a.example", FAILED}},
                POSTING_UNPROVEN, 550, 26},
        {"DMARC fails, others pass", DMARC_NOT_ALIGNED, {"b.example", PASSED}, {{"b.example", PASSED}},
                POSTING_UNPROVEN, 550, 26},
        {"DMARC fails, a stranger has trouble", DMARC_NOTHING_PASSED, {"b.example", TROUBLE}, {{0}},
                POSTING_UNPROVEN, 550, 26},
        {"no policy, SPF passes", DMARC_NO_RECORD, {"a.example", PASSED}, {{0}}, POSTING_PROVEN, 0, 0},
        {"no policy, SPF passes, in capitals", DMARC_NO_RECORD, {"A.Example", PASSED}, {{0}}, POSTING_PROVEN,
                0, 0},
        {"no policy, DKIM passes", DMARC_NO_RECORD, {"b.example", FAILED},
                {{"b.example", PASSED}, {"a.example", PASSED}}, POSTING_PROVEN, 0, 0},
        {"no policy, but with a test key", DMARC_NO_RECORD, {NULL, 0}, {{"a.example", TESTING}},
                POSTING_UNPROVEN, 550, 20},
        {"no policy, below the author's domain", DMARC_NO_RECORD, {"m.a.example", PASSED},
                {{"m.a.example", PASSED}}, POSTING_UNPROVEN, 550, 1},
        {"no policy, above the author's domain", DMARC_NO_RECORD, {"example", PASSED}, {{"example", PASSED}},
                POSTING_UNPROVEN, 550, 1},
        {"no policy, only others pass", DMARC_NO_RECORD, {"b.example", PASSED}, {{"b.example", PASSED}},
                POSTING_UNPROVEN, 550, 1},
        {"no policy, nothing at all", DMARC_NO_RECORD, {NULL, 0}, {{0}}, POSTING_UNPROVEN, 550, 1},
        {"no policy, SPF fails", DMARC_NO_RECORD, {"a.example", FAILED}, {{0}}, POSTING_UNPROVEN, 550, 23},
        {"no policy, SPF fails, a stranger signed", DMARC_NO_RECORD, {"a.example", FAILED},
                {{"b.example", PASSED}}, POSTING_UNPROVEN, 550, 23},
        {"no policy, DKIM fails", DMARC_NO_RECORD, {"b.example", PASSED}, {{"a.example", FAILED}},
                POSTING_UNPROVEN, 550, 20},
        {"no policy, both fail", DMARC_NO_RECORD, {"a.example", FAILED}, {{"a.example", FAILED}},
                POSTING_UNPROVEN, 550, 1},
        {"no policy, SPF has trouble", DMARC_NO_RECORD, {"a.example", TROUBLE}, {{0}}, POSTING_UNKNOWN, 451,
                24},
        {"no policy, DKIM has trouble", DMARC_NO_RECORD, {NULL, 0}, {{"a.example", TROUBLE}}, POSTING_UNKNOWN,
                451, 20},
        {"no policy, trouble, but DKIM passes", DMARC_NO_RECORD, {"a.example", TROUBLE},
                {{"a.example", PASSED}}, POSTING_PROVEN, 0, 0},
        {"no policy, a stranger has trouble", DMARC_NO_RECORD, {"b.example", TROUBLE},
                {{"b.example", TROUBLE}}, POSTING_UNPROVEN, 550, 1},
        {"a record without policy, SPF passes", DMARC_BAD_RECORD, {"a.example", PASSED}, {{0}},
                POSTING_PROVEN, 0, 0},
        {"a record without policy, nothing passes", DMARC_BAD_RECORD, {NULL, 0}, {{0}}, POSTING_UNPROVEN, 550,
                1},
        {"policy unknown, nothing could pass", DMARC_TROUBLE, {"b.example", FAILED}, {{"b.example", FAILED}},
                POSTING_UNPROVEN, 550, 26},
        {"policy unknown, another domain passes", DMARC_TROUBLE, {"m.a.example", PASSED}, {{0}},
                POSTING_UNKNOWN, 451, 26},
        {"policy unknown, as is SPF", DMARC_TROUBLE, {"a.example", TROUBLE}, {{0}}, POSTING_UNKNOWN, 451, 26},
        {"policy unknown, but the very domain passes", DMARC_TROUBLE, {"a.example", FAILED},
                {{"b.example", TROUBLE}, {"a.example", PASSED}}, POSTING_PROVEN, 0, 0},
        {"an aligned check unknown", DMARC_TROUBLE_BELOW, {"m.a.example", TROUBLE}, {{0}}, POSTING_UNKNOWN,
                451, 26},
        {"too many questions", DMARC_QUESTIONS, {"a.example", PASSED}, {{0}}, POSTING_PROVEN, 0, 0},
        {"no From field", DMARC_FROM_NONE, {"a.example", PASSED}, {{0}}, POSTING_NOBODY, 550, 1},
        {"several From fields", DMARC_FROM_TWICE, {"a.example", PASSED}, {{"a.example", PASSED}},
                POSTING_NOBODY, 550, 1},
        {"authors of several domains", DMARC_FROM_SEVERAL, {"a.example", PASSED}, {{"a.example", PASSED}},
                POSTING_NOBODY, 550, 1},
        {"an address literal", DMARC_FROM_DOMAIN, {"a.example", PASSED}, {{0}}, POSTING_NOBODY, 550, 1},
};

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

static void identify(struct dmarc_identifier *id, const struct found *f)
{
        id->domain = str_of_c(f->domain);
        if (f->how == PASSED)
                id->state = DMARC_ID_PASSED;
        else if (f->how == TROUBLE)
                id->state = DMARC_ID_TROUBLE;
        else
                id->state = DMARC_ID_OTHER;
}

static void set_spf(struct evaluate *e, const struct found *f)
{
        struct spf_verdict *v = &e->out.spf;
        if (!f->domain) {
                v->fault = SPF_NO_DOMAIN;
                e->out.identifiers[0].state = DMARC_ID_OTHER;
                return;
        }
        v->domain = str_of_c(f->domain);
        v->name = name_of(f->domain);
        v->result = f->how == PASSED ? SPF_PASS : f->how == TROUBLE ? SPF_TEMPERROR : SPF_FAIL;
        v->fault = f->how == TROUBLE ? SPF_TROUBLE : SPF_OK;
        v->term = f->how == TROUBLE ? S("") : S("all");
        identify(&e->out.identifiers[0], f);
}

static void add_signature(struct evaluate *e, const struct found *f)
{
        size_t i = e->out.dkim_count++;
        struct dkim_verdict *v = &e->out.dkim[i];
        v->testing = f->how == TESTING;
        v->fault = f->how == FAILED ? DKIM_BODY : f->how == TROUBLE ? DKIM_KEY_TROUBLE : DKIM_OK;
        v->result = dkim_fault_result(v->fault);
        e->dkim.list[i].signature.domain = str_of_c(f->domain);
        e->dkim.list[i].signature.selector = S("s1");
        e->out.identifiers[1 + i].by = DMARC_BY_DKIM;
        identify(&e->out.identifiers[1 + i], f);
}

/* As evaluate_finish would leave it, for a message of ann@a.example. */
static struct evaluate *settled(const struct verdicts *v)
{
        struct evaluate *e = calloc(1, sizeof *e);
        assert_non_null(e);
        struct dmarc_verdict *d = &e->out.dmarc;
        d->fault = v->dmarc;
        d->result = dmarc_fault_result(v->dmarc);
        set_spf(e, &v->spf);
        for (size_t i = 0; i < 4 && v->dkim[i].domain; i++)
                add_signature(e, &v->dkim[i]);
        if (d->result == DMARC_PERMERROR) {
                e->out.author.fault = v->dmarc;
                return e;
        }
        e->out.author.domain = d->author = name_of("a.example");
        e->out.author.address = (struct mail_address){S("ann"), S("a.example")};
        e->out.author.count = 1;
        if (d->result == DMARC_NONE)
                d->name = d->author;
        if (d->result == DMARC_TEMPERROR)
                d->name = name_of("_dmarc.a.example");
        if (d->result == DMARC_PASS || d->result == DMARC_FAIL) {
                d->policy_domain = d->author;
                d->record_text = S("v=DMARC1; p=reject");
        }
        return e;
}

/* What a proven author may: go, wait for the moderators, or stay out. */
enum way { OUT, WAITS, GOES };

struct right {
        const char *name;
        struct posting_author author;
        enum way ways[POSTING_RULES]; /* subscribers, open, moderated, announce */
};

static const struct right rights[] = {
        {"a stranger", {.is_member = false}, {OUT, GOES, WAITS, OUT}},
        {"a member", {.is_member = true}, {GOES, GOES, WAITS, OUT}},
        {"a new member", {.is_member = true, .is_new = true}, {WAITS, WAITS, WAITS, OUT}},
        {"a moderator", {.is_moderator = true}, {OUT, GOES, GOES, GOES}},
        {"a moderator who is member", {.is_member = true, .is_moderator = true}, {GOES, GOES, GOES, GOES}},
        {"a moderator who is a new member", {.is_member = true, .is_moderator = true, .is_new = true},
                {GOES, GOES, GOES, GOES}},
        {"a stranger who is banned", {.is_banned = true}, {OUT, OUT, OUT, OUT}},
        {"a member who is banned", {.is_member = true, .is_banned = true}, {OUT, OUT, OUT, OUT}},
};

static void check_answer(
        const struct verdicts *v, const struct evaluate *e, enum posting_rule rule, const struct right *right)
{
        char *text = malloc(POSTING_TEXT_MAX);
        struct wr w;
        assert_non_null(text);
        wr_init(&w, text, POSTING_TEXT_MAX);
        struct posting_answer a = posting_judge(e, rule, right->author, &w);
        const enum way way = v->proof == POSTING_PROVEN ? right->ways[rule] : OUT;
        if (a.is_held != (way == WAITS) || (a.code == 250) != (way != OUT))
                print_error("%s, %s: %u\n", v->name, right->name, a.code);
        assert_int_equal(a.is_held, way == WAITS);
        assert_int_equal(a.code == 250, way != OUT);
        if (v->proof != POSTING_PROVEN)
                assert_true(a.code == v->code && a.subject == 7 && a.detail == v->detail);
        else if (way == OUT)
                assert_true(a.code == 550 && a.subject == 7 && a.detail == 1);
        assert_false(w.full);
        assert_int_equal(w.n > 0, a.code != 250);
        free(text);
}

static void test_each_verdict_rule_and_right(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
                const struct verdicts *v = &verdicts[i];
                struct evaluate *e = settled(v);
                if (posting_proof(e) != v->proof)
                        print_error("%s\n", v->name);
                assert_int_equal(posting_proof(e), v->proof);
                for (enum posting_rule rule = 0; rule < POSTING_RULES; rule++)
                        for (size_t k = 0; k < sizeof rights / sizeof rights[0]; k++)
                                check_answer(v, e, rule, &rights[k]);
                free(e);
        }
}

/* Commands are for proven authors, whatever the rule for posts is. */
static void test_proof_for_commands(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
                const struct verdicts *v = &verdicts[i];
                struct evaluate *e = settled(v);
                char text[POSTING_TEXT_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                struct posting_answer a = posting_demand_proof(e, &w);
                assert_int_equal(a.code, v->proof == POSTING_PROVEN ? 250 : v->code);
                assert_int_equal(a.detail, v->proof == POSTING_PROVEN ? 0 : v->detail);
                assert_false(a.is_held || w.full);
                assert_int_equal(
                        str_has_prefix(wr_text(&w), S("commands: only who is proven ")), a.code != 250);
                free(e);
        }
}

static const struct verdicts *find(const char *name)
{
        for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
                if (strcmp(verdicts[i].name, name) == 0)
                        return &verdicts[i];
        fail_msg("%s", name);
        return NULL;
}

/* The texts say what to mend: the rule, the check, its domain and its record. */
static void test_texts(void **state)
{
        (void)state;
        static const struct {
                const char *verdicts;
                enum posting_rule rule;
                const char *text;
        } cases[] = {
                {"DMARC fails", POSTING_SUBSCRIBERS,
                        "posting: subscribers: only subscribers may post to this list; ann@a.example is not "
                        "proven to "
                        "be the author\n"
                        "DMARC fail: neither SPF nor DKIM passed; _dmarc.a.example says v=DMARC1; p=reject\n"
                        "SPF fail of MAIL FROM @a.example: a.example: the SPF record forbids this client: "
                        "all\n"
                        "DKIM fail of d=a.example: the body was changed after signing (bh=)"},
                {"no policy, nothing at all", POSTING_OPEN,
                        "posting: open: anyone who is proven to be the author may post to this list; "
                        "ann@a.example is "
                        "not proven to be the author\n"
                        "DMARC none: a.example: no DMARC record for this domain or those above it; then SPF "
                        "or DKIM has "
                        "to pass for exactly this domain\n"
                        "SPF none: the sender has no domain that could have an SPF record\n"
                        "DKIM none: the message has no signature"},
                {"no policy, only others pass", POSTING_ANNOUNCE,
                        "posting: announce: only moderators may post to this list; ann@a.example is not "
                        "proven to be "
                        "the author\n"
                        "DMARC none: a.example: no DMARC record for this domain or those above it; then SPF "
                        "or DKIM has "
                        "to pass for exactly this domain\n"
                        "SPF pass of MAIL FROM @b.example: b.example: the SPF record allows this client: "
                        "all; that is "
                        "not the author's domain\n"
                        "DKIM pass of d=b.example: that is not the author's domain"},
                {"no policy, but with a test key", POSTING_MODERATED,
                        "posting: moderated: moderators look at what others post to this list; ann@a.example "
                        "is not "
                        "proven to be "
                        "the author\n"
                        "DMARC none: a.example: no DMARC record for this domain or those above it; then SPF "
                        "or DKIM has "
                        "to pass for exactly this domain\n"
                        "SPF none: the sender has no domain that could have an SPF record\n"
                        "DKIM pass of d=a.example: its key is for tests only (t=y)"},
                {"policy unknown, as is SPF", POSTING_SUBSCRIBERS,
                        "posting: subscribers: only subscribers may post to this list; ann@a.example cannot "
                        "be proven "
                        "to be the author now, try again later\n"
                        "DMARC temperror: _dmarc.a.example: DNS gave no answer about this name\n"
                        "SPF temperror of MAIL FROM @a.example: a.example: DNS gave no answer\n"
                        "DKIM none: the message has no signature"},
                {"no policy, DKIM has trouble", POSTING_OPEN,
                        "posting: open: anyone who is proven to be the author may post to this list; "
                        "ann@a.example "
                        "cannot be proven to be the author now, try again later\n"
                        "DMARC none: a.example: no DMARC record for this domain or those above it; then SPF "
                        "or DKIM has "
                        "to pass for exactly this domain\n"
                        "SPF none: the sender has no domain that could have an SPF record\n"
                        "DKIM temperror of d=a.example: DNS gave no answer for the key record: "
                        "s1._domainkey.a.example"},
                {"authors of several domains", POSTING_OPEN,
                        "posting: open: anyone who is proven to be the author may post to this list\n"
                        "DMARC permerror: the From field has addresses of several domains"},
                {"no policy, SPF passes", POSTING_SUBSCRIBERS,
                        "posting: subscribers: only subscribers may post to this list; ann@a.example is no "
                        "subscriber"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct evaluate *e = settled(find(cases[i].verdicts));
                char text[POSTING_TEXT_MAX + 1];
                struct wr w;
                wr_init(&w, text, POSTING_TEXT_MAX);
                (void)posting_judge(e, cases[i].rule, (struct posting_author){0}, &w);
                text[w.n] = '\0';
                assert_string_equal(text, cases[i].text);
                free(e);
        }
}

/* Three signatures are spoken of, the author's own first. */
static void test_signatures_of_the_author_come_first(void **state)
{
        (void)state;
        static const struct verdicts v = {"", DMARC_NOT_ALIGNED, {NULL, 0},
                {{"b.example", PASSED}, {"c.example", PASSED}, {"d.example", PASSED}, {"a.example", FAILED}},
                POSTING_UNPROVEN, 550, 26};
        struct evaluate *e = settled(&v);
        char text[POSTING_TEXT_MAX + 1];
        struct wr w;
        wr_init(&w, text, POSTING_TEXT_MAX);
        (void)posting_judge(e, POSTING_OPEN, (struct posting_author){0}, &w);
        text[w.n] = '\0';
        assert_non_null(strstr(text, "\nDKIM fail of d=a.example: the body was changed after signing (bh=)"
                                     "\nDKIM pass of d=b.example: that is not the author's domain"
                                     "\nDKIM pass of d=c.example: that is not the author's domain"));
        assert_null(strstr(text, "d.example"));
        free(e);
}

/* A stranger's texts are cut and cleaned, so that the longest of them all fit and add no line. */
static void test_hostile_texts(void **state)
{
        (void)state;
        static char longest[4000];
        static const struct verdicts v = {"", DMARC_NOT_ALIGNED, {"b.example", FAILED},
                {{"b.example", FAILED}, {"c.example", FAILED}, {"d.example", FAILED}}, POSTING_UNPROVEN, 550,
                26};
        for (size_t i = 0; i < sizeof longest; i++)
                longest[i] = (char)(i % 256);
        struct evaluate *e = settled(&v);
        char *text = malloc(POSTING_TEXT_MAX);
        struct wr w;
        size_t lines = 1;
        assert_non_null(text);
        e->out.spf.domain = e->out.spf.term = e->out.dmarc.record_text = str_of(longest, sizeof longest);
        e->out.author.address.domain = str_of(longest, sizeof longest);
        for (size_t i = 0; i < 3; i++) {
                e->dkim.list[i].signature.selector = str_of(longest, sizeof longest);
                e->dkim.list[i].signature.domain = str_of(longest, sizeof longest);
                e->out.dkim[i].fault = DKIM_KEY_NONE;
        }
        wr_init(&w, text, POSTING_TEXT_MAX);
        (void)posting_judge(e, POSTING_OPEN, (struct posting_author){0}, &w);
        assert_false(w.full);
        for (size_t i = 0; i < w.n; i++) {
                lines += text[i] == '\n';
                assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
        }
        assert_int_equal(lines, 6);
        free(text);
        free(e);
}

static void test_rules(void **state)
{
        (void)state;
        assert_int_equal(posting_rule_of(S("subscribers")), POSTING_SUBSCRIBERS);
        assert_int_equal(posting_rule_of(S("open")), POSTING_OPEN);
        assert_int_equal(posting_rule_of(S("moderated")), POSTING_MODERATED);
        assert_int_equal(posting_rule_of(S("announce")), POSTING_ANNOUNCE);
        assert_int_equal(posting_rule_of(S("Open")), POSTING_ANNOUNCE);
        assert_int_equal(posting_rule_of(S("")), POSTING_ANNOUNCE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_verdict_rule_and_right),
                cmocka_unit_test(test_proof_for_commands),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_signatures_of_the_author_come_first),
                cmocka_unit_test(test_hostile_texts),
                cmocka_unit_test(test_rules),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
