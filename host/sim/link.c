/* SPDX-License-Identifier: ISC */
/* Links: how long, how wide, how lossy, and whether at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/inside.h"

static struct link *link_new(struct sim_node *from, struct sim_node *to)
{
        struct sim *sim = from->sim;
        struct link *l = sim_alloc(sizeof *l);
        size_t n = strlen(from->name) + strlen(to->name) + 2;
        char *name = sim_alloc(n);
        (void)snprintf(name, n, "%s>%s", from->name, to->name);
        *l = (struct link){.set = sim->link,
                .random = sim_random_of(sim->seed, S("link"), str_of_c(name)),
                .plans_end = &l->plans};
        if (from == to)
                l->set.latency_ms = l->set.jitter_ms = 0;
        free(name);
        return l;
}

struct link *link_of(struct sim_node *from, struct sim_node *to)
{
        if (to->id >= from->link_cap) {
                size_t before = from->link_cap;
                from->links =
                        sim_grow(from->links, &from->link_cap, from->sim->node_n, sizeof(struct link *));
                memset(from->links + before, 0, (from->link_cap - before) * sizeof(struct link *));
        }
        struct link **l = &from->links[to->id];
        if (*l == NULL)
                *l = link_new(from, to);
        return *l;
}

void link_free_all(struct sim_node *node)
{
        for (size_t i = 0; i < node->link_cap; i++) {
                struct link *l = node->links[i];
                while (l != NULL && l->plans != NULL) {
                        struct cut_plan *plan = l->plans;
                        l->plans = plan->next;
                        free(plan);
                }
                free(l);
        }
        free(node->links);
}

bool link_is_up(struct sim_node *from, struct sim_node *to)
{
        return to->is_on && link_of(from, to)->down_until_ms <= from->sim->now_ms;
}

int64_t link_delay_ms(struct link *l)
{
        int64_t jitter_ms = l->set.jitter_ms;
        return l->set.latency_ms + (jitter_ms > 0 ? sim_random_between(&l->random, 0, jitter_ms) : 0);
}

int64_t link_arrival_ms(struct sim *sim, struct link *l, size_t n)
{
        int64_t sent_us = sim->now_ms * 1000;
        if (l->set.bytes_per_s > 0) {
                if (l->busy_until_us < sent_us)
                        l->busy_until_us = sent_us;
                l->busy_until_us += (int64_t)(n * UINT64_C(1000000) / l->set.bytes_per_s);
                sent_us = l->busy_until_us;
        }
        return (sent_us + 999) / 1000 + link_delay_ms(l);
}

enum sim_cut link_draw_cut(struct link *l, enum sim_cut how)
{
        return how == SIM_CUT_ANY ? (enum sim_cut)sim_random_below(&l->random, SIM_CUT_ANY) : how;
}

uint64_t link_take_cut(struct link *l, enum sim_cut *how)
{
        struct cut_plan *plan = l->plans;
        if (plan != NULL) {
                uint64_t at = plan->at;
                *how = link_draw_cut(l, plan->how);
                l->plans = plan->next;
                if (l->plans == NULL)
                        l->plans_end = &l->plans;
                free(plan);
                return at;
        }
        if (l->set.cut_within == 0 || !sim_random_chance(&l->random, l->set.cut_ppm))
                return 0;
        uint64_t at = 1 + sim_random_below(&l->random, l->set.cut_within);
        *how = link_draw_cut(l, (enum sim_cut)l->set.cut_how);
        return at;
}

/* What is done to each link of a set. */
struct change {
        void (*fn)(struct link *l, const struct change *c);
        const struct sim_link *set;
        int64_t until_ms;
        uint64_t at;
        enum sim_cut how;
};

/* From each to each; to itself only where that is what is named. */
static void for_links(
        struct sim *sim, struct sim_node *from, struct sim_node *to, const struct change *change)
{
        for (size_t i = from != NULL ? from->id : 0; i < (from != NULL ? from->id + 1 : sim->node_n); i++)
                for (size_t j = to != NULL ? to->id : 0; j < (to != NULL ? to->id + 1 : sim->node_n); j++)
                        if (i != j || (from != NULL && to != NULL))
                                change->fn(link_of(sim->nodes[i], sim->nodes[j]), change);
}

static void change_set(struct link *l, const struct change *c)
{
        l->set = *c->set;
}

void sim_link_set(struct sim *sim, struct sim_node *from, struct sim_node *to, const struct sim_link *link)
{
        for_links(sim, from, to, &(struct change){.fn = change_set, .set = link});
}

struct sim_link sim_link_get(struct sim *sim, struct sim_node *from, struct sim_node *to)
{
        CHECK(from->sim == sim && to->sim == sim);
        return link_of(from, to)->set;
}

void sim_link_set_default(struct sim *sim, const struct sim_link *link)
{
        sim->link = *link;
}

struct sim_link sim_link_default(const struct sim *sim)
{
        return sim->link;
}

static void change_down(struct link *l, const struct change *c)
{
        l->down_until_ms = c->until_ms;
}

static const char *name_of(const struct sim_node *node)
{
        return node != NULL ? node->name : "all";
}

/* In the seconds of the trace; -1: for ever. */
static long long second_of(int64_t at_ms)
{
        return at_ms == FIBER_NEVER   ? -1
               : at_ms < SIM_START_MS ? 0
                                      : (long long)(at_ms - SIM_START_MS) / 1000;
}

void sim_link_down(struct sim *sim, struct sim_node *from, struct sim_node *to, int64_t until_ms)
{
        sim_trace(sim, NULL, "down", "%s > %s until %lld", name_of(from), name_of(to), second_of(until_ms));
        for_links(sim, from, to, &(struct change){.fn = change_down, .until_ms = until_ms});
}

static bool is_among(const struct sim_node *node, struct sim_node *const *nodes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (nodes[i] == node)
                        return true;
        return false;
}

void sim_partition(struct sim *sim, struct sim_node *const *nodes, size_t count, int64_t until_ms)
{
        for (size_t i = 0; i < count; i++) {
                sim_trace(sim, nodes[i], "partition", "until %lld", second_of(until_ms));
                for (size_t j = 0; j < sim->node_n; j++)
                        if (!is_among(sim->nodes[j], nodes, count)) {
                                link_of(nodes[i], sim->nodes[j])->down_until_ms = until_ms;
                                link_of(sim->nodes[j], nodes[i])->down_until_ms = until_ms;
                        }
        }
}

void sim_heal(struct sim *sim)
{
        sim_trace(sim, NULL, "heal", "all links");
        for (size_t i = 0; i < sim->node_n; i++)
                for (size_t j = 0; j < sim->nodes[i]->link_cap; j++)
                        if (sim->nodes[i]->links[j] != NULL)
                                sim->nodes[i]->links[j]->down_until_ms = 0;
}

static void change_plan(struct link *l, const struct change *c)
{
        struct cut_plan *plan = sim_alloc(sizeof *plan);
        *plan = (struct cut_plan){.at = c->at, .how = c->how};
        *l->plans_end = plan;
        l->plans_end = &plan->next;
}

void sim_link_cut_next(
        struct sim *sim, struct sim_node *from, struct sim_node *to, uint64_t at, enum sim_cut how)
{
        CHECK(at > 0);
        for_links(sim, from, to, &(struct change){.fn = change_plan, .at = at, .how = how});
}
