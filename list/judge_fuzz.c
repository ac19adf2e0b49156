/* SPDX-License-Identifier: ISC */
/* A member's life: each three bytes are one event, some time later; what is left is a reply to be classed. What list/judge.h
 * promises is held against every step. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "list/judge.h"

#define EVENTS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct life {
        struct judge_score score;
        int64_t now_ms, counted_day;
        bool is_open;
};

static void check_failure(struct life *l, unsigned what)
{
        const struct judge_failure f = {.class = (enum judge_class)(what % JUDGE_CLASSES),
                .is_smtp = what & 8,
                .is_probe = what & 16,
                .is_breaker_open = l->is_open,
                .now_ms = l->now_ms};
        struct judge_score before = l->score;
        (void)judge_heal(&before, l->now_ms);
        enum judge_verdict v = judge_failed(&l->score, &f);
        bool counts = judge_class_counts(f.class) && !f.is_breaker_open;
        CHECK(counts || l->score.halves == before.halves);
        CHECK(l->score.halves - before.halves <= JUDGE_ONE);
        if (l->score.halves > before.halves) {
                CHECK(!f.is_probe && l->counted_day != l->now_ms / JUDGE_DAY_MS);
                l->counted_day = l->now_ms / JUDGE_DAY_MS;
        }
        CHECK(v != JUDGE_REMOVE || (f.is_probe && counts && before.probe != JUDGE_PROBE_NONE));
        CHECK(v != JUDGE_PROBE ||
                (l->score.halves >= JUDGE_THRESHOLD && l->score.days >= JUDGE_DAYS && counts));
        if (v == JUDGE_PROBE)
                judge_probe_sent(&l->score, l->now_ms);
        if (v == JUDGE_REMOVE) { /* and joins again */
                l->score = (struct judge_score){0};
                l->counted_day = -1;
        }
}

static void live(struct life *l, unsigned event, unsigned what)
{
        struct judge_score before = l->score;
        switch (event % 5) {
        case 0:
        case 1:
                check_failure(l, what);
                break;
        case 2:
                judge_delivered(&l->score, what & 1, l->now_ms);
                CHECK(!before.is_smtp || l->score.halves == 0);
                break;
        case 3:
                l->is_open = what & 1;
                if (l->is_open)
                        judge_take_back(&l->score, l->now_ms - JUDGE_BREAKER_MS);
                break;
        default:
                if (judge_heal(&l->score, l->now_ms))
                        CHECK(l->score.halves == 0 && l->score.probe == JUDGE_PROBE_NONE);
        }
        CHECK(l->score.halves >= 0 && l->score.halves <= JUDGE_SCORE_MAX && l->score.days >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct life l = {.now_ms = 20000 * JUDGE_DAY_MS, .counted_day = -1};
        size_t at = 0;
        for (int i = 0; i < EVENTS_MAX && size - at >= 3; i++, at += 3) {
                l.now_ms += (int64_t)data[at] * (data[at] & 1 ? JUDGE_DAY_MS / 64 : 60 * 1000);
                live(&l, data[at + 1], data[at + 2]);
        }
        CHECK(judge_class_of(0, str_of(data + at, size - at)) < JUDGE_CLASSES);
        CHECK(judge_class_of(550, str_of(data, size)) < JUDGE_CLASSES);
        return 0;
}
