/* SPDX-License-Identifier: ISC */
#include "store/sts.h"

#include "base/limits.h"
#include "store/ask.h"

struct get {
        struct str domain;
        int64_t now_ms;
        struct arena *arena;
        struct store_sts *out;
};

static enum err run_get(struct store *s, void *arg)
{
        const struct get *g = arg;
        struct store_sts *out = g->out;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_STS_GET);
        query_text(&q, 1, g->domain);
        query_i64(&q, 2, g->now_ms);
        if (!query_one(&q, &err))
                return err;
        out->domain = query_copy(&q, 0, g->arena);
        out->id = query_copy(&q, 1, g->arena);
        out->policy = query_copy(&q, 2, g->arena);
        out->fetched_ms = query_get_i64(&q, 3);
        out->expires_ms = query_get_i64(&q, 4);
        return query_end(&q);
}

enum err store_sts_get(
        struct store *s, struct str domain, int64_t now_ms, struct arena *a, struct store_sts *out)
{
        struct get g = {domain, now_ms, a, out};
        *out = (struct store_sts){.domain = {NULL, 0}};
        enum err err = store_look(s, run_get, &g);
        if (err != ERR_OK)
                *out = (struct store_sts){.domain = {NULL, 0}};
        return err;
}

struct put {
        const struct store_sts *policy;
        int64_t now_ms;
};

static enum err run_put(struct store *s, void *arg)
{
        const struct put *p = arg;
        struct query q;
        if (s->is_tight)
                return ERR_FULL;
        query_init(&q, &s->db, SQL_STS_PUT);
        query_text(&q, 1, p->policy->domain);
        query_text(&q, 2, p->policy->id);
        query_blob(&q, 3, p->policy->policy);
        query_i64(&q, 4, p->policy->fetched_ms);
        query_i64(&q, 5, p->policy->expires_ms);
        enum err err = query_run(&q, NULL);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_STS_EXPIRE);
        query_i64(&q, 1, p->now_ms);
        err = query_run(&q, NULL);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_STS_TRIM);
        query_i64(&q, 1, STS_POLICIES_MAX);
        return query_run(&q, NULL);
}

enum err store_sts_put(struct store *s, const struct store_sts *policy, int64_t now_ms)
{
        struct put p = {policy, now_ms};
        if (policy->policy.n > STS_KEPT_MAX || policy->id.n > STS_KEPT_MAX || policy->domain.n > STS_KEPT_MAX)
                return ERR_LIMIT;
        return store_ask(s, run_put, &p);
}
