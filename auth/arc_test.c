/* SPDX-License-Identifier: ISC */
#include "auth/arc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/arc_chain.h"
#include "base/limits.h"

static void test_words(void **state)
{
        (void)state;
        static const char *const words[] = {"none", "pass", "fail"};
        enum arc_cv cv;
        for (size_t i = 0; i < 3; i++) {
                assert_true(str_eq(arc_cv_text((enum arc_cv)i), str_of_c(words[i])));
                assert_true(arc_cv_parse(str_of_c(words[i]), &cv));
                assert_int_equal(cv, i);
        }
        assert_true(arc_cv_parse(S("PASS"), &cv));
        assert_int_equal(cv, ARC_PASS);
        assert_false(arc_cv_parse(S("pas"), &cv));
        assert_int_equal(cv, ARC_NONE);
        assert_false(arc_cv_parse(S(""), &cv));
}

static void test_instances(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t instance;
        } cases[] = {{"1", 1}, {"01", 1}, {"50", 50}, {"51", 51}, {"99", 51}, {"18446744073709551617", 51},
                {"0", 0}, {"", 0}, {"-1", 0}, {"+1", 0}, {"1 ", 0}, {"1a", 0}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(arc_instance_parse(str_of_c(cases[i].text)), cases[i].instance);
}

static void test_results_instances(void **state)
{
        (void)state;
        static const struct {
                const char *body;
                size_t instance;
                const char *payload;
        } cases[] = {{"i=1; a", 1, " a"}, {" (c) i (=) = (;)\r\n 2 (d) ;", 2, ""}, {"i=1", 0, ""},
                {"i=;", 0, ""}, {"I=1;", 0, ""}, {"ii=1;", 0, ""}, {"i=1 a;", 0, ""}, {"a; i=1;", 0, ""},
                {"i=1x;", 0, ""}, {"(i=1;", 0, ""}, {"i 1;", 0, ""}, {"", 0, ""}, {"i=60;x", 51, "x"},
                {"i=0;x", 0, "x"}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str payload;
                assert_int_equal(arc_results_instance(str_of_c(cases[i].body), &payload), cases[i].instance);
                assert_true(str_eq(payload, str_of_c(cases[i].payload)));
        }
}

#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

/* Reasons are one printable line, and fit for the longest names. */
static void test_reasons(void **state)
{
        (void)state;
        char text[ARC_REASON_MAX];
        struct str name = S(LABEL "." LABEL "." LABEL "." LABEL);
        for (int fault = 0; fault < ARC_FAULT_COUNT; fault++)
                for (int dkim = 0; dkim < DKIM_FAULT_COUNT; dkim++) {
                        struct arc_verdict v = {.cv = ARC_FAIL,
                                .fault = (enum arc_fault)fault,
                                .dkim = (enum dkim_fault)dkim,
                                .instance = ARC_SETS_MAX,
                                .detail = name,
                                .domain = name,
                                .selector = name};
                        struct wr w;
                        wr_init(&w, text, sizeof text);
                        arc_reason_write(&w, &v);
                        assert_int_equal(wr_end(&w), ERR_OK);
                        for (size_t i = 0; i < w.n; i++)
                                assert_true(text[i] >= ' ' && text[i] < 127);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_instances),
                cmocka_unit_test(test_results_instances),
                cmocka_unit_test(test_reasons),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
