/* SPDX-License-Identifier: ISC */
#include "store/ask.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/wr.h"
#include "host/log.h"

#define CHECKPOINT_PAGES 1000
#define LOOKS_ROUNDS 8 /* then it is the turn of the changes */

struct request {
        struct request *next;
        request_fn *fn;
        void *arg;
        enum err err;
        bool is_repeatable, is_done;
        struct waitq waiter;
};

void store_break(struct store *s, const char *where, enum err err)
{
        if (!s->is_broken) {
                struct log_line l;
                log_begin(&l, s->host, LOG_ERROR, "store", "disk-failed");
                log_c(&l, "where", where);
                log_err(&l, err);
                log_end(&l);
        }
        s->is_broken = true;
}

enum err freed_add(struct freed_list *f, int64_t message, const struct spool_extent *e)
{
        if (f->count == f->cap) {
                size_t cap = f->cap ? f->cap * 2 : 64;
                struct freed *items = realloc(f->items, cap * sizeof *items);
                if (items == NULL)
                        return ERR_MEMORY;
                f->items = items;
                f->cap = cap;
        }
        f->items[f->count++] = (struct freed){message, *e};
        return ERR_OK;
}

void freed_give(struct store *s, int64_t message, const struct spool_extent *extents, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (spool_free(&s->spool, &extents[i]) != ERR_OK) {
                        struct log_line l;
                        log_begin(&l, s->host, LOG_ERROR, "store", "extent-not-freed");
                        log_i64(&l, "message", message);
                        log_u64(&l, "segment", extents[i].segment);
                        log_u64(&l, "block", extents[i].block);
                        log_end(&l);
                }
}

static uint32_t u32_of(int64_t v)
{
        return v >= 0 && v <= UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

struct spool_extent extent_of(struct query *q)
{
        return (struct spool_extent){u32_of(query_get_i64(q, 0)), u32_of(query_get_i64(q, 1)),
                u32_of(query_get_i64(q, 2)), u32_of(query_get_i64(q, 3))};
}

struct str address_domain(struct str address)
{
        size_t at = str_find_last_byte(address, '@');
        return at == address.n ? S("") : str_skip(address, at + 1);
}

enum err address_domain_lower(struct str address, struct arena *a, struct str *out)
{
        struct str domain = address_domain(address);
        struct wr w;
        *out = S("");
        char *room = arena_alloc(a, domain.n);
        if (room == NULL)
                return ERR_MEMORY;
        wr_init(&w, room, domain.n);
        wr_lower(&w, domain);
        *out = wr_text(&w);
        return wr_end(&w);
}

static void freed_apply(struct store *s)
{
        for (size_t i = 0; i < s->freed.count; i++) {
                const struct freed *f = &s->freed.items[i];
                if (!reader_keeps(s, f->message))
                        freed_give(s, f->message, &f->extent, 1);
        }
        s->freed.count = 0;
}

void *query_room(struct query *q, struct arena *a, size_t size, size_t *count)
{
        *count = query_count(q);
        void *room = arena_alloc(a, *count * size);
        if (room == NULL)
                query_fail(q, ERR_MEMORY);
        return room;
}

/* Requests from `first` up to `end` behind one savepoint: the first that fails undoes all of them. `*outcome` is that of
 * the last that ran.
 *   ERR_OK as long as the transaction lives, whatever their own outcome */
static enum err run_behind_savepoint(
        struct store *s, struct request *first, const struct request *end, enum err *outcome)
{
        size_t freed = s->freed.count;
        int64_t results = s->results;
        enum err err = *outcome = db_run(&s->db, SQL_SAVEPOINT);
        if (err != ERR_OK)
                return first->err = err;
        for (struct request *r = first; r != end && *outcome == ERR_OK; r = r->next)
                *outcome = r->err = r->fn(s, r->arg);
        if (*outcome != ERR_OK) {
                s->freed.count = freed;
                s->results = results;
                if (!db_in_transaction(&s->db))
                        return *outcome; /* SQLite undid all of it */
                err = db_run(&s->db, SQL_ROLLBACK_TO);
        }
        return err != ERR_OK ? err : db_run(&s->db, SQL_RELEASE);
}

static enum err run_one_of_many(struct store *s, struct request *r)
{
        enum err outcome;
        return run_behind_savepoint(s, r, r->next, &outcome);
}

/* The next request, or all that follow each other and may run twice. Savepoints are what costs most in a small change:
 * each keeps a copy of every page that is touched behind it. A request that is alone needs none: with it the
 * transaction fails. */
static enum err run_some(struct store *s, struct request **at, bool is_alone)
{
        struct request *first = *at, *end = first->next;
        enum err outcome = ERR_OK;
        while (first->is_repeatable && end != NULL && end->is_repeatable)
                end = end->next;
        *at = end;
        if (is_alone)
                return first->err = first->fn(s, first->arg);
        enum err err = run_behind_savepoint(s, first, end, &outcome);
        if (outcome != ERR_OK && first->next != end)
                for (; first != end && err == ERR_OK; first = first->next)
                        err = run_one_of_many(s, first);
        return err;
}

static void answer(struct request *r)
{
        r->is_done = true;
        waitq_wake_all(&r->waiter);
}

/* Give the requests from `first` up to `end` their outcome: `err`, where they have none of their own. */
static void settle(struct store *s, struct request *first, struct request *end, enum err err)
{
        if (err == ERR_OK)
                freed_apply(s);
        else
                s->results = s->results_sure;
        s->freed.count = s->ended.count = 0;
        s->results_sure = s->results;
        for (struct request *r = first, *next; r != end; r = next) {
                next = r->next; /* `r` is its fiber's again once that was woken */
                if (r->err == ERR_OK)
                        r->err = err;
                answer(r);
        }
}

static void undo(struct store *s)
{
        if (db_in_transaction(&s->db) && db_run(&s->db, SQL_ROLLBACK) != ERR_OK)
                store_break(s, "rollback", ERR_IO);
}

/* As many transactions as it takes: one, unless SQLite gives one up half way. */
static void run_batch(struct store *s, struct request *batch)
{
        while (batch != NULL) {
                struct request *end = batch;
                bool is_alone = batch->next == NULL;
                enum err err = s->is_broken ? ERR_IO : db_run(&s->db, SQL_BEGIN);
                if (err != ERR_OK)
                        end = NULL;
                while (err == ERR_OK && end != NULL)
                        err = run_some(s, &end, is_alone);
                if (err == ERR_OK)
                        err = messages_finish(s);
                if (err == ERR_OK)
                        err = db_run(&s->db, SQL_COMMIT);
                if (err != ERR_OK)
                        undo(s);
                if (s->db.broken)
                        store_break(s, "database", ERR_IO);
                settle(s, batch, end, err);
                batch = end;
        }
}

/* Between batches. */
static void house_keep(struct store *s)
{
        if (s->is_broken)
                return;
        enum err err = db_checkpoint(&s->db, CHECKPOINT_PAGES);
        if (err == ERR_OK || err == ERR_FULL) /* when it is full, the log stays as it is, and holds */
                err = reserve_keep(s);
        if (err != ERR_OK)
                store_break(s, "checkpoint", err);
}

static enum err look(struct store *s, request_fn *fn, void *arg)
{
        enum err err = s->is_broken ? ERR_IO : fn(s, arg);
        if (s->db.broken)
                store_break(s, "database", ERR_IO);
        return err;
}

static struct request *take_all(struct request_queue *q)
{
        struct request *first = q->first;
        q->first = NULL;
        q->last = &q->first;
        return first;
}

/* Answer those who look, and let them go on to what they ask next, a few times: whoever then asks for a change joins
 * the transaction. */
static void run_looks(struct store *s)
{
        for (int round = 0; round < LOOKS_ROUNDS && s->looks.first != NULL; round++) {
                for (struct request *r = take_all(&s->looks), *next; r != NULL; r = next) {
                        next = r->next;
                        r->err = look(s, r->fn, r->arg);
                        answer(r);
                }
                fiber_yield(s->host->sched);
        }
}

static void store_fiber(void *arg)
{
        struct store *s = arg;
        for (;;) {
                enum err err = ERR_OK;
                if (s->changes.first == NULL && s->looks.first == NULL)
                        err = waitq_wait(&s->work, s->host->sched, FIBER_NEVER);
                else
                        fiber_yield(s->host->sched); /* whoever is about to ask joins this transaction */
                bool had_looks = s->looks.first != NULL;
                run_looks(s);
                struct request *batch = take_all(&s->changes);
                if (batch != NULL) {
                        run_batch(s, batch);
                        house_keep(s);
                } else if (!had_looks && (err == ERR_CANCELLED || err == ERR_TIMEOUT)) {
                        break;
                }
        }
        s->has_fiber = false;
        s->has_ended = true;
}

enum err store_start(struct store *s, struct scope *scope)
{
        CHECK(!s->has_fiber);
        enum err err = scope_spawn(scope, "store", store_fiber, s);
        s->has_fiber = err == ERR_OK;
        return err;
}

/* Until the store fiber has answered. */
static enum err wait_answer(struct store *s, struct request_queue *q, struct request *r)
{
        struct sched *sched = s->host->sched;
        *q->last = r;
        q->last = &r->next;
        waitq_wake_one(&s->work);
        fiber_shield(sched, true);
        while (!r->is_done)
                if (waitq_wait(&r->waiter, sched, FIBER_NEVER) != ERR_OK)
                        fiber_yield(sched);
        fiber_shield(sched, false);
        return r->err;
}

/* Inside store_together each call has a savepoint of its own. When SQLite has undone the whole transaction, whatever
 * comes after it fails too. */

bool store_is_together(const struct store *s)
{
        return s->together != NULL && s->together->fiber == sched_current(s->host->sched);
}

static enum err ask_inside(struct store *s, request_fn *fn, void *arg)
{
        struct request r = {.fn = fn, .arg = arg};
        struct together *t = s->together;
        if (t->err == ERR_OK)
                t->err = run_one_of_many(s, &r);
        return t->err != ERR_OK ? t->err : r.err;
}

static enum err look_inside(struct store *s, request_fn *fn, void *arg)
{
        struct together *t = s->together;
        enum err err = t->err != ERR_OK ? t->err : fn(s, arg);
        if (t->err == ERR_OK && !db_in_transaction(&s->db))
                t->err = err != ERR_OK ? err : ERR_IO;
        return err;
}

static enum err run_together(struct store *s, void *arg)
{
        struct together *t = arg;
        t->fiber = sched_current(s->host->sched);
        s->together = t;
        enum err err = t->fn(s, t->ctx);
        s->together = NULL;
        return t->err != ERR_OK ? t->err : err;
}

enum err store_together(struct store *s, store_together_fn *fn, void *ctx)
{
        struct together t = {.fn = fn, .ctx = ctx};
        CHECK(!store_is_together(s));
        enum err err = store_ask(s, run_together, &t);
        /* after a failed commit nobody knows whether the rows are there: then their bytes stay too */
        for (struct store_intake *i = t.intakes; i != NULL;)
                i = intake_settle(i, err == ERR_OK || s->is_broken);
        return err;
}

static enum err ask(struct store *s, struct request *r)
{
        if (s->is_broken)
                return ERR_IO;
        if (store_is_together(s))
                return ask_inside(s, r->fn, r->arg);
        if (s->has_ended)
                return ERR_CLOSED;
        if (s->has_fiber)
                return wait_answer(s, &s->changes, r);
        run_batch(s, r);
        house_keep(s);
        return r->err;
}

enum err store_ask(struct store *s, request_fn *fn, void *arg)
{
        struct request r = {.fn = fn, .arg = arg};
        return ask(s, &r);
}

enum err store_ask_repeatable(struct store *s, request_fn *fn, void *arg)
{
        struct request r = {.fn = fn, .arg = arg, .is_repeatable = true};
        return ask(s, &r);
}

enum err store_look(struct store *s, request_fn *fn, void *arg)
{
        struct request r = {.fn = fn, .arg = arg};
        if (s->is_broken)
                return ERR_IO;
        if (store_is_together(s))
                return look_inside(s, fn, arg);
        if (s->has_ended)
                return ERR_CLOSED;
        return s->has_fiber ? wait_answer(s, &s->looks, &r) : look(s, fn, arg);
}
