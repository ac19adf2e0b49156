/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fenv.h>

#include "fiber/fake_platform.h"

struct run {
        struct fake_platform platform;
        struct sched *s;
        uint64_t sum;
};

/* Registers that a callee preserves, and each fiber's own rounding mode. */
static void round_up(void *arg)
{
        struct run *r = arg;
        volatile double three = 3;
        fesetround(FE_UPWARD);
        double before =
                1 / three; /* valgrind rounds to nearest whatever it is told: compare, expect no value */
        fiber_yield(r->s);
        assert_int_equal(fegetround(), FE_UPWARD);
        assert_true(1 / three == before);
        fesetround(FE_TONEAREST);
}

static void sum_up(void *arg)
{
        struct run *r = arg;
        uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
        for (unsigned i = 0; i < 100; i++) {
                a += b, b ^= c, c += d, d ^= e, e += f, f ^= a;
                fiber_yield(r->s);
                assert_int_equal(fegetround(), FE_TONEAREST);
        }
        r->sum = r->sum * 31 + (a ^ b ^ c ^ d ^ e ^ f);
}

static void registers(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(scope_spawn(&scope, "sum", sum_up, r), ERR_OK);
                assert_int_equal(scope_spawn(&scope, "round", round_up, r), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        uint64_t three = r->sum;
        r->sum = 0;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "sum", sum_up, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_true(three == (r->sum * 31 + r->sum) * 31 + r->sum);
}

static void test_registers(void **state)
{
        (void)state;
        struct run r = {0};
        r.s = fake_sched(&r.platform);
        sched_run(r.s, registers, &r);
        sched_free(r.s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_registers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
