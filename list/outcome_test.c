/* SPDX-License-Identifier: ISC */
#include "list/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"

static void test_words_and_texts(void **state)
{
        (void)state;
        enum outcome found;
        for (size_t i = 0; i < OUTCOMES; i++) {
                enum outcome o = (enum outcome)i;
                struct str en = outcome_text(o, S("en")), fr = outcome_text(o, S("fr"));
                assert_int_equal(outcome_find(outcome_word(o), &found), ERR_OK);
                assert_int_equal(found, o);
                assert_true(en.n > 0 && fr.n > 0 && utf8_is_valid(fr) && !str_eq(en, fr));
                assert_true(str_eq(en, outcome_text(o, S("de"))));
        }
        assert_int_equal(outcome_find(S("nothing"), &found), ERR_NOT_FOUND);
        assert_int_equal(outcome_find(S(""), &found), ERR_NOT_FOUND);
}

static void test_lines_are_made_harmless(void **state)
{
        (void)state;
        static const struct {
                const char *line, *written;
        } cases[] = {
                {"posting: open", "done\tposting: open\n"},
                {"  x \r\n", "done\tx\n"},
                {"a\tb\nc\x7f\x1b[1m", "done\ta b?c??[1m\n"},
                {"\xff\xc3\xa9\xc3", "done\t?\xc3\xa9?\n"},
                {"a\xc2\x85\xc2\xa0"
                 "b",
                        "done\ta?\xc2\xa0"
                        "b\n"},
                {"", "done\t\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[100];
                struct wr w;
                wr_init(&w, text, sizeof text);
                outcome_line_write(&w, OUTCOME_DONE, str_of_c(cases[i].line));
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].written)));
        }
}

static void test_long_lines_are_cut_between_characters(void **state)
{
        (void)state;
        char line[2 * OUTCOME_LINE_MAX + 1], text[1000];
        struct wr w;
        enum outcome o;
        line[0] = 'x';
        for (size_t i = 1; i < sizeof line; i++)
                line[i] = (char)(i % 2 == 1 ? 0xc3 : 0xa9);
        wr_init(&w, text, sizeof text);
        outcome_line_write(&w, OUTCOME_TOO_LONG, str_of(line, sizeof line));
        struct str in = wr_text(&w), out;
        assert_int_equal(outcome_line_read(&in, &o, &out), ERR_OK);
        assert_int_equal(o, OUTCOME_TOO_LONG);
        assert_int_equal(out.n, OUTCOME_LINE_MAX - 1);
        assert_true(utf8_is_valid(out));
        assert_int_equal(outcome_line_read(&in, &o, &out), ERR_EOF);
        wr_init(&w, text, 20);
        outcome_line_write(&w, OUTCOME_DONE, S("0123456789"));
        outcome_line_write(&w, OUTCOME_DONE, S("0123456789"));
        assert_true(str_eq(wr_text(&w), S("done\t0123456789\n")));
}

static void test_reading(void **state)
{
        (void)state;
        struct str text = S("done\ta\nnothing\tb\nwrong\n\nwaits\tc"), line;
        enum outcome o;
        assert_true(
                outcome_line_read(&text, &o, &line) == ERR_OK && o == OUTCOME_DONE && str_eq(line, S("a")));
        assert_true(outcome_line_read(&text, &o, &line) == ERR_SYNTAX && line.n == 0);
        assert_int_equal(outcome_line_read(&text, &o, &line), ERR_SYNTAX);
        assert_int_equal(outcome_line_read(&text, &o, &line), ERR_SYNTAX);
        assert_true(
                outcome_line_read(&text, &o, &line) == ERR_OK && o == OUTCOME_WAITS && str_eq(line, S("c")));
        assert_int_equal(outcome_line_read(&text, &o, &line), ERR_EOF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_and_texts),
                cmocka_unit_test(test_lines_are_made_harmless),
                cmocka_unit_test(test_long_lines_are_cut_between_characters),
                cmocka_unit_test(test_reading),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
