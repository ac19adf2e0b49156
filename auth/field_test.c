/* SPDX-License-Identifier: ISC */
#include "auth/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

static void test_values(void **state)
{
        (void)state;
        static const struct {
                const char *text, *value, *rest;
        } cases[] = {
                {"a;b", "a", ";b"},
                {" (c) a b", "a", " b"},
                {"\"\"", "", ""},
                {"\"a b\" c", "a b", " c"},
                {"\"a \\\"b\\\\\";", "a \"b\\", ";"},
                {"\"a\r\n b\"", "a b", ""},
                {"\"a b\"@example.org x", "\"a b\"@example.org", " x"},
                {"\"open", "", "\"open"},
                {"https://a/b?c=d;", "https://a/b?c=d", ";"},
                {"a(b)c", "a", "(b)c"},
                {"a)", "a", ")"},
                {"\xc3\xa9 x", "\xc3\xa9", " x"},
                {"\xff", "", "\xff"},
                {"a\r\nb", "a", "\r\nb"},
                {"", "", ""},
                {";", "", ";"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].text));
                char room[64];
                struct field_rd r;
                struct wr w;
                wr_init(&w, room, text.n < sizeof room ? text.n : sizeof room);
                field_rd_init(&r, text, &w);
                struct str value = field_value(&r);
                if (!str_eq(value, str_of_c(cases[i].value)) || !str_eq(r.rest, str_of_c(cases[i].rest)))
                        fail_msg("%s: '%.*s' '%.*s'", cases[i].text, STR_ARG(value), STR_ARG(r.rest));
                exact_free(text);
        }
}

static void test_faults_stick(void **state)
{
        (void)state;
        struct field_rd r;
        char room[2];
        struct wr w;
        wr_init(&w, room, sizeof room);
        field_rd_init(&r, S("= \"\\a\\b\\c\" x"), &w);
        assert_int_equal(field_word(&r).n, 0);
        assert_int_equal(r.fault, ERR_SYNTAX);
        assert_true(field_is_end(&r));
        field_rd_init(&r, S("\"\\a\\b\\c\" x"), &w);
        (void)field_value(&r);
        assert_int_equal(r.fault, ERR_SPACE);
        assert_int_equal(field_word(&r).n, 0);
        assert_int_equal(r.fault, ERR_SPACE);
        field_rd_init(&r, S(" 1000001"), &w);
        assert_int_equal(field_number(&r), 0);
        assert_int_equal(r.fault, ERR_SYNTAX);
        field_rd_init(&r, str_of(" \0", 2), &w);
        assert_true(field_is_end(&r));
        assert_int_equal(r.fault, ERR_SYNTAX);
}

static void test_words(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                bool is_word, is_token;
        } cases[] = {
                {"dkim", true, true},
                {"x-google-dkim", true, true},
                {"a_b", true, true},
                {"-a", false, true},
                {"a-", false, true},
                {"", false, false},
                {"a.b", false, true},
                {"a b", false, false},
                {"a@b", false, false},
                {"a=b", false, false},
                {"\xc3\xa9", false, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(field_is_word(str_of_c(cases[i].text)), cases[i].is_word);
                assert_int_equal(field_is_token(str_of_c(cases[i].text)), cases[i].is_token);
        }
}

static void test_comments_are_built_only_balanced(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want; /* NULL: refused */
        } cases[] = {
                {"a b", "X: (a b)\r\n"},
                {"", "X: ()\r\n"},
                {"a (b) c", "X: (a (b) c)\r\n"},
                {" a\r\n b ", "X: (a b)\r\n"},
                {"a\\) \\(", "X: (a\\) \\()\r\n"},
                {"a \\ ", "X: (a \\ )\r\n"}, /* a space behind a backslash is no end to be trimmed */
                {"a)", NULL},
                {"(a", NULL},
                {"a\\", NULL},
                {") (", NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char out[64];
                struct mail_build b;
                struct wr w;
                wr_init(&w, out, sizeof out);
                mail_build_begin(&b, &w, S("X"));
                struct str text = exact(str_of_c(cases[i].text));
                bool is_built = field_build_comment(&b, text);
                exact_free(text);
                assert_int_equal(is_built, cases[i].want != NULL);
                if (!is_built)
                        continue;
                assert_int_equal(mail_build_end(&b), ERR_OK);
                if (!str_eq(wr_text(&w), str_of_c(cases[i].want)))
                        fail_msg("%s: %.*s", cases[i].text, STR_ARG(wr_text(&w)));
        }
}

static void test_cleaning(void **state)
{
        (void)state;
        char out[64];
        struct wr w;
        wr_init(&w, out, sizeof out);
        field_write_clean(&w, S("a\r\nb\xff\xc3\xa9("), 100);
        assert_true(str_eq(wr_text(&w), S("a??b?\xc3\xa9(")));
        wr_init(&w, out, sizeof out);
        field_write_clean(&w, S("ab\xc3\xa9"), 3); /* never half a character */
        assert_true(str_eq(wr_text(&w), S("ab")));
        wr_init(&w, out, sizeof out);
        field_write_comment(&w, S("a(b)\\"), 5);
        assert_true(str_eq(wr_text(&w), S("a\\(b\\)\\\\")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_faults_stick),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_comments_are_built_only_balanced),
                cmocka_unit_test(test_cleaning),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
