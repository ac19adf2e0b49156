/* SPDX-License-Identifier: ISC */
/* The table of a node: every call on TCP, UDP and blocks is counted here, may be the node's last, and has no effect
 * once the node is dead. What a dead node gives back is freed all the same. */
#include "host/sim/inside.h"

static enum err call_listen(struct host *h, const struct ip_port *at, struct host_listener **out)
{
        struct sim_node *node = node_of(h);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? net_listen(node, at, out) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err call_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer)
{
        struct sim_node *node = net_listener_node(l);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? net_accept(l, deadline_ms, out, peer) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static void call_listener_close(struct host_listener *l)
{
        if (l == NULL)
                return;
        struct sim_node *node = net_listener_node(l);
        uint64_t call = call_begin(node);
        net_listener_close(l);
        call_end(node, call);
}

static enum err call_connect(
        struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out)
{
        struct sim_node *node = node_of(h);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? net_connect(node, to, deadline_ms, out) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err call_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct sim_node *node = net_node(t);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? net_read(t, into, cap, deadline_ms, got) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err call_write(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms)
{
        struct sim_node *node = net_node(t);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? net_write(t, str_of(from, n), deadline_ms) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err tcp_local(struct host_tcp *t, struct ip_port *out)
{
        if (net_node(t)->is_dead)
                return ERR_CLOSED;
        *out = net_local(t);
        return ERR_OK;
}

static void call_close(struct host_tcp *t)
{
        if (t == NULL)
                return;
        struct sim_node *node = net_node(t);
        uint64_t call = call_begin(node);
        net_close(t);
        call_end(node, call);
}

/* UDP: a struct host_udp and a struct sim_udp are both a socket. */

static enum err open_udp(
        struct sim_node *node, const struct ip_port *at, const struct ip_port *peer, struct socket **out)
{
        uint64_t call = call_begin(node);
        *out = NULL;
        enum err err = call != 0 ? socket_open(node, at, peer, out) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err send_udp(struct socket *u, const struct sim_udp_peer *peer, struct str bytes)
{
        struct sim_node *node = socket_node(u);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? socket_send(u, peer, bytes) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static enum err receive_udp(
        struct socket *u, void *into, size_t cap, int64_t deadline_ms, size_t *got, struct sim_udp_peer *peer)
{
        struct sim_node *node = socket_node(u);
        uint64_t call = call_begin(node);
        *got = 0;
        *peer = (struct sim_udp_peer){0};
        enum err err = call != 0 ? socket_receive(u, into, cap, deadline_ms, got, peer) : ERR_CLOSED;
        call_end(node, call);
        return err;
}

static void close_udp(struct socket *u)
{
        if (u == NULL)
                return;
        struct sim_node *node = socket_node(u);
        uint64_t call = call_begin(node);
        socket_close(u);
        call_end(node, call);
}

static enum err call_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out)
{
        struct socket *u;
        enum err err = open_udp(node_of(h), NULL, peer, &u);
        *out = (struct host_udp *)u;
        return err;
}

static enum err call_udp_send(struct host_udp *u, const void *from, size_t n)
{
        return send_udp((struct socket *)u, NULL, str_of(from, n));
}

static enum err call_udp_receive(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct sim_udp_peer peer;
        return receive_udp((struct socket *)u, into, cap, deadline_ms, got, &peer);
}

static void call_udp_close(struct host_udp *u)
{
        close_udp((struct socket *)u);
}

enum err sim_udp_open(struct host *h, const struct ip_port *at, struct sim_udp **out)
{
        struct socket *u;
        enum err err = open_udp(node_of(h), at, NULL, &u);
        *out = (struct sim_udp *)u;
        return err;
}

enum err sim_udp_send(struct sim_udp *u, const struct sim_udp_peer *peer, struct str bytes)
{
        return send_udp((struct socket *)u, peer, bytes);
}

enum err sim_udp_receive(struct sim_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got,
        struct sim_udp_peer *peer)
{
        return receive_udp((struct socket *)u, into, cap, deadline_ms, got, peer);
}

void sim_udp_close(struct sim_udp *u)
{
        close_udp((struct socket *)u);
}

/* Blocks. */

static enum err call_block_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        struct sim_node *node = node_of(h);
        uint64_t call = call_begin(node);
        (void)name;
        (void)create;
        enum err err = call != 0 ? block_open(node, out) : ERR_IO;
        call_end(node, call);
        return err;
}

static uint64_t block_size(struct host_block *b)
{
        return sim_block_size(block_inner(b));
}

static enum err call_block_resize(struct host_block *b, uint64_t size)
{
        struct sim_node *node = block_node(b);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? sim_block_resize(block_inner(b), size) : ERR_IO;
        call_end(node, call);
        return err;
}

static enum err call_block_read(struct host_block *b, uint64_t at, void *into, size_t n)
{
        struct sim_node *node = block_node(b);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? sim_block_read(block_inner(b), at, into, n) : ERR_IO;
        call_end(node, call);
        return err;
}

static enum err call_block_write(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        struct sim_node *node = block_node(b);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? sim_block_write(block_inner(b), at, from, n) : ERR_IO;
        call_end(node, call);
        return err;
}

static enum err call_block_flush(struct host_block *b)
{
        struct sim_node *node = block_node(b);
        uint64_t call = call_begin(node);
        enum err err = call != 0 ? sim_block_flush(block_inner(b)) : ERR_IO;
        if (call != 0 && !node->is_dead)
                sim_trace(node->sim, node, "flush", "%llu writes: %s", (unsigned long long)node->disk->writes,
                        err_text(err));
        call_end(node, call);
        return err;
}

static void call_block_close(struct host_block *b)
{
        if (b == NULL)
                return;
        struct sim_node *node = block_node(b);
        uint64_t call = call_begin(node);
        block_close(b);
        call_end(node, call);
}

const struct host_ops sim_host_ops = {
        .wall_ms = node_wall_ms,
        .random = node_random,
        .console = node_console,
        .wait_stop = node_wait_stop,
        .listen = call_listen,
        .accept = call_accept,
        .listener_close = call_listener_close,
        .connect = call_connect,
        .tcp_read = call_read,
        .tcp_write = call_write,
        .tcp_local = tcp_local,
        .tcp_close = call_close,
        .udp_open = call_udp_open,
        .udp_send = call_udp_send,
        .udp_receive = call_udp_receive,
        .udp_close = call_udp_close,
        .block_open = call_block_open,
        .block_size = block_size,
        .block_resize = call_block_resize,
        .block_read = call_block_read,
        .block_write = call_block_write,
        .block_flush = call_block_flush,
        .block_close = call_block_close,
};
