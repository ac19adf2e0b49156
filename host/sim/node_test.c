/* SPDX-License-Identifier: ISC */
#include "host/sim/stage.h"

/* A process of b, and what it notes. */
struct process {
        struct stage *stage;
        struct host_listener *listener;
        enum err err;
        int64_t ended_ms;
        unsigned count;
        int status;
};

static int join(struct stage *s, struct sim_node *node)
{
        int status;
        assert_int_equal(sim_node_join(node, stage_in(s, 60000), &status), ERR_OK);
        assert_false(sim_node_is_running(node));
        return status;
}

/* Lives. */

static int sleep_a_second(struct host *h, void *arg)
{
        struct process *p = arg;
        p->err = fiber_sleep(h->sched, 1000);
        return p->status;
}

static void lives(struct stage *s)
{
        struct process p = {.stage = s, .status = 3};
        const struct ip *addresses;
        int status = 1;
        assert_ptr_equal(sim_node_find(s->sim, S("b")), s->b);
        assert_null(sim_node_find(s->sim, S("c")));
        assert_ptr_equal(sim_node_of(s->bh), s->b);
        assert_ptr_equal(sim_of(s->bh), s->sim);
        assert_int_equal(sim_node_addresses(s->b, &addresses), 2);
        assert_true(addresses[1].b[3] == 3);
        assert_null(sim_node_disk(s->b));
        assert_string_equal(sim_node_name(s->b), "b");
        assert_int_equal(join(s, s->b), 0); /* never started */
        for (int i = 0; i < 2; i++) {
                p.status = 3 + i;
                sim_node_start(s->b, sleep_a_second, &p);
                assert_true(sim_node_is_running(s->b));
                assert_int_equal(sim_node_join(s->b, stage_in(s, 999), &status), ERR_TIMEOUT);
                assert_int_equal(status, 0);
                assert_int_equal(join(s, s->b), 3 + i);
                assert_int_equal(join(s, s->b), 3 + i);
        }
        assert_int_equal(sim_node_counters(s->b).starts, 2);
        assert_int_equal(sim_now(s->sim), SIM_START_MS + 2000);
}

static int wait_stop_twice(struct host *h, void *arg)
{
        struct process *p = arg;
        for (; p->count < 2; p->count++) {
                p->err = host_wait_stop(h);
                assert_int_equal(p->err, ERR_OK);
                p->ended_ms = host_now_ms(h);
        }
        return 0;
}

static void stops(struct stage *s)
{
        struct process p = {.stage = s};
        sim_node_stop(s->b); /* nobody there */
        sim_node_start(s->b, wait_stop_twice, &p);
        sim_node_stop(s->b); /* before it asks */
        stage_sleep(s, 100);
        assert_int_equal(p.count, 1);
        sim_node_stop(s->b);
        assert_int_equal(join(s, s->b), 0);
        assert_int_equal(p.count, 2);
        assert_int_equal(p.ended_ms, SIM_START_MS + 100);
}

static void test_lives(void **state)
{
        (void)state;
        stage_check(1, lives);
        stage_check(1, stops);
}

/* Unwinding that goes wrong. */

static int linger(struct host *h, void *arg)
{
        struct process *p = arg;
        fiber_shield(h->sched, true);
        (void)!fiber_sleep(h->sched, p->status);
        fiber_shield(h->sched, false);
        return 0;
}

static int linger_below(struct host *h, void *arg)
{
        struct scope scope;
        (void)arg;
        scope_open(&scope, h->sched, FIBER_NEVER);
        (void)!scope_join(&scope);
        return linger(h, arg);
}

static int leave_open(struct host *h, void *arg)
{
        struct process *p = arg;
        assert_int_equal(host_listen(h, &p->stage->at, &p->listener), ERR_OK);
        return 0;
}

static void kill_and_join(struct stage *s)
{
        stage_sleep(s, 10);
        sim_node_kill(s->b, SIM_KILL_PROCESS);
        int status;
        if (sim_node_join(s->b, FIBER_NEVER, &status) != ERR_OK)
                assert_non_null(sim_failure(s->sim));
}

static void linger_shortly(struct stage *s)
{
        struct process p = {.stage = s, .status = 9000};
        sim_node_start(s->b, linger, &p);
        kill_and_join(s);
}

static void linger_long(struct stage *s)
{
        static struct process p = {.status = 11000};
        sim_node_start(s->b, linger_below, &p);
        kill_and_join(s);
}

static struct process left_open; /* what it forgets is freed by the test */

static void forget(struct stage *s)
{
        int status;
        left_open.stage = s;
        sim_node_start(s->b, leave_open, &left_open);
        enum err err = sim_node_join(s->b, FIBER_NEVER, &status);
        assert_true(err == ERR_OK || err == ERR_CANCELLED);
        host_listener_close(s->bh, left_open.listener);
}

static void test_unwinding(void **state)
{
        static const struct {
                const char *name;
                void (*body)(struct stage *s);
                const char *story;
        } cases[] = {
                {"shortly", linger_shortly, NULL},
                {"long", linger_long, "node b: fiber b lives on 10 s after the kill"},
                {"forgets a listener", forget, "node b ended with 1 things open"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct stage s = {0};
                stage_play(&s, 1, cases[i].body);
                const char *story = sim_failure(s.sim), *want = cases[i].story;
                if ((story == NULL) != (want == NULL) || (want != NULL && strcmp(story, want) != 0))
                        fail_msg("%s: %s", cases[i].name, story);
                stage_end(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lives),
                cmocka_unit_test(test_unwinding),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
