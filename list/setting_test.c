/* SPDX-License-Identifier: ISC */
#include "list/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void test_values(void **state)
{
        (void)state;
        static char long_text[SETTING_TEXT_MAX + 2];
        memset(long_text, 'x', SETTING_TEXT_MAX + 1);
        const struct {
                const char *name, *value;
                enum err err;
        } cases[] = {
                {"posting", "open", ERR_OK},
                {"posting", "announce", ERR_OK},
                {"posting", "Open", ERR_SYNTAX},
                {"posting", "ope", ERR_SYNTAX},
                {"posting", "openx", ERR_SYNTAX},
                {"posting", "", ERR_SYNTAX},
                {"posting", "|", ERR_SYNTAX},
                {"posting", "open | moderated", ERR_SYNTAX},
                {"subscription", "closed", ERR_OK},
                {"first-post", "moderated", ERR_OK},
                {"first-post", "open", ERR_SYNTAX},
                {"duplicates", "skip", ERR_OK},
                {"duplicates", "off", ERR_SYNTAX},
                {"archive", "on", ERR_OK},
                {"archive", "yes", ERR_SYNTAX},
                {"max-message", "1M", ERR_OK},
                {"max-message", "0", ERR_LIMIT},
                {"max-message", "9999999999999G", ERR_LIMIT},
                {"max-message", "big", ERR_SYNTAX},
                {"language", "fr", ERR_OK},
                {"language", "FR", ERR_SYNTAX},
                {"language", "f", ERR_SYNTAX},
                {"language", "fren", ERR_SYNTAX},
                {"description", "About d\303\251j\303\240 vu", ERR_OK},
                {"description", "two\r\nlines: x", ERR_SYNTAX},
                {"description", "bell\a", ERR_SYNTAX},
                {"description", "del\177", ERR_SYNTAX},
                {"description", "\303", ERR_SYNTAX},
                {"description", "\300\200", ERR_SYNTAX},
                {"footer", "", ERR_SYNTAX},
                {"footer", long_text + 1, ERR_OK},
                {"footer", long_text, ERR_LIMIT},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const struct setting *s = setting_find(str_of_c(cases[i].name));
                assert_non_null(s);
                size_t n = strlen(cases[i].value);
                char *exact = malloc(n + !n);
                assert_non_null(exact);
                memcpy(exact, cases[i].value, n);
                if (setting_check(s, str_of(exact, n)) != cases[i].err)
                        fail_msg("%s %s", cases[i].name, cases[i].value);
                free(exact);
        }
}

static void test_table(void **state)
{
        (void)state;
        assert_null(setting_find(S("")));
        assert_null(setting_find(S("Posting")));
        for (const struct setting *s = settings; s->name != NULL; s++) {
                assert_ptr_equal(setting_find(str_of_c(s->name)), s);
                assert_int_equal(setting_check(s, str_of_c(s->standard)), ERR_OK);
                assert_true(utf8_is_valid(str_of_c(s->help)) && utf8_is_valid(str_of_c(s->help_fr)));
        }
}

static void test_in_force(void **state)
{
        (void)state;
        struct setting_values v;
        setting_values_init(&v);
        for (size_t i = 0; i < SETTINGS; i++)
                assert_true(setting_is(&v, (enum setting_id)i, str_of_c(settings[i].standard)));
        setting_values_put(&v, S("posting"), S("open"));
        setting_values_put(&v, S("footer"), S("x"));
        setting_values_put(&v, S("who"), S("everybody")); /* another version's word */
        setting_values_put(&v, S("colour"), S("red"));
        assert_true(setting_is(&v, SETTING_POSTING, S("open")));
        assert_true(setting_is(&v, SETTING_FOOTER, S("x")));
        assert_true(setting_is(&v, SETTING_WHO, S("subscribers")));
        assert_false(setting_is(&v, SETTING_WHO, S("")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_in_force),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
