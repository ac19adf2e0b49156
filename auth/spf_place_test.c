/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/spf_place.h"
#include "base/exact.h"

static void test_domains(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t labels; /* 0: malformed */
        } cases[] = {
                {"", 0},
                {".", 0},
                {"a", 1},
                {"a.b", 2},
                {"a.b.", 2},
                {"a.b..", 0},
                {".a", 0},
                {"a..b", 0},
                {"a b.c\\.d/e:f", 3}, /* no escapes */
                {"\xff.a", 2},
                {"123456789012345678901234567890123456789012345678901234567890123.a", 2},
                {"1234567890123456789012345678901234567890123456789012345678901234.a", 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].text));
                struct spf_place p;
                char room[300];
                struct wr w;
                if (spf_place_parse(&p, text) != (cases[i].labels > 0))
                        fail_msg("%s", cases[i].text);
                wr_init(&w, room, sizeof room);
                if (cases[i].labels > 0) {
                        assert_int_equal(dns_name_labels(&p.name), cases[i].labels);
                        spf_place_write_name(&w, &p.name);
                        assert_true(str_eq(wr_text(&w), str_of(p.text, p.text_n)));
                        assert_true(str_has_prefix(text, wr_text(&w)));
                }
                exact_free(text);
        }
}

/* 7.3 */
static void test_labels_are_cut_off_at_the_left(void **state)
{
        (void)state;
        char text[400];
        struct spf_place p;
        memset(text, 'x', sizeof text);
        for (size_t i = 9; i < sizeof text; i += 10)
                text[i] = '.';
        for (size_t n = 1; n <= sizeof text; n++) {
                struct str all = exact(str_of(text, n));
                size_t kept = n % 10 == 0 ? n - 1 : n; /* without the last dot */
                while (kept > SPF_DOMAIN_TEXT_MAX)
                        kept -= 10;
                assert_true(spf_place_parse(&p, all));
                assert_int_equal(p.text_n, kept);
                exact_free(all);
        }
        memset(text, 'x', sizeof text);
        assert_false(spf_place_parse(&p, str_of(text, sizeof text)));
        assert_int_equal(p.text_n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_labels_are_cut_off_at_the_left),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
