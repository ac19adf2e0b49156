/* SPDX-License-Identifier: ISC */
/* For tests of the resolver: a world with a resolver and two fake servers on loopback, which answer by the first label of
 * the name asked for unless the test gives them another manner. */
#ifndef SERVE_RESOLVER_WORLD_H
#define SERVE_RESOLVER_WORLD_H

#define _GNU_SOURCE /* to be included first */

#include "serve/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

#define TIMEOUT_MS 400 /* a busy machine may take a tenth of a second to run the fake server */
#define SERVERS 2

struct world {
        struct host *h;
        void (*body)(struct world *w);
        struct fake_dns server[SERVERS];
        struct resolver *r;
        struct resolver_config config;
        struct arena arena;
        char memory[64 * 1024];
        struct dns_answer answer;
};

static inline struct dns_name name_of(const char *text)
{
        struct dns_name name;
        CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
        return name;
}

/* The answer that every test waits for is 192.0.2.1; that of an attacker ends in 66. */
static inline void put_address(struct fake_message *m, const struct dns_name *name, char last)
{
        char address[4] = {(char)192, 0, 2, last};
        fake_record(m, DNS_ANSWER, name, DNS_TYPE_A, 60, str_of(address, 4));
}

static inline void put_soa(struct fake_message *m)
{
        char rdata[100];
        struct wr w;
        struct dns_name root = name_of("."), host = name_of("ns");
        wr_init(&w, rdata, sizeof rdata);
        dns_soa_write_wire(&w, &(struct dns_soa){host, host, 1, 2, 3, 4, 30});
        fake_record(m, DNS_AUTHORITY, &root, DNS_TYPE_SOA, 3600, wr_text(&w));
}

static inline void put_alias(struct fake_message *m, const struct dns_name *name, const char *to)
{
        struct dns_name target = name_of(to);
        fake_record(m, DNS_ANSWER, name, DNS_TYPE_CNAME, 40, str_of(target.b, target.n));
}

static inline void send_address(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_address(&m, &q->summary.question.name, 1);
        fake_reply(s, q, fake_end(&m));
}

static inline void send_rcode(struct fake_dns *s, const struct fake_query *q, uint8_t rcode, bool with_soa)
{
        struct fake_message m;
        fake_begin(&m, q, rcode, false);
        if (with_soa)
                put_soa(&m);
        fake_reply(s, q, fake_end(&m));
}

static inline void send_alias(struct fake_dns *s, const struct fake_query *q, const char *to)
{
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_alias(&m, &q->summary.question.name, to);
        fake_reply(s, q, fake_end(&m));
}

static inline void send_truncated(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        if (q->tcp) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, true);
        put_address(&m, &q->summary.question.name, 66);
        fake_reply(s, q, fake_end(&m));
}

/* Answers that differ from the right one in one thing each, before it. */
static inline void send_twins_first(struct fake_dns *s, const struct fake_query *q)
{
        for (int i = 0; i < 7; i++) {
                struct fake_message m;
                struct fake_query twin = *q;
                struct dns_summary *t = &twin.summary;
                if (i == 0)
                        t->header.id ^= 1;
                else if (i == 1)
                        t->question.name = name_of("other");
                else if (i == 2)
                        t->question.type = DNS_TYPE_TXT;
                else if (i == 3)
                        t->question.class = 3;
                else if (i == 4)
                        t->header.opcode = 4;
                fake_begin(&m, &twin, DNS_RCODE_NOERROR, false);
                put_address(&m, &q->summary.question.name, 66);
                struct str message = fake_end(&m);
                if (i == 5)
                        m.buffer[2] = (char)(m.buffer[2] & 0x7f); /* a query, not a response */
                if (i == 6)
                        message = str_take(message, 11);
                fake_reply(s, q, message);
        }
        send_address(s, q);
}

/* The same answer from another port, which knows the port and the id. */
static inline void send_from_other_port(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        struct ip_port at;
        int fd = fake_udp_socket(&at);
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_address(&m, &q->summary.question.name, 66);
        fake_send(fd, &q->from, fake_end(&m));
        close(fd);
        assert_int_equal(fiber_sleep(s->h->sched, 10), ERR_OK);
        send_address(s, q);
}

/* As servers before EDNS: the header alone. */
static inline void send_formerr(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        if (!q->summary.has_edns) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_FORMERR, false);
        dns_writer_init(&m.w, m.buffer, sizeof m.buffer,
                &(struct dns_header){
                        .id = q->summary.header.id, .is_response = true, .rcode = DNS_RCODE_FORMERR});
        fake_reply(s, q, fake_end(&m));
}

static inline void send_oversized(struct fake_dns *s, const struct fake_query *q)
{
        static const char rdata[2000];
        struct fake_message m;
        if (q->tcp) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        fake_record(&m, DNS_ADDITIONAL, &q->summary.question.name, 65280, 60, str_of(rdata, sizeof rdata));
        fake_reply(s, q, fake_end(&m));
}

/* Answer by the name asked for. */
static inline void answer_by_name(struct fake_dns *s, const struct fake_query *q)
{
        struct str label = dns_name_label(&q->summary.question.name, 0);
        assert_true(q->summary.header.recursion_desired && q->summary.header.authentic_data);
        if (str_eq(label, S("silent")))
                return;
        if (str_eq(label, S("cut")))
                send_truncated(s, q);
        else if (str_eq(label, S("twins")))
                send_twins_first(s, q);
        else if (str_eq(label, S("spoofed")))
                send_from_other_port(s, q);
        else if (str_eq(label, S("formerr")))
                send_formerr(s, q);
        else if (str_eq(label, S("oversized")))
                send_oversized(s, q);
        else if (str_eq(label, S("servfail")))
                send_rcode(s, q, DNS_RCODE_SERVFAIL, false);
        else if (str_eq(label, S("refused")))
                send_rcode(s, q, DNS_RCODE_REFUSED, false);
        else if (str_eq(label, S("none")))
                send_rcode(s, q, DNS_RCODE_NXDOMAIN, true);
        else if (str_eq(label, S("none-no-soa")))
                send_rcode(s, q, DNS_RCODE_NXDOMAIN, false);
        else if (str_eq(label, S("empty")))
                send_rcode(s, q, DNS_RCODE_NOERROR, true);
        else if (str_eq(label, S("alias")))
                send_alias(s, q, "ok");
        else if (str_eq(label, S("alias-to-none")))
                send_alias(s, q, "none");
        else if (str_eq(label, S("ring-1")))
                send_alias(s, q, "ring-2");
        else if (str_eq(label, S("ring-2")))
                send_alias(s, q, "ring-1");
        else
                send_address(s, q);
}

static inline void answer_nothing(struct fake_dns *s, const struct fake_query *q)
{
        (void)s;
        (void)q;
}

static inline void answer_servfail(struct fake_dns *s, const struct fake_query *q)
{
        send_rcode(s, q, DNS_RCODE_SERVFAIL, false);
}

static inline void run_world(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        struct dns_server servers[SERVERS] = {0};
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < SERVERS; i++) {
                w->server[i].h = w->h;
                if (!w->server[i].answer)
                        w->server[i].answer = answer_by_name;
                fake_start(&w->server[i], &scope, true);
                servers[i].at = w->server[i].at;
        }
        w->config.servers = servers;
        if (w->config.server_count == 0)
                w->config.server_count = SERVERS;
        w->config.timeout_ms = TIMEOUT_MS;
        w->r = resolver_new(w->h, &w->config);
        assert_non_null(w->r);
        w->body(w);
        resolver_free(w->r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        for (size_t i = 0; i < SERVERS; i++)
                fake_stop(&w->server[i]);
}

static inline void run(struct world *w, void (*body)(struct world *w))
{
        w->h = linux_host_new(NULL);
        assert_non_null(w->h);
        w->body = body;
        linux_host_run(w->h, run_world, w);
        linux_host_free(w->h);
}

static inline enum err look_up_type(struct world *w, const char *text, uint16_t type)
{
        struct dns_name name = name_of(text);
        arena_init(&w->arena, w->memory, sizeof w->memory);
        return resolver_lookup(w->r, &name, type, host_now_ms(w->h) + 10000, &w->arena, &w->answer);
}

static inline enum err look_up(struct world *w, const char *text)
{
        return look_up_type(w, text, DNS_TYPE_A);
}

static inline bool is_right(const struct dns_answer *a)
{
        return a->status == DNS_FOUND && a->count == 1 && a->values[0].ip.b[3] == 1;
}

static inline size_t asked(const struct world *w)
{
        size_t n = 0;
        for (size_t i = 0; i < SERVERS; i++)
                n += w->server[i].over_udp + w->server[i].over_tcp;
        return n;
}

#endif
