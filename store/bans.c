/* SPDX-License-Identifier: ISC */
#include "store/ask.h"
#include "store/lists.h"

static enum err run_put(struct store *s, void *arg)
{
        const struct store_ban_new *ban = arg;
        struct query q;
        query_init(&q, &s->db, SQL_BAN_PUT);
        query_i64(&q, 1, ban->list);
        query_text(&q, 2, ban->address);
        query_text(&q, 3, ban->by);
        query_i64(&q, 4, ban->now_ms);
        query_i64(&q, 5, ban->until_ms);
        if (ban->address.n > FOLDED_MAX)
                query_fail(&q, ERR_LIMIT);
        return query_run(&q, NULL);
}

enum err store_ban_put(struct store *s, const struct store_ban_new *ban)
{
        struct store_ban_new copy = *ban;
        return store_ask(s, run_put, &copy);
}

struct banned {
        int64_t list;
        struct str address;
        int64_t now_ms;
};

static enum err run_remove(struct store *s, void *arg)
{
        const struct banned *b = arg;
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_BAN_REMOVE);
        query_i64(&q, 1, b->list);
        query_folded(&q, 2, b->address);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

static enum err run_find(struct store *s, void *arg)
{
        const struct banned *b = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_BAN_FIND);
        query_i64(&q, 1, b->list);
        query_folded(&q, 2, b->address);
        query_i64(&q, 3, b->now_ms);
        return query_one(&q, &err) ? query_end(&q) : err;
}

/* An address that is longer than any that was banned has ERR_LIMIT. */

enum err store_ban_remove(struct store *s, int64_t list, struct str address)
{
        struct banned b = {list, address, 0};
        enum err err = store_ask(s, run_remove, &b);
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err;
}

enum err store_ban_find(struct store *s, int64_t list, struct str address, int64_t now_ms)
{
        struct banned b = {list, address, now_ms};
        enum err err = store_look(s, run_find, &b);
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err;
}

struct page {
        int64_t list;
        struct str after;
        size_t limit, count;
        struct arena *arena;
        struct store_ban *out;
};

static enum err run_bans(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, SQL_BANS);
        query_i64(&q, 1, p->list);
        query_folded(&q, 2, p->after);
        query_i64(&q, 3, (int64_t)p->limit);
        struct store_ban *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_ban){.list = query_get_i64(&q, 0),
                        .made_ms = query_get_i64(&q, 5),
                        .until_ms = query_get_i64(&q, 6)};
                out[i].list_name = query_copy(&q, 1, p->arena);
                out[i].domain = query_copy(&q, 2, p->arena);
                out[i].address = query_copy(&q, 3, p->arena);
                out[i].by = query_copy(&q, 4, p->arena);
        }
        return query_end(&q);
}

enum err store_bans(struct store *s, int64_t list, struct str after, size_t limit, struct arena *a,
        struct store_ban **out, size_t *count)
{
        struct page p = {.list = list, .after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_bans, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

struct expire {
        int64_t now_ms;
        size_t limit, count;
};

static enum err run_expire(struct store *s, void *arg)
{
        struct expire *e = arg;
        struct query q, drop;
        query_init(&q, &s->db, SQL_BANS_EXPIRE);
        query_i64(&q, 1, e->now_ms);
        query_i64(&q, 2, (int64_t)e->limit);
        while (query_row(&q)) {
                query_init(&drop, &s->db, SQL_BAN_REMOVE);
                query_i64(&drop, 1, query_get_i64(&q, 0));
                query_folded(&drop, 2, query_get(&q, 1));
                query_fail(&q, query_run(&drop, NULL));
                e->count++;
        }
        return query_end(&q);
}

enum err store_bans_expire(struct store *s, int64_t now_ms, size_t limit, size_t *count)
{
        struct expire e = {now_ms, limit, 0};
        enum err err = store_ask(s, run_expire, &e);
        *count = err == ERR_OK ? e.count : 0;
        return err;
}
