/* SPDX-License-Identifier: ISC */
/* What notices of the judge of bounces show of the store, streamed into their mail: a digest, a bounce. */
#include "list/report.h"
#include "list/setting.h"
#include "serve/mailer_internal.h"
#include "store/judge.h"

#define PAGE 100
#define DIGEST_LINES_MAX 100   /* deliveries that are named */
#define DIGEST_ROWS_MAX 200000 /* that are counted: a few seconds, in between what others do */

/* The numbers of NOTICE_DIGEST. */
struct range {
        int64_t failures, last_failure, verdicts, last_verdict;
};

static bool read_range(struct str text, struct range *out)
{
        int64_t *const numbers[] = {&out->failures, &out->last_failure, &out->verdicts, &out->last_verdict};
        for (size_t i = 0; i < 4; i++) {
                struct str word;
                uint64_t n;
                (void)str_cut(text, ' ', &word, &text);
                if (str_to_u64(word, INT64_MAX, &n) != ERR_OK)
                        return false;
                *numbers[i] = (int64_t)n;
        }
        return true;
}

/* ---- a digest ---- */

struct digest {
        struct mailer *m;
        struct store_intake *intake;
        struct str language;
        int64_t list;
        struct range range;
        struct report_counts counts;
        uint64_t failures, shown;
        struct arena begin;
};

/* The next page of failures above `*after`. */
static enum err page_of_failures(struct digest *d, int64_t *after, struct store_failure **rows, size_t *count)
{
        const struct store_verdicts_wanted wanted = {
                .list = d->list, .after = *after, .upto = d->range.last_failure, .limit = PAGE};
        d->m->arena = d->begin;
        enum err e = store_failures_of(d->m->node->store, &wanted, &d->m->arena, rows, count);
        if (e == ERR_OK && *count > 0)
                *after = (*rows)[*count - 1].id;
        return e;
}

static enum err count_failures(struct digest *d)
{
        int64_t after = d->range.failures;
        size_t count = PAGE;
        enum err e = ERR_OK;
        while (e == ERR_OK && count == PAGE && d->failures < DIGEST_ROWS_MAX) {
                struct store_failure *rows;
                e = page_of_failures(d, &after, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++)
                        d->counts.of[judge_class_of(rows[i].code, rows[i].reply)]++;
                d->failures += count;
        }
        return e;
}

static enum err put_lines(struct digest *d, const struct wr *w)
{
        return mailer_lines(d->m, d->intake, wr_text(w));
}

static enum err write_counts(struct digest *d)
{
        char room[REPORT_LINE_MAX];
        struct wr w;
        wr_init(&w, room, sizeof room);
        report_counts_write(&w, d->language, &d->counts);
        wr_byte(&w, '\n');
        return put_lines(d, &w);
}

static enum err write_verdicts(struct digest *d)
{
        static const enum report_event events[] = {[STORE_VERDICT_PROBED] = REPORT_PROBED,
                [STORE_VERDICT_REMOVED] = REPORT_REMOVED,
                [STORE_VERDICT_BREAKER] = REPORT_BREAKER};
        const struct store_verdicts_wanted wanted = {.list = d->list,
                .after = d->range.verdicts,
                .upto = d->range.last_verdict,
                .limit = DIGEST_LINES_MAX};
        struct store_verdict *rows;
        size_t count;
        d->m->arena = d->begin;
        enum err e = store_verdicts(d->m->node->store, &wanted, &d->m->arena, &rows, &count);
        for (size_t i = 0; e == ERR_OK && i < count; i++) {
                char room[REPORT_LINE_MAX];
                struct wr w;
                if (rows[i].kind < STORE_VERDICT_PROBED || rows[i].kind > STORE_VERDICT_BREAKER)
                        continue;
                wr_init(&w, room, sizeof room);
                report_event_write(&w, d->language, events[rows[i].kind], rows[i].address);
                if (i + 1 == count)
                        wr_byte(&w, '\n');
                e = put_lines(d, &w);
        }
        return e;
}

static enum err write_failures(struct digest *d)
{
        int64_t after = d->range.failures;
        size_t count = PAGE;
        enum err e = ERR_OK;
        char room[REPORT_LINE_MAX];
        struct wr w;
        while (e == ERR_OK && count == PAGE && d->shown < DIGEST_LINES_MAX) {
                struct store_failure *rows;
                e = page_of_failures(d, &after, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count && d->shown < DIGEST_LINES_MAX; i++) {
                        wr_init(&w, room, sizeof room);
                        report_failure_write(&w, rows[i].address, rows[i].reply);
                        e = put_lines(d, &w);
                        d->shown++;
                }
        }
        if (e != ERR_OK || d->failures <= d->shown)
                return e;
        wr_init(&w, room, sizeof room);
        report_more_write(&w, d->language, d->failures - d->shown);
        return put_lines(d, &w);
}

enum err mailer_digest(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        struct digest d = {.m = m,
                .intake = intake,
                .language = l->settings.v[SETTING_LANGUAGE],
                .list = l->list.id,
                .begin = m->arena};
        if (!read_range(l->data.text, &d.range))
                return ERR_NOT_FOUND;
        enum err e = count_failures(&d);
        if (e == ERR_OK)
                e = write_counts(&d);
        if (e == ERR_OK)
                e = write_verdicts(&d);
        if (e == ERR_OK)
                e = write_failures(&d);
        m->arena = d.begin;
        return e;
}

/* ---- a bounce ---- */

/* The last bounce of who was removed, line by line; else what was said in SMTP. */
enum err mailer_bounce(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        struct arena before = m->arena;
        struct str word, said, bytes = S("");
        uint64_t member;
        (void)str_cut(l->data.text, '\n', &word, &said);
        enum err e = str_to_u64(word, INT64_MAX, &member) != ERR_OK
                             ? ERR_NOT_FOUND
                             : store_bounce_get(m->node->store, (int64_t)member, &m->arena, &bytes);
        if (e == ERR_OK || e == ERR_NOT_FOUND)
                e = mailer_lines(m, intake, said);
        if (e == ERR_OK && bytes.n > 0)
                e = mailer_lines(m, intake, S("\n\n"));
        if (e == ERR_OK)
                e = mailer_lines(m, intake, bytes);
        m->arena = before;
        return e;
}
