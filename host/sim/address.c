/* SPDX-License-Identifier: ISC */
/* Who has which address. */
#include <string.h>

#include "base/check.h"
#include "host/sim/inside.h"

static int compare(const struct ip *a, const struct ip *b)
{
        return a->family != b->family ? (a->family < b->family ? -1 : 1) : memcmp(a->b, b->b, sizeof a->b);
}

/* Where it stands, or should. */
static size_t position(const struct sim *sim, const struct ip *ip)
{
        size_t from = 0, to = sim->place_n;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                if (compare(&sim->places[middle].ip, ip) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

struct sim_node *address_find(struct sim *sim, const struct ip *ip)
{
        size_t at = position(sim, ip);
        return at < sim->place_n && ip_eq(&sim->places[at].ip, ip) ? sim->places[at].node : NULL;
}

void address_add(struct sim_node *node, const struct ip *ip)
{
        struct sim *sim = node->sim;
        CHECK(address_find(sim, ip) == NULL);
        size_t at = position(sim, ip);
        sim->places = sim_grow(sim->places, &sim->place_cap, sim->place_n + 1, sizeof(struct place));
        memmove(sim->places + at + 1, sim->places + at, (sim->place_n - at) * sizeof(struct place));
        sim->places[at] = (struct place){.ip = *ip, .node = node};
        sim->place_n++;
}

struct sim_node *address_reach(struct sim_node *from, const struct ip *ip)
{
        return ip_is_loopback(ip) ? from : address_find(from->sim, ip);
}

static bool is_any(const struct ip *ip)
{
        static const uint8_t zeros[16];
        return memcmp(ip->b, zeros, sizeof zeros) == 0;
}

bool address_is_own(const struct sim_node *node, const struct ip *ip)
{
        return is_any(ip) || ip_is_loopback(ip) || address_find(node->sim, ip) == node;
}

bool address_covers(const struct ip *bound, const struct ip *ip)
{
        return bound->family == ip->family && (is_any(bound) || ip_eq(bound, ip));
}

bool address_source(const struct sim_node *node, const struct ip *to, struct ip *out)
{
        if (ip_is_loopback(to)) {
                *out = *to;
                return true;
        }
        for (size_t i = 0; i < node->address_n; i++)
                if (node->addresses[i].family == to->family) {
                        *out = node->addresses[i];
                        return true;
                }
        return false;
}

bool ip_port_eq(const struct ip_port *a, const struct ip_port *b)
{
        return a->port == b->port && ip_eq(&a->ip, &b->ip);
}
