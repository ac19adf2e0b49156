/* SPDX-License-Identifier: ISC */
#include "store/notices.h"

#include "store/ask.h"

struct add {
        const struct store_notice *notice;
        int64_t id;
};

static enum err run_add(struct store *s, void *arg)
{
        struct add *add = arg;
        const struct store_notice *n = add->notice;
        struct query q;
        if (s->is_tight)
                return ERR_FULL;
        query_init(&q, &s->db, SQL_NOTICE_ADD);
        query_i64(&q, 1, n->list);
        query_text(&q, 2, n->kind);
        query_text(&q, 3, n->address);
        query_i64(&q, 4, n->request);
        query_blob(&q, 5, n->data);
        query_i64(&q, 6, n->made_ms);
        if (n->data.n > STORE_DATA_MAX || n->address.n > FOLDED_MAX)
                query_fail(&q, ERR_LIMIT);
        enum err err = query_run(&q, NULL);
        add->id = db_last_id(&s->db);
        return err;
}

enum err store_notice_add(struct store *s, const struct store_notice *notice, int64_t *id)
{
        struct add add = {notice, 0};
        enum err err = store_ask(s, run_add, &add);
        *id = err == ERR_OK ? add.id : 0;
        return err;
}

struct page {
        int64_t after;
        size_t limit, count;
        struct arena *arena;
        struct store_notice *out;
};

static enum err run_page(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, SQL_NOTICES);
        query_i64(&q, 1, p->after);
        query_i64(&q, 2, (int64_t)p->limit);
        struct store_notice *out = p->out = query_room(&q, p->arena, sizeof *out, &p->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_notice){.id = query_get_i64(&q, 0),
                        .list = query_get_i64(&q, 1),
                        .request = query_get_i64(&q, 4),
                        .made_ms = query_get_i64(&q, 6)};
                out[i].kind = query_copy(&q, 2, p->arena);
                out[i].address = query_copy(&q, 3, p->arena);
                out[i].data = query_copy(&q, 5, p->arena);
        }
        return query_end(&q);
}

enum err store_notices(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_notice **out, size_t *count)
{
        struct page p = {.after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_page, &p);
        *out = err == ERR_OK ? p.out : NULL;
        *count = err == ERR_OK ? p.count : 0;
        return err;
}

enum err notice_end(struct store *s, int64_t notice)
{
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_NOTICE_DROP);
        query_i64(&q, 1, notice);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

static enum err run_drop(struct store *s, void *arg)
{
        return notice_end(s, *(const int64_t *)arg);
}

enum err store_notice_drop(struct store *s, int64_t id)
{
        return store_ask(s, run_drop, &id);
}
