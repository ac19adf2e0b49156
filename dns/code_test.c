/* SPDX-License-Identifier: ISC */
#include "dns/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_texts(void **state)
{
        (void)state;
        assert_true(str_eq(dns_rcode_text(DNS_RCODE_NOERROR), S("NOERROR")));
        assert_true(str_eq(dns_rcode_text(DNS_RCODE_NXRRSET), S("NXRRSET")));
        assert_true(str_eq(dns_rcode_text(16), S("BADVERS")));
        assert_true(str_eq(dns_rcode_text(4095), S("RCODE?")));
        assert_true(str_eq(dns_tsig_error_text(0), S("NOERROR")));
        assert_true(str_eq(dns_tsig_error_text(16), S("BADSIG")));
        assert_true(str_eq(dns_tsig_error_text(17), S("BADKEY")));
        assert_true(str_eq(dns_tsig_error_text(18), S("BADTIME")));
        assert_true(str_eq(dns_tsig_error_text(22), S("BADTRUNC")));
        assert_true(str_eq(dns_tsig_error_text(65535), S("RCODE?")));
        assert_true(str_eq(dns_type_text(DNS_TYPE_TXT), S("TXT")));
        assert_true(str_eq(dns_type_text(65535), S("TYPE?")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
