/* SPDX-License-Identifier: ISC */
/* The host of a guest: its scheduler over the machine. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "host/guest/inside.h"

static const struct host_ops ops = {
        .wall_ms = guest_wall_ms,
        .random = guest_random,
        .console = guest_console,
        .wait_stop = guest_wait_stop,
        .listen = guest_listen,
        .accept = guest_accept,
        .listener_close = guest_listener_close,
        .connect = guest_connect,
        .tcp_read = guest_tcp_read,
        .tcp_write = guest_tcp_write,
        .tcp_local = guest_tcp_local,
        .tcp_close = guest_tcp_close,
        .udp_open = guest_udp_open,
        .udp_send = guest_udp_send,
        .udp_receive = guest_udp_receive,
        .udp_close = guest_udp_close,
        .block_open = guest_block_open,
        .block_size = guest_block_size,
        .block_resize = guest_block_resize,
        .block_read = guest_block_read,
        .block_write = guest_block_write,
        .block_flush = guest_block_flush,
        .block_close = guest_block_close,
};

static void tell(struct waiter *w, enum waiter_state state)
{
        if (w == NULL || w->state == state)
                return;
        w->state = state;
        fiber_wake(w->fiber);
}

void waiter_wake(struct waiter *w)
{
        tell(w, WAITER_READY);
}

void waiter_close(struct waiter *w)
{
        tell(w, WAITER_CLOSED);
}

/* Not inlined: gcc 12 would see the address of a local stored, and not that it is taken back. */
__attribute__((noinline)) static void enter(struct waiter **slot, struct waiter *w)
{
        CHECK(*slot == NULL); /* one fiber reads and one writes at a time */
        *slot = w;
}

enum err waiter_wait(struct guest *g, struct waiter **slot, int64_t deadline_ms)
{
        struct sched *s = g->host.sched;
        struct waiter waiter = {.fiber = sched_current(s), .state = WAITER_WAITING};
        enter(slot, &waiter);
        enum err err = ERR_OK;
        while (err == ERR_OK && waiter.state == WAITER_WAITING)
                err = fiber_park(s, deadline_ms);
        if (waiter.state == WAITER_CLOSED)
                return ERR_CLOSED;
        *slot = NULL;
        return waiter.state == WAITER_READY ? ERR_OK : err;
}

void guest_give_way(struct guest *g)
{
        enum { AT_ONCE = 16 };
        if (++g->unwaited < AT_ONCE)
                return;
        g->unwaited = 0;
        fiber_yield(g->host.sched);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* What has come is handed out first; only when nothing has, the machine rests. */
static void wait_machine(void *platform, int64_t until_ms)
{
        struct guest *g = platform;
        net_tick();
        if (net_receive() > 0 || until_ms == 0)
                return;
        tcp_acknowledge(g);
        uint64_t until_ns = until_ms == FIBER_NEVER ? UINT64_MAX : (uint64_t)until_ms * 1000000;
        machine_wait(earlier(until_ns, net_next_ns()));
        net_tick();
        (void)net_receive();
}

/* Of a connection: its fiber's stack, and some of what is said over it. lwIP has a control block for each. */
static size_t connections_max(void)
{
        enum { SHARE = 48 * 1024, MOST = 2500 };
        size_t most = guest_memory_free() / SHARE;
        return most < MOST ? most : MOST;
}

struct host *guest_host_new(const struct guest_options *o, const char *label)
{
        if (o->ipv4.family == 0 && o->ipv6.family == 0) {
                fprintf(stderr, "guest: --ipv4 or --ipv6 is missing\n");
                return NULL;
        }
        struct guest *g = calloc(1, sizeof *g);
        struct sched_platform platform = {
                .now_ms = guest_now_ms, .wait = wait_machine, .platform = g, .stack_size = MACHINE_STACK};
        if (stack_prepare()) { /* else: the heap's, with a canary */
                platform.stack_alloc = guest_stack_alloc;
                platform.stack_free = guest_stack_free;
        }
        if (g != NULL)
                g->host = (struct host){.ops = &ops,
                        .sched = sched_new(&platform),
                        .label = label,
                        .connections_max = connections_max()};
        enum err err = g == NULL || g->host.sched == NULL ? ERR_MEMORY : net_init(o);
        if (err == ERR_OK)
                return &g->host;
        fprintf(stderr, err == ERR_NOT_FOUND ? "guest: there is no network device `service`\n"
                                             : "guest: too little memory\n");
        return NULL;
}

void guest_host_run(struct host *h, void (*main)(void *arg), void *arg)
{
        sched_run(h->sched, main, arg);
}
