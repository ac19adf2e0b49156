/* SPDX-License-Identifier: ISC */
/* A machine that watches the servers by the pages of --metrics, as an operator would: whoever runs and is reached answers
 * whole pages, and no counter falls as long as its program lives. */
#include "tests/sim/world_inside.h"

#include <stdlib.h>

#include "host/sim/sim.h"

#define LOOK_MS (10 * 60 * 1000)
#define ANSWER_MS 30000 /* a partition may last longer: then there is no answer, and that is none of ours */
#define PAGE_MAX (64 * 1024)
#define PORT 9925

struct watched {
        uint64_t starts;  /* of the program, when the counter was seen */
        uint64_t counter; /* what it has done: messages signed or accepted */
};

struct watch {
        struct world *world;
        struct host *host;
        struct watched *seen; /* one a machine */
        char page[PAGE_MAX];
};

/* The whole answer to one request, or nothing when the connection broke. */
static struct str fetch(struct watch *w, const struct machine *m, struct str request)
{
        struct ip_port at = {m->ip, PORT};
        struct host_tcp *tcp;
        int64_t until_ms = host_now_ms(w->host) + ANSWER_MS;
        size_t n = 0, got;
        if (host_connect(w->host, &at, until_ms, &tcp) != ERR_OK)
                return S("");
        enum err e = host_tcp_write(w->host, tcp, request, until_ms);
        while (e == ERR_OK && n < sizeof w->page) {
                e = host_tcp_read(w->host, tcp, w->page + n, sizeof w->page - n, until_ms, &got);
                n += e == ERR_OK ? got : 0;
        }
        host_tcp_close(w->host, tcp);
        return e == ERR_EOF ? str_of(w->page, n) : S("");
}

/* The number behind `name` at the start of a line. */
static bool number_of(struct str page, struct str name, uint64_t *out)
{
        struct str line;
        while (str_cut(page, '\n', &line, &page))
                if (str_has_prefix(line, name))
                        return str_to_u64(str_skip(line, name.n), UINT64_MAX, out) == ERR_OK;
        return false;
}

static void look_at(struct watch *w, size_t at)
{
        const struct machine *m = &w->world->machines[at];
        struct watched *seen = &w->seen[at];
        bool is_lipap = m->said->verb == VERB_LIPAP;
        uint64_t starts = sim_node_counters(m->node).starts, counter;
        struct str page = fetch(w, m, S("GET /metrics HTTP/1.0\r\n\r\n"));
        if (page.n == 0 || sim_node_counters(m->node).starts != starts)
                return; /* away, or another life */
        if (!str_has_prefix(page, S("HTTP/1.1 200 OK\r\n")) ||
                !number_of(page,
                        is_lipap ? S("lipap_messages_accepted_total ") : S("nec_messages_signed_total "),
                        &counter))
                world_broken(w->world, "metrics", "%s: no page of metrics: %.*s", m->name,
                        STR_ARG(str_take(page, 200)));
        else if (seen->starts == starts && counter < seen->counter)
                world_broken(w->world, "metrics", "%s: a counter fell from %llu to %llu", m->name,
                        (unsigned long long)seen->counter, (unsigned long long)counter);
        else
                *seen = (struct watched){starts, counter};
        page = fetch(w, m, S("GET /healthz HTTP/1.0\r\n\r\n"));
        if (page.n > 0 && !str_has_prefix(page, S("HTTP/1.1 200 ")) &&
                !str_has_prefix(page, S("HTTP/1.1 503 ")))
                world_broken(w->world, "metrics", "%s: health: %.*s", m->name, STR_ARG(str_take(page, 200)));
}

static int watch_run(struct host *h, void *arg)
{
        struct watch *w = arg;
        w->host = h;
        while (fiber_sleep(h->sched, LOOK_MS) == ERR_OK)
                for (size_t i = 0; i < w->world->machine_count; i++) {
                        enum verb verb = w->world->machines[i].said->verb;
                        if (verb == VERB_LIPAP || verb == VERB_SIGNER)
                                look_at(w, i);
                }
        return 0;
}

void world_watch_metrics(struct world *world)
{
        static const struct ip ip = {.family = 4, .b = {192, 0, 2, 2}};
        struct watch *w = world_alloc(world, sizeof *w);
        w->world = world;
        w->seen = world_alloc(world, world->machine_count * sizeof *w->seen);
        sim_node_start(sim_node_add(world->sim, "watcher", &ip, 1, NULL), watch_run, w);
}
