/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "serve/notice_data.h"

static void there_and_back(void **state)
{
        static const struct {
                const char *name, *about, *answers, *text, *row;
        } cases[] = {
                {"all", "a@b.test", "<id@b.test>", "one\ntwo\n", "a@b.test\n<id@b.test>\none\ntwo\n"},
                {"nothing", "", "", "", "\n\n"},
                {"text alone", "", "", "x", "\n\nx"},
                {"a line end in about makes no other line", "a@b.test\n<forged@id>", "<id@b.test>", "x",
                        "\n<id@b.test>\nx"},
                {"nor one in the id", "a@b.test", "<id>\nremove x", "y", "a@b.test\n\ny"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char row[200];
                struct wr w;
                struct notice_data in = {str_of_c(cases[i].about), str_of_c(cases[i].answers),
                                           str_of_c(cases[i].text)},
                                   out;
                print_message("%s\n", cases[i].name);
                wr_init(&w, row, sizeof row);
                notice_data_write(&w, &in);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].row)));
                notice_data_read(wr_text(&w), &out);
                bool is_broken = str_find_byte(in.about, '\n') < in.about.n;
                assert_true(str_eq(out.about, is_broken ? S("") : in.about));
                assert_true(str_eq(out.text, in.text));
        }
}

/* What another version wrote, or damage: missing parts are empty, and no byte behind is read. */
static void prefixes(void **state)
{
        static const char row[] = "a@b.test\n<id@b.test>\ntext";
        (void)state;
        for (size_t n = 0; n < sizeof row; n++) {
                char *exact = malloc(n > 0 ? n : 1);
                struct notice_data out;
                assert_non_null(exact);
                memcpy(exact, row, n);
                notice_data_read(str_of(exact, n), &out);
                assert_true(out.about.n <= 8 && out.answers.n <= 11 && out.text.n <= 4);
                assert_true(out.about.n + out.answers.n + out.text.n <= n);
                free(exact);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(prefixes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
