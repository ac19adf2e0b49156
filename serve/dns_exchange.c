/* SPDX-License-Identifier: ISC */
#include "serve/dns_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/edns.h"
#include "dns/summary.h"

#define DNS_PORT 53
#define QUERY_MAX (DNS_HEADER_SIZE + DNS_NAME_MAX + 4 + 11) /* header, question, OPT */

enum err dns_server_parse(struct str text, struct dns_server *out)
{
        *out = (struct dns_server){0};
        bool is_tcp = str_has_prefix_nocase(text, S("tcp:"));
        if (is_tcp || str_has_prefix_nocase(text, S("udp:")))
                text = str_skip(text, 4);
        out->tcp_only = is_tcp;
        return ip_port_parse(text, DNS_PORT, &out->at);
}

void dns_reply_free(struct dns_reply *reply)
{
        free(reply->memory);
        *reply = (struct dns_reply){0};
}

static enum err reply_alloc(size_t n, struct dns_reply *out)
{
        out->memory = malloc(n ? n : 1);
        if (!out->memory)
                return ERR_MEMORY;
        out->message = str_of(out->memory, n);
        return ERR_OK;
}

/* What an answer must repeat of its request. */
struct expected {
        uint16_t id;
        uint8_t opcode;
        struct dns_question question;
};

static void expect(struct str request, struct expected *out)
{
        struct dns_reader r;
        CHECK(dns_reader_init(&r, request) == ERR_OK && dns_reader_question(&r, &out->question) == ERR_OK);
        out->id = r.header.id;
        out->opcode = r.header.opcode;
}

/* May an answer come without its question? To an UPDATE (RFC 2136 3.8), and from a server that did not understand what
 * it was asked. */
static bool may_lack_question(const struct dns_header *h)
{
        return h->opcode == DNS_OPCODE_UPDATE || h->rcode == DNS_RCODE_FORMERR ||
               h->rcode == DNS_RCODE_NOTIMP;
}

/* RFC 5452 9.1. An answer with more records than we read is one too: its reader will say so. */
static bool is_answer(const struct expected *want, struct str message)
{
        struct dns_reader r;
        struct dns_question question;
        enum err e = dns_reader_init(&r, message);
        if (e == ERR_SYNTAX || !r.header.is_response || r.header.id != want->id ||
                r.header.opcode != want->opcode)
                return false;
        if (e == ERR_LIMIT)
                return true;
        if (r.header.counts[DNS_QUESTION] == 0)
                return may_lack_question(&r.header);
        return r.header.counts[DNS_QUESTION] == 1 && dns_reader_question(&r, &question) == ERR_OK &&
               dns_question_eq(&question, &want->question);
}

static bool is_truncated(struct str message)
{
        struct dns_reader r;
        return dns_reader_init(&r, message) == ERR_OK && r.header.is_truncated;
}

/* One exchange on its way. */
struct exchange {
        struct host *h;
        const struct ip_port *at;
        struct str request;
        struct expected want;
        int64_t deadline_ms;
        struct dns_reply *out;
        struct dns_sockets *sockets; /* or NULL */
        bool was_sent;
        bool was_disturbed; /* a datagram came that was not the answer */
};

/* Datagrams until one is the answer. One that does not fit our buffer (ERR_LIMIT) is as good as truncated. */
static enum err receive_answer(struct exchange *x, struct host_udp *u)
{
        char datagram[DNS_UDP_SIZE];
        size_t n;
        for (;;) {
                enum err e = host_udp_receive(x->h, u, datagram, sizeof datagram, x->deadline_ms, &n);
                if (e != ERR_OK)
                        return e;
                if (!is_answer(&x->want, str_of(datagram, n))) {
                        x->was_disturbed = true;
                        continue;
                }
                e = reply_alloc(n, x->out);
                if (e == ERR_OK)
                        memcpy(x->out->memory, datagram, n);
                return e == ERR_OK && is_truncated(x->out->message) ? ERR_LIMIT : e;
        }
}

/*   ERR_AGAIN: to be asked over TCP */
static enum err exchange_udp(struct exchange *x)
{
        struct dns_sockets none = {0};
        struct dns_socket s;
        enum err e = dns_sockets_take(x->h, x->sockets ? x->sockets : &none, x->at, &s);
        if (e != ERR_OK)
                return e;
        e = host_udp_send(x->h, s.udp, x->request);
        if (e == ERR_OK) {
                x->was_sent = true;
                e = receive_answer(x, s.udp);
        }
        if (e == ERR_OK && x->sockets && !x->was_disturbed)
                dns_sockets_give(x->h, x->sockets, &s);
        else
                host_udp_close(x->h, s.udp);
        return e == ERR_LIMIT ? ERR_AGAIN : e;
}

/* RFC 1035 4.2.2: a message over TCP has its length in front; RFC 7766 8: both in one write. */
static enum err write_framed(struct exchange *x, struct host_tcp *t)
{
        struct wr w;
        char *framed = malloc(2 + x->request.n);
        if (!framed)
                return ERR_MEMORY;
        wr_init(&w, framed, 2 + x->request.n);
        wr_be16(&w, (uint16_t)x->request.n);
        wr_str(&w, x->request);
        x->was_sent = true;
        enum err e = host_tcp_write(x->h, t, wr_text(&w), x->deadline_ms);
        free(framed);
        return e;
}

static enum err read_exactly(struct exchange *x, struct host_tcp *t, char *into, size_t n)
{
        size_t got;
        while (n > 0) {
                enum err e = host_tcp_read(x->h, t, into, n, x->deadline_ms, &got);
                if (e != ERR_OK)
                        return e == ERR_EOF ? ERR_CLOSED : e;
                into += got;
                n -= got;
        }
        return ERR_OK;
}

static enum err read_framed(struct exchange *x, struct host_tcp *t)
{
        char length[2];
        struct rd r;
        enum err e = read_exactly(x, t, length, sizeof length);
        if (e != ERR_OK)
                return e;
        rd_init(&r, str_of(length, sizeof length));
        e = reply_alloc(rd_be16(&r), x->out);
        if (e == ERR_OK)
                e = read_exactly(x, t, x->out->memory, x->out->message.n);
        return e;
}

static enum err exchange_tcp(struct exchange *x)
{
        struct host_tcp *t;
        enum err e = host_connect(x->h, x->at, x->deadline_ms, &t);
        if (e != ERR_OK)
                return e;
        e = write_framed(x, t);
        if (e == ERR_OK)
                e = read_framed(x, t);
        if (e == ERR_OK && !is_answer(&x->want, x->out->message))
                e = ERR_MISMATCH;
        host_tcp_close(x->h, t);
        return e;
}

static enum err exchange(struct exchange *x, const struct dns_server *server)
{
        CHECK(x->request.n <= DNS_MESSAGE_MAX);
        x->at = &server->at;
        expect(x->request, &x->want);
        *x->out = (struct dns_reply){0};
        enum err e = server->tcp_only ? ERR_AGAIN : exchange_udp(x);
        if (e == ERR_AGAIN) {
                dns_reply_free(x->out);
                e = exchange_tcp(x);
        }
        if (e != ERR_OK)
                dns_reply_free(x->out);
        return e;
}

enum err dns_exchange(struct host *h, const struct dns_server *server, struct str request,
        int64_t deadline_ms, struct dns_reply *out, bool *was_sent)
{
        struct exchange x = {.h = h, .request = request, .deadline_ms = deadline_ms, .out = out};
        enum err e = exchange(&x, server);
        if (was_sent)
                *was_sent = x.was_sent;
        return e;
}

static enum err query_once(struct host *h, const struct dns_server *server, const struct dns_query *query,
        bool with_edns, int64_t deadline_ms, struct dns_reply *out)
{
        char buffer[QUERY_MAX];
        struct dns_writer w;
        struct str request;
        struct dns_header header = {
                .recursion_desired = query->recursion_desired, .authentic_data = query->dnssec};
        host_random(h, &header.id, sizeof header.id);
        dns_writer_init(&w, buffer, sizeof buffer, &header);
        dns_writer_question(
                &w, &(struct dns_question){.name = *query->name, .type = query->type, .class = DNS_CLASS_IN});
        if (with_edns)
                dns_edns_write(&w, &(struct dns_edns){.udp_size = DNS_UDP_SIZE});
        CHECK(dns_writer_end(&w, &request) == ERR_OK);
        struct exchange x = {.h = h,
                .request = request,
                .deadline_ms = deadline_ms,
                .out = out,
                .sockets = query->sockets};
        return exchange(&x, server);
}

/* RFC 6891 7: how a server without EDNS, or with another version, answers a query that has it. Not with records: most
 * answers need no look at their end, where the rest of the rcode stands. */
static bool dislikes_edns(struct str message)
{
        struct dns_reader r;
        struct dns_summary summary;
        if (dns_reader_init(&r, message) == ERR_OK && r.header.rcode == DNS_RCODE_NOERROR &&
                r.header.counts[DNS_ANSWER] > 0)
                return false;
        return dns_summary_read(message, &summary) == ERR_OK &&
               (summary.rcode == DNS_RCODE_FORMERR || summary.rcode == DNS_RCODE_NOTIMP ||
                       summary.rcode == DNS_RCODE_BADVERS);
}

enum err dns_exchange_query(struct host *h, const struct dns_server *server, const struct dns_query *query,
        int64_t deadline_ms, struct dns_reply *out)
{
        enum err e = query_once(h, server, query, true, deadline_ms, out);
        if (e != ERR_OK || !dislikes_edns(out->message))
                return e;
        dns_reply_free(out);
        return query_once(h, server, query, false, deadline_ms, out);
}

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static enum err query_patiently(struct host *h, const struct dns_server *server,
        const struct dns_query *query, int64_t deadline_ms, struct dns_reply *out)
{
        enum err e = ERR_TIMEOUT;
        for (int i = 0; i < DNS_QUERY_ROUNDS && (e == ERR_TIMEOUT || e == ERR_CLOSED); i++) {
                int64_t until_ms = host_now_ms(h) + DNS_QUERY_TIMEOUT_MS;
                e = dns_exchange_query(h, server, query, earlier(until_ms, deadline_ms), out);
        }
        return e;
}

enum err dns_query_server(struct host *h, const struct dns_server *server, const struct dns_name *name,
        uint16_t type, int64_t deadline_ms, struct arena *arena, struct dns_answer *out)
{
        struct dns_reply reply;
        struct dns_query query = {.name = name, .type = type};
        *out = (struct dns_answer){.type = type, .name = *name};
        enum err e = query_patiently(h, server, &query, deadline_ms, &reply);
        if (e != ERR_OK)
                return e;
        e = dns_answer_read(reply.message, name, type, arena, out);
        dns_reply_free(&reply);
        out->is_secure = out->is_secure && server->is_trusted;
        if (e != ERR_OK || out->is_authoritative)
                return e;
        out->count = 0;
        return ERR_DENIED;
}
