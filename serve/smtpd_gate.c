/* SPDX-License-Identifier: ISC */
#include "serve/smtpd_gate.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/limits.h"

static size_t places(const struct smtpd_gate *g, bool is_favoured)
{
        CHECK(g->reserved < g->most);
        return is_favoured ? g->most : g->most - g->reserved;
}

bool smtpd_gate_has_place(const struct smtpd_gate *g, bool is_favoured)
{
        return g->open < places(g, is_favoured);
}

bool smtpd_gate_is_crowded(const struct smtpd_gate *g)
{
        return g->open * 100 >= places(g, false) * SMTPD_CROWDED_PERCENT;
}

/* Those for whom we do something just now are passed over: they are few, and not for long. */
static void dismiss_one(struct smtpd_gate *g, struct smtpd_line *line, int64_t before_ms)
{
        for (struct smtpd_place *p = line->first; p && p->used_ms <= before_ms; p = p->next)
                if (p->is_idle && fiber_expire(p->fiber)) {
                        p->is_dismissed = true;
                        smtpd_place_leave(p);
                        g->dismissed++;
                        return;
                }
}

void smtpd_gate_make_room(struct smtpd_gate *g, int64_t now_ms)
{
        int64_t after_ms = g->dismiss_ms > 0 ? g->dismiss_ms : SMTPD_DISMISS_AFTER_MS;
        if (smtpd_gate_is_crowded(g))
                dismiss_one(g, &g->idle, now_ms - after_ms);
}

bool smtpd_gate_takes_message(struct smtpd_gate *g, int64_t now_ms)
{
        if (g->messages_most == 0)
                return true;
        if (g->messages.count * 100 >= g->messages_most * SMTPD_CROWDED_PERCENT)
                dismiss_one(g, &g->messages, now_ms - SMTPD_SLOW_AFTER_MS);
        return g->messages.count < g->messages_most;
}

static void append(struct smtpd_line *line, struct smtpd_place *p, int64_t now_ms)
{
        if (!line->first)
                line->end = &line->first;
        p->used_ms = now_ms;
        p->next = NULL;
        p->link = line->end;
        p->line = line;
        *line->end = p;
        line->end = &p->next;
        line->count++;
}

void smtpd_place_enter(struct smtpd_gate *g, struct smtpd_place *p, struct fiber *fiber, int64_t now_ms)
{
        p->fiber = fiber;
        append(&g->idle, p, now_ms);
}

static void move(struct smtpd_line *line, struct smtpd_place *p, int64_t now_ms)
{
        if (!p->link)
                return;
        smtpd_place_leave(p);
        append(line, p, now_ms);
}

void smtpd_place_used(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        move(&g->idle, p, now_ms);
}

void smtpd_place_in_message(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        move(&g->messages, p, now_ms);
}

void smtpd_place_leave(struct smtpd_place *p)
{
        if (!p->link)
                return;
        *p->link = p->next;
        if (p->next)
                p->next->link = p->link;
        else
                p->line->end = p->link;
        p->line->count--;
        p->link = NULL;
}

union smtpd_buffers *smtpd_gate_take(struct smtpd_gate *g)
{
        union smtpd_buffers *b = g->spare;
        if (!b)
                return malloc(sizeof *b); /* not cleared: they cost no pages until they are used */
        g->spare = b->next;
        g->spare_count--;
        return b;
}

void smtpd_gate_give(struct smtpd_gate *g, union smtpd_buffers *b)
{
        if (!b || g->spare_count == SMTPD_SPARE_MAX) {
                free(b);
                return;
        }
        b->next = g->spare;
        g->spare = b;
        g->spare_count++;
}

void smtpd_gate_drop(struct smtpd_gate *g)
{
        for (union smtpd_buffers *b; (b = g->spare) != NULL; free(b))
                g->spare = b->next;
        g->spare_count = 0;
}
