/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/guest/pages.h"

enum { SPACE = 300 * PAGE_SIZE };

static bool is_zero(const char *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (p[i] != 0)
                        return false;
        return true;
}

static void test_first_fit(void **state)
{
        char *space = calloc(1, SPACE);
        struct pages p;
        (void)state;
        pages_init(&p, space + 1, space + SPACE);
        size_t all = p.free;
        assert_true(all >= SPACE / PAGE_SIZE - 3);
        char *a = pages_take(&p, 1), *b = pages_take(&p, 3 * PAGE_SIZE), *c = pages_take(&p, PAGE_SIZE);
        assert_int_equal((uintptr_t)a % PAGE_SIZE, 0);
        assert_ptr_equal(b, a + PAGE_SIZE);
        assert_ptr_equal(c, b + 3 * PAGE_SIZE);
        pages_give(&p, b, 3 * PAGE_SIZE);
        char *d = pages_take(&p, 4 * PAGE_SIZE); /* the gap is too small */
        assert_ptr_equal(d, c + PAGE_SIZE);
        assert_ptr_equal(pages_take(&p, 2 * PAGE_SIZE - 1), b);
        assert_ptr_equal(pages_take(&p, 1), b + 2 * PAGE_SIZE);
        assert_int_equal(p.free, all - 9);
        free(space);
}

static void test_reused_memory_is_zero(void **state)
{
        char *space = calloc(1, SPACE);
        struct pages p;
        (void)state;
        pages_init(&p, space, space + SPACE);
        for (size_t n = 1; n < 40; n++) {
                char *a = pages_take(&p, n * PAGE_SIZE);
                assert_true(is_zero(a, n * PAGE_SIZE));
                memset(a, 0xa5, n * PAGE_SIZE);
                pages_give(&p, a, n * PAGE_SIZE);
        }
        free(space);
}

static void test_aligned(void **state)
{
        char *space = calloc(1, SPACE);
        struct pages p;
        (void)state;
        pages_init(&p, space, space + SPACE);
        size_t all = p.free;
        for (size_t n = PAGE_SIZE; n <= 64 * PAGE_SIZE; n *= 2) {
                assert_non_null(pages_take(&p, PAGE_SIZE)); /* so that the next one begins crooked */
                char *at = pages_take_aligned(&p, n);
                assert_int_equal((uintptr_t)at % n, 0);
                assert_true(is_zero(at, n));
                all -= 1 + n / PAGE_SIZE;
                assert_int_equal(p.free, all);
        }
        assert_null(pages_take_aligned(&p, 256 * PAGE_SIZE));
        free(space);
}

static void test_exhaustion(void **state)
{
        char *space = calloc(1, SPACE);
        struct pages p;
        (void)state;
        pages_init(&p, space, space + SPACE);
        size_t all = p.free;
        assert_null(pages_take(&p, 0));
        assert_null(pages_take(&p, SIZE_MAX));
        assert_null(pages_take(&p, all * PAGE_SIZE + 1));
        char *a = pages_take(&p, all * PAGE_SIZE);
        assert_non_null(a);
        assert_null(pages_take(&p, 1));
        pages_give(&p, a + PAGE_SIZE, PAGE_SIZE); /* in parts */
        assert_null(pages_take(&p, PAGE_SIZE + 1));
        assert_ptr_equal(pages_take(&p, PAGE_SIZE), a + PAGE_SIZE);
        pages_give(&p, a, all * PAGE_SIZE);
        assert_int_equal(p.free, all);
        free(space);
}

/* Against a list of who has what: nothing overlaps, all is zero, and in the end all is free. */
static void test_random(void **state)
{
        enum { HELD = 64, ROUNDS = 20000 };
        struct {
                char *at;
                size_t n;
                char mark;
        } held[HELD] = {0};
        char *space = calloc(1, SPACE);
        struct pages p;
        uint32_t seed = 7;
        (void)state;
        pages_init(&p, space, space + SPACE);
        size_t all = p.free;
        for (unsigned round = 0; round < ROUNDS; round++) {
                seed = seed * 1664525 + 1013904223;
                size_t i = (seed >> 8) % HELD;
                if (held[i].at != NULL) {
                        for (size_t k = 0; k < held[i].n; k += 97)
                                assert_int_equal(held[i].at[k], held[i].mark);
                        pages_give(&p, held[i].at, held[i].n);
                        held[i].at = NULL;
                        continue;
                }
                held[i].n = 1 + (seed >> 14) % (9 * PAGE_SIZE);
                held[i].at = pages_take(&p, held[i].n);
                held[i].mark = (char)(1 + round % 100);
                if (held[i].at == NULL)
                        continue;
                assert_true(is_zero(held[i].at, held[i].n));
                memset(held[i].at, held[i].mark, held[i].n);
        }
        for (size_t i = 0; i < HELD; i++)
                if (held[i].at != NULL)
                        pages_give(&p, held[i].at, held[i].n);
        assert_int_equal(p.free, all);
        free(space);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_fit),
                cmocka_unit_test(test_reused_memory_is_zero), cmocka_unit_test(test_exhaustion),
                cmocka_unit_test(test_aligned), cmocka_unit_test(test_random)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
