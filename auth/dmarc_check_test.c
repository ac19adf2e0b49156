/* SPDX-License-Identifier: ISC */
#include "auth/dmarc_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/fake_dns.h"
#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static struct fake_dns dns; /* large */

struct outcome {
        struct dmarc_verdict v;
        size_t rounds, questions;
        struct dns_known known;
        struct arena arena;
        char memory[FAKE_DNS_ARENA];
};

static struct dmarc_author author_of(const char *from)
{
        struct mail_field field = {.name = S("From"), .body = str_of_c(from)};
        struct mail_header header = {.fields = &field, .n = 1};
        struct dmarc_author author;
        dmarc_author_find(&header, &author);
        return author;
}

static void run(struct outcome *o, const struct dmarc_input *in, size_t most, bool one_by_one)
{
        arena_init(&o->arena, o->memory, sizeof o->memory);
        dns_known_init(&o->known, &o->arena, most);
        for (o->rounds = 0; dmarc_check(in, &o->known, &o->v) == ERR_AGAIN; o->rounds++)
                assert_true(fake_dns_round(&dns, &o->known, one_by_one) > 0);
        o->questions = o->known.count;
}

/* The same verdict whether answers come all at once or one by one. */
static struct outcome *check(const char *from, const struct dmarc_identifier *ids, size_t count)
{
        static struct outcome whole, slow; /* large */
        struct dmarc_author author = author_of(from);
        struct dmarc_input in = {&author, ids, count};
        run(&whole, &in, DMARC_QUESTIONS_MAX, false);
        run(&slow, &in, DMARC_QUESTIONS_MAX, true);
        assert_true(whole.v.fault == slow.v.fault && whole.v.policy == slow.v.policy);
        assert_true(whole.v.spf_aligned == slow.v.spf_aligned && whole.v.dkim_aligned == slow.v.dkim_aligned);
        assert_int_equal(whole.v.aligned, slow.v.aligned);
        return &whole;
}

/* Records parted by newlines, in the form of fake_dns_add. */
static void publish(const char *zone)
{
        struct str rest = str_of_c(zone), line;
        dns.count = 0;
        while (rest.n > 0) {
                str_cut(rest, '\n', &line, &rest);
                fake_dns_add(&dns, line);
        }
}

#define REJECT "_dmarc.example.org\tTXT\tv=DMARC1; p=reject"

static const struct {
        const char *name, *zone, *from, *dkim, *spf, *want; /* "fault policy organization" */
} cases[] = {
        {"no record", "", "a@example.org", "example.org", "", "6 none example.org"},
        {"identical", REJECT, "a@example.org", "example.org", "", "0 reject example.org"},
        {"case aside", REJECT, "a@EXAMPLE.org", "eXample.ORG", "", "0 reject EXAMPLE.org"},
        {"spf", REJECT, "a@example.org", "", "example.org", "0 reject example.org"},
        {"relaxed, below", REJECT, "a@example.org", "x.example.org", "", "0 reject example.org"},
        {"relaxed, above", REJECT, "a@x.example.org", "example.org", "", "0 reject example.org"},
        {"relaxed, beside", REJECT, "a@x.example.org", "", "y.example.org", "0 reject example.org"},
        {"strict dkim", REJECT "; adkim=s", "a@x.example.org", "example.org", "", "11 reject example.org"},
        {"strict dkim is not strict spf", REJECT "; adkim=s", "a@x.example.org", "", "example.org",
                "0 reject example.org"},
        {"strict spf", REJECT "; aspf=s", "a@x.example.org", "", "example.org", "11 reject example.org"},
        {"nothing passed", REJECT, "a@example.org", "", "", "12 reject example.org"},
        {"another domain", REJECT, "a@example.org", "example.com", "", "11 reject example.org"},
        {"a longer name", REJECT, "a@example.org", "xexample.org", "", "11 reject example.org"},
        {"a sibling under a public suffix without records", "_dmarc.a.co.example\tTXT\tv=DMARC1; p=reject",
                "x@a.co.example", "b.co.example", "", "11 reject a.co.example"},
        {"a sibling under a public suffix", "_dmarc.co.example\tTXT\tv=DMARC1; p=reject; psd=y",
                "x@a.co.example", "b.co.example", "", "11 reject a.co.example"},
        {"the public suffix itself sends", "_dmarc.co.example\tTXT\tv=DMARC1; p=reject; psd=y",
                "x@co.example", "a.co.example", "", "11 reject co.example"},
        {"psd=n ends the walk", REJECT "\n_dmarc.x.example.org\tTXT\tv=DMARC1; p=none; psd=n",
                "a@y.x.example.org", "example.org", "", "11 none x.example.org"},
        {"the record at the top counts, not one between",
                REJECT "\n_dmarc.x.example.org\tTXT\tv=DMARC1; p=none", "a@y.x.example.org", "", "",
                "12 reject example.org"},
        {"unrelated TXT", REJECT "\n_dmarc.example.org\tTXT\tgoogle-site-verification=x", "a@example.org", "",
                "", "12 reject example.org"},
        {"several records are none", REJECT "\n" REJECT, "a@example.org", "example.org", "",
                "6 none example.org"},
        {"no policy and no address", "_dmarc.example.org\tTXT\tv=DMARC1; adkim=s", "a@example.org",
                "example.org", "", "7 none example.org"},
        {"sp for a name below", REJECT "; sp=quarantine", "a@x.example.org", "", "",
                "12 quarantine example.org"},
        {"sp is not for the domain itself", REJECT "; sp=none", "a@example.org", "", "",
                "12 reject example.org"},
        {"np for a name that is not there", REJECT "; sp=none; np=quarantine", "a@x.example.org", "", "",
                "12 quarantine example.org"},
        {"np is not for one that is", REJECT "; sp=none; np=reject\nx.example.org\tMX\tmx.example.org",
                "a@x.example.org", "", "", "12 none example.org"},
        {"t=y one step down", REJECT "; t=y", "a@example.org", "", "", "12 quarantine example.org"},
        {"t=y another", "_dmarc.example.org\tTXT\tv=DMARC1; p=quarantine; t=y", "a@example.org", "", "",
                "12 none example.org"},
        {"U-labels of the author", "_dmarc.xn--bcher-kva.example\tTXT\tv=DMARC1; p=reject",
                "a@b\xc3\xbc"
                "cher.example",
                "xn--bcher-kva.example", "", "0 reject xn--bcher-kva.example"},
        {"U-labels of SPF", "_dmarc.xn--bcher-kva.example\tTXT\tv=DMARC1; p=reject",
                "a@xn--bcher-kva.example", "",
                "b\xc3\xbc"
                "cher.example",
                "0 reject xn--bcher-kva.example"},
        {"a single label", "_dmarc.org\tTXT\tv=DMARC1; p=reject", "a@org", "org", "", "0 reject org"},
        {"no answer at all", "_dmarc.example.org\tTROUBLE\tTXT", "a@example.org", "example.org", "",
                "8 none "},
        {"no answer above, but an identical domain", REJECT "\n_dmarc.org\tTROUBLE\tTXT", "a@example.org",
                "example.org", "", "0 reject "},
        {"no answer above, and a relaxed one", REJECT "\n_dmarc.org\tTROUBLE\tTXT", "a@example.org",
                "x.example.org", "", "8 reject "},
        {"no answer above, and nothing passed", REJECT "\n_dmarc.org\tTROUBLE\tTXT", "a@example.org", "", "",
                "12 reject "},
        {"no answer about one of two identifiers", REJECT "\n_dmarc.x.example.org\tTROUBLE\tTXT",
                "a@example.org", "x.example.org", "example.org", "0 reject example.org"},
        {"no answer about the only one", REJECT "\n_dmarc.x.example.org\tTROUBLE\tTXT", "a@example.org",
                "x.example.org", "", "8 reject example.org"},
        {"no answer whether the author exists", REJECT "; np=none\nx.example.org\tTROUBLE\tA",
                "a@x.example.org", "", "", "8 none example.org"},
        {"which is no matter when it passes", REJECT "; np=none\nx.example.org\tTROUBLE\tA",
                "a@x.example.org", "example.org", "", "0 reject example.org"},
        {"SPF's domain is no domain", REJECT, "a@example.org", "", "[192.0.2.1]", "12 reject example.org"},
};

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(cases); i++) {
                struct dmarc_identifier ids[2] = {
                        {DMARC_BY_DKIM, DMARC_ID_PASSED, str_of_c(cases[i].dkim)},
                        {DMARC_BY_SPF, DMARC_ID_PASSED, str_of_c(cases[i].spf)},
                };
                char got[DNS_NAME_TEXT_MAX + 32], organization[DNS_NAME_TEXT_MAX];
                struct wr w;
                publish(cases[i].zone);
                struct outcome *o = check(cases[i].from, ids, 2);
                wr_init(&w, organization, sizeof organization);
                if (o->v.organization.n > 0)
                        dns_name_write(&w, &o->v.organization);
                snprintf(got, sizeof got, "%d %.*s %.*s", (int)o->v.fault,
                        STR_ARG(dmarc_policy_text(o->v.policy)), STR_ARG(wr_text(&w)));
                if (strcmp(got, cases[i].want) != 0)
                        fail_msg("%s: %s", cases[i].name, got);
                assert_int_equal(o->v.result, dmarc_fault_result(o->v.fault));
                assert_int_equal(o->v.result == DMARC_PASS, o->v.spf_aligned || o->v.dkim_aligned);
        }
}

static void test_trouble_below_leaves_it_open(void **state)
{
        (void)state;
        struct dmarc_identifier ids[2] = {
                {DMARC_BY_DKIM, DMARC_ID_TROUBLE, S("example.org")},
                {DMARC_BY_SPF, DMARC_ID_PASSED, S("example.com")},
        };
        publish(REJECT);
        struct outcome *o = check("a@example.org", ids, 2);
        assert_int_equal(o->v.fault, DMARC_TROUBLE_BELOW);
        assert_int_equal(o->v.result, DMARC_TEMPERROR);
        ids[0].domain = S("example.net"); /* it could not help */
        assert_int_equal(check("a@example.org", ids, 2)->v.fault, DMARC_NOT_ALIGNED);
        ids[0].domain = S("example.org");
        ids[1].domain = S("example.org"); /* another one helps */
        o = check("a@example.org", ids, 2);
        assert_int_equal(o->v.fault, DMARC_OK);
        assert_int_equal(o->v.aligned, 1);
        assert_true(o->v.spf_aligned && !o->v.dkim_aligned);
        ids[0].state = DMARC_ID_PASSED; /* the first of two that help */
        o = check("a@example.org", ids, 2);
        assert_int_equal(o->v.aligned, 0);
        assert_true(o->v.spf_aligned && o->v.dkim_aligned);
        ids[0] = (struct dmarc_identifier){DMARC_BY_DKIM, DMARC_ID_TROUBLE, S("example.net")};
        assert_int_equal(check("a@example.org", ids, 1)->v.fault, DMARC_NOTHING_PASSED);
        ids[1].state = DMARC_ID_OTHER;
        ids[0].state = DMARC_ID_OTHER;
        assert_int_equal(check("a@example.org", ids, 2)->v.fault, DMARC_NOTHING_PASSED);
}

static void test_authors(void **state)
{
        (void)state;
        static const struct {
                const char *from;
                enum dmarc_fault fault;
                size_t count;
        } from[] = {
                {"a@example.org", DMARC_OK, 1},
                {"\"x@evil.example\" <a@example.org>", DMARC_OK, 1},
                {"a@example.org, B <b@EXAMPLE.org>", DMARC_OK, 2},
                {"a@example.org, b@example.com", DMARC_FROM_SEVERAL, 0},
                {"", DMARC_FROM_NONE, 0},
                {"nobody:;", DMARC_FROM_NONE, 0},
                {"a", DMARC_FROM_SYNTAX, 0},
                {"a@example.org, b@", DMARC_FROM_SYNTAX, 0},
                {"a@[192.0.2.1]", DMARC_FROM_DOMAIN, 0},
                {"a@[x:y]", DMARC_FROM_DOMAIN, 0},
        };
        publish(REJECT);
        for (size_t i = 0; i < CASES(from); i++) {
                struct dmarc_author a = author_of(from[i].from);
                struct dmarc_identifier id = {DMARC_BY_DKIM, DMARC_ID_PASSED, S("example.org")};
                if (a.fault != from[i].fault || a.count != from[i].count)
                        fail_msg("%s: %d, %zu", from[i].from, (int)a.fault, a.count);
                assert_int_equal(a.address.local.n > 0, a.fault == DMARC_OK);
                struct outcome *o = check(from[i].from, &id, 1);
                assert_int_equal(o->v.result, a.fault == DMARC_OK ? DMARC_PASS : DMARC_PERMERROR);
                assert_int_equal(o->questions > 0, a.fault == DMARC_OK);
        }
        struct mail_field two[] = {
                {.name = S("From"), .body = S("a@b")}, {.name = S("from"), .body = S("a@b")}};
        struct mail_header header = {.fields = two, .n = 2};
        struct dmarc_author a;
        dmarc_author_find(&header, &a);
        assert_int_equal(a.fault, DMARC_FROM_TWICE);
        header.n = 0;
        dmarc_author_find(&header, &a);
        assert_int_equal(a.fault, DMARC_FROM_NONE);
}

static void test_a_hundred_authors(void **state)
{
        (void)state;
        char text[4096];
        struct wr w;
        wr_init(&w, text, sizeof text);
        for (unsigned i = 0; i < 100; i++) {
                wr_str(&w, i > 0 ? S(", a@x") : S("a@x"));
                wr_u64(&w, i);
                wr_str(&w, S(".example"));
        }
        wr_byte(&w, '\0');
        struct dmarc_author a = author_of(text);
        assert_int_equal(a.fault, DMARC_FROM_SEVERAL);
}

/* Many signatures of strangers cost nothing, many of one organization a bounded sum. */
static void test_cost(void **state)
{
        (void)state;
        static const char *const strangers[] = {"a.org", "b.org", "c.org", "d.org", "e.example"};
        static const char *const own[] = {"a.b.c.d.e.f.g.example.org", "b.c.d.e.f.g.example.org",
                "x.example.org", "y.example.org", "a.b.c.d.e.f.g.x.example.org"};
        struct dmarc_identifier ids[32];
        publish(REJECT);
        for (size_t i = 0; i < CASES(ids); i++)
                ids[i] =
                        (struct dmarc_identifier){DMARC_BY_DKIM, DMARC_ID_PASSED, str_of_c(strangers[i % 5])};
        struct outcome *o = check("a@example.org", ids, CASES(ids));
        assert_int_equal(o->v.fault, DMARC_NOT_ALIGNED);
        assert_int_equal(o->questions, 2); /* _dmarc.example.org and _dmarc.org */
        assert_int_equal(o->rounds, 1);
        for (size_t i = 0; i < CASES(ids); i++)
                ids[i].domain = str_of_c(own[i % 5]);
        o = check("a@example.org", ids, CASES(ids));
        assert_int_equal(o->v.fault, DMARC_OK);
        assert_int_equal(o->rounds, 1);
        assert_true(o->questions <= DMARC_QUESTIONS_MAX);
}

static void test_eight_questions_at_most(void **state)
{
        (void)state;
        publish("");
        for (size_t labels = 1; labels <= 40; labels++) {
                char text[256];
                struct wr w;
                wr_init(&w, text, sizeof text);
                wr_str(&w, S("a@org"));
                for (size_t i = 1; i < labels; i++)
                        wr_str(&w, S(".x"));
                wr_byte(&w, '\0');
                struct outcome *o = check(text, NULL, 0);
                assert_int_equal(o->questions, labels < DMARC_WALK_MAX ? labels : DMARC_WALK_MAX);
        }
}

static void test_too_many_questions(void **state)
{
        (void)state;
        static struct outcome o; /* large */
        struct dmarc_author author = author_of("a@x.example.org");
        struct dmarc_identifier id = {DMARC_BY_DKIM, DMARC_ID_PASSED, S("y.example.org")};
        struct dmarc_input in = {&author, &id, 1};
        publish(REJECT);
        for (size_t most = 0; most < 4; most++) {
                run(&o, &in, most, false);
                assert_int_equal(o.v.fault, DMARC_QUESTIONS);
                assert_int_equal(o.v.result, DMARC_TEMPERROR);
        }
        run(&o, &in, 4, false);
        assert_int_equal(o.v.fault, DMARC_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_trouble_below_leaves_it_open),
                cmocka_unit_test(test_authors),
                cmocka_unit_test(test_a_hundred_authors),
                cmocka_unit_test(test_cost),
                cmocka_unit_test(test_eight_questions_at_most),
                cmocka_unit_test(test_too_many_questions),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
