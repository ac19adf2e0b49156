/* SPDX-License-Identifier: ISC */
#include "mail/message_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"

static void test_lists(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                const char *ids; /* each with a space behind */
                size_t strays;
        } cases[] = {
                {" <a@b>", "<a@b> ", 0},
                {"<a@b> <c@d>\r\n <e@f>", "<a@b> <c@d> <e@f> ", 0},
                {"<a@b><c@d>", "<a@b> <c@d> ", 0},
                {"<a@b>, <c@d>;", "<a@b> <c@d> ", 0},
                {"Your message of Monday \"<no@no>\" (<no@no>) <a@b>", "<a@b> ", 0},
                {"(unclosed <a@b>", "<a@b> ", 0},
                {"\"unclosed <a@b> (<c@d>)", "<a@b> <c@d> ", 0},
                {"<noat>", "<noat> ", 0},
                {"<a@[192.0.2.1]>", "<a@[192.0.2.1]> ", 0},
                {"<j\xc3\xb8@b>", "<j\xc3\xb8@b> ", 0},
                {"<\xc3>", "", 1},
                {"<a b@c>", "", 1},
                {"<a\r\n b@c>", "", 1},
                {"<> <<a@b> <", "<a@b> ", 3},
                {"a@b", "", 0},
                {"", "", 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char out[64];
                struct wr w;
                struct mail_message_ids r;
                struct str id, first, text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                wr_init(&w, out, sizeof out);
                mail_message_ids_init(&r, text);
                while (mail_message_ids_next(&r, &id)) {
                        wr_str(&w, id);
                        wr_byte(&w, ' ');
                }
                assert_int_equal(id.n, 0);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].ids)));
                assert_int_equal(r.strays, cases[i].strays);
                assert_int_equal(mail_message_id_first(text, &first), w.n > 0 ? ERR_OK : ERR_NOT_FOUND);
                assert_true(str_has_prefix(wr_text(&w), first));
                exact_free(text);
        }
}

static void test_validity(void **state)
{
        (void)state;
        static const struct {
                const char *id;
                bool valid;
        } cases[] = {
                {"<a@b>", true},
                {"<a.b@c.d>", true},
                {"<a@[1.2.3.4]>", true},
                {"<a@b", false},
                {"<a@>", false},
                {"<@b>", false},
                {"<ab>", false},
                {"<a@b@c>", false},
                {"<a..b@c>", false},
                {"a@b>", false},
                {"<a@[b]c>", false},
                {"<a@b>x", false},
                {"<>", false},
                {"", false},
                {"<", false},
                {"<a@b.>", false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str id = exact(str_of_c(cases[i].id));
                print_message("%s\n", cases[i].id);
                assert_int_equal(mail_message_id_is_valid(id), cases[i].valid);
                exact_free(id);
        }
}

static void test_length(void **state)
{
        (void)state;
        char text[MAIL_LINE_MAX + 1];
        struct str id;
        memset(text, 'x', sizeof text);
        text[0] = '<';
        text[MAIL_LINE_MAX - 1] = '>';
        assert_int_equal(mail_message_id_first(str_of(text, MAIL_LINE_MAX), &id), ERR_OK);
        assert_int_equal(id.n, MAIL_LINE_MAX);
        text[MAIL_LINE_MAX - 1] = 'x';
        text[MAIL_LINE_MAX] = '>';
        assert_int_equal(mail_message_id_first(str_of(text, sizeof text), &id), ERR_NOT_FOUND);
}

/* Fields of openings only must not cost the square of their length: these took minutes if they did. */
static void test_hostile_openings(void **state)
{
        (void)state;
        static const struct {
                const char *piece;
                size_t ids;
        } cases[] = {
                {"(<a>", MAIL_HEADER_MAX / 4}, {"\"<a>", MAIL_HEADER_MAX / 8}, {"<", 0}, {"(", 0}, {"(<", 0}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str piece = str_of_c(cases[i].piece), id;
                struct mail_message_ids r;
                char *p = malloc(MAIL_HEADER_MAX);
                size_t found = 0;
                assert_non_null(p);
                for (size_t at = 0; at < MAIL_HEADER_MAX; at++)
                        p[at] = piece.p[at % piece.n];
                mail_message_ids_init(&r, str_of(p, MAIL_HEADER_MAX));
                while (mail_message_ids_next(&r, &id))
                        found++;
                assert_int_equal(found, cases[i].ids);
                free(p);
        }
}

static void test_write(void **state)
{
        (void)state;
        char out[64];
        struct wr w;
        wr_init(&w, out, sizeof out);
        mail_message_id_write(&w, str_of("\0\1\2\3\4", 5), 1795366800123, S("mailingl.st"));
        assert_true(str_eq(wr_text(&w), S("<aaaqeaye.1795366800123@mailingl.st>")));
        assert_true(mail_message_id_is_valid(wr_text(&w)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_validity),
                cmocka_unit_test(test_length),
                cmocka_unit_test(test_hostile_openings),
                cmocka_unit_test(test_write),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
