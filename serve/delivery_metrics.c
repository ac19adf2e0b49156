/* SPDX-License-Identifier: ISC */
#include "serve/delivery_metrics.h"

#include <stdlib.h>

#include "serve/delivery_internal.h"

struct table {
        size_t n;
        const struct destination *at[DELIVERY_METRICS_MAX];
};

/* The one of the table that was used longest ago. */
static size_t oldest(const struct table *t)
{
        size_t found = 0;
        for (size_t i = 1; i < t->n; i++)
                if (t->at[i]->used_ms < t->at[found]->used_ms)
                        found = i;
        return found;
}

static void add(struct table *t, const struct destination *d)
{
        if (t->n < DELIVERY_METRICS_MAX) {
                t->at[t->n++] = d;
                return;
        }
        size_t place = oldest(t);
        if (t->at[place]->used_ms < d->used_ms)
                t->at[place] = d;
}

static struct metrics_label name_label(const struct destination *d)
{
        return (struct metrics_label){"destination", str_take(d->name, DELIVERY_METRICS_NAME)};
}

/* Sets of hosts that differ may begin with the same one: one series for a name. */
static bool is_named_before(const struct table *t, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (str_eq(name_label(t->at[k]).value, name_label(t->at[i]).value))
                        return true;
        return false;
}

static void collect(const struct delivery *delivery, struct table *t)
{
        struct table all = {0};
        t->n = 0;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (const struct destination *d = delivery->destinations[i]; d; d = d->next)
                        add(&all, d);
        for (size_t i = 0; i < all.n; i++)
                if (!is_named_before(&all, i))
                        t->at[t->n++] = all.at[i];
}

static void write_outcomes(const struct table *t, struct metrics *m)
{
        metrics_family(m, METRICS_COUNTER, "lipap_destination_deliveries_total",
                "Tries of deliveries, by the first mail host of the destination");
        for (size_t i = 0; i < t->n; i++) {
                const struct delivery_counts *c = &t->at[i]->counts;
                const struct {
                        struct str outcome;
                        uint64_t count;
                } rows[] = {{S("delivered"), c->delivered}, {S("deferred"), c->deferred},
                        {S("failed"), c->failed}};
                for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
                        metrics_u64(m,
                                (struct metrics_label[]){name_label(t->at[i]), {"outcome", rows[k].outcome}},
                                2, rows[k].count);
        }
}

static void write_tls(const struct table *t, struct metrics *m)
{
        metrics_family(m, METRICS_COUNTER, "lipap_destination_tls_total",
                "Connections to the destination, by what became of TLS");
        for (size_t i = 0; i < t->n; i++)
                for (int result = TLS_RESULT_NONE + 1; result < TLS_RESULTS; result++)
                        if (t->at[i]->counts.tls[result] > 0)
                                metrics_u64(m,
                                        (struct metrics_label[]){name_label(t->at[i]),
                                                {"result", tls_result_word((enum tls_result)result)}},
                                        2, t->at[i]->counts.tls[result]);
}

static void write_one(const struct table *t, struct metrics *m, enum metrics_type type, const char *name,
        const char *help, uint64_t (*value)(const struct destination *d))
{
        metrics_family(m, type, name, help);
        for (size_t i = 0; i < t->n; i++) {
                struct metrics_label label = name_label(t->at[i]);
                metrics_u64(m, &label, 1, value(t->at[i]));
        }
}

static uint64_t opened(const struct destination *d)
{
        return d->counts.connections;
}

static uint64_t open_now(const struct destination *d)
{
        return d->connected;
}

static uint64_t allowed(const struct destination *d)
{
        return d->pace.allowed;
}

static uint64_t in_line(const struct destination *d)
{
        return d->line.count;
}

static uint64_t is_at_rest(const struct destination *d)
{
        return delivery_is_resting(d);
}

static void write_reply_times(const struct table *t, struct metrics *m)
{
        metrics_family(m, METRICS_GAUGE, "lipap_destination_reply_seconds",
                "Time of a transaction with the destination, smoothed");
        for (size_t i = 0; i < t->n; i++) {
                struct metrics_label label = name_label(t->at[i]);
                metrics_milli(m, &label, 1, t->at[i]->pace.reply_16ms / 16);
        }
}

void delivery_metrics(const struct lipap *node, struct metrics *m)
{
        struct table *t = node->delivery ? malloc(sizeof *t) : NULL;
        if (!t)
                return; /* what is not known is not told */
        collect(node->delivery, t);
        write_outcomes(t, m);
        write_tls(t, m);
        write_one(t, m, METRICS_COUNTER, "lipap_destination_connections_total", "Connections opened", opened);
        write_one(t, m, METRICS_GAUGE, "lipap_destination_connections", "Connections open now", open_now);
        write_one(t, m, METRICS_GAUGE, "lipap_destination_connections_allowed",
                "Connections that it may have now", allowed);
        write_one(t, m, METRICS_GAUGE, "lipap_destination_waiting",
                "Deliveries in memory that wait for a connection", in_line);
        write_one(t, m, METRICS_GAUGE, "lipap_destination_resting",
                "1 after it failed as a whole, until it is tried again", is_at_rest);
        write_reply_times(t, m);
        free(t);
}
