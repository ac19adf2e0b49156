/* SPDX-License-Identifier: ISC */
#include "store/alarm.h"

#include "store/ask.h"

struct one {
        struct str name;
        struct store_alarm alarm;
};

static enum err run_get(struct store *s, void *arg)
{
        struct one *one = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_ALARM_GET);
        query_text(&q, 1, one->name);
        if (!query_one(&q, &err))
                return err;
        one->alarm.is_on = query_get_i64(&q, 0) != 0;
        one->alarm.is_told = query_get_i64(&q, 1) != 0;
        one->alarm.since_ms = query_get_i64(&q, 2);
        one->alarm.told_ms = query_get_i64(&q, 3);
        return query_end(&q);
}

enum err store_alarm_get(struct store *s, struct str name, struct store_alarm *out)
{
        struct one one = {.name = name};
        enum err err = store_look(s, run_get, &one);
        *out = err == ERR_OK ? one.alarm : (struct store_alarm){0};
        return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err run_put(struct store *s, void *arg)
{
        const struct one *one = arg;
        struct query q;
        query_init(&q, &s->db, SQL_ALARM_PUT);
        query_text(&q, 1, one->name);
        query_i64(&q, 2, one->alarm.is_on);
        query_i64(&q, 3, one->alarm.is_told);
        query_i64(&q, 4, one->alarm.since_ms);
        query_i64(&q, 5, one->alarm.told_ms);
        return query_run(&q, NULL);
}

enum err store_alarm_put(struct store *s, struct str name, const struct store_alarm *alarm)
{
        struct one one = {name, *alarm};
        return store_ask(s, run_put, &one);
}

struct order {
        struct str message_id;
        int64_t now_ms;
};

static enum err run_order(struct store *s, void *arg)
{
        const struct order *o = arg;
        struct query q;
        query_init(&q, &s->db, SQL_OBEYED_FORGET);
        query_i64(&q, 1, o->now_ms - STORE_ORDER_LIFE_MS);
        enum err err = query_run(&q, NULL);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_OBEYED_ADD);
        query_text(&q, 1, o->message_id);
        query_i64(&q, 2, o->now_ms);
        return query_run(&q, NULL);
}

enum err store_order_add(struct store *s, struct str message_id, int64_t now_ms)
{
        struct order order = {message_id, now_ms};
        return store_ask(s, run_order, &order);
}
