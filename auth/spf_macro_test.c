/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/spf_macro.h"
#include "base/exact.h"

/* RFC 7208 7.4 */
static struct spf_macros values(void)
{
        return (struct spf_macros){.sender = S("strong-bad@email.example.com"),
                .local = S("strong-bad"),
                .sender_domain = S("email.example.com"),
                .domain = S("email.example.com"),
                .ip = ip_v4(192, 0, 2, 3),
                .validated = S("mx.example.org"),
                .helo = S("mx [x]/\xc3\xbc"),
                .now_s = 1700000000};
}

static const struct {
        const char *text, *out;
} expansions[] = {
        {"", ""},
        {"%{s}", "strong-bad@email.example.com"},
        {"%{o}", "email.example.com"},
        {"%{d}", "email.example.com"},
        {"%{d4}", "email.example.com"},
        {"%{d3}", "email.example.com"},
        {"%{d2}", "example.com"},
        {"%{d1}", "com"},
        {"%{dr}", "com.example.email"},
        {"%{d2r}", "example.email"},
        {"%{d1R}", "email"},
        {"%{d99999999999999999999999}", "email.example.com"},
        {"%{l}", "strong-bad"},
        {"%{l-}", "strong.bad"},
        {"%{lr}", "strong-bad"},
        {"%{lr-}", "bad.strong"},
        {"%{l1r-}", "strong"},
        {"%{l1-}", "bad"},
        {"%{l.-+,/_=}", "strong.bad"},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
        {"%{c} %{p} %{t} %{r}", "192.0.2.3 mx.example.org 1700000000 unknown"},
        {"%{h}", "mx [x]/\xc3\xbc"},
        {"%{H}", "mx%20%5Bx%5D%2F%C3%BC"},
        {"%{S}", "strong-bad%40email.example.com"},
        {"%{H/}", "mx%20%5Bx%5D.%C3%BC"},
        {"a%%b%_c%-d", "a%b c%20d"},
};

static const struct {
        const char *name, *text;
        bool domain, modifier, explanation; /* is it valid there? */
} cases[] = {
        {"empty", "", true, true, true},
        {"a literal", "foo.example", true, true, true},
        {"a space", "a b", false, false, true},
        {"a tab", "a\tb", false, false, false},
        {"DEL", "a\177", false, false, false},
        {"8 bits", "a\x80", false, false, false},
        {"letters for explanations", "%{c}", false, true, true},
        {"in upper case", "%{R}", false, true, true},
        {"time", "%{t}", false, true, true},
        {"an unknown letter", "%{x}", false, false, false},
        {"no letter", "%{}", false, false, false},
        {"no brace", "%(d)", false, false, false},
        {"an open macro", "%{d", false, false, false},
        {"a lone percent", "foo%", false, false, false},
        {"a percent and a letter", "%d", false, false, false},
        {"zero parts", "%{d0}", false, false, false},
        {"zeros", "%{d00}", false, false, false},
        {"a leading zero", "%{d02}", true, true, true},
        {"r before the digits", "%{dr2}", false, false, false},
        {"r twice", "%{drr}", false, false, false},
        {"a wrong delimiter", "%{d:}", false, false, false},
        {"a letter behind a delimiter", "%{d-r}", false, false, false},
};

static const struct {
        const char *text;
        bool is_domain;
} domains[] = {
        {"", false},
        {".", false},
        {"com", false},
        {"com.", false},
        {".com", true},
        {"a.com", true},
        {"a.com.", true},
        {"a.com..", false},
        {"a.123", false},
        {"a.1x", true},
        {"a.x-1", true},
        {"a.-x", false},
        {"a.x-", false},
        {"a.x_y", false},
        {"a.xn--p1ai", true},
        {"%{d}", true},
        {"%{d}.", false},
        {"%{d}com", false},
        {"%{d}.com", true},
        {"a.com%%", true},
        {"a.com%_", true},
        {"%%com", false},
        {"foo:bar/baz.example", true},
        {"a.com/24", false},
        {"a.%{d}", true},
        {"%{t}", false},
};

static void test_expansions(void **state)
{
        (void)state;
        struct spf_macros v = values();
        for (size_t i = 0; i < sizeof expansions / sizeof expansions[0]; i++) {
                char room[256];
                struct wr w;
                struct str text = exact(str_of_c(expansions[i].text)), want = str_of_c(expansions[i].out);
                assert_true(spf_macro_is_valid(text, SPF_MACRO_EXPLANATION));
                wr_init(&w, room, sizeof room);
                spf_macro_expand(text, &v, &w);
                if (w.full || !str_eq(wr_text(&w), want))
                        fail_msg("%s: %.*s", expansions[i].text, STR_ARG(wr_text(&w)));
                if (want.n > 0) { /* one octet too little room shows */
                        wr_init(&w, room, want.n - 1);
                        spf_macro_expand(text, &v, &w);
                        assert_true(w.full);
                }
                exact_free(text);
        }
}

static void test_ipv6(void **state)
{
        (void)state;
        struct spf_macros v = values();
        char room[256];
        struct wr w;
        assert_int_equal(ip_parse(S("2001:db8::cb01"), &v.ip), ERR_OK);
        wr_init(&w, room, sizeof room);
        spf_macro_expand(S("%{ir}.%{v} %{c}"), &v, &w);
        assert_true(
                str_eq(wr_text(&w), S("1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6 "
                                      "2001:db8::cb01")));
}

static void test_grammar(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].text));
                if (spf_macro_is_valid(text, SPF_MACRO_DOMAIN) != cases[i].domain ||
                        spf_macro_is_valid(text, SPF_MACRO_MODIFIER) != cases[i].modifier ||
                        spf_macro_is_valid(text, SPF_MACRO_EXPLANATION) != cases[i].explanation)
                        fail_msg("%s", cases[i].name);
                exact_free(text);
        }
        assert_false(spf_macro_is_valid(str_of("a\0b", 3), SPF_MACRO_EXPLANATION));
}

static void test_domains(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
                struct str text = exact(str_of_c(domains[i].text));
                if (spf_macro_is_domain(text) != domains[i].is_domain)
                        fail_msg("%s", domains[i].text);
                exact_free(text);
        }
}

static void test_every_prefix(void **state)
{
        (void)state;
        struct spf_macros v = values();
        struct str all = S("%{ir}.%{v}%%.%{l1r-}.lp%_.%{S10R.-+,/_=}%-.%{d2}");
        for (size_t n = 0; n <= all.n; n++) {
                char room[1024];
                struct wr w;
                struct str text = exact(str_take(all, n));
                bool is_valid = spf_macro_is_valid(text, SPF_MACRO_DOMAIN);
                assert_true(is_valid || n < all.n);
                assert_true(is_valid || !spf_macro_is_domain(text));
                wr_init(&w, room, sizeof room);
                if (is_valid)
                        spf_macro_expand(text, &v, &w);
                assert_false(w.full);
                exact_free(text);
        }
}

static void test_uses(void **state)
{
        (void)state;
        assert_true(spf_macro_uses(S("a.%{P}"), 'p'));
        assert_false(spf_macro_uses(S("p.%{d}%_"), 'p'));
        assert_false(spf_macro_uses(S(""), 'p'));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expansions),
                cmocka_unit_test(test_ipv6),
                cmocka_unit_test(test_grammar),
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_uses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
