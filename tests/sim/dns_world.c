/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_world.h"

#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/dns_peer.h"
#include "tests/sim/dns_text.h"

void *dns_alloc(size_t n)
{
        void *p = calloc(1, n);
        CHECK(p);
        return p;
}

void *dns_grow(void *array, size_t count)
{
        void *grown = realloc(array, (count + 1) * sizeof(void *));
        CHECK(grown);
        return grown;
}

const char *dns_name_c(const struct dns_name *name, struct dns_name_text *room)
{
        struct wr w;
        wr_init(&w, room->p, DNS_NAME_TEXT_MAX);
        dns_name_write(&w, name);
        room->p[w.n] = '\0';
        return room->p;
}

struct dns_world *dns_world_new(struct sim *sim)
{
        struct dns_world *w = dns_alloc(sizeof *w);
        w->sim = sim;
        return w;
}

void dns_world_free(struct dns_world *w)
{
        if (!w)
                return;
        for (size_t i = 0; i < w->copy_count; i++) {
                free(w->copies[i]->due);
                free(w->copies[i]);
        }
        for (size_t i = 0; i < w->key_count; i++) {
                tsig_key_wipe(&w->keys[i]->tsig);
                free(w->keys[i]->scopes);
                free(w->keys[i]);
        }
        for (size_t i = 0; i < w->peer_count; i++)
                free(w->peers[i]);
        for (size_t i = 0; i < w->zone_count; i++)
                dns_store_free(w->zones[i]);
        free(w->copies);
        free(w->keys);
        free(w->peers);
        free(w->zones);
        free(w);
}

/* Zones. */

static struct dns_zone *zone_at(const struct dns_world *w, const struct dns_name *origin)
{
        for (size_t i = 0; i < w->zone_count; i++)
                if (dns_name_eq(&w->zones[i]->origin, origin))
                        return w->zones[i];
        return NULL;
}

enum err dns_zone_new(struct dns_world *w, struct str origin, struct dns_zone **out)
{
        struct dns_name name;
        *out = NULL;
        enum err e = dns_name_parse(origin, &name);
        if (e != ERR_OK)
                return e;
        if (zone_at(w, &name))
                return ERR_EXISTS;
        *out = dns_store_new(&name, sim_now(w->sim));
        (*out)->world = w;
        w->zones = dns_grow(w->zones, w->zone_count);
        w->zones[w->zone_count++] = *out;
        return ERR_OK;
}

struct dns_zone *dns_zone_find(const struct dns_world *w, const struct dns_name *name)
{
        struct dns_zone *best = NULL;
        for (size_t i = 0; i < w->zone_count; i++)
                if (dns_name_is_under(name, &w->zones[i]->origin) &&
                        (!best || best->origin.n < w->zones[i]->origin.n))
                        best = w->zones[i];
        return best;
}

const struct dns_name *dns_zone_origin(const struct dns_zone *z)
{
        return &z->origin;
}

uint32_t dns_zone_serial(const struct dns_zone *z)
{
        return z->versions[dns_store_newest(z)].serial;
}

/* By hand. */

static void end_by_hand(struct dns_zone *z, const char *how)
{
        if (dns_store_end(z))
                dns_zone_changed(z->world, z, NULL, how);
}

static bool fits(const struct dns_zone *z, const struct dns_text_record *r)
{
        if (!dns_name_is_under(&r->name, &z->origin))
                return false;
        if (r->type == DNS_TYPE_SOA && !dns_name_eq(&r->name, &z->origin))
                return false;
        uint32_t version = dns_store_newest(z);
        size_t aliases = dns_store_count(z, version, &r->name, DNS_TYPE_CNAME);
        size_t all = dns_store_count(z, version, &r->name, DNS_TYPE_ANY);
        return r->type == DNS_TYPE_CNAME ? all == aliases : aliases == 0;
}

static enum err put_line(struct dns_zone *z, struct dns_text *text, struct str line)
{
        struct dns_text_record record;
        enum err e = dns_text_parse(text, line, &record);
        if (e == ERR_NOT_FOUND)
                return ERR_OK;
        if (e != ERR_OK)
                return e;
        if (!fits(z, &record))
                return ERR_DENIED;
        dns_store_put(z, &record.name, record.type, record.ttl_s, str_of(record.rdata, record.rdata_n));
        return ERR_OK;
}

enum err dns_zone_edit(struct dns_zone *z, struct str lines, size_t *line)
{
        struct dns_text text = {.origin = z->origin};
        struct str rest = lines, one;
        enum err e = ERR_OK;
        dns_store_begin(z, sim_now(z->world->sim));
        for (*line = 0; e == ERR_OK && rest.n > 0; ++*line) {
                (void)str_cut(rest, '\n', &one, &rest);
                e = put_line(z, &text, one);
        }
        if (e != ERR_OK)
                dns_store_undo(z);
        else
                end_by_hand(z, "edited");
        return e;
}

/* The record of a line whose names are whole, and its zone. */
static enum err read_whole(
        const struct dns_world *w, struct str line, struct dns_text_record *record, struct dns_zone **z)
{
        struct dns_text text = {0};
        dns_name_set_root(&text.origin);
        *z = NULL;
        if (dns_text_parse(&text, line, record) != ERR_OK)
                return ERR_SYNTAX;
        *z = dns_zone_find(w, &record->name);
        return *z ? ERR_OK : ERR_NOT_FOUND;
}

enum err dns_world_edit(struct dns_world *w, struct str line)
{
        struct dns_text_record record;
        struct dns_zone *z;
        enum err e = read_whole(w, line, &record, &z);
        if (e != ERR_OK)
                return e;
        if (!fits(z, &record))
                return ERR_DENIED;
        dns_store_begin(z, sim_now(w->sim));
        dns_store_put(z, &record.name, record.type, record.ttl_s, str_of(record.rdata, record.rdata_n));
        end_by_hand(z, "edited");
        return ERR_OK;
}

enum err dns_world_holds(const struct dns_world *w, struct str line)
{
        struct dns_text_record record;
        struct dns_zone *z;
        enum err e = read_whole(w, line, &record, &z);
        if (e != ERR_OK)
                return e;
        struct str rdata = str_of(record.rdata, record.rdata_n);
        return dns_store_record(z, dns_store_newest(z), &record.name, record.type, rdata) ? ERR_OK
                                                                                          : ERR_MISMATCH;
}

size_t dns_zone_erase(struct dns_zone *z, const struct dns_name *name, uint16_t type)
{
        uint32_t version = dns_store_newest(z);
        size_t n = 0;
        dns_store_begin(z, sim_now(z->world->sim));
        for (const struct dns_rr *rr = dns_store_first(z, version, name, type); rr;
                rr = dns_store_next(rr, version, type))
                if (rr->type != DNS_TYPE_SOA)
                        n += dns_store_remove(z, name, rr->type, &rr->rdata);
        end_by_hand(z, "erased");
        return n;
}

void dns_zone_restore(struct dns_zone *z, int64_t at_ms)
{
        uint32_t version;
        CHECK(dns_store_version_at(z, at_ms, &version));
        dns_store_begin(z, sim_now(z->world->sim));
        dns_store_restore(z, version);
        end_by_hand(z, "restored");
}

/* Keys. */

const struct dns_key *dns_key_find(const struct dns_world *w, const struct dns_name *name)
{
        for (size_t i = 0; i < w->key_count; i++)
                if (dns_name_eq(&w->keys[i]->tsig.name, name))
                        return w->keys[i];
        return NULL;
}

static enum err read_key(const struct dns_world *w, struct str text, struct str zone, struct dns_key *out)
{
        struct dns_name origin;
        enum err e = tsig_key_parse(text, &out->tsig);
        if (e != ERR_OK)
                return e;
        if (dns_name_parse(zone, &origin) != ERR_OK || !(out->zone = zone_at(w, &origin)))
                return ERR_NOT_FOUND;
        return dns_key_find(w, &out->tsig.name) ? ERR_EXISTS : ERR_OK;
}

enum err dns_key_add(struct dns_world *w, struct str key, struct str zone)
{
        struct dns_key *k = dns_alloc(sizeof *k);
        enum err e = read_key(w, key, zone, k);
        if (e != ERR_OK) {
                free(k);
                return e;
        }
        w->keys = dns_grow(w->keys, w->key_count);
        w->keys[w->key_count++] = k;
        return ERR_OK;
}

enum err dns_key_scope(struct dns_world *w, struct str name, uint16_t type)
{
        struct dns_scope scope = {.type = type};
        if (w->key_count == 0)
                return ERR_SEQUENCE;
        enum err e = dns_name_parse(name, &scope.name);
        if (e != ERR_OK)
                return e;
        struct dns_key *k = w->keys[w->key_count - 1];
        k->scopes = realloc(k->scopes, (k->scope_count + 1) * sizeof k->scopes[0]);
        CHECK(k->scopes);
        k->scopes[k->scope_count++] = scope;
        return ERR_OK;
}

/* Peers. */

struct dns_peer *dns_peer_new(struct dns_world *w, struct sim_node *node, enum dns_peer_kind kind)
{
        struct dns_peer *p = dns_alloc(sizeof *p);
        CHECK(!dns_peer_find(w, str_of_c(sim_node_name(node))));
        *p = (struct dns_peer){.world = w, .node = node, .kind = kind};
        p->random = sim_random_of(sim_seed(w->sim), S("dns"), str_of_c(sim_node_name(node)));
        w->peers = dns_grow(w->peers, w->peer_count);
        w->peers[w->peer_count++] = p;
        return p;
}

struct dns_peer *dns_peer_find(const struct dns_world *w, struct str name)
{
        for (size_t i = 0; i < w->peer_count; i++)
                if (str_eq(str_of_c(sim_node_name(w->peers[i]->node)), name))
                        return w->peers[i];
        return NULL;
}

struct dns_peer_stats dns_peer_stats(const struct dns_peer *p)
{
        return p->stats;
}
