/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_alignment_and_ceiling(void **state)
{
        (void)state;
        _Alignas(max_align_t) char memory[256];
        struct arena a;
        arena_init(&a, memory + 1, sizeof memory - 1); /* a crooked beginning too */
        for (size_t n = 1; n < 8; n++) {
                char *p = arena_alloc(&a, n);
                assert_non_null(p);
                assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
                assert_true(p >= memory + 1 && p + n <= memory + sizeof memory);
        }
        size_t used = a.used;
        assert_null(arena_alloc(&a, sizeof memory));
        assert_null(arena_alloc(&a, SIZE_MAX));
        assert_int_equal(a.used, used);
        assert_int_equal(a.high, used);
}

static void test_zeros_after_reset(void **state)
{
        (void)state;
        _Alignas(max_align_t) char memory[64];
        struct arena a;
        arena_init(&a, memory, sizeof memory);
        char *p = arena_alloc(&a, 64);
        assert_non_null(p);
        for (size_t i = 0; i < 64; i++)
                p[i] = 'x';
        assert_null(arena_alloc(&a, 1));
        arena_reset(&a);
        assert_int_equal(a.high, 64);
        p = arena_alloc(&a, 32);
        assert_non_null(p);
        for (size_t i = 0; i < 32; i++)
                assert_int_equal(p[i], 0);
        assert_int_equal(a.high, 64);
}

static void test_copy(void **state)
{
        (void)state;
        _Alignas(max_align_t) char memory[32];
        struct arena a;
        struct str out;
        arena_init(&a, memory, sizeof memory);
        assert_int_equal(arena_copy(&a, S("hello"), &out), ERR_OK);
        assert_true(str_eq(out, S("hello")));
        assert_int_equal(arena_copy(&a, S(""), &out), ERR_OK);
        assert_int_equal(out.n, 0);
        assert_int_equal(arena_copy(&a, S("more than there is room for now!"), &out), ERR_MEMORY);
        assert_int_equal(out.n, 0);
}

/* One without memory is full from the start. */
static void test_no_memory(void **state)
{
        struct arena a;
        struct str copy;
        (void)state;
        arena_init(&a, NULL, 0);
        assert_null(arena_alloc(&a, 1));
        assert_null(arena_alloc(&a, 0));
        assert_int_equal(arena_copy(&a, S("x"), &copy), ERR_MEMORY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alignment_and_ceiling),
                cmocka_unit_test(test_zeros_after_reset),
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_no_memory),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
