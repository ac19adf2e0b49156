/* SPDX-License-Identifier: ISC */
#include "tests/sim/health.h"

#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/buffer.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define DEAD_POINTS 2
#define FULL_POINTS 1
#define ENOUGH 6    /* points, for a question and a removal */
#define DEAD_DAYS 3 /* then somebody must go, */
#define PATIENCE_MS \
        (9 * DAY_MS)   /* within this: a question may be lost, and the next one comes a week later */
#define WORD_MS DAY_MS /* in which moderators hear of it */
#define REPORT_MS (6 * DAY_MS + DAY_MS / 2)
#define DIGEST_MS (DAY_MS - DAY_MS / 24)

/* What is known of one member's mailbox. */
struct mailbox {
        uint32_t list;
        struct str address; /* owned */
        unsigned points, dead_days;
        int64_t day;        /* of the last fault that counted, */
        unsigned day_worth; /* which was worth that */
        int64_t dead_ms;    /* since it has been dead for DEAD_DAYS days */
        int64_t gone_ms;    /* since the list may have removed it for that; 0: never */
        bool is_bounce;     /* the last fault was told by a bounce */
        bool is_told;       /* a moderator has heard that it was removed */
};

struct paper {
        uint32_t list;
        enum health_paper what;
        struct str to, about; /* owned */
        int64_t at_ms;
};

struct health {
        struct ledger *ledger;
        struct mailbox *boxes;
        struct paper *papers;
        size_t box_count, box_cap, paper_count, paper_cap;
};

struct health *health_new(struct ledger *ledger)
{
        struct health *h = calloc(1, sizeof *h);
        CHECK(h);
        h->ledger = ledger;
        return h;
}

static void paper_free(struct paper *p)
{
        str_free(p->to);
        str_free(p->about);
}

void health_free(struct health *h)
{
        if (!h)
                return;
        for (size_t i = 0; i < h->box_count; i++)
                str_free(h->boxes[i].address);
        for (size_t i = 0; i < h->paper_count; i++)
                paper_free(&h->papers[i]);
        free(h->boxes);
        free(h->papers);
        free(h);
}

static struct mailbox *find(const struct health *h, uint32_t list, struct str address)
{
        for (size_t i = 0; i < h->box_count; i++)
                if (h->boxes[i].list == list && str_eq_nocase(h->boxes[i].address, address))
                        return &h->boxes[i];
        return NULL;
}

static bool is_member(const struct health *h, const struct mailbox *box)
{
        return ledger_membership(h->ledger, box->list, box->address) != LEDGER_OUT;
}

/* ---- what mail hosts said ---- */

void health_fails(
        struct health *h, uint32_t list, struct str address, enum health_fault fault, bool is_bounce)
{
        unsigned worth = fault == HEALTH_DEAD ? DEAD_POINTS : FULL_POINTS;
        int64_t now = ledger_now_ms(h->ledger), day = now / DAY_MS;
        struct mailbox *box = find(h, list, address);
        if (fault == HEALTH_OURS || !ledger_is_known(h->ledger, list, address))
                return;
        if (!box) {
                h->boxes = array_grow(h->boxes, h->box_count, &h->box_cap, sizeof *h->boxes);
                box = &h->boxes[h->box_count++];
                *box = (struct mailbox){.list = list, .address = str_copy(address), .day = -1};
        }
        unsigned had = box->day == day ? box->day_worth : 0;
        box->points += worth > had ? worth - had : 0;
        box->dead_days += worth == DEAD_POINTS && had < worth;
        box->dead_ms = box->dead_days == DEAD_DAYS && worth > had ? now : box->dead_ms;
        box->day_worth = worth > had ? worth : had;
        box->day = day;
        box->is_bounce = is_bounce;
        if (box->points < ENOUGH || box->gone_ms > 0 || !is_member(h, box))
                return;
        box->gone_ms = now;
        ledger_member(h->ledger, list, address, LEDGER_MAYBE);
}

/* A mailbox that was dead in SMTP lives again. Once it may have been removed, that cannot be known any more. */
void health_takes(struct health *h, uint32_t list, struct str address)
{
        struct mailbox *box = find(h, list, address);
        if (!box || box->is_bounce)
                return;
        box->dead_days = 0;
        if (box->gone_ms == 0)
                box->points = 0;
}

/* ---- what lists wrote ---- */

void health_asks(struct health *h, uint32_t list, struct str address)
{
        const struct mailbox *box = find(h, list, address);
        if (!box || box->points < ENOUGH)
                ledger_violate(h->ledger, "judged",
                        "%.*s was asked or removed for a mailbox that had %u of %d points", STR_ARG(address),
                        box ? box->points : 0, ENOUGH);
}

bool health_may_tell(const struct health *h, struct str address)
{
        for (size_t i = 0; i < h->box_count; i++)
                if (h->boxes[i].gone_ms > 0 && str_eq_nocase(h->boxes[i].address, address))
                        return true;
        return false;
}

void health_tells(struct health *h, uint32_t list, struct str address)
{
        struct mailbox *box = find(h, list, address);
        health_asks(h, list, address);
        if (!box || box->gone_ms == 0)
                return;
        box->is_told = true;
        if (is_member(h, box))
                ledger_member(h->ledger, list, address, LEDGER_OUT);
}

static struct paper *last_like(const struct health *h, const struct paper *p)
{
        for (size_t i = 0; i < h->paper_count; i++)
                if (h->papers[i].list == p->list && h->papers[i].what == p->what &&
                        str_eq_nocase(h->papers[i].to, p->to) && str_eq(h->papers[i].about, p->about))
                        return &h->papers[i];
        return NULL;
}

void health_writes(struct health *h, uint32_t list, struct str to, enum health_paper what, struct str about)
{
        static const struct {
                const char *invariant, *name;
                int64_t pause_ms;
        } rules[] = {[HEALTH_DIGEST] = {"digest", "digest", DIGEST_MS},
                [HEALTH_REPORT] = {"digest", "report", REPORT_MS},
                [HEALTH_BREAKER] = {"digest", "warning", DIGEST_MS},
                [HEALTH_ALARM] = {"alarm", "alarm", DIGEST_MS}};
        struct paper new = {list, what, to, about, ledger_now_ms(h->ledger)}, *last = last_like(h, &new);
        if (!last) {
                new.to = str_copy(to);
                new.about = str_copy(about);
                h->papers = array_grow(h->papers, h->paper_count, &h->paper_cap, sizeof *h->papers);
                h->papers[h->paper_count++] = new;
                return;
        }
        if (new.at_ms - last->at_ms < rules[what].pause_ms)
                ledger_violate(h->ledger, rules[what].invariant,
                        "%.*s got a second %s about \"%.*s\" %lld minutes after the first", STR_ARG(to),
                        rules[what].name, STR_ARG(about), (long long)((new.at_ms - last->at_ms) / 60000));
        last->at_ms = new.at_ms;
}

/* ---- the end ---- */

void health_judge(
        struct health *h, bool (*is_there)(void *ctx, struct str list, struct str address), void *ctx)
{
        int64_t now = ledger_now_ms(h->ledger);
        for (size_t i = 0; i < h->box_count; i++) {
                const struct mailbox *box = &h->boxes[i];
                struct str list = ledger_list_address(h->ledger, box->list);
                bool is_in = is_there(ctx, list, box->address);
                if (is_in && box->dead_days >= DEAD_DAYS && now - box->dead_ms > PATIENCE_MS)
                        ledger_violate(h->ledger, "judged",
                                "%.*s is still on %.*s, and dead on %u days of mail", STR_ARG(box->address),
                                STR_ARG(list), box->dead_days);
                if (!is_in && box->gone_ms > 0 && !box->is_told && is_member(h, box) &&
                        now - box->gone_ms > PATIENCE_MS + WORD_MS)
                        ledger_violate(h->ledger, "judged",
                                "%.*s was removed from %.*s, and no moderator has heard of it",
                                STR_ARG(box->address), STR_ARG(list));
        }
}
