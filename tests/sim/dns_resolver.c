/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_resolver.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/summary.h"
#include "serve/dns_exchange.h"

struct cached_record {
        enum dns_section section;
        struct dns_name name;
        uint16_t type;
        uint32_t ttl_s;
        struct str rdata; /* owned */
};

struct dns_cached {
        struct dns_question question;
        size_t holders; /* contents, and the cache */
        int64_t stored_ms, until_ms;
        uint16_t rcode;
        bool leads_on; /* by an alias, to `name` */
        struct dns_name name;
        size_t count;
        struct cached_record *records;
};

struct dns_resolver {
        struct dns_peer *peer;
        struct host *host;
        size_t count;
        struct dns_cached *cache[DNS_CACHED_MAX];
};

static void let_go(struct dns_cached *c)
{
        CHECK(c->holders > 0);
        if (--c->holders > 0)
                return;
        for (size_t i = 0; i < c->count; i++)
                free((void *)(uintptr_t)c->records[i].rdata.p);
        free(c->records);
        free(c);
}

void dns_resolver_release(struct dns_held *held)
{
        for (size_t i = 0; i < held->count; i++)
                let_go(held->all[i]);
        held->count = 0;
}

struct dns_resolver *dns_resolver_new(struct dns_peer *p, struct host *h)
{
        struct dns_resolver *r = dns_alloc(sizeof *r);
        r->peer = p;
        r->host = h;
        p->stats.cached = 0;
        return r;
}

void dns_resolver_free(struct dns_resolver *r)
{
        if (!r)
                return;
        for (size_t i = 0; i < r->count; i++)
                let_go(r->cache[i]);
        free(r);
}

/* The cache. */

static void forget(struct dns_resolver *r, size_t i)
{
        let_go(r->cache[i]);
        r->cache[i] = r->cache[--r->count];
        r->peer->stats.cached = r->count;
}

static struct dns_cached *find_cached(struct dns_resolver *r, const struct dns_question *q)
{
        int64_t now_ms = host_now_ms(r->host);
        for (size_t i = 0; i < r->count; i++) {
                if (!dns_question_eq(&r->cache[i]->question, q))
                        continue;
                if (now_ms < r->cache[i]->until_ms)
                        return r->cache[i];
                forget(r, i);
                return NULL;
        }
        return NULL;
}

static void make_room(struct dns_resolver *r)
{
        size_t first = 0;
        for (size_t i = 1; i < r->count; i++)
                if (r->cache[i]->until_ms < r->cache[first]->until_ms)
                        first = i;
        if (r->count == DNS_CACHED_MAX)
                forget(r, first);
}

static void keep(struct dns_resolver *r, struct dns_cached *c)
{
        for (size_t i = 0; i < r->count; i++)
                if (dns_question_eq(&r->cache[i]->question, &c->question)) {
                        forget(r, i);
                        break;
                }
        make_room(r);
        c->holders++;
        r->cache[r->count++] = c;
        r->peer->stats.cached = r->count;
}

/* Reading what a server answered. */

static void copy_record(struct dns_cached *c, const struct dns_record *record)
{
        struct dns_rdata_room room;
        struct str wire;
        CHECK(dns_rdata_expand(record, &room, &wire) == ERR_OK); /* the summary has read it */
        char *bytes = dns_alloc(wire.n + 1);
        if (wire.n > 0)
                memcpy(bytes, wire.p, wire.n);
        c->records = realloc(c->records, (c->count + 1) * sizeof c->records[0]);
        CHECK(c->records);
        c->records[c->count++] = (struct cached_record){record->section, record->name, record->type,
                record->ttl_s > INT32_MAX ? 0 : record->ttl_s, str_of(bytes, wire.n)};
}

/* Take the records of a section at `name` that are of the type; how many. */
static size_t take(struct dns_cached *c, struct str message, enum dns_section section, uint16_t type,
        const struct dns_name *name)
{
        struct dns_reader reader;
        struct dns_record record;
        size_t before = c->count;
        CHECK(dns_reader_init(&reader, message) == ERR_OK);
        while (dns_reader_record(&reader, &record) == ERR_OK)
                if (record.section == section && record.class == DNS_CLASS_IN &&
                        (record.type == type || type == DNS_TYPE_ANY) && dns_name_eq(&record.name, name))
                        copy_record(c, &record);
        return c->count - before;
}

/* The SOA of a negative answer stands at the name or above it (RFC 2308 2). */
static bool take_soa(struct dns_cached *c, struct str message)
{
        struct dns_name at = c->name;
        do
                if (take(c, message, DNS_AUTHORITY, DNS_TYPE_SOA, &at) > 0)
                        return true;
        while (dns_name_parent(&at, &at));
        return false;
}

/* Follow the aliases in the message from the question's name to where it ends. */
static bool read_chain(struct dns_cached *c, struct str message)
{
        for (size_t i = 0; i <= DNS_CNAME_MAX; i++) {
                if (take(c, message, DNS_ANSWER, c->question.type, &c->name) > 0)
                        return true;
                if (take(c, message, DNS_ANSWER, DNS_TYPE_CNAME, &c->name) != 1) {
                        bool is_negative = take_soa(c, message);
                        c->leads_on = !is_negative && i > 0 && c->rcode == DNS_RCODE_NOERROR;
                        return is_negative || c->leads_on || c->rcode == DNS_RCODE_NXDOMAIN;
                }
                if (dns_target_parse(c->records[c->count - 1].rdata, &c->name) != ERR_OK)
                        return false;
        }
        return false;
}

static int64_t life_ms(const struct dns_cached *c)
{
        int64_t least_s = c->count > 0 ? DNS_CACHE_TTL_MAX_S : 0;
        for (size_t i = 0; i < c->count; i++)
                if (c->records[i].ttl_s < least_s)
                        least_s = c->records[i].ttl_s;
        return least_s * 1000;
}

/* A server's answer as one for the cache, held once; NULL when it is none that can be used. */
static struct dns_cached *read_answer(
        struct dns_resolver *r, const struct dns_question *q, struct str message)
{
        struct dns_summary summary;
        if (dns_summary_read(message, &summary) != ERR_OK || !summary.header.is_authoritative ||
                (summary.rcode != DNS_RCODE_NOERROR && summary.rcode != DNS_RCODE_NXDOMAIN))
                return NULL;
        struct dns_cached *c = dns_alloc(sizeof *c);
        c->question = *q;
        c->holders = 1;
        c->rcode = summary.rcode;
        c->name = q->name;
        c->stored_ms = host_now_ms(r->host);
        if (!read_chain(c, message)) {
                let_go(c);
                return NULL;
        }
        c->until_ms = c->stored_ms + life_ms(c);
        return c;
}

/* Asking. */

static bool reach(const struct dns_resolver *r, const struct dns_peer *server, struct ip_port *out)
{
        const struct ip *theirs, *ours;
        size_t n = sim_node_addresses(server->node, &theirs);
        size_t m = sim_node_addresses(r->peer->node, &ours);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < m; k++)
                        if (theirs[i].family == ours[k].family) {
                                *out = (struct ip_port){theirs[i], DNS_PORT};
                                return true;
                        }
        return false;
}

/* One of the servers that have the zone; false: there is none that we reach. */
static bool draw_server(struct dns_resolver *r, const struct dns_zone *z, struct ip_port *out)
{
        const struct dns_world *w = r->peer->world;
        size_t count = 0;
        for (size_t i = 0; i < w->copy_count; i++)
                count += w->copies[i]->zone == z && reach(r, w->copies[i]->peer, out);
        if (count == 0)
                return false;
        size_t left = sim_random_below(&r->peer->random, count);
        for (size_t i = 0; i < w->copy_count; i++)
                if (w->copies[i]->zone == z && reach(r, w->copies[i]->peer, out) && left-- == 0)
                        return true;
        return false;
}

static enum err ask_once(struct dns_resolver *r, const struct dns_question *q, const struct ip_port *at,
        struct dns_cached **out)
{
        struct dns_server server = {.at = *at};
        struct dns_query query = {.name = &q->name, .type = q->type};
        struct dns_reply reply;
        r->peer->stats.asked++;
        enum err e = dns_exchange_query(
                r->host, &server, &query, host_now_ms(r->host) + DNS_RESOLVER_TRY_MS, &reply);
        if (e != ERR_OK)
                return e;
        *out = read_answer(r, q, reply.message);
        dns_reply_free(&reply);
        return ERR_OK;
}

/* A name that lies in no zone does not exist: so a root would say. Not kept. */
static struct dns_cached *deny(const struct dns_resolver *r, const struct dns_question *q)
{
        struct dns_cached *c = dns_alloc(sizeof *c);
        c->question = *q;
        c->holders = 1;
        c->rcode = DNS_RCODE_NXDOMAIN;
        c->name = q->name;
        c->stored_ms = c->until_ms = host_now_ms(r->host);
        return c;
}

/* An answer from a server, held once; NULL when there is none. */
static enum err ask(struct dns_resolver *r, const struct dns_question *q, struct dns_cached **out)
{
        const struct dns_zone *z = dns_zone_find(r->peer->world, &q->name);
        *out = z ? NULL : deny(r, q);
        if (!z)
                return ERR_OK;
        for (int i = 0; i < DNS_RESOLVER_TRIES && !*out; i++) {
                struct ip_port at;
                if (!draw_server(r, z, &at))
                        return ERR_OK;
                if (ask_once(r, q, &at, out) == ERR_CANCELLED)
                        return ERR_CANCELLED;
        }
        if (*out)
                keep(r, *out);
        return ERR_OK;
}

/* Answering. */

static void add_cached(struct dns_resolver *r, const struct dns_cached *c, struct dns_content *out)
{
        int64_t age_s = (host_now_ms(r->host) - c->stored_ms) / 1000;
        out->rcode = c->rcode;
        for (size_t i = 0; i < c->count; i++) {
                const struct cached_record *record = &c->records[i];
                uint32_t ttl_s = record->ttl_s > age_s ? (uint32_t)(record->ttl_s - age_s) : 0;
                dns_content_add(out, &(struct dns_item){record->section, &record->name, record->type, ttl_s,
                                             record->rdata});
        }
}

static void fail(struct dns_content *out)
{
        dns_content_init(out);
        out->rcode = DNS_RCODE_SERVFAIL;
}

enum err dns_resolver_answer(
        struct dns_resolver *r, const struct dns_question *q, struct dns_content *out, struct dns_held *held)
{
        struct dns_question step = *q;
        dns_content_init(out);
        held->count = 0;
        while (held->count <= DNS_CNAME_MAX) {
                struct dns_cached *c = find_cached(r, &step);
                if (c) {
                        c->holders++;
                        r->peer->stats.hits++;
                } else if (ask(r, &step, &c) == ERR_CANCELLED) {
                        return ERR_CANCELLED;
                }
                if (!c)
                        break;
                held->all[held->count++] = c;
                add_cached(r, c, out);
                if (!c->leads_on)
                        return ERR_OK;
                step.name = c->name;
        }
        fail(out);
        return ERR_OK;
}
