/* SPDX-License-Identifier: ISC */
#include "store/judge.h"

#include "store/ask.h"

#define BOUNCE_SHARE (256 * 1024) /* bytes of the image for one kept bounce */

/* ---- scores ---- */

struct scores {
        int64_t after, since_ms;
        struct str provider;
        size_t limit, count;
        struct arena *arena;
        struct store_score *out;
};

static void read_score(struct query *q, struct arena *a, struct store_score *out)
{
        *out = (struct store_score){.member = query_get_i64(q, 0),
                .list = query_get_i64(q, 1),
                .halves = (int)query_get_i64(q, 4),
                .days = (int)query_get_i64(q, 5),
                .is_smtp = query_get_i64(q, 6) != 0,
                .failed_ms = query_get_i64(q, 7),
                .last_ms = {query_get_i64(q, 8), query_get_i64(q, 10)},
                .last_halves = {(int)query_get_i64(q, 9), (int)query_get_i64(q, 11)},
                .probe = (enum store_probe)query_get_i64(q, 12),
                .probe_ms = query_get_i64(q, 13),
                .seen_ms = query_get_i64(q, 14)};
        out->address = query_copy(q, 2, a);
        out->provider = query_copy(q, 3, a);
        out->reply = query_copy(q, 15, a);
}

static enum err run_score(struct store *s, void *arg)
{
        struct scores *l = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_SCORE_GET);
        query_i64(&q, 1, l->after);
        if (!query_one(&q, &err))
                return err;
        read_score(&q, l->arena, l->out);
        return query_end(&q);
}

enum err store_score_get(struct store *s, int64_t member, struct arena *a, struct store_score *out)
{
        struct scores l = {.after = member, .arena = a, .out = out};
        enum err err = store_look(s, run_score, &l);
        if (err != ERR_OK)
                *out = (struct store_score){0};
        return err;
}

static enum err run_put(struct store *s, void *arg)
{
        const struct store_score *score = arg;
        struct query q;
        query_init(&q, &s->db, SQL_SCORE_PUT);
        query_i64(&q, 1, score->member);
        query_folded(&q, 2, score->provider);
        query_i64(&q, 3, score->halves);
        query_i64(&q, 4, score->days);
        query_i64(&q, 5, score->is_smtp);
        query_i64(&q, 6, score->failed_ms);
        query_i64(&q, 7, score->last_ms[0]);
        query_i64(&q, 8, score->last_halves[0]);
        query_i64(&q, 9, score->last_ms[1]);
        query_i64(&q, 10, score->last_halves[1]);
        query_i64(&q, 11, score->probe);
        query_i64(&q, 12, score->probe_ms);
        query_i64(&q, 13, score->seen_ms);
        query_text(&q, 14, str_take(score->reply, STORE_REPLY_MAX));
        return query_run(&q, NULL);
}

enum err store_score_put(struct store *s, const struct store_score *score)
{
        struct store_score copy = *score;
        return store_ask(s, run_put, &copy);
}

static enum err run_drop(struct store *s, void *arg)
{
        const struct store_score *seen = arg;
        struct query q;
        query_init(&q, &s->db, SQL_SCORE_DROP);
        query_i64(&q, 1, seen->member);
        query_i64(&q, 2, seen->seen_ms);
        return query_run(&q, NULL);
}

enum err store_score_drop(struct store *s, const struct store_score *seen)
{
        struct store_score copy = *seen;
        return store_ask(s, run_drop, &copy);
}

static enum err run_scores(struct store *s, void *arg)
{
        struct scores *l = arg;
        struct query q;
        query_init(&q, &s->db, l->provider.n > 0 ? SQL_SCORES_AT : SQL_SCORES);
        query_i64(&q, 1, l->after);
        query_i64(&q, 2, (int64_t)l->limit);
        if (l->provider.n > 0) {
                query_folded(&q, 3, l->provider);
                query_i64(&q, 4, l->since_ms);
        }
        struct store_score *out = l->out = query_room(&q, l->arena, sizeof *out, &l->count);
        for (size_t i = 0; query_row(&q); i++)
                read_score(&q, l->arena, &out[i]);
        return query_end(&q);
}

static enum err look_scores(struct store *s, struct scores *l, struct store_score **out, size_t *count)
{
        enum err err = store_look(s, run_scores, l);
        *out = err == ERR_OK ? l->out : NULL;
        *count = err == ERR_OK ? l->count : 0;
        return err;
}

enum err store_scores(struct store *s, int64_t after, size_t limit, struct arena *a, struct store_score **out,
        size_t *count)
{
        struct scores l = {.after = after, .limit = limit, .arena = a};
        return look_scores(s, &l, out, count);
}

enum err store_scores_at(struct store *s, struct str provider, int64_t since_ms, int64_t after, size_t limit,
        struct arena *a, struct store_score **out, size_t *count)
{
        struct scores l = {
                .provider = provider, .since_ms = since_ms, .after = after, .limit = limit, .arena = a};
        return look_scores(s, &l, out, count);
}

static enum err run_count(struct store *s, void *arg)
{
        struct scores *l = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_SCORES_COUNT);
        query_folded(&q, 1, l->provider);
        query_i64(&q, 2, l->since_ms);
        query_i64(&q, 3, (int64_t)l->limit);
        if (!query_one(&q, &err))
                return err;
        l->count = (size_t)query_get_i64(&q, 0);
        return query_end(&q);
}

enum err store_scores_count(
        struct store *s, struct str provider, int64_t since_ms, uint64_t most, uint64_t *count)
{
        struct scores l = {.provider = provider, .since_ms = since_ms, .limit = (size_t)most};
        enum err err = store_look(s, run_count, &l);
        *count = err == ERR_OK ? l.count : 0;
        return err;
}

/* ---- breakers ---- */

struct breaker {
        struct str provider;
        int64_t list, now_ms, until_ms;
        bool is_open;
};

static enum err run_open(struct store *s, void *arg)
{
        const struct breaker *b = arg;
        struct query q;
        query_init(&q, &s->db, SQL_BREAKER_DROP); /* and with it who was told of it */
        query_folded(&q, 1, b->provider);
        query_i64(&q, 2, b->now_ms);
        enum err err = query_run(&q, NULL);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_BREAKER_ADD);
        query_folded(&q, 1, b->provider);
        query_i64(&q, 2, b->until_ms);
        return query_run(&q, NULL);
}

enum err store_breaker_open(struct store *s, struct str provider, int64_t since_ms, int64_t until_ms)
{
        struct breaker b = {.provider = provider, .now_ms = since_ms, .until_ms = until_ms};
        return store_ask(s, run_open, &b);
}

static enum err run_is_open(struct store *s, void *arg)
{
        struct breaker *b = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_BREAKER_GET);
        query_folded(&q, 1, b->provider);
        if (!query_one(&q, &err))
                return err == ERR_NOT_FOUND ? ERR_OK : err;
        int64_t until_ms = query_get_i64(&q, 0);
        b->is_open = until_ms > b->now_ms && until_ms <= b->until_ms;
        return query_end(&q);
}

enum err store_breaker_is_open(
        struct store *s, struct str provider, int64_t now_ms, int64_t life_ms, bool *is_open)
{
        struct breaker b = {.provider = provider, .now_ms = now_ms, .until_ms = now_ms + life_ms};
        enum err err = store_look(s, run_is_open, &b);
        *is_open = b.is_open;
        return err;
}

static enum err run_tell(struct store *s, void *arg)
{
        const struct breaker *b = arg;
        struct query q;
        query_init(&q, &s->db, SQL_BREAKER_TELL);
        query_folded(&q, 1, b->provider);
        query_i64(&q, 2, b->list);
        return query_run(&q, NULL);
}

enum err store_breaker_tell(struct store *s, struct str provider, int64_t list)
{
        struct breaker b = {.provider = provider, .list = list};
        return store_ask(s, run_tell, &b);
}

/* ---- what was decided ---- */

static enum err run_add(struct store *s, void *arg)
{
        const struct store_verdict *v = arg;
        struct query q;
        query_init(&q, &s->db, SQL_VERDICT_ADD);
        query_i64(&q, 1, v->list);
        query_i64(&q, 2, v->member);
        query_i64(&q, 3, v->kind);
        query_text(&q, 4, v->address);
        query_text(&q, 5, str_take(v->reply, STORE_REPLY_MAX));
        query_i64(&q, 6, v->time_ms);
        return query_run(&q, NULL);
}

enum err store_verdict_add(struct store *s, const struct store_verdict *verdict)
{
        struct store_verdict copy = *verdict;
        return store_ask(s, run_add, &copy);
}

struct verdicts {
        const struct store_verdicts_wanted *wanted;
        size_t count;
        struct arena *arena;
        struct store_verdict *out;
};

static enum err run_verdicts(struct store *s, void *arg)
{
        struct verdicts *v = arg;
        struct query q;
        query_init(&q, &s->db, v->wanted->list != 0 ? SQL_VERDICTS_OF : SQL_VERDICTS);
        query_i64(&q, 1, v->wanted->after);
        query_i64(&q, 2, v->wanted->upto);
        query_i64(&q, 3, (int64_t)v->wanted->limit);
        if (v->wanted->list != 0)
                query_i64(&q, 4, v->wanted->list);
        struct store_verdict *out = v->out = query_room(&q, v->arena, sizeof *out, &v->count);
        for (size_t i = 0; query_row(&q); i++) {
                out[i] = (struct store_verdict){.id = query_get_i64(&q, 0),
                        .list = query_get_i64(&q, 1),
                        .member = query_get_i64(&q, 2),
                        .kind = (enum store_verdict_kind)query_get_i64(&q, 3),
                        .time_ms = query_get_i64(&q, 6)};
                out[i].address = query_copy(&q, 4, v->arena);
                out[i].reply = query_copy(&q, 5, v->arena);
                out[i].list_name = query_copy(&q, 7, v->arena);
                out[i].domain = query_copy(&q, 8, v->arena);
        }
        return query_end(&q);
}

enum err store_verdicts(struct store *s, const struct store_verdicts_wanted *wanted, struct arena *a,
        struct store_verdict **out, size_t *count)
{
        struct verdicts v = {.wanted = wanted, .arena = a};
        enum err err = store_look(s, run_verdicts, &v);
        *out = err == ERR_OK ? v.out : NULL;
        *count = err == ERR_OK ? v.count : 0;
        return err;
}

/* ---- bounces ---- */

static int64_t bounces_max(const struct store *s)
{
        uint64_t share = s->volume.device.size / BOUNCE_SHARE;
        return share < STORE_BOUNCES_KEPT_MAX ? (int64_t)share : STORE_BOUNCES_KEPT_MAX;
}

static enum err run_keep(struct store *s, void *arg)
{
        const struct store_bounce_new *b = arg;
        struct query q;
        if (s->is_tight)
                return ERR_OK;
        query_init(&q, &s->db, SQL_BOUNCE_PUT);
        query_i64(&q, 1, b->member);
        query_i64(&q, 2, b->list);
        query_i64(&q, 3, b->now_ms);
        query_blob(&q, 4, str_take(b->bytes, STORE_BOUNCE_MAX));
        enum err err = query_run(&q, NULL);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_BOUNCES_TRIM);
        query_i64(&q, 1, bounces_max(s));
        return query_run(&q, NULL);
}

enum err store_bounce_keep(struct store *s, const struct store_bounce_new *bounce)
{
        struct store_bounce_new copy = *bounce;
        return store_ask(s, run_keep, &copy);
}

struct kept {
        int64_t member;
        struct arena *arena;
        struct str out;
};

static enum err run_kept(struct store *s, void *arg)
{
        struct kept *k = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_BOUNCE_GET);
        query_i64(&q, 1, k->member);
        if (!query_one(&q, &err))
                return err;
        k->out = query_copy(&q, 0, k->arena);
        return query_end(&q);
}

enum err store_bounce_get(struct store *s, int64_t member, struct arena *a, struct str *out)
{
        struct kept k = {.member = member, .arena = a};
        enum err err = store_look(s, run_kept, &k);
        *out = err == ERR_OK ? k.out : S("");
        return err;
}

/* ---- forgetting ---- */

struct forget {
        int64_t before_ms;
        size_t limit, count;
};

static enum err run_forget(struct store *s, void *arg)
{
        static const enum sql all[] = {SQL_VERDICTS_FORGET, SQL_BOUNCES_FORGET, SQL_BREAKERS_FORGET};
        struct forget *f = arg;
        enum err err = ERR_OK;
        for (size_t i = 0; i < sizeof all / sizeof all[0] && err == ERR_OK; i++) {
                struct query q;
                int64_t gone = 0;
                query_init(&q, &s->db, all[i]);
                query_i64(&q, 1, f->before_ms);
                query_i64(&q, 2, (int64_t)f->limit);
                err = query_run(&q, &gone);
                f->count += (size_t)gone;
        }
        return err;
}

enum err store_judge_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count)
{
        struct forget f = {before_ms, limit, 0};
        enum err err = store_ask(s, run_forget, &f);
        *count = err == ERR_OK ? f.count : 0;
        return err;
}
