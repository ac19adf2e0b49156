/* SPDX-License-Identifier: ISC */
#include "auth/dkim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/dkim_name.h"

static void test_every_fault_has_words(void **state)
{
        (void)state;
        for (int f = 0; f < DKIM_FAULT_COUNT; f++) {
                struct str text = dkim_fault_text((enum dkim_fault)f);
                assert_true(text.n > 10 && text.p[text.n - 1] != '.');
                for (int g = 0; g < f; g++)
                        assert_false(str_eq(text, dkim_fault_text((enum dkim_fault)g)));
                assert_int_equal(dkim_fault_result((enum dkim_fault)f) == DKIM_PASS, f == DKIM_OK);
        }
        for (int r = DKIM_NONE; r <= DKIM_PERMERROR; r++)
                assert_true(dkim_result_text((enum dkim_result)r).n >= 4);
}

static void test_reasons(void **state)
{
        (void)state;
        static const struct {
                enum dkim_fault fault;
                const char *detail, *text;
        } cases[] = {{DKIM_KEY_NONE, "", "there is no key record (TXT) in DNS: s1._domainkey.example.org"},
                {DKIM_KEY_STRICT, "",
                        "the key (t=s) is not for a subdomain, and the identity (i=) lies in one: "
                        "s1._domainkey.example.org"},
                {DKIM_TAG_VALUE, "bh", "a tag of the signature has a malformed value: bh"},
                {DKIM_PAST, "", "the signature has expired (x=)"}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[DKIM_REASON_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                dkim_reason_write(&w, cases[i].fault, str_of_c(cases[i].detail), S("s1"), S("example.org"));
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].text)));
        }
}

#define LABEL63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static void test_names(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                bool good;
        } cases[] = {
                {"example.com", true},
                {"com", true},
                {"dkim-1._x.Example.COM", true},
                {LABEL63 ".com", true},
                {LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, false},
                {LABEL63 "l.com", false},
                {"", false},
                {".", false},
                {".com", false},
                {"com.", false},
                {"a..b", false},
                {"a b", false},
                {"a/b", false},
                {"a\r\nb", false},
                {"\xc3\xa9.example", true},
                {"a_\xe4\xb8\xad\xe6\x96\x87.\xce\xb1", true},
                {"\xc3.example", false},
                {"\xed\xa0\x80.example", false},
                {"\xc3\xa9..example", false},
                {"\xc3\xa9 .example", false},
                {"\xc3\xa9@.example", false},
                {LABEL63 "\xc3\xa9.com", false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                if (dkim_is_name(str_of_c(cases[i].text)) != cases[i].good)
                        fail_msg("%s", cases[i].text);
        assert_true(dkim_is_within(S("A.example.com"), S("Example.com")));
        assert_true(dkim_is_within(S("example.com"), S("example.com")));
        assert_false(dkim_is_within(S("aexample.com"), S("example.com")));
        assert_false(dkim_is_within(S("com"), S("example.com")));
        assert_true(dkim_is_within(S("b.\xc3\xa9.example"), S("xn--9ca.example")));
        assert_true(dkim_is_within(S("XN--9CA.example"), S("\xc3\xa9.example")));
        assert_false(dkim_is_within(S("a\xc3\xa9.example"), S("\xc3\xa9.example")));
        assert_false(dkim_is_ascii_name(S("\xc3\xa9.example")));
        assert_true(dkim_is_ascii_name(S("xn--9ca.example")));
        assert_true(dkim_is_field_name(S("List-Id")));
        assert_false(dkim_is_field_name(S("")));
        assert_false(dkim_is_field_name(S("a b")));
        assert_false(dkim_is_field_name(S("a:")));
        assert_false(dkim_is_field_name(S(LABEL63 "01234567890123")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_fault_has_words),
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
