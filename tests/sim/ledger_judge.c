/* SPDX-License-Identifier: ISC */
/* The end: what the image says, and what everything comes to. */
#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/ledger_inside.h"

/* ---- what the image says ---- */

/* Whether a message id is that of a try: a letter without one matches an empty one. */
static bool is_named(const struct ledger *l, const struct ledger_entry *e, struct str message_id)
{
        struct str name, domain;
        if (message_id.n == 0)
                return e->is.shape == LETTER_BARE;
        if (str_has_prefix(message_id, S("<")))
                message_id = str_skip(message_id, 1);
        return str_cut(message_id, '@', &name, &domain) &&
               ledger_try_find(l, name) == (uint32_t)(e - l->entries);
}

static void note_image(struct ledger *l, struct ledger_entry *e, struct str address, bool is_failed)
{
        if (address.n == 0) {
                e->is_queued = true;
                return;
        }
        for (size_t i = 0; i < e->is.target_count; i++) {
                uint32_t person = ledger_person_find(&l->rolls[e->is.targets[i]], address);
                if (person == LEDGER_NONE)
                        continue;
                struct ledger_cell *c = ledger_cell_of(l, e, i, person);
                l->failed += is_failed && !c->is_failed;
                c->is_failed = c->is_failed || is_failed;
                c->is_queued = c->is_queued || !is_failed;
        }
}

static void note_named(struct ledger *l, struct str message_id, struct str address, bool is_failed)
{
        for (size_t i = 0; i < l->entry_count; i++)
                if (is_named(l, &l->entries[i], message_id))
                        note_image(l, &l->entries[i], address, is_failed);
}

void ledger_failed(struct ledger *l, struct str message_id, struct str address)
{
        if (address.n > 0)
                note_named(l, message_id, address, true);
}

void ledger_queued(struct ledger *l, struct str message_id, struct str address)
{
        note_named(l, message_id, address, false);
}

void ledger_image_again(struct ledger *l)
{
        for (size_t i = 0; i < l->entry_count; i++) {
                struct ledger_entry *e = &l->entries[i];
                e->is_queued = false;
                for (size_t t = 0; t < e->is.target_count; t++)
                        for (size_t c = 0; c < e->cell_count[t]; c++)
                                e->cells[t][c].is_failed = e->cells[t][c].is_queued = false;
        }
        l->failed = 0;
        l->settled = 0;
}

/* ---- lost ---- */

/* Somebody has a copy: so it was kept, and everybody must have one. */
bool ledger_was_taken(const struct ledger_entry *e)
{
        return e->is.fate == LEDGER_ACCEPTED || (e->is.fate == LEDGER_UNKNOWN && e->copies > 0);
}

/* The first person from `from` on who lacks a copy through one target; LEDGER_NONE. */
static uint32_t find_lacking(
        const struct ledger *l, const struct ledger_entry *e, size_t target, uint32_t from)
{
        const struct ledger_roll *r = &l->rolls[e->is.targets[target]];
        if (!ledger_was_taken(e) || e->is_queued)
                return LEDGER_NONE;
        for (uint32_t i = from; i < r->count; i++) {
                static const struct ledger_cell nothing;
                const struct ledger_cell *c = i < e->cell_count[target] ? &e->cells[target][i] : &nothing;
                if (c->copies == 0 && !c->is_failed && !c->is_queued &&
                        ledger_is_due(r, &r->people[i], e, target))
                        return i;
        }
        return LEDGER_NONE;
}

static bool is_settled(const struct ledger *l, const struct ledger_entry *e)
{
        size_t t = 0;
        while (t < e->is.target_count && find_lacking(l, e, t, 0) == LEDGER_NONE)
                t++;
        return t == e->is.target_count;
}

bool ledger_is_settled(struct ledger *l)
{
        size_t i = l->settled;
        for (; i < l->entry_count && is_settled(l, &l->entries[i]); i++)
                if (i == l->settled && l->entries[i].is.fate >= LEDGER_REFUSED)
                        l->settled++; /* nothing can change that any more */
        return i == l->entry_count;
}

static void judge_lost(struct ledger *l, const struct ledger_entry *e)
{
        struct ledger_span at = ledger_since(l, e->is.ended_ms);
        for (size_t t = 0; t < e->is.target_count; t++) {
                const struct ledger_roll *r = &l->rolls[e->is.targets[t]];
                uint32_t i = find_lacking(l, e, t, 0);
                for (; i != LEDGER_NONE; i = find_lacking(l, e, t, i + 1))
                        ledger_violate(l, "lost",
                                "post %.*s (%s) %s to author %s at %lld.%03d s, never to member %.*s",
                                STR_ARG(e->is.post), e->is.name,
                                e->is.fate == LEDGER_ACCEPTED ? "answered 250" : "kept without an answer",
                                e->is.author, (long long)at.s, at.ms, STR_ARG(r->people[i].address));
        }
}

/* ---- failed ---- */

#define GIVEN_UP_MS (4LL * 24 * 60 * 60 * 1000) /* RFC 5321 4.5.4.1: the least that must be tried */

static void judge_failed(struct ledger *l, const struct ledger_entry *e)
{
        if (ledger_now_ms(l) - e->is.ended_ms >= GIVEN_UP_MS)
                return;
        for (size_t t = 0; t < e->is.target_count; t++) {
                const struct ledger_roll *r = &l->rolls[e->is.targets[t]];
                for (size_t i = 0; i < e->cell_count[t]; i++)
                        if (e->cells[t][i].is_failed && !r->people[i].is_refused)
                                ledger_violate(l, "failed",
                                        "post %.*s (%s) is recorded as failed for %.*s, whom nobody refused",
                                        STR_ARG(e->is.post), e->is.name, STR_ARG(r->people[i].address));
        }
}

/* ---- duplicate ---- */

/* Did something befall the connection of a copy at its final dot, so that its outcome could not be known, or not be
 * kept? Never when the other side went on: it says nothing more on a connection before the outcome is on its disk. */
bool ledger_is_excused(const struct ledger *l, uint32_t connection, uint32_t dot)
{
        const struct ledger_link *k = &l->links[connection];
        if (dot != k->dots || k->is_acknowledged)
                return false;
        return k->is_faulty || k->end == LEDGER_RESET || k->end == LEDGER_SILENCE || k->end == LEDGER_DIED ||
               k->end == LEDGER_DROPPED;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
        return (a > b) - (a < b);
}

/* Copies of one try for one person beside each other, in the order of their arrival. */
static int compare_copies(const void *pa, const void *pb)
{
        const struct ledger_copy *const *a = pa, *const *b = pb;
        int by = compare_numbers((*a)->try, (*b)->try);
        by = by ? by : compare_numbers((*a)->target, (*b)->target);
        by = by ? by : compare_numbers((*a)->member, (*b)->member);
        return by ? by : (*a > *b) - (*a < *b); /* places in one array */
}

static bool is_same(const struct ledger_copy *a, const struct ledger_copy *b)
{
        return a->try == b->try && a->target == b->target && a->member == b->member;
}

/* `n` copies of one try for one person: all but one of them must be excused. */
static void judge_copies(struct ledger *l, const struct ledger_copy *const *copies, size_t n)
{
        const struct ledger_copy *first = NULL, *second = NULL;
        for (size_t i = 0; i < n; i++) {
                if (ledger_is_excused(l, copies[i]->connection, copies[i]->dot))
                        continue;
                second = first ? copies[i] : NULL;
                first = first ? first : copies[i];
                if (second)
                        break;
        }
        l->duplicates += n - 1;
        if (!second)
                return;
        const struct ledger_entry *e = &l->entries[first->try];
        const struct ledger_roll *r = &l->rolls[e->is.targets[first->target]];
        struct ledger_span one = ledger_since(l, first->at_ms), two = ledger_since(l, second->at_ms);
        ledger_violate(l, "duplicate",
                "post %.*s (%s) came to %.*s at %lld.%03d s, nothing befell that, and at %lld.%03d s again",
                STR_ARG(e->is.post), e->is.name, STR_ARG(r->people[first->member].address), (long long)one.s,
                one.ms, (long long)two.s, two.ms);
}

static void judge_duplicates(struct ledger *l)
{
        size_t n = l->copy_count;
        const struct ledger_copy **sorted = malloc((n + 1) * sizeof *sorted);
        CHECK(sorted);
        for (size_t i = 0; i < n; i++)
                sorted[i] = &l->copies[i];
        qsort(sorted, n, sizeof *sorted, compare_copies);
        for (size_t i = 0, run; i < n; i += run) {
                for (run = 1; i + run < n && is_same(sorted[i], sorted[i + run]);)
                        run++;
                if (run > 1)
                        judge_copies(l, sorted + i, run);
        }
        free(sorted);
}

/* ---- all ---- */

void ledger_judge(struct ledger *l)
{
        for (size_t i = 0; i < l->entry_count; i++) {
                struct ledger_entry *e = &l->entries[i];
                judge_lost(l, e);
                judge_failed(l, e);
                if (e->copies > 0 && !ledger_was_taken(e) && !e->is_invented)
                        ledger_violate(l, "invented",
                                "post %.*s (%s) answered %u to author %s has come to %zu people",
                                STR_ARG(e->is.post), e->is.name, e->is.code, e->is.author, e->copies);
        }
        judge_duplicates(l);
}

static bool is_first_of_post(const struct ledger *l, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (str_eq(l->entries[k].is.post, l->entries[i].is.post))
                        return false;
        return true;
}

struct ledger_sum ledger_sum(const struct ledger *l)
{
        struct ledger_sum sum = {.tries = l->entry_count,
                .copies = l->copy_count,
                .duplicates = l->duplicates,
                .failed = l->failed,
                .connections = l->link_count};
        for (size_t i = 0; i < l->entry_count; i++) {
                enum ledger_fate fate = l->entries[i].is.fate;
                sum.posts += is_first_of_post(l, i);
                sum.accepted += fate == LEDGER_ACCEPTED;
                sum.refused += fate == LEDGER_REFUSED;
                sum.unknown += fate == LEDGER_UNKNOWN;
                sum.unsent += fate == LEDGER_UNSENT;
        }
        for (size_t i = 0; i < l->link_count; i++)
                sum.cut += l->links[i].end != LEDGER_QUIT;
        return sum;
}
