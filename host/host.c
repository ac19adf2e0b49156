/* SPDX-License-Identifier: ISC */
/* The face of every platform: each call goes to the table of the host that it is given. */
#include "host/host.h"

#include "base/check.h"

int64_t host_wall_ms(struct host *h)
{
        return h->ops->wall_ms(h);
}

int64_t host_now_ms(struct host *h)
{
        return sched_now_ms(h->sched);
}

void host_random(struct host *h, void *out, size_t n)
{
        h->ops->random(h, out, n);
}

uint64_t host_random_below(struct host *h, uint64_t bound)
{
        CHECK(bound > 0);
        uint64_t surplus =
                (UINT64_MAX % bound + 1) % bound; /* 2^64 mod bound: values that would weigh twice */
        uint64_t v;
        do
                host_random(h, &v, sizeof v);
        while (v > UINT64_MAX - surplus);
        return v % bound;
}

void host_console(struct host *h, struct str line)
{
        h->ops->console(h, line);
}

enum err host_wait_stop(struct host *h)
{
        return h->ops->wait_stop(h);
}

enum err host_listen(struct host *h, const struct ip_port *at, struct host_listener **out)
{
        *out = NULL;
        return h->ops->listen(h, at, out);
}

enum err host_accept(struct host *h, struct host_listener *l, int64_t deadline_ms, struct host_tcp **out,
        struct ip_port *peer)
{
        *out = NULL;
        *peer = (struct ip_port){0};
        return h->ops->accept(l, deadline_ms, out, peer);
}

void host_listener_close(struct host *h, struct host_listener *l)
{
        h->ops->listener_close(l);
}

enum err host_connect(struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out)
{
        *out = NULL;
        return h->ops->connect(h, to, deadline_ms, out);
}

enum err host_tcp_read(
        struct host *h, struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        *got = 0;
        CHECK(cap > 0);
        return h->ops->tcp_read(t, into, cap, deadline_ms, got);
}

enum err host_tcp_write(struct host *h, struct host_tcp *t, struct str bytes, int64_t deadline_ms)
{
        return h->ops->tcp_write(t, bytes.p, bytes.n, deadline_ms);
}

enum err host_tcp_local(struct host *h, struct host_tcp *t, struct ip_port *out)
{
        *out = (struct ip_port){0};
        return h->ops->tcp_local(t, out);
}

void host_tcp_close(struct host *h, struct host_tcp *t)
{
        h->ops->tcp_close(t);
}

enum err host_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out)
{
        *out = NULL;
        return h->ops->udp_open(h, peer, out);
}

enum err host_udp_send(struct host *h, struct host_udp *u, struct str bytes)
{
        return h->ops->udp_send(u, bytes.p, bytes.n);
}

enum err host_udp_receive(
        struct host *h, struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        *got = 0;
        return h->ops->udp_receive(u, into, cap, deadline_ms, got);
}

void host_udp_close(struct host *h, struct host_udp *u)
{
        h->ops->udp_close(u);
}

enum err host_block_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        *out = NULL;
        return h->ops->block_open(h, name, create, out);
}

uint64_t host_block_size(struct host *h, struct host_block *b)
{
        return h->ops->block_size(b);
}

enum err host_block_resize(struct host *h, struct host_block *b, uint64_t size)
{
        return h->ops->block_resize(b, size);
}

static bool is_inside(struct host *h, struct host_block *b, uint64_t at, size_t n)
{
        uint64_t size = h->ops->block_size(b);
        return at <= size && n <= size - at;
}

enum err host_block_read(struct host *h, struct host_block *b, uint64_t at, void *into, size_t n)
{
        return is_inside(h, b, at, n) ? h->ops->block_read(b, at, into, n) : ERR_LIMIT;
}

enum err host_block_write(struct host *h, struct host_block *b, uint64_t at, struct str bytes)
{
        return is_inside(h, b, at, bytes.n) ? h->ops->block_write(b, at, bytes.p, bytes.n) : ERR_LIMIT;
}

enum err host_block_flush(struct host *h, struct host_block *b)
{
        return h->ops->block_flush(b);
}

void host_block_close(struct host *h, struct host_block *b)
{
        h->ops->block_close(b);
}
