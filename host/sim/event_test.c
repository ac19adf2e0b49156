/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "host/sim/inside.h"

enum { N = 500 };

struct thing {
        struct event event; /* first */
        struct sim *sim;
        unsigned set; /* the how-manieth setting of all was its last */
        bool is_due, is_fired;
};

static struct thing *last; /* that fired */
static unsigned fired;

static void fire(struct event *e)
{
        struct thing *t = (struct thing *)e;
        assert_true(t->is_due && !t->is_fired && t->event.place == 0);
        assert_true(t->event.at_ms <= t->sim->now_ms);
        if (last != NULL)
                assert_true(last->event.at_ms < t->event.at_ms ||
                            (last->event.at_ms == t->event.at_ms && last->set < t->set));
        t->is_fired = true;
        last = t;
        fired++;
}

/* Random settings, resettings and droppings: what is left fires in order of time, and of setting. */
static void test_order(void **state)
{
        static struct thing things[N];
        struct sim *sim = sim_new(1, NULL);
        struct sim_random r = sim_random_of(5, S("test"), S("event"));
        unsigned due = 0;
        (void)state;
        fired = 0;
        for (unsigned i = 0; i < 4 * N; i++) {
                struct thing *t = &things[sim_random_below(&r, N)];
                t->event.fire = fire;
                t->sim = sim;
                t->set = i;
                t->is_due = sim_random_below(&r, 4) > 0;
                if (t->is_due)
                        event_set(sim, &t->event, SIM_START_MS + sim_random_between(&r, 0, 50));
                else
                        event_drop(sim, &t->event);
        }
        for (unsigned i = 0; i < N; i++)
                due += things[i].is_due;
        while (event_next(sim) != FIBER_NEVER) {
                sim->now_ms = event_next(sim) + 1;
                event_fire_due(sim);
        }
        assert_int_equal(fired, due);
        assert_true(due > N / 2 && sim_events(sim) == due);
        sim_free(sim);
}

/* One that never came is freed with the simulation, if it is a block of its own (AddressSanitizer tells). */
static void test_left_over(void **state)
{
        struct sim *sim = sim_new(1, NULL);
        struct event *e = calloc(1, sizeof *e);
        struct event stays = {.fire = fire};
        (void)state;
        assert_non_null(e);
        *e = (struct event){.is_heap = true, .fire = fire};
        event_set(sim, e, 5000);
        event_set(sim, &stays, 4000);
        assert_int_equal(event_next(sim), 4000);
        event_fire_due(sim);
        sim_free(sim);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_left_over),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
