/* SPDX-License-Identifier: ISC */
/* A peer on its node: the ports, a fiber for each request over UDP and each connection. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/sim/dns_request.h"
#include "tests/sim/dns_resolver.h"

#define ADDRESSES_MAX 4
#define BUSY_MAX 512 /* fibers of one peer: beyond it datagrams and connections are dropped */
#define IDLE_MS (30 * 1000)

struct server {
        struct dns_peer *peer;
        struct host *host;
        struct scope scope;
        struct dns_resolver *resolver; /* or NULL */
        size_t busy;
        size_t count;
        struct port {
                struct server *server;
                struct sim_udp *udp;
                struct host_listener *listener;
        } ports[ADDRESSES_MAX];
};

static void trace(
        const struct dns_request *r, const char *over, const struct dns_content *content, struct str answer)
{
        struct dns_name_text room;
        bool has_question = r->summary.question.name.n > 0;
        const char *name = has_question ? dns_name_c(&r->summary.question.name, &room) : "-";
        bool is_update = r->summary.header.opcode == DNS_OPCODE_UPDATE;
        struct str type = is_update ? S("UPDATE") : dns_type_text(r->summary.question.type);
        struct str code = dns_rcode_text(content->rcode);
        struct str signature = r->tsig_error != 0 ? dns_tsig_error_text(r->tsig_error) : S("");
        sim_trace(r->peer->world->sim, r->peer->node, "dns", "%s %s %.*s -> %.*s%s%.*s records=%zu%s", over,
                name, STR_ARG(type), STR_ARG(code), signature.n > 0 ? " " : "", STR_ARG(signature),
                content->count, answer.n == 0 ? " unanswered" : "");
}

/* One request and its answer, which stands in `buffer`; empty for none.
 *   ERR_OK, or ERR_CANCELLED */
static enum err handle(struct server *s, struct str message, bool over_tcp, char *buffer, struct str *answer)
{
        struct dns_request r;
        struct dns_content content;
        struct dns_held held = {0};
        struct dns_view view = {s->peer->world, s->peer, 0};
        enum err e = ERR_OK;
        *answer = S("");
        dns_request_read(&r, s->peer, message, over_tcp, (uint64_t)(host_wall_ms(s->host) / 1000));
        dns_content_init(&content);
        if (r.faults.hits[DNS_FAULT_DELAY])
                e = fiber_sleep(s->host->sched, s->peer->faults[DNS_FAULT_DELAY].value);
        if (e != ERR_OK)
                return e;
        view.at_ms = host_now_ms(s->host);
        if (!dns_request_is_question(&r))
                dns_request_settle(&r, &content);
        else if (s->resolver)
                e = dns_resolver_answer(s->resolver, &r.summary.question, &content, &held);
        else
                dns_content_find(&view, &r.summary.question, &content);
        if (e == ERR_OK) {
                dns_request_answer(&r, &content, buffer, DNS_MESSAGE_MAX, answer);
                trace(&r, over_tcp ? "tcp" : "udp", &content, *answer);
        }
        dns_resolver_release(&held);
        return e;
}

/* UDP. */

struct datagram {
        struct port *port;
        struct sim_udp_peer from;
        size_t n;
        char bytes[DNS_MESSAGE_MAX];
};

static void serve_datagram(void *arg)
{
        struct datagram *d = arg;
        struct server *s = d->port->server;
        char *buffer = malloc(DNS_MESSAGE_MAX);
        struct str answer;
        CHECK(buffer);
        if (handle(s, str_of(d->bytes, d->n), false, buffer, &answer) == ERR_OK && answer.n > 0)
                (void)(sim_udp_send(d->port->udp, &d->from, answer) ==
                        ERR_OK); /* or lost, as datagrams are */
        free(buffer);
        free(d);
        s->busy--;
}

static void serve_udp(void *arg)
{
        struct port *port = arg;
        struct server *s = port->server;
        for (;;) {
                struct datagram *d = malloc(sizeof *d);
                CHECK(d);
                d->port = port;
                enum err e =
                        sim_udp_receive(port->udp, d->bytes, sizeof d->bytes, FIBER_NEVER, &d->n, &d->from);
                if (e == ERR_OK) {
                        s->peer->stats.over_udp++;
                        if (s->busy < BUSY_MAX &&
                                scope_spawn(&s->scope, "dns-udp", serve_datagram, d) == ERR_OK) {
                                s->busy++;
                                continue;
                        }
                }
                free(d);
                if (e != ERR_OK && e != ERR_LIMIT)
                        return;
        }
}

/* TCP. */

struct connection {
        struct server *server;
        struct host_tcp *tcp;
        char in[DNS_MESSAGE_MAX];
        char out[2 + DNS_MESSAGE_MAX];
};

static bool read_exactly(struct connection *c, char *into, size_t n)
{
        struct host *h = c->server->host;
        int64_t deadline_ms = host_now_ms(h) + IDLE_MS;
        for (size_t got; n > 0; into += got, n -= got)
                if (host_tcp_read(h, c->tcp, into, n, deadline_ms, &got) != ERR_OK)
                        return false;
        return true;
}

/* RFC 1035 4.2.2. */
static bool serve_one(struct connection *c)
{
        struct server *s = c->server;
        struct str answer;
        struct rd r;
        struct wr w;
        if (!read_exactly(c, c->in, 2))
                return false;
        rd_init(&r, str_of(c->in, 2));
        size_t n = rd_be16(&r);
        if (!read_exactly(c, c->in, n))
                return false;
        s->peer->stats.over_tcp++;
        if (handle(s, str_of(c->in, n), true, c->out + 2, &answer) != ERR_OK || answer.n == 0)
                return false;
        wr_init(&w, c->out, 2);
        wr_be16(&w, (uint16_t)answer.n);
        return host_tcp_write(s->host, c->tcp, str_of(c->out, 2 + answer.n),
                       host_now_ms(s->host) + IDLE_MS) == ERR_OK;
}

static void serve_connection(void *arg)
{
        struct connection *c = arg;
        bool is_closed =
                sim_random_chance(&c->server->peer->random, c->server->peer->faults[DNS_FAULT_NO_TCP].ppm);
        while (!is_closed && serve_one(c))
                ;
        host_tcp_close(c->server->host, c->tcp);
        c->server->busy--;
        free(c);
}

static void serve_tcp(void *arg)
{
        struct port *port = arg;
        struct server *s = port->server;
        struct host_tcp *tcp;
        struct ip_port peer;
        while (host_accept(s->host, port->listener, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                struct connection *c = s->busy < BUSY_MAX ? malloc(sizeof *c) : NULL;
                if (c) {
                        c->server = s;
                        c->tcp = tcp;
                }
                if (c && scope_spawn(&s->scope, "dns-tcp", serve_connection, c) == ERR_OK) {
                        s->busy++;
                        continue;
                }
                free(c);
                host_tcp_close(s->host, tcp);
        }
}

/* The node. */

static enum err open_ports(struct server *s)
{
        const struct ip *addresses;
        enum err e = ERR_OK;
        s->count = sim_node_addresses(s->peer->node, &addresses);
        CHECK(s->count <= ADDRESSES_MAX);
        for (size_t i = 0; i < s->count && e == ERR_OK; i++) {
                struct port *port = &s->ports[i];
                struct ip_port at = {addresses[i], DNS_PORT};
                port->server = s;
                e = sim_udp_open(s->host, &at, &port->udp);
                if (e == ERR_OK)
                        e = host_listen(s->host, &at, &port->listener);
                if (e == ERR_OK)
                        e = scope_spawn(&s->scope, "dns-udp-port", serve_udp, port);
                if (e == ERR_OK)
                        e = scope_spawn(&s->scope, "dns-tcp-port", serve_tcp, port);
        }
        return e;
}

static void close_ports(struct server *s)
{
        for (size_t i = 0; i < s->count; i++) {
                sim_udp_close(s->ports[i].udp);
                if (s->ports[i].listener)
                        host_listener_close(s->host, s->ports[i].listener);
        }
}

int dns_peer_run(struct host *h, void *peer)
{
        struct server *s = dns_alloc(sizeof *s);
        s->peer = peer;
        s->host = h;
        if (s->peer->kind == DNS_PEER_RESOLVER)
                s->resolver = dns_resolver_new(s->peer, h);
        scope_open(&s->scope, h->sched, FIBER_NEVER);
        enum err e = open_ports(s);
        if (e == ERR_OK)
                (void)(host_wait_stop(h) == ERR_OK); /* cancelled: it ends all the same */
        scope_cancel(&s->scope);
        (void)scope_join(&s->scope);
        close_ports(s);
        dns_resolver_free(s->resolver);
        free(s);
        return e == ERR_OK ? 0 : 1;
}
