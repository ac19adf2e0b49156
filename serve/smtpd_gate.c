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

/* Those that do something for us just now are passed over: they are few, and not for long. */
void smtpd_gate_make_room(struct smtpd_gate *g, int64_t now_ms)
{
        int64_t before_ms = now_ms - (g->dismiss_ms > 0 ? g->dismiss_ms : SMTPD_DISMISS_AFTER_MS);
        if (!smtpd_gate_is_crowded(g))
                return;
        for (struct smtpd_place *p = g->first; p && p->used_ms <= before_ms; p = p->next)
                if (p->is_idle && fiber_expire(p->fiber)) {
                        p->is_dismissed = true;
                        smtpd_place_leave(g, p);
                        g->dismissed++;
                        return;
                }
}

static void append(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        if (!g->first)
                g->end = &g->first;
        p->used_ms = now_ms;
        p->next = NULL;
        p->link = g->end;
        *g->end = p;
        g->end = &p->next;
}

void smtpd_place_enter(struct smtpd_gate *g, struct smtpd_place *p, struct fiber *fiber, int64_t now_ms)
{
        p->fiber = fiber;
        append(g, p, now_ms);
}

void smtpd_place_used(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms)
{
        if (!p->link)
                return;
        smtpd_place_leave(g, p);
        append(g, p, now_ms);
}

void smtpd_place_leave(struct smtpd_gate *g, struct smtpd_place *p)
{
        if (!p->link)
                return;
        *p->link = p->next;
        if (p->next)
                p->next->link = p->link;
        else
                g->end = p->link;
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
