/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/spf_record.h"
#include "base/exact.h"

static const struct {
        const char *text;
        enum spf_kind kind;
        enum spf_result qualifier;
        const char *domain;
        uint8_t bits4, bits6;
} right[] = {
        {"all", SPF_TERM_ALL, SPF_PASS, "", 32, 128},
        {"+ALL", SPF_TERM_ALL, SPF_PASS, "", 32, 128},
        {"-all", SPF_TERM_ALL, SPF_FAIL, "", 32, 128},
        {"?all", SPF_TERM_ALL, SPF_NEUTRAL, "", 32, 128},
        {"~aLL", SPF_TERM_ALL, SPF_SOFTFAIL, "", 32, 128},
        {"a", SPF_TERM_A, SPF_PASS, "", 32, 128},
        {"a/24", SPF_TERM_A, SPF_PASS, "", 24, 128},
        {"a//64", SPF_TERM_A, SPF_PASS, "", 32, 64},
        {"a/0//0", SPF_TERM_A, SPF_PASS, "", 0, 0},
        {"-a:x.example/32//128", SPF_TERM_A, SPF_FAIL, "x.example", 32, 128},
        {"a:foo:b/24.example", SPF_TERM_A, SPF_PASS, "foo:b/24.example", 32, 128},
        {"mx", SPF_TERM_MX, SPF_PASS, "", 32, 128},
        {"mx:%{d}/8", SPF_TERM_MX, SPF_PASS, "%{d}", 8, 128},
        {"ptr", SPF_TERM_PTR, SPF_PASS, "", 32, 128},
        {"ptr:x.example", SPF_TERM_PTR, SPF_PASS, "x.example", 32, 128},
        {"include:_spf.x.example", SPF_TERM_INCLUDE, SPF_PASS, "_spf.x.example", 32, 128},
        {"exists:%{i}.x.example", SPF_TERM_EXISTS, SPF_PASS, "%{i}.x.example", 32, 128},
        {"ip4:192.0.2.1", SPF_TERM_IP4, SPF_PASS, "192.0.2.1", 32, 128},
        {"ip4:192.0.2.1/9", SPF_TERM_IP4, SPF_PASS, "192.0.2.1/9", 9, 128},
        {"ip6:2001:DB8::/32", SPF_TERM_IP6, SPF_PASS, "2001:DB8::/32", 32, 32},
        {"ip6:::ffff:192.0.2.1", SPF_TERM_IP6, SPF_PASS, "::ffff:192.0.2.1", 32, 128},
        {"redirect=x.example", SPF_TERM_REDIRECT, SPF_PASS, "x.example", 32, 128},
        {"EXP=x.example.", SPF_TERM_EXP, SPF_PASS, "x.example.", 32, 128},
        {"a.b-c_1=anything/:=%{t}", SPF_TERM_MODIFIER, SPF_PASS, "anything/:=%{t}", 32, 128},
        {"include=", SPF_TERM_MODIFIER, SPF_PASS, "", 32, 128},
        {"x=", SPF_TERM_MODIFIER, SPF_PASS, "", 32, 128},
};

static const struct {
        const char *text;
        enum spf_fault fault;
} wrong[] = {
        {"", SPF_SYNTAX},
        {"-", SPF_SYNTAX},
        {"--all", SPF_SYNTAX},
        {"!all", SPF_SYNTAX},
        {"moo", SPF_MECHANISM},
        {"-moo:x.example", SPF_MECHANISM},
        {"redirect:x.example", SPF_MECHANISM},
        {"all:", SPF_SYNTAX},
        {"all.", SPF_MECHANISM},
        {"all/8", SPF_SYNTAX},
        {"all:x.example", SPF_SYNTAX},
        {"include", SPF_SYNTAX},
        {"include:", SPF_SYNTAX},
        {"include:x.example/24", SPF_SYNTAX},
        {"include/24", SPF_SYNTAX},
        {"a:", SPF_SYNTAX},
        {"a/", SPF_SYNTAX},
        {"a//", SPF_SYNTAX},
        {"a:/24", SPF_SYNTAX},
        {"a/33", SPF_SYNTAX},
        {"a/024", SPF_SYNTAX},
        {"a/00", SPF_SYNTAX},
        {"a//129", SPF_SYNTAX},
        {"a/24/64", SPF_SYNTAX},
        {"a//64/24", SPF_SYNTAX},
        {"a///64", SPF_SYNTAX},
        {"a/99999999999999999999999", SPF_SYNTAX},
        {"a:x.example/24//", SPF_SYNTAX},
        {"a:museum", SPF_SYNTAX},
        {"a:192.0.2.1", SPF_SYNTAX},
        {"ax.example", SPF_MECHANISM},
        {"ptr/24", SPF_SYNTAX},
        {"ptr:", SPF_SYNTAX},
        {"exists", SPF_SYNTAX},
        {"exists:", SPF_SYNTAX},
        {"ip4", SPF_SYNTAX},
        {"ip4:", SPF_SYNTAX},
        {"ip4:192.0.2", SPF_SYNTAX},
        {"ip4:192.0.2.256", SPF_SYNTAX},
        {"ip4:192.0.2.01", SPF_SYNTAX},
        {"ip4:192.0.2.1/33", SPF_SYNTAX},
        {"ip4:192.0.2.1/08", SPF_SYNTAX},
        {"ip4:192.0.2.1//32", SPF_SYNTAX},
        {"ip4:192.0.2.1:25", SPF_SYNTAX},
        {"ip4:::1", SPF_SYNTAX},
        {"ip4/8", SPF_SYNTAX},
        {"ip6:192.0.2.1", SPF_SYNTAX},
        {"ip6:::1/129", SPF_SYNTAX},
        {"ip6:1::2::3", SPF_SYNTAX},
        {"ip6", SPF_SYNTAX},
        {"=x", SPF_SYNTAX},
        {"1up=x", SPF_SYNTAX},
        {"-exp=x.example", SPF_SYNTAX},
        {"exp=", SPF_SYNTAX},
        {"redirect=", SPF_SYNTAX},
        {"redirect=-all", SPF_SYNTAX},
        {"exp=%{r}.x.example", SPF_SYNTAX},
        {"x=%a", SPF_SYNTAX},
        {"x=\x80", SPF_SYNTAX},
        {"a\tb", SPF_SYNTAX},
        {"\x80:x", SPF_SYNTAX},
};

static enum spf_fault parse(struct str text, struct spf_term *term)
{
        struct str copy = exact(text);
        enum spf_fault fault = spf_term_parse(copy, term);
        exact_free(copy);
        return fault;
}

static void test_right_terms(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
                struct str text = exact(str_of_c(right[i].text));
                struct spf_term t;
                if (spf_term_parse(text, &t) != SPF_OK || t.kind != right[i].kind ||
                        t.qualifier != right[i].qualifier || !str_eq(t.domain, str_of_c(right[i].domain)) ||
                        t.bits4 != right[i].bits4 || t.bits6 != right[i].bits6 || !str_eq(t.text, text))
                        fail_msg("%s", right[i].text);
                exact_free(text);
                for (size_t n = 0; n < text.n;
                        n++) /* a prefix is a term or not, and no octet behind it is read */
                        (void)parse(str_take(str_of_c(right[i].text), n), &t);
        }
}

static void test_wrong_terms(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                struct spf_term t;
                if (parse(str_of_c(wrong[i].text), &t) != wrong[i].fault)
                        fail_msg("%s", wrong[i].text);
        }
}

static void test_addresses(void **state)
{
        (void)state;
        struct spf_term t;
        struct ip v4 = ip_v4(192, 0, 2, 1), v6;
        assert_int_equal(spf_term_parse(S("ip4:192.0.2.1/24"), &t), SPF_OK);
        assert_true(ip_eq(&t.ip, &v4));
        assert_int_equal(ip_parse(S("2001:db8::1"), &v6), ERR_OK);
        assert_int_equal(spf_term_parse(S("ip6:2001:db8:0::1/24"), &t), SPF_OK);
        assert_true(ip_eq(&t.ip, &v6));
}

static void test_what_is_a_record(void **state)
{
        (void)state;
        static const struct {
                const char *text, *terms;
        } cases[] = {{"v=spf1", ""}, {"V=SPF1 ", " "}, {"v=spf1 a -all", " a -all"}, {"v=spf10", NULL},
                {"v=spf1\ta", NULL}, {"v=spf1-all", NULL}, {" v=spf1", NULL}, {"v=spf", NULL}, {"", NULL},
                {"v=spf2.0/pra", NULL}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].text)), terms;
                if (spf_record_is(text, &terms) != (cases[i].terms != NULL) ||
                        (cases[i].terms && !str_eq(terms, str_of_c(cases[i].terms))))
                        fail_msg("%s", cases[i].text);
                exact_free(text);
        }
}

static void test_records(void **state)
{
        (void)state;
        static const struct {
                const char *terms;
                enum spf_fault fault;
                const char *term; /* at fault */
        } cases[] = {
                {"", SPF_OK, ""},
                {"   ", SPF_OK, ""},
                {" a  mx   -all ", SPF_OK, ""},
                {" redirect=x.example exp=y.example", SPF_OK, ""},
                {" -all moo", SPF_MECHANISM, "moo"},
                {" a\tmx -all", SPF_SYNTAX, "a\tmx"},
                {" a:x -all", SPF_SYNTAX, "a:x"},
                {" redirect=x.example Redirect=x.example", SPF_MODIFIER_TWICE, "Redirect=x.example"},
                {" exp=x.example -all exp=y.example", SPF_MODIFIER_TWICE, "exp=y.example"},
                {" x=1 x=1", SPF_OK, ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].terms));
                struct spf_record r;
                struct ip ip = ip_v4(192, 0, 2, 7);
                if (spf_record_parse(text, &ip, &r) != cases[i].fault ||
                        !str_eq(r.wrong, str_of_c(cases[i].term)))
                        fail_msg("%s: %.*s", cases[i].terms, STR_ARG(r.wrong));
                exact_free(text);
        }
}

/* The terms that can decide, for a client of each family. */
static void test_what_can_decide(void **state)
{
        (void)state;
        static const struct {
                const char *terms, *kept; /* the first letter behind the qualifier of each */
        } cases[] = {
                {"", ""},
                {" a mx x=y redirect=x.example exp=y.example ptr", "amp"},
                {" ip4:192.0.2.8 ip6:::/0 -all a", "a"},
                {" a:x.example ip4:192.0.2.0/24 mx -all", "ai"},
                {" mx mx mx mx mx mx mx mx mx mx -all", "mmmmmmmmmma"},
                {" mx mx mx mx mx mx mx mx mx mx mx mx -all", "mmmmmmmmmmm"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct ip ip = ip_v4(192, 0, 2, 7);
                struct spf_record r;
                struct str kept = str_of_c(cases[i].kept);
                assert_int_equal(spf_record_parse(str_of_c(cases[i].terms), &ip, &r), SPF_OK);
                assert_int_equal(r.count, kept.n);
                for (size_t k = 0; k < r.count; k++)
                        assert_int_equal(r.terms[k].text.p[r.terms[k].text.p[0] == '-'], kept.p[k]);
        }
}

static void test_networks(void **state)
{
        (void)state;
        struct ip a = ip_v4(192, 0, 2, 7), b = ip_v4(192, 0, 3, 7), c;
        for (size_t bits = 0; bits <= 32; bits++)
                assert_int_equal(spf_ip_agrees(&a, &b, bits), bits <= 23);
        assert_int_equal(ip_parse(S("::c000:207"), &c), ERR_OK);
        assert_false(spf_ip_agrees(&a, &c, 0));
        assert_true(spf_ip_agrees(&c, &c, 128));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_right_terms),
                cmocka_unit_test(test_wrong_terms),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_what_is_a_record),
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_what_can_decide),
                cmocka_unit_test(test_networks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
