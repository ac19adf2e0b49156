/* SPDX-License-Identifier: ISC */
/* The pages of --metrics over a simulated network: split, late, cut and silent, on virtual time. */
#include "serve/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "host/sim/sim.h"

#define SCRAPES 40
#define INTERVAL_MS 15000
#define REQUEST "GET /metrics HTTP/1.1\r\nHost: server:9925\r\n\r\n"
#define PAGE_END "# HELP scrapes_total S\n# TYPE scrapes_total counter\nscrapes_total "

struct world {
        struct sim_node *server, *watcher;
        struct monitor monitor;
        uint64_t scrapes;  /* asked, as the server counts */
        unsigned good;     /* whole answers, as the watcher counts */
        bool is_cut;       /* some connections break */
        int64_t silent_ms; /* how long a peer that says nothing was kept */
};

static void metrics(void *ctx, struct metrics *m)
{
        struct world *w = ctx;
        metrics_family(m, METRICS_COUNTER, "scrapes_total", "S");
        metrics_u64(m, NULL, 0, ++w->scrapes);
}

static bool health(void *ctx, struct wr *text)
{
        (void)ctx;
        wr_str(text, S("ok\n"));
        return true;
}

struct listening {
        struct world *w;
        struct host_listener *listener;
};

static void listen_run(void *arg)
{
        struct listening *l = arg;
        (void)monitor_serve(&l->w->monitor, l->listener);
}

static int serve(struct host *h, void *arg)
{
        struct world *w = arg;
        struct listening l = {.w = w};
        struct ip_port at = {ip_v4(10, 0, 0, 1), 9925};
        struct scope scope;
        w->monitor = (struct monitor){.host = h, .metrics = metrics, .health = health, .ctx = w};
        assert_int_equal(monitor_listen(h, &at, &l.listener), ERR_OK);
        scope_open(&scope, h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "serve", listen_run, &l), ERR_OK);
        assert_int_equal(host_wait_stop(h), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        assert_int_equal(w->monitor.open, 0);
        host_listener_close(h, l.listener);
        return 0;
}

static enum err dial(struct host *h, struct host_tcp **tcp)
{
        struct ip_port at = {ip_v4(10, 0, 0, 1), 9925};
        return host_connect(h, &at, host_now_ms(h) + 5000, tcp);
}

/* One answer on a connection that is kept; false when it broke. */
static bool scrape(struct host *h, struct host_tcp *tcp)
{
        char came[1024];
        size_t n = 0, got;
        int64_t until_ms = host_now_ms(h) + 10000;
        if (host_tcp_write(h, tcp, S(REQUEST), until_ms) != ERR_OK)
                return false;
        for (;;) {
                struct str all = str_of(came, n);
                if (str_find(all, S(PAGE_END)) < n && came[n - 1] == '\n' &&
                        str_find(all, S(PAGE_END)) + sizeof PAGE_END - 1 < n) {
                        assert_true(str_has_prefix(all, S("HTTP/1.1 200 OK\r\n")));
                        return true;
                }
                if (host_tcp_read(h, tcp, came + n, sizeof came - n, until_ms, &got) != ERR_OK)
                        return false;
                n += got;
                assert_true(n < sizeof came);
        }
}

static int watch(struct host *h, void *arg)
{
        struct world *w = arg;
        struct host_tcp *tcp = NULL;
        char byte;
        size_t got;
        for (int i = 0; i < SCRAPES; i++) {
                if (!tcp && dial(h, &tcp) != ERR_OK)
                        tcp = NULL;
                if (tcp && scrape(h, tcp)) {
                        w->good++;
                } else if (tcp) {
                        host_tcp_close(h, tcp);
                        tcp = NULL;
                }
                assert_int_equal(fiber_sleep(h->sched, INTERVAL_MS), ERR_OK);
        }
        if (tcp)
                host_tcp_close(h, tcp);
        if (w->is_cut || dial(h, &tcp) != ERR_OK)
                return 0;
        int64_t begin_ms = host_now_ms(h);
        assert_int_equal(host_tcp_write(h, tcp, S("GET /met"), FIBER_NEVER), ERR_OK);
        while (host_tcp_read(h, tcp, &byte, 1, FIBER_NEVER, &got) == ERR_OK)
                ;
        w->silent_ms = host_now_ms(h) - begin_ms;
        host_tcp_close(h, tcp);
        return 0;
}

static void run_main(struct sim *sim, void *arg)
{
        struct world *w = arg;
        int status;
        sim_node_start(w->server, serve, w);
        assert_int_equal(fiber_sleep(sim_sched(sim), 10), ERR_OK);
        sim_node_start(w->watcher, watch, w);
        assert_int_equal(sim_node_join(w->watcher, FIBER_NEVER, &status), ERR_OK);
        sim_node_stop(w->server);
        assert_int_equal(sim_node_join(w->server, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
}

static void play(uint64_t seed, struct world *w)
{
        struct ip addresses[] = {ip_v4(10, 0, 0, 1), ip_v4(10, 0, 0, 2)};
        struct sim *sim = sim_new(seed, NULL);
        struct sim_link link = sim_link_default(sim);
        link.split_ppm = 500000;
        link.loss_ppm = 50000;
        link.cut_ppm = w->is_cut ? 300000 : 0;
        link.cut_within = 600;
        link.cut_how = SIM_CUT_ANY;
        sim_link_set_default(sim, &link);
        w->server = sim_node_add(sim, "server", &addresses[0], 1, NULL);
        w->watcher = sim_node_add(sim, "watcher", &addresses[1], 1, NULL);
        sim_run(sim, run_main, w);
        if (sim_failure(sim))
                fail_msg("seed %u: %s", (unsigned)seed, sim_failure(sim));
        sim_free(sim);
}

static void whole(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 20; seed++) {
                struct world w = {0};
                play(seed, &w);
                assert_int_equal(w.good, SCRAPES);
                assert_int_equal(w.scrapes, SCRAPES);
                assert_in_range(w.silent_ms, HTTP_REQUEST_MS, HTTP_REQUEST_MS + 2000);
        }
}

/* Connections that break, in any manner, leave nothing open, and the next one is served. */
static void cut(void **state)
{
        unsigned good = 0, broken = 0;
        (void)state;
        for (uint64_t seed = 1; seed <= 20; seed++) {
                struct world w = {.is_cut = true};
                play(seed, &w);
                good += w.good;
                broken += SCRAPES - w.good;
        }
        assert_true(good > 10 * SCRAPES && broken > 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(cut)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
