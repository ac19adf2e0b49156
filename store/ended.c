/* SPDX-License-Identifier: ISC */
#include "store/ask.h"
#include "store/judge.h"

struct ended {
        const struct store_ended_wanted *wanted;
        size_t count;
        struct arena *arena;
        struct store_ended *out;
};

static enum err run_ended(struct store *s, void *arg)
{
        struct ended *e = arg;
        const struct store_ended_wanted *w = e->wanted;
        struct query q;
        query_init(&q, &s->db, w->are_bounces ? SQL_ENDED_BOUNCES : SQL_ENDED_RESULTS);
        query_i64(&q, 1, w->after[0]);
        query_i64(&q, 2, w->after[1]);
        query_i64(&q, 3, w->since_ms);
        query_i64(&q, 4, w->upto_ms);
        query_i64(&q, 5, (int64_t)w->limit);
        struct store_ended *out = e->out = query_room(&q, e->arena, sizeof *out, &e->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_ended){.place = {query_get_i64(&q, 0), query_get_i64(&q, 1)},
                        .code = (unsigned)query_get_i64(&q, 4),
                        .is_delivered = query_get_i64(&q, 5) != 0,
                        .time_ms = query_get_i64(&q, 6)};
                out[i].address = query_copy(&q, 2, e->arena);
                out[i].reply = query_copy(&q, 3, e->arena);
        }
        return query_end(&q);
}

enum err store_ended(struct store *s, const struct store_ended_wanted *wanted, struct arena *a,
        struct store_ended **out, size_t *count)
{
        struct ended e = {.wanted = wanted, .arena = a};
        enum err err = store_look(s, run_ended, &e);
        *out = err == ERR_OK ? e.out : NULL;
        *count = err == ERR_OK ? e.count : 0;
        return err;
}
