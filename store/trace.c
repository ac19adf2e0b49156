/* SPDX-License-Identifier: ISC */
#include "store/trace.h"

#include <string.h>

#include "base/limits.h"
#include "store/ask.h"

#define RESULT_SHARE 4096 /* bytes of the image for one result */
#define RESULTS_STEP 64   /* that go at once to make room for new ones */

/* Traces. */

enum err trace_begin(struct store *s, int64_t message, struct str message_id, struct str text)
{
        struct query q;
        query_init(&q, &s->db, SQL_TRACE_ADD);
        query_i64(&q, 1, message);
        query_text(&q, 2, str_take(message_id, MAIL_LINE_MAX));
        query_text(&q, 3, str_take(text, STORE_TRACE_MAX));
        return query_run(&q, NULL);
}

struct more {
        int64_t message;
        struct str line;
};

/* What is there, and as much of the line as has room. */
static enum err join(struct store *s, const struct more *more, char room[STORE_TRACE_MAX], size_t *n)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_TRACE_GET);
        query_i64(&q, 1, more->message);
        if (!query_one(&q, &err))
                return err;
        struct str text = str_take(query_get(&q, 0), STORE_TRACE_MAX);
        struct str line = str_take(more->line, STORE_TRACE_MAX - text.n);
        memcpy(room, text.p, text.n);
        memcpy(room + text.n, line.p, line.n);
        *n = text.n + line.n;
        return query_end(&q);
}

static enum err run_more(struct store *s, void *arg)
{
        const struct more *more = arg;
        char room[STORE_TRACE_MAX];
        struct query q;
        size_t n = 0;
        enum err err = join(s, more, room, &n);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_TRACE_PUT);
        query_i64(&q, 1, more->message);
        query_text(&q, 2, str_of(room, n));
        return query_run(&q, NULL);
}

enum err store_trace_add(struct store *s, int64_t message, struct str line)
{
        struct more more = {message, line};
        return store_ask(s, run_more, &more);
}

struct find {
        struct str message_id;
        int64_t list, message, after;
        size_t limit, count;
        struct arena *arena;
        void *out;
};

static enum err run_traces(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, f->list != 0 ? SQL_TRACES_OF_LIST : SQL_TRACES);
        query_text(&q, 1, str_take(f->message_id, MAIL_LINE_MAX));
        query_i64(&q, 2, (int64_t)f->limit);
        if (f->list != 0)
                query_i64(&q, 3, f->list);
        query_i64(&q, 4, STORE_LEFT_MAX);
        struct store_trace *out = f->out = query_room(&q, f->arena, sizeof *out, &f->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_trace){.message = query_get_i64(&q, 0),
                        .list = query_get_i64(&q, 1),
                        .state = (enum store_state)query_get_i64(&q, 6),
                        .is_held = query_get_i64(&q, 7) != 0,
                        .received_ms = query_get_i64(&q, 8),
                        .left = (uint64_t)query_get_i64(&q, 9)};
                out[i].list_name = query_copy(&q, 2, f->arena);
                out[i].domain = query_copy(&q, 3, f->arena);
                out[i].sender = query_copy(&q, 4, f->arena);
                out[i].message_id = query_copy(&q, 5, f->arena);
                out[i].text = query_copy(&q, 10, f->arena);
        }
        return query_end(&q);
}

enum err store_traces(struct store *s, struct str message_id, int64_t list, size_t limit, struct arena *a,
        struct store_trace **out, size_t *count)
{
        struct find f = {.message_id = message_id, .list = list, .limit = limit, .arena = a};
        enum err err = store_look(s, run_traces, &f);
        *out = err == ERR_OK ? f.out : NULL;
        *count = err == ERR_OK ? f.count : 0;
        return err;
}

/* Results. How many there are is known without counting: they are counted at the start, and from then on by hand. */

static int64_t results_max(const struct store *s)
{
        uint64_t share = s->volume.device.size / RESULT_SHARE;
        return share < STORE_RESULTS_MAX ? (int64_t)share : STORE_RESULTS_MAX;
}

enum err results_count(struct store *s)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_RESULT_COUNT);
        if (!query_one(&q, &err))
                return err;
        s->results = s->results_sure = query_get_i64(&q, 0);
        return query_end(&q);
}

/* Take the first `n` away. */
static enum err trim(struct store *s, size_t n)
{
        struct query q;
        int64_t gone;
        query_init(&q, &s->db, SQL_RESULTS_TRIM);
        query_i64(&q, 1, (int64_t)n);
        enum err err = query_run(&q, &gone);
        if (err == ERR_OK)
                s->results -= gone;
        return err;
}

/* On a full disk what a delivery frees comes before what is told of it. */
enum err result_add(struct store *s, const struct result *r, const struct recipient *to)
{
        if (s->is_tight)
                return ERR_OK;
        enum err err = s->results < results_max(s) ? ERR_OK : trim(s, RESULTS_STEP);
        if (err != ERR_OK)
                return err;
        struct query q;
        query_init(&q, &s->db, SQL_RESULT_ADD);
        query_i64(&q, 1, to->message);
        query_i64(&q, 2, r->id);
        query_i64(&q, 3, to->member);
        query_text(&q, 4, to->address);
        query_i64(&q, 5, r->when_ms);
        query_i64(&q, 6, r->code);
        query_i64(&q, 7, r->is_delivered);
        query_text(&q, 8, str_take(r->reply, STORE_RESULT_REPLY_MAX));
        err = query_run(&q, NULL);
        s->results += err == ERR_OK;
        return err;
}

static enum err run_results(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, SQL_RESULTS);
        query_i64(&q, 1, f->message);
        query_i64(&q, 2, f->after);
        query_i64(&q, 3, (int64_t)f->limit);
        struct store_result *out = f->out = query_room(&q, f->arena, sizeof *out, &f->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_result){.delivery = query_get_i64(&q, 0),
                        .member = query_get_i64(&q, 1),
                        .code = (unsigned)query_get_i64(&q, 4),
                        .is_delivered = query_get_i64(&q, 5) != 0,
                        .time_ms = query_get_i64(&q, 6)};
                out[i].address = query_copy(&q, 2, f->arena);
                out[i].reply = query_copy(&q, 3, f->arena);
        }
        return query_end(&q);
}

enum err store_results(struct store *s, int64_t message, int64_t after, size_t limit, struct arena *a,
        struct store_result **out, size_t *count)
{
        struct find f = {.message = message, .after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, run_results, &f);
        *out = err == ERR_OK ? f.out : NULL;
        *count = err == ERR_OK ? f.count : 0;
        return err;
}

/* Forgetting. */

struct forget {
        int64_t before_ms;
        size_t limit, count;
};

/* How many rows from the first on are old enough. */
static enum err count_old(struct store *s, const struct forget *f, enum sql sql, size_t *n)
{
        struct query q;
        *n = 0;
        query_init(&q, &s->db, sql);
        query_i64(&q, 1, (int64_t)f->limit);
        while (query_row(&q) && query_get_i64(&q, 1) < f->before_ms)
                ++*n;
        return query_end(&q);
}

static enum err forget_traces(struct store *s, struct forget *f)
{
        struct query q, drop;
        query_init(&q, &s->db, SQL_TRACES_OLD);
        query_i64(&q, 1, (int64_t)f->limit);
        while (query_row(&q) && query_get_i64(&q, 1) < f->before_ms) {
                query_init(&drop, &s->db, SQL_TRACE_DROP);
                query_i64(&drop, 1, query_get_i64(&q, 0));
                query_fail(&q, query_run(&drop, NULL));
                f->count++;
        }
        return query_end(&q);
}

static enum err run_forget(struct store *s, void *arg)
{
        struct forget *f = arg;
        size_t n;
        enum err err = forget_traces(s, f);
        if (err == ERR_OK)
                err = count_old(s, f, SQL_RESULTS_OLD, &n);
        if (err != ERR_OK || n == 0)
                return err;
        f->count += n;
        return trim(s, n);
}

enum err store_trace_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count)
{
        struct forget f = {before_ms, limit, 0};
        enum err err = store_ask(s, run_forget, &f);
        *count = err == ERR_OK ? f.count : 0;
        return err;
}
