/* SPDX-License-Identifier: ISC */
/* What will happen: a binary heap of events. */
#include <stdlib.h>

#include "base/check.h"
#include "host/sim/inside.h"

static bool is_before(const struct event *a, const struct event *b)
{
        return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct events *q, size_t at, struct event *e)
{
        q->heap[at] = e;
        e->place = at + 1;
}

static void sift_up(struct events *q, size_t at, struct event *e)
{
        while (at > 0 && is_before(e, q->heap[(at - 1) / 2])) {
                put(q, at, q->heap[(at - 1) / 2]);
                at = (at - 1) / 2;
        }
        put(q, at, e);
}

static void sift_down(struct events *q, size_t at, struct event *e)
{
        for (size_t child; (child = 2 * at + 1) < q->n; at = child) {
                if (child + 1 < q->n && is_before(q->heap[child + 1], q->heap[child]))
                        child++;
                if (!is_before(q->heap[child], e))
                        break;
                put(q, at, q->heap[child]);
        }
        put(q, at, e);
}

void event_set(struct sim *sim, struct event *e, int64_t at_ms)
{
        struct events *q = &sim->events;
        event_drop(sim, e);
        e->at_ms = at_ms;
        e->order = q->order++;
        q->heap = sim_grow(q->heap, &q->cap, q->n + 1, sizeof(struct event *));
        sift_up(q, q->n++, e);
}

void event_drop(struct sim *sim, struct event *e)
{
        struct events *q = &sim->events;
        if (e->place == 0)
                return;
        size_t at = e->place - 1;
        e->place = 0;
        struct event *last = q->heap[--q->n];
        if (last == e)
                return;
        if (at > 0 && is_before(last, q->heap[(at - 1) / 2]))
                sift_up(q, at, last);
        else
                sift_down(q, at, last);
}

int64_t event_next(const struct sim *sim)
{
        return sim->events.n > 0 ? sim->events.heap[0]->at_ms : FIBER_NEVER;
}

void event_fire_due(struct sim *sim)
{
        while (sim->events.n > 0 && event_next(sim) <= sim->now_ms) {
                struct event *e = sim->events.heap[0];
                event_drop(sim, e);
                sim->fired++;
                e->fire(e);
        }
}

void event_free_all(struct sim *sim)
{
        struct events *q = &sim->events;
        for (size_t i = 0; i < q->n; i++)
                if (q->heap[i]->is_heap)
                        free(q->heap[i]);
        free(q->heap);
}
