/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

static void test_reads(void **state)
{
        (void)state;
        struct str bytes = exact(str_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"
                                        "xy",
                15));
        struct rd r;
        rd_init(&r, bytes);
        assert_int_equal(rd_u8(&r), 0x01);
        assert_int_equal(rd_be16(&r), 0x0203);
        assert_int_equal(rd_be32(&r), 0x04050607);
        assert_int_equal(rd_be48(&r), 0x08090a0b0c0d);
        assert_int_equal(rd_left(&r), 2);
        assert_true(str_eq(rd_bytes(&r, 2), S("xy")));
        assert_int_equal(rd_bytes(&r, 0).n, 0);
        assert_int_equal(r.fault, ERR_OK);
        rd_seek(&r, 15);
        assert_int_equal(r.fault, ERR_OK);
        rd_seek(&r, 1);
        assert_int_equal(rd_u8(&r), 0x02);
        exact_free(bytes);
}

/* The first fault sticks, and everything read after it is nothing. */
static void test_faults_stick(void **state)
{
        (void)state;
        struct str bytes = exact(str_of("\x01\x02\x03", 3));
        struct rd r;
        rd_init(&r, bytes);
        assert_int_equal(rd_be32(&r), 0);
        assert_int_equal(r.fault, ERR_SYNTAX);
        assert_int_equal(rd_u8(&r), 0);
        assert_int_equal(rd_bytes(&r, 1).n, 0);
        assert_int_equal(rd_left(&r), 0);
        rd_seek(&r, 0);
        rd_fail(&r, ERR_LIMIT);
        assert_int_equal(rd_u8(&r), 0);
        assert_int_equal(r.fault, ERR_SYNTAX);
        rd_init(&r, bytes);
        rd_seek(&r, 4);
        assert_int_equal(r.fault, ERR_SYNTAX);
        rd_init(&r, bytes);
        rd_fail(&r, ERR_LIMIT);
        (void)rd_bytes(&r, SIZE_MAX);
        assert_int_equal(r.fault, ERR_LIMIT);
        exact_free(bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reads),
                cmocka_unit_test(test_faults_stick),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
