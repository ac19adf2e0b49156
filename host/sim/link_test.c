/* SPDX-License-Identifier: ISC */
/* What links do to those who speak over them. */
#include "host/sim/stage.h"

/* Read all that comes within `ms`, and how it ends. */
static enum err drain(struct stage *s, struct host *h, struct host_tcp *t, int64_t ms, size_t *all)
{
        char bytes[256];
        size_t n;
        int64_t by_ms = stage_in(s, ms);
        enum err err;
        for (*all = 0; (err = host_tcp_read(h, t, bytes, sizeof bytes, by_ms, &n)) == ERR_OK; *all += n)
                ;
        return err;
}

/* Cuts at a byte: what each end sees. `a` writes 100 bytes in bursts of 10, `b` answers with 5 when it has seen 100, or
 * its end. */

static const struct cut_case {
        const char *name;
        uint64_t at;
        enum sim_cut how;
        size_t arrived;
        enum err far, near;  /* how reading for a minute ends */
        enum err near_write; /* of one more byte, and what reading it is answered with */
        enum err far_write;
} cut_cases[] = {
        {"reset at the first", 1, SIM_CUT_RESET, 0, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED},
        {"reset in a burst", 35, SIM_CUT_RESET, 34, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED},
        {"reset between two", 41, SIM_CUT_RESET, 40, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED},
        {"reset at the last", 100, SIM_CUT_RESET, 99, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED, ERR_CLOSED},
        {"behind all", 102, SIM_CUT_RESET, 100, ERR_TIMEOUT, ERR_TIMEOUT, ERR_OK, ERR_OK},
        {"silence", 35, SIM_CUT_SILENCE, 34, ERR_TIMEOUT, ERR_TIMEOUT, ERR_OK, ERR_OK},
        {"half", 35, SIM_CUT_HALF, 34, ERR_TIMEOUT, ERR_CLOSED, ERR_CLOSED, ERR_OK},
};

static void write_bursts(struct stage *s, struct host_tcp *t)
{
        for (unsigned i = 0; i < 10; i++) {
                enum err err = host_tcp_write(s->ah, t, S("0123456789"), FIBER_NEVER);
                assert_true(err == ERR_OK || err == ERR_CLOSED);
                stage_sleep(s, 3);
        }
}

static void cut_at_byte(struct stage *s)
{
        const struct cut_case *c = s->arg;
        size_t n;
        sim_link_cut_next(s->sim, s->a, s->b, c->at, c->how);
        struct pair p = pair_open(s);
        write_bursts(s, p.near);
        assert_int_equal(drain(s, s->bh, p.far, 60000, &n), c->far);
        assert_int_equal(n, c->arrived);
        assert_int_equal(drain(s, s->ah, p.near, 60000, &n), c->near);
        assert_int_equal(host_tcp_write(s->ah, p.near, S("x"), FIBER_NEVER), c->near_write);
        assert_int_equal(host_tcp_write(s->bh, p.far, S("x"), FIBER_NEVER), c->far_write);
        if (c->how == SIM_CUT_HALF) { /* now the other end hears of it */
                stage_sleep(s, 2 * LATENCY_MS);
                assert_int_equal(host_tcp_write(s->bh, p.far, S("x"), FIBER_NEVER), ERR_CLOSED);
        }
        struct host_tcp *t; /* the plan is spent */
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_OK);
        write_bursts(s, t);
        assert_int_equal(host_tcp_write(s->ah, t, S("x"), FIBER_NEVER), ERR_OK);
        host_tcp_close(s->ah, t);
        pair_close(s, &p);
}

static void test_cut_at_byte(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cut_cases / sizeof cut_cases[0]; i++) {
                struct cut_case c = cut_cases[i];
                struct stage s = {.arg = &c};
                print_message("%s\n", c.name);
                stage_play(&s, 1, cut_at_byte);
                assert_null(sim_failure(s.sim));
                assert_int_equal(stage_has(&s, "a cut #1"), c.at <= 100);
                stage_end(&s);
        }
}

/* Plans queue up, each for the next connection; and the other direction has its own. */
static void cut_plans(struct stage *s)
{
        struct host_listener *l;
        size_t n;
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        sim_link_cut_next(s->sim, s->a, s->b, 3, SIM_CUT_RESET);
        sim_link_cut_next(s->sim, s->a, s->b, 6, SIM_CUT_RESET);
        sim_link_cut_next(s->sim, s->b, s->a, 1, SIM_CUT_RESET);
        for (size_t want = 2; want <= 8; want += 3) {
                struct host_tcp *near, *far;
                struct ip_port peer;
                assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &near), ERR_OK);
                assert_int_equal(host_accept(s->bh, l, FIBER_NEVER, &far, &peer), ERR_OK);
                assert_int_equal(host_tcp_write(s->ah, near, S("01234567"), FIBER_NEVER), ERR_OK);
                assert_int_equal(drain(s, s->bh, far, 1000, &n), want == 8 ? ERR_TIMEOUT : ERR_CLOSED);
                assert_int_equal(n, want);
                host_tcp_close(s->ah, near);
                host_tcp_close(s->bh, far);
        }
        host_listener_close(s->bh, l);
}

/* Cuts of now, by node and of all. */
static void cut_now(struct stage *s)
{
        struct pair p = pair_open(s);
        size_t n;
        assert_int_equal(host_tcp_write(s->ah, p.near, S("lost"), FIBER_NEVER), ERR_OK);
        assert_int_equal(sim_link_cut(s->sim, s->a, s->a, SIM_CUT_RESET), 0);
        assert_int_equal(sim_link_cut(s->sim, s->b, s->a, SIM_CUT_RESET), 1);
        assert_int_equal(drain(s, s->bh, p.far, 1000, &n), ERR_CLOSED);
        assert_int_equal(n, 0);
        assert_int_equal(drain(s, s->ah, p.near, 1000, &n), ERR_CLOSED);
        pair_close(s, &p);
        p = pair_open(s);
        assert_int_equal(sim_link_cut(s->sim, NULL, NULL, SIM_CUT_HALF), 1);
        assert_int_equal(drain(s, s->ah, p.near, 1000, &n), ERR_CLOSED);
        assert_int_equal(drain(s, s->bh, p.far, 1000, &n), ERR_TIMEOUT);
        pair_close(s, &p);
}

/* Cuts by chance: about as many as asked for, in every manner. */

enum { CHANCES = 300 };

static void cut_by_chance(struct stage *s)
{
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        struct host_listener *l;
        unsigned whole = 0;
        link.cut_ppm = SIM_PPM / 2;
        link.cut_within = 100;
        link.cut_how = SIM_CUT_ANY;
        sim_link_set(s->sim, s->a, s->b, &link);
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        for (unsigned i = 0; i < CHANCES; i++) {
                struct host_tcp *near, *far;
                struct ip_port peer;
                size_t n;
                assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &near), ERR_OK);
                assert_int_equal(host_accept(s->bh, l, FIBER_NEVER, &far, &peer), ERR_OK);
                write_bursts(s, near);
                (void)drain(s, s->bh, far, 1000, &n);
                assert_true(n <= 100);
                whole += n == 100;
                host_tcp_close(s->ah, near);
                host_tcp_close(s->bh, far);
        }
        assert_in_range(whole, CHANCES * 4 / 10, CHANCES * 6 / 10);
        host_listener_close(s->bh, l);
}

static void test_cuts(void **state)
{
        struct stage s = {0};
        (void)state;
        stage_check(1, cut_plans);
        stage_check(1, cut_now);
        stage_play(&s, 1, cut_by_chance);
        assert_null(sim_failure(s.sim));
        assert_true(stage_has(&s, " reset behind ") && stage_has(&s, " silence behind ") &&
                    stage_has(&s, " half behind "));
        stage_end(&s);
}

/* A link that is down for a time: nothing is lost to TCP, it only comes later; as often as a kernel tries. */
static void down_for_a_time(struct stage *s)
{
        struct pair p = pair_open(s);
        size_t n;
        sim_link_down(s->sim, s->a, s->b, stage_in(s, 60000));
        assert_int_equal(host_tcp_write(s->ah, p.near, S("later"), FIBER_NEVER), ERR_OK);
        assert_int_equal(host_tcp_write(s->bh, p.far, S("now"), FIBER_NEVER), ERR_OK);
        assert_int_equal(drain(s, s->ah, p.near, 1000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 3);
        assert_int_equal(drain(s, s->bh, p.far, 58000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 0);
        assert_int_equal(drain(s, s->bh, p.far, 60000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 5);
        pair_close(s, &p);
}

static void down_for_ever(struct stage *s)
{
        struct pair p = pair_open(s);
        struct host_tcp *t;
        size_t n;
        sim_link_down(s->sim, NULL, s->b, FIBER_NEVER);
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 60000), &t), ERR_TIMEOUT);
        int64_t before_ms = sim_now(s->sim);
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_TIMEOUT);
        assert_int_equal(sim_now(s->sim) - before_ms, 127000 + 2 * LATENCY_MS);
        assert_int_equal(host_tcp_write(s->ah, p.near, S("x"), FIBER_NEVER), ERR_OK);
        assert_int_equal(drain(s, s->ah, p.near, 14 * 60000, &n), ERR_TIMEOUT);
        assert_int_equal(drain(s, s->ah, p.near, 4 * 60000, &n), ERR_CLOSED);
        assert_int_equal(drain(s, s->bh, p.far, 3600000, &n), ERR_TIMEOUT);
        pair_close(s, &p);
}

static void down_and_mended(struct stage *s)
{
        struct host_listener *l;
        struct host_tcp *t;
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        sim_link_down(s->sim, s->b, s->a, FIBER_NEVER); /* the answer of the handshake is lost */
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 5000), &t), ERR_TIMEOUT);
        sim_link_down(s->sim, s->b, s->a, stage_in(s, 2000));
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 5000), &t), ERR_OK);
        host_tcp_close(s->ah, t);
        sim_link_down(s->sim, NULL, NULL, FIBER_NEVER);
        sim_heal(s->sim);
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 2 * LATENCY_MS + 1), &t), ERR_OK);
        host_tcp_close(s->ah, t);
        host_listener_close(s->bh, l);
}

static enum err connect_for(struct stage *s, struct sim_node *from, struct sim_node *to)
{
        const struct ip *ip;
        struct host_tcp *t;
        assert_true(sim_node_addresses(to, &ip) > 0);
        struct ip_port at = {.ip = *ip, .port = 79};
        return host_connect(sim_node_host(from), &at, stage_in(s, 500), &t);
}

static void partition(struct stage *s)
{
        const struct ip c_ip = ip_v4(10, 0, 0, 4);
        struct sim_node *c = sim_node_add(s->sim, "c", &c_ip, 1, NULL), *side[] = {s->a, c};
        sim_partition(s->sim, side, 2, stage_in(s, 10000));
        assert_int_equal(connect_for(s, s->a, s->b), ERR_TIMEOUT);
        assert_int_equal(connect_for(s, s->b, c), ERR_TIMEOUT);
        assert_int_equal(connect_for(s, s->a, c), ERR_REFUSED);
        assert_int_equal(connect_for(s, s->b, s->b), ERR_REFUSED);
        stage_sleep(s, 10000);
        assert_int_equal(connect_for(s, s->a, s->b), ERR_REFUSED);
        assert_int_equal(connect_for(s, s->b, c), ERR_REFUSED);
}

/* A machine that loses its power while its kernel still tries to send the last words of an ended process. */
static void power_goes_with_last_words(struct stage *s)
{
        struct pair p = pair_open(s);
        size_t n;
        sim_link_down(s->sim, s->b, s->a, stage_in(s, 30000));
        assert_int_equal(host_tcp_write(s->bh, p.far, S("bye"), FIBER_NEVER), ERR_OK);
        host_tcp_close(s->bh, p.far);
        host_listener_close(s->bh, p.listener);
        stage_sleep(s, 1000);
        sim_node_kill(s->b, SIM_KILL_POWER);
        assert_int_equal(drain(s, s->ah, p.near, 3600000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 0);
        host_tcp_close(s->ah, p.near);
}

struct connecting {
        struct stage *stage;
        struct host_tcp *t;
};

static void connect_later(void *arg)
{
        struct connecting *c = arg;
        assert_int_equal(host_connect(c->stage->ah, &c->stage->at, FIBER_NEVER, &c->t), ERR_OK);
}

/* The machine is on, and its process leaves the ports to the test. */
static int wait_for_stop(struct host *h, void *arg)
{
        (void)arg;
        return host_wait_stop(h) == ERR_OK ? 0 : 1;
}

/* A connection that was begun before its peer lost the power, and made after: it is as good as any. */
static void power_goes_while_connecting(struct stage *s)
{
        struct sim_link link = sim_link_get(s->sim, s->b, s->a);
        size_t n;
        sim_link_down(s->sim, s->a, s->b, stage_in(s, 2000));
        link.loss_ppm = SIM_PPM; /* each burst is sent twice */
        sim_link_set(s->sim, s->b, s->a, &link);
        struct host_listener *l;
        struct host_tcp *far;
        struct ip_port peer;
        struct connecting c = {.stage = s};
        struct scope scope;
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "connect", connect_later, &c), ERR_OK);
        stage_sleep(s, 500);
        sim_node_kill(s->b, SIM_KILL_POWER);
        sim_node_start(s->b, wait_for_stop, NULL);
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(host_accept(s->bh, l, FIBER_NEVER, &far, &peer), ERR_OK);
        assert_int_equal(host_tcp_write(s->bh, far, S("220 b"), FIBER_NEVER), ERR_OK);
        assert_int_equal(drain(s, s->ah, c.t, 1000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 5);
        host_tcp_close(s->ah, c.t);
        host_tcp_close(s->bh, far);
        host_listener_close(s->bh, l);
        sim_node_stop(s->b);
}

static void test_down(void **state)
{
        (void)state;
        stage_check(1, down_for_a_time);
        stage_check(1, down_for_ever);
        stage_check(1, down_and_mended);
        stage_check(1, partition);
        stage_check(1, power_goes_with_last_words);
        stage_check(1, power_goes_while_connecting);
}

/* Refusing, and what a bandwidth makes of a burst. */
static void refuses(struct stage *s)
{
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        struct host_listener *l;
        struct host_tcp *t;
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        link.refuses = true;
        sim_link_set(s->sim, s->a, s->b, &link);
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_REFUSED);
        link.refuses = false;
        sim_link_set(s->sim, s->a, s->b, &link);
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_OK);
        host_tcp_close(s->ah, t);
        host_listener_close(s->bh, l);
}

static void slow_reader(struct stage *s)
{
        static const char bytes[5000];
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        size_t n;
        link.bytes_per_s = 100;
        link.window = 50;
        sim_link_set(s->sim, s->a, s->b, &link);
        struct pair p = pair_open(s);
        enum err err = host_tcp_write(s->ah, p.near, str_of(bytes, sizeof bytes), stage_in(s, 1000));
        assert_int_equal(err, ERR_TIMEOUT);
        assert_int_equal(drain(s, s->bh, p.far, 1000, &n), ERR_TIMEOUT);
        assert_int_equal(n, 50);
        int64_t before_ms = sim_now(s->sim); /* with a wide window, the burst takes what its bytes take */
        link.window = 10000;
        sim_link_set(s->sim, s->a, s->b, &link);
        assert_int_equal(host_tcp_write(s->ah, p.near, str_of(bytes, 1000), FIBER_NEVER), ERR_OK);
        assert_int_equal(sim_now(s->sim), before_ms);
        assert_int_equal(drain(s, s->bh, p.far, 10000 + LATENCY_MS - 1, &n), ERR_TIMEOUT);
        assert_int_equal(n, 0);
        assert_int_equal(drain(s, s->bh, p.far, 1, &n), ERR_TIMEOUT);
        assert_int_equal(n, 1000);
        pair_close(s, &p);
}

/* Every burst in two parts: the first comes when the whole would have come. */
static void splits(struct stage *s)
{
        static const char bytes[100];
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        size_t first, rest;
        link.split_ppm = SIM_PPM;
        sim_link_set(s->sim, s->a, s->b, &link);
        struct pair p = pair_open(s);
        for (unsigned i = 0; i < 20; i++) {
                assert_int_equal(
                        host_tcp_write(s->ah, p.near, str_of(bytes, sizeof bytes), FIBER_NEVER), ERR_OK);
                assert_int_equal(drain(s, s->bh, p.far, LATENCY_MS, &first), ERR_TIMEOUT);
                assert_in_range(first, 1, sizeof bytes - 1);
                assert_int_equal(drain(s, s->bh, p.far, 100, &rest), ERR_TIMEOUT);
                assert_int_equal(first + rest, sizeof bytes);
        }
        pair_close(s, &p);
}

static void test_settings(void **state)
{
        (void)state;
        stage_check(1, refuses);
        stage_check(1, slow_reader);
        stage_check(1, splits);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cut_at_byte),
                cmocka_unit_test(test_cuts),
                cmocka_unit_test(test_down),
                cmocka_unit_test(test_settings),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
