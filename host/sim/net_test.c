/* SPDX-License-Identifier: ISC */
#include "host/sim/stage.h"

static const struct ip_port any_25 = {.ip.family = 4, .port = 25};

static enum err listen_try(struct host *h, struct ip ip, uint16_t port)
{
        struct host_listener *l;
        struct ip_port at = {.ip = ip, .port = port};
        enum err err = host_listen(h, &at, &l);
        if (err == ERR_OK)
                host_listener_close(h, l);
        return err;
}

static void listen_outcomes(struct stage *s)
{
        struct host_listener *any, *own;
        const struct ip v6_any = {.family = 6};
        assert_int_equal(listen_try(s->ah, ip_v4(10, 0, 0, 1), 25), ERR_OK);
        assert_int_equal(listen_try(s->ah, ip_v4(127, 0, 0, 1), 25), ERR_OK);
        assert_int_equal(listen_try(s->ah, ip_v4(10, 0, 0, 2), 25), ERR_UNREACHABLE);
        assert_int_equal(listen_try(s->ah, ip_v4(10, 9, 9, 9), 25), ERR_UNREACHABLE);
        assert_int_equal(listen_try(s->ah, ip_v4(10, 0, 0, 1), 0), ERR_BUSY);
        assert_int_equal(host_listen(s->bh, &s->at, &own), ERR_OK);
        assert_int_equal(listen_try(s->bh, ip_v4(10, 0, 0, 2), 25), ERR_BUSY);
        assert_int_equal(listen_try(s->bh, ip_v4(0, 0, 0, 0), 25), ERR_BUSY);
        assert_int_equal(listen_try(s->bh, ip_v4(10, 0, 0, 3), 25), ERR_OK);
        assert_int_equal(listen_try(s->bh, ip_v4(10, 0, 0, 2), 26), ERR_OK);
        host_listener_close(s->bh, own);
        assert_int_equal(host_listen(s->bh, &any_25, &any), ERR_OK);
        assert_int_equal(listen_try(s->bh, ip_v4(10, 0, 0, 3), 25), ERR_BUSY);
        assert_int_equal(listen_try(s->bh, v6_any, 25), ERR_OK);
        sim_node_set_open_max(s->b, 1);
        assert_int_equal(listen_try(s->bh, ip_v4(10, 0, 0, 3), 26), ERR_LIMIT);
        host_listener_close(s->bh, any);
        host_listener_close(s->bh, NULL);
}

static void test_listen(void **state)
{
        (void)state;
        stage_check(1, listen_outcomes);
}

/* What connecting gives, and how long it takes. */
static void connect_outcomes(struct stage *s)
{
        struct ip v6 = {.family = 6, .b = {0x20, 1, [15] = 9}};
        const struct {
                const char *name;
                struct ip_port to;
                int64_t deadline_ms;
                enum err err;
                int64_t took_ms;
        } cases[] = {
                {"nobody listens", {ip_v4(10, 0, 0, 2), 26}, FIBER_NEVER, ERR_REFUSED, 2 * LATENCY_MS},
                {"on itself", {ip_v4(127, 0, 0, 1), 26}, FIBER_NEVER, ERR_REFUSED, 0},
                {"on itself by name", {ip_v4(10, 0, 0, 1), 26}, FIBER_NEVER, ERR_REFUSED, 0},
                {"nobody's address", {ip_v4(10, 9, 9, 9), 25}, 5000, ERR_TIMEOUT, 5000},
                {"nobody's, for ever", {ip_v4(10, 9, 9, 9), 25}, FIBER_NEVER, ERR_TIMEOUT, 127000},
                {"too late before it began", {ip_v4(10, 0, 0, 2), 25}, 0, ERR_TIMEOUT, 0},
                {"answer comes too late", {ip_v4(10, 0, 0, 2), 25}, 19, ERR_TIMEOUT, 19},
                {"of a family that it has, nobody's", {v6, 25}, 100, ERR_TIMEOUT, 100},
                {"open", {ip_v4(10, 0, 0, 2), 25}, FIBER_NEVER, ERR_OK, 2 * LATENCY_MS},
                {"open on another address", {ip_v4(10, 0, 0, 3), 25}, 20000, ERR_OK, 2 * LATENCY_MS},
        };
        struct host_listener *l;
        assert_int_equal(host_listen(s->bh, &any_25, &l), ERR_OK);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct host_tcp *t = NULL, *far;
                struct ip_port local, peer, far_local;
                int64_t before_ms = sim_now(s->sim), by_ms = cases[i].deadline_ms;
                by_ms = by_ms == FIBER_NEVER ? by_ms : before_ms + by_ms;
                enum err err = host_connect(s->ah, &cases[i].to, by_ms, &t);
                if (err != cases[i].err || sim_now(s->sim) - before_ms != cases[i].took_ms)
                        fail_msg("%s: %s", cases[i].name, err_text(err));
                assert_int_equal(t != NULL, err == ERR_OK);
                if (err != ERR_OK)
                        continue;
                assert_int_equal(host_accept(s->bh, l, stage_in(s, 1), &far, &peer), ERR_OK);
                assert_int_equal(host_tcp_local(s->ah, t, &local), ERR_OK);
                assert_int_equal(host_tcp_local(s->bh, far, &far_local), ERR_OK);
                assert_true(local.port >= 1024 && local.port == peer.port && ip_eq(&local.ip, &peer.ip));
                assert_true(far_local.port == 25 && ip_eq(&far_local.ip, &cases[i].to.ip));
                host_tcp_close(s->ah, t);
                host_tcp_close(s->bh, far);
        }
        const struct ip_port to_v6 = {.ip = v6, .port = 25};
        struct host_tcp *t;
        assert_int_equal(host_connect(s->bh, &to_v6, FIBER_NEVER, &t), ERR_UNREACHABLE);
        sim_node_set_open_max(s->a, 0);
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_LIMIT);
        host_listener_close(s->bh, l);
}

static void test_connect(void **state)
{
        (void)state;
        stage_check(1, connect_outcomes);
}

/* Reading. */

static void expect_read(struct host *h, struct host_tcp *t, struct str want, int64_t by_ms)
{
        char got[64];
        size_t n, all = 0;
        while (all < want.n) {
                assert_int_equal(host_tcp_read(h, t, got + all, want.n - all, by_ms, &n), ERR_OK);
                assert_true(n > 0);
                all += n;
        }
        assert_memory_equal(got, want.p, want.n);
}

static enum err read_one(struct host *h, struct host_tcp *t, int64_t by_ms)
{
        char c;
        size_t n;
        enum err err = host_tcp_read(h, t, &c, 1, by_ms, &n);
        assert_int_equal(n, err == ERR_OK ? 1 : 0);
        return err;
}

static void read_and_end(struct stage *s)
{
        struct pair p = pair_open(s);
        assert_int_equal(read_one(s->bh, p.far, stage_in(s, 5)), ERR_TIMEOUT);
        assert_int_equal(host_tcp_write(s->ah, p.near, S("HELO a\r\n"), FIBER_NEVER), ERR_OK);
        assert_int_equal(read_one(s->bh, p.far, stage_in(s, LATENCY_MS - 1)), ERR_TIMEOUT);
        expect_read(s->bh, p.far, S("HEL"), stage_in(s, 1));
        expect_read(s->bh, p.far, S("O a\r\n"), stage_in(s, 1));
        assert_int_equal(host_tcp_write(s->bh, p.far, S("250 b\r\n"), FIBER_NEVER), ERR_OK);
        host_tcp_close(s->bh, p.far); /* the end comes behind what was written */
        expect_read(s->ah, p.near, S("250 b\r\n"), stage_in(s, LATENCY_MS));
        assert_int_equal(read_one(s->ah, p.near, FIBER_NEVER), ERR_EOF);
        assert_int_equal(read_one(s->ah, p.near, FIBER_NEVER), ERR_EOF);
        host_tcp_close(s->ah, p.near);
        host_listener_close(s->bh, p.listener);
}

static void test_read_and_end(void **state)
{
        (void)state;
        stage_check(1, read_and_end);
}

/* A write to a peer that has closed: well at first, and refused once its reset is here. What it said stays readable. */
static void write_after_end(struct stage *s)
{
        struct pair p = pair_open(s);
        assert_int_equal(host_tcp_write(s->bh, p.far, S("421 bye\r\n"), FIBER_NEVER), ERR_OK);
        host_tcp_close(s->bh, p.far);
        stage_sleep(s, LATENCY_MS);
        assert_int_equal(host_tcp_write(s->ah, p.near, S("MAIL"), FIBER_NEVER), ERR_OK);
        stage_sleep(s, 2 * LATENCY_MS - 1);
        assert_int_equal(host_tcp_write(s->ah, p.near, S(" FROM"), FIBER_NEVER), ERR_OK);
        stage_sleep(s, 1);
        assert_int_equal(host_tcp_write(s->ah, p.near, S(":<>"), FIBER_NEVER), ERR_CLOSED);
        expect_read(s->ah, p.near, S("421 bye\r\n"), FIBER_NEVER);
        assert_int_equal(read_one(s->ah, p.near, FIBER_NEVER), ERR_EOF);
        host_tcp_close(s->ah, p.near);
        host_listener_close(s->bh, p.listener);
        stage_sleep(s, 1000);
        assert_int_equal(sim_node_counters(s->a).connections_open, 0);
        assert_int_equal(sim_node_counters(s->b).connections_open, 0);
}

static void test_write_after_end(void **state)
{
        (void)state;
        stage_check(1, write_after_end);
}

/* A writer waits when the window is full, and goes on when the reader has made room. */

struct writing {
        struct stage *stage;
        struct host_tcp *t;
        size_t n;
        int64_t deadline_ms, done_ms;
        enum err err;
};

static void write_all(void *arg)
{
        struct writing *w = arg;
        char *bytes = malloc(w->n);
        assert_non_null(bytes);
        for (size_t i = 0; i < w->n; i++)
                bytes[i] = (char)(i * 31 >> 3);
        w->err = host_tcp_write(w->stage->ah, w->t, str_of(bytes, w->n), w->deadline_ms);
        w->done_ms = sim_now(w->stage->sim);
        free(bytes);
}

static void window(struct stage *s)
{
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        link.window = 1000;
        sim_link_set(s->sim, s->a, s->b, &link);
        struct pair p = pair_open(s);
        struct writing w = {.stage = s, .t = p.near, .n = 10001, .deadline_ms = FIBER_NEVER};
        struct scope scope;
        char bytes[300];
        size_t n, all = 0;
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "write", write_all, &w), ERR_OK);
        stage_sleep(s, 60000);
        assert_int_equal(w.done_ms, 0);
        assert_int_equal(sim_node_counters(s->a).bytes_out, 1000);
        int64_t began_ms = sim_now(s->sim);
        while (all < w.n) {
                assert_int_equal(host_tcp_read(s->bh, p.far, bytes, sizeof bytes, FIBER_NEVER, &n), ERR_OK);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(bytes[i], (char)((all + i) * 31 >> 3));
                all += n;
                assert_true(sim_node_counters(s->a).bytes_out <= all + 1000);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(w.err, ERR_OK);
        assert_true(w.done_ms > began_ms && sim_now(s->sim) - began_ms <= 20 * LATENCY_MS);
        pair_close(s, &p);
}

static void write_deadline(struct stage *s)
{
        struct pair p = pair_open(s);
        struct writing w = {.stage = s, .t = p.near, .n = 200000, .deadline_ms = stage_in(s, 700)};
        write_all(&w);
        assert_int_equal(w.err, ERR_TIMEOUT);
        assert_int_equal(w.done_ms, w.deadline_ms);
        pair_close(s, &p);
}

/* Closing while a fiber waits inside wakes it. */
static void close_under_writer(struct stage *s)
{
        struct pair p = pair_open(s);
        struct writing w = {.stage = s, .t = p.near, .n = 200000, .deadline_ms = FIBER_NEVER};
        struct scope scope;
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "write", write_all, &w), ERR_OK);
        stage_sleep(s, 100);
        pair_close(s, &p);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(w.err, ERR_CLOSED);
}

static void accept_one(void *arg)
{
        struct writing *w = arg;
        struct host_tcp *t;
        struct ip_port peer;
        w->err = host_accept(w->stage->bh, w->stage->arg, FIBER_NEVER, &t, &peer);
}

static void close_under_acceptor(struct stage *s)
{
        struct host_listener *l;
        struct writing w = {.stage = s};
        struct scope scope;
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        s->arg = l;
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "accept", accept_one, &w), ERR_OK);
        stage_sleep(s, 100);
        host_listener_close(s->bh, l);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(w.err, ERR_CLOSED);
}

static void test_window(void **state)
{
        (void)state;
        stage_check(1, window);
        stage_check(1, write_deadline);
        stage_check(1, close_under_writer);
        stage_check(1, close_under_acceptor);
}

/* What waits in a listener that closes is reset; what it had accepted is not. */
static void listener_closes(struct stage *s)
{
        struct pair p = pair_open(s);
        struct host_tcp *t;
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_OK);
        host_listener_close(s->bh, p.listener);
        assert_int_equal(read_one(s->ah, t, stage_in(s, LATENCY_MS)), ERR_CLOSED);
        assert_int_equal(read_one(s->ah, p.near, stage_in(s, 100)), ERR_TIMEOUT);
        host_tcp_close(s->ah, t);
        host_tcp_close(s->ah, p.near);
        host_tcp_close(s->bh, p.far);
}

/* A node without room accepts later: nobody is refused. */
static void accept_at_limit(struct stage *s)
{
        struct pair p = pair_open(s);
        struct host_tcp *t, *far;
        struct ip_port peer;
        sim_node_set_open_max(s->b, 2);
        assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &t), ERR_OK);
        assert_int_equal(host_accept(s->bh, p.listener, stage_in(s, 250), &far, &peer), ERR_TIMEOUT);
        sim_node_set_open_max(s->b, 3);
        assert_int_equal(host_accept(s->bh, p.listener, stage_in(s, 250), &far, &peer), ERR_OK);
        host_tcp_close(s->ah, t);
        host_tcp_close(s->bh, far);
        pair_close(s, &p);
}

static void test_listener(void **state)
{
        (void)state;
        stage_check(1, listener_closes);
        stage_check(1, accept_at_limit);
}

/* Thousands of connections at once, each with bytes of its own. */

enum { MANY = 3000 };

static void many(struct stage *s)
{
        struct host_tcp **near = calloc(MANY, sizeof(struct host_tcp *)), **far = calloc(MANY, sizeof *far);
        struct host_listener *l;
        struct ip_port peer;
        assert_true(near != NULL && far != NULL);
        assert_int_equal(host_listen(s->bh, &s->at, &l), ERR_OK);
        for (size_t i = 0; i < MANY; i++) {
                char c = (char)i;
                assert_int_equal(host_connect(s->ah, &s->at, FIBER_NEVER, &near[i]), ERR_OK);
                assert_int_equal(host_accept(s->bh, l, FIBER_NEVER, &far[i], &peer), ERR_OK);
                assert_int_equal(host_tcp_write(s->ah, near[i], str_of(&c, 1), FIBER_NEVER), ERR_OK);
        }
        assert_int_equal(sim_node_counters(s->b).connections_open, MANY);
        assert_int_equal(sim_node_counters(s->b).open_high, MANY + 1);
        for (size_t i = 0; i < MANY; i++) {
                char c = (char)i;
                expect_read(s->bh, far[i], str_of(&c, 1), FIBER_NEVER);
                host_tcp_close(s->ah, near[i]);
                assert_int_equal(read_one(s->bh, far[i], FIBER_NEVER), ERR_EOF);
                host_tcp_close(s->bh, far[i]);
        }
        host_listener_close(s->bh, l);
        free(near);
        free(far);
}

static void test_many(void **state)
{
        (void)state;
        stage_check(1, many);
}

/* Any sizes of writes and reads, any link: the bytes arrive, in order, once. */

struct talk {
        struct stage *stage;
        struct pair pair;
        struct sim_random random;
        size_t n;
};

static char byte_at(size_t i)
{
        return (char)(i ^ i >> 8 ^ i >> 15);
}

static void talk_write(void *arg)
{
        struct talk *t = arg;
        struct host *h = t->stage->ah;
        static char bytes[9000];
        for (size_t at = 0; at < t->n;) {
                size_t n = 1 + (size_t)sim_random_below(&t->random, sizeof bytes);
                n = n < t->n - at ? n : t->n - at;
                for (size_t i = 0; i < n; i++)
                        bytes[i] = byte_at(at + i);
                assert_int_equal(host_tcp_write(h, t->pair.near, str_of(bytes, n), FIBER_NEVER), ERR_OK);
                at += n;
                if (sim_random_below(&t->random, 3) == 0)
                        assert_int_equal(
                                fiber_sleep(h->sched, sim_random_between(&t->random, 0, 30)), ERR_OK);
        }
        host_tcp_close(h, t->pair.near);
}

static void talk_read(struct talk *t)
{
        struct host *h = t->stage->bh;
        struct sim_random r = sim_random_of(9, S("test"), S("talk"));
        char bytes[5000];
        size_t n, at = 0;
        enum err err;
        for (;;) {
                size_t cap = 1 + (size_t)sim_random_below(&r, sizeof bytes);
                err = host_tcp_read(h, t->pair.far, bytes, cap, FIBER_NEVER, &n);
                if (err != ERR_OK)
                        break;
                assert_true(n > 0 && n <= cap);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(bytes[i], byte_at(at + i));
                at += n;
                if (sim_random_below(&r, 3) == 0)
                        assert_int_equal(fiber_sleep(h->sched, sim_random_between(&r, 0, 30)), ERR_OK);
        }
        assert_int_equal(err, ERR_EOF);
        assert_int_equal(at, t->n);
        host_tcp_close(h, t->pair.far);
}

static void any_talk(struct stage *s)
{
        struct talk t = {
                .stage = s, .n = 300000, .random = sim_random_of(sim_seed(s->sim), S("test"), S("talk"))};
        struct sim_link link = sim_link_get(s->sim, s->a, s->b);
        link.window = 1 + (size_t)sim_random_below(&t.random, 100000);
        link.jitter_ms = sim_random_between(&t.random, 0, 50);
        link.split_ppm = (uint32_t)sim_random_below(&t.random, SIM_PPM);
        link.loss_ppm = (uint32_t)sim_random_below(&t.random, SIM_PPM / 4);
        if (sim_random_below(&t.random, 2) == 0)
                link.bytes_per_s = 10000 + sim_random_below(&t.random, 1000000);
        link.window = link.window < 100 ? 100 : link.window;
        sim_link_set(s->sim, s->a, s->b, &link);
        t.pair = pair_open(s);
        struct scope scope;
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "write", talk_write, &t), ERR_OK);
        talk_read(&t);
        assert_int_equal(scope_join(&scope), ERR_OK);
        host_listener_close(s->bh, t.pair.listener);
}

static void test_any_talk(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 100; seed++)
                stage_check(seed, any_talk);
}

/* The same seed gives the same trace, another seed another one. */
static void test_same_trace(void **state)
{
        struct stage stages[3] = {0};
        (void)state;
        for (size_t i = 0; i < 3; i++)
                stage_play(&stages[i], i / 2 + 1, any_talk);
        assert_int_equal(stages[0].n, stages[1].n);
        assert_memory_equal(stages[0].trace, stages[1].trace, stages[0].n);
        assert_int_equal(sim_events(stages[0].sim), sim_events(stages[1].sim));
        assert_string_not_equal(stages[0].trace, stages[2].trace);
        for (size_t i = 0; i < 3; i++)
                stage_end(&stages[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_listen),
                cmocka_unit_test(test_connect),
                cmocka_unit_test(test_read_and_end),
                cmocka_unit_test(test_write_after_end),
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_listener),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_any_talk),
                cmocka_unit_test(test_same_trace),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
