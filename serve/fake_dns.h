/* SPDX-License-Identifier: ISC */
/* For tests: a DNS server as fibers on a loopback port, UDP and TCP, whose answers a test's function gives. */
#ifndef SERVE_FAKE_DNS_H
#define SERVE_FAKE_DNS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "dns/rdata.h"
#include "dns/summary.h"
#include "dns/txt.h"
#include "host/host.h"

struct fake_dns;

struct fake_query {
        struct str message;
        struct dns_summary summary;
        struct host_tcp *tcp; /* NULL: over UDP */
        struct sockaddr_in from;
};

struct fake_dns {
        struct host *h;
        void (*answer)(struct fake_dns *s, const struct fake_query *q); /* called in a fiber of the server */
        void *arg;
        struct ip_port at;
        struct host_listener *listener;
        int fd;
        size_t over_udp, over_tcp; /* requests seen */
};

static inline int fake_udp_socket(struct ip_port *at)
{
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof a;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0);
        CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
        *at = (struct ip_port){ip_v4(127, 0, 0, 1), ntohs(a.sin_port)};
        return fd;
}

static inline void fake_send(int fd, const struct sockaddr_in *to, struct str message)
{
        CHECK(sendto(fd, message.p, message.n, 0, (const struct sockaddr *)to, sizeof *to) >= 0);
}

/* Send bytes as the answer, over what the request came by. */
static inline void fake_reply(struct fake_dns *s, const struct fake_query *q, struct str message)
{
        char length[2] = {(char)(message.n >> 8), (char)message.n};
        if (!q->tcp) {
                fake_send(s->fd, &q->from, message);
                return;
        }
        if (host_tcp_write(s->h, q->tcp, str_of(length, 2), FIBER_NEVER) == ERR_OK)
                (void)(host_tcp_write(s->h, q->tcp, message, FIBER_NEVER) == ERR_OK);
}

static inline void fake_handle(struct fake_dns *s, struct fake_query *q)
{
        CHECK(dns_summary_read(q->message, &q->summary) == ERR_OK);
        *(q->tcp ? &s->over_tcp : &s->over_udp) += 1;
        s->answer(s, q);
}

static inline void fake_serve_udp(void *arg)
{
        struct fake_dns *s = arg;
        char bytes[4096];
        while (fiber_sleep(s->h->sched, 1) == ERR_OK) {
                for (;;) {
                        struct fake_query q = {0};
                        socklen_t size = sizeof q.from;
                        ssize_t n = recvfrom(
                                s->fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&q.from, &size);
                        if (n < 0)
                                break;
                        q.message = str_of(bytes, (size_t)n);
                        fake_handle(s, &q);
                }
        }
}

static inline bool fake_read(struct fake_dns *s, struct host_tcp *t, char *into, size_t n)
{
        size_t got;
        for (size_t at = 0; at < n; at += got)
                if (host_tcp_read(s->h, t, into + at, n - at, FIBER_NEVER, &got) != ERR_OK)
                        return false;
        return true;
}

static inline void fake_serve_tcp(void *arg)
{
        struct fake_dns *s = arg;
        static char bytes[65535];
        struct host_tcp *t;
        struct ip_port peer;
        while (host_accept(s->h, s->listener, FIBER_NEVER, &t, &peer) == ERR_OK) {
                unsigned char length[2];
                if (fake_read(s, t, (char *)length, 2)) {
                        size_t n = (size_t)length[0] << 8 | length[1];
                        struct fake_query q = {.tcp = t, .message = str_of(bytes, n)};
                        if (fake_read(s, t, bytes, n))
                                fake_handle(s, &q);
                }
                host_tcp_close(s->h, t);
        }
}

/* Serve in `scope`, at an address that `s->at` tells; UDP and TCP share a port when `with_tcp`. */
static inline void fake_start(struct fake_dns *s, struct scope *scope, bool with_tcp)
{
        for (int i = 0; i < 100; i++) {
                s->fd = fake_udp_socket(&s->at);
                if (!with_tcp || host_listen(s->h, &s->at, &s->listener) == ERR_OK)
                        break;
                close(s->fd);
        }
        CHECK(!with_tcp || s->listener);
        CHECK(scope_spawn(scope, "fake-udp", fake_serve_udp, s) == ERR_OK);
        if (with_tcp)
                CHECK(scope_spawn(scope, "fake-tcp", fake_serve_tcp, s) == ERR_OK);
}

static inline void fake_stop(struct fake_dns *s)
{
        if (s->listener)
                host_listener_close(s->h, s->listener);
        close(s->fd);
}

/* An answer being built. */
struct fake_message {
        struct dns_writer w;
        char buffer[4096];
};

static inline void fake_begin(
        struct fake_message *m, const struct fake_query *q, uint8_t rcode, bool truncated)
{
        struct dns_header h = q->summary.header;
        h.is_response = true;
        h.recursion_available = true;
        h.authentic_data = false;
        h.is_truncated = truncated;
        h.rcode = rcode;
        dns_writer_init(&m->w, m->buffer, sizeof m->buffer, &h);
        dns_writer_question(&m->w, &q->summary.question);
}

static inline void fake_record(struct fake_message *m, enum dns_section section, const struct dns_name *name,
        uint16_t type, uint32_t ttl_s, struct str rdata)
{
        dns_writer_record(&m->w, &(struct dns_record_out){section, name, type, DNS_CLASS_IN, ttl_s, rdata});
}

static inline struct str fake_end(struct fake_message *m)
{
        struct str message;
        CHECK(dns_writer_end(&m->w, &message) == ERR_OK);
        return message;
}

#endif
