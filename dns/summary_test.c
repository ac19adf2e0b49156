/* SPDX-License-Identifier: ISC */
#include "dns/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/test_input.h"

#define HEADER(an, ns, ar) "\0\1\200\3\0\0\0" an "\0" ns "\0" ar
#define OPT "\0\0\51\4\320\1\0\200\0\0\0"                 /* extended rcode 1, DO */
#define OPT_OPTION "\0\0\51\4\320\0\0\0\0\0\6\0\12\0\2xy" /* one option of two octets */
#define OPT_CUT "\0\0\51\4\320\0\0\0\0\0\5\0\12\0\2x"     /* whose second is missing */
#define OPT_OWNED "\1a\0\0\51\4\320\0\0\0\0\0\0"          /* at a name */
#define TSIG "\1k\0\0\372\0\377\0\0\0\0\0\0"              /* as far as a summary looks */
#define A "\1h\0\0\1\0\1\0\0\0\74\0\4\300\0\2\1"

static void test_summary(void **state)
{
        (void)state;
        static const struct {
                const char *label;
                struct str message;
                enum err err;
                uint16_t rcode;
                bool edns, tsig;
        } cases[] = {
                {"plain", {HEADER("\1", "\0", "\0") A, 12 + sizeof A - 1}, ERR_OK, 3, false, false},
                {"edns", {HEADER("\0", "\0", "\1") OPT, 12 + sizeof OPT - 1}, ERR_OK, 19, true, false},
                {"option", {HEADER("\0", "\0", "\1") OPT_OPTION, 12 + sizeof OPT_OPTION - 1}, ERR_OK, 3, true,
                        false},
                {"option cut", {HEADER("\0", "\0", "\1") OPT_CUT, 12 + sizeof OPT_CUT - 1}, ERR_SYNTAX, 3,
                        false, false},
                {"OPT at a name", {HEADER("\0", "\0", "\1") OPT_OWNED, 12 + sizeof OPT_OWNED - 1}, ERR_SYNTAX,
                        3, false, false},
                {"two OPT", {HEADER("\0", "\0", "\2") OPT OPT, 12 + 2 * (sizeof OPT - 1)}, ERR_SYNTAX, 19,
                        true, false},
                {"OPT in the answer", {HEADER("\1", "\0", "\0") OPT, 12 + sizeof OPT - 1}, ERR_SYNTAX, 3,
                        false, false},
                {"TSIG last", {HEADER("\0", "\0", "\2") OPT TSIG, 12 + sizeof OPT TSIG - 1}, ERR_OK, 19, true,
                        true},
                {"TSIG not last", {HEADER("\0", "\0", "\2") TSIG OPT, 12 + sizeof OPT TSIG - 1}, ERR_SYNTAX,
                        3, false, true},
                {"two TSIG", {HEADER("\0", "\0", "\2") TSIG TSIG, 12 + sizeof TSIG TSIG - 1}, ERR_SYNTAX, 3,
                        false, true},
                {"TSIG in the answer", {HEADER("\1", "\0", "\0") TSIG, 12 + sizeof TSIG - 1}, ERR_SYNTAX, 3,
                        false, true},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str message = heap_copy(cases[i].message);
                struct dns_summary summary;
                assert_int_equal(dns_summary_read(message, &summary), cases[i].err);
                assert_int_equal(summary.rcode, cases[i].rcode);
                assert_int_equal(summary.has_edns, cases[i].edns);
                assert_int_equal(summary.has_tsig, cases[i].tsig);
                heap_free(message);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_summary),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
