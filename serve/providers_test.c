/* SPDX-License-Identifier: ISC */
#include "serve/providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct judge_window *window(struct providers *p, unsigned nth)
{
        char name[32];
        (void)snprintf(name, sizeof name, "d%u.example", nth);
        return providers_window(p, str_of_c(name));
}

/* Each has its own window, however many share a bucket; the one that was not asked for longest gives way. */
static void test_oldest_goes(void **state)
{
        (void)state;
        enum { ROUNDS = 3 * PROVIDERS_MAX };
        struct providers *p = calloc(1, sizeof *p);
        assert_non_null(p);
        for (unsigned i = 0; i < PROVIDERS_MAX; i++)
                window(p, i)->hour = i + 1;
        for (unsigned i = 0; i < PROVIDERS_MAX; i++)
                assert_int_equal(window(p, i)->hour, i + 1);
        for (unsigned i = PROVIDERS_MAX; i < ROUNDS; i++) {
                assert_int_equal(window(p, 7)->hour, 8); /* asked for again and again, it stays */
                assert_int_equal(window(p, i)->hour, 0);
                window(p, i)->hour = i + 1;
        }
        for (unsigned i = ROUNDS - PROVIDERS_MAX + 1; i < ROUNDS; i++)
                assert_int_equal(window(p, i)->hour, i + 1);
        assert_int_equal(window(p, 7)->hour, 8);
        assert_int_equal(window(p, 8)->hour, 0);
        free(p);
}

/* A domain is never so long; one that is shares the window of its beginning. */
static void test_long_names(void **state)
{
        (void)state;
        char *name = malloc(SMTP_DOMAIN_MAX + 10);
        struct providers *p = calloc(1, sizeof *p);
        assert_true(name && p);
        memset(name, 'a', SMTP_DOMAIN_MAX + 10);
        struct judge_window *w = providers_window(p, str_of(name, SMTP_DOMAIN_MAX));
        assert_ptr_equal(providers_window(p, str_of(name, SMTP_DOMAIN_MAX + 10)), w);
        assert_ptr_not_equal(providers_window(p, str_of(name, SMTP_DOMAIN_MAX - 1)), w);
        assert_ptr_equal(providers_window(p, S("")), providers_window(p, S("")));
        free(name);
        free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_oldest_goes),
                cmocka_unit_test(test_long_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
