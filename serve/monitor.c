/* SPDX-License-Identifier: ISC */
#include "serve/monitor.h"

#include <stdlib.h>

#include "host/log.h"
#include "http/server.h"

#define LINGER_MS 1000
#define LINGER_MAX (64 * 1024)

struct connection {
        struct monitor *monitor;
        struct host_tcp *tcp;
        struct http_server http;
        char page[MONITOR_PAGE_MAX];
};

static struct http_answer metrics_page(struct connection *c)
{
        struct metrics m;
        metrics_init(&m, c->page, sizeof c->page);
        c->monitor->metrics(c->monitor->ctx, &m);
        if (metrics_end(&m) != ERR_OK)
                return (struct http_answer){
                        503, S("text/plain; charset=utf-8"), S("the metrics do not fit a page\n")};
        return (struct http_answer){200, S("text/plain; version=0.0.4; charset=utf-8"), wr_text(&m.w)};
}

static struct http_answer health_page(struct connection *c)
{
        struct wr w;
        wr_init(&w, c->page, sizeof c->page);
        bool is_well = c->monitor->health(c->monitor->ctx, &w);
        return (struct http_answer){is_well ? 200 : 503, S("text/plain; charset=utf-8"), wr_text(&w)};
}

static struct http_answer page(struct connection *c, struct str path)
{
        if (str_eq(path, S("/metrics")))
                return metrics_page(c);
        if (str_eq(path, S("/healthz")))
                return health_page(c);
        return (struct http_answer){
                404, S("text/plain; charset=utf-8"), S("there are /metrics and /healthz\n")};
}

static void write_more(struct connection *c)
{
        struct host *h = c->monitor->host;
        struct str pending = http_server_pending(&c->http);
        if (host_tcp_write(h, c->tcp, pending, http_server_deadline(&c->http)) == ERR_OK)
                http_server_sent(&c->http, pending.n, host_now_ms(h));
        else
                http_server_lost(&c->http);
}

static void read_more(struct connection *c)
{
        struct host *h = c->monitor->host;
        size_t cap, got = 0;
        char *room = http_server_room(&c->http, &cap);
        enum err e = host_tcp_read(h, c->tcp, room, cap, http_server_deadline(&c->http), &got);
        if (e == ERR_OK)
                http_server_got(&c->http, got, host_now_ms(h));
        else if (e == ERR_TIMEOUT && host_now_ms(h) >= http_server_deadline(&c->http))
                http_server_tick(&c->http, host_now_ms(h));
        else
                http_server_lost(&c->http);
}

/* Closing while the peer still sends would reset the connection, and the reset may overtake our answer. */
static void linger(struct connection *c)
{
        struct host *h = c->monitor->host;
        int64_t until_ms = host_now_ms(h) + LINGER_MS;
        size_t got, dropped = 0;
        while (dropped < LINGER_MAX &&
                host_tcp_read(h, c->tcp, c->page, sizeof c->page, until_ms, &got) == ERR_OK)
                dropped += got;
}

static void drive(struct connection *c)
{
        struct host *h = c->monitor->host;
        struct http_server_event event;
        bool was_answered = false;
        http_server_init(&c->http, host_now_ms(h), host_wall_ms(h));
        for (;;) {
                if (http_server_next(&c->http, &event)) {
                        if (event.kind == HTTP_SERVER_CLOSED)
                                break;
                        struct http_answer answer = page(c, event.path);
                        http_server_reply(&c->http, &answer, host_now_ms(h));
                } else if (http_server_pending(&c->http).n > 0) {
                        write_more(c);
                        was_answered = true;
                } else {
                        read_more(c);
                        was_answered = false;
                }
        }
        if (was_answered)
                linger(c);
}

static void run_connection(void *arg)
{
        struct connection *c = arg;
        drive(c);
        host_tcp_close(c->monitor->host, c->tcp);
        c->monitor->open--;
        free(c);
}

static bool begin(struct monitor *monitor, struct scope *scope, struct host_tcp *tcp)
{
        struct connection *c = monitor->open < MONITOR_CONNECTIONS_MAX ? malloc(sizeof *c) : NULL;
        if (!c)
                return false;
        c->monitor = monitor;
        c->tcp = tcp;
        if (scope_spawn(scope, "monitor", run_connection, c) != ERR_OK) {
                free(c);
                return false;
        }
        monitor->open++;
        return true;
}

enum err monitor_serve(struct monitor *monitor, struct host_listener *listener)
{
        struct scope scope;
        struct host_tcp *tcp;
        struct ip_port peer;
        enum err e;
        scope_open(&scope, monitor->host->sched, FIBER_NEVER);
        while ((e = host_accept(monitor->host, listener, FIBER_NEVER, &tcp, &peer)) == ERR_OK)
                if (!begin(monitor, &scope, tcp))
                        host_tcp_close(monitor->host, tcp);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        return e;
}

enum err monitor_listen(struct host *h, const struct ip_port *at, struct host_listener **out)
{
        struct log_line l;
        enum err e = host_listen(h, at, out);
        log_begin(&l, h, e == ERR_OK ? LOG_INFO : LOG_ERROR, "metrics",
                e == ERR_OK ? "listening" : "cannot-listen");
        log_ip_port(&l, "at", at);
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
        return e;
}
