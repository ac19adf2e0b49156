/* SPDX-License-Identifier: ISC */
#include "store/delivery.h"

#include "store/ask.h"

#define FILL_CHUNK \
        16 /* members that one post may have before it is the next one's turn; SQL_DELIVERIES_FLY knows it */

struct batch {
        bool is_urgent;
        int64_t now_ms;
        size_t limit, count;
        struct arena *arena;
        struct store_delivery *out;
};

static enum err batch_begin(struct batch *b)
{
        b->count = 0;
        b->out = arena_alloc(b->arena, b->limit * sizeof *b->out);
        return b->out == NULL ? ERR_MEMORY : ERR_OK;
}

static enum err ask_batch(
        struct store *s, request_fn *fn, struct batch *b, struct store_delivery **out, size_t *count)
{
        enum err err = store_ask(s, fn, b);
        *out = err == ERR_OK ? b->out : NULL;
        *count = err == ERR_OK ? b->count : 0;
        return err;
}

/* Filling: cursors move. */

struct post {
        int64_t message, list, reached, bound;
};

static enum err next_post(struct store *s, struct post *out)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_POST_NEXT);
        if (!query_one(&q, &err))
                return err;
        *out = (struct post){
                query_get_i64(&q, 0), query_get_i64(&q, 1), query_get_i64(&q, 2), query_get_i64(&q, 3)};
        return query_end(&q);
}

/* Whom a delivery is for: the member that `q` stands on. */
static enum err address_it(struct batch *b, const struct post *post, struct query *q)
{
        struct store_delivery *d = &b->out[b->count];
        *d = (struct store_delivery){.message = post->message,
                .list = post->list,
                .member = query_get_i64(q, 0),
                .address = query_copy(q, 1, b->arena),
                .first_ms = b->now_ms};
        b->count += q->err == ERR_OK;
        return q->err != ERR_OK ? q->err : address_domain_lower(d->address, b->arena, &d->domain);
}

/* Rows in flight, one or FILL_CHUNK of them: what a statement costs beside its rows is most of a single one. */
static enum err add_rows(struct store *s, struct store_delivery *d, size_t n)
{
        struct query q;
        query_init(&q, &s->db, n == FILL_CHUNK ? SQL_DELIVERIES_FLY : SQL_DELIVERY_FLY_ONE);
        query_i64(&q, 1, d->message);
        query_i64(&q, 2, d->first_ms);
        for (size_t i = 0; i < n; i++) {
                int at = 3 + 3 * (int)i;
                query_i64(&q, at, d[i].member);
                query_text(&q, at + 1, d[i].address);
                query_text(&q, at + 2, d[i].domain);
        }
        enum err err = query_run(&q, NULL);
        for (size_t i = n; i > 0; i--) /* ids of one statement follow each other (AUTOINCREMENT) */
                d[i - 1].id = db_last_id(&s->db) - (int64_t)(n - i);
        return err;
}

static enum err hand_out(struct store *s, struct store_delivery *d, size_t n)
{
        enum err err = ERR_OK;
        for (size_t i = 0, some; i < n && err == ERR_OK; i += some) {
                some = n == FILL_CHUNK ? n : 1;
                err = add_rows(s, d + i, some);
        }
        return err;
}

/* The cursor's new place, or its end. */
static enum err move_post(struct store *s, const struct post *post, bool is_at_end)
{
        struct query q;
        query_init(&q, &s->db, is_at_end ? SQL_POST_DROP : SQL_POST_MOVE);
        query_i64(&q, 1, post->message);
        if (!is_at_end) {
                query_i64(&q, 2, post->reached);
                query_i64(&q, 3, ++s->turn);
        }
        enum err err = query_run(&q, NULL);
        return err == ERR_OK && is_at_end ? message_finish(s, post->message) : err;
}

static enum err fill_post(struct store *s, struct batch *b, struct post *post)
{
        size_t left = b->limit - b->count, most = left < FILL_CHUNK ? left : FILL_CHUNK, n = 0;
        struct query q;
        query_init(&q, &s->db, SQL_MEMBERS_NEXT);
        query_i64(&q, 1, post->list);
        query_i64(&q, 2, post->reached);
        query_i64(&q, 3, post->bound);
        query_i64(&q, 4, (int64_t)most);
        query_i64(&q, 5, post->message);
        for (; query_row(&q); n++) {
                query_fail(&q, address_it(b, post, &q));
                post->reached = query_get_i64(&q, 0);
        }
        enum err err = query_end(&q);
        if (err == ERR_OK)
                err = hand_out(s, &b->out[b->count - n], n);
        return err != ERR_OK ? err : move_post(s, post, n < most || post->reached == post->bound);
}

static enum err run_fill(struct store *s, void *arg)
{
        struct batch *b = arg;
        struct post post;
        enum err err = batch_begin(b);
        while (err == ERR_OK && b->count < b->limit) {
                err = next_post(s, &post);
                if (err == ERR_NOT_FOUND)
                        return ERR_OK;
                if (err == ERR_OK)
                        err = fill_post(s, b, &post);
        }
        return err;
}

enum err store_post_fill(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count)
{
        struct batch b = {.now_ms = now_ms, .limit = limit, .arena = a};
        return ask_batch(s, run_fill, &b, out, count);
}

/* Rows that wait. */

static void read_delivery(struct query *q, struct arena *a, struct store_delivery *out)
{
        *out = (struct store_delivery){.id = query_get_i64(q, 0),
                .message = query_get_i64(q, 1),
                .list = query_get_i64(q, 2),
                .member = query_get_i64(q, 3),
                .attempts = (unsigned)query_get_i64(q, 6),
                .first_ms = query_get_i64(q, 7)};
        out->address = query_copy(q, 4, a);
        out->domain = query_copy(q, 5, a);
}

static enum err run_due(struct store *s, void *arg)
{
        struct batch *b = arg;
        enum err err = batch_begin(b);
        if (err != ERR_OK)
                return err;
        struct query q;
        query_init(&q, &s->db, b->is_urgent ? SQL_DELIVERY_URGENT : SQL_DELIVERY_DUE);
        query_i64(&q, 1, b->now_ms);
        query_i64(&q, 2, (int64_t)b->limit);
        while (query_row(&q))
                read_delivery(&q, b->arena, &b->out[b->count++]);
        err = query_end(&q);
        for (size_t i = 0; i < b->count && err == ERR_OK; i++) {
                query_init(&q, &s->db, SQL_DELIVERY_FLY);
                query_i64(&q, 1, b->out[i].id);
                err = query_run(&q, NULL);
        }
        return err;
}

enum err store_delivery_due(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count)
{
        struct batch b = {.now_ms = now_ms, .limit = limit, .arena = a};
        return ask_batch(s, run_due, &b, out, count);
}

enum err store_delivery_urgent(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count)
{
        struct batch b = {.is_urgent = true, .now_ms = now_ms, .limit = limit, .arena = a};
        return ask_batch(s, run_due, &b, out, count);
}

static enum err run_next_due(struct store *s, void *arg)
{
        int64_t *when_ms = arg;
        struct post post;
        *when_ms = 0;
        enum err err = next_post(s, &post);
        if (err != ERR_NOT_FOUND)
                return err;
        struct query q;
        query_init(&q, &s->db, SQL_DELIVERY_NEXT);
        if (query_one(&q, &err)) {
                *when_ms = query_get_i64(&q, 0);
                return query_end(&q);
        }
        *when_ms = INT64_MAX;
        return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err store_delivery_next_due(struct store *s, int64_t *when_ms)
{
        enum err err = store_look(s, run_next_due, when_ms);
        if (err != ERR_OK)
                *when_ms = INT64_MAX;
        return err;
}

/* Results. */

/* What it means for the score of the member (judge.h). */
static enum err score_delivered(struct store *s, int64_t member, int64_t message, int64_t now_ms)
{
        struct query q;
        query_init(&q, &s->db, SQL_SCORE_DELIVERED);
        query_i64(&q, 1, member);
        query_i64(&q, 2, message);
        query_i64(&q, 3, now_ms);
        return query_run(&q, NULL);
}

/* The row's end, and what is told of it. */
static enum err end_row(struct store *s, const struct result *r)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_DELIVERY_GET);
        query_i64(&q, 1, r->id);
        if (!query_one(&q, &err))
                return err;
        struct recipient to = {query_get_i64(&q, 0), query_get_i64(&q, 1), query_get(&q, 2)};
        query_fail(&q, result_add(s, r, &to));
        if (r->is_delivered && to.member != 0)
                query_fail(&q, score_delivered(s, to.member, to.message, r->when_ms));
        err = query_end(&q);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_DELIVERY_DROP);
        query_i64(&q, 1, r->id);
        err = query_run(&q, NULL);
        return err != ERR_OK ? err : message_finish_later(s, to.message);
}

static enum err run_done(struct store *s, void *arg)
{
        return end_row(s, arg);
}

enum err store_delivery_done(struct store *s, int64_t id, int64_t now_ms, unsigned code, struct str reply)
{
        struct result r = {id, now_ms, code, reply, true};
        return store_ask_repeatable(s, run_done, &r);
}

static enum err run_fail(struct store *s, void *arg)
{
        const struct result *r = arg;
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_FAILURE_ADD);
        query_i64(&q, 1, r->id);
        query_i64(&q, 2, r->when_ms);
        query_i64(&q, 3, r->code);
        query_text(&q, 4, r->reply);
        enum err err = query_run(&q, &changed);
        if (err == ERR_OK && changed == 0)
                return ERR_NOT_FOUND;
        return err != ERR_OK ? err : end_row(s, r);
}

enum err store_delivery_fail(struct store *s, int64_t id, int64_t now_ms, unsigned code, struct str reply)
{
        struct result r = {id, now_ms, code, str_take(reply, STORE_REPLY_MAX), false};
        return store_ask_repeatable(s, run_fail, &r);
}

static enum err put_back(struct query *q, const struct result *r)
{
        int64_t changed;
        query_i64(q, 1, r->id);
        query_i64(q, 2, r->when_ms > 0 ? r->when_ms : 0);
        enum err err = query_run(q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

static enum err run_defer(struct store *s, void *arg)
{
        const struct result *r = arg;
        struct query q;
        query_init(&q, &s->db, SQL_DELIVERY_DEFER);
        query_text(&q, 3, r->reply);
        return put_back(&q, r);
}

enum err store_delivery_defer(struct store *s, int64_t id, int64_t next_ms, struct str reply)
{
        struct result r = {.id = id, .when_ms = next_ms, .reply = str_take(reply, STORE_REPLY_MAX)};
        return store_ask_repeatable(s, run_defer, &r);
}

static enum err run_return(struct store *s, void *arg)
{
        const struct result *r = arg;
        struct query q;
        query_init(&q, &s->db, SQL_DELIVERY_RETURN);
        return put_back(&q, r);
}

enum err store_delivery_return(struct store *s, int64_t id, int64_t now_ms)
{
        struct result r = {.id = id, .when_ms = now_ms};
        return store_ask_repeatable(s, run_return, &r);
}

static enum err run_return_all(struct store *s, void *arg)
{
        struct query q;
        (void)arg;
        query_init(&q, &s->db, SQL_RECOVER);
        return query_run(&q, NULL);
}

enum err store_delivery_return_all(struct store *s)
{
        return store_ask(s, run_return_all, NULL);
}

static enum err run_hasten(struct store *s, void *arg)
{
        struct query q;
        query_init(&q, &s->db, SQL_DELIVERY_HASTEN);
        query_i64(&q, 1, *(const int64_t *)arg);
        return query_run(&q, NULL);
}

enum err store_delivery_hasten(struct store *s, int64_t latest_ms)
{
        return store_ask(s, run_hasten, &latest_ms);
}
