/* SPDX-License-Identifier: ISC */
#include "store/delivery.h"

#include "store/ask.h"
#include "store/judge.h"
#include "store/messages.h"

struct page {
        int64_t message, after, upto;
        int64_t list; /* 0: any */
        size_t limit, count;
        struct arena *arena;
        void *out;
};

static enum err run_queue(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, SQL_QUEUE);
        query_i64(&q, 1, p->after);
        query_i64(&q, 2, (int64_t)p->limit);
        query_i64(&q, 3, STORE_BACKLOG_MAX);
        struct store_queued *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i].message = query_get_i64(&q, 0);
                out[i].list = query_get_i64(&q, 1);
                out[i].list_name = query_copy(&q, 2, p->arena);
                out[i].domain = query_copy(&q, 3, p->arena);
                out[i].sender = query_copy(&q, 4, p->arena);
                out[i].message_id = query_copy(&q, 5, p->arena);
                out[i].is_signed = query_get_i64(&q, 6) == STORE_SIGNED;
                out[i].is_waiting = query_get_i64(&q, 6) == STORE_WAITING;
                out[i].received_ms = query_get_i64(&q, 7);
                out[i].size = (uint64_t)query_get_i64(&q, 8);
                out[i].is_held = query_get_i64(&q, 9) != 0;
                out[i].left = (uint64_t)query_get_i64(&q, 10);
                out[i].waiting = (uint64_t)query_get_i64(&q, 11);
                out[i].trouble = query_copy(&q, 12, p->arena);
        }
        return query_end(&q);
}

static enum err run_waiting(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, SQL_QUEUE_WAITING);
        query_i64(&q, 1, p->message);
        query_i64(&q, 2, p->after);
        query_i64(&q, 3, (int64_t)p->limit);
        struct store_waiting *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i].id = query_get_i64(&q, 0);
                out[i].message = query_get_i64(&q, 1);
                out[i].member = query_get_i64(&q, 2);
                out[i].address = query_copy(&q, 3, p->arena);
                out[i].reply = query_copy(&q, 4, p->arena);
                out[i].attempts = (unsigned)query_get_i64(&q, 5);
                out[i].in_flight = query_get_i64(&q, 6) != 0;
                out[i].next_ms = query_get_i64(&q, 7);
        }
        return query_end(&q);
}

static enum err run_destinations(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, SQL_QUEUE_DESTINATIONS);
        query_i64(&q, 1, STORE_DESTINATION_ROWS);
        query_i64(&q, 2, (int64_t)p->limit);
        struct store_destination *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i].domain = query_copy(&q, 0, p->arena);
                out[i].reply = query_copy(&q, 1, p->arena);
                out[i].count = (uint64_t)query_get_i64(&q, 2);
                out[i].attempts = (unsigned)query_get_i64(&q, 3);
                out[i].next_ms = query_get_i64(&q, 4);
        }
        return query_end(&q);
}

static enum err run_failures(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, p->list != 0 ? SQL_FAILURES_OF : SQL_FAILURES);
        query_i64(&q, 1, p->after);
        query_i64(&q, 2, p->list != 0 ? p->upto : (int64_t)p->limit);
        if (p->list != 0) {
                query_i64(&q, 3, (int64_t)p->limit);
                query_i64(&q, 4, p->list);
        }
        struct store_failure *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i].id = query_get_i64(&q, 0);
                out[i].member = query_get_i64(&q, 1);
                out[i].message = query_get_i64(&q, 2);
                out[i].list_name = query_copy(&q, 3, p->arena);
                out[i].domain = query_copy(&q, 4, p->arena);
                out[i].address = query_copy(&q, 5, p->arena);
                out[i].message_id = query_copy(&q, 6, p->arena);
                out[i].reply = query_copy(&q, 7, p->arena);
                out[i].code = (unsigned)query_get_i64(&q, 8);
                out[i].time_ms = query_get_i64(&q, 9);
        }
        return query_end(&q);
}

static enum err run_backlog(struct store *s, void *arg)
{
        struct store_backlog *out = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_BACKLOG);
        query_i64(&q, 1, STORE_BACKLOG_MAX);
        if (!query_one(&q, &err))
                return err;
        out->open = (uint64_t)query_get_i64(&q, 0);
        out->messages = (uint64_t)query_get_i64(&q, 1);
        out->waiting = (uint64_t)query_get_i64(&q, 2);
        out->oldest_ms = query_get_i64(&q, 3);
        out->held = (uint64_t)query_get_i64(&q, 4);
        out->requests = (uint64_t)query_get_i64(&q, 5);
        out->notices = (uint64_t)query_get_i64(&q, 6);
        return query_end(&q);
}

enum err store_backlog(struct store *s, struct store_backlog *out)
{
        *out = (struct store_backlog){0};
        return store_look(s, run_backlog, out);
}

enum err store_queue(struct store *s, int64_t after, size_t limit, struct arena *a, struct store_queued **out,
        size_t *count)
{
        struct page p = {.after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_queue, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

enum err store_queue_waiting(struct store *s, int64_t message, int64_t after, size_t limit, struct arena *a,
        struct store_waiting **out, size_t *count)
{
        struct page p = {.message = message, .after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_waiting, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

enum err store_queue_destinations(
        struct store *s, size_t limit, struct arena *a, struct store_destination **out, size_t *count)
{
        struct page p = {.limit = limit, .arena = a};
        enum err err = store_look(s, run_destinations, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

enum err store_failures(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_failure **out, size_t *count)
{
        struct page p = {.after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_failures, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

enum err store_failures_of(struct store *s, const struct store_verdicts_wanted *wanted, struct arena *a,
        struct store_failure **out, size_t *count)
{
        struct page p = {.list = wanted->list,
                .after = wanted->after,
                .upto = wanted->upto,
                .limit = wanted->limit,
                .arena = a};
        enum err err = store_look(s, run_failures, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}
