/* SPDX-License-Identifier: ISC */
/* The ledger's other side: connections to mail hosts, and what came through them. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/sim/buffer.h"
#include "tests/sim/ledger_inside.h"

static struct ledger_link *link_of(struct ledger *l, uint32_t connection)
{
        CHECK(connection < l->link_count);
        return &l->links[connection];
}

uint32_t ledger_connection(struct ledger *l, const char *host)
{
        l->links = array_grow(l->links, l->link_count, &l->link_cap, sizeof *l->links);
        l->links[l->link_count] = (struct ledger_link){.host = host};
        ledger_trace(l, host, "connection %zu", l->link_count);
        return (uint32_t)l->link_count++;
}

void ledger_connection_dot(struct ledger *l, uint32_t connection)
{
        struct ledger_link *k = link_of(l, connection);
        k->dots++;
        k->is_acknowledged = false;
        k->is_faulty = k->is_next_faulty;
        k->is_next_faulty = false;
        ledger_trace(l, k->host, "connection %u dot %u", (unsigned)connection, (unsigned)k->dots);
}

uint32_t ledger_connection_dots(const struct ledger *l, uint32_t connection)
{
        CHECK(connection < l->link_count);
        return l->links[connection].dots;
}

void ledger_connection_answered(struct ledger *l, uint32_t connection, unsigned code)
{
        const struct ledger_link *k = link_of(l, connection);
        ledger_trace(l, k->host, "connection %u dot %u answered %u", (unsigned)connection, (unsigned)k->dots,
                code);
}

void ledger_connection_acknowledged(struct ledger *l, uint32_t connection)
{
        link_of(l, connection)->is_acknowledged = true;
}

static bool is_cut_perhaps(const struct ledger *l, const char *host)
{
        for (size_t i = 0; i < l->cutting_count; i++) {
                const struct ledger_cutting *c = &l->cuttings[i];
                if (ledger_now_ms(l) < c->until_ms && (!c->host || str_eq(str_of_c(c->host), str_of_c(host))))
                        return true;
        }
        return false;
}

void ledger_fault_lasts(struct ledger *l, const char *host, int64_t until_ms)
{
        l->cuttings = array_grow(l->cuttings, l->cutting_count, &l->cutting_cap, sizeof *l->cuttings);
        l->cuttings[l->cutting_count++] = (struct ledger_cutting){host, until_ms};
}

void ledger_connection_end(struct ledger *l, uint32_t connection, enum ledger_end how)
{
        static const char *const words[] = {[LEDGER_OPEN] = "open",
                [LEDGER_QUIT] = "quit",
                [LEDGER_EOF] = "eof",
                [LEDGER_RESET] = "reset",
                [LEDGER_SILENCE] = "silence",
                [LEDGER_DROPPED] = "dropped",
                [LEDGER_CLOSED] = "closed",
                [LEDGER_DIED] = "died"};
        struct ledger_link *k = link_of(l, connection);
        k->end = how;
        k->ended_ms = ledger_now_ms(l);
        k->is_acknowledged = k->is_acknowledged || how == LEDGER_QUIT;
        k->is_faulty = k->is_faulty || (how == LEDGER_CLOSED && is_cut_perhaps(l, k->host));
        ledger_trace(l, k->host, "connection %u ended: %s", (unsigned)connection, words[how]);
}

#define OUTCOME_KEPT_MS 10000 /* with a disk whose flushes take seconds */

/* Open, or ended without QUIT so lately that the outcome may not be on the other side's disk yet: closed by the mail
 * host, or by the other side that is about to end. */
static bool is_under_way(const struct ledger *l, const struct ledger_link *k)
{
        return k->end == LEDGER_OPEN || ((k->end == LEDGER_CLOSED || k->end == LEDGER_EOF) &&
                                                ledger_now_ms(l) - k->ended_ms < OUTCOME_KEPT_MS);
}

void ledger_fault(struct ledger *l, const char *host, const char *why)
{
        ledger_trace(l, host ? host : "ledger", "fault %s", why);
        l->fault_ms = ledger_now_ms(l);
        for (size_t i = 0; i < l->link_count; i++) {
                struct ledger_link *k = &l->links[i];
                if (!is_under_way(l, k) || (host && !str_eq(str_of_c(host), str_of_c(k->host))))
                        continue;
                k->is_faulty = !k->is_acknowledged;
                k->is_next_faulty = true;
        }
}

int64_t ledger_fault_ms(const struct ledger *l)
{
        return l->fault_ms;
}

void ledger_refusal(struct ledger *l, struct str address)
{
        for (size_t i = 0; i < l->roll_count; i++) {
                uint32_t person = ledger_person_find(&l->rolls[i], address);
                if (person != LEDGER_NONE)
                        l->rolls[i].people[person].is_refused = true;
        }
}

/* ---- copies ---- */

struct ledger_cell *ledger_cell_of(struct ledger *l, struct ledger_entry *e, size_t target, uint32_t person)
{
        const struct ledger_roll *r = &l->rolls[e->is.targets[target]];
        CHECK(target < e->is.target_count && person < r->count);
        if (person >= e->cell_count[target]) {
                size_t had = e->cell_count[target];
                e->cells[target] = realloc(e->cells[target], r->count * sizeof **e->cells);
                CHECK(e->cells[target]);
                memset(e->cells[target] + had, 0, (r->count - had) * sizeof **e->cells);
                e->cell_count[target] = r->count;
        }
        return &e->cells[target][person];
}

size_t ledger_target_of(const struct ledger_entry *e, uint32_t list)
{
        size_t i = 0;
        while (i < e->is.target_count && e->is.targets[i] != list)
                i++;
        return i;
}

/* What is wrong with this copy at sight; the word of the invariant, or NULL. */
static const char *judge_copy(struct ledger *l, uint32_t t, uint32_t list, uint32_t person)
{
        if (list >= l->roll_count || person == LEDGER_NONE)
                return "relayed";
        if (t >= l->entry_count || ledger_target_of(&l->entries[t], list) == l->entries[t].is.target_count)
                return "invented";
        struct ledger_entry *e = &l->entries[t];
        const struct ledger_person *p = &l->rolls[list].people[person];
        enum ledger_hold hold = e->hold[ledger_target_of(e, list)];
        if (!ledger_is_allowed(p, e))
                return "relayed";
        if (hold == LEDGER_WAITS || hold == LEDGER_REJECTED)
                return "held";
        if ((p->own == LEDGER_OUT && p->own_at < e->is.began && str_eq_nocase(p->address, e->is.from)) ||
                ledger_is_named(&l->rolls[list], p, e))
                return "unwanted";
        const char *why;
        if (e->is.fate != LEDGER_UNSENT && e->is.fate != LEDGER_REFUSED)
                return ledger_wrong(l, e, &why);
        e->is_invented = true;
        return "invented";
}

void ledger_copy(struct ledger *l, uint32_t connection, uint32_t t, uint32_t list, struct str recipient)
{
        const struct ledger_link *k = link_of(l, connection);
        const char *name = t < l->entry_count ? l->entries[t].is.name : "unknown";
        uint32_t person = list < l->roll_count ? ledger_person_find(&l->rolls[list], recipient) : LEDGER_NONE;
        const char *wrong = judge_copy(l, t, list, person);
        l->events++;
        ledger_trace(l, k->host, "connection %u dot %u copy %s for %.*s", (unsigned)connection,
                (unsigned)k->dots, name, STR_ARG(recipient));
        if (wrong)
                ledger_violate(l, wrong, "a copy of %s came to %s for %.*s%s", name, k->host,
                        STR_ARG(recipient),
                        str_eq(str_of_c(wrong), S("relayed")) ? ", who is no member" : "");
        if (t >= l->entry_count || person == LEDGER_NONE)
                return;
        struct ledger_entry *e = &l->entries[t];
        size_t target = ledger_target_of(e, list);
        if (target == e->is.target_count)
                return;
        l->copies = array_grow(l->copies, l->copy_count, &l->copy_cap, sizeof *l->copies);
        l->copies[l->copy_count++] =
                (struct ledger_copy){t, (uint32_t)target, person, connection, k->dots, ledger_now_ms(l)};
        e->copies++;
        ledger_cell_of(l, e, target, person)->copies++;
}

size_t ledger_copies(const struct ledger *l)
{
        return l->copy_count;
}

size_t ledger_count(const struct ledger *l, struct str post, struct str recipient)
{
        size_t count = 0;
        for (size_t i = 0; i < l->copy_count; i++) {
                const struct ledger_copy *c = &l->copies[i];
                const struct ledger_try *is = &l->entries[c->try].is;
                const struct ledger_roll *r = &l->rolls[is->targets[c->target]];
                count += (post.n == 0 || str_eq(is->post, post)) &&
                         (recipient.n == 0 || str_eq_nocase(r->people[c->member].address, recipient));
        }
        return count;
}

/* Is there a copy whose outcome the other side must know? */
static bool has_firm_copy(const struct ledger *l, uint32_t t, size_t target, uint32_t person)
{
        for (size_t i = l->copy_count; i-- > 0;) {
                const struct ledger_copy *c = &l->copies[i];
                if (c->try == t && c->target == target && c->member == person &&
                        !ledger_is_excused(l, c->connection, c->dot))
                        return true;
        }
        return false;
}

size_t ledger_lacking(const struct ledger *l, uint32_t list, struct str recipient)
{
        uint32_t person = list < l->roll_count ? ledger_person_find(&l->rolls[list], recipient) : LEDGER_NONE;
        size_t count = 0;
        for (uint32_t i = 0; i < l->entry_count && person != LEDGER_NONE; i++) {
                const struct ledger_entry *e = &l->entries[i];
                size_t t = ledger_target_of(e, list);
                if (t < e->is.target_count && (e->is.fate == LEDGER_UNKNOWN || e->is.fate == LEDGER_ACCEPTED))
                        count += person >= e->cell_count[t] || e->cells[t][person].copies == 0 ||
                                 !has_firm_copy(l, i, t, person);
        }
        return count;
}
