/* SPDX-License-Identifier: ISC */
#include "serve/delivery_line.h"

#include <stdlib.h>
#include <string.h>

struct delivery_job *delivery_job_new(const struct store_delivery *row, int64_t since_ms)
{
        struct delivery_job *job = calloc(1, sizeof *job + row->address.n + row->domain.n);
        if (!job)
                return NULL;
        *job = (struct delivery_job){.id = row->id,
                .message = row->message,
                .list = row->list,
                .member = row->member,
                .attempts = row->attempts,
                .first_ms = row->first_ms,
                .since_ms = since_ms,
                .is_urgent = row->member == 0};
        memcpy(job->text, row->address.p, row->address.n);
        memcpy(job->text + row->address.n, row->domain.p, row->domain.n);
        job->address = str_of(job->text, row->address.n);
        job->domain = str_of(job->text + row->address.n, row->domain.n);
        return job;
}

/* Behind `before`, or in front of all when that is NULL. */
static void insert(struct delivery_line *line, struct delivery_job *before, struct delivery_job *job)
{
        struct delivery_job **at = before ? &before->next : &line->first;
        job->next = *at;
        *at = job;
        if (!job->next)
                line->last = job;
        if (job->is_urgent && before == line->last_urgent)
                line->last_urgent = job;
        line->count++;
}

static void take_out(struct delivery_line *line, struct delivery_job *before, struct delivery_job *job)
{
        *(before ? &before->next : &line->first) = job->next;
        if (line->last == job)
                line->last = before;
        if (line->last_urgent == job)
                line->last_urgent = before; /* in front of an urgent one stand urgent ones */
        line->count--;
        job->next = NULL;
}

void delivery_line_add(struct delivery_line *line, struct delivery_job *job)
{
        insert(line, job->is_urgent ? line->last_urgent : line->last, job);
}

void delivery_line_put_back(struct delivery_line *line, struct delivery_job *job)
{
        insert(line, job->is_urgent ? NULL : line->last_urgent, job);
}

struct delivery_job *delivery_line_take(struct delivery_line *line)
{
        struct delivery_job *job = line->first;
        if (job)
                take_out(line, NULL, job);
        return job;
}

struct delivery_job *delivery_line_take_fit(struct delivery_line *line, size_t look,
        bool (*fits)(const void *ctx, const struct delivery_job *job), const void *ctx)
{
        struct delivery_job *before = NULL, *job = line->first;
        for (; job && look > 0; before = job, job = job->next, look--)
                if (fits(ctx, job)) {
                        take_out(line, before, job);
                        return job;
                }
        return NULL;
}

struct delivery_job *delivery_line_cut(
        struct delivery_line *line, size_t keep, struct delivery_job **chain_end)
{
        struct delivery_job *before = line->first, *cut;
        bool was_urgent_passed = !line->last_urgent;
        size_t n = 1;
        *chain_end = NULL;
        for (; before; before = before->next, n++) {
                was_urgent_passed = was_urgent_passed || before == line->last_urgent;
                if (n >= keep && was_urgent_passed)
                        break;
        }
        cut = before ? before->next : NULL;
        if (!cut)
                return NULL;
        *chain_end = line->last;
        before->next = NULL;
        line->last = before;
        line->count = n;
        return cut;
}
