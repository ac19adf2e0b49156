/* SPDX-License-Identifier: ISC */
/* What happens to bytes between two ends. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/wire.h"

enum {
        PAUSE_FIRST_MS = 200, /* RFC 6298 asks for 1 s; kernels begin here */
        PAUSE_MAX_MS = 120 * 1000,
        GIVE_UP_MS = 15 * 60 * 1000,
        RING_FIRST = 2048,
        PORT_FIRST = 1024,
};

static void arrive(struct event *e);

struct conn *conn_new(struct sim_node *node, const struct ip *source, const struct ip_port *to)
{
        struct sim *sim = node->sim;
        struct sim_node *peer = address_reach(node, &to->ip);
        struct conn *c = sim_alloc(sizeof *c);
        uint16_t port = (uint16_t)(PORT_FIRST + sim_random_below(&node->ports, 65536 - PORT_FIRST));
        struct end near = {.conn = c, .node = node, .at = {.ip = *source, .port = port}, .is_closed = true};
        struct end far = {.conn = c, .node = peer, .at = *to, .is_closed = true};
        *c = (struct conn){.sim = sim, .id = ++sim->conn_id, .ends = {near, far}, .link = sim->conns_end};
        for (unsigned i = 0; i < 2; i++)
                c->pipes[i] = (struct pipe){.conn = c, .event.fire = arrive};
        if (peer != NULL) {
                c->pipes[0].link = link_of(node, peer);
                c->pipes[1].link = link_of(peer, node);
        }
        *sim->conns_end = c;
        sim->conns_end = &c->next;
        return c;
}

static void conn_free(struct conn *c)
{
        struct sim *sim = c->sim;
        event_drop(sim, &c->opening);
        for (unsigned i = 0; i < 2; i++) {
                event_drop(sim, &c->pipes[i].event);
                free(c->pipes[i].ring);
        }
        *c->link = c->next;
        if (c->next != NULL)
                c->next->link = c->link;
        else
                sim->conns_end = c->link;
        free(c);
}

void conn_sweep(struct conn *c)
{
        for (unsigned i = 0; i < 2; i++)
                if (!c->ends[i].is_closed || c->ends[i].handle != NULL || c->pipes[i].mark_n > 0)
                        return;
        conn_free(c);
}

void net_free_all(struct sim *sim)
{
        while (sim->conns != NULL)
                conn_free(sim->conns);
}

void end_open(struct end *e)
{
        struct sim_node *node = e->node;
        e->is_closed = false;
        e->next = node->ends;
        e->link = &node->ends;
        if (e->next != NULL)
                e->next->link = &e->next;
        node->ends = e;
        node->counters.connections_open++;
}

void end_close(struct end *e)
{
        waiter_close(&e->reader);
        waiter_close(&e->writer);
        if (e->is_closed)
                return;
        e->is_closed = true;
        *e->link = e->next;
        if (e->next != NULL)
                e->next->link = e->link;
        e->node->counters.connections_open--;
}

/* The ring. */

static void ring_grow(struct pipe *p, size_t need)
{
        size_t cap = p->cap > 0 ? p->cap : RING_FIRST;
        while (cap < need)
                cap *= 2;
        if (cap == p->cap)
                return;
        char *ring = sim_alloc(cap);
        for (uint64_t at = p->read; at < p->written;) {
                size_t from = (size_t)(at & (p->cap - 1)), to = (size_t)(at & (cap - 1));
                size_t n =
                        p->cap - from < (size_t)(p->written - at) ? p->cap - from : (size_t)(p->written - at);
                n = cap - to < n ? cap - to : n;
                memcpy(ring + to, p->ring + from, n);
                at += n;
        }
        free(p->ring);
        p->ring = ring;
        p->cap = cap;
}

size_t pipe_room(const struct conn *c, unsigned side)
{
        const struct pipe *p = &c->pipes[side];
        size_t window = p->link->set.window;
        uint64_t held = p->written - p->read;
        return held < window ? window - (size_t)held : 0;
}

size_t pipe_read(struct pipe *p, char *into, size_t cap)
{
        uint64_t there = p->arrived - p->read;
        size_t n = there < cap ? (size_t)there : cap;
        if (n == 0)
                return 0;
        size_t from = (size_t)(p->read & (p->cap - 1)), first = p->cap - from < n ? p->cap - from : n;
        memcpy(into, p->ring + from, first);
        memcpy(into + first, p->ring, n - first);
        p->read += n;
        return n;
}

static void ring_put(struct pipe *p, const char *from, size_t n)
{
        ring_grow(p, (size_t)(p->written - p->read) + n);
        size_t to = (size_t)(p->written & (p->cap - 1)), first = p->cap - to < n ? p->cap - to : n;
        memcpy(p->ring + to, from, first);
        memcpy(p->ring, from + first, n - first);
        p->written += n;
}

/* Marks. */

static void add_mark(struct conn *c, unsigned side, int64_t at_ms, struct mark mark)
{
        struct pipe *p = &c->pipes[side];
        struct mark *last = p->mark_n > 0 ? &p->marks[p->mark_n - 1] : NULL;
        mark.at_ms = at_ms > p->last_ms ? at_ms : p->last_ms;
        p->last_ms = mark.at_ms;
        bool is_data = mark.kind == MARK_DATA && last != NULL && last->kind == MARK_DATA;
        if (is_data && (last->at_ms == mark.at_ms || p->mark_n >= MARKS_DATA)) {
                *last = mark;
                return;
        }
        CHECK(p->mark_n < MARKS);
        p->marks[p->mark_n++] = mark;
        if (p->mark_n == 1)
                event_set(c->sim, &p->event, mark.at_ms);
}

static void send_burst(struct conn *c, unsigned side, size_t n)
{
        struct pipe *p = &c->pipes[side];
        add_mark(c, side, link_arrival_ms(c->sim, p->link, n), (struct mark){.to = p->written});
}

void pipe_write(struct conn *c, unsigned side, const char *from, size_t n)
{
        struct pipe *p = &c->pipes[side];
        struct link *l = p->link;
        if (n > 1 && sim_random_chance(&l->random, l->set.split_ppm)) {
                size_t head = 1 + (size_t)sim_random_below(&l->random, n - 1);
                ring_put(p, from, head);
                send_burst(c, side, head);
                p->last_ms++;
                from += head;
                n -= head;
        }
        ring_put(p, from, n);
        send_burst(c, side, n);
}

void pipe_send_end(struct conn *c, unsigned side)
{
        struct pipe *p = &c->pipes[side];
        int64_t at_ms = c->sim->now_ms + link_delay_ms(p->link);
        add_mark(c, side, at_ms, (struct mark){.to = p->written, .kind = MARK_END});
}

void pipe_drop(struct conn *c, unsigned side)
{
        struct pipe *p = &c->pipes[side];
        p->mark_n = 0;
        p->written = p->arrived;
        event_drop(c->sim, &p->event);
}

void pipe_send_reset(struct conn *c, unsigned side, bool is_behind)
{
        struct pipe *p = &c->pipes[side];
        if (p->mark_n > 0 && p->marks[p->mark_n - 1].kind == MARK_RESET)
                return;
        int64_t at_ms = c->sim->now_ms + link_delay_ms(p->link);
        if (!is_behind)
                pipe_drop(c, side);
        add_mark(c, side, at_ms, (struct mark){.to = p->written, .kind = MARK_RESET});
}

/* Arrivals. */

/* What this end wrote is lost, and it hears of it. */
static void reset_end(struct conn *c, unsigned side)
{
        struct end *e = &c->ends[side];
        pipe_drop(c, side);
        if (e->is_closed || e->is_reset)
                return;
        e->is_reset = true;
        sim_trace(c->sim, e->node, "reset", "#%llu", (unsigned long long)c->id);
        waiter_tell(e->reader, WAITER_READY);
        waiter_tell(e->writer, WAITER_READY);
}

static void cut(struct conn *c, unsigned side, enum sim_cut how)
{
        static const char *const names[] = {"reset", "silence", "half"};
        struct pipe *p = &c->pipes[side];
        sim_trace(c->sim, c->ends[side].node, "cut", "#%llu %s behind %llu bytes", (unsigned long long)c->id,
                names[how], (unsigned long long)p->arrived);
        p->cut_at = 0;
        if (how == SIM_CUT_SILENCE) {
                c->is_silent = true;
                return;
        }
        reset_end(c, side);
        if (how == SIM_CUT_RESET)
                reset_end(c, 1 - side);
}

/* The first mark has no way to its end: later again, if there is somebody to try. */
static void send_again(struct conn *c, unsigned side)
{
        struct pipe *p = &c->pipes[side];
        struct end *e = &c->ends[side];
        int64_t now_ms = c->sim->now_ms;
        if (p->marks[0].kind == MARK_RESET || e->is_lost || e->is_reset) {
                pipe_drop(c, side);
                return;
        }
        if (p->pause_ms == 0) {
                p->pause_ms = PAUSE_FIRST_MS;
                p->lost_ms = now_ms;
        }
        if (now_ms - p->lost_ms >= GIVE_UP_MS) {
                reset_end(c, side);
                return;
        }
        event_set(c->sim, &p->event, now_ms + p->pause_ms);
        p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
}

static void take_first(struct pipe *p)
{
        p->mark_n--;
        memmove(p->marks, p->marks + 1, p->mark_n * sizeof p->marks[0]);
}

static void take_mark(struct conn *c, unsigned side)
{
        struct pipe *p = &c->pipes[side];
        struct end *to = &c->ends[1 - side];
        struct mark mark = p->marks[0];
        take_first(p);
        p->arrived = mark.to;
        if (mark.kind == MARK_RESET) {
                reset_end(c, 1 - side);
                return;
        }
        if (mark.kind == MARK_END)
                to->is_ended = true;
        waiter_tell(to->reader, WAITER_READY);
}

/* Nobody has this connection there any more. */
static void answer_reset(struct conn *c, unsigned side)
{
        bool is_data = c->pipes[side].marks[0].kind == MARK_DATA;
        pipe_drop(c, side);
        if (is_data && !c->ends[side].is_closed)
                pipe_send_reset(c, 1 - side, true);
}

static void arrive(struct event *event)
{
        struct pipe *p = (struct pipe *)((char *)event - offsetof(struct pipe, event));
        struct conn *c = p->conn;
        unsigned side = (unsigned)(p - c->pipes);
        struct end *from = &c->ends[side], *to = &c->ends[1 - side];
        struct link *l = p->link;
        bool is_lost = c->is_silent || !link_is_up(from->node, to->node);
        if (is_lost || (p->pause_ms == 0 && sim_random_chance(&l->random, l->set.loss_ppm))) {
                send_again(c, side);
        } else if (to->is_closed || to->is_reset) {
                answer_reset(c, side);
        } else if (p->cut_at != 0 && p->marks[0].to >= p->cut_at) {
                p->arrived = p->cut_at - 1;
                waiter_tell(to->reader, WAITER_READY);
                cut(c, side, p->cut_how);
                if (c->is_silent)
                        send_again(c, side);
        } else {
                p->pause_ms = 0;
                take_mark(c, side);
        }
        if (p->mark_n > 0 && p->event.place == 0)
                event_set(c->sim, &p->event, p->marks[0].at_ms);
        conn_sweep(c);
}

/* Faults from outside. */

void conn_plan_cuts(struct conn *c)
{
        for (unsigned i = 0; i < 2; i++)
                c->pipes[i].cut_at = link_take_cut(c->pipes[i].link, &c->pipes[i].cut_how);
}

static bool is_between(
        const struct conn *c, unsigned side, const struct sim_node *from, const struct sim_node *to)
{
        return (from == NULL || c->ends[side].node == from) && (to == NULL || c->ends[1 - side].node == to);
}

size_t sim_link_cut(struct sim *sim, struct sim_node *from, struct sim_node *to, enum sim_cut how)
{
        size_t n = 0;
        for (struct conn *c = sim->conns, *next; c != NULL; c = next) {
                next = c->next;
                if (c->state != CONN_OPEN || (!is_between(c, 0, from, to) && !is_between(c, 1, from, to)))
                        continue;
                unsigned side = is_between(c, 0, from, to) ? 0 : 1;
                cut(c, side, link_draw_cut(c->pipes[side].link, how));
                conn_sweep(c);
                n++;
        }
        return n;
}
