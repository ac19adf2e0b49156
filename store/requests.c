/* SPDX-License-Identifier: ISC */
#include "store/requests.h"

#include "store/ask.h"

/* One request. */

struct find {
        int64_t id, list;
        unsigned purpose;
        struct str address;
        struct arena *arena;
        struct store_request *out;
};

/* The row that `q` stands on. */
static void read_request(struct query *q, struct arena *a, struct store_request *out)
{
        *out = (struct store_request){.id = query_get_i64(q, 0),
                .list = query_get_i64(q, 1),
                .purpose = (unsigned)query_get_i64(q, 4),
                .message = query_get_i64(q, 7),
                .made_ms = query_get_i64(q, 8),
                .told_ms = query_get_i64(q, 9)};
        out->list_name = query_copy(q, 2, a);
        out->domain = query_copy(q, 3, a);
        out->address = query_copy(q, 5, a);
        out->data = query_copy(q, 6, a);
}

static enum err take_request(struct query *q, struct find *f)
{
        enum err err;
        if (!query_one(q, &err))
                return err;
        read_request(q, f->arena, f->out);
        return query_end(q);
}

static enum err find_by_id(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, SQL_REQUEST_GET);
        query_i64(&q, 1, f->id);
        return take_request(&q, f);
}

static enum err find_by_asker(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, SQL_REQUEST_FIND);
        query_i64(&q, 1, f->list);
        query_i64(&q, 2, f->purpose);
        query_folded(&q, 3, f->address);
        return take_request(&q, f);
}

static enum err find(struct store *s, request_fn *how, struct find *f)
{
        enum err err = store_look(s, how, f);
        if (err != ERR_OK)
                *f->out = (struct store_request){0};
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err; /* longer than any address */
}

enum err store_request_get(struct store *s, int64_t id, struct arena *a, struct store_request *out)
{
        struct find f = {.id = id, .arena = a, .out = out};
        return find(s, find_by_id, &f);
}

enum err store_request_find(struct store *s, int64_t list, unsigned purpose, struct str address,
        struct arena *a, struct store_request *out)
{
        struct find f = {.list = list, .purpose = purpose, .address = address, .arena = a, .out = out};
        return find(s, find_by_asker, &f);
}

/* Making and ending. */

struct add {
        const struct store_request_new *request;
        int64_t id;
};

/* The one that is in the way. */
static enum err find_same(struct store *s, struct add *add)
{
        const struct store_request_new *r = add->request;
        struct query q;
        enum err err;
        query_init(&q, &s->db, r->message != 0 ? SQL_REQUEST_OF_POST : SQL_REQUEST_FIND);
        query_i64(&q, 1, r->message != 0 ? r->message : r->list);
        if (r->message == 0) {
                query_i64(&q, 2, r->purpose);
                query_folded(&q, 3, r->address);
        }
        if (!query_one(&q, &err))
                return err;
        add->id = query_get_i64(&q, 0);
        return query_end(&q);
}

static enum err run_add(struct store *s, void *arg)
{
        struct add *add = arg;
        const struct store_request_new *r = add->request;
        struct query q;
        if (s->is_tight)
                return ERR_FULL;
        query_init(&q, &s->db, SQL_REQUEST_ADD);
        query_i64(&q, 1, r->list);
        query_i64(&q, 2, r->purpose);
        query_text(&q, 3, r->address);
        query_folded(&q, 4, address_domain(r->address));
        query_blob(&q, 5, r->data);
        query_i64(&q, 6, r->message);
        query_i64(&q, 7, r->now_ms);
        if (r->address.n > FOLDED_MAX || r->data.n > STORE_DATA_MAX)
                query_fail(&q, ERR_LIMIT);
        enum err err = query_run(&q, NULL);
        add->id = db_last_id(&s->db);
        if (err != ERR_EXISTS)
                return err;
        err = find_same(s, add);
        return err != ERR_OK ? err : ERR_EXISTS;
}

enum err store_request_add(struct store *s, const struct store_request_new *request, int64_t *id)
{
        struct add add = {request, 0};
        enum err err = store_ask(s, run_add, &add);
        *id = err == ERR_OK || err == ERR_EXISTS ? add.id : 0;
        return err;
}

struct change {
        enum sql sql;
        int64_t id, now_ms;
};

static enum err run_change(struct store *s, void *arg)
{
        const struct change *c = arg;
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, c->sql);
        query_i64(&q, 1, c->id);
        if (c->sql == SQL_REQUEST_TELL)
                query_i64(&q, 2, c->now_ms);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

enum err store_request_tell(struct store *s, int64_t id, int64_t now_ms)
{
        struct change c = {SQL_REQUEST_TELL, id, now_ms};
        return store_ask(s, run_change, &c);
}

enum err store_request_end(struct store *s, int64_t id)
{
        struct change c = {SQL_REQUEST_END, id, 0};
        return store_ask(s, run_change, &c);
}

/* Counting. */

struct counting {
        int64_t list;
        struct str address;
        struct store_request_counts *out;
};

/* `folded` is empty where the statement asks for the list alone. */
static enum err count(struct store *s, enum sql sql, int64_t list, struct str folded, uint64_t *out)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, sql);
        query_i64(&q, 1, list);
        if (sql != SQL_REQUESTS_OF_LIST)
                query_folded(&q, 2, folded);
        if (!query_one(&q, &err))
                return err;
        *out = (uint64_t)query_get_i64(&q, 0);
        return query_end(&q);
}

static enum err run_count(struct store *s, void *arg)
{
        const struct counting *c = arg;
        enum err err = count(s, SQL_REQUESTS_OF_LIST, c->list, S(""), &c->out->list);
        if (err == ERR_OK)
                err = count(s, SQL_REQUESTS_OF_DOMAIN, c->list, address_domain(c->address), &c->out->domain);
        return err != ERR_OK ? err : count(s, SQL_REQUESTS_OF_POSTER, c->list, c->address, &c->out->posts);
}

enum err store_request_count(
        struct store *s, int64_t list, struct str address, struct store_request_counts *out)
{
        struct counting c = {list, address, out};
        *out = (struct store_request_counts){0};
        return store_look(s, run_count, &c);
}

/* Pages. */

struct page {
        enum sql sql;
        int64_t from, list; /* from: an id, or a time */
        size_t limit, count;
        struct arena *arena;
        struct store_request *out;
};

static enum err run_page(struct store *s, void *arg)
{
        struct page *p = arg;
        struct query q;
        query_init(&q, &s->db, p->sql);
        query_i64(&q, 1, p->from);
        query_i64(&q, 2, (int64_t)p->limit);
        if (p->sql == SQL_REQUESTS_AT)
                query_i64(&q, 3, p->list);
        p->out = query_room(&q, p->arena, sizeof *p->out, &p->count);
        for (size_t i = 0; query_row(&q); i++)
                read_request(&q, p->arena, &p->out[i]);
        return query_end(&q);
}

static enum err ask_page(struct store *s, struct page *p, struct store_request **out, size_t *n)
{
        enum err err = store_look(s, run_page, p);
        *out = err == ERR_OK ? p->out : NULL;
        *n = err == ERR_OK ? p->count : 0;
        return err;
}

enum err store_requests(struct store *s, int64_t list, int64_t after, size_t limit, struct arena *a,
        struct store_request **out, size_t *count)
{
        enum sql sql = list != 0 ? SQL_REQUESTS_AT : SQL_REQUESTS;
        struct page p = {.sql = sql, .from = after, .list = list, .limit = limit, .arena = a};
        return ask_page(s, &p, out, count);
}

enum err store_requests_old(struct store *s, int64_t before_ms, size_t limit, struct arena *a,
        struct store_request **out, size_t *count)
{
        struct page p = {.sql = SQL_REQUESTS_OLD, .from = before_ms, .limit = limit, .arena = a};
        return ask_page(s, &p, out, count);
}
