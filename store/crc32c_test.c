/* SPDX-License-Identifier: ISC */
#include "store/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* RFC 3720 B.4, and the check value of the polynomial. */
static void test_vectors(void **state)
{
        (void)state;
        struct crc32c c;
        char bytes[32];
        crc32c_init(&c);
        assert_int_equal(crc32c_update(&c, 0, S("")), 0);
        assert_int_equal(crc32c_update(&c, 0, S("123456789")), 0xe3069283);
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(crc32c_update(&c, 0, str_of(bytes, 32)), 0x8a9136aa);
        memset(bytes, 0xff, sizeof bytes);
        assert_int_equal(crc32c_update(&c, 0, str_of(bytes, 32)), 0x62a8ab43);
        for (int i = 0; i < 32; i++)
                bytes[i] = (char)i;
        assert_int_equal(crc32c_update(&c, 0, str_of(bytes, 32)), 0x46dd794e);
}

static void test_every_split_is_the_whole(void **state)
{
        (void)state;
        struct crc32c c;
        crc32c_init(&c);
        for (size_t n = 0; n < 40; n++) {
                char *bytes = malloc(n + 1);
                assert_non_null(bytes);
                for (size_t i = 0; i < n; i++)
                        bytes[i] = (char)(i * 37 + 11);
                uint32_t whole = crc32c_update(&c, 0, str_of(bytes, n));
                for (size_t at = 0; at <= n; at++) {
                        uint32_t head = crc32c_update(&c, 0, str_of(bytes, at));
                        assert_int_equal(crc32c_update(&c, head, str_of(bytes + at, n - at)), whole);
                }
                free(bytes);
        }
}

/* Where the processor has one. */
static void test_instruction_and_tables_agree(void **state)
{
        (void)state;
        struct crc32c with, without;
        crc32c_init(&with);
        crc32c_init(&without);
        without.has_instruction = false;
        assert_int_equal(crc32c_update(&without, 0, S("123456789")), 0xe3069283);
        for (size_t n = 0; n < 300; n++) {
                char *bytes = malloc(n + 1);
                assert_non_null(bytes);
                for (size_t i = 0; i < n; i++)
                        bytes[i] = (char)(i * 151 + n);
                for (uint32_t crc = 0; crc < 3; crc++)
                        assert_int_equal(crc32c_update(&with, crc * 0x9e3779b9u, str_of(bytes, n)),
                                crc32c_update(&without, crc * 0x9e3779b9u, str_of(bytes, n)));
                free(bytes);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_instruction_and_tables_agree),
                cmocka_unit_test(test_every_split_is_the_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
