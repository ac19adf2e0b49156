/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_content.h"

#include "base/check.h"
#include "dns/edns.h"

void dns_content_init(struct dns_content *c)
{
        c->rcode = DNS_RCODE_NOERROR;
        c->is_authoritative = false;
        c->is_whole = true;
        c->count = 0;
}

void dns_content_add(struct dns_content *c, const struct dns_item *item)
{
        if (c->count == DNS_ITEMS_MAX)
                c->is_whole = false;
        else
                c->items[c->count++] = *item;
}

/* One place in the DNS: a zone in one of its versions. */
struct place {
        const struct dns_zone *zone;
        uint32_t version;
};

/* The records of `type` at `at`, as records of `name`, which a wildcard makes another. */
static void add_set(
        struct dns_content *c, const struct place *p, const struct dns_name *at, const struct dns_item *like)
{
        for (const struct dns_rr *rr = dns_store_first(p->zone, p->version, at, like->type); rr;
                rr = dns_store_next(rr, p->version, like->type)) {
                struct dns_item item = *like;
                item.type = rr->type;
                item.ttl_s = rr->ttl_s;
                item.rdata = rr->rdata;
                dns_content_add(c, &item);
        }
}

/* RFC 2308 3: the SOA with the lesser of its TTL and its minimum. */
static void add_soa(struct dns_content *c, const struct place *p)
{
        struct dns_soa soa;
        const struct dns_rr *rr = dns_store_first(p->zone, p->version, &p->zone->origin, DNS_TYPE_SOA);
        dns_store_soa(p->zone, p->version, &soa);
        dns_content_add(c, &(struct dns_item){.section = DNS_AUTHORITY,
                                   .name = &p->zone->origin,
                                   .type = DNS_TYPE_SOA,
                                   .ttl_s = rr->ttl_s < soa.minimum_s ? rr->ttl_s : soa.minimum_s,
                                   .rdata = rr->rdata});
}

static void add_glue(struct dns_content *c, const struct place *p, size_t until)
{
        static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
        for (size_t i = 0; i < until; i++) {
                struct dns_name server;
                if (c->items[i].type != DNS_TYPE_NS || dns_target_parse(c->items[i].rdata, &server) != ERR_OK)
                        continue;
                for (size_t t = 0; t < 2; t++) {
                        const struct dns_rr *rr = dns_store_first(p->zone, p->version, &server, types[t]);
                        for (; rr; rr = dns_store_next(rr, p->version, types[t]))
                                dns_content_add(c, &(struct dns_item){DNS_ADDITIONAL, rr->owner, rr->type,
                                                           rr->ttl_s, rr->rdata});
                }
        }
}

static void add_referral(struct dns_content *c, const struct place *p, const struct dns_name *cut)
{
        const struct dns_rr *rr = dns_store_first(p->zone, p->version, cut, DNS_TYPE_NS);
        add_set(c, p, cut,
                &(struct dns_item){.section = DNS_AUTHORITY, .name = rr->owner, .type = DNS_TYPE_NS});
        add_glue(c, p, c->count);
}

/* What the zone has for the name: false when an alias leads to another one, which is in `*next`. */
static bool find_step(struct dns_content *c, const struct place *p, const struct dns_name *name,
        uint16_t type, struct dns_name *next)
{
        struct dns_found found;
        struct dns_item item = {.section = DNS_ANSWER, .name = name, .type = type};
        dns_store_find(p->zone, p->version, name, type, &found);
        switch (found.finding) {
        case DNS_FIND_RECORDS:
                add_set(c, p, &found.owner, &item);
                return true;
        case DNS_FIND_ALIAS:
                item.type = DNS_TYPE_CNAME;
                add_set(c, p, &found.owner, &item);
                CHECK(dns_target_parse(
                              dns_store_first(p->zone, p->version, &found.owner, DNS_TYPE_CNAME)->rdata,
                              next) == ERR_OK);
                return false;
        case DNS_FIND_REFERRAL:
                add_referral(c, p, &found.owner);
                return true;
        case DNS_FIND_NO_NAME:
                c->rcode = DNS_RCODE_NXDOMAIN;
                add_soa(c, p);
                return true;
        case DNS_FIND_NO_DATA:
                add_soa(c, p);
                return true;
        }
        CHECK(false);
        return true;
}

static bool was_visited(const struct dns_content *c, size_t count, const struct dns_name *name)
{
        for (size_t i = 0; i < count; i++)
                if (dns_name_eq(&c->names[i], name))
                        return true;
        return false;
}

void dns_content_find(const struct dns_view *view, const struct dns_question *q, struct dns_content *out)
{
        dns_content_init(out);
        out->names[0] = q->name;
        for (size_t i = 0; i <= DNS_CNAME_MAX; i++) {
                struct place p;
                struct dns_name next;
                p.zone = dns_view_zone(view, &out->names[i], &p.version);
                if (!p.zone) {
                        out->rcode = i == 0 ? DNS_RCODE_REFUSED : DNS_RCODE_NOERROR;
                        return;
                }
                bool is_end = find_step(out, &p, &out->names[i], q->type, &next);
                if (i == 0) /* RFC 1034 4.3.2: AA speaks of the first owner name; not of a referral */
                        out->is_authoritative = out->count == 0 || out->items[0].section == DNS_ANSWER ||
                                                out->items[0].type == DNS_TYPE_SOA;
                if (is_end || was_visited(out, i + 1, &next)) /* a circle is told once, without an error */
                        return;
                if (i < DNS_CNAME_MAX)
                        out->names[i + 1] = next;
        }
        out->rcode = DNS_RCODE_SERVFAIL; /* aliases without end */
}

enum err dns_content_write(
        const struct dns_content *c, const struct dns_frame *frame, void *buffer, size_t cap, struct str *out)
{
        struct dns_writer w;
        struct dns_header header = frame->header;
        header.rcode = (uint8_t)(c->rcode & 15);
        header.is_response = true;
        header.is_authoritative = c->is_authoritative;
        dns_writer_init(&w, buffer, cap < frame->most ? cap : frame->most, &header);
        if (frame->question)
                dns_writer_question(&w, frame->question);
        for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
                for (size_t i = 0; i < c->count; i++) {
                        const struct dns_item *item = &c->items[i];
                        if ((int)item->section == section)
                                dns_writer_record(
                                        &w, &(struct dns_record_out){item->section, item->name, item->type,
                                                    DNS_CLASS_IN, item->ttl_s, item->rdata});
                }
        if (frame->edns) {
                struct dns_edns edns = *frame->edns;
                edns.rcode_high = (uint8_t)(c->rcode >> 4);
                dns_edns_write(&w, &edns);
        }
        return dns_writer_end(&w, out);
}
