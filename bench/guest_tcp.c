/* SPDX-License-Identifier: ISC */
/* A guest for bench/guest.py that does nothing but TCP: port 9 takes bytes and at their end says one, port 19 sends without
 * end, port 7 gives back what comes. */
#include <stdlib.h>

#include "base/check.h"
#include "host/guest/guest.h"

#define BLOCK 65536

struct service {
        uint16_t port;
        void (*serve)(struct host *h, struct host_tcp *tcp, char *block);
        struct host *host;
        struct scope *scope;
};

struct visit {
        const struct service *service;
        struct host_tcp *tcp;
        char block[BLOCK];
};

static void discard(struct host *h, struct host_tcp *tcp, char *block)
{
        size_t got;
        enum err e;
        while ((e = host_tcp_read(h, tcp, block, BLOCK, FIBER_NEVER, &got)) == ERR_OK)
                continue;
        if (e == ERR_EOF)
                (void)(host_tcp_write(h, tcp, S("."), FIBER_NEVER) == ERR_OK);
}

static void generate(struct host *h, struct host_tcp *tcp, char *block)
{
        while (host_tcp_write(h, tcp, str_of(block, BLOCK), FIBER_NEVER) == ERR_OK)
                continue;
}

static void echo(struct host *h, struct host_tcp *tcp, char *block)
{
        size_t got;
        while (host_tcp_read(h, tcp, block, BLOCK, FIBER_NEVER, &got) == ERR_OK &&
                host_tcp_write(h, tcp, str_of(block, got), FIBER_NEVER) == ERR_OK)
                continue;
}

static void visit_run(void *arg)
{
        struct visit *v = arg;
        v->service->serve(v->service->host, v->tcp, v->block);
        host_tcp_close(v->service->host, v->tcp);
        free(v);
}

static void listen_run(void *arg)
{
        const struct service *s = arg;
        const struct ip_port at = {{.family = 4}, s->port};
        struct host_listener *listener;
        struct host_tcp *tcp;
        struct ip_port peer;
        CHECK(host_listen(s->host, &at, &listener) == ERR_OK);
        while (host_accept(s->host, listener, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                struct visit *v = calloc(1, sizeof *v);
                CHECK(v != NULL);
                v->service = s;
                v->tcp = tcp;
                CHECK(scope_spawn(s->scope, "visit", visit_run, v) == ERR_OK);
        }
}

static void run(void *arg)
{
        struct host *h = arg;
        struct scope scope;
        struct service services[] = {
                {.port = 9, .serve = discard}, {.port = 19, .serve = generate}, {.port = 7, .serve = echo}};
        scope_open(&scope, h->sched, FIBER_NEVER);
        for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
                services[i].host = h;
                services[i].scope = &scope;
                CHECK(scope_spawn(&scope, "listen", listen_run, &services[i]) == ERR_OK);
        }
        host_console(h, S("event=listening"));
        (void)scope_join(&scope);
}

int main(int argc, char **argv)
{
        struct guest_options options;
        if (guest_options_take(&options, &argc, argv) != ERR_OK || argc != 1)
                return 64;
        struct host *h = guest_host_new(&options, NULL);
        if (h == NULL)
                return 1;
        guest_host_run(h, run, h);
        return 0;
}
