/* SPDX-License-Identifier: ISC */
#include "serve/proxied.h"

#include "host/log.h"
#include "smtp/proxy.h"

/* Exactly `n` bytes. */
static enum err read_exactly(
        struct lipap *node, struct host_tcp *tcp, char *into, size_t n, int64_t deadline_ms)
{
        enum err e = ERR_OK;
        for (size_t at = 0, got; e == ERR_OK && at < n; at += got)
                e = host_tcp_read(node->host, tcp, into + at, n - at, deadline_ms, &got);
        return e;
}

/* For whom a proxy speaks. Not a byte more than its header is read. */
static enum err read_proxied(struct lipap *node, struct host_tcp *tcp, struct ip_port *peer)
{
        char head[PROXY_HEAD_SIZE], rest[PROXY_REST_MAX];
        int64_t deadline_ms = host_now_ms(node->host) + PROXY_HEADER_MS;
        size_t n = 0;
        enum err e = read_exactly(node, tcp, head, sizeof head, deadline_ms);
        if (e == ERR_OK)
                e = proxy_head_parse(str_of(head, sizeof head), &n);
        if (e == ERR_OK)
                e = read_exactly(node, tcp, rest, n, deadline_ms);
        if (e == ERR_OK)
                e = proxy_rest_parse(str_of(head, sizeof head), str_of(rest, n), peer);
        return e;
}

bool proxied_peer(struct lipap *node, struct host_tcp *tcp, const struct ip_port *peer, struct ip_port *out)
{
        *out = *peer;
        if (!lipap_is_proxy(node, &peer->ip))
                return true;
        enum err e = read_proxied(node, tcp, out);
        if (e == ERR_OK)
                return true;
        struct log_line l;
        log_begin(&l, node->host, LOG_WARN, "smtp", "proxy-refused");
        log_ip_port(&l, "peer", peer);
        log_err(&l, e);
        log_end(&l);
        return false;
}
