/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/dns_peer.h"

struct dns_copy *dns_copy_of(const struct dns_world *w, const struct dns_peer *p, const struct dns_zone *z)
{
        for (size_t i = 0; i < w->copy_count; i++) {
                struct dns_copy *c = w->copies[i];
                if (c->zone == z && (p ? c->peer == p : c->role == DNS_PRIMARY))
                        return c;
        }
        return NULL;
}

/* The versions that come to the copy do so in their order: `due` grows but for those that never do. */
bool dns_copy_version(const struct dns_copy *c, int64_t at_ms, uint32_t *out)
{
        for (*out = c->due_count; *out > 0; --*out)
                if (c->due[*out - 1] <= at_ms)
                        break;
        if (*out == 0)
                return false;
        --*out;
        return true;
}

int64_t dns_copy_until(const struct dns_copy *c, uint32_t version)
{
        for (uint32_t v = version + 1; v < c->due_count; v++)
                if (c->due[v] != DNS_NEVER)
                        return c->due[v];
        return DNS_NEVER;
}

static void set_due(struct dns_copy *c, uint32_t version, int64_t due_ms)
{
        if (version == c->due_cap) {
                c->due_cap = c->due_cap ? 2 * c->due_cap : 16;
                c->due = realloc(c->due, c->due_cap * sizeof c->due[0]);
                CHECK(c->due);
        }
        CHECK(version <= c->due_count);
        c->due[version] = due_ms;
        if (version == c->due_count)
                c->due_count++;
}

static int64_t draw_lag(struct dns_copy *c)
{
        return sim_random_between(&c->random, c->least_ms, c->most_ms);
}

/* When `version` comes to the copy, which will have `held` by then: a secondary takes a greater serial only. */
static int64_t arrival(struct dns_copy *c, uint32_t version, uint32_t held, int64_t now_ms)
{
        const struct dns_version *versions = c->zone->versions;
        if (c->role == DNS_PRIMARY)
                return now_ms;
        if (c->least_ms == FIBER_NEVER ||
                !dns_serial_is_after(versions[version].serial, versions[held].serial))
                return DNS_NEVER;
        int64_t due_ms = now_ms + draw_lag(c);
        return due_ms > c->due[held] ? due_ms : c->due[held];
}

/* A restored primary has forgotten what it had not told yet. */
static void forget_coming(struct dns_copy *c, int64_t now_ms)
{
        for (uint32_t v = 0; v < c->due_count; v++)
                if (c->due[v] > now_ms)
                        c->due[v] = DNS_NEVER;
}

static uint32_t last_coming(const struct dns_copy *c)
{
        uint32_t v = c->due_count - 1;
        while (c->due[v] == DNS_NEVER) {
                CHECK(v > 0);
                v--;
        }
        return v;
}

static void follow(struct dns_copy *c, int64_t now_ms)
{
        uint32_t newest = dns_store_newest(c->zone);
        if (c->role == DNS_SECONDARY && c->zone->restored == newest)
                forget_coming(c, now_ms);
        set_due(c, newest, arrival(c, newest, last_coming(c), now_ms));
}

void dns_zone_changed(struct dns_world *w, struct dns_zone *z, struct sim_node *node, const char *how)
{
        struct dns_name_text room;
        for (size_t i = 0; i < w->copy_count; i++)
                if (w->copies[i]->zone == z)
                        follow(w->copies[i], sim_now(w->sim));
        sim_trace(w->sim, node, "dns", "zone %s serial=%u %s", dns_name_c(&z->origin, &room),
                (unsigned)dns_zone_serial(z), how);
}

void dns_peer_serve(struct dns_peer *p, struct dns_zone *z, enum dns_role role)
{
        struct dns_world *w = p->world;
        CHECK(p->kind == DNS_PEER_SERVER && !dns_copy_of(w, p, z));
        CHECK(role != DNS_PRIMARY || !dns_copy_of(w, NULL, z));
        struct dns_copy *c = dns_alloc(sizeof *c);
        struct dns_name_text room;
        *c = (struct dns_copy){.zone = z, .peer = p, .role = role};
        c->random = sim_random_of(
                sim_seed(w->sim), str_of_c(sim_node_name(p->node)), str_of_c(dns_name_c(&z->origin, &room)));
        uint32_t newest = dns_store_newest(z);
        for (uint32_t v = 0; v <= newest; v++)
                set_due(c, v,
                        role == DNS_PRIMARY ? z->versions[v].at_ms
                        : v == newest       ? sim_now(w->sim)
                                            : DNS_NEVER);
        w->copies = dns_grow(w->copies, w->copy_count);
        w->copies[w->copy_count++] = c;
}

/* What is on its way starts anew, as one transfer of the newest version. */
void dns_peer_lag(struct dns_peer *p, struct dns_zone *z, int64_t least_ms, int64_t most_ms)
{
        struct dns_copy *c = dns_copy_of(p->world, p, z);
        int64_t now_ms = sim_now(p->world->sim);
        struct dns_name_text room;
        CHECK(c && c->role == DNS_SECONDARY && least_ms >= 0 && least_ms <= most_ms);
        c->least_ms = least_ms;
        c->most_ms = most_ms;
        forget_coming(c, now_ms);
        uint32_t held = last_coming(c), newest = dns_store_newest(z);
        if (newest > held)
                c->due[newest] = arrival(c, newest, held, now_ms);
        sim_trace(p->world->sim, p->node, "dns", "lag %s least=%lld most=%lld", dns_name_c(&z->origin, &room),
                (long long)least_ms, (long long)most_ms);
}

struct dns_zone *dns_view_zone(const struct dns_view *view, const struct dns_name *name, uint32_t *version)
{
        struct dns_zone *best = NULL;
        for (size_t i = 0; i < view->world->copy_count; i++) {
                const struct dns_copy *c = view->world->copies[i];
                uint32_t shown;
                if (view->peer ? c->peer != view->peer : c->role != DNS_PRIMARY)
                        continue;
                if (!dns_name_is_under(name, &c->zone->origin) ||
                        (best && c->zone->origin.n < best->origin.n))
                        continue;
                if (dns_copy_version(c, view->at_ms, &shown)) {
                        best = c->zone;
                        *version = shown;
                }
        }
        return best;
}
