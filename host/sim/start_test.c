/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/sim/stage.h"

/* Clocks. */

static void watch_clocks(struct stage *s)
{
        assert_int_equal(sim_now(s->sim), SIM_START_MS);
        assert_int_equal(host_now_ms(s->ah), SIM_START_MS);
        assert_int_equal(host_wall_ms(s->ah), SIM_EPOCH_MS);
        stage_sleep(s, 86400000);
        assert_int_equal(host_now_ms(s->bh), SIM_START_MS + 86400000);
        assert_int_equal(host_wall_ms(s->bh), SIM_EPOCH_MS + 86400000);
        sim_node_set_clock(s->b, -3600000);
        assert_int_equal(sim_node_clock(s->b), -3600000);
        assert_int_equal(host_wall_ms(s->bh), SIM_EPOCH_MS + 82800000);
        assert_int_equal(host_wall_ms(s->ah), SIM_EPOCH_MS + 86400000);
        assert_int_equal(host_now_ms(s->bh), SIM_START_MS + 86400000);
}

static void test_clocks(void **state)
{
        (void)state;
        stage_check(1, watch_clocks);
}

/* The trace. */

static void write_lines(struct stage *s)
{
        char longest[5000];
        memset(longest, 'x', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        stage_sleep(s, 61234);
        sim_trace(s->sim, NULL, "post", "%s %d", "p1", 7);
        sim_trace(s->sim, s->a, "smtp", "%s", "MAIL\r\n0.000 b forged \t\x7f");
        sim_trace(s->sim, s->b, "long", "%s", longest);
        host_console(s->bh, S("a line\nand no other"));
        host_console(s->bh, str_of(longest, sizeof longest - 1));
}

static void test_trace(void **state)
{
        static const char want[] = "61.234 - post p1 7\n"
                                   "61.234 a smtp MAIL??0.000 b forged ??\n"
                                   "61.234 b long xxx";
        struct stage s = {0};
        (void)state;
        stage_play(&s, 1, write_lines);
        assert_memory_equal(s.trace, want, sizeof want - 1);
        assert_true(stage_has(&s, "\n61.234 b log a line?and no other\n61.234 b log xxx"));
        size_t lines = 0;
        for (size_t i = 0; i < s.n; i++)
                lines += s.trace[i] == '\n';
        assert_int_equal(lines, 5);
        assert_true(s.n < 2 * 4096 + 200);
        stage_end(&s);
}

struct listener {
        struct sim_node *node;
        size_t n;
};

static void hear(void *arg, struct sim_node *node, struct str line)
{
        struct listener *l = arg;
        assert_true(str_eq(line, S("hello")));
        l->node = node;
        l->n++;
}

static void say_hello(struct sim *sim, void *arg)
{
        struct sim_node **node = arg;
        *node = sim_node_add(sim, "n", NULL, 0, NULL);
        host_console(sim_node_host(*node), S("hello"));
}

static void test_console(void **state)
{
        struct listener l = {0};
        struct sim_node *node = NULL;
        const struct sim_watch watch = {.console = hear, .arg = &l};
        struct sim *sim = sim_new(1, &watch);
        (void)state;
        sim_run(sim, say_hello, &node);
        assert_true(l.n == 1 && l.node == node && node != NULL);
        sim_free(sim);
}

/* Failures. */

static void fail_twice(struct stage *s)
{
        sim_fail(s->sim, "post p%d was lost", 12);
        sim_fail(s->sim, "and so on");
        assert_int_equal(fiber_sleep(sim_sched(s->sim), 1), ERR_CANCELLED);
}

static void wait_for_nothing(struct stage *s)
{
        struct waitq q = {0};
        assert_int_equal(waitq_wait(&q, sim_sched(s->sim), FIBER_NEVER), ERR_CANCELLED);
}

static void yield_for_ever(struct stage *s)
{
        while (!fiber_is_cancelled(sim_sched(s->sim)))
                fiber_yield(sim_sched(s->sim));
}

/* The network has no delay inside of a machine, so this goes on without time. */
static void talk_to_itself(struct stage *s)
{
        struct ip_port at = {.ip = ip_v4(127, 0, 0, 1), .port = 80}, peer;
        struct host_listener *l;
        struct host_tcp *near, *far;
        char c;
        size_t n;
        assert_int_equal(host_listen(s->ah, &at, &l), ERR_OK);
        assert_int_equal(host_connect(s->ah, &at, FIBER_NEVER, &near), ERR_OK);
        assert_int_equal(host_accept(s->ah, l, FIBER_NEVER, &far, &peer), ERR_OK);
        while (host_tcp_write(s->ah, near, S("x"), FIBER_NEVER) == ERR_OK &&
                host_tcp_read(s->ah, far, &c, 1, FIBER_NEVER, &n) == ERR_OK)
                ;
        host_tcp_close(s->ah, near);
        host_tcp_close(s->ah, far);
        host_listener_close(s->ah, l);
}

static void call_without_end(struct stage *s)
{
        struct host_tcp *t;
        const struct ip_port nowhere = {.ip = {.family = 6, .b = {0xfd}}, .port = 1};
        while (host_connect(s->bh, &nowhere, FIBER_NEVER, &t) == ERR_UNREACHABLE)
                ;
}

static void test_failures(void **state)
{
        static const struct {
                const char *name;
                void (*body)(struct stage *s);
                const char *story;
        } cases[] = {
                {"first one counts", fail_twice, "post p12 was lost"},
                {"deadlock", wait_for_nothing, "deadlock: nothing is left that could ever happen"},
                {"fibers that only yield", yield_for_ever, "livelock: fibers run"},
                {"bytes that take no time", talk_to_itself, "livelock: "},
                {"calls that never wait", call_without_end, "livelock: node b makes host calls"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct stage s = {0};
                stage_play(&s, 1, cases[i].body);
                if (sim_failure(s.sim) == NULL || strstr(sim_failure(s.sim), cases[i].story) == NULL)
                        fail_msg("%s: %s", cases[i].name, sim_failure(s.sim));
                assert_true(stage_has(&s, " - failure "));
                stage_end(&s);
        }
}

/* A fiber that no cancellation reaches ends the program, rather than running for ever. */

static void wait_shielded(struct stage *s)
{
        struct waitq q = {0};
        fiber_shield(sim_sched(s->sim), true);
        assert_int_equal(waitq_wait(&q, sim_sched(s->sim), FIBER_NEVER), ERR_OK); /* it never comes back */
}

static void yield_on(struct stage *s)
{
        for (;;)
                fiber_yield(sim_sched(s->sim));
}

static void test_not_to_be_ended(void **state)
{
        void (*const bodies[])(struct stage * s) = {wait_shielded, yield_on};
        (void)state;
        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
                int status;
                pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                        struct stage s = {0};
                        (void)signal(SIGABRT, SIG_DFL);
                        (void)close(STDERR_FILENO);
                        stage_play(&s, 1, bodies[i]);
                        _exit(0);
                }
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clocks),
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_console),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_not_to_be_ended),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
