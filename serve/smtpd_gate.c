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

static bool is_full(size_t count, size_t most)
{
        return most > 0 && count * 100 >= most * SMTPD_CROWDED_PERCENT;
}

/* Those for whom we do something just now are passed over: they are few, and not for long. */
static bool dismiss_one(struct smtpd_gate *g, struct smtpd_line *line, int64_t before_ms)
{
        for (struct smtpd_place *p = line->first; p && p->used_ms <= before_ms; p = p->next)
                if (p->is_idle && fiber_expire(p->fiber)) {
                        p->is_dismissed = true;
                        smtpd_place_leave(g, p);
                        g->dismissed++;
                        return true;
                }
        return false;
}

static int64_t idle_before_ms(const struct smtpd_gate *g, int64_t now_ms)
{
        return now_ms - (g->dismiss_ms > 0 ? g->dismiss_ms : SMTPD_DISMISS_AFTER_MS);
}

void smtpd_gate_make_room(struct smtpd_gate *g, int64_t now_ms)
{
        struct smtpd_line *older = &g->idle, *other = &g->idle_secured;
        int64_t before_ms = idle_before_ms(g, now_ms);
        if (!smtpd_gate_is_crowded(g))
                return;
        if (!older->first || (other->first && other->first->used_ms < older->first->used_ms)) {
                older = other;
                other = &g->idle;
        }
        if (!dismiss_one(g, older, before_ms))
                (void)dismiss_one(g, other, before_ms);
}

bool smtpd_gate_takes_message(struct smtpd_gate *g, int64_t now_ms)
{
        if (is_full(g->messages.count, g->messages_most))
                (void)dismiss_one(g, &g->messages, now_ms - SMTPD_SLOW_AFTER_MS);
        return g->messages_most == 0 || g->messages.count < g->messages_most;
}

bool smtpd_gate_takes_tls(struct smtpd_gate *g, int64_t now_ms)
{
        if (is_full(g->secured, g->secured_most))
                (void)dismiss_one(g, &g->idle_secured, idle_before_ms(g, now_ms));
        return g->secured_most == 0 || g->secured < g->secured_most;
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

static void take_out(struct smtpd_place *p)
{
        *p->link = p->next;
        if (p->next)
                p->next->link = p->link;
        else
                p->line->end = p->link;
        p->line->count--;
        p->link = NULL;
}

static void move(struct smtpd_line *line, struct smtpd_place *p, int64_t now_ms)
{
        if (!p->link)
                return;
        take_out(p);
        append(line, p, now_ms);
}

void smtpd_place_used(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        move(p->is_secured ? &g->idle_secured : &g->idle, p, now_ms);
}

void smtpd_place_in_message(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        move(&g->messages, p, now_ms);
}

void smtpd_place_secure(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        if (!p->link || p->is_secured)
                return;
        p->is_secured = true;
        g->secured++;
        smtpd_place_used(g, p, now_ms);
}

void smtpd_place_leave(struct smtpd_gate *g, struct smtpd_place *p)
{
        if (!p->link)
                return;
        take_out(p);
        g->secured -= p->is_secured;
        p->is_secured = false;
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
