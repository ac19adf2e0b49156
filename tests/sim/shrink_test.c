/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/generate.h"
#include "tests/sim/shrink.h"

struct wanted {
        enum verb verbs[3]; /* fails while all of these stand there */
        unsigned calls;
};

static bool has_all(void *ctx, const struct scenario *s)
{
        struct wanted *w = ctx;
        w->calls++;
        for (size_t k = 0; k < 3; k++) {
                size_t i = 0;
                while (i < s->count && s->statements[i].verb != w->verbs[k])
                        i++;
                if (i == s->count)
                        return false;
        }
        return true;
}

static struct scenario generated(uint64_t seed)
{
        struct scenario s;
        struct scenario_fault fault;
        struct wr w;
        char *text = malloc(GENERATE_ROOM);
        assert_non_null(text);
        wr_init(&w, text, GENERATE_ROOM);
        generate(seed, &w);
        assert_false(w.full);
        if (scenario_parse(wr_text(&w), &s, &fault) != ERR_OK)
                fail_msg("seed %u: line %u: %s", (unsigned)seed, fault.line, fault.text);
        free(text);
        return s;
}

static void what_is_generated_is_a_scenario(void **state)
{
        (void)state;
        for (uint64_t seed = 0; seed < 2000; seed++) {
                struct scenario s = generated(seed);
                assert_true(s.count > 10);
                scenario_free(&s);
        }
}

static void seeds_differ(void **state)
{
        char *text = malloc(2 * GENERATE_ROOM);
        struct wr a, b;
        (void)state;
        assert_non_null(text);
        wr_init(&a, text, GENERATE_ROOM);
        wr_init(&b, text + GENERATE_ROOM, GENERATE_ROOM);
        generate(1, &a);
        generate(2, &b);
        assert_false(str_eq(wr_text(&a), wr_text(&b)));
        wr_init(&b, text + GENERATE_ROOM, GENERATE_ROOM);
        generate(1, &b);
        assert_true(str_eq(wr_text(&a), wr_text(&b)));
        free(text);
}

/* A post needs an author and a list, and a list a domain: nothing else is left. */
static void only_what_is_needed_stays(void **state)
{
        struct wanted wanted = {{VERB_POST, VERB_RESOLVER, VERB_POST}, 0};
        struct scenario s = generated(1);
        struct scenario_fault fault;
        (void)state;
        assert_true(has_all(&wanted, &s));
        shrink(&s, has_all, &wanted, 10000);
        assert_true(has_all(&wanted, &s));
        assert_int_equal(scenario_check(&s, &fault), ERR_OK);
        assert_true(s.count <= 5);
        scenario_free(&s);
}

static void tries_are_bounded(void **state)
{
        struct wanted wanted = {{VERB_POST, VERB_RESOLVER, VERB_POST}, 0};
        struct scenario s = generated(1);
        (void)state;
        shrink(&s, has_all, &wanted, 7);
        assert_int_equal(wanted.calls, 7);
        assert_true(has_all(&wanted, &s));
        scenario_free(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_generated_is_a_scenario),
                cmocka_unit_test(seeds_differ),
                cmocka_unit_test(only_what_is_needed_stays),
                cmocka_unit_test(tries_are_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
