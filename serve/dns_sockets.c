/* SPDX-License-Identifier: ISC */
#include "serve/dns_sockets.h"

void dns_sockets_init(struct dns_sockets *s)
{
        *s = (struct dns_sockets){0};
}

void dns_sockets_close(struct host *h, struct dns_sockets *s)
{
        while (s->count > 0)
                host_udp_close(h, s->idle[--s->count].udp);
}

/* The one used last stands last; those before it that are too old are closed. */
static void close_old(struct host *h, struct dns_sockets *s)
{
        size_t old = 0;
        int64_t now_ms = host_now_ms(h);
        while (old < s->count && now_ms - s->idle[old].used_ms > DNS_SOCKET_IDLE_MS)
                host_udp_close(h, s->idle[old++].udp);
        for (size_t i = old; i < s->count; i++)
                s->idle[i - old] = s->idle[i];
        s->count -= old;
}

enum err dns_sockets_take(
        struct host *h, struct dns_sockets *s, const struct ip_port *at, struct dns_socket *out)
{
        close_old(h, s);
        for (size_t i = s->count; i > 0; i--) {
                if (s->idle[i - 1].at.port != at->port || !ip_eq(&s->idle[i - 1].at.ip, &at->ip))
                        continue;
                *out = s->idle[i - 1];
                for (s->count--; i - 1 < s->count; i++)
                        s->idle[i - 1] = s->idle[i];
                return ERR_OK;
        }
        *out = (struct dns_socket){.at = *at};
        return host_udp_open(h, at, &out->udp);
}

void dns_sockets_give(struct host *h, struct dns_sockets *s, const struct dns_socket *used)
{
        if (used->uses + 1 >= DNS_SOCKET_USES || s->count == DNS_SOCKETS_IDLE_MAX) {
                host_udp_close(h, used->udp);
                return;
        }
        s->idle[s->count] = *used;
        s->idle[s->count].uses++;
        s->idle[s->count++].used_ms = host_now_ms(h);
}
