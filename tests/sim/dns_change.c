/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/code.h"
#include "dns/message.h"

/* Types that no zone has: 128 to 255 are for questions and messages only (RFC 6895 3.1). */
#define TYPE_META_FIRST 128
#define TYPE_META_LAST 255

struct entry {
        enum dns_section section;
        struct dns_name name;
        uint16_t type, class;
        uint32_t ttl_s;
        struct str rdata;
        struct dns_rdata_room room;
};

struct entries {
        struct entry *all;
        size_t count;
};

/* The room stands in the entry itself: entries do not move. */
static void read_entries(struct str message, struct entries *out)
{
        struct dns_reader r;
        struct dns_record record;
        CHECK(dns_reader_init(&r, message) == ERR_OK);
        size_t most = (size_t)r.header.counts[DNS_PREREQUISITE] + r.header.counts[DNS_UPDATE];
        *out = (struct entries){.all = calloc(most + 1, sizeof *out->all)};
        CHECK(out->all);
        while (dns_reader_record(&r, &record) == ERR_OK && record.section != DNS_ADDITIONAL) {
                struct entry *e = &out->all[out->count++];
                e->section = record.section;
                e->name = record.name;
                e->type = record.type;
                e->class = record.class;
                e->ttl_s = record.ttl_s;
                CHECK(dns_rdata_expand(&record, &e->room, &e->rdata) == ERR_OK);
        }
}

/* Prerequisites (3.2.5). */

static uint16_t judge_existence(const struct dns_zone *z, const struct entry *e, bool is_wanted)
{
        if (e->rdata.n > 0)
                return DNS_RCODE_FORMERR;
        bool is_there = dns_store_first(z, dns_store_newest(z), &e->name, e->type);
        if (is_there == is_wanted)
                return DNS_RCODE_NOERROR;
        if (e->type == DNS_TYPE_ANY)
                return is_wanted ? DNS_RCODE_NXDOMAIN : DNS_RCODE_YXDOMAIN;
        return is_wanted ? DNS_RCODE_NXRRSET : DNS_RCODE_YXRRSET;
}

static bool is_exact(const struct entry *e)
{
        return e->section == DNS_PREREQUISITE && e->class == DNS_CLASS_IN;
}

static bool is_same_set(const struct entry *a, const struct entry *b)
{
        return a->type == b->type && dns_name_eq(&a->name, &b->name);
}

/* The records that the message names for the set of `e` are the set: each is in the zone, and as many different ones as
 * the zone has. */
static uint16_t judge_exact(const struct dns_zone *z, const struct entries *all, const struct entry *e)
{
        uint32_t version = dns_store_newest(z);
        size_t named = 0;
        for (const struct dns_rr *rr = dns_store_first(z, version, &e->name, e->type); rr;
                rr = dns_store_next(rr, version, e->type))
                for (size_t i = 0; i < all->count; i++) {
                        const struct entry *other = &all->all[i];
                        if (is_exact(other) && is_same_set(other, e) &&
                                dns_store_record(z, version, &e->name, e->type, other->rdata) == rr) {
                                named++;
                                break;
                        }
                }
        bool is_there = dns_store_record(z, version, &e->name, e->type, e->rdata);
        return is_there && named == dns_store_count(z, version, &e->name, e->type) ? DNS_RCODE_NOERROR
                                                                                   : DNS_RCODE_NXRRSET;
}

static bool is_meta(uint16_t type)
{
        return type == DNS_TYPE_OPT || (type >= TYPE_META_FIRST && type <= TYPE_META_LAST);
}

static uint16_t judge_prerequisite(const struct dns_zone *z, const struct entry *e)
{
        if (e->ttl_s != 0)
                return DNS_RCODE_FORMERR;
        if (!dns_name_is_under(&e->name, &z->origin))
                return DNS_RCODE_NOTZONE;
        if (is_meta(e->type) && (e->type != DNS_TYPE_ANY || e->class == DNS_CLASS_IN))
                return DNS_RCODE_FORMERR;
        if (e->class == DNS_CLASS_ANY || e->class == DNS_CLASS_NONE)
                return judge_existence(z, e, e->class == DNS_CLASS_ANY);
        return e->class == DNS_CLASS_IN ? DNS_RCODE_NOERROR : DNS_RCODE_FORMERR;
}

static uint16_t judge_prerequisites(const struct dns_zone *z, const struct entries *all)
{
        uint16_t rcode = DNS_RCODE_NOERROR;
        for (size_t i = 0; i < all->count && rcode == DNS_RCODE_NOERROR; i++)
                if (all->all[i].section == DNS_PREREQUISITE)
                        rcode = judge_prerequisite(z, &all->all[i]);
        for (size_t i = 0; i < all->count && rcode == DNS_RCODE_NOERROR; i++)
                if (is_exact(&all->all[i]))
                        rcode = judge_exact(z, all, &all->all[i]);
        return rcode;
}

/* Changes. */

static bool is_permitted(const struct dns_change *change, const struct entry *e)
{
        for (size_t i = 0; i < change->scope_count; i++)
                if (dns_name_is_under(&e->name, &change->scopes[i].name) &&
                        (change->scopes[i].type == DNS_TYPE_ANY || change->scopes[i].type == e->type))
                        return true;
        return change->scope_count == 0;
}

/* 3.4.1.3 */
static uint16_t scan_update(const struct dns_zone *z, const struct dns_change *change, const struct entry *e)
{
        if (!dns_name_is_under(&e->name, &z->origin))
                return DNS_RCODE_NOTZONE;
        if (is_meta(e->type) && (e->type != DNS_TYPE_ANY || e->class != DNS_CLASS_ANY))
                return DNS_RCODE_FORMERR;
        if (e->class == DNS_CLASS_ANY && (e->ttl_s != 0 || e->rdata.n > 0))
                return DNS_RCODE_FORMERR;
        if (e->class == DNS_CLASS_NONE && e->ttl_s != 0)
                return DNS_RCODE_FORMERR;
        if (e->class != DNS_CLASS_IN && e->class != DNS_CLASS_ANY && e->class != DNS_CLASS_NONE)
                return DNS_RCODE_FORMERR;
        return is_permitted(change, e) ? DNS_RCODE_NOERROR : DNS_RCODE_REFUSED;
}

static bool is_newer_soa(const struct dns_zone *z, const struct entry *e)
{
        struct dns_soa now, wanted;
        if (!dns_name_eq(&e->name, &z->origin) || dns_soa_parse(e->rdata, &wanted) != ERR_OK)
                return false;
        dns_store_soa(z, dns_store_newest(z), &now);
        return dns_serial_is_after(wanted.serial, now.serial);
}

/* 3.4.2.2. What does not fit is passed over in silence. */
static void add(struct dns_zone *z, const struct entry *e)
{
        uint32_t version = dns_store_newest(z);
        size_t aliases = dns_store_count(z, version, &e->name, DNS_TYPE_CNAME);
        size_t others = dns_store_count(z, version, &e->name, DNS_TYPE_ANY) - aliases;
        if (e->type == DNS_TYPE_CNAME ? others > 0 : aliases > 0)
                return;
        if (e->type == DNS_TYPE_SOA && !is_newer_soa(z, e))
                return;
        uint32_t ttl_s = e->ttl_s > INT32_MAX ? 0 : e->ttl_s; /* RFC 2181 8 */
        dns_store_put(z, &e->name, e->type, ttl_s, e->rdata);
}

static bool is_kept_at_origin(uint16_t type)
{
        return type == DNS_TYPE_SOA || type == DNS_TYPE_NS;
}

/* 3.4.2.3 */
static void delete_set(struct dns_zone *z, const struct entry *e)
{
        bool at_origin = dns_name_eq(&e->name, &z->origin);
        if (!at_origin) {
                (void)dns_store_remove(z, &e->name, e->type, NULL);
                return;
        }
        uint32_t version = dns_store_newest(z);
        for (const struct dns_rr *rr = dns_store_first(z, version, &e->name, e->type); rr;
                rr = dns_store_next(rr, version, e->type))
                if (!is_kept_at_origin(rr->type))
                        (void)dns_store_remove(z, &e->name, rr->type, &rr->rdata);
}

/* 3.4.2.4: never the SOA, and of the zone's own name servers not the last one. */
static void delete_record(struct dns_zone *z, const struct entry *e)
{
        if (e->type == DNS_TYPE_SOA)
                return;
        if (e->type == DNS_TYPE_NS && dns_name_eq(&e->name, &z->origin) &&
                dns_store_count(z, dns_store_newest(z), &e->name, DNS_TYPE_NS) == 1)
                return;
        (void)dns_store_remove(z, &e->name, e->type, &e->rdata);
}

static void change_zone(struct dns_zone *z, const struct entries *all, struct dns_change *change)
{
        dns_store_begin(z, change->now_ms);
        for (size_t i = 0; i < all->count; i++) {
                const struct entry *e = &all->all[i];
                if (e->section != DNS_UPDATE)
                        continue;
                if (e->class == DNS_CLASS_IN)
                        add(z, e);
                else if (e->class == DNS_CLASS_ANY)
                        delete_set(z, e);
                else
                        delete_record(z, e);
        }
        change->has_version = dns_store_end(z);
}

uint16_t dns_change_apply(struct dns_zone *z, struct dns_change *change)
{
        struct entries all;
        change->has_version = false;
        read_entries(change->message, &all);
        uint16_t rcode = judge_prerequisites(z, &all);
        for (size_t i = 0; i < all.count && rcode == DNS_RCODE_NOERROR; i++)
                if (all.all[i].section == DNS_UPDATE)
                        rcode = scan_update(z, change, &all.all[i]);
        if (rcode == DNS_RCODE_NOERROR && !change->is_deaf)
                change_zone(z, &all, change);
        free(all.all);
        return rcode;
}
