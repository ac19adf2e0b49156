/* SPDX-License-Identifier: ISC */
#include "host/sim/stage.h"

/* A process that is killed, and what it notes. */
struct process {
        struct stage *stage;
        struct host_listener *listener;
        struct host_tcp *tcp;
        enum err err;
        int64_t ended_ms;
        unsigned count;
};

static int join(struct stage *s, struct sim_node *node)
{
        int status;
        assert_int_equal(sim_node_join(node, stage_in(s, 60000), &status), ERR_OK);
        assert_false(sim_node_is_running(node));
        return status;
}

/* A server of one connection that reads for ever, and unwinds when it is killed. */

static void hold(void *arg)
{
        struct process *p = arg;
        struct host *h = p->stage->bh;
        struct host_tcp *t = p->tcp;
        char c;
        size_t n;
        while ((p->err = host_tcp_read(h, t, &c, 1, FIBER_NEVER, &n)) == ERR_OK)
                p->count++;
        p->ended_ms = host_now_ms(h);
        host_tcp_close(h, t);
}

static int serve(struct host *h, void *arg)
{
        struct process *p = arg;
        struct ip_port peer;
        struct scope scope;
        struct host_tcp *t;
        if (host_listen(h, &p->stage->at, &p->listener) != ERR_OK)
                return 1;
        scope_open(&scope, h->sched, FIBER_NEVER);
        while (host_accept(h, p->listener, FIBER_NEVER, &t, &peer) == ERR_OK) {
                p->tcp = t;
                assert_int_equal(scope_spawn(&scope, "session", hold, p), ERR_OK);
                fiber_yield(h->sched);
        }
        (void)!scope_join(&scope);
        host_listener_close(h, p->listener);
        host_console(h, S("unwound"));
        return 0;
}

static struct host_tcp *connect_to(struct stage *s)
{
        struct host_tcp *t;
        stage_sleep(s, 1);
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 1000), &t), ERR_OK);
        stage_sleep(s, 1000);
        return t;
}

static enum err connect_again(struct stage *s)
{
        struct host_tcp *t;
        enum err err = host_connect(s->ah, &s->at, stage_in(s, 1000), &t);
        if (err == ERR_OK)
                host_tcp_close(s->ah, t);
        return err;
}

static enum err read_one(struct stage *s, struct host_tcp *t, int64_t ms)
{
        char c;
        size_t n;
        return host_tcp_read(s->ah, t, &c, 1, stage_in(s, ms), &n);
}

static void kill_process(struct stage *s)
{
        struct process p = {.stage = s};
        sim_node_start(s->b, serve, &p);
        struct host_tcp *t = connect_to(s);
        assert_int_equal(sim_node_counters(s->b).fibers, 2);
        assert_int_equal(sim_node_counters(s->b).open, 2);
        int64_t killed_ms = sim_now(s->sim);
        sim_node_kill(s->b, SIM_KILL_PROCESS);
        assert_true(sim_node_is_running(s->b));
        assert_int_equal(join(s, s->b), SIM_STATUS_KILLED);
        assert_int_equal(sim_now(s->sim), killed_ms); /* no time is needed */
        assert_true(p.err != ERR_OK && p.ended_ms == killed_ms);
        assert_false(stage_has(s, "unwound"));
        assert_int_equal(read_one(s, t, LATENCY_MS), ERR_CLOSED);
        host_tcp_close(s->ah, t);
        assert_int_equal(connect_again(s), ERR_REFUSED);
        sim_node_start(s->b, serve, &p);
        stage_sleep(s, 1);
        assert_int_equal(connect_again(s), ERR_OK);
        assert_int_equal(sim_node_counters(s->b).kills, 1);
}

/* Killed before its first fiber has run, and a second time. */
static void kill_at_once(struct stage *s)
{
        struct process p = {.stage = s};
        sim_node_kill(s->b, SIM_KILL_PROCESS); /* nobody there */
        sim_node_start(s->b, serve, &p);
        sim_node_kill(s->b, SIM_KILL_PROCESS);
        sim_node_kill(s->b, SIM_KILL_PROCESS);
        sim_node_stop(s->b);
        assert_int_equal(join(s, s->b), SIM_STATUS_KILLED);
        assert_null(p.listener);
        assert_int_equal(sim_node_counters(s->b).kills, 1);
}

static void kill_power(struct stage *s)
{
        struct process p = {.stage = s};
        sim_node_start(s->b, serve, &p);
        struct host_tcp *t = connect_to(s), *idle = t;
        sim_node_kill(s->b, SIM_KILL_POWER);
        assert_int_equal(join(s, s->b), SIM_STATUS_KILLED);
        assert_int_equal(connect_again(s), ERR_TIMEOUT);
        assert_int_equal(read_one(s, t, 3600000), ERR_TIMEOUT); /* silence */
        assert_int_equal(host_tcp_write(s->ah, t, S("x"), FIBER_NEVER), ERR_OK);
        assert_int_equal(read_one(s, t, 60000), ERR_TIMEOUT);
        sim_node_start(s->b, serve, &p);
        assert_int_equal(connect_again(s), ERR_OK);
        assert_int_equal(read_one(s, t, 120000), ERR_CLOSED); /* what was sent again met nobody */
        host_tcp_close(s->ah, idle);
}

/* A dead machine, and somebody who insists: the kernel gives up in the end. */
static void kill_power_for_ever(struct stage *s)
{
        struct process p = {.stage = s};
        sim_node_start(s->b, serve, &p);
        struct host_tcp *t = connect_to(s);
        sim_node_kill(s->b, SIM_KILL_POWER);
        assert_int_equal(host_tcp_write(s->ah, t, S("x"), FIBER_NEVER), ERR_OK);
        int64_t before_ms = sim_now(s->sim);
        assert_int_equal(read_one(s, t, 3600000), ERR_CLOSED);
        assert_in_range(sim_now(s->sim) - before_ms, 15 * 60000, 18 * 60000);
        host_tcp_close(s->ah, t);
}

/* Nobody is waited for at the end of the world. */
static void end_of_world(struct stage *s)
{
        struct process *p = s->arg;
        p->stage = s;
        sim_node_start(s->b, serve, p);
        stage_sleep(s, 100);
        assert_non_null(p->listener);
}

static void test_kill(void **state)
{
        struct process p = {0};
        struct stage s = {.arg = &p};
        (void)state;
        stage_check(1, kill_process);
        stage_check(1, kill_at_once);
        stage_check(1, kill_power);
        stage_check(1, kill_power_for_ever);
        stage_play(&s, 1, end_of_world);
        assert_null(sim_failure(s.sim));
        assert_false(sim_node_is_running(s.b));
        assert_true(stage_has(&s, "0.100 b end status -1\n"));
        stage_end(&s);
}

/* What was in flight when a process was killed arrives, or is lost; then the reset. Both happen. */

static int say_and_sleep(struct host *h, void *arg)
{
        struct process *p = arg;
        struct ip_port peer;
        assert_int_equal(host_listen(h, &p->stage->at, &p->listener), ERR_OK);
        assert_int_equal(host_accept(h, p->listener, FIBER_NEVER, &p->tcp, &peer), ERR_OK);
        assert_int_equal(host_tcp_write(h, p->tcp, S("2"), FIBER_NEVER), ERR_OK);
        sim_node_kill(p->stage->b, SIM_KILL_PROCESS);
        assert_int_equal(host_tcp_write(h, p->tcp, S("50"), FIBER_NEVER), ERR_CLOSED);
        host_tcp_close(h, p->tcp);
        host_listener_close(h, p->listener);
        return 0;
}

static void kill_with_words_in_flight(struct stage *s)
{
        struct process p = {.stage = s};
        unsigned *heard = s->arg;
        struct host_tcp *t;
        sim_node_start(s->b, say_and_sleep, &p);
        stage_sleep(s, 1);
        assert_int_equal(host_connect(s->ah, &s->at, stage_in(s, 1000), &t), ERR_OK);
        enum err err = read_one(s, t, LATENCY_MS);
        if (err == ERR_OK) {
                ++*heard;
                err = read_one(s, t, 1);
        }
        assert_int_equal(err, ERR_CLOSED);
        host_tcp_close(s->ah, t);
}

static void test_in_flight(void **state)
{
        unsigned heard = 0;
        (void)state;
        for (uint64_t seed = 0; seed < 40; seed++) {
                struct stage s = {.arg = &heard};
                stage_play(&s, seed, kill_with_words_in_flight);
                assert_null(sim_failure(s.sim));
                stage_end(&s);
        }
        assert_in_range(heard, 10, 30);
}

/* A dead node's calls: without effect, each. */

static int call_all(struct host *h, void *arg)
{
        struct process *p = arg;
        struct host_listener *l;
        struct host_tcp *t;
        struct host_udp *u;
        struct host_block *b, *second;
        struct sim_udp *v;
        struct ip_port own = {.ip = ip_v4(10, 0, 0, 2), .port = 53}, peer;
        uint8_t bytes[8] = {0}, zeros[8] = {0};
        assert_int_equal(host_listen(h, &p->stage->at, &p->listener), ERR_OK);
        assert_int_equal(host_block_open(h, S("image"), false, &b), ERR_OK);
        fiber_shield(h->sched, true); /* so that it is the host which says no */
        sim_node_kill(p->stage->b, SIM_KILL_PROCESS);
        assert_int_equal(host_listen(h, &own, &l), ERR_CLOSED);
        assert_int_equal(host_accept(h, p->listener, FIBER_NEVER, &t, &peer), ERR_CLOSED);
        assert_int_equal(host_connect(h, &p->stage->at, FIBER_NEVER, &t), ERR_CLOSED);
        assert_int_equal(host_udp_open(h, &own, &u), ERR_CLOSED);
        assert_int_equal(sim_udp_open(h, &own, &v), ERR_CLOSED);
        assert_int_equal(host_wait_stop(h), ERR_CLOSED);
        assert_int_equal(host_block_open(h, S("image"), false, &second), ERR_IO);
        assert_int_equal(host_block_read(h, b, 0, bytes, 8), ERR_IO);
        assert_int_equal(host_block_write(h, b, 0, S("x")), ERR_IO);
        assert_int_equal(host_block_flush(h, b), ERR_IO);
        assert_int_equal(host_block_resize(h, b, 1024), ERR_IO);
        assert_int_equal(host_block_size(h, b), 4096);
        host_random(h, bytes, 8);
        assert_memory_not_equal(bytes, zeros, 8);
        host_console(h, S("not heard"));
        fiber_shield(h->sched, false);
        assert_int_equal(fiber_sleep(h->sched, 1), ERR_CANCELLED);
        host_block_close(h, b);
        host_listener_close(h, p->listener);
        return 0;
}

static void dead_calls(struct stage *s)
{
        struct process p = {.stage = s};
        uint8_t bytes[1];
        sim_node_start(s->b, call_all, &p);
        assert_int_equal(join(s, s->b), SIM_STATUS_KILLED);
        sim_disk_get(s->disk, 0, bytes, 1);
        assert_int_equal(bytes[0], 0);
        assert_false(stage_has(s, "not heard"));
}

static void test_dead_calls(void **state)
{
        struct stage s = {.disk = sim_disk_new(4096)};
        (void)state;
        stage_play(&s, 1, dead_calls);
        assert_null(sim_failure(s.sim));
        stage_end(&s);
        sim_disk_free(s.disk);
}

/* A kill at each call of a small client, before and after it: the server saw just what came before. */

static int say_hello(struct host *h, void *arg)
{
        struct process *p = arg;
        struct host_tcp *t;
        enum err err = host_connect(h, &p->stage->at, FIBER_NEVER, &t); /* call 1 */
        if (err != ERR_OK)
                return 1;
        p->count = 1;
        if (host_tcp_write(h, t, S("A"), FIBER_NEVER) == ERR_OK) /* call 2 */
                p->count = 2;
        if (fiber_sleep(h->sched, 1000) == ERR_OK && host_tcp_write(h, t, S("B"), FIBER_NEVER) == ERR_OK)
                p->count = 3; /* call 3 */
        (void)!fiber_sleep(h->sched, 1000);
        host_tcp_close(h, t); /* call 4 */
        return 0;
}

static void kill_at_call(struct stage *s)
{
        static const struct {
                uint64_t call;
                enum sim_moment moment;
                unsigned connections;
                const char *heard; /* at least; "." is the end in order, "!" a reset */
        } cases[] = {
                {1, SIM_BEFORE, 0, ""},
                {1, SIM_AFTER, 1, "!"},
                {2, SIM_BEFORE, 1, "!"},
                {3, SIM_BEFORE, 1, "A!"},
                {4, SIM_BEFORE, 1, "AB!"},
                {4, SIM_AFTER, 1, "AB."},
                {5, SIM_BEFORE, 1, "AB."},
        };
        struct process p = {.stage = s};
        struct host_listener *l;
        struct ip_port peer;
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char heard[8] = {0};
                size_t n = 0, got = 1;
                struct host_tcp *t;
                sim_node_kill_at_call(s->a, cases[i].call, cases[i].moment, SIM_KILL_PROCESS);
                sim_node_start(s->a, say_hello, &p);
                enum err err = host_accept(s->bh, l, stage_in(s, 1000), &t, &peer);
                assert_int_equal(err, cases[i].connections > 0 ? ERR_OK : ERR_TIMEOUT);
                while (err == ERR_OK) {
                        err = host_tcp_read(s->bh, t, heard + n, 1, stage_in(s, 5000), &got);
                        n += got;
                }
                if (cases[i].connections > 0) {
                        heard[n] = err == ERR_EOF ? '.' : '!';
                        host_tcp_close(s->bh, t);
                }
                assert_string_equal(heard, cases[i].heard);
                assert_int_equal(join(s, s->a), cases[i].call < 5 ? SIM_STATUS_KILLED : 0);
        }
        sim_node_kill_at_call(s->a, 1, SIM_BEFORE, SIM_KILL_PROCESS);
        sim_node_kill_at_call(s->a, 0, SIM_BEFORE, SIM_KILL_PROCESS);
        sim_node_start(s->a, say_hello, &p);
        assert_int_equal(join(s, s->a), 0);
        host_listener_close(s->bh, l);
}

static void test_kill_at_call(void **state)
{
        (void)state;
        stage_check(1, kill_at_call);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kill),
                cmocka_unit_test(test_in_flight),
                cmocka_unit_test(test_dead_calls),
                cmocka_unit_test(test_kill_at_call),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
