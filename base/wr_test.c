/* SPDX-License-Identifier: ISC */
#include "base/wr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_writes(void **state)
{
        (void)state;
        char out[64];
        struct wr w;
        wr_init(&w, out, sizeof out);
        wr_str(&w, S("ab"));
        wr_byte(&w, 'c');
        wr_lower(&w, S("DeF\xc3"));
        wr_u64(&w, 0);
        wr_byte(&w, ' ');
        wr_u64(&w, UINT64_MAX);
        wr_byte(&w, ' ');
        wr_u64_padded(&w, 7, 3);
        wr_u64_padded(&w, 1234, 3);
        assert_true(str_eq(wr_text(&w), S("abcdef\xc3"
                                          "0 18446744073709551615 0071234")));
        assert_int_equal(wr_end(&w), ERR_OK);
        wr_init(&w, out, sizeof out);
        wr_be16(&w, 0x0102);
        wr_be32(&w, 0x03040506);
        wr_be48(&w, 0x0708090a0b0c);
        wr_patch_be16(&w, 1, 0xfffe);
        assert_true(str_eq(wr_text(&w), S("\x01\xff\xfe\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c")));
}

/* A write that does not fit leaves nothing behind, nor does any after it, small as it may be. */
static void test_full_sticks(void **state)
{
        (void)state;
        char out[6] = "zzzzz";
        struct wr w;
        wr_init(&w, out, 4);
        wr_str(&w, S("abc"));
        wr_be16(&w, 1);
        assert_int_equal(wr_end(&w), ERR_SPACE);
        wr_byte(&w, 'd');
        wr_lower(&w, S("D"));
        wr_u64(&w, 1);
        wr_patch_be16(&w, 0, 0);
        assert_true(str_eq(wr_text(&w), S("abc")));
        assert_int_equal(out[3], 'z');
        wr_init(&w, out, 0);
        wr_str(&w, S(""));
        assert_int_equal(wr_end(&w), ERR_OK);
        wr_byte(&w, 'a');
        assert_int_equal(wr_end(&w), ERR_SPACE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_writes),
                cmocka_unit_test(test_full_sticks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
