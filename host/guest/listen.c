/* SPDX-License-Identifier: ISC */
/* Listeners: connections wait here from their handshake to the fiber that accepts them. */
#include <stdlib.h>

#include "host/guest/inside.h"
#include "host/guest/lwip.h"

enum { BACKLOG = 255 }; /* handshakes under way and connections that wait, of one listener */

struct host_listener {
        struct guest *guest;
        struct tcp_pcb *pcb;
        struct host_tcp *first, **end; /* waiting */
        struct waiter *accepter;
};

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
        struct host_listener *l = arg;
        if (err != LWIP_OK || pcb == NULL)
                return LWIP_VAL; /* no pcb was free: the peer asks again */
        struct host_tcp *t = tcp_adopt(l->guest, pcb);
        if (t == NULL)
                return LWIP_MEM; /* lwIP resets it */
        t->is_connected = true;
        tcp_backlog_delayed(pcb);
        *l->end = t;
        l->end = &t->next_waiting;
        waiter_wake(l->accepter);
        return LWIP_OK;
}

void listen_make_room(struct tcp_pcb_listen *listening)
{
        struct tcp_pcb *oldest = NULL; /* lwIP puts new ones in front */
        if (listening->accepts_pending < listening->backlog)
                return;
        for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
                if (pcb->state == SYN_RCVD && pcb->listener == listening)
                        oldest = pcb;
        if (oldest != NULL)
                tcp_abandon(oldest, 0);
}

static enum err bind_at(struct tcp_pcb *pcb, const struct ip_port *at)
{
        ip_addr_t address;
        address_to_lwip(&at->ip, &address);
        if (!net_is_ours(&at->ip))
                return ERR_UNREACHABLE;
        return tcp_bind(pcb, &address, at->port) == LWIP_OK ? ERR_OK : ERR_BUSY;
}

enum err guest_listen(struct host *h, const struct ip_port *at, struct host_listener **out)
{
        struct host_listener *l = calloc(1, sizeof *l);
        struct tcp_pcb *pcb = tcp_new_ip_type(at->ip.family == 4 ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6),
                       *listening = NULL;
        enum err err = l == NULL || pcb == NULL ? ERR_LIMIT : bind_at(pcb, at);
        if (err == ERR_OK) {
                err_t result;
                listening = tcp_listen_with_backlog_and_err(pcb, BACKLOG, &result);
                err = listening != NULL ? ERR_OK : result == LWIP_USE ? ERR_BUSY : ERR_LIMIT;
        }
        if (err != ERR_OK) {
                if (pcb != NULL)
                        (void)tcp_close(pcb); /* unconnected: always works */
                free(l);
                return err;
        }
        *l = (struct host_listener){.guest = guest_of(h), .pcb = listening, .end = &l->first};
        tcp_arg(listening, l);
        tcp_accept(listening, on_accept);
        *out = l;
        return ERR_OK;
}

static struct host_tcp *take(struct host_listener *l)
{
        struct host_tcp *t = l->first;
        l->first = t->next_waiting;
        if (l->first == NULL)
                l->end = &l->first;
        t->next_waiting = NULL;
        if (t->pcb != NULL)
                tcp_backlog_accepted(t->pcb);
        return t;
}

enum err guest_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer)
{
        struct guest *g = l->guest;
        enum err err = fiber_check(g->host.sched);
        while (err == ERR_OK) {
                struct host_tcp *t = l->first == NULL ? NULL : take(l);
                if (t != NULL && t->pcb != NULL) {
                        *peer = (struct ip_port){address_from_lwip(&t->pcb->remote_ip), t->pcb->remote_port};
                        *out = t;
                        guest_give_way(g);
                        return ERR_OK;
                }
                if (t != NULL)
                        guest_tcp_close(t); /* it died while it waited */
                else
                        err = waiter_wait(g, &l->accepter, deadline_ms);
        }
        return err;
}

void guest_listener_close(struct host_listener *l)
{
        if (l == NULL)
                return;
        waiter_close(l->accepter);
        while (l->first != NULL)
                guest_tcp_close(take(l));
        (void)tcp_close(l->pcb); /* a listening pcb: always works */
        free(l);
}
