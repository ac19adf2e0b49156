/* SPDX-License-Identifier: ISC */
#include "smtp/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
        const char *name;
        smtp_text_scan *scan;
} ways[] = {{"bytes", smtp_text_scan_bytes}, {"words", smtp_text_scan_words}};

static void expect(struct str text, char stop, size_t n, const char *what)
{
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
                if (ways[i].scan(text, stop) != n)
                        fail_msg(
                                "%s: %s gives %zu, not %zu", what, ways[i].name, ways[i].scan(text, stop), n);
        if (smtp_text_scan_best()(text, stop) != n)
                fail_msg("%s: the best gives %zu, not %zu", what, smtp_text_scan_best()(text, stop), n);
}

/* Every case at every place behind plain bytes, in a block that ends where the text does. */
static void test_cases(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str text;
                size_t n, n_dot; /* dots being nothing special, and where they end it */
        } cases[] = {
                {"nothing", {"", 0}, 0, 0},
                {"a word", {"ab", 2}, 2, 2},
                {"a line", {"ab\r\n", 4}, 4, 4},
                {"a CR at the end", {"ab\r", 3}, 2, 2},
                {"a bare CR", {"a\rb", 3}, 1, 1},
                {"two CRs", {"a\r\r\nb", 5}, 1, 1},
                {"a bare LF", {"a\nb", 3}, 1, 1},
                {"a bare LF at the end", {"a\n", 2}, 1, 1},
                {"a second LF", {"a\r\n\nb", 5}, 3, 3},
                {"a NUL", {"a\0b", 3}, 1, 1},
                {"a NUL at the end", {"a\0", 2}, 1, 1},
                {"a NUL behind a CR", {"a\r\0", 3}, 1, 1},
                {"a NUL at the head of a line", {"a\r\n\0b", 5}, 3, 3},
                {"an LF behind a NUL", {"a\0\n", 3}, 1, 1},
                {"a dot in a line", {"a.b\r\n", 5}, 5, 5},
                {"a dot at the head of a line", {"a\r\n.b", 5}, 5, 3},
                {"the end of a message", {"a\r\n.\r\n", 6}, 6, 3},
                {"empty lines", {"a\r\n\r\n\r\nb", 8}, 8, 8},
                {"bytes above 127", {"a\x8d\x8a\x80\xae\r\n", 7}, 7, 7},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t before = 0; before < 200; before++) {
                        struct str text = cases[i].text;
                        char *p = malloc(before + text.n > 0 ? before + text.n : 1);
                        assert_non_null(p);
                        memset(p, 'x', before);
                        memcpy(p + before, text.p, text.n);
                        expect(str_of(p, before + text.n), '\0', before + cases[i].n, cases[i].name);
                        expect(str_of(p, before + text.n), '.', before + cases[i].n_dot, cases[i].name);
                        free(p);
                }
        expect(S("\nab"), '.', 0, "an LF that comes first");
        expect(S(".ab"), '.', 3, "a dot that comes first");
}

/* All bytes, those that mean something often: all ways give the same from every place on. */
static void test_ways_agree(void **state)
{
        (void)state;
        uint32_t seed = 3;
        for (int round = 0; round < 2000; round++) {
                size_t size = 1 + (size_t)round % 300;
                char *p = malloc(size + 1);
                assert_non_null(p);
                for (size_t i = 0; i < size; i++) {
                        seed = seed * 1103515245 + 12345;
                        unsigned draw = seed >> 16 & 255;
                        p[i] = draw < 16 ? (char)(seed >> 24) : draw < 18 ? "\r\n.\0"[seed >> 24 & 3] : 'x';
                        if (draw >= 18 && draw < 60 && i + 1 < size) {
                                p[i++] = '\r';
                                p[i] = '\n';
                        }
                }
                for (size_t from = 0; from <= size; from++) {
                        struct str text = str_of(p + from, size - from);
                        expect(text, '.', smtp_text_scan_bytes(text, '.'), "drawn");
                        expect(text, '\0', smtp_text_scan_bytes(text, '\0'), "drawn");
                }
                free(p);
        }
}

/* Wherever the one byte stands, and not for the greatest that has seven bits. */
static void test_8bit(void **state)
{
        (void)state;
        for (size_t n = 1; n < 100; n++) {
                char *p = malloc(n);
                assert_non_null(p);
                memset(p, 127, n);
                assert_false(smtp_text_has_8bit(str_of(p, n)));
                for (size_t at = 0; at < n; at++) {
                        p[at] = (char)128;
                        if (!smtp_text_has_8bit(str_of(p, n)))
                                fail_msg("byte %zu of %zu is not seen", at, n);
                        p[at] = 127;
                }
                free(p);
        }
        assert_false(smtp_text_has_8bit(S("")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_ways_agree),
                cmocka_unit_test(test_8bit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
