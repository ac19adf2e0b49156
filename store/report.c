/* SPDX-License-Identifier: ISC */
#include "store/report.h"

#include "store/ask.h"

/* ---- how far a list was told ---- */

static enum err run_next(struct store *s, void *arg)
{
        struct store_told *t = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_TOLD_NEXT);
        query_i64(&q, 1, t->list);
        if (!query_one(&q, &err))
                return err;
        *t = (struct store_told){.list = query_get_i64(&q, 0),
                .is_known = query_get_i64(&q, 1) != 0,
                .digest_ms = query_get_i64(&q, 2),
                .digest_failure = query_get_i64(&q, 3),
                .digest_verdict = query_get_i64(&q, 4),
                .report_ms = query_get_i64(&q, 5),
                .report_member = query_get_i64(&q, 6),
                .report_verdict = query_get_i64(&q, 7),
                .report_members = (uint64_t)query_get_i64(&q, 8),
                .failure = query_get_i64(&q, 9),
                .verdict = query_get_i64(&q, 10),
                .member = query_get_i64(&q, 11)};
        return query_end(&q);
}

enum err store_told_next(struct store *s, int64_t after, struct store_told *out)
{
        struct store_told told = {.list = after};
        enum err err = store_look(s, run_next, &told);
        *out = err == ERR_OK ? told : (struct store_told){0};
        return err;
}

static enum err run_put(struct store *s, void *arg)
{
        const struct store_told *t = arg;
        struct query q;
        query_init(&q, &s->db, SQL_TOLD_PUT);
        query_i64(&q, 1, t->list);
        query_i64(&q, 2, t->digest_ms);
        query_i64(&q, 3, t->digest_failure);
        query_i64(&q, 4, t->digest_verdict);
        query_i64(&q, 5, t->report_ms);
        query_i64(&q, 6, t->report_member);
        query_i64(&q, 7, t->report_verdict);
        query_i64(&q, 8, (int64_t)t->report_members);
        return query_run(&q, NULL);
}

enum err store_told_put(struct store *s, const struct store_told *told)
{
        struct store_told copy = *told;
        return store_ask(s, run_put, &copy);
}

/* ---- a report ---- */

struct reading {
        const struct store_told *told;
        int64_t since_ms;
        struct arena *arena;
        struct store_report *out;
};

static uint64_t get_count(struct query *q, int column)
{
        return (uint64_t)query_get_i64(q, column);
}

static enum err read_people(struct store *s, struct reading *r)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_REPORT_PEOPLE);
        query_i64(&q, 1, r->told->list);
        query_i64(&q, 2, r->told->report_member);
        query_i64(&q, 3, r->told->report_verdict);
        if (!query_one(&q, &err))
                return err;
        r->out->members = get_count(&q, 0);
        r->out->joined = get_count(&q, 1);
        r->out->requests = get_count(&q, 2);
        r->out->removed = get_count(&q, 3);
        return query_end(&q);
}

static enum err read_posts(struct store *s, struct reading *r)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_REPORT_POSTS);
        query_i64(&q, 1, r->told->list);
        query_i64(&q, 2, r->since_ms);
        query_i64(&q, 3, STORE_REPORT_POSTS_MAX);
        if (!query_one(&q, &err))
                return err;
        r->out->posts = get_count(&q, 0);
        r->out->held = get_count(&q, 1);
        r->out->deferred = get_count(&q, 2);
        r->out->oldest_ms = query_get_i64(&q, 3);
        return query_end(&q);
}

static enum err read_results(struct store *s, struct reading *r)
{
        struct query q;
        query_init(&q, &s->db, SQL_REPORT_RESULTS);
        query_i64(&q, 1, r->told->list);
        query_i64(&q, 2, r->since_ms);
        query_i64(&q, 3, STORE_REPORT_POSTS_MAX);
        while (query_row(&q)) { /* a row for each provider, the slowest first */
                uint64_t done = get_count(&q, 1);
                r->out->done += done;
                r->out->failed += get_count(&q, 2);
                if (done == 0 || r->out->slow_count == STORE_SLOWEST_MAX)
                        continue;
                r->out->slowest[r->out->slow_count++] =
                        (struct store_slow){.provider = query_copy(&q, 0, r->arena),
                                .deliveries = done,
                                .mean_ms = query_get_i64(&q, 3)};
        }
        return query_end(&q);
}

static enum err run_report(struct store *s, void *arg)
{
        struct reading *r = arg;
        enum err err = read_people(s, r);
        if (err == ERR_OK)
                err = read_posts(s, r);
        return err == ERR_OK ? read_results(s, r) : err;
}

enum err store_report(struct store *s, const struct store_told *told, int64_t since_ms, struct arena *a,
        struct store_report *out)
{
        struct reading r = {told, since_ms, a, out};
        *out = (struct store_report){0};
        return store_look(s, run_report, &r);
}
