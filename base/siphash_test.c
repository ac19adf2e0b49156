/* SPDX-License-Identifier: ISC */
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* The key 00 01 .. 0f, and of the bytes 00 01 .. the first n: the vectors of the authors' vectors.h. */
static void test_vectors(void **state)
{
        (void)state;
        static const struct {
                size_t n;
                uint64_t hash;
        } cases[] = {
                {0, 0x726fdb47dd0e0e31},
                {1, 0x74f839c593dc67fd},
                {7, 0xab0200f58b01d137},
                {8, 0x93f5f5799a932462},
                {15, 0xa129ca6149be45e5},
                {63, 0x958a324ceb064572},
        };
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)i;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_true(siphash(bytes, str_of(bytes, cases[i].n)) == cases[i].hash);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
