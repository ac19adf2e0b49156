/* SPDX-License-Identifier: ISC */
/* What the moderators of each list are told from time to time. How far they were told is a row, changed with the notice in one
 * transaction: a restart tells nothing twice. */
#include <string.h>

#include "list/notice.h"
#include "list/report.h"
#include "list/setting.h"
#include "serve/bounce_judge.h"
#include "serve/notice_data.h"
#include "store/judge.h"
#include "store/lists.h"
#include "store/notices.h"
#include "store/report.h"

#define WEEK_MS (7 * JUDGE_DAY_MS)

struct telling {
        struct lipap *node;
        struct arena *arena;
        int64_t now_ms;
        struct store_told told; /* becomes what is told then */
        enum notice_kind kind;
        struct str text;
        bool has_notice;
};

/* ---- one change ---- */

static enum err write_rows(struct store *s, void *ctx)
{
        struct telling *t = ctx;
        char *room = arena_alloc(t->arena, NOTICE_DATA_MAX);
        struct notice_data data = {.text = t->text};
        struct wr w;
        int64_t id;
        enum err e = store_told_put(s, &t->told);
        if (e != ERR_OK || !t->has_notice)
                return e;
        if (!room)
                return ERR_MEMORY;
        wr_init(&w, room, NOTICE_DATA_MAX);
        notice_data_write(&w, &data);
        struct store_notice notice = {.list = t->told.list,
                .kind = notice_kind_name(t->kind),
                .data = wr_text(&w),
                .made_ms = t->now_ms};
        e = wr_end(&w);
        return e == ERR_OK ? store_notice_add(s, &notice, &id) : e;
}

/* On a full disk the row stays as it was, and the next round tries again. */
static enum err put(struct telling *t)
{
        enum err e = store_together(t->node->store, write_rows, t);
        if (e == ERR_OK && t->has_notice)
                bell_ring(&t->node->mailer_bell);
        return e == ERR_FULL ? ERR_OK : e;
}

/* ---- digests ---- */

static enum err digest(struct telling *t)
{
        struct store_told *told = &t->told;
        char text[4 * 21];
        struct wr w;
        bool is_new = told->failure > told->digest_failure || told->verdict > told->digest_verdict;
        if (t->now_ms - told->digest_ms < JUDGE_DAY_MS || !is_new)
                return ERR_OK;
        wr_init(&w, text, sizeof text);
        wr_u64(&w, (uint64_t)told->digest_failure);
        wr_byte(&w, ' ');
        wr_u64(&w, (uint64_t)told->failure);
        wr_byte(&w, ' ');
        wr_u64(&w, (uint64_t)told->digest_verdict);
        wr_byte(&w, ' ');
        wr_u64(&w, (uint64_t)told->verdict);
        t->kind = NOTICE_DIGEST;
        t->text = wr_text(&w);
        t->has_notice = true;
        told->digest_ms = t->now_ms;
        told->digest_failure = told->failure;
        told->digest_verdict = told->verdict;
        return put(t);
}

/* ---- reports ---- */

static void week_of(
        const struct store_report *r, const struct store_told *told, int64_t now_ms, struct report_week *out)
{
        *out = (struct report_week){.members = r->members,
                .joined = r->joined,
                .removed = r->removed,
                .posts = r->posts,
                .held = r->held,
                .requests = r->requests > r->held ? r->requests - r->held : 0,
                .done = r->done,
                .failed = r->failed,
                .deferred = r->deferred,
                .oldest_s = r->oldest_ms > 0 ? (now_ms - r->oldest_ms) / 1000 : 0};
        if (told->report_members + r->joined > r->members)
                out->left = told->report_members + r->joined - r->members;
        for (; out->slow_count < r->slow_count && out->slow_count < REPORT_SLOWEST_MAX; out->slow_count++) {
                out->slowest[out->slow_count].provider = r->slowest[out->slow_count].provider;
                out->slowest[out->slow_count].mean_s = r->slowest[out->slow_count].mean_ms / 1000;
        }
}

static enum err report(struct telling *t, char *text, size_t cap)
{
        struct store_told *told = &t->told;
        struct store_report r;
        struct report_week week;
        struct store_list list;
        struct setting_values values;
        struct wr w;
        if (t->now_ms - told->report_ms < WEEK_MS)
                return ERR_OK;
        enum err e = store_list_get(t->node->store, told->list, t->arena, &list);
        if (e == ERR_OK)
                e = store_report(t->node->store, told, t->now_ms - WEEK_MS, t->arena, &r);
        if (e != ERR_OK)
                return e == ERR_NOT_FOUND ? ERR_OK : e;
        setting_values_init(&values);
        for (size_t i = 0; i < list.setting_count; i++)
                setting_values_put(&values, list.settings[i].name, list.settings[i].value);
        week_of(&r, told, t->now_ms, &week);
        wr_init(&w, text, cap);
        report_week_write(&w, values.v[SETTING_LANGUAGE], &week);
        t->kind = NOTICE_REPORT;
        t->text = wr_text(&w);
        t->has_notice = !report_week_is_quiet(&week) && setting_is(&values, SETTING_REPORT, S("weekly"));
        told->report_ms = t->now_ms;
        told->report_member = told->member;
        told->report_members = r.members;
        told->report_verdict = told->verdict;
        return put(t);
}

/* ---- lists ---- */

/* A list that is new, or was never told anything: its first week begins, and what failed before is not told. */
static enum err begin(struct telling *t)
{
        struct store_told *told = &t->told;
        struct store_report r;
        enum err e = store_report(t->node->store, told, t->now_ms, t->arena, &r);
        if (e != ERR_OK)
                return e;
        told->digest_failure = told->failure;
        told->digest_verdict = told->report_verdict = told->verdict;
        told->report_ms = t->now_ms;
        told->report_member = told->member;
        told->report_members = r.members;
        return put(t);
}

/* What was told in the future was told by a clock that was set back since: now begins anew. */
static bool was_set_back(int64_t *told_ms, int64_t now_ms)
{
        if (*told_ms <= now_ms + JUDGE_DAY_MS)
                return false;
        *told_ms = now_ms;
        return true;
}

static enum err one_list(struct telling *t)
{
        char text[REPORT_TEXT_MAX];
        if (!t->told.is_known)
                return begin(t);
        bool is_digest = was_set_back(&t->told.digest_ms, t->now_ms);
        if (was_set_back(&t->told.report_ms, t->now_ms) || is_digest)
                return put(t);
        enum err e = digest(t);
        t->has_notice = false;
        arena_reset(t->arena);
        return e == ERR_OK ? report(t, text, sizeof text) : e;
}

enum err bounce_told_round(struct lipap *node, struct arena *a, int64_t now_ms)
{
        int64_t after = 0;
        enum err e = ERR_OK;
        while (e == ERR_OK && !fiber_is_cancelled(node->host->sched)) {
                struct telling t = {.node = node, .arena = a, .now_ms = now_ms};
                arena_reset(a);
                e = store_told_next(node->store, after, &t.told);
                after = t.told.list;
                if (e == ERR_OK)
                        e = one_list(&t);
        }
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}
