/* SPDX-License-Identifier: ISC */
#include "serve/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "serve/loopback.h"

struct world {
        struct loopback loop; /* first */
        struct monitor monitor;
        struct scope scope;
        bool is_well, is_large;
        void (*play)(struct world *w);
};

static void metrics(void *ctx, struct metrics *m)
{
        struct world *w = ctx;
        metrics_family(m, METRICS_GAUGE, "x", "X");
        for (int i = 0; i < (w->is_large ? MONITOR_PAGE_MAX : 1); i++)
                metrics_u64(m, NULL, 0, 1);
}

static bool health(void *ctx, struct wr *text)
{
        struct world *w = ctx;
        wr_str(text, w->is_well ? S("ok\n") : S("example.com: no key\n"));
        return w->is_well;
}

static void serve(void *arg)
{
        struct world *w = arg;
        (void)monitor_serve(&w->monitor, w->loop.listener);
}

static void main_fiber(void *arg)
{
        struct world *w = arg;
        w->monitor = (struct monitor){.host = w->loop.host, .metrics = metrics, .health = health, .ctx = w};
        loopback_listen(&w->loop);
        scope_open(&w->scope, w->loop.host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&w->scope, "serve", serve, w), ERR_OK);
        w->play(w);
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        assert_int_equal(w->monitor.open, 0);
        host_listener_close(w->loop.host, w->loop.listener);
}

static void run(void (*play)(struct world *w))
{
        struct world w = {.is_well = true, .play = play};
        loopback_run(&w.loop, main_fiber);
}

static struct host_tcp *dial(struct world *w)
{
        struct host_tcp *tcp;
        assert_int_equal(
                host_connect(w->loop.host, &w->loop.at, loopback_in_ms(&w->loop, 5000), &tcp), ERR_OK);
        return tcp;
}

/* Say `request`, and see the whole stream begin and end so. */
static void ask(struct world *w, const char *request, const char *begins, const char *ends)
{
        char into[8192];
        struct host_tcp *tcp = dial(w);
        loopback_say(&w->loop, tcp, str_of_c(request));
        struct str came = loopback_read_until(&w->loop, tcp, NULL, into, sizeof into);
        assert_true(str_has_prefix(came, str_of_c(begins)));
        assert_true(str_has_suffix_nocase(came, str_of_c(ends)));
        host_tcp_close(w->loop.host, tcp);
}

static void play_pages(struct world *w)
{
        ask(w, "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\n# HELP x X\n# TYPE x gauge\nx 1\n");
        ask(w, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\nok\n");
        w->is_well = false;
        ask(w, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 503 ", "\r\n\r\nexample.com: no key\n");
        ask(w, "HEAD /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 503 ", "Connection: close\r\n\r\n");
        ask(w, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", "\n");
        ask(w, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 405 ",
                "Method Not Allowed");
        w->is_large = true;
        ask(w, "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 503 ", "do not fit a page\n");
}

/* Those who only hold a connection cannot keep others from the listener, nor take more than their number. */
static void play_crowd(struct world *w)
{
        struct host_tcp *crowd[MONITOR_CONNECTIONS_MAX], *more;
        char c;
        size_t got;
        for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
                crowd[i] = dial(w);
                loopback_say(&w->loop, crowd[i], S("GET"));
        }
        while (w->monitor.open < MONITOR_CONNECTIONS_MAX)
                assert_int_equal(fiber_sleep(w->loop.host->sched, 5), ERR_OK);
        more = dial(w);
        assert_int_not_equal(
                host_tcp_read(w->loop.host, more, &c, 1, loopback_in_ms(&w->loop, 5000), &got), ERR_OK);
        host_tcp_close(w->loop.host, more);
        host_tcp_close(w->loop.host, crowd[0]);
        while (w->monitor.open == MONITOR_CONNECTIONS_MAX)
                assert_int_equal(fiber_sleep(w->loop.host->sched, 5), ERR_OK);
        ask(w, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
        for (size_t i = 1; i < MONITOR_CONNECTIONS_MAX; i++)
                host_tcp_close(w->loop.host, crowd[i]);
}

static void pages(void **state)
{
        (void)state;
        run(play_pages);
}

static void crowd(void **state)
{
        (void)state;
        run(play_crowd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(pages), cmocka_unit_test(crowd)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
