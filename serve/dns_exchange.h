/* SPDX-License-Identifier: ISC */
/* One request to one DNS server and its answer: over UDP from a random port with a fall-back to TCP when the
 * answer is cut, or over TCP only. What is no answer to this request (id, opcode, question) is not seen. */
#ifndef SERVE_DNS_EXCHANGE_H
#define SERVE_DNS_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "dns/answer.h"
#include "host/host.h"
#include "serve/dns_sockets.h"

struct dns_server {
        struct ip_port at;
        bool tcp_only;
        bool is_trusted; /* its AD bit is believed: a validating resolver over a trusted link */
};

/* "udp:IP[:PORT]", "tcp:IP[:PORT]", or the address alone, which means UDP; port 53 when none is given.
 *   ERR_OK, or ERR_SYNTAX; `is_trusted` is false */
MUST_USE enum err dns_server_parse(struct str text, struct dns_server *out);

/* An answer on the heap; dns_reply_free also takes one that is empty, and empties it. */
struct dns_reply {
        struct str message;
        char *memory;
};
void dns_reply_free(struct dns_reply *reply);

/* Send the message `request` (at most DNS_MESSAGE_MAX) and wait for what answers it. Sent once: who calls, retries.
 *   ERR_OK           `*out` is an answer whose id, opcode and question fit; it is to be freed; its records are unread
 *   ERR_TIMEOUT, ERR_CANCELLED, ERR_REFUSED, ERR_UNREACHABLE, ERR_LIMIT (no socket is left), ERR_MEMORY
 *   ERR_CLOSED       TCP: the connection ended before a whole answer
 *   ERR_MISMATCH     TCP: an answer to something else
 * On errors `*out` is empty. `*was_sent` (when not NULL): the server may have got the whole request. */
MUST_USE enum err dns_exchange(struct host *h, const struct dns_server *server, struct str request,
        int64_t deadline_ms, struct dns_reply *out, bool *was_sent);

/* How a question is put. */
struct dns_query {
        const struct dns_name *name;
        uint16_t type;
        bool recursion_desired;
        bool dnssec;                 /* ask for the AD bit (RFC 6840 5.7) */
        struct dns_sockets *sockets; /* UDP from one of them, and back to them; NULL: from a fresh one */
};

/* Ask one server once, with EDNS, and again without if it does not know that (FORMERR, NOTIMP, BADVERS).
 *   ERR_OK, or the errors of dns_exchange; any rcode but those is for the caller to read */
MUST_USE enum err dns_exchange_query(struct host *h, const struct dns_server *server,
        const struct dns_query *query, int64_t deadline_ms, struct dns_reply *out);

/* Ask one authoritative server, without recursion and without any cache; DNS_QUERY_ROUNDS tries until the deadline.
 *   ERR_OK      `out->status` may be DNS_ALIAS when a CNAME leads out of what this server knows
 *   ERR_DENIED  it answered with another rcode (`out->rcode`), or with NOERROR but without authority (a referral)
 *   or the errors of dns_exchange and dns_answer_read; ERR_MEMORY when `arena` is full */
MUST_USE enum err dns_query_server(struct host *h, const struct dns_server *server,
        const struct dns_name *name, uint16_t type, int64_t deadline_ms, struct arena *arena,
        struct dns_answer *out);

#endif
