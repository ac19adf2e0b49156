/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/guest/words.h"

#define CAP 6

static const struct {
        const char *line;
        enum err err;
        const char *words[CAP];
} cases[] = {
        {"", ERR_OK, {NULL}},
        {"   ", ERR_OK, {NULL}},
        {"a", ERR_OK, {"a"}},
        {"  --ipv4 10.0.0.2/24\t--x=1 \n", ERR_OK, {"--ipv4", "10.0.0.2/24", "--x=1"}},
        {"--description \"two words\" c", ERR_OK, {"--description", "two words", "c"}},
        {"--description='two words' c", ERR_OK, {"--description=two words", "c"}},
        {"a\"b c\"d'e f'", ERR_OK, {"ab cde f"}},
        {"\"it's\" '\"'", ERR_OK, {"it's", "\""}},
        {"'' \"\"", ERR_OK, {"", ""}},
        {"back\\slash", ERR_OK, {"back\\slash"}},
        {"1 2 3 4 5", ERR_OK, {"1", "2", "3", "4", "5"}},
        {"1 2 3 4 5 6", ERR_LIMIT, {"1", "2", "3", "4", "5"}},
        {"a 'b c", ERR_SYNTAX, {"a", "b c"}},
        {"a \"b 'c'", ERR_SYNTAX, {"a", "b 'c'"}},
};

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char *line = strdup(cases[i].line), *words[CAP];
                size_t count;
                assert_int_equal(words_split(line, words, CAP, &count), cases[i].err);
                for (size_t k = 0; k < count; k++)
                        assert_string_equal(words[k], cases[i].words[k]);
                assert_null(words[count]);
                assert_true(count + 1 == CAP || cases[i].words[count] == NULL);
                free(line);
        }
}

/* Every prefix is taken without reading behind its end, and gives no more words than the whole. */
static void test_prefixes(void **state)
{
        static const char whole[] = "--name 'a b' \"c'd\" --e=\"f g\"h i";
        (void)state;
        for (size_t n = 0; n < sizeof whole; n++) {
                char *line = malloc(n + 1), *words[CAP];
                size_t count;
                memcpy(line, whole, n);
                line[n] = 0;
                enum err err = words_split(line, words, CAP, &count);
                assert_true(err == ERR_OK || err == ERR_SYNTAX);
                assert_true(count <= 5);
                assert_null(words[count]);
                free(line);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_prefixes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
