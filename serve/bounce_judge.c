/* SPDX-License-Identifier: ISC */
#include "serve/bounce_judge.h"

#include <stdlib.h>

#include "host/log.h"
#include "list/notice.h"
#include "serve/notice_data.h"
#include "serve/providers.h"
#include "store/judge.h"
#include "store/lists.h"
#include "store/messages.h"
#include "store/notices.h"

#define CASE_ARENA (48 * 1024) /* a page of scores, or a notice */
#define PAGE 16
#define PERIOD_MS (60LL * 60 * 1000)

/* One failure, while it is judged. */
struct judged {
        struct lipap *node;
        const struct bounce_judge_delivery *delivery; /* or */
        const struct bounce_judge_bounce *bounce;
        int64_t member, now_ms;
        struct str said;
        struct judge_failure failure;
        struct store_score row;
        bool is_extra;      /* a bounce more than it got copies */
        struct str seen_at; /* the provider in whose window it was counted; empty: in none */
        bool is_less;       /* that has one less that is done */
        bool has_told, is_removed;
        const char *did; /* for the log; NULL: nothing but counting */
        struct arena arena;
        char memory[CASE_ARENA];
};

/* ---- rows and scores ---- */

static void score_of(const struct store_score *row, struct judge_score *out)
{
        *out = (struct judge_score){.halves = row->halves,
                .days = row->days,
                .is_smtp = row->is_smtp,
                .failed_ms = row->failed_ms,
                .last = {{row->last_ms[0], row->last_halves[0]}, {row->last_ms[1], row->last_halves[1]}},
                .probe = (enum judge_probe)row->probe,
                .probe_ms = row->probe_ms};
}

static void row_of(const struct judge_score *score, struct store_score *out)
{
        out->halves = score->halves;
        out->days = score->days;
        out->is_smtp = score->is_smtp;
        out->failed_ms = score->failed_ms;
        for (int i = 0; i < 2; i++) {
                out->last_ms[i] = score->last[i].time_ms;
                out->last_halves[i] = score->last[i].halves;
        }
        out->probe = (enum store_probe)score->probe;
        out->probe_ms = score->probe_ms;
}

/* ---- what is told ---- */

/* To `to`, or to the moderators when that is empty.
 *   ERR_OK, ERR_FULL: nobody will be, or trouble */
static enum err tell(
        struct judged *j, enum notice_kind kind, struct str to, struct str about, struct str text)
{
        struct arena before = j->arena;
        struct notice_data data = {.about = about, .text = text};
        char *room = arena_alloc(&j->arena, NOTICE_DATA_MAX);
        struct wr w;
        int64_t id;
        if (!room)
                return ERR_MEMORY;
        wr_init(&w, room, NOTICE_DATA_MAX);
        notice_data_write(&w, &data);
        struct store_notice notice = {.list = j->row.list,
                .kind = notice_kind_name(kind),
                .address = to,
                .data = wr_text(&w),
                .made_ms = j->now_ms};
        enum err e = wr_end(&w);
        if (e == ERR_OK)
                e = store_notice_add(j->node->store, &notice, &id);
        j->has_told = j->has_told || e == ERR_OK;
        j->arena = before;
        return e;
}

static enum err note(struct judged *j, enum store_verdict_kind kind, struct str address)
{
        struct store_verdict v = {.list = j->row.list,
                .member = j->member,
                .kind = kind,
                .address = address,
                .reply = j->said,
                .time_ms = j->now_ms};
        return store_verdict_add(j->node->store, &v);
}

/* ---- breakers ---- */

static enum err take_back_all(struct judged *j)
{
        struct store *s = j->node->store;
        int64_t since_ms = j->now_ms - JUDGE_BREAKER_MS, after = 0;
        size_t count = PAGE;
        enum err e = ERR_OK;
        while (e == ERR_OK && count == PAGE) {
                struct arena before = j->arena;
                struct store_score *rows;
                e = store_scores_at(s, j->row.provider, since_ms, after, PAGE, &j->arena, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        struct judge_score score;
                        after = rows[i].member;
                        score_of(&rows[i], &score);
                        judge_take_back(&score, since_ms);
                        row_of(&score, &rows[i]);
                        e = store_score_put(s, &rows[i]);
                }
                j->arena = before;
        }
        return e;
}

static enum err open_breaker(struct judged *j)
{
        struct lipap *node = j->node;
        enum err e = store_breaker_open(
                node->store, j->row.provider, j->now_ms - JUDGE_BREAKER_MS, j->now_ms + JUDGE_BREAKER_MS);
        if (e == ERR_OK)
                e = take_back_all(j);
        if (e == ERR_OK)
                e = store_score_get(node->store, j->member, &j->arena, &j->row);
        j->failure.is_breaker_open = true;
        return e;
}

/* The moderators of the list hear of it once, however often it opens again at once; on a full disk by the next digest. */
static enum err tell_breaker(struct judged *j)
{
        struct store *s = j->node->store;
        enum err e = store_breaker_tell(s, j->row.provider, j->row.list);
        if (e != ERR_OK)
                return e == ERR_EXISTS ? ERR_OK : e;
        j->did = "breaker";
        e = tell(j, NOTICE_BREAKER, S(""), j->row.provider, j->said);
        if (e == ERR_OK || e == ERR_FULL)
                e = note(j, STORE_VERDICT_BREAKER, j->row.provider);
        return e;
}

/* Is it the provider, and not its members? The window is asked when the store was: who ends may free it while the store
 * reads. */
static enum err watch_provider(struct judged *j)
{
        struct lipap *node = j->node;
        uint64_t members;
        bool *is_open = &j->failure.is_breaker_open;
        enum err e =
                store_breaker_is_open(node->store, j->row.provider, j->now_ms, JUDGE_BREAKER_MS, is_open);
        if (e == ERR_OK)
                e = store_scores_count(node->store, j->row.provider, j->now_ms - JUDGE_BREAKER_MS,
                        JUDGE_BREAKER_MEMBERS, &members);
        if (e != ERR_OK || !node->providers || j->failure.class == JUDGE_MESSAGE || j->is_extra)
                return e;
        struct judge_window *window = providers_window(node->providers, j->row.provider);
        j->is_less = judge_window_failed(window, j->now_ms, !j->failure.is_smtp);
        j->seen_at = j->row.provider;
        if (*is_open || !judge_window_is_bad(window, j->now_ms, members))
                return ERR_OK;
        return open_breaker(j);
}

/* ---- one member ---- */

/* On a full disk there is no probe: the next failure asks for one again. */
static enum err send_probe(struct judged *j, struct judge_score *score)
{
        enum err e = tell(j, NOTICE_PROBE, j->row.address, j->row.address, S(""));
        if (e == ERR_FULL)
                return ERR_OK;
        if (e != ERR_OK)
                return e;
        judge_probe_sent(score, j->now_ms);
        j->did = "probe";
        return note(j, STORE_VERDICT_PROBED, j->row.address);
}

/* The member's id, so that its last bounce is found when the mail is written, and what was said. */
static void write_last(const struct judged *j, struct wr *w)
{
        wr_u64(w, (uint64_t)j->member);
        wr_byte(w, '\n');
        wr_str(w, j->said);
}

/* Nobody goes without a word: on a full disk the member stays, and is probed again in a week. */
static enum err remove_member(struct judged *j)
{
        char text[STORE_REPLY_MAX + 32];
        struct wr w;
        wr_init(&w, text, sizeof text);
        write_last(j, &w);
        enum err e = tell(j, NOTICE_REMOVED_OWNER, S(""), j->row.address, wr_text(&w));
        if (e == ERR_FULL)
                return ERR_OK; /* from here on it is all, or the whole change is undone */
        if (e == ERR_OK)
                e = tell(j, NOTICE_FAREWELL_BOUNCED, j->row.address, j->row.address, S(""));
        if (e == ERR_OK)
                e = note(j, STORE_VERDICT_REMOVED, j->row.address);
        if (e == ERR_OK)
                e = store_member_remove(j->node->store, j->row.list, j->row.address);
        j->is_removed = e == ERR_OK;
        if (j->is_removed)
                j->did = "removed";
        return e;
}

/* Who it is, and that it failed now; where its address leads. */
static enum err find_member(struct judged *j)
{
        enum err e = store_score_get(j->node->store, j->member, &j->arena, &j->row);
        size_t at = str_find_last_byte(j->row.address, '@');
        char *room = e == ERR_OK ? arena_alloc(&j->arena, j->row.address.n) : NULL;
        struct wr w;
        if (!room)
                return e == ERR_OK ? ERR_MEMORY : e;
        wr_init(&w, room, j->row.address.n);
        wr_lower(&w, str_skip(j->row.address, at + 1));
        j->row.provider = wr_text(&w);
        j->row.seen_ms = j->now_ms;
        j->row.reply = j->said;
        return store_score_put(j->node->store, &j->row);
}

static enum err carry_out(struct judged *j, struct judge_score *score, enum judge_verdict v)
{
        if (v == JUDGE_PROBE)
                return send_probe(j, score);
        return v == JUDGE_REMOVE ? remove_member(j) : ERR_OK;
}

static enum err judge_member(struct judged *j)
{
        struct judge_score score;
        enum err e = find_member(j);
        if (e == ERR_NOT_FOUND)
                return ERR_OK; /* it left meanwhile */
        if (e == ERR_OK)
                e = watch_provider(j);
        if (e == ERR_OK && j->failure.is_breaker_open)
                e = tell_breaker(j);
        if (e != ERR_OK)
                return e;
        score_of(&j->row, &score);
        enum judge_verdict v = judge_failed(&score, &j->failure);
        e = carry_out(j, &score, v);
        if (e != ERR_OK || j->is_removed)
                return e;
        row_of(&score, &j->row);
        return store_score_put(j->node->store, &j->row);
}

/* ---- one failure ---- */

static enum err is_probe(struct judged *j, int64_t message, bool *out)
{
        struct store_message m;
        struct arena before = j->arena;
        enum err e = store_message_get(j->node->store, message, &j->arena, &m);
        *out = e == ERR_OK && m.probe == j->member;
        j->arena = before;
        return e;
}

static enum err record_delivery(struct store *s, void *ctx)
{
        struct judged *j = ctx;
        const struct bounce_judge_delivery *d = j->delivery;
        enum err e = is_probe(j, d->message, &j->failure.is_probe);
        if (e == ERR_OK)
                e = store_delivery_fail(s, d->id, j->now_ms, d->code, d->said);
        return e == ERR_OK && j->member != 0 ? judge_member(j) : e;
}

static enum err record_bounce(struct store *s, void *ctx)
{
        struct judged *j = ctx;
        struct store_bounce_new bounce = {
                .member = j->member, .now_ms = j->now_ms, .bytes = j->bounce->bytes};
        struct store_member member;
        enum err e = store_member_get(s, j->member, &j->arena, &member);
        if (e != ERR_OK)
                return e == ERR_NOT_FOUND ? ERR_OK : e;
        bounce.list = member.list;
        e = store_failure_add(s, j->member, j->now_ms, j->said);
        j->is_extra = e == ERR_NOT_FOUND; /* it is judged all the same, but tells nothing of its provider */
        if (e == ERR_OK || j->is_extra)
                e = store_bounce_keep(s, &bounce);
        return e == ERR_OK ? judge_member(j) : e;
}

/* Not kept: whoever tells it will tell it again. */
static void forget_seen(struct judged *j)
{
        struct providers *providers = j->node->providers;
        if (providers && j->seen_at.n > 0)
                judge_window_undo(providers_window(providers, j->seen_at), j->now_ms, j->is_less);
}

static void log_judged(const struct judged *j)
{
        struct log_line l;
        if (!j->did)
                return;
        log_begin(&l, j->node->host, LOG_INFO, "bounces", j->did);
        log_i64(&l, "list", j->row.list);
        log_i64(&l, "member", j->member);
        log_str(&l, "address", j->row.address);
        log_str(&l, "provider", j->row.provider);
        log_str(&l, "class", judge_class_name(j->failure.class));
        log_str(&l, "said", j->said);
        log_end(&l);
}

/* Uses up `j`. */
static enum err judge(struct judged *j, store_together_fn *fn, unsigned code)
{
        struct lipap *node = j->node;
        j->now_ms = host_wall_ms(node->host);
        j->said = str_take(j->said, STORE_REPLY_MAX);
        j->failure.class = judge_class_of(code, j->said);
        j->failure.now_ms = j->now_ms;
        arena_init(&j->arena, j->memory, sizeof j->memory);
        enum err e = store_together(node->store, fn, j);
        if (e == ERR_OK)
                log_judged(j);
        else
                forget_seen(j);
        if (e == ERR_OK && j->has_told)
                bell_ring(&node->mailer_bell);
        if (e == ERR_OK && j->is_removed)
                node->stats.bounced_out++;
        free(j);
        return e;
}

static struct judged *judged_new(struct lipap *node, int64_t member, struct str said)
{
        struct judged *j = malloc(sizeof *j);
        if (!j)
                return NULL;
        j->node = node;
        j->delivery = NULL;
        j->bounce = NULL;
        j->member = member;
        j->said = said;
        j->failure = (struct judge_failure){0};
        j->row = (struct store_score){0};
        j->seen_at = S("");
        j->is_extra = j->is_less = j->has_told = j->is_removed = false;
        j->did = NULL;
        return j;
}

enum err bounce_judge_failed(struct lipap *node, const struct bounce_judge_delivery *delivery)
{
        struct judged *j = judged_new(node, delivery->member, delivery->said);
        if (!j)
                return ERR_MEMORY;
        j->delivery = delivery;
        j->failure.is_smtp = true;
        return judge(j, record_delivery, delivery->code);
}

enum err bounce_judge_bounced(struct lipap *node, const struct bounce_judge_bounce *bounce)
{
        struct judged *j = judged_new(node, bounce->member, bounce->said);
        if (!j)
                return ERR_MEMORY;
        j->bounce = bounce;
        j->failure.is_probe = bounce->is_probe;
        return judge(j, record_bounce, 0);
}

void bounce_judge_done(struct lipap *node, struct str domain)
{
        if (node->providers)
                judge_window_done(providers_window(node->providers, domain), host_wall_ms(node->host));
}

/* ---- from time to time ---- */

/* Forget who is healed. Other scores are brought up to their time when they are looked at. */
static enum err forget_healed(struct lipap *node, struct arena *a, int64_t now_ms)
{
        int64_t after = 0;
        size_t count = PAGE;
        enum err e = ERR_OK;
        while (e == ERR_OK && count == PAGE && !fiber_is_cancelled(node->host->sched)) {
                struct store_score *rows;
                arena_reset(a);
                e = store_scores(node->store, after, PAGE, a, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        struct judge_score score;
                        bool is_old = rows[i].seen_ms < now_ms - JUDGE_HEAL_MS ||
                                      rows[i].seen_ms > now_ms + JUDGE_DAY_MS;
                        after = rows[i].member;
                        score_of(&rows[i], &score);
                        if (judge_heal(&score, now_ms) && is_old)
                                e = store_score_drop(node->store, &rows[i]);
                }
        }
        return e;
}

static void log_trouble(struct lipap *node, const char *event, const char *hint, enum err e)
{
        struct log_line l;
        if (e == ERR_OK || e == ERR_CANCELLED || e == ERR_CLOSED)
                return;
        log_begin(&l, node->host, LOG_ERROR, "bounces", event);
        log_err(&l, e);
        log_c(&l, "hint", hint);
        log_end(&l);
}

static void look_after(struct lipap *node, struct arena *a)
{
        int64_t now_ms = host_wall_ms(node->host);
        enum err e = bounce_told_round(node, a, now_ms);
        enum err forgot = forget_healed(node, a, now_ms);
        log_trouble(node, "not-told", "tried again in an hour", e != ERR_OK ? e : forgot);
}

static enum err work(struct lipap *node, struct providers *providers, struct arena *a)
{
        enum err e = bounce_recall(node, providers, a, host_wall_ms(node->host));
        log_trouble(node, "not-recalled", "breakers may open late", e);
        node->providers = providers;
        do
                look_after(node, a);
        while ((e = fiber_sleep(node->host->sched, PERIOD_MS)) == ERR_OK);
        node->providers = NULL;
        return e;
}

void bounce_judge_run(void *arg)
{
        struct lipap *node = arg;
        struct providers *providers = calloc(1, sizeof *providers);
        char *memory = malloc(CASE_ARENA);
        struct arena arena;
        enum err e = ERR_MEMORY;
        arena_init(&arena, memory, memory ? CASE_ARENA : 0);
        if (providers && memory)
                e = work(node, providers, &arena);
        log_trouble(node, "not-judged", "nobody is told, and no breaker opens", e);
        free(memory);
        free(providers);
}
