/* SPDX-License-Identifier: ISC */
#include "serve/watch.h"

#include <stdlib.h>

#include "host/log.h"
#include "serve/admin_mail.h"
#include "store/alarm.h"
#include "store/delivery.h"

#define LINE_MAX 4096
#define QUEUE_ROWS 5 /* messages in the mail of an alarm */

_Static_assert(RECORDS_CHECK_ARENA >= ADMIN_TEXT_ARENA, "one arena serves both");

/* ---- records ---- */

static void note_finding(void *ctx, const struct records_finding *finding)
{
        struct watch *w = ctx;
        struct wr line;
        if (finding->verdict != RECORDS_MISSING && finding->verdict != RECORDS_WRONG)
                return;
        wr_init(&line, w->records + w->records_n, sizeof w->records - w->records_n);
        records_finding_write(&line, finding);
        wr_byte(&line, '\n');
        w->records_n += wr_text(&line).n; /* what does not fit is left out */
}

/* All our domains. */
static enum err look_at_records(struct watch *w)
{
        struct lipap *node = w->node;
        enum err e = ERR_OK;
        w->records_bad = w->records_unknown = 0;
        w->records_n = 0;
        for (size_t i = 0; e == ERR_OK && i < node->domain_count; i++) {
                const struct records_plan plan = {.domain = node->domains[i].name,
                        .hostname = node->hostname,
                        .selector = w->selector,
                        .arc_selector = w->arc_selector};
                struct records found;
                arena_reset(&w->arena);
                e = records_check(node->host, node->resolver, &w->arena, &plan, note_finding, w, &found);
                w->records_bad += found.bad;
                w->records_unknown += found.unknown;
        }
        w->is_records_known = e == ERR_OK;
        bool is_well = w->records_bad + w->records_unknown == 0;
        w->records_at_ms = host_now_ms(node->host) + (is_well ? WATCH_RECORDS_MS : WATCH_RECORDS_BAD_MS);
        return e;
}

/* ---- facts ---- */

/* A success since the last look, or nothing that could have had one, begins the time anew. */
static void note_time(int64_t now_ms, bool is_well, int64_t *since_ms)
{
        if (is_well)
                *since_ms = now_ms;
}

static enum err gather(struct watch *w, struct alarm_facts *f)
{
        struct lipap *node = w->node;
        struct store_backlog backlog;
        struct store_space space = store_space(node->store);
        int64_t now_ms = host_now_ms(node->host), wall_ms = host_wall_ms(node->host);
        *f = (struct alarm_facts){.certificate_s = INT64_MAX};
        enum err e = store_backlog(node->store, &backlog);
        if (e == ERR_OK)
                e = store_troubles_refused(node->store, &f->refused_messages);
        if (e != ERR_OK)
                return e;
        f->unsigned_messages = backlog.open;
        f->has_signed = w->has_looked && node->stats.handed_over != w->handed_over;
        f->has_delivered = w->has_looked && node->stats.delivered != w->delivered;
        f->oldest_age_ms = backlog.oldest_ms > 0 ? wall_ms - backlog.oldest_ms : 0;
        note_time(now_ms, !w->has_looked || f->has_signed || backlog.open == 0, &w->unsigned_ms);
        /* where nothing is new, what waits may be for a host that is away, and nothing else is to be delivered */
        w->has_fresh = (w->has_fresh || f->has_signed) && !f->has_delivered;
        note_time(now_ms, !w->has_looked || !w->has_fresh, &w->undelivered_ms);
        f->unsigned_for_ms = now_ms - w->unsigned_ms;
        f->undelivered_ms = now_ms - w->undelivered_ms;
        f->spool_used = space.used + space.reserved;
        f->spool_limit = space.share;
        f->is_tight = space.is_tight;
        f->records_bad = w->records_bad;
        f->records_unknown = w->records_unknown;
        f->is_records_known = w->is_records_known;
        if (node->identity.is_given && node->identity.context)
                f->certificate_s = tls_server_until(node->identity.context) - wall_ms / 1000;
        w->handed_over = node->stats.handed_over;
        w->delivered = node->stats.delivered;
        w->has_looked = true;
        return ERR_OK;
}

/* Not the admin's to mend, but what explains much else. */
static void look_at_clock(struct watch *w)
{
        struct host *h = w->node->host;
        int64_t clock_ms = host_wall_ms(h) - host_now_ms(h), jump_ms = clock_ms - w->clock_ms;
        if (jump_ms > WATCH_CLOCK_MS || jump_ms < -WATCH_CLOCK_MS) {
                struct log_line l;
                log_begin(&l, h, LOG_WARN, "watch", "clock-jumped");
                log_i64(&l, "seconds", jump_ms / 1000);
                log_end(&l);
        }
        w->clock_ms = clock_ms;
}

/* ---- telling ---- */

static struct str detail_of(struct watch *w, enum alarm alarm, bool is_over)
{
        struct wr text;
        if (is_over)
                return S("");
        if (alarm == ALARM_RECORDS)
                return str_of(w->records, w->records_n);
        if (alarm == ALARM_CERTIFICATE_ENDS)
                return S("");
        wr_init(&text, w->detail, sizeof w->detail);
        arena_reset(&w->arena);
        admin_text_queue(w->node, &w->arena, QUEUE_ROWS, &text);
        return wr_text(&text);
}

static enum err write_mail(struct watch *w, enum alarm alarm, bool is_over, struct admin_letter **out)
{
        const struct lipap *node = w->node;
        char subject[ALARM_SUBJECT_MAX], text[ALARM_TEXT_MAX + WATCH_DETAIL_MAX];
        struct wr s, t;
        wr_init(&s, subject, sizeof subject);
        wr_init(&t, text, sizeof text);
        alarm_subject_write(&s, alarm, is_over, node->hostname);
        alarm_text_write(&t, alarm, is_over, detail_of(w, alarm, is_over));
        struct admin_mail mail = {
                .subject = wr_text(&s), .text = wr_text(&t), .is_unsigned = admin_mail_goes_unsigned(node)};
        return admin_mail_write(w->node, &mail, out);
}

/* The row, and the mail that it speaks of. */
struct change {
        enum alarm alarm;
        struct store_alarm row;
        struct admin_letter *letter; /* NULL: nobody is told */
};

static enum err keep(struct store *s, void *ctx)
{
        const struct change *c = ctx;
        enum err e = store_alarm_put(s, alarm_name(c->alarm), &c->row);
        return e == ERR_OK && c->letter ? admin_mail_add(c->letter) : e;
}

static void log_alarm(struct watch *w, const struct change *c, const char *event, enum err e)
{
        struct log_line l;
        log_begin(&l, w->node->host, c->row.is_on || e != ERR_OK ? LOG_WARN : LOG_INFO, "watch", event);
        log_str(&l, "name", alarm_name(c->alarm));
        log_c(&l, "told", c->letter ? "the admin" : "nobody");
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
}

static enum err take_step(struct watch *w, struct change *c, enum alarm_step step)
{
        bool is_over = step == ALARM_TELL_OVER;
        enum err e = ERR_OK;
        if ((is_over || step == ALARM_TELL) && w->node->admin.n > 0)
                e = write_mail(w, c->alarm, is_over, &c->letter);
        if (e == ERR_OK)
                e = store_together(w->node->store, keep, c);
        if (e == ERR_OK)
                log_alarm(w, c, c->row.is_on ? "alarm" : "alarm-over", ERR_OK);
        else if (!w->has_failed[c->alarm] && e != ERR_CANCELLED)
                log_alarm(w, c, "alarm-not-kept", e);
        w->has_failed[c->alarm] = e != ERR_OK;
        if (c->letter)
                admin_mail_end(c->letter, e == ERR_OK);
        return e;
}

static enum err look_at(struct watch *w, enum alarm alarm, enum alarm_sign sign)
{
        struct store_alarm row;
        struct alarm_row next;
        enum err e = store_alarm_get(w->node->store, alarm_name(alarm), &row);
        if (e != ERR_OK)
                return e;
        struct alarm_row before = {
                .is_on = row.is_on, .is_told = row.is_told, .since_ms = row.since_ms, .told_ms = row.told_ms};
        enum alarm_step step = alarm_step(&before, sign, host_wall_ms(w->node->host), &next);
        w->node->alarms[alarm] = next.is_on;
        if (step == ALARM_SAME)
                return ERR_OK;
        struct change c = {.alarm = alarm,
                .row = {.is_on = next.is_on,
                        .is_told = next.is_told,
                        .since_ms = next.since_ms,
                        .told_ms = next.told_ms}};
        return take_step(w, &c, step);
}

/* ---- looking ---- */

void watch_init(struct watch *w, struct lipap *node, struct str selector, struct str arc_selector)
{
        int64_t now_ms = host_now_ms(node->host);
        *w = (struct watch){.node = node,
                .selector = selector,
                .arc_selector = arc_selector,
                .clock_ms = host_wall_ms(node->host) - now_ms,
                .records_at_ms = now_ms + WATCH_RECORDS_FIRST_MS};
        arena_init(&w->arena, w->memory, sizeof w->memory);
}

/* Trouble that a later look may not have. */
static bool is_final(enum err e)
{
        return e == ERR_CANCELLED || e == ERR_CLOSED;
}

enum err watch_look(struct watch *w)
{
        enum alarm_sign signs[ALARMS];
        struct alarm_facts facts;
        enum err e = ERR_OK;
        look_at_clock(w);
        if (host_now_ms(w->node->host) >= w->records_at_ms)
                e = look_at_records(w);
        if (e == ERR_OK)
                e = gather(w, &facts);
        if (e != ERR_OK)
                return is_final(e) ? e : ERR_OK;
        alarms_judge(&facts, signs);
        for (int i = 0; i < ALARMS; i++) {
                e = look_at(w, (enum alarm)i, signs[i]);
                if (is_final(e))
                        return e;
        }
        return ERR_OK;
}

void watch_run(void *config)
{
        const struct watch_config *c = config;
        struct sched *sched = c->node->host->sched;
        struct watch *w = malloc(sizeof *w);
        if (!w)
                return;
        watch_init(w, c->node, c->selector, c->arc_selector);
        while (watch_look(w) == ERR_OK && fiber_sleep(sched, WATCH_MS) == ERR_OK)
                ;
        free(w);
}
