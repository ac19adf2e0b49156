/* SPDX-License-Identifier: ISC */
/* What the operator does to a queued message. */
#include "store/ask.h"
#include "store/delivery.h"

static enum err run_one(struct store *s, enum sql sql, int64_t message, int64_t value, int64_t *changed)
{
        struct query q;
        query_init(&q, &s->db, sql);
        query_i64(&q, 1, message);
        if (sql == SQL_HOLD || sql == SQL_HOLD_POST || sql == SQL_HOLD_DELIVERIES)
                query_i64(&q, 2, value);
        return query_run(&q, changed);
}

static enum err hold(struct store *s, int64_t message, bool is_held)
{
        int64_t changed;
        enum err err = run_one(s, SQL_HOLD, message, is_held, &changed);
        if (err == ERR_OK && changed == 0)
                err = ERR_NOT_FOUND;
        if (err == ERR_OK)
                err = run_one(s, SQL_HOLD_POST, message, is_held, NULL);
        return err != ERR_OK ? err : run_one(s, SQL_HOLD_DELIVERIES, message, is_held, NULL);
}

static enum err run_hold(struct store *s, void *arg)
{
        const int64_t *message = arg;
        return hold(s, *message, true);
}

static enum err run_flush(struct store *s, void *arg)
{
        const int64_t *message = arg;
        enum err err = hold(s, *message, false);
        return err != ERR_OK ? err : run_one(s, SQL_FLUSH, *message, 0, NULL);
}

static enum err run_drop(struct store *s, void *arg)
{
        const int64_t *message = arg;
        enum err err = post_drop(s, *message);
        if (err != ERR_NOT_FOUND)
                return err != ERR_OK ? err : run_one(s, SQL_DROP_REQUEST, *message, 0, NULL);
        err = hold(s, *message, false);
        if (err == ERR_OK)
                err = run_one(s, SQL_DROP_DELIVERIES, *message, 0, NULL);
        if (err == ERR_OK)
                err = run_one(s, SQL_POST_DROP, *message, 0, NULL);
        if (err == ERR_OK)
                err = run_one(s, SQL_DROP_SIGN, *message, 0, NULL);
        return err != ERR_OK ? err : message_finish(s, *message);
}

static enum err run_flush_all(struct store *s, void *arg)
{
        int64_t *count = arg;
        struct query q;
        query_init(&q, &s->db, SQL_QUEUE_FLUSH_ALL);
        return query_run(&q, count);
}

enum err store_queue_flush_all(struct store *s, uint64_t *count)
{
        int64_t changed = 0;
        enum err err = store_ask(s, run_flush_all, &changed);
        *count = err == ERR_OK ? (uint64_t)changed : 0;
        return err;
}

enum err store_queue_hold(struct store *s, int64_t message)
{
        return store_ask(s, run_hold, &message);
}

enum err store_queue_flush(struct store *s, int64_t message)
{
        return store_ask(s, run_flush, &message);
}

enum err store_queue_drop(struct store *s, int64_t message)
{
        return store_ask(s, run_drop, &message);
}
