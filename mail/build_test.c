/* SPDX-License-Identifier: ISC */
#include "mail/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])
#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static struct mail_address address(const char *local, const char *domain)
{
        return (struct mail_address){str_of_c(local), str_of_c(domain)};
}

/* One field, all lines within the goal and not blank. */
static void check_shape(struct str text, size_t line_most)
{
        struct mail_field f;
        size_t at = 0;
        assert_int_equal(mail_item_next(text, &at, &f), MAIL_ITEM_FIELD);
        assert_int_equal(at, text.n);
        while (text.n > 0) {
                size_t n = str_find(text, S("\r\n"));
                assert_true(n < text.n && n <= line_most);
                assert_true(str_trim(str_take(text, n)).n > 0);
                assert_int_equal(str_find_byte(str_take(text, n), '\r'), n);
                text = str_skip(text, n + 2);
        }
}

static void test_line(void **state)
{
        (void)state;
        const struct str want = S("A: one;\r\n two three;\r\n " X70 " " X10 "\r\n");
        for (size_t cap = 0; cap <= want.n; cap++) {
                char out[200];
                struct mail_build b;
                struct wr w;
                wr_init(&w, out, cap);
                mail_build_begin(&b, &w, S("A"));
                mail_build_word(&b, S("one;"));
                mail_build_line(&b, S("two"));
                mail_build_word(&b, S("three;"));
                mail_build_line(&b, S(X70 " " X10)); /* broken already, since it passes the goal */
                assert_int_equal(mail_build_end(&b), cap < want.n ? ERR_SPACE : ERR_OK);
                assert_true(str_eq(wr_text(&w), cap < want.n ? S("") : want));
        }
}

static void test_text(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"hello", "S: hello\r\n"},
                {"  two  spaces ", "S: two  spaces\r\n"},
                {"", "S:\r\n"},
                {"a\r\nBcc: victim@example.org", "S: a  Bcc: victim@example.org\r\n"},
                {"caf\xc3\xa9 x", "S: =?utf-8?q?caf=C3=A9?= x\r\n"},
                {"x \xc3\xa9\xc3\xa9  \xc3\xa9\xc3\xa9", "S: x =?utf-8?b?w6nDqSAgw6nDqQ==?=\r\n"},
                {"=?utf-8?q?x?=", "S: =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=\r\n"},
                {"12345678 12345678 12345678 12345678 12345678 12345678 12345678 12345678 123 5678",
                        "S: 12345678 12345678 12345678 12345678 12345678 12345678 12345678 12345678 123\r\n "
                        "5678\r\n"},
                {X70 " x " X70, "S: " X70 " x\r\n " X70 "\r\n"},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[400], back[400];
                struct wr w, plain;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                wr_init(&w, out, sizeof out);
                assert_int_equal(mail_build_unstructured(&w, S("S"), text), ERR_OK);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
                wr_init(&plain, back, sizeof back);
                mail_text_decode(&plain, str_trim(str_skip(wr_text(&w), 2)));
                assert_true(text.n != plain.n || str_find_byte(text, '\r') < text.n ||
                            str_eq(wr_text(&plain), text));
                exact_free(text);
        }
}

static void test_text_of_every_length(void **state)
{
        (void)state;
        static const char *const units[] = {"x", "\xc3\xb8", "xx ", "\xf0\x9f\x98\x80", "a\xc3\xb8 b ", "  x",
                "                    ", X70 "      x "};
        for (size_t u = 0; u < CASES(units); u++)
                for (size_t count = 1; count < 400; count++) {
                        char text[40000], out[120000], back[40000];
                        struct wr in, w, plain;
                        struct mail_field f;
                        size_t at = 0;
                        wr_init(&in, text, sizeof text);
                        wr_init(&w, out, sizeof out);
                        wr_init(&plain, back, sizeof back);
                        for (size_t i = 0; i < count; i++)
                                wr_str(&in, str_of_c(units[u]));
                        assert_int_equal(mail_build_unstructured(&w, S("Subject"), wr_text(&in)), ERR_OK);
                        check_shape(wr_text(&w), MAIL_LINE_GOAL);
                        assert_int_equal(mail_item_next(wr_text(&w), &at, &f), MAIL_ITEM_FIELD);
                        mail_text_decode(&plain, str_trim(f.body));
                        assert_true(str_eq(wr_text(&plain), str_trim(wr_text(&in))));
                }
}

static void test_mailbox(void **state)
{
        (void)state;
        static const struct {
                const char *display, *local, *domain, *want;
        } cases[] = {
                {"", "a", "b", "To: a@b\r\n"},
                {" \r\n ", "a", "b", "To: a@b\r\n"},
                {"Joe Public", "a", "b", "To: Joe Public <a@b>\r\n"},
                {"Joe Q. Public", "a", "b", "To: \"Joe Q. Public\" <a@b>\r\n"},
                {"\"<x@y>,\\", "a", "b", "To: \"\\\"<x@y>,\\\\\" <a@b>\r\n"},
                {"Joe\r\nBcc: x@y", "a", "b", "To: \"Joe  Bcc: x@y\" <a@b>\r\n"},
                {"=?utf-8?q?x?=", "a", "b", "To: \"=?utf-8?q?x?=\" <a@b>\r\n"},
                {"J\xc3\xb8ran", "a", "b", "To: =?utf-8?q?J=C3=B8ran?= <a@b>\r\n"},
                {"J\xff", "a", "b", "To: =?utf-8?q?J=EF=BF=BD?= <a@b>\r\n"},
                {"", "a b", "c", "To: \"a b\"@c\r\n"},
                {"x", "\"a\\\"\"", "[1.2.3.4]", "To: x <\"a\\\"\"@[1.2.3.4]>\r\n"},
                {"", "j\xc3\xb8", "\xc3\xb8.example", "To: j\xc3\xb8@\xc3\xb8.example\r\n"},
                {"", "a>,b", "c", "To: \"a>,b\"@c\r\n"},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_person p = {str_of_c(cases[i].display), address(cases[i].local, cases[i].domain)};
                char out[200];
                struct wr w;
                print_message("%s\n", cases[i].want);
                wr_init(&w, out, sizeof out);
                assert_int_equal(mail_build_persons(&w, S("To"), &p, 1), ERR_OK);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
        }
}

/* What would be another field, another address or an ill-formed line is refused, and nothing is written. */
static void test_refusals(void **state)
{
        (void)state;
        static const struct {
                const char *local, *domain;
        } cases[] = {
                {"a\r\nBcc:b", "c"},
                {"a\nb", "c"},
                {"a\x7f", "c"},
                {"a", "c\r\n"},
                {"a", "c>,<d@e"},
                {"a", ""},
                {"", "b"},
                {"\xff", "b"},
                {"a", "\xff"},
                {"a", "[x]"},
                {"a\tb", "c"},
        };
        char out[300];
        struct wr w;
        wr_init(&w, out, sizeof out);
        wr_str(&w, S("Kept: 1\r\n"));
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_person p = {S("x"), address(cases[i].local, cases[i].domain)};
                assert_int_equal(mail_build_persons(&w, S("To"), &p, 1), ERR_SYNTAX);
                assert_true(str_eq(wr_text(&w), S("Kept: 1\r\n")));
        }
        static const char *const pieces[] = {"a\rb", "a\nb", "a\x01", "a\tb", "\xc3", "a\x7f"};
        for (size_t i = 0; i < CASES(pieces); i++) {
                struct mail_build b;
                mail_build_begin(&b, &w, S("X"));
                mail_build_word(&b, S("good"));
                mail_build_glue(&b, str_of_c(pieces[i]));
                mail_build_word(&b, S("good"));
                assert_int_equal(mail_build_end(&b), ERR_SYNTAX);
                assert_true(str_eq(wr_text(&w), S("Kept: 1\r\n")));
        }
}

static void test_long_pieces(void **state)
{
        (void)state;
        char piece[MAIL_LINE_MAX], out[3000];
        memset(piece, 'x', sizeof piece);
        for (size_t n = 60; n <= sizeof piece; n++) {
                struct mail_build b;
                struct wr w;
                wr_init(&w, out, sizeof out);
                mail_build_begin(&b, &w, S("Name"));
                mail_build_word(&b, str_of(piece, n));
                mail_build_glue(&b, S(";"));
                mail_build_word(&b, S("end"));
                enum err e = mail_build_end(&b);
                assert_int_equal(e, n + 2 <= MAIL_LINE_MAX ? ERR_OK : ERR_LIMIT);
                if (e == ERR_OK)
                        check_shape(wr_text(&w), n + 2 > MAIL_LINE_GOAL ? n + 2 : MAIL_LINE_GOAL);
                else
                        assert_int_equal(w.n, 0);
        }
}

/* A buffer of any size holds all of the field or none of it. */
static void test_every_buffer_size(void **state)
{
        (void)state;
        struct mail_person p[2] = {
                {S("J\xc3\xb8ran \xc3\x98yg\xc3\xa5rdv\xc3\xa6r"), address("joran", "example.org")},
                {S("A. N. Other, of a long name to make this line fold"), address("other", "example.net")}};
        char whole[400];
        struct wr full;
        wr_init(&full, whole, sizeof whole);
        assert_int_equal(mail_build_persons(&full, S("To"), p, 2), ERR_OK);
        check_shape(wr_text(&full), MAIL_LINE_GOAL);
        for (size_t n = 0; n <= full.n; n++) {
                struct str block = exact(str_take(wr_text(&full), n));
                struct wr w;
                wr_init(&w, (void *)(uintptr_t)block.p, n);
                assert_int_equal(mail_build_persons(&w, S("To"), p, 2), n == full.n ? ERR_OK : ERR_SPACE);
                assert_int_equal(w.n, n == full.n ? n : 0);
                exact_free(block);
        }
}

static void test_parameter(void **state)
{
        (void)state;
        static const struct {
                const char *value, *want;
        } cases[] = {
                {"utf-8", "T: a/b; c=utf-8\r\n"},
                {"a b", "T: a/b; c=\"a b\"\r\n"},
                {"a\"\\=", "T: a/b; c=\"a\\\"\\\\=\"\r\n"},
                {"", "T: a/b; c=\"\"\r\n"},
                {"bl\xc3\xa5 b", "T: a/b; c*=utf-8''bl%C3%A5%20b\r\n"},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_build b;
                char out[200];
                struct wr w;
                wr_init(&w, out, sizeof out);
                mail_build_begin(&b, &w, S("T"));
                mail_build_word(&b, S("a/b"));
                mail_build_parameter(&b, S("c"), str_of_c(cases[i].value));
                assert_int_equal(mail_build_end(&b), ERR_OK);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
        }
}

static void test_list_fields(void **state)
{
        (void)state;
        char out[1000];
        struct wr w;
        struct mail_address post = address("ptt+x&y", "mailingl.st"), utf8 = address("j\xc3\xb8", "b");
        wr_init(&w, out, sizeof out);
        assert_int_equal(mail_build_date(&w, 1795366800), ERR_OK);
        assert_int_equal(mail_build_message_id(&w, S("12345"), 7, S("b.c")), ERR_OK);
        assert_int_equal(mail_build_list_id(&w, S("The list"), S("ptt"), S("mailingl.st")), ERR_OK);
        assert_int_equal(mail_build_list_id(&w, S(""), S("ptt"), S("mailingl.st")), ERR_OK);
        assert_int_equal(mail_build_mailto(&w, S("List-Post"), &post, S("")), ERR_OK);
        assert_int_equal(mail_build_mailto(&w, S("List-Help"), &utf8, S("a b?\r\n")), ERR_OK);
        assert_true(str_eq(wr_text(&w), S("Date: Sun, 22 Nov 2026 17:00:00 +0000\r\n"
                                          "Message-ID: <gezdgnbv.7@b.c>\r\n"
                                          "List-Id: The list <ptt.mailingl.st>\r\n"
                                          "List-Id: <ptt.mailingl.st>\r\n"
                                          "List-Post: <mailto:ptt+x%26y@mailingl.st>\r\n"
                                          "List-Help: <mailto:j%C3%B8@b?subject=a%20b%3F%0D%0A>\r\n")));
        size_t n = w.n;
        assert_int_equal(mail_build_list_id(&w, S(""), S("p t"), S("b")), ERR_SYNTAX);
        assert_int_equal(mail_build_list_id(&w, S(""), S("p"), S("b>\r\nX: y")), ERR_SYNTAX);
        assert_int_equal(mail_build_message_id(&w, S("1"), 7, S("b\r\n")), ERR_SYNTAX);
        assert_int_equal(w.n, n);
}

static void test_received(void **state)
{
        (void)state;
        struct mail_address to = address("a", "b");
        struct mail_received r = {.helo = S("client.example"),
                .reverse = S("rev.example"),
                .client = ip_v4(192, 0, 2, 1),
                .by = S("mx.mailingl.st"),
                .protocol = S("ESMTPS"),
                .id = S("x1"),
                .for_ = &to,
                .unix_s = 1795366800};
        char out[2000];
        struct wr w;
        wr_init(&w, out, sizeof out);
        assert_int_equal(mail_build_received(&w, &r), ERR_OK);
        assert_true(str_eq(wr_text(&w),
                S("Received: from client.example (rev.example [192.0.2.1]) by mx.mailingl.st with\r\n"
                  " ESMTPS id x1 for <a@b>; Sun, 22 Nov 2026 17:00:00 +0000\r\n")));
        wr_init(&w, out, sizeof out);
        r = (struct mail_received){.helo = S("a) by evil\r\nX: \xff"), .by = S("b"), .unix_s = 0};
        assert_int_equal(ip_parse(S("::1"), &r.client), ERR_OK);
        assert_int_equal(mail_build_received(&w, &r), ERR_OK);
        assert_true(
                str_eq(wr_text(&w), S("Received: from unknown (helo=a??by?evil??X:?? [IPv6:::1]) by b;\r\n"
                                      " Thu, 01 Jan 1970 00:00:00 +0000\r\n")));
        wr_init(&w, out, sizeof out);
        r = (struct mail_received){.by = S("b"), .unix_s = 0};
        assert_int_equal(mail_build_received(&w, &r), ERR_OK);
        assert_true(
                str_eq(wr_text(&w), S("Received: from unknown by b; Thu, 01 Jan 1970 00:00:00 +0000\r\n")));
        r.by = S("b\r\nX: y");
        assert_int_equal(mail_build_received(&w, &r), ERR_SYNTAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_text_of_every_length),
                cmocka_unit_test(test_mailbox),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_long_pieces),
                cmocka_unit_test(test_every_buffer_size),
                cmocka_unit_test(test_parameter),
                cmocka_unit_test(test_list_fields),
                cmocka_unit_test(test_received),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
