/* SPDX-License-Identifier: ISC */
#include "mail/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/time_text.h"

static const struct {
        const char *text;
        enum err err;
        int64_t unix_s;
        int zone_min;
        bool zone_is_known;
} cases[] = {
        {"Thu, 20 May 2004 14:28:51 +0200", ERR_OK, 1085056131, 120, true},
        {" Thu, 20 May 2004 14:28:51 +0200 (CEST)", ERR_OK, 1085056131, 120, true},
        {"thu,20 may 2004 14:28:51 +0200", ERR_OK, 1085056131, 120, true},
        {"20 May 2004 12:28:51 GMT", ERR_OK, 1085056131, 0, true},
        {"20 May 2004 12:28:51 UTC", ERR_OK, 1085056131, 0, true},
        {"20 May 04 12:28:51 UT", ERR_OK, 1085056131, 0, true},
        {"20 May 104 12:28:51 UT", ERR_OK, 1085056131, 0, true},
        {"20 May 2004 08:28:51 EDT", ERR_OK, 1085056131, -240, true},
        {"20 May 2004 05:28:51 pdt", ERR_OK, 1085056131, -420, true},
        {"20 May 2004 12:28:51 -0000", ERR_OK, 1085056131, 0, false},
        {"20 May 2004 12:28:51 Z", ERR_OK, 1085056131, 0, false},
        {"20 May 2004 12:28:51 CEST", ERR_OK, 1085056131, 0, false},
        {"20 May 2004 12:28 +0000", ERR_OK, 1085056080, 0, true},
        {"(a (b)) Thu (c) , 20\r\n May(d)2004 12 : 28 (e\\)): 51 +0000\r\n (f)", ERR_OK, 1085056131, 0, true},
        {"Mon, 20 May 2004 12:28:51 +0000", ERR_OK, 1085056131, 0, true}, /* it was a Thursday */
        {"31 Dec 2016 23:59:60 +0000", ERR_OK, 1483228800, 0, true},
        {"1 Jan 1970 00:00:00 +0000", ERR_OK, 0, 0, true},
        {"31 Dec 1969 23:59:59 +0000", ERR_LIMIT, 0, 0, false},
        {"1 Jan 1970 00:00:00 +0001", ERR_LIMIT, 0, 0, false},
        {"1 Jan 50 00:00:00 +0000", ERR_LIMIT, 0, 0, false},
        {"31 Dec 9999 23:59:59 +0000", ERR_OK, TIME_UNIX_MAX, 0, true},
        {"31 Dec 9999 23:59:59 -0001", ERR_LIMIT, 0, 0, false},
        {"31 Dec 10000 23:59:59 +0000", ERR_LIMIT, 0, 0, false},
        {"29 Feb 2000 00:00:00 +0000", ERR_OK, 951782400, 0, true},
        {"29 Feb 2100 00:00:00 +0000", ERR_SYNTAX, 0, 0, false},
        {"31 Apr 2004 00:00:00 +0000", ERR_SYNTAX, 0, 0, false},
        {"0 May 2004 00:00:00 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 24:00:00 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 23:60:00 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 23:59:61 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 +2400", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 +0060", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 + 0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 +00000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 J", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 +0000 x", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004 12:28:51 +0000 (x", ERR_SYNTAX, 0, 0, false},
        {"Thur, 20 May 2004 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"Thu 20 May 2004 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 Mai 2004 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 anF 2004 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 4 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"20 May 2004000 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"99999999999999999999 May 2004 12:28:51 +0000", ERR_SYNTAX, 0, 0, false},
        {"2004-05-20T12:28:51Z", ERR_SYNTAX, 0, 0, false},
        {"", ERR_SYNTAX, 0, 0, false},
};

static void test_parse(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct mail_date date = {1, 1, true};
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                assert_int_equal(mail_date_parse(text, &date), cases[i].err);
                assert_int_equal(date.unix_s, cases[i].unix_s);
                assert_int_equal(date.zone_min, cases[i].zone_min);
                assert_int_equal(date.zone_is_known, cases[i].zone_is_known);
                exact_free(text);
        }
}

static void test_every_prefix_fails(void **state)
{
        (void)state;
        struct str whole = S("Thu, 20 May 2004 14:28:51 +0200");
        for (size_t n = 0; n < whole.n; n++) {
                struct mail_date date;
                struct str text = exact(str_take(whole, n));
                assert_int_equal(mail_date_parse(text, &date), ERR_SYNTAX);
                exact_free(text);
        }
}

static void test_write(void **state)
{
        (void)state;
        static const struct {
                struct mail_date date;
                const char *want;
        } writes[] = {
                {{1795366800, 0, true}, "Sun, 22 Nov 2026 17:00:00 +0000"},
                {{1795366800, 90, true}, "Sun, 22 Nov 2026 18:30:00 +0130"},
                {{1795366800, -510, true}, "Sun, 22 Nov 2026 08:30:00 -0830"},
                {{1795366800, 0, false}, "Sun, 22 Nov 2026 17:00:00 -0000"},
                {{0, 0, true}, "Thu, 01 Jan 1970 00:00:00 +0000"},
                {{INT64_MIN, 0, true}, "Thu, 01 Jan 1970 00:00:00 +0000"},
                {{INT64_MAX, 60, true}, "Fri, 31 Dec 9999 23:59:59 +0100"},
        };
        for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
                char out[31];
                struct wr w;
                wr_init(&w, out, sizeof out);
                mail_date_write(&w, &writes[i].date);
                assert_true(str_eq(wr_text(&w), str_of_c(writes[i].want)));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_every_prefix_fails),
                cmocka_unit_test(test_write),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
