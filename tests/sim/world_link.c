/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include "base/check.h"

#define NODES_MAX 64
#define CUT_LATE_MS 10000 /* a connection has its cut from when it was opened */

struct mending {
        struct world *w;
        struct sim_node *from, *to;
        int64_t at_ms;
};

/* NULL for `*`. */
static struct sim_node *peer(struct world *w, struct str name)
{
        struct machine *m = world_machine(w, name);
        return m ? m->node : NULL;
}

static bool may_be(struct world *w, struct str name, enum verb verb)
{
        struct machine *m = world_machine(w, name);
        return !m || m->said->verb == verb;
}

/* It befalls what lipap has open to this mail host, or to each (`*`, lipap itself); or nothing, if it is neither. */
static void tell(struct world *w, const struct statement *t, struct str name)
{
        const struct machine *m = world_machine(w, name);
        const char *host = m && m->mx ? m->name : NULL;
        if (m && !m->mx && m != w->lipap)
                return;
        ledger_fault(w->ledger, host, world_text(w, "%.*s, line %u", STR_ARG(t->words[0]), t->line));
        if (t->verb == VERB_LINK && statement_number(t, "cut", 0) > 0)
                ledger_fault_lasts(w->ledger, host,
                        sim_now(w->sim) + statement_ms(t, "for", INT64_MAX / 2) + CUT_LATE_MS);
}

static void tell_between(struct world *w, const struct statement *t, struct str a, struct str b)
{
        if (may_be(w, a, VERB_LIPAP) && may_be(w, b, VERB_MAILHOST))
                tell(w, t, b);
        else if (may_be(w, b, VERB_LIPAP) && may_be(w, a, VERB_MAILHOST))
                tell(w, t, a);
}

static void mend(void *arg)
{
        struct mending *m = arg;
        struct sim_link good = sim_link_default(m->w->sim);
        if (fiber_sleep_until(world_sched(m->w), m->at_ms) == ERR_OK)
                sim_link_set(m->w->sim, m->from, m->to, &good);
}

static void do_link(struct world *w, const struct statement *t)
{
        struct sim_link link = sim_link_default(w->sim);
        struct mending *m = world_alloc(w, sizeof *m);
        int64_t for_ms = statement_ms(t, "for", -1);
        *m = (struct mending){w, peer(w, statement_argument(t, 0)), peer(w, statement_argument(t, 1)),
                sim_now(w->sim) + for_ms};
        link.latency_ms = statement_ms(t, "latency", link.latency_ms);
        link.jitter_ms = statement_ms(t, "jitter", link.jitter_ms);
        link.loss_ppm = (uint32_t)statement_number(t, "loss", 0) * 10000;
        link.udp_loss_ppm = (uint32_t)statement_number(t, "udp-loss", 0) * 10000;
        link.cut_ppm = (uint32_t)statement_number(t, "cut", 0) * 10000;
        link.cut_within = statement_number(t, "within", 4000);
        link.cut_how = SIM_CUT_ANY;
        link.bytes_per_s = statement_number(t, "rate", link.bytes_per_s);
        link.window = (size_t)statement_number(t, "window", link.window);
        link.refuses = str_eq(statement_text(t, "refuse", S("no")), S("yes"));
        sim_link_set(w->sim, m->from, m->to, &link);
        if (for_ms >= 0) {
                world_lasts(w, for_ms);
                world_spawn(w, "mend", mend, m);
        }
}

static void do_partition(struct world *w, const struct statement *t, int64_t until_ms)
{
        struct str names = statement_argument(t, 0);
        struct sim_node *nodes[NODES_MAX];
        size_t count = 0;
        while (names.n > 0) {
                struct str name;
                (void)str_cut(names, ',', &name, &names);
                CHECK(count < NODES_MAX);
                nodes[count++] = peer(w, name);
                tell(w, t, name);
        }
        sim_partition(w->sim, nodes, count, until_ms);
}

static void do_cut(struct world *w, const struct statement *t, struct sim_node *from, struct sim_node *to)
{
        static const char *const words[] = {"reset", "silence", "half", "any"};
        struct str how = statement_text(t, "how", S("any"));
        enum sim_cut cut = SIM_CUT_RESET;
        while (!str_eq(how, str_of_c(words[cut])))
                cut++;
        uint64_t at = statement_number(t, "at", 0);
        if (at > 0)
                sim_link_cut_next(w->sim, from, to, at, cut);
        else
                (void)sim_link_cut(w->sim, from, to, cut);
}

void play_network(struct world *w, const struct statement *t)
{
        struct str a = statement_argument(t, 0), b = statement_argument(t, 1);
        struct sim_node *from = peer(w, a), *to = peer(w, b);
        int64_t for_ms = statement_ms(t, "for", 60000), until_ms = sim_now(w->sim) + for_ms;
        if (t->verb != VERB_PARTITION)
                tell_between(w, t, a, b);
        switch (t->verb) {
        case VERB_LINK:
                do_link(w, t);
                break;
        case VERB_DOWN:
                world_lasts(w, for_ms);
                sim_link_down(w->sim, from, to, until_ms);
                break;
        case VERB_PARTITION:
                world_lasts(w, for_ms);
                do_partition(w, t, until_ms);
                break;
        default:
                do_cut(w, t, from, to);
                break;
        }
}
