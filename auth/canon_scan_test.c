/* SPDX-License-Identifier: ISC */
#include "auth/canon_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
        const char *name;
        canon_scan *scan;
} ways[] = {{"bytes", canon_scan_bytes}, {"words", canon_scan_words}};

static void expect(struct str text, size_t n, const char *what)
{
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
                if (ways[i].scan(text) != n)
                        fail_msg("%s: %s gives %zu, not %zu", what, ways[i].name, ways[i].scan(text), n);
        if (canon_scan_best()(text) != n)
                fail_msg("%s: the best gives %zu, not %zu", what, canon_scan_best()(text), n);
}

/* Every case at every place behind plain bytes, in a block that ends where the text does. */
static void test_cases(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t n;
        } cases[] = {
                {"", 0},
                {"ab", 2},
                {"a b", 3},
                {"a\tb", 1},
                {"a  b", 1},
                {"a \tb", 1},
                {"a \r\n", 1},
                {"a \rb", 1},
                {"a \nb", 4},
                {"a ", 1},
                {"a\t", 1},
                {"a\r", 1},
                {"a\n", 2},
                {"a\r\n", 3},
                {"a\r\n\r\nb", 6},
                {"a\r\n b", 5},
                {"a\r\n  b", 3},
                {"a\r\n\tb", 3},
                {"a\rb", 3},
                {"a\r\rb", 4},
                {"a\x89\xa0\x8d\x8a\r\nb", 8},
                {"a \x8d \xa0 \x89", 7},
                {"a \x0f \x0e -0 9", 10},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t before = 0; before < 200; before++) {
                        size_t n = strlen(cases[i].text);
                        char *p = malloc(before + n > 0 ? before + n : 1);
                        assert_non_null(p);
                        memset(p, 'x', before);
                        memcpy(p + before, cases[i].text, n);
                        expect(str_of(p, before + n), before + cases[i].n, cases[i].text);
                        free(p);
                }
}

/* All bytes, the seldom ones often: all ways give the same from every place on. */
static void test_ways_agree(void **state)
{
        (void)state;
        uint32_t seed = 3;
        for (int round = 0; round < 2000; round++) {
                size_t size = 1 + (size_t)round % 300;
                char *p = malloc(size);
                assert_non_null(p);
                for (size_t i = 0; i < size; i++) {
                        static const char blanks[] = {' ', '\t', '\r', '\n'};
                        seed = seed * 1103515245 + 12345;
                        bool is_blank = (seed >> 16) % 64 < (unsigned)round % 32;
                        p[i] = is_blank ? blanks[(seed >> 24) % 4] : (char)(seed >> 20);
                }
                for (size_t at = 0; at < size; at++) {
                        struct str text = str_of(p + at, size - at);
                        expect(text, canon_scan_bytes(text), "drawn bytes");
                }
                free(p);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_ways_agree),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
