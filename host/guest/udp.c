/* SPDX-License-Identifier: ISC */
/* UDP towards one peer: lwIP drops what others send. */
#include <stdlib.h>
#include <string.h>

#include "host/guest/inside.h"
#include "host/guest/lwip.h"

enum {
        PORT_FIRST = 1024,
        PORT_TRIES = 32,
        WAITING_MAX = 8,      /* datagrams that nobody has asked for yet; more are lost */
        FRAMES_RESERVED = 16, /* left alone by what waits here */
        DATAGRAM_MAX = 65507,
};

struct host_udp {
        struct guest *guest;
        struct udp_pcb *pcb;
        struct pbuf *waiting[WAITING_MAX];
        unsigned first, count;
        struct waiter *reader;
};

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
        struct host_udp *u = arg;
        (void)pcb;
        (void)from;
        (void)port;
        if (u->count == WAITING_MAX || (u->count > 0 && frames_free() < FRAMES_RESERVED)) {
                pbuf_free(p);
                return;
        }
        u->waiting[(u->first + u->count++) % WAITING_MAX] = p;
        waiter_wake(u->reader);
}

/* RFC 5452 9.2: a port that a blind spoofer must guess. */
static bool bind_random(struct guest *g, struct udp_pcb *pcb, uint8_t family)
{
        for (unsigned i = 0; i < PORT_TRIES; i++) {
                uint16_t port = (uint16_t)(PORT_FIRST + host_random_below(&g->host, 65536 - PORT_FIRST));
                if (udp_bind(pcb, family == 4 ? IP4_ADDR_ANY : IP6_ADDR_ANY, port) == LWIP_OK)
                        return true;
        }
        return false;
}

enum err guest_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out)
{
        ip_addr_t address;
        address_to_lwip(&peer->ip, &address);
        struct host_udp *u = calloc(1, sizeof *u);
        struct udp_pcb *pcb = udp_new_ip_type(IP_GET_TYPE(&address));
        enum err err = ERR_LIMIT;
        if (u != NULL && pcb != NULL && bind_random(guest_of(h), pcb, peer->ip.family))
                err = udp_connect(pcb, &address, peer->port) == LWIP_OK ? ERR_OK : ERR_UNREACHABLE;
        if (err != ERR_OK) {
                if (pcb != NULL)
                        udp_remove(pcb);
                free(u);
                return err;
        }
        *u = (struct host_udp){.guest = guest_of(h), .pcb = pcb};
        udp_recv(pcb, on_datagram, u);
        *out = u;
        return ERR_OK;
}

enum err guest_udp_send(struct host_udp *u, const void *from, size_t n)
{
        if (n > DATAGRAM_MAX)
                return ERR_LIMIT;
        struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)n, PBUF_RAM);
        if (p == NULL)
                return ERR_OK; /* lost, as on any router on the way */
        (void)pbuf_take(p, from, (u16_t)n);
        err_t result = udp_send(u->pcb, p);
        pbuf_free(p);
        return result == LWIP_RTE ? ERR_UNREACHABLE : ERR_OK;
}

enum err guest_udp_receive(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct guest *g = u->guest;
        enum err err = fiber_check(g->host.sched);
        while (err == ERR_OK && u->count == 0)
                err = waiter_wait(g, &u->reader, deadline_ms);
        if (err != ERR_OK)
                return err;
        struct pbuf *p = u->waiting[u->first];
        u->first = (u->first + 1) % WAITING_MAX;
        u->count--;
        bool fits = p->tot_len <= cap;
        *got = fits ? pbuf_copy_partial(p, into, p->tot_len, 0) : 0;
        pbuf_free(p);
        guest_give_way(g);
        return fits ? ERR_OK : ERR_LIMIT;
}

void guest_udp_close(struct host_udp *u)
{
        if (u == NULL)
                return;
        waiter_close(u->reader);
        udp_remove(u->pcb);
        for (; u->count > 0; u->count--) {
                pbuf_free(u->waiting[u->first]);
                u->first = (u->first + 1) % WAITING_MAX;
        }
        free(u);
}
