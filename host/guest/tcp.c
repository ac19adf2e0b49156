/* SPDX-License-Identifier: ISC */
/* TCP over lwIP's raw calls: what arrives waits in a chain of frames, what is written waits in lwIP's segments. Both are
 * bounded by what is free (inside.h, frames), so a peer that is greedy or deaf slows down and no other does. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/guest/inside.h"
#include "host/guest/lwip.h"
#include "host/guest/lwip/hooks.h"

enum {
        FRAMES_RESERVED = 32, /* for acknowledgements and for what is in nobody's queue */
        UNORDERED_MAX = 200,
        PORT_FIRST = 1024,
        PORT_TRIES = 32,
        POLL_TICKS = 5,        /* a writer that lacked memory looks again after a second */
        WRITE_MAX = 32 * 1024, /* in one call of lwIP's */
        /* A machine that died says nothing: who waits for it must ask. Its successor answers with a reset. */
        ASK_AFTER_MS = 15000,
        ASK_AGAIN_MS = 5000,
        ASK_TIMES = 6,
};

/* ---- what lwIP tells ---- */

int8_t guest_tcp_admit(struct tcp_pcb *pcb, uint16_t n)
{
        const struct host_tcp *t = pcb->callback_arg;
        size_t free = frames_free();
        if (pcb->state == LISTEN)
                listen_make_room((struct tcp_pcb_listen *)pcb);
        if (n == 0 || pcb->state == LISTEN || pcb->state == SYN_RCVD || pcb->state == TIME_WAIT || t == NULL)
                return LWIP_OK;
        return t->frames == 0 || t->frames + FRAMES_RESERVED < free ? LWIP_OK : LWIP_MEM;
}

uint16_t guest_tcp_unordered_max(void)
{
        size_t share = frames_free() / 4;
        return (uint16_t)(share < UNORDERED_MAX ? share : UNORDERED_MAX);
}

static void append(struct host_tcp *t, struct pbuf *p)
{
        if (t->first == NULL)
                t->first = p;
        else
                t->last->next = p;
        for (; p != NULL; p = p->next) {
                t->last = p;
                t->frames++;
        }
        if (t->is_unacknowledged)
                return;
        t->is_unacknowledged = true;
        t->next_unacknowledged = t->guest->unacknowledged;
        t->guest->unacknowledged = t;
}

/* The acknowledgement waits until fibers had their turn: then it has gone along with their answer, or goes alone. */
void tcp_acknowledge(struct guest *g)
{
        while (g->unacknowledged != NULL) {
                struct host_tcp *t = g->unacknowledged;
                g->unacknowledged = t->next_unacknowledged;
                t->is_unacknowledged = false;
                if (t->pcb == NULL || !tcp_is_flag_set(t->pcb, TF_ACK_DELAY))
                        continue;
                tcp_set_flags(t->pcb, TF_ACK_NOW);
                (void)tcp_output(t->pcb);
        }
}

static void forget_unacknowledged(struct host_tcp *t)
{
        struct host_tcp **at = &t->guest->unacknowledged;
        while (t->is_unacknowledged && *at != t)
                at = &(*at)->next_unacknowledged;
        if (t->is_unacknowledged)
                *at = t->next_unacknowledged;
}

static err_t on_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
        struct host_tcp *t = arg;
        (void)pcb;
        (void)err;
        if (p == NULL)
                t->is_ended = true;
        else
                append(t, p);
        waiter_wake(t->reader);
        return LWIP_OK;
}

static err_t on_room(void *arg, struct tcp_pcb *pcb, uint16_t n)
{
        (void)pcb;
        (void)n;
        waiter_wake(((struct host_tcp *)arg)->writer);
        return LWIP_OK;
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
        return on_room(arg, pcb, 0);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
        struct host_tcp *t = arg;
        (void)pcb;
        (void)err;
        t->is_connected = true;
        waiter_wake(t->writer);
        return LWIP_OK;
}

/* The pcb is gone. */
static void on_fault(void *arg, err_t err)
{
        struct host_tcp *t = arg;
        t->pcb = NULL;
        t->fault = t->is_connected ? ERR_CLOSED : err == LWIP_RST ? ERR_REFUSED : ERR_UNREACHABLE;
        waiter_wake(t->reader);
        waiter_wake(t->writer);
}

/* ---- connections ---- */

struct host_tcp *tcp_adopt(struct guest *g, struct tcp_pcb *pcb)
{
        struct host_tcp *t = calloc(1, sizeof *t);
        if (t == NULL)
                return NULL;
        *t = (struct host_tcp){.guest = g, .pcb = pcb};
        tcp_arg(pcb, t);
        tcp_recv(pcb, on_data);
        tcp_sent(pcb, on_room);
        tcp_poll(pcb, on_poll, POLL_TICKS);
        tcp_err(pcb, on_fault);
        tcp_nagle_disable(pcb);
        ip_set_option(pcb, SOF_KEEPALIVE);
        pcb->keep_idle = ASK_AFTER_MS;
        pcb->keep_intvl = ASK_AGAIN_MS;
        pcb->keep_cnt = ASK_TIMES;
        return t;
}

/* A port that a stranger must guess, from the whole range; lwIP's own choice goes up from a random start. */
static bool bind_random(struct guest *g, struct tcp_pcb *pcb, uint8_t family)
{
        for (unsigned i = 0; i < PORT_TRIES; i++) {
                uint16_t port = (uint16_t)(PORT_FIRST + host_random_below(&g->host, 65536 - PORT_FIRST));
                if (tcp_bind(pcb, family == 4 ? IP4_ADDR_ANY : IP6_ADDR_ANY, port) == LWIP_OK)
                        return true;
        }
        return tcp_bind(pcb, family == 4 ? IP4_ADDR_ANY : IP6_ADDR_ANY, 0) == LWIP_OK;
}

static enum err connected(struct host_tcp *t, int64_t deadline_ms)
{
        enum err err = ERR_OK;
        while (err == ERR_OK && !t->is_connected && t->fault == ERR_OK)
                err = waiter_wait(t->guest, &t->writer, deadline_ms);
        return err == ERR_OK ? t->fault : err;
}

enum err guest_connect(struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out)
{
        ip_addr_t address;
        enum err err = fiber_check(h->sched);
        if (err != ERR_OK)
                return err;
        address_to_lwip(&to->ip, &address);
        struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&address));
        struct host_tcp *t = pcb == NULL ? NULL : tcp_adopt(guest_of(h), pcb);
        if (t == NULL) {
                if (pcb != NULL)
                        tcp_abort(pcb);
                return ERR_LIMIT;
        }
        err_t result = LWIP_USE;
        if (bind_random(t->guest, pcb, to->ip.family))
                result = tcp_connect(pcb, &address, to->port, on_connected);
        if (result == LWIP_OK)
                err = connected(t, deadline_ms);
        else
                err = result == LWIP_USE || result == LWIP_MEM || result == LWIP_BUF ? ERR_LIMIT
                                                                                     : ERR_UNREACHABLE;
        if (err != ERR_OK) {
                if (t->pcb != NULL && !t->is_connected) {
                        tcp_arg(pcb, NULL);
                        tcp_err(pcb, NULL);
                        tcp_abort(pcb);
                        t->pcb = NULL;
                }
                guest_tcp_close(t);
        } else {
                *out = t;
        }
        return err;
}

/* Up to `cap` bytes from the head of the chain, whose frames are given back as they are used up. */
static size_t take(struct host_tcp *t, char *into, size_t cap)
{
        size_t taken = 0;
        while (t->first != NULL && taken < cap) {
                struct pbuf *p = t->first;
                size_t n = p->len < cap - taken ? p->len : cap - taken;
                memcpy(into + taken, p->payload, n);
                taken += n;
                if (n < p->len) {
                        p->payload = (char *)p->payload + n;
                        p->len = (u16_t)(p->len - n);
                        break;
                }
                t->first = p->next;
                t->frames--;
                p->next = NULL;
                p->tot_len = p->len;
                pbuf_free(p);
        }
        return taken;
}

/* lwIP may widen the window again. */
static void tell_taken(struct host_tcp *t, size_t n)
{
        while (t->pcb != NULL && n > 0) {
                uint16_t part = n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
                tcp_recved(t->pcb, part);
                n -= part;
        }
}

enum err guest_tcp_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct guest *g = t->guest;
        enum err err = fiber_check(g->host.sched);
        while (err == ERR_OK) {
                *got = take(t, into, cap);
                if (*got > 0) {
                        tell_taken(t, *got);
                        guest_give_way(g);
                        return ERR_OK;
                }
                if (t->is_ended)
                        return ERR_EOF;
                if (t->fault != ERR_OK)
                        return t->fault;
                err = waiter_wait(g, &t->reader, deadline_ms);
        }
        return err;
}

/* How much lwIP may be given now. */
static size_t room(const struct host_tcp *t)
{
        size_t queued = tcp_sndqueuelen(t->pcb), free = segments_free(), window = tcp_sndbuf(t->pcb);
        if (queued >= free || queued >= TCP_SND_QUEUELEN)
                return 0;
        size_t share = (free - queued) * tcp_mss(t->pcb);
        window = window < share ? window : share;
        return window < WRITE_MAX ? window : WRITE_MAX;
}

/*   ERR_OK with the number of bytes that lwIP has taken, maybe 0; ERR_CLOSED */
static enum err give(struct host_tcp *t, const char *from, size_t n, size_t *given)
{
        *given = 0;
        if (t->pcb == NULL || t->fault != ERR_OK)
                return ERR_CLOSED;
        size_t part = room(t);
        part = n < part ? n : part;
        if (part == 0)
                return ERR_OK;
        err_t result = tcp_write(
                t->pcb, from, (u16_t)part, TCP_WRITE_FLAG_COPY | (part < n ? TCP_WRITE_FLAG_MORE : 0));
        if (result == LWIP_OK)
                *given = part;
        return result == LWIP_OK || result == LWIP_MEM ? ERR_OK : ERR_CLOSED;
}

enum err guest_tcp_write(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms)
{
        struct guest *g = t->guest;
        const char *p = from;
        enum err err = fiber_check(g->host.sched);
        while (err == ERR_OK && n > 0) {
                size_t given;
                err = give(t, p, n, &given);
                p += given;
                n -= given;
                if (err == ERR_OK && (given == 0 || n == 0))
                        (void)tcp_output(t->pcb);
                if (err == ERR_OK && given == 0)
                        err = waiter_wait(g, &t->writer, deadline_ms);
        }
        if (err == ERR_OK)
                guest_give_way(g);
        return err;
}

enum err guest_tcp_local(struct host_tcp *t, struct ip_port *out)
{
        if (t->pcb == NULL)
                return ERR_CLOSED;
        *out = (struct ip_port){address_from_lwip(&t->pcb->local_ip), t->pcb->local_port};
        return ERR_OK;
}

/* What was written is still sent. What was received and not read is taken first: lwIP would reset the connection over
 * it, and the peer might lose what was written. */
void guest_tcp_close(struct host_tcp *t)
{
        if (t == NULL)
                return;
        waiter_close(t->reader);
        waiter_close(t->writer);
        forget_unacknowledged(t);
        char waste[512];
        for (size_t n; (n = take(t, waste, sizeof waste)) > 0;)
                tell_taken(t, n);
        struct tcp_pcb *pcb = t->pcb;
        if (pcb != NULL) {
                tcp_arg(pcb, NULL);
                tcp_recv(pcb, NULL);
                tcp_sent(pcb, NULL);
                tcp_poll(pcb, NULL, 0);
                tcp_err(pcb, NULL);
                if (tcp_close(pcb) != LWIP_OK)
                        tcp_abort(pcb);
        }
        free(t);
}
