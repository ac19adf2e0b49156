/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/code.h"

#define ALIVE UINT32_MAX

static uint8_t lower(uint8_t c)
{
        return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* FNV-1a: owners are compared in full after it. */
static uint64_t hash_name(const struct dns_name *name)
{
        uint64_t h = 0xcbf29ce484222325;
        for (size_t i = 0; i < name->n; i++)
                h = (h ^ lower(name->b[i])) * 0x100000001b3;
        return h;
}

static struct dns_owner *find_owner(const struct dns_zone *z, const struct dns_name *name)
{
        uint64_t hash = hash_name(name);
        for (size_t i = 0; i < z->owner_count; i++)
                if (z->owners[i]->hash == hash && dns_name_eq(&z->owners[i]->name, name))
                        return z->owners[i];
        return NULL;
}

static struct dns_owner *make_owner(struct dns_zone *z, const struct dns_name *name)
{
        struct dns_owner *owner = find_owner(z, name);
        if (owner)
                return owner;
        if (z->owner_count == z->owner_cap) {
                z->owner_cap = z->owner_cap ? 2 * z->owner_cap : 16;
                z->owners = realloc(z->owners, z->owner_cap * sizeof(struct dns_owner *));
                CHECK(z->owners);
        }
        owner = calloc(1, sizeof *owner);
        CHECK(owner);
        owner->name = *name;
        owner->hash = hash_name(name);
        z->owners[z->owner_count++] = owner;
        return owner;
}

static bool is_in(const struct dns_rr *rr, uint32_t version)
{
        return rr->since <= version && version < rr->until;
}

static bool is_type(const struct dns_rr *rr, uint16_t type)
{
        return type == DNS_TYPE_ANY || rr->type == type;
}

uint32_t dns_store_newest(const struct dns_zone *z)
{
        return z->version_count - (z->is_open ? 0 : 1);
}

bool dns_store_version_at(const struct dns_zone *z, int64_t at_ms, uint32_t *out)
{
        for (*out = z->version_count; *out > 0; --*out)
                if (z->versions[*out - 1].at_ms <= at_ms)
                        break;
        if (*out == 0)
                return false;
        --*out;
        return true;
}

bool dns_serial_is_after(uint32_t a, uint32_t b)
{
        return a != b && a - b < 0x80000000;
}

static const struct dns_rr *first_in(const struct dns_rr *rr, uint32_t version, uint16_t type)
{
        while (rr && !(is_in(rr, version) && is_type(rr, type)))
                rr = rr->next;
        return rr;
}

const struct dns_rr *dns_store_first(
        const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type)
{
        const struct dns_owner *owner = find_owner(z, name);
        return owner ? first_in(owner->first, version, type) : NULL;
}

const struct dns_rr *dns_store_next(const struct dns_rr *rr, uint32_t version, uint16_t type)
{
        return first_in(rr->next, version, type);
}

size_t dns_store_count(const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type)
{
        size_t n = 0;
        for (const struct dns_rr *rr = dns_store_first(z, version, name, type); rr;
                rr = dns_store_next(rr, version, type))
                n++;
        return n;
}

/* Octets of RDATA before and behind its names; the length octets of labels are no letters, so that case may be folded
 * over a name's wire form. */
static void names_of(uint16_t type, size_t *before, size_t *behind)
{
        bool has_names = type == DNS_TYPE_NS || type == DNS_TYPE_CNAME || type == DNS_TYPE_PTR ||
                         type == DNS_TYPE_MX || type == DNS_TYPE_SOA;
        *before = type == DNS_TYPE_MX ? 2 : has_names ? 0 : SIZE_MAX;
        *behind = type == DNS_TYPE_SOA ? 20 : 0;
}

static bool is_same_data(uint16_t type, struct str a, struct str b)
{
        size_t before, behind;
        names_of(type, &before, &behind);
        if (a.n != b.n || a.n < behind || !str_eq(str_take(a, before), str_take(b, before)) ||
                !str_eq(str_skip(a, a.n - behind), str_skip(b, b.n - behind)))
                return false;
        return str_eq_nocase(str_skip(a, before), str_skip(b, before));
}

const struct dns_rr *dns_store_record(const struct dns_zone *z, uint32_t version, const struct dns_name *name,
        uint16_t type, struct str rdata)
{
        const struct dns_rr *rr = dns_store_first(z, version, name, type);
        while (rr && !is_same_data(type, rr->rdata, rdata))
                rr = dns_store_next(rr, version, type);
        return rr;
}

void dns_store_soa(const struct dns_zone *z, uint32_t version, struct dns_soa *out)
{
        const struct dns_rr *rr = dns_store_first(z, version, &z->origin, DNS_TYPE_SOA);
        CHECK(rr && dns_soa_parse(rr->rdata, out) == ERR_OK);
}

/* Finding. */

static bool has_below(const struct dns_zone *z, uint32_t version, const struct dns_name *name)
{
        for (size_t i = 0; i < z->owner_count; i++)
                if (dns_name_is_under(&z->owners[i]->name, name) &&
                        first_in(z->owners[i]->first, version, DNS_TYPE_ANY))
                        return true;
        return false;
}

/* Is there a cut between the origin and `name`, which is below it? The highest one counts. At the cut itself all but DS
 * belongs to the child. */
static bool find_cut(
        const struct dns_zone *z, uint32_t version, const struct dns_name *name, struct dns_name *cut)
{
        bool found = false;
        for (struct dns_name at = *name; !dns_name_eq(&at, &z->origin); (void)dns_name_parent(&at, &at))
                if (dns_store_first(z, version, &at, DNS_TYPE_NS)) {
                        *cut = at;
                        found = true;
                }
        return found;
}

static enum dns_finding find_at(
        const struct dns_zone *z, uint32_t version, const struct dns_name *owner, uint16_t type)
{
        if (dns_store_first(z, version, owner, type))
                return DNS_FIND_RECORDS;
        return dns_store_first(z, version, owner, DNS_TYPE_CNAME) ? DNS_FIND_ALIAS : DNS_FIND_NO_DATA;
}

void dns_store_find(const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type,
        struct dns_found *out)
{
        CHECK(dns_name_is_under(name, &z->origin));
        out->owner = *name;
        if (find_cut(z, version, name, &out->owner)) {
                out->finding = DNS_FIND_REFERRAL;
                return;
        }
        if (has_below(z, version, name)) {
                out->finding = find_at(z, version, name, type);
                return;
        }
        struct dns_name encloser = *name; /* the closest one that is there (RFC 4592 3.3.1) */
        do
                (void)dns_name_parent(&encloser, &encloser);
        while (!has_below(z, version, &encloser));
        out->finding = DNS_FIND_NO_NAME;
        if (dns_name_child(&encloser, S("*"), &out->owner) == ERR_OK && has_below(z, version, &out->owner))
                out->finding = find_at(z, version, &out->owner, type);
}

/* Changing. */

static void append(struct dns_zone *z, struct dns_owner *owner, const struct dns_rr *like)
{
        struct dns_rr *rr = malloc(sizeof *rr + like->rdata.n);
        CHECK(rr);
        char *data = (char *)(rr + 1);
        if (like->rdata.n > 0)
                memcpy(data, like->rdata.p, like->rdata.n);
        *rr = (struct dns_rr){.owner = &owner->name,
                .type = like->type,
                .ttl_s = like->ttl_s,
                .since = z->version_count,
                .until = ALIVE,
                .rdata = {data, like->rdata.n}};
        if (owner->last)
                owner->last->next = rr;
        else
                owner->first = rr;
        owner->last = rr;
        z->is_changed = true;
}

static void end_record(struct dns_zone *z, struct dns_rr *rr)
{
        rr->until = z->version_count;
        z->is_changed = true;
}

static void set_ttl(struct dns_zone *z, struct dns_owner *owner, uint16_t type, uint32_t ttl_s)
{
        const struct dns_rr *last = owner->last;
        for (struct dns_rr *rr = owner->first; rr; rr = rr == last ? NULL : rr->next) {
                if (!is_in(rr, z->version_count) || rr->type != type || rr->ttl_s == ttl_s)
                        continue;
                struct dns_rr changed = *rr;
                changed.ttl_s = ttl_s;
                end_record(z, rr);
                append(z, owner, &changed);
        }
}

static bool takes_place(uint16_t type)
{
        return type == DNS_TYPE_CNAME || type == DNS_TYPE_SOA;
}

void dns_store_put(
        struct dns_zone *z, const struct dns_name *name, uint16_t type, uint32_t ttl_s, struct str rdata)
{
        CHECK(z->is_open && dns_name_is_under(name, &z->origin));
        struct dns_owner *owner = make_owner(z, name);
        set_ttl(z, owner, type, ttl_s);
        z->has_serial = z->has_serial || type == DNS_TYPE_SOA;
        const struct dns_rr *same = dns_store_record(z, z->version_count, name, type, rdata);
        if (same && str_eq(same->rdata, rdata))
                return;
        if (takes_place(type))
                (void)dns_store_remove(z, name, type, NULL);
        else if (same)
                (void)dns_store_remove(z, name, type, &rdata);
        append(z, owner, &(struct dns_rr){.type = type, .ttl_s = ttl_s, .rdata = rdata});
}

size_t dns_store_remove(
        struct dns_zone *z, const struct dns_name *name, uint16_t type, const struct str *rdata)
{
        CHECK(z->is_open);
        size_t n = 0;
        struct dns_owner *owner = find_owner(z, name);
        for (struct dns_rr *rr = owner ? owner->first : NULL; rr; rr = rr->next) {
                if (!is_in(rr, z->version_count) || !is_type(rr, type))
                        continue;
                if (rdata && !is_same_data(rr->type, rr->rdata, *rdata))
                        continue;
                end_record(z, rr);
                n++;
        }
        return n;
}

static void restore_owner(struct dns_zone *z, struct dns_owner *owner, uint32_t version)
{
        const struct dns_rr *last = owner->last;
        for (struct dns_rr *rr = owner->first; rr; rr = rr == last ? NULL : rr->next) {
                if (is_in(rr, version) && !is_in(rr, z->version_count))
                        append(z, owner, rr);
                else if (!is_in(rr, version) && is_in(rr, z->version_count))
                        end_record(z, rr);
        }
}

void dns_store_restore(struct dns_zone *z, uint32_t version)
{
        CHECK(z->is_open && version < z->version_count);
        for (size_t i = 0; i < z->owner_count; i++)
                restore_owner(z, z->owners[i], version);
        z->has_serial = true;
        if (z->is_changed)
                z->restored = z->version_count;
}

static void add_version(struct dns_zone *z, int64_t now_ms, uint32_t serial)
{
        if (z->version_count == z->version_cap) {
                z->version_cap = z->version_cap ? 2 * z->version_cap : 16;
                z->versions = realloc(z->versions, z->version_cap * sizeof z->versions[0]);
                CHECK(z->versions);
        }
        z->versions[z->version_count] = (struct dns_version){.at_ms = now_ms, .serial = serial};
}

void dns_store_begin(struct dns_zone *z, int64_t now_ms)
{
        CHECK(!z->is_open && (z->version_count == 0 || z->versions[z->version_count - 1].at_ms <= now_ms));
        add_version(z, now_ms, 0);
        z->is_open = true;
        z->is_changed = false;
        z->has_serial = false;
}

static void put_soa(struct dns_zone *z, const struct dns_soa *soa, uint32_t ttl_s)
{
        struct dns_rdata_room room;
        struct wr w;
        wr_init(&w, room.b, sizeof room.b);
        dns_soa_write_wire(&w, soa);
        dns_store_put(z, &z->origin, DNS_TYPE_SOA, ttl_s, wr_text(&w));
}

/* RFC 2136 3.6: the serial is incremented; 0 is left out, as some take it for none. */
static void count_up(struct dns_zone *z)
{
        struct dns_soa soa;
        const struct dns_rr *rr = dns_store_first(z, z->version_count, &z->origin, DNS_TYPE_SOA);
        dns_store_soa(z, z->version_count, &soa);
        soa.serial = soa.serial == UINT32_MAX ? 1 : soa.serial + 1;
        put_soa(z, &soa, rr->ttl_s);
}

bool dns_store_end(struct dns_zone *z)
{
        CHECK(z->is_open);
        struct dns_soa soa;
        if (z->is_changed) {
                if (!z->has_serial)
                        count_up(z);
                dns_store_soa(z, z->version_count, &soa);
                z->versions[z->version_count++].serial = soa.serial;
        }
        z->is_open = false;
        return z->is_changed;
}

static void undo_owner(struct dns_owner *owner, uint32_t version)
{
        struct dns_rr **link = &owner->first;
        owner->last = NULL;
        while (*link) {
                struct dns_rr *rr = *link;
                if (rr->since == version) {
                        *link = rr->next;
                        free(rr);
                        continue;
                }
                if (rr->until == version)
                        rr->until = ALIVE;
                owner->last = rr;
                link = &rr->next;
        }
}

void dns_store_undo(struct dns_zone *z)
{
        CHECK(z->is_open);
        for (size_t i = 0; i < z->owner_count; i++)
                undo_owner(z->owners[i], z->version_count);
        z->is_open = false;
}

struct dns_zone *dns_store_new(const struct dns_name *origin, int64_t now_ms)
{
        struct dns_zone *z = calloc(1, sizeof *z);
        struct dns_soa soa = {.serial = 1,
                .refresh_s = 300,
                .retry_s = 60,
                .expire_s = 86400,
                .minimum_s = DNS_SOA_MINIMUM_S};
        CHECK(z);
        z->origin = *origin;
        soa.primary = *origin;
        soa.mailbox = *origin;
        dns_store_begin(z, now_ms);
        put_soa(z, &soa, 300);
        CHECK(dns_store_end(z));
        return z;
}

void dns_store_free(struct dns_zone *z)
{
        if (!z)
                return;
        for (size_t i = 0; i < z->owner_count; i++) {
                for (struct dns_rr *rr = z->owners[i]->first, *next; rr; rr = next) {
                        next = rr->next;
                        free(rr);
                }
                free(z->owners[i]);
        }
        free(z->owners);
        free(z->versions);
        free(z);
}
