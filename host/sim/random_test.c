/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/sim/random.h"

/* The reference generator's first numbers from the state 1, 2, 3, 4. */
static void test_vector(void **state)
{
        static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u,
                607988272756665600u, 16172922978634559625u, 8476171486693032832u};
        struct sim_random r = {{1, 2, 3, 4}};
        (void)state;
        for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
                assert_true(sim_random_u64(&r) == want[i]);
}

/* Seed, kind and name each make another stream, and the same make the same: frozen, or old seeds mean nothing. */
static void test_streams(void **state)
{
        static const struct {
                uint64_t seed;
                struct str kind, name;
        } cases[] = {
                {1, {"node", 4}, {"a", 1}},
                {2, {"node", 4}, {"a", 1}},
                {1, {"link", 4}, {"a", 1}},
                {1, {"node", 4}, {"b", 1}},
                {1, {"", 0}, {"", 0}},
        };
        enum { N = sizeof cases / sizeof cases[0] };
        uint64_t first[N];
        (void)state;
        for (size_t i = 0; i < N; i++) {
                struct sim_random r = sim_random_of(cases[i].seed, cases[i].kind, cases[i].name);
                struct sim_random again = sim_random_of(cases[i].seed, cases[i].kind, cases[i].name);
                first[i] = sim_random_u64(&r);
                assert_true(first[i] == sim_random_u64(&again));
                for (size_t j = 0; j < i; j++)
                        assert_true(first[j] != first[i]);
        }
        assert_true(first[0] == UINT64_C(0x5107a366c125ee2b));
}

static void test_below(void **state)
{
        struct sim_random r = sim_random_of(7, S("test"), S("below"));
        unsigned seen[6] = {0};
        (void)state;
        for (unsigned i = 0; i < 60000; i++)
                seen[sim_random_below(&r, 6)]++;
        for (unsigned i = 0; i < 6; i++)
                assert_in_range(seen[i], 9700, 10300);
        assert_int_equal(sim_random_below(&r, 1), 0);
        for (unsigned i = 0; i < 1000; i++)
                assert_true(sim_random_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void test_between(void **state)
{
        static const struct {
                int64_t least, most;
        } cases[] = {
                {0, 0}, {-3, 3}, {5, 6}, {INT64_MIN, INT64_MAX}, {INT64_MIN, INT64_MIN + 1}, {0, INT64_MAX}};
        struct sim_random r = sim_random_of(7, S("test"), S("between"));
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                bool is_least = false, is_most = false;
                for (unsigned j = 0; j < 1000; j++) {
                        int64_t v = sim_random_between(&r, cases[i].least, cases[i].most);
                        assert_true(v >= cases[i].least && v <= cases[i].most);
                        is_least |= v == cases[i].least;
                        is_most |= v == cases[i].most;
                }
                if ((uint64_t)cases[i].most - (uint64_t)cases[i].least < 100)
                        assert_true(is_least && is_most);
        }
}

static void test_chance(void **state)
{
        struct sim_random r = sim_random_of(7, S("test"), S("chance")), before = r;
        unsigned n = 0;
        (void)state;
        assert_false(sim_random_chance(&r, 0));
        assert_true(sim_random_chance(&r, SIM_PPM));
        assert_memory_equal(&r, &before, sizeof r); /* nothing was drawn */
        for (unsigned i = 0; i < 100000; i++)
                n += sim_random_chance(&r, SIM_PPM / 4);
        assert_in_range(n, 24500, 25500);
}

/* As many bytes as asked for, and no pattern of zeros in them. */
static void test_bytes(void **state)
{
        struct sim_random r = sim_random_of(7, S("test"), S("bytes"));
        (void)state;
        for (size_t n = 0; n < 40; n++) {
                uint8_t bytes[48], zeros[48] = {0};
                unsigned seen = 0;
                for (unsigned i = 0; i < 8; i++) {
                        memset(bytes, 0, sizeof bytes);
                        sim_random_bytes(&r, bytes, n);
                        assert_memory_equal(bytes + n, zeros, sizeof bytes - n);
                        seen += n > 0 && bytes[n - 1] != 0;
                }
                assert_true(n == 0 || seen > 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vector),
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_below),
                cmocka_unit_test(test_between),
                cmocka_unit_test(test_chance),
                cmocka_unit_test(test_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
