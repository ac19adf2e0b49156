/* SPDX-License-Identifier: ISC */
/* TCP as a process sees it. */
#include <stdlib.h>

#include "base/check.h"
#include "host/sim/wire.h"

enum {
        BACKLOG_MAX = 1024,
        TRIES = 7, /* of a handshake, after 1, 2, 4 ... s: it fails after 127 s */
        TRY_MS = 1000,
        FULL_PAUSE_MS = 100, /* between two looks whether something was closed */
};

static unsigned side_of(const struct end *e)
{
        return (unsigned)(e - e->conn->ends);
}

static struct end *end_of(const struct host_tcp *t)
{
        return &t->conn->ends[t->side];
}

struct sim_node *net_node(const struct host_tcp *t)
{
        return end_of(t)->node;
}

struct ip_port net_local(const struct host_tcp *t)
{
        return end_of(t)->at;
}

/* Listeners. */

static struct host_listener *listener_find(struct sim_node *node, const struct ip_port *at)
{
        for (struct host_listener *l = node->listeners; l != NULL; l = l->next)
                if (l->at.port == at->port && address_covers(&l->at.ip, &at->ip))
                        return l;
        return NULL;
}

static bool is_taken(const struct sim_node *node, const struct ip_port *at)
{
        for (const struct host_listener *l = node->listeners; l != NULL; l = l->next)
                if (l->at.port == at->port &&
                        (address_covers(&l->at.ip, &at->ip) || address_covers(&at->ip, &l->at.ip)))
                        return true;
        return false;
}

enum err net_listen(struct sim_node *node, const struct ip_port *at, struct host_listener **out)
{
        if (!address_is_own(node, &at->ip))
                return ERR_UNREACHABLE;
        if (at->port == 0 || is_taken(node, at))
                return ERR_BUSY;
        if (!node_has_room(node))
                return ERR_LIMIT;
        struct host_listener *l = sim_alloc(sizeof *l);
        *l = (struct host_listener){
                .node = node, .at = *at, .next = node->listeners, .link = &node->listeners};
        l->backlog_end = &l->backlog;
        if (l->next != NULL)
                l->next->link = &l->next;
        node->listeners = l;
        node_opened(node);
        *out = l;
        return ERR_OK;
}

struct sim_node *net_listener_node(const struct host_listener *l)
{
        return l->node;
}

static struct conn *backlog_take(struct host_listener *l)
{
        struct conn *c = l->backlog;
        l->backlog = c->waiting;
        if (l->backlog == NULL)
                l->backlog_end = &l->backlog;
        l->backlog_n--;
        return c;
}

/* Nobody will accept what waits; its peers are told, or the power is gone. */
static void listener_end(struct host_listener *l, bool is_told)
{
        waiter_close(&l->acceptor);
        while (l->backlog != NULL) {
                struct conn *c = backlog_take(l);
                if (is_told)
                        pipe_send_reset(c, 1, false);
                end_close(&c->ends[1]);
                conn_sweep(c);
        }
        if (l->link == NULL)
                return;
        *l->link = l->next;
        if (l->next != NULL)
                l->next->link = l->link;
        l->link = NULL;
}

void net_listener_close(struct host_listener *l)
{
        listener_end(l, true);
        node_closed(l->node);
        free(l);
}

static void tcp_new(struct end *e, struct host_tcp **out)
{
        struct host_tcp *t = sim_alloc(sizeof *t);
        *t = (struct host_tcp){.conn = e->conn, .side = side_of(e)};
        e->handle = t;
        node_opened(e->node);
        *out = t;
}

/* No room for one more: come back later, unless the listener is closed meanwhile. */
static enum err pause_accept(struct host_listener *l, int64_t deadline_ms)
{
        struct sim *sim = l->node->sim;
        int64_t until_ms = sim->now_ms + FULL_PAUSE_MS;
        bool is_last = deadline_ms < until_ms;
        enum err err;
        do
                err = waiter_wait(sim, &l->acceptor, is_last ? deadline_ms : until_ms);
        while (err == ERR_OK);
        return err == ERR_TIMEOUT && !is_last ? fiber_check(sim->sched) : err;
}

enum err net_accept(struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer)
{
        struct sim_node *node = l->node;
        enum err err = fiber_check(node->sim->sched);
        while (err == ERR_OK && (l->backlog == NULL || !node_has_room(node)))
                err = l->backlog == NULL ? waiter_wait(node->sim, &l->acceptor, deadline_ms)
                                         : pause_accept(l, deadline_ms);
        if (err != ERR_OK)
                return err;
        struct conn *c = backlog_take(l);
        tcp_new(&c->ends[1], out);
        *peer = c->ends[0].at;
        give_way(node);
        return ERR_OK;
}

/* Connecting: one event stands for both packets of the handshake. */

static void settle(struct conn *c, enum err outcome)
{
        c->state = outcome == ERR_OK ? CONN_OPEN : CONN_FAILED;
        c->outcome = outcome;
        waiter_tell(c->ends[0].writer, WAITER_READY);
}

static void try_again(struct conn *c)
{
        if (c->tries == TRIES)
                settle(c, ERR_TIMEOUT);
        else
                event_set(c->sim, &c->opening, c->sim->now_ms + ((int64_t)TRY_MS << c->tries));
        c->tries++;
}

static void open_conn(struct conn *c, struct host_listener *l)
{
        end_open(&c->ends[1]);
        conn_plan_cuts(c);
        *l->backlog_end = c;
        l->backlog_end = &c->waiting;
        l->backlog_n++;
        for (unsigned i = 0; i < 2; i++)
                c->ends[i].node->counters.connections++;
        settle(c, ERR_OK);
        waiter_tell(l->acceptor, WAITER_READY);
}

static void open_try(struct event *e)
{
        struct conn *c = (struct conn *)((char *)e - offsetof(struct conn, opening));
        struct sim_node *from = c->ends[0].node, *to = c->ends[1].node;
        if (to == NULL || !link_is_up(from, to) || !link_is_up(to, from)) {
                try_again(c);
                return;
        }
        struct host_listener *l = listener_find(to, &c->ends[1].at);
        if (l == NULL || c->pipes[0].link->set.refuses)
                settle(c, ERR_REFUSED);
        else if (l->backlog_n == BACKLOG_MAX)
                try_again(c);
        else
                open_conn(c, l);
}

static void begin(struct conn *c)
{
        int64_t at_ms = c->sim->now_ms;
        for (unsigned i = 0; i < 2 && c->pipes[i].link != NULL; i++)
                at_ms += link_delay_ms(c->pipes[i].link);
        c->opening.fire = open_try;
        event_set(c->sim, &c->opening, at_ms);
}

static void trace_open(const struct conn *c, enum err err)
{
        char from[IP_PORT_TEXT_MAX], to[IP_PORT_TEXT_MAX];
        sim_trace(c->sim, c->ends[0].node, "connect", "#%llu %s > %s %s", (unsigned long long)c->id,
                ip_port_text(&c->ends[0].at, from), ip_port_text(&c->ends[1].at, to), err_text(err));
}

enum err net_connect(
        struct sim_node *node, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out)
{
        struct ip source;
        struct host_tcp *t;
        enum err err = fiber_check(node->sim->sched);
        if (err != ERR_OK)
                return err;
        if (!address_source(node, &to->ip, &source))
                return ERR_UNREACHABLE;
        if (!node_has_room(node))
                return ERR_LIMIT;
        struct conn *c = conn_new(node, &source, to);
        tcp_new(&c->ends[0], &t);
        end_open(&c->ends[0]);
        begin(c);
        while (err == ERR_OK && c->state == CONN_OPENING)
                err = waiter_wait(node->sim, &c->ends[0].writer, deadline_ms);
        if (err == ERR_OK)
                err = c->outcome;
        trace_open(c, err);
        if (err != ERR_OK)
                net_close(t);
        else
                *out = t;
        return err;
}

/* Reading and writing. */

/* A writer that waits goes on when half of its window is free, not for each byte. */
static void room_made(struct conn *c, unsigned side)
{
        if (pipe_room(c, side) >= c->pipes[side].link->set.window / 2)
                waiter_tell(c->ends[side].writer, WAITER_READY);
}

enum err net_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct end *e = end_of(t);
        struct conn *c = t->conn;
        struct pipe *p = &c->pipes[1 - t->side];
        enum err err = fiber_check(c->sim->sched);
        while (err == ERR_OK) {
                if (e->is_closed)
                        return ERR_CLOSED;
                *got = pipe_read(p, into, cap);
                if (*got > 0) {
                        e->node->counters.bytes_in += *got;
                        room_made(c, 1 - t->side);
                        give_way(e->node);
                        return ERR_OK;
                }
                if (e->is_ended || e->is_reset)
                        return e->is_ended ? ERR_EOF : ERR_CLOSED;
                err = waiter_wait(c->sim, &e->reader, deadline_ms);
        }
        return err;
}

enum err net_write(struct host_tcp *t, struct str bytes, int64_t deadline_ms)
{
        struct end *e = end_of(t);
        struct conn *c = t->conn;
        unsigned side = t->side;
        enum err err = fiber_check(c->sim->sched);
        while (err == ERR_OK && bytes.n > 0) {
                if (e->is_closed || e->is_reset)
                        return ERR_CLOSED;
                size_t room = pipe_room(c, side), n = bytes.n < room ? bytes.n : room;
                if (n == 0) {
                        err = waiter_wait(c->sim, &e->writer, deadline_ms);
                        continue;
                }
                pipe_write(c, side, bytes.p, n);
                e->node->counters.bytes_out += n;
                bytes = str_skip(bytes, n);
        }
        if (err == ERR_OK)
                give_way(e->node);
        return err;
}

/* Closing. */

static void trace_close(const struct conn *c, unsigned side)
{
        sim_trace(c->sim, c->ends[side].node, "close", "#%llu read %llu wrote %llu",
                (unsigned long long)c->id, (unsigned long long)c->pipes[1 - side].read,
                (unsigned long long)c->pipes[side].written);
}

void net_close(struct host_tcp *t)
{
        struct conn *c = t->conn;
        struct end *e = end_of(t);
        if (!e->is_closed && c->state == CONN_OPEN) {
                trace_close(c, t->side);
                if (!e->is_reset)
                        pipe_send_end(c, t->side);
        }
        event_drop(c->sim, &c->opening);
        e->handle = NULL;
        node_closed(e->node);
        free(t);
        end_close(e);
        conn_sweep(c);
}

static void kill_end(struct end *e, enum sim_kill how)
{
        struct conn *c = e->conn;
        if (how == SIM_KILL_PROCESS && c->state == CONN_OPEN && !e->is_reset)
                pipe_send_reset(c, side_of(e), sim_random_chance(&e->node->fate, SIM_PPM / 2));
        if (c->state == CONN_OPENING)
                event_drop(c->sim, &c->opening);
        end_close(e);
        conn_sweep(c);
}

void net_kill(struct sim_node *node, enum sim_kill how)
{
        while (node->listeners != NULL)
                listener_end(node->listeners, how == SIM_KILL_PROCESS);
        while (node->ends != NULL)
                kill_end(node->ends, how);
}

void net_power_off(struct sim_node *node)
{
        for (struct conn *c = node->sim->conns; c != NULL; c = c->next)
                for (unsigned i = 0; i < 2; i++)
                        if (c->ends[i].node == node && c->state == CONN_OPEN)
                                c->ends[i].is_lost = true;
}
