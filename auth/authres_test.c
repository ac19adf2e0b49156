/* SPDX-License-Identifier: ISC */
#include "auth/authres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])
#define X100 X50 X50
#define SPACES25 "                         "
#define SPACES100 SPACES25 SPACES25 SPACES25 SPACES25
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct reading {
        struct str body;
        char *room;
        struct authres a;
};

static enum err open_text(struct reading *r, struct str body)
{
        struct wr w;
        r->body = exact(body);
        r->room = malloc(body.n + 1);
        assert_non_null(r->room);
        wr_init(&w, r->room, body.n);
        return authres_parse(r->body, &w, &r->a);
}

static void close_text(struct reading *r)
{
        exact_free(r->body);
        free(r->room);
}

/* "ID|VERSION|METHOD/VERSION=RESULT (COMMENT) reason PTYPE.NAME:VALUE ...|..." */
static void show(const struct authres *a, char *out, size_t cap)
{
        size_t n = (size_t)snprintf(out, cap, "%.*s|%u", STR_ARG(a->id), a->version);
        for (size_t i = 0; i < a->count; i++) {
                const struct authres_result *r = &a->results[i];
                n += (size_t)snprintf(out + n, cap - n, "|%.*s/%u=%.*s (%.*s) %.*s", STR_ARG(r->method),
                        r->version, STR_ARG(r->result), STR_ARG(r->comment), STR_ARG(r->reason));
                for (size_t k = r->first; k < r->first + r->count; k++)
                        n += (size_t)snprintf(out + n, cap - n, " %.*s.%.*s:%.*s",
                                STR_ARG(a->properties[k].ptype), STR_ARG(a->properties[k].name),
                                STR_ARG(a->properties[k].value));
        }
}

static const struct {
        const char *body, *want;
} right[] = {
        {" example.org; none", "example.org|1"},
        {"example.org 1;none", "example.org|1"},
        {" \"example.org\" ; none ;", "example.org|1"},
        {" example.org;\r\n spf=pass", "example.org|1|spf/1=pass () "},
        {" a; spf=pass smtp.mailfrom=b@c;", "a|1|spf/1=pass ()  smtp.mailfrom:b@c"},
        {" a; dkim=fail (no (good) key) reason=\"bad \\\"x\\\"\" header.d=b header.s = s ; arc = none",
                "a|1|dkim/1=fail (no (good) key) bad \"x\" header.d:b header.s:s|arc/1=none () "},
        {" a (x) 1 (y); (z) dkim (b) / (c) 2 (d) = (e) fail (f) policy (g) . (h) expired (i) = (j) 9 (k)",
                "a|1|dkim/2=fail (f)  policy.expired:9"},
        {" a; none=pass", "a|1|none/1=pass () "},
        {" a; x=y reason=z", "a|1|x/1=y () z"},
        {" a; x=y reason.z=w", "a|1|x/1=y ()  reason.z:w"},
        {" a; x=y smtp.mailfrom=; z=w", "a|1|x/1=y ()  smtp.mailfrom:|z/1=w () "},
        {" a; x=y smtp.mailfrom=\"b c\"@d", "a|1|x/1=y ()  smtp.mailfrom:\"b c\"@d"},
        {" a; dmarc=pass action=none header.from=b;compauth=pass reason=100",
                "a|1|dmarc/1=pass ()  .action:none header.from:b|compauth/1=pass () 100"},
        {" a; x=y z.w=v reason=late", "a|1|x/1=y ()  z.w:v .reason:late"},
        {" a; x=y header.b=ab/c+d=", "a|1|x/1=y ()  header.b:ab/c+d="},
        {" \xc3\xa9.example; x=y smtp.mailfrom=\xc3\xa9@\xc3\xa9",
                "\xc3\xa9.example|1|x/1=y ()  smtp.mailfrom:\xc3\xa9@\xc3\xa9"},
};

static void test_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(right); i++) {
                char got[512];
                struct reading r;
                struct str body = str_of_c(right[i].body);
                assert_int_equal(open_text(&r, body), ERR_OK);
                show(&r.a, got, sizeof got);
                assert_string_equal(got, right[i].want);
                close_text(&r);
                for (size_t n = 0; n < body.n; n++) { /* every prefix: a shorter field or none */
                        enum err e = open_text(&r, str_take(body, n));
                        assert_true(e == ERR_OK || (e == ERR_SYNTAX && r.a.count == 0));
                        close_text(&r);
                }
        }
}

static void test_refused(void **state)
{
        (void)state;
        static const struct {
                const char *body;
                enum err want;
        } cases[] = {
                {"", ERR_SYNTAX},
                {" example.org", ERR_SYNTAX},
                {" example.org;", ERR_SYNTAX},
                {" ; none", ERR_SYNTAX},
                {" example.org 2; none", ERR_UNSUPPORTED},
                {" example.org x; none", ERR_SYNTAX},
                {" a; none; x=y", ERR_SYNTAX},
                {" a; x=y; none", ERR_SYNTAX},
                {" a; x", ERR_SYNTAX},
                {" a; x=", ERR_SYNTAX},
                {" a; =y", ERR_SYNTAX},
                {" a; x=y z", ERR_SYNTAX},
                {" a; x=y z.", ERR_SYNTAX},
                {" a; x=y z.w", ERR_SYNTAX},
                {" a; x=y z.w=v =late", ERR_SYNTAX},
                {" a; x=y (open", ERR_SYNTAX},
                {" a; x=y closed)", ERR_SYNTAX},
                {" a; x=y z.w=\"open", ERR_SYNTAX},
                {" a;; x=y", ERR_SYNTAX},
                {" a; x=y\n; z=w", ERR_SYNTAX},
                {" a; x/=y", ERR_SYNTAX},
                {" a, b; x=y", ERR_SYNTAX},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct reading r;
                enum err e = open_text(&r, str_of_c(cases[i].body));
                if (e != cases[i].want)
                        fail_msg("%s: %s", cases[i].body, err_text(e));
                assert_int_equal(r.a.count, 0);
                close_text(&r);
        }
}

static void test_a_nul_is_no_end(void **state)
{
        (void)state;
        struct reading r;
        assert_int_equal(open_text(&r, S(" a; x=y\0; z=w")), ERR_SYNTAX);
        close_text(&r);
}

/* `n` times `piece` behind `head`, then `tail`. */
static enum err open_many(struct reading *r, struct str head, struct str piece, size_t n, struct str tail)
{
        size_t size = head.n + n * piece.n + tail.n;
        struct wr w;
        char *text = malloc(size);
        assert_non_null(text);
        wr_init(&w, text, size);
        wr_str(&w, head);
        for (size_t i = 0; i < n; i++)
                wr_str(&w, piece);
        wr_str(&w, tail);
        enum err e = open_text(r, wr_text(&w));
        free(text);
        return e;
}

static void test_limits(void **state)
{
        (void)state;
        static struct reading r;
        assert_int_equal(open_many(&r, S("a"), S(";x=y"), AUTHRES_RESULTS_MAX, S("")), ERR_OK);
        assert_int_equal(r.a.count, AUTHRES_RESULTS_MAX);
        close_text(&r);
        assert_int_equal(open_many(&r, S("a"), S(";x=y"), AUTHRES_RESULTS_MAX + 1, S("")), ERR_LIMIT);
        close_text(&r);
        assert_int_equal(open_many(&r, S("a;x=y"), S(" p.q=r"), AUTHRES_PROPERTIES_MAX, S("")), ERR_OK);
        assert_int_equal(r.a.results[0].count, AUTHRES_PROPERTIES_MAX);
        close_text(&r);
        assert_int_equal(
                open_many(&r, S("a;x=y"), S(" p.q=r"), AUTHRES_PROPERTIES_MAX + 1, S("")), ERR_LIMIT);
        close_text(&r);
        assert_int_equal(open_many(&r, S("a;x=y"), S(";x=y"), 60000, S("")), ERR_LIMIT);
        close_text(&r);
        assert_int_equal(
                open_many(&r, S("a "), S("("), 1000, S("")), ERR_SYNTAX); /* 1000 levels, never closed */
        close_text(&r);
        assert_int_equal(open_many(&r, S("a; x=y"), S(" ()"), 60000, S("")), ERR_OK);
        close_text(&r);
}

static void test_only_known_words_pass(void **state)
{
        (void)state;
        struct authres_result r = {.method = S("dkim"), .result = S("pass")};
        assert_true(authres_is(&r, S("pass")));
        r.result = S("Pass");
        assert_false(authres_is(&r, S("pass")));
        r.method = S("SPF");
        assert_true(authres_is(&r, S("pass")));
        r.result = S("passed");
        assert_false(authres_is(&r, S("pass")));
}

static void test_first_property_counts(void **state)
{
        (void)state;
        struct reading r;
        assert_int_equal(open_text(&r, S("a; x=y; dkim=pass header.d=b Header.D=c")), ERR_OK);
        assert_true(str_eq(authres_value(&r.a, &r.a.results[1], S("header"), S("d")), S("b")));
        assert_int_equal(authres_value(&r.a, &r.a.results[0], S("header"), S("d")).n, 0);
        close_text(&r);
}

static void test_forged_in_our_name(void **state)
{
        (void)state;
        static const struct {
                const char *name, *body;
                bool is_forged;
        } cases[] = {
                {"Authentication-Results", " mail.example; spf=pass", true},
                {"authentication-results", " MAIL.example 1; none", true},
                {"Authentication-Results", " (c) \"mail.exa\\mple\"; spf=pass", true},
                {"Authentication-Results", "\r\n mail.example (x)\r\n ; spf=pass", true},
                {"Authentication-Results", " mail.example 7; whatever ((", true},
                {"Authentication-Results", " mail.example/2; spf=pass", true},
                {"Authentication-Results", " mail.example", true},
                {"Authentication-Results", "", true},
                {"Authentication-Results", " ; mail.example", true},
                {"Authentication-Results", " (open mail.example; spf=pass", true},
                {"Authentication-Results", " \"open mail.example; spf=pass", true},
                {"Authentication-Results", " mail.example.org; spf=pass", false},
                {"Authentication-Results", " xmail.example; spf=pass", false},
                {"Authentication-Results", " other; x=y (mail.example)", false},
                {"Authentication-Results", " spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a", false},
                {"Authentication-Results", " \"" X100 X100 X100 "\\x\"; none", false},
                {"Authentication-Results", " \" mail.example \"; spf=pass", true},
                {"Authentication-Results", " \"mail.example\"@x; spf=pass", true},
                {"Authentication-Results", " \"mail.example\\ " SPACES100 SPACES100 SPACES100 "\"; spf=pass",
                        true},
                {"ARC-Authentication-Results", " i=1; mail.example; none", false},
                {"X-Authentication-Results", " mail.example; none", false},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct str body = exact(str_of_c(cases[i].body));
                struct mail_field f = {.name = str_of_c(cases[i].name), .body = body};
                if (authres_is_forged(&f, S("mail.example")) != cases[i].is_forged)
                        fail_msg("%s:%s", cases[i].name, cases[i].body);
                exact_free(body);
        }
}

/* Whoever reads the field may take U-labels for the A-labels they stand for. */
static void test_forged_in_u_labels(void **state)
{
        (void)state;
        static const struct {
                const char *body;
                bool is_forged;
        } cases[] = {
                {" xn--bcher-kva.example; spf=pass", true},
                {" b\303\274cher.example; spf=pass", true},
                {" \"b\303\274cher.EXAMPLE\"/1; spf=pass", true},
                {" b\303\274cher.example/" X100 X100 X100 "; spf=pass", true},
                {" b\303\274cher.example.org; spf=pass", false},
                {" b\303\266cher.example; spf=pass", false},
                {" b\303\274" X100 X100 X100 "; spf=pass", false},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct str body = exact(str_of_c(cases[i].body));
                struct mail_field f = {.name = S("Authentication-Results"), .body = body};
                if (authres_is_forged(&f, S("xn--bcher-kva.example")) != cases[i].is_forged)
                        fail_msg("%s", cases[i].body);
                exact_free(body);
        }
}

static void fill(struct authres *a)
{
        *a = (struct authres){.id = S("mail.example")};
        assert_true(authres_add(a, S("spf"), S("pass")));
        a->results[0].comment =
                S("mail.example: domain of someone@example.org designates 192.0.2.1 as permitted sender");
        assert_true(authres_add_property(a, S("smtp"), S("mailfrom"), S("@example.org")));
        assert_true(authres_add(a, S("dkim"), S("fail")));
        a->results[1].reason = S("what \"changed\"");
        assert_true(authres_add_property(a, S("header"), S("i"), S("a b@example.org")));
        assert_true(authres_add_property(a, S("header"), S("b"), S("ab/c+d==")));
}

static void test_written(void **state)
{
        (void)state;
        const struct str want =
                S("ARC-Authentication-Results: i=12; mail.example;\r\n"
                  " spf=pass (mail.example: domain of someone@example.org designates 192.0.2.1 as\r\n"
                  " permitted sender) smtp.mailfrom=@example.org;\r\n"
                  " dkim=fail reason=\"what \\\"changed\\\"\" header.i=\"a b@example.org\"\r\n"
                  " header.b=\"ab/c+d==\"\r\n");
        struct authres a;
        char out[512];
        struct wr w;
        fill(&a);
        for (size_t cap = 0; cap < want.n; cap++) {
                wr_init(&w, out, cap);
                assert_int_equal(authres_write(&w, S("ARC-Authentication-Results"), 12, &a), ERR_SPACE);
                assert_int_equal(w.n, 0);
        }
        wr_init(&w, out, want.n);
        assert_int_equal(authres_write(&w, S("ARC-Authentication-Results"), 12, &a), ERR_OK);
        if (!str_eq(wr_text(&w), want))
                fail_msg("%.*s", STR_ARG(wr_text(&w)));
        wr_init(&w, out, sizeof out);
        a = (struct authres){.id = S("a b")};
        assert_int_equal(authres_write(&w, S("Authentication-Results"), 0, &a), ERR_OK);
        assert_true(str_eq(wr_text(&w), S("Authentication-Results: \"a b\"; none\r\n")));
}

static void test_not_written(void **state)
{
        (void)state;
        struct authres a;
        char out[4096];
        for (int i = 0; i < 9; i++) {
                struct wr w;
                enum err want = i < 8 ? ERR_SYNTAX : ERR_LIMIT;
                fill(&a);
                if (i == 0)
                        a.id = S("");
                else if (i == 1)
                        a.id = S("a\r\nBcc: b");
                else if (i == 2)
                        a.results[0].method = S("a b");
                else if (i == 3)
                        a.results[1].result = S("");
                else if (i == 4)
                        a.results[0].comment = S("a) smtp.mailfrom=b (");
                else if (i == 5)
                        a.results[1].reason = S("\n");
                else if (i == 6)
                        a.properties[0].value = S("\xff");
                else if (i == 7)
                        a.properties[0].name = S("a=b");
                else
                        a.properties[0].value = S(X100 X100 X100 X100 X100 X100 X100 X100 X100 X100);
                wr_init(&w, out, sizeof out);
                wr_str(&w, S("before"));
                assert_int_equal(authres_write(&w, S("Authentication-Results"), 0, &a), want);
                assert_true(str_eq(wr_text(&w), S("before")));
        }
}

static void test_full(void **state)
{
        (void)state;
        struct authres a = {.id = S("a")};
        for (size_t i = 0; i < AUTHRES_RESULTS_MAX; i++)
                assert_true(authres_add(&a, S("x"), S("y")));
        assert_false(authres_add(&a, S("x"), S("y")));
        for (size_t i = 0; i < AUTHRES_PROPERTIES_MAX; i++)
                assert_true(authres_add_property(&a, S("p"), S("q"), S("r")));
        assert_false(authres_add_property(&a, S("p"), S("q"), S("r")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_a_nul_is_no_end),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_only_known_words_pass),
                cmocka_unit_test(test_first_property_counts),
                cmocka_unit_test(test_forged_in_our_name),
                cmocka_unit_test(test_forged_in_u_labels),
                cmocka_unit_test(test_written),
                cmocka_unit_test(test_not_written),
                cmocka_unit_test(test_full),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
