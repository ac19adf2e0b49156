/* SPDX-License-Identifier: ISC */
/* For tests of the simulator: two machines, "a" and "b", on a steady network, and the whole trace in memory. */
#ifndef HOST_SIM_STAGE_H
#define HOST_SIM_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/sim.h"

struct stage {
        struct sim *sim;
        struct sim_node *a, *b;
        struct host *ah, *bh;
        struct ip_port at;     /* port 25 of b */
        struct sim_disk *disk; /* of b, when a test wants one */
        char *trace;
        size_t n, cap;
        void (*body)(struct stage *s);
        void *arg;
};

/* One way takes LATENCY_MS, exactly, and nothing is split. */
enum { LATENCY_MS = 10 };

static inline void stage_trace(void *arg, struct str line)
{
        struct stage *s = arg;
        if (s->n + line.n + 1 > s->cap) {
                s->cap = (s->n + line.n + 1) * 2;
                s->trace = realloc(s->trace, s->cap);
                CHECK(s->trace != NULL);
        }
        memcpy(s->trace + s->n, line.p, line.n);
        s->n += line.n;
        s->trace[s->n] = '\0';
}

static inline void stage_main(struct sim *sim, void *arg)
{
        struct stage *s = arg;
        const struct ip a[] = {ip_v4(10, 0, 0, 1), {.family = 6, .b = {0x20, 1, [15] = 1}}};
        const struct ip b[] = {ip_v4(10, 0, 0, 2), ip_v4(10, 0, 0, 3)};
        struct sim_link link = sim_link_default(sim);
        link.latency_ms = LATENCY_MS;
        link.jitter_ms = 0;
        link.split_ppm = 0;
        sim_link_set_default(sim, &link);
        s->a = sim_node_add(sim, "a", a, 2, NULL);
        s->b = sim_node_add(sim, "b", b, 2, s->disk);
        s->ah = sim_node_host(s->a);
        s->bh = sim_node_host(s->b);
        s->at = (struct ip_port){.ip = b[0], .port = 25};
        s->body(s);
}

/* Play `body`; the stage stays for the test to look at, until stage_end. */
static inline void stage_play(struct stage *s, uint64_t seed, void (*body)(struct stage *s))
{
        const struct sim_watch watch = {.trace = stage_trace, .arg = s};
        s->sim = sim_new(seed, &watch);
        s->body = body;
        sim_run(s->sim, stage_main, s);
}

static inline void stage_end(struct stage *s)
{
        sim_free(s->sim);
        free(s->trace);
}

/* Play it, and nothing may fail. */
static inline void stage_check(uint64_t seed, void (*body)(struct stage *s))
{
        struct stage s = {0};
        stage_play(&s, seed, body);
        if (sim_failure(s.sim) != NULL)
                fail_msg("%s", sim_failure(s.sim));
        stage_end(&s);
}

static inline int64_t stage_in(const struct stage *s, int64_t ms)
{
        return sim_now(s->sim) + ms;
}

static inline void stage_sleep(struct stage *s, int64_t ms)
{
        CHECK(fiber_sleep(sim_sched(s->sim), ms) == ERR_OK);
}

static inline bool stage_has(const struct stage *s, const char *text)
{
        return s->trace != NULL && strstr(s->trace, text) != NULL;
}

/* A connection from a to b, accepted. */
struct pair {
        struct host_listener *listener;
        struct host_tcp *near, *far;
        struct ip_port peer;
};

static inline struct pair pair_open(struct stage *s)
{
        struct pair p;
        CHECK(host_listen(s->bh, &s->at, &p.listener) == ERR_OK);
        CHECK(host_connect(s->ah, &s->at, FIBER_NEVER, &p.near) == ERR_OK);
        CHECK(host_accept(s->bh, p.listener, FIBER_NEVER, &p.far, &p.peer) == ERR_OK);
        return p;
}

static inline void pair_close(struct stage *s, struct pair *p)
{
        host_tcp_close(s->ah, p->near);
        host_tcp_close(s->bh, p->far);
        host_listener_close(s->bh, p->listener);
}

#endif
