/* SPDX-License-Identifier: ISC */
#include "list/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_readings(void **state)
{
        (void)state;
        static const struct {
                const char *local;
                size_t nth;
                enum route_kind kind;
                const char *list, *token;
        } cases[] = {
                {"ptt", 0, ROUTE_POST, "ptt", ""},
                {"ptt", 1, ROUTE_NONE, "", ""},
                {"PTT", 0, ROUTE_POST, "PTT", ""},
                {"a-b.c", 0, ROUTE_POST, "a-b.c", ""},
                {"ptt-return-abc", 0, ROUTE_POST, "ptt-return-abc", ""},
                {"ptt-return-abc", 1, ROUTE_RETURN, "ptt", "abc"},
                {"ptt-return-abc", 2, ROUTE_NONE, "", ""},
                {"ptt-RETURN-abc", 1, ROUTE_RETURN, "ptt", "abc"},
                {"a-return-b-return-c", 1, ROUTE_RETURN, "a-return-b", "c"},
                {"a-return-b-return-c", 2, ROUTE_RETURN, "a", "b-return-c"},
                {"a-return-b-return-c", 3, ROUTE_NONE, "", ""},
                {"-return-c", 1, ROUTE_NONE, "", ""},
                {"ptt-return-", 1, ROUTE_RETURN, "ptt", ""},
                {"_signed.ABC", 0, ROUTE_SIGNED, "", "ABC"},
                {"_signed.a-return-b", 1, ROUTE_NONE, "", ""},
                {"postmaster", 0, ROUTE_POSTMASTER, "", ""},
                {"PostMaster", 0, ROUTE_POSTMASTER, "", ""},
                {"abuse", 0, ROUTE_POSTMASTER, "", ""},
                {"abuse", 1, ROUTE_NONE, "", ""},
                {"", 0, ROUTE_POST, "", ""},
                {"", 1, ROUTE_NONE, "", ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct route r = route_read(str_of_c(cases[i].local), cases[i].nth);
                assert_int_equal(r.kind, cases[i].kind);
                assert_true(str_eq(r.list, str_of_c(cases[i].list)));
                assert_true(str_eq(r.token, str_of_c(cases[i].token)));
        }
}

static void test_reserved_names(void **state)
{
        (void)state;
        static const char *const reserved[] = {"ptt-subscribe", "ptt-Owner", "a-return-b", "a-remove",
                "postmaster", "Abuse", "admin-request", "_signed.x", "x-why", "x-confirm-"};
        static const char *const fine[] = {"ptt", "subscribe", "owner", "a-b", "returns", "remove", "a.b",
                "help", "-owner", "my-returns"};
        for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
                assert_true(route_is_reserved(str_of_c(reserved[i])));
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
                assert_false(route_is_reserved(str_of_c(fine[i])));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_readings),
                cmocka_unit_test(test_reserved_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
