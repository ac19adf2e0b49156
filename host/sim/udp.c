/* SPDX-License-Identifier: ISC */
/* UDP: sockets towards one peer, as host.h has them, and those that answer anybody. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/inside.h"

enum {
        PORT_FIRST = 1024,
        PORT_TRIES = 64,
        DATAGRAM_MAX = 65507, /* what fits an IPv4 packet */
        WAITING_MAX = 256,    /* datagrams that nobody reads; more are lost */
};

struct datagram {
        struct event event; /* first: it is freed as its event */
        struct sim_node *sender, *receiver;
        struct ip_port from, to;
        struct datagram *next; /* waiting in the socket */
        bool is_refusal;       /* ICMP: nobody has the port of a datagram that went the other way */
        size_t n;
        uint8_t bytes[];
};

struct socket {
        struct sim_node *node;
        struct ip_port at, peer;
        bool is_open_to_all;
        bool is_refused;
        struct datagram *first, **end;
        size_t waiting;
        struct waiter *reader;
        struct socket *next, **link; /* in the node; `link` is NULL once it was killed */
};

static bool is_taken(const struct sim_node *node, const struct ip_port *at)
{
        for (const struct socket *u = node->sockets; u != NULL; u = u->next)
                if (u->at.port == at->port &&
                        (address_covers(&u->at.ip, &at->ip) || address_covers(&at->ip, &u->at.ip)))
                        return true;
        return false;
}

static bool draw_port(struct sim_node *node, struct ip_port *at)
{
        for (unsigned i = 0; i < PORT_TRIES; i++) {
                at->port = (uint16_t)(PORT_FIRST + sim_random_below(&node->ports, 65536 - PORT_FIRST));
                if (!is_taken(node, at))
                        return true;
        }
        return false;
}

enum err socket_open(
        struct sim_node *node, const struct ip_port *at, const struct ip_port *peer, struct socket **out)
{
        struct ip_port own = {0};
        if (!node_has_room(node))
                return ERR_LIMIT;
        if (at != NULL)
                own = *at;
        else if (!address_source(node, &peer->ip, &own.ip))
                return ERR_UNREACHABLE;
        else if (!draw_port(node, &own))
                return ERR_LIMIT;
        if (!address_is_own(node, &own.ip))
                return ERR_UNREACHABLE;
        if (own.port == 0 || is_taken(node, &own))
                return ERR_BUSY;
        struct socket *u = sim_alloc(sizeof *u);
        *u = (struct socket){.node = node, .at = own, .is_open_to_all = peer == NULL, .next = node->sockets};
        if (peer != NULL)
                u->peer = *peer;
        u->end = &u->first;
        u->link = &node->sockets;
        if (u->next != NULL)
                u->next->link = &u->next;
        node->sockets = u;
        node_opened(node);
        *out = u;
        return ERR_OK;
}

struct sim_node *socket_node(const struct socket *u)
{
        return u->node;
}

static struct datagram *take(struct socket *u)
{
        struct datagram *d = u->first;
        u->first = d->next;
        if (u->first == NULL)
                u->end = &u->first;
        u->waiting--;
        return d;
}

static void unlink_socket(struct socket *u)
{
        waiter_close(&u->reader);
        while (u->first != NULL)
                free(take(u));
        if (u->link == NULL)
                return;
        *u->link = u->next;
        if (u->next != NULL)
                u->next->link = u->link;
        u->link = NULL;
}

void socket_close(struct socket *u)
{
        unlink_socket(u);
        node_closed(u->node);
        free(u);
}

void socket_kill(struct sim_node *node)
{
        while (node->sockets != NULL)
                unlink_socket(node->sockets);
}

/* Arrival. */

static void arrive(struct event *e);

static struct socket *socket_find(struct sim_node *node, const struct datagram *d)
{
        for (struct socket *u = node->sockets; u != NULL; u = u->next)
                if (u->at.port == d->to.port && address_covers(&u->at.ip, &d->to.ip) &&
                        (u->is_open_to_all || ip_port_eq(&u->peer, &d->from)))
                        return u;
        return NULL;
}

/* The datagram itself goes back as its refusal. */
static void refuse(struct datagram *d)
{
        struct sim_node *sender = d->receiver;
        struct ip_port from = d->to;
        d->receiver = d->sender;
        d->sender = sender;
        d->to = d->from;
        d->from = from;
        d->is_refusal = true;
        struct link *l = link_of(d->sender, d->receiver);
        event_set(sender->sim, &d->event, sender->sim->now_ms + link_delay_ms(l));
}

static void deliver(struct socket *u, struct datagram *d)
{
        d->next = NULL;
        *u->end = d;
        u->end = &d->next;
        u->waiting++;
        waiter_tell(u->reader, WAITER_READY);
}

static void arrive(struct event *e)
{
        struct datagram *d = (struct datagram *)e;
        struct socket *u = NULL;
        bool is_there = link_is_up(d->sender, d->receiver);
        if (is_there)
                u = socket_find(d->receiver, d);
        if (is_there && u == NULL && !d->is_refusal) {
                refuse(d);
                return;
        }
        if (u != NULL && !d->is_refusal && u->waiting < WAITING_MAX) {
                deliver(u, d);
                return;
        }
        if (u != NULL && d->is_refusal && !u->is_open_to_all) {
                u->is_refused = true;
                waiter_tell(u->reader, WAITER_READY);
        }
        free(d);
}

/* Sending. */

static void launch(struct link *l, const struct datagram *like, const void *from, size_t n)
{
        struct sim *sim = like->sender->sim;
        struct datagram *d = sim_alloc(sizeof *d + n);
        *d = *like;
        d->n = n;
        memcpy(d->bytes, from, n);
        d->event = (struct event){.is_heap = true, .fire = arrive};
        int64_t at_ms = link_arrival_ms(sim, l, n);
        if (l->set.udp_late_ms > 0 && sim_random_chance(&l->random, l->set.udp_late_ppm))
                at_ms += sim_random_between(&l->random, 1, l->set.udp_late_ms);
        event_set(sim, &d->event, at_ms);
}

static bool take_refusal(struct socket *u)
{
        bool is_refused = u->is_refused;
        u->is_refused = false;
        return is_refused;
}

enum err socket_send(struct socket *u, const struct sim_udp_peer *peer, struct str bytes)
{
        struct sim_node *node = u->node;
        struct datagram like = {.sender = node, .from = u->at, .to = u->peer};
        if (take_refusal(u))
                return ERR_REFUSED;
        if (bytes.n > DATAGRAM_MAX)
                return ERR_LIMIT;
        if (peer != NULL) {
                like.from = (struct ip_port){.ip = peer->to.ip, .port = u->at.port};
                like.to = peer->from;
        }
        node->counters.datagrams_out++;
        like.receiver = address_reach(node, &like.to.ip);
        if (like.receiver == NULL)
                return ERR_OK;
        struct link *l = link_of(node, like.receiver);
        if (!sim_random_chance(&l->random, l->set.udp_loss_ppm))
                launch(l, &like, bytes.p, bytes.n);
        if (sim_random_chance(&l->random, l->set.udp_copy_ppm))
                launch(l, &like, bytes.p, bytes.n);
        return ERR_OK;
}

enum err socket_receive(
        struct socket *u, void *into, size_t cap, int64_t deadline_ms, size_t *got, struct sim_udp_peer *peer)
{
        struct sim_node *node = u->node;
        enum err err = fiber_check(node->sim->sched);
        while (err == ERR_OK && u->first == NULL) {
                if (u->link == NULL)
                        return ERR_CLOSED;
                if (take_refusal(u))
                        return ERR_REFUSED;
                err = waiter_wait(node->sim, &u->reader, deadline_ms);
        }
        if (err != ERR_OK)
                return err;
        struct datagram *d = take(u);
        bool fits = d->n <= cap;
        *got = fits ? d->n : 0;
        memcpy(into, d->bytes, *got);
        *peer = (struct sim_udp_peer){.from = d->from, .to = d->to};
        free(d);
        node->counters.datagrams_in++;
        give_way(node);
        return fits ? ERR_OK : ERR_LIMIT;
}
