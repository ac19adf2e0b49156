/* SPDX-License-Identifier: ISC */
#include "mail/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "mail/percent.h"

static size_t atom(struct str s)
{
        return mail_atom_size(s, MAIL_ASCII);
}

static size_t atom_utf8(struct str s)
{
        return mail_atom_size(s, MAIL_UTF8);
}

static size_t dot_atom(struct str s)
{
        return mail_dot_atom_size(s, MAIL_ASCII);
}

static size_t quoted_line(struct str s)
{
        return mail_quoted_size(s, MAIL_ASCII, MAIL_QUOTING_LINE);
}

static size_t quoted_folded(struct str s)
{
        return mail_quoted_size(s, MAIL_UTF8, MAIL_QUOTING_FOLDED);
}

static size_t cfws(struct str s)
{
        return mail_cfws_size(s, NULL);
}

static const struct {
        size_t (*size)(struct str);
        struct str text;
        size_t n;
} cases[] = {
        {atom, {"a!#$%&'*+-/=?^_`{|}~9 b", 23}, 21},
        {atom, {"a.b", 3}, 1},
        {atom, {"(a", 2}, 0},
        {atom, {"\xc3\xb8", 2}, 0},
        {atom, {"", 0}, 0},
        {atom_utf8, {"\xc3\xb8z", 3}, 3},
        {atom_utf8, {"z\xc3", 2}, 1},
        {dot_atom, {"a.b.c@", 6}, 5},
        {dot_atom, {"a.b..c", 6}, 3},
        {dot_atom, {"a.", 2}, 1},
        {dot_atom, {".a", 2}, 0},
        {quoted_line, {"\"a b\\\" \"x", 9}, 8},
        {quoted_line, {"\"\"", 2}, 2},
        {quoted_line, {"\"", 1}, 0},
        {quoted_line, {"\"a", 2}, 0},
        {quoted_line, {"\"a\\", 3}, 0},
        {quoted_line, {"\"a\\\"", 4}, 0},
        {quoted_line, {"\"a\tb\"", 5}, 0},
        {quoted_line, {"\"\xc3\xb8\"", 4}, 0},
        {quoted_folded, {"\"a\tb\r\n c\"", 9}, 9},
        {quoted_folded, {"\"\xc3\xb8\x01\\\x01\"", 7}, 7},
        {quoted_folded, {"\"\xc3\"", 3}, 0},
        {quoted_folded, {"\"\\\xc3\xb8\"", 5}, 0},
        {quoted_folded, {"\"a\r\nb\"", 6}, 0},
        {quoted_folded, {"\"a\0b\"", 5}, 0},
        {quoted_folded, {"\"a\\\nb\"", 6}, 0},
        {mail_fws_size, {" \t\r\n \r\n\tx", 9}, 8},
        {mail_fws_size, {" \r\n", 3}, 1},
        {mail_fws_size, {"\r\nx", 3}, 0},
        {mail_fws_size, {"\n x", 3}, 0},
        {mail_comment_size, {"(a(b)\\)c)d", 10}, 9},
        {mail_comment_size, {"()", 2}, 2},
        {mail_comment_size, {"(a(b)", 5}, 0},
        {mail_comment_size, {"(a\\)", 4}, 0},
        {mail_comment_size, {"(a\rb)", 5}, 0},
        {mail_comment_size, {")", 1}, 0},
        {cfws, {" (a) (b)\r\n c", 12}, 11},
        {cfws, {" (a) (b", 7}, 5},
        {cfws, {"x", 1}, 0},
};

static void test_sizes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(cases[i].text);
                print_message("%.*s\n", STR_ARG(text));
                assert_int_equal(cases[i].size(text), cases[i].n);
                exact_free(text);
        }
}

/* Nothing is read, nor counted, behind the end of any prefix. */
static void test_every_prefix(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t n = 0; n <= cases[i].text.n; n++) {
                        struct str text = exact(str_take(cases[i].text, n));
                        assert_true(cases[i].size(text) <= n);
                        exact_free(text);
                }
}

static void test_first_comment(void **state)
{
        (void)state;
        struct str comment;
        assert_int_equal(mail_cfws_size(S(" (a (b)) (c) x"), &comment), 13);
        assert_true(str_eq(comment, S("a (b)")));
        assert_int_equal(mail_cfws_size(S(" x"), &comment), 1);
        assert_int_equal(comment.n, 0);
}

static void test_percent(void **state)
{
        (void)state;
        char out[32];
        struct wr w;
        wr_init(&w, out, sizeof out);
        mail_percent_encode(&w, S("aZ9-%\r\xff"), S("-"));
        assert_true(str_eq(wr_text(&w), S("aZ9-%25%0D%FF")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_first_comment),
                cmocka_unit_test(test_percent),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
