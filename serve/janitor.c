/* SPDX-License-Identifier: ISC */
#include "serve/janitor.h"

#include <stdlib.h>

#include "host/log.h"
#include "serve/act.h"
#include "store/judge.h"
#include "store/messages.h"
#include "store/trace.h"

#define PERIOD_MS (60LL * 60 * 1000)
#define ARENA_SIZE (256 * 1024)

struct janitor {
        struct lipap *node;
        struct act act;
        struct decide_facts facts;
        struct decision decision;
        int64_t request;
        bool tells_if_room;
        struct arena arena; /* of one request */
        char memory[ARENA_SIZE];
};

/* ---- requests ---- */

/* One request, as it is now. */
static enum err expire_one(struct store *store, void *ctx)
{
        struct janitor *j = ctx;
        struct store_request row;
        enum err e = store_request_get(store, j->request, &j->arena, &row);
        if (e != ERR_OK)
                return e == ERR_NOT_FOUND ? ERR_OK : e; /* it was answered in the last moment */
        j->act = (struct act){.node = j->node,
                .arena = &j->arena,
                .list = row.list,
                .now_ms = j->facts.now_ms,
                .tells_if_room = j->tells_if_room};
        j->facts.request = (struct decide_request){.id = row.id,
                .purpose = (enum request_purpose)row.purpose,
                .address = row.address,
                .data = row.data,
                .made_ms = row.made_ms};
        decide_expired(&j->facts, &j->decision);
        return act_carry_out(&j->act, &j->decision);
}

/* On a full disk there is no room to tell the author, but held posts must not keep it full. */
static enum err expire(struct janitor *j)
{
        j->tells_if_room = false;
        enum err e = store_together(j->node->store, expire_one, j);
        j->tells_if_room = e == ERR_FULL;
        return e == ERR_FULL ? store_together(j->node->store, expire_one, j) : e;
}

static void log_expired(const struct janitor *j, const struct store_request *row)
{
        struct log_line l;
        log_begin(&l, j->node->host, LOG_INFO, "janitor", "request-expired");
        log_i64(&l, "request", row->id);
        log_str(&l, "list", row->list_name);
        log_str(&l, "domain", row->domain);
        log_str(&l, "address", row->address);
        if (j->tells_if_room && !j->act.has_told)
                log_c(&l, "told", "nobody: the disk is full");
        log_end(&l);
}

static enum err expire_requests(struct janitor *j)
{
        int64_t now_ms = host_wall_ms(j->node->host);
        size_t count = 1;
        enum err e = ERR_OK;
        j->facts = (struct decide_facts){.now_ms = now_ms};
        while (e == ERR_OK && count > 0 && !fiber_is_cancelled(j->node->host->sched)) {
                struct store_request *rows;
                arena_reset(&j->arena);
                e = store_requests_old(
                        j->node->store, now_ms - DECIDE_REQUEST_LIFE_MS, 1, &j->arena, &rows, &count);
                if (e != ERR_OK || count == 0)
                        return e;
                j->request = rows[0].id;
                j->decision.count = 0;
                e = expire(j);
                if (e != ERR_OK || j->decision.count == 0)
                        return e;
                j->node->stats.expired++;
                log_expired(j, &rows[0]);
                act_ring(&j->act);
        }
        return e;
}

/* ---- rows that only take room ---- */

static enum err forget_done(struct store *s, int64_t now_ms, size_t *count)
{
        return store_forget(s, now_ms - HISTORY_LIFE_MS, HISTORY_BATCH, count);
}

static enum err forget_traces(struct store *s, int64_t now_ms, size_t *count)
{
        return store_trace_forget(s, now_ms - TRACE_LIFE_MS, HISTORY_BATCH, count);
}

static enum err forget_judged(struct store *s, int64_t now_ms, size_t *count)
{
        return store_judge_forget(s, now_ms - HISTORY_LIFE_MS, HISTORY_BATCH, count);
}

static enum err end_bans(struct store *s, int64_t now_ms, size_t *count)
{
        return store_bans_expire(s, now_ms, HISTORY_BATCH, count);
}

/* In batches, so that nobody waits long behind one. */
static void sweep(struct janitor *j, enum err (*fn)(struct store *s, int64_t now_ms, size_t *count))
{
        size_t count = HISTORY_BATCH;
        while (count >= HISTORY_BATCH && !fiber_is_cancelled(j->node->host->sched))
                if (fn(j->node->store, host_wall_ms(j->node->host), &count) != ERR_OK)
                        return;
}

static void log_trouble(const struct janitor *j, enum err e)
{
        struct log_line l;
        if (e == ERR_OK || e == ERR_CANCELLED || e == ERR_CLOSED)
                return;
        log_begin(&l, j->node->host, LOG_ERROR, "janitor", "requests-not-expired");
        log_err(&l, e);
        log_c(&l, "hint", "tried again in an hour");
        log_end(&l);
}

void janitor_run(void *lipap)
{
        struct lipap *node = lipap;
        struct janitor *j = malloc(sizeof *j);
        if (!j)
                return;
        j->node = node;
        arena_init(&j->arena, j->memory, sizeof j->memory);
        do {
                log_trouble(j, expire_requests(j));
                sweep(j, end_bans);
                sweep(j, forget_traces);
                sweep(j, forget_judged);
                sweep(j, forget_done);
        } while (fiber_sleep(node->host->sched, PERIOD_MS) == ERR_OK);
        free(j);
}
