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
                {"ptt-subscribe", 1, ROUTE_SUBSCRIBE, "ptt", ""},
                {"PTT-Unsubscribe", 1, ROUTE_UNSUBSCRIBE, "PTT", ""},
                {"ptt-subscribers", 1, ROUTE_SUBSCRIBERS, "ptt", ""},
                {"ptt-settings", 1, ROUTE_SETTINGS, "ptt", ""},
                {"ptt-options", 1, ROUTE_OPTIONS, "ptt", ""},
                {"ptt-help", 1, ROUTE_HELP, "ptt", ""},
                {"ptt-request", 1, ROUTE_REQUEST, "ptt", ""},
                {"ptt-why", 1, ROUTE_WHY, "ptt", ""},
                {"ptt-owner", 1, ROUTE_OWNER, "ptt", ""},
                {"ptt-confirm-abc", 1, ROUTE_CONFIRM, "ptt", "abc"},
                {"ptt-accept-abc", 1, ROUTE_ACCEPT, "ptt", "abc"},
                {"ptt-reject-abc", 1, ROUTE_REJECT, "ptt", "abc"},
                {"ptt-remove-ann=a.example", 1, ROUTE_REMOVE, "ptt", "ann=a.example"},
                {"ptt-remove-ann-x=a-b.example", 1, ROUTE_REMOVE, "ptt", "ann-x=a-b.example"},
                {"ptt-remove-x-return=a.example", 1, ROUTE_REMOVE, "ptt", "x-return=a.example"},
                {"ptt-remove-x-help", 1, ROUTE_HELP, "ptt-remove-x", ""},
                {"ptt-remove-x-help", 2, ROUTE_REMOVE, "ptt", "x-help"},
                {"a-b-c.d-subscribe", 1, ROUTE_SUBSCRIBE, "a-b-c.d", ""},
                {"a-subscribe-subscribe", 1, ROUTE_SUBSCRIBE, "a-subscribe", ""},
                {"a-subscribe-subscribe", 2, ROUTE_NONE, "", ""},
                {"ptt-subscriber", 1, ROUTE_NONE, "", ""},
                {"ptt-subscribe-x", 1, ROUTE_NONE, "", ""},
                {"ptt-confirm", 1, ROUTE_NONE, "", ""},
                {"-subscribe", 1, ROUTE_NONE, "", ""},
                {"ptt--help", 1, ROUTE_HELP, "ptt-", ""},
                {"help", 1, ROUTE_NONE, "", ""},
                {"a23456789012345678901234567890-confirm-abcdefghijklmnopqrstuvwx", 1, ROUTE_CONFIRM,
                        "a23456789012345678901234567890", "abcdefghijklmnopqrstuvwx"},
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

/* What a list's word is, its address is read as. */
static void test_words(void **state)
{
        (void)state;
        for (enum route_kind kind = 0; kind < ROUTE_KINDS; kind++) {
                char local[100];
                struct wr w;
                struct str word = route_word(kind);
                const bool is_list_route = kind >= ROUTE_SUBSCRIBE && kind <= ROUTE_RETURN;
                assert_int_equal(word.n > 0, is_list_route);
                assert_int_equal(
                        route_is_command(kind), is_list_route && kind != ROUTE_OWNER && kind != ROUTE_RETURN);
                wr_init(&w, local, sizeof local);
                wr_str(&w, S("ptt-"));
                wr_str(&w, word);
                if (kind >= ROUTE_REMOVE && kind != ROUTE_OWNER)
                        wr_str(&w, S("-x"));
                if (is_list_route)
                        assert_int_equal(route_read(wr_text(&w), 1).kind, kind);
                if (is_list_route)
                        assert_true(route_is_reserved(wr_text(&w)));
        }
        assert_int_equal(route_word(ROUTE_KINDS).n, 0);
}

static void test_reserved_names(void **state)
{
        (void)state;
        static const char *const reserved[] = {"ptt-subscribe", "ptt-Owner", "a-return-b", "a-remove",
                "postmaster", "Abuse", "Admin", "admin-request", "_signed.x", "x-why", "x-confirm-"};
        static const char *const fine[] = {"ptt", "subscribe", "owner", "a-b", "returns", "remove", "a.b",
                "help", "-owner", "my-returns", "admins"};
        for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
                assert_true(route_is_reserved(str_of_c(reserved[i])));
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
                assert_false(route_is_reserved(str_of_c(fine[i])));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_readings),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_reserved_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
