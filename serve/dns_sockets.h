/* SPDX-License-Identifier: ISC */
/* UDP sockets that wait for a resolver's next question: to open and close one costs as much as the question itself.
 *
 * A port is guessed by whoever forges answers (RFC 5452 9.2), so each is random, serves one question at a time and
 * DNS_SOCKET_USES at most, stays open for DNS_SOCKET_IDLE_MS, and is given up at the first datagram that fits nothing. */
#ifndef SERVE_DNS_SOCKETS_H
#define SERVE_DNS_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "host/host.h"

struct dns_socket {
        struct host_udp *udp; /* owned */
        struct ip_port at;    /* the one peer */
        unsigned uses;
        int64_t used_ms;
};

struct dns_sockets {
        size_t count;
        struct dns_socket idle[DNS_SOCKETS_IDLE_MAX];
};

void dns_sockets_init(struct dns_sockets *s); /* the zero struct */
void dns_sockets_close(struct host *h, struct dns_sockets *s);

/* A socket towards `at`: an idle one, or a new one.
 *   ERR_OK         `*out` is the caller's until dns_sockets_give or host_udp_close
 *   as host_udp_open */
MUST_USE enum err dns_sockets_take(
        struct host *h, struct dns_sockets *s, const struct ip_port *at, struct dns_socket *out);
/* Its question was answered, and by nothing but its answer. */
void dns_sockets_give(struct host *h, struct dns_sockets *s, const struct dns_socket *used);

#endif
