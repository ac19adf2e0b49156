/* SPDX-License-Identifier: ISC */
#include "mail/encoded_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

struct decode_case {
        const char *text, *want;
};

static void check_decode(void (*decode)(struct wr *, struct str), const struct decode_case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char out[256];
                struct wr w;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                wr_init(&w, out, sizeof out);
                decode(&w, text);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
                exact_free(text);
        }
}

static void test_text(void **state)
{
        (void)state;
        static const struct decode_case cases[] = {
                {"plain  text", "plain  text"},
                {" folded\r\n text\t.", " folded text ."},
                {"=?ISO-8859-1?Q?a?=", "a"},
                {"=?ISO-8859-1?Q?a?= b", "a b"},
                {"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
                {"=?ISO-8859-1?Q?a?=\r\n  =?utf-8*en?b?Yg==?=", "ab"},
                {"=?ISO-8859-1?Q?a_b?= =?ISO-8859-1?q?_c?=", "a b c"},
                {"x =?iso-8859-1?q?=E9?= y", "x \xc3\xa9 y"},
                {"=?windows-1252?q?=80=81?=", "\xe2\x82\xac" BAD},
                {"=?utf-8?q?j=C3=B8?=", "j\xc3\xb8"},
                {"=?utf-8?q?=C3?= =?utf-8?q?=B8?=", BAD BAD},
                {"=?utf-8?q?a=0D=0ABcc:_x=00=7F=C2=85y?=", "a  Bcc: x   y"},
                {"a=?utf-8?q?b?=", "a=?utf-8?q?b?="},
                {"=?utf-8?q?a?=b", "ab"},
                {"=?koi8-r?q?a?= =?utf-8?x?a?=", "=?koi8-r?q?a?= =?utf-8?x?a?="},
                {"=?utf-8?q?=?= =?utf-8?q?=C?= =?utf-8?q?=XY?=",
                        "=?utf-8?q?=?= =?utf-8?q?=C?= =?utf-8?q?=XY?="},
                {"=?utf-8?b?Yg=?= =?utf-8?b?Y?=", "=?utf-8?b?Yg=?= =?utf-8?b?Y?="},
                {"=?utf-8?q?a b?= =?", "=?utf-8?q?a b?= =?"},
                {"=?utf-8?q?"
                 "?=",
                        ""},
                {"\xff\x01z\rq", BAD " z q"},
                {"", ""},
        };
        check_decode(mail_text_decode, cases, sizeof cases / sizeof cases[0]);
}

static void test_phrase(void **state)
{
        (void)state;
        static const struct decode_case cases[] = {
                {"Joe Q. Public", "Joe Q. Public"},
                {"  Joe\r\n\tQ.   (x (y)) Public (z)", "Joe Q. Public"},
                {"\"Giant; \\\"Big\\\" Box\"", "Giant; \"Big\" Box"},
                {"\"a  b\"\r\n \"c\r\n d\"", "a  b c d"},
                {"a\"b\"c", "abc"},
                {"=?utf-8?q?J=C3=B8ran?= =?utf-8?q?_X?= (c) Y", "J\xc3\xb8ran X Y"},
                {"\"=?utf-8?q?x?=\"", "=?utf-8?q?x?="},
                {"\"a\\\x01\x02z\"", "a  z"},
                {"\"unclosed (a) b", "\"unclosed (a) b"},
                {"(unclosed \"a\" b", "(unclosed \"a\" b"},
                {"=?utf-8?q?a=22=3Cb=40c=3E?=", "a\"<b@c>"},
                {"", ""},
                {"(only)", ""},
        };
        check_decode(mail_phrase_decode, cases, sizeof cases / sizeof cases[0]);
}

/* The words of a text, each at most as long as its room, decode to the text again. */
static void test_round_trip(void **state)
{
        (void)state;
        static const char *const texts[] = {
                "J\xc3\xb8ran \xc3\x98yg\xc3\xa5rdv\xc3\xa6r with a name that needs more than a single word "
                "of this kind",
                "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xbc\xd0\xb8\xd1\x80! "
                "\xd0\x9f\xd1\x80\xd0\xb8",
                "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
                "=?utf-8?q?not=20mine?=  _?=\"",
                "a",
        };
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                for (size_t room = 0; room < 100; room++) {
                        char coded[2000], plain[300];
                        struct wr w, back;
                        struct str left = str_of_c(texts[i]);
                        wr_init(&w, coded, sizeof coded);
                        wr_init(&back, plain, sizeof plain);
                        for (size_t from = w.n; left.n > 0; from = w.n) {
                                assert_int_equal(mail_encoded_word_write(&w, &left, room), room >= 31);
                                if (room < 31)
                                        break;
                                assert_true(w.n - from <= room && w.n - from <= MAIL_ENCODED_WORD_MAX);
                                wr_byte(&w, ' ');
                        }
                        if (room < 31) {
                                assert_int_equal(w.n, 0);
                                continue;
                        }
                        mail_text_decode(&back, str_trim(wr_text(&w)));
                        assert_true(str_eq(wr_text(&back), str_of_c(texts[i])));
                }
}

static void test_encode_dirt(void **state)
{
        (void)state;
        char out[MAIL_ENCODED_WORD_MAX];
        struct wr w;
        struct str text = S("a\r\nb\xff");
        wr_init(&w, out, sizeof out);
        assert_true(mail_encoded_word_write(&w, &text, sizeof out));
        assert_true(str_eq(wr_text(&w), S("=?utf-8?b?YSAgYu+/vQ==?=")));
        assert_int_equal(text.n, 0);
        assert_false(mail_encoded_word_write(&w, &text, sizeof out));
}

/* Openings that never close, at the length of a whole header section. */
static void test_hostile_openings(void **state)
{
        (void)state;
        static const char *const pieces[] = {"(", "\"", "=?", "=?a?b?c ", "(\"", "a("};
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
                struct str piece = str_of_c(pieces[i]);
                char *p = malloc(MAIL_HEADER_MAX), *out = malloc(MAIL_HEADER_MAX);
                struct wr w;
                assert_true(p && out);
                for (size_t at = 0; at < MAIL_HEADER_MAX; at++)
                        p[at] = piece.p[at % piece.n];
                wr_init(&w, out, MAIL_HEADER_MAX);
                mail_phrase_decode(&w, str_of(p, MAIL_HEADER_MAX));
                assert_false(w.full);
                wr_init(&w, out, MAIL_HEADER_MAX);
                mail_text_decode(&w, str_of(p, MAIL_HEADER_MAX));
                assert_true(str_eq(wr_text(&w), str_of(p, MAIL_HEADER_MAX)));
                free(p);
                free(out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_phrase),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_encode_dirt),
                cmocka_unit_test(test_hostile_openings),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
