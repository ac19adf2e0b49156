/* SPDX-License-Identifier: ISC */
/* For tests: the primary of example.org on a loopback port: answers for its TXT, NS and A records with authority, and
 * takes UPDATEs that are signed with its key. */
#ifndef SERVE_FAKE_PRIMARY_H
#define SERVE_FAKE_PRIMARY_H

#include "auth/fake_zone.h"
#include "dns/tsig.h"
#include "serve/fake_dns.h"

#define FAKE_PRIMARY_KEY "k._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

struct fake_primary {
        struct fake_dns dns;
        struct fake_zone zone;
        struct tsig_key key;
        unsigned updates; /* that changed the zone */
        bool is_broken;   /* SERVFAIL to everything */
        int64_t ahead_s;  /* its clock, of ours */
};

static inline uint64_t fake_primary_now_s(const struct fake_primary *p)
{
        return (uint64_t)(host_wall_ms(p->dns.h) / 1000 + p->ahead_s);
}

/* Finish `m`, signed. With BADTIME the time signed is the client's, and ours stands in other data (RFC 8945 5.2.3). */

static inline struct str fake_primary_sign(
        struct fake_primary *p, struct fake_message *m, const struct tsig_result *request)
{
        bool is_late = request->verdict == TSIG_BADTIME;
        struct str message = fake_end(m);
        struct tsig_mac mac;
        struct wr w;
        char now[6];
        wr_init(&w, now, sizeof now);
        wr_be48(&w, fake_primary_now_s(p));
        struct str whole;
        struct tsig_input in = {
                .buffer = m->buffer,
                .n = message.n,
                .cap = sizeof m->buffer,
                .request_mac = str_of(request->mac.b, request->mac.n),
                .fields = {.time_s = is_late ? request->time_s : fake_primary_now_s(p),
                        .fudge_s = TSIG_FUDGE_S,
                        .error = is_late ? DNS_RCODE_BADTIME : 0,
                        .other = is_late ? wr_text(&w) : S("")},
        };
        CHECK(tsig_sign(&p->key, &in, &whole, &mac) == ERR_OK);
        return whole;
}

static inline void fake_primary_update(struct fake_primary *p, const struct fake_query *q)
{
        struct fake_message m;
        struct tsig_result tsig;
        CHECK(tsig_verify(&p->key, q->message, S(""), fake_primary_now_s(p), &tsig) == ERR_OK);
        if (tsig.verdict == TSIG_BADTIME) {
                fake_begin(&m, q, DNS_RCODE_NOTAUTH, false);
                fake_reply(&p->dns, q, fake_primary_sign(p, &m, &tsig));
                return;
        }
        if (tsig.verdict != TSIG_GOOD || p->is_broken) {
                fake_begin(&m, q, p->is_broken ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOTAUTH, false);
                fake_reply(&p->dns, q, fake_end(&m));
                return;
        }
        uint16_t rcode = fake_zone_update(&p->zone, q->message);
        p->updates += rcode == DNS_RCODE_NOERROR;
        fake_begin(&m, q, (uint8_t)rcode, false);
        fake_reply(&p->dns, q, fake_primary_sign(p, &m, &tsig));
}

static inline void fake_primary_records(
        struct fake_primary *p, struct fake_message *m, const struct fake_query *q)
{
        const struct dns_question *ask = &q->summary.question;
        struct dns_name zone = fake_name("example.org"), server = fake_name("ns1.example.org");
        char rdata[KEY_RECORD_MAX + 8];
        struct wr w;
        for (size_t i = 0; ask->type == DNS_TYPE_TXT && i < FAKE_ZONE_RECORDS; i++) {
                if (!fake_zone_stands_at(&p->zone, i, &ask->name))
                        continue;
                wr_init(&w, rdata, sizeof rdata);
                dns_txt_write_wire(&w, fake_zone_text(&p->zone, i));
                fake_record(m, DNS_ANSWER, &ask->name, DNS_TYPE_TXT, 60, wr_text(&w));
        }
        wr_init(&w, rdata, sizeof rdata);
        if (ask->type == DNS_TYPE_NS && dns_name_eq(&ask->name, &zone)) {
                dns_name_write_wire(&w, &server);
                fake_record(m, DNS_ANSWER, &ask->name, DNS_TYPE_NS, 60, wr_text(&w));
        }
        if (ask->type == DNS_TYPE_A && dns_name_eq(&ask->name, &server))
                fake_record(m, DNS_ANSWER, &ask->name, DNS_TYPE_A, 60, S("\177\0\0\1"));
}

static inline void fake_primary_answer(struct fake_dns *dns, const struct fake_query *q)
{
        struct fake_primary *p = dns->arg;
        struct fake_query authoritative = *q;
        struct fake_message m;
        authoritative.summary.header.is_authoritative = true;
        if (q->summary.header.opcode == DNS_OPCODE_UPDATE) {
                fake_primary_update(p, &authoritative);
                return;
        }
        fake_begin(&m, &authoritative, p->is_broken ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR, false);
        if (!p->is_broken)
                fake_primary_records(p, &m, q);
        fake_reply(&p->dns, q, fake_end(&m));
}

static inline void fake_primary_start(struct fake_primary *p, struct host *h, struct scope *scope)
{
        *p = (struct fake_primary){.dns = {.h = h, .answer = fake_primary_answer, .arg = p}};
        CHECK(tsig_key_parse(S(FAKE_PRIMARY_KEY), &p->key) == ERR_OK);
        fake_start(&p->dns, scope, true);
}

#endif
