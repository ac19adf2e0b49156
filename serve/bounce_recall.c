/* SPDX-License-Identifier: ISC */
#include "serve/bounce_judge.h"
#include "serve/providers.h"
#include "store/judge.h"

#define PAGE 40 /* rows of the longest address and reply, in the arena */

static struct judge_window *window_of(struct providers *providers, struct str address)
{
        char domain[SMTP_DOMAIN_MAX];
        size_t at = str_find_last_byte(address, '@');
        struct wr w;
        wr_init(&w, domain, sizeof domain);
        wr_lower(&w, str_take(str_skip(address, at + 1), sizeof domain));
        return providers_window(providers, wr_text(&w));
}

static void recall_one(struct providers *providers, const struct store_ended *one, bool is_bounce)
{
        if (one->is_delivered)
                judge_window_done(window_of(providers, one->address), one->time_ms);
        else if (judge_class_of(one->code, one->reply) != JUDGE_MESSAGE)
                (void)judge_window_failed(window_of(providers, one->address), one->time_ms, is_bounce);
}

/* All that is wanted. `*first_ms` is the time of the earliest one, or as it was. */
static enum err recall(struct lipap *node, struct providers *providers, struct arena *a,
        struct store_ended_wanted *wanted, int64_t *first_ms)
{
        size_t count = PAGE;
        enum err e = ERR_OK;
        wanted->limit = PAGE;
        while (e == ERR_OK && count == PAGE) {
                struct store_ended *rows;
                arena_reset(a);
                e = store_ended(node->store, wanted, a, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        recall_one(providers, &rows[i], wanted->are_bounces);
                        wanted->after[0] = rows[i].place[0];
                        wanted->after[1] = rows[i].place[1];
                        if (rows[i].time_ms < *first_ms)
                                *first_ms = rows[i].time_ms;
                }
        }
        return e;
}

enum err bounce_recall(struct lipap *node, struct providers *providers, struct arena *a, int64_t now_ms)
{
        struct store_ended_wanted results = {.since_ms = judge_window_begin_ms(now_ms), .upto_ms = now_ms};
        int64_t first_ms = now_ms;
        enum err e = recall(node, providers, a, &results, &first_ms);
        struct store_ended_wanted bounces = {.are_bounces = true, .since_ms = first_ms, .upto_ms = now_ms};
        return e == ERR_OK ? recall(node, providers, a, &bounces, &first_ms) : e;
}
