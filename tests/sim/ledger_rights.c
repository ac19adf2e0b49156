/* SPDX-License-Identifier: ISC */
/* Who may post: the rules of lists, what is true of a letter, and what DNS did meanwhile. */
#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/buffer.h"
#include "tests/sim/ledger_inside.h"

void ledger_list_rule(struct ledger *l, uint32_t list, enum ledger_rule rule, bool is_bounded)
{
        CHECK(list < l->roll_count);
        l->rolls[list].rule = rule;
        l->rolls[list].ruled = ++l->events;
        l->rolls[list].is_bounded = is_bounded;
}

enum ledger_rule ledger_rule_of(const struct ledger *l, uint32_t list)
{
        CHECK(list < l->roll_count);
        return l->rolls[list].rule;
}

void ledger_list_first_post(struct ledger *l, uint32_t list, bool is_held)
{
        CHECK(list < l->roll_count);
        l->rolls[list].is_first_held = is_held;
        l->rolls[list].ruled = ++l->events;
}

void ledger_list_skips(struct ledger *l, uint32_t list, bool skips)
{
        CHECK(list < l->roll_count);
        l->rolls[list].skips_named = skips;
}

void ledger_moderator(struct ledger *l, uint32_t list, struct str address)
{
        CHECK(list < l->roll_count);
        struct ledger_roll *r = &l->rolls[list];
        r->moderators = realloc(r->moderators, (r->moderator_count + 1) * sizeof *r->moderators);
        CHECK(r->moderators);
        r->moderators[r->moderator_count++] = str_copy(address);
}

static struct ledger_banned *find_banned(const struct ledger_roll *r, struct str address)
{
        for (size_t i = 0; i < r->banned_count; i++)
                if (str_eq_nocase(r->banned[i].address, address))
                        return &r->banned[i];
        return NULL;
}

void ledger_ban(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is)
{
        CHECK(list < l->roll_count);
        struct ledger_roll *r = &l->rolls[list];
        struct ledger_banned *b = find_banned(r, address);
        if (!b) {
                r->banned = array_grow(r->banned, r->banned_count, &r->banned_cap, sizeof *r->banned);
                b = &r->banned[r->banned_count++];
                *b = (struct ledger_banned){.address = str_copy(address)};
        }
        b->is = is;
        b->at = ++l->events;
        ledger_trace(l, "ledger", "ban %.*s of %.*s %d", STR_ARG(address), STR_ARG(r->address), (int)is);
}

struct str ledger_some_member(const struct ledger *l, uint32_t list, uint64_t number)
{
        const struct ledger_roll *r = list < l->roll_count ? &l->rolls[list] : NULL;
        return r && r->count > 0 ? r->people[number % r->count].address : S("");
}

struct str ledger_some_moderator(const struct ledger *l, uint32_t list, uint64_t number)
{
        const struct ledger_roll *r = list < l->roll_count ? &l->rolls[list] : NULL;
        return r && r->moderator_count > 0 ? r->moderators[number % r->moderator_count] : S("");
}

/* ---- rights ---- */

static bool is_moderator(const struct ledger_roll *r, struct str address)
{
        for (size_t i = 0; i < r->moderator_count; i++)
                if (str_eq_nocase(r->moderators[i], address))
                        return true;
        return false;
}

bool ledger_is_moderator(const struct ledger *l, uint32_t list, struct str address)
{
        return list < l->roll_count && is_moderator(&l->rolls[list], address);
}

/* LEDGER_OUT: banned for certain; LEDGER_IN: not. */
static enum ledger_membership standing_of(const struct ledger_roll *r, struct str address)
{
        const struct ledger_banned *b = find_banned(r, address);
        return b ? b->is : LEDGER_IN;
}

static bool is_banned_before(const struct ledger_roll *r, const struct ledger_entry *e)
{
        const struct ledger_banned *b = find_banned(r, e->is.from);
        return b && b->is == LEDGER_OUT && b->at < e->is.began;
}

/* May the author of a try perhaps post to this list? */
static bool may_post(const struct ledger_roll *r, const struct ledger_entry *e)
{
        uint32_t found = ledger_person_find(r, e->is.from);
        if (r->ruled > e->is.began) /* by another rule, which it met */
                return true;
        if (r->rule == LEDGER_MODERATORS || is_moderator(r, e->is.from))
                return is_moderator(r, e->is.from);
        if (is_banned_before(r, e))
                return false;
        return r->rule != LEDGER_MEMBERS || (found != LEDGER_NONE && ledger_was_on(&r->people[found], e));
}

/* One who has been a member since before the try, and is. */
static bool is_steady_member(const struct ledger_roll *r, const struct ledger_try *is)
{
        uint32_t found = ledger_person_find(r, is->from);
        if (found == LEDGER_NONE)
                return false;
        const struct ledger_person *p = &r->people[found];
        const struct ledger_change *last = &p->changes[p->change_count - 1];
        return last->is >= LEDGER_QUIET && last->at < is->began;
}

/* May they certainly? */
static bool has_right(const struct ledger_roll *r, const struct ledger_try *is)
{
        if (standing_of(r, is->from) != LEDGER_IN || r->ruled > is->began)
                return false;
        switch (r->rule) {
        case LEDGER_MEMBERS:
                return is_steady_member(r, is) && !r->is_first_held;
        case LEDGER_EVERYBODY:
                return is->truth.is_told || is_steady_member(r, is);
        case LEDGER_MODERATORS:
        case LEDGER_APPROVED: /* who has too many that wait is refused */
                return is_moderator(r, is->from);
        default:
                return false;
        }
}

/* Those who look after the server may be sent what no list takes: from two authors, or a list's own. */
static bool is_for_role(const struct ledger *l, const struct ledger_entry *e)
{
        bool is_loose = e->is.shape == LETTER_TWO_AUTHORS || e->is.shape == LETTER_LOOP;
        return is_loose && e->is.target_count == 1 && l->rolls[e->is.targets[0]].kind == LEDGER_ROLE;
}

const char *ledger_wrong(const struct ledger *l, const struct ledger_entry *e, const char **why)
{
        *why = e->is.is_forged ? "nobody may take it" : letter_shape_text(e->is.shape);
        if (e->is.is_forged || (letter_is_malformed(e->is.shape) && !is_for_role(l, e)))
                return "admitted";
        for (size_t i = 0; e->is.truth.is_told && i < e->is.target_count; i++) {
                const struct ledger_roll *r = &l->rolls[e->is.targets[i]];
                *why = e->is.truth.is_proven ? "its author may not post there"
                                             : "nobody has proven its author";
                if ((r->kind == LEDGER_LIST || r->rule != LEDGER_NO_RULE) && !e->is.truth.is_proven)
                        return "forged";
                if (r->kind == LEDGER_LIST && !may_post(r, e))
                        return "admitted";
        }
        return NULL;
}

void ledger_try_denied(struct ledger *l, uint32_t t, struct str list, unsigned code)
{
        uint32_t found = ledger_list_find(l, list);
        CHECK(t < l->entry_count);
        struct ledger_entry *e = &l->entries[t];
        const struct ledger_try *is = &e->is;
        ledger_note_lies(l, e);
        if (found == LEDGER_NONE || l->rolls[found].is_bounded || !has_right(&l->rolls[found], is) ||
                (is->truth.is_told && (!is->truth.is_proven || is->is_misled)))
                return;
        ledger_violate(l, "refused", "post %.*s (%s) of %s, who may post to %.*s, was answered %u",
                STR_ARG(is->post), is->name, is->author, STR_ARG(list), code);
}

/* ---- posts that wait ---- */

static enum ledger_hold hold_of(const struct ledger_roll *r, const struct ledger_entry *e)
{
        uint32_t found = ledger_person_find(r, e->is.from);
        if (r->kind != LEDGER_LIST || r->ruled == 0)
                return LEDGER_FREE;
        if (r->ruled > e->is.began || r->rule == LEDGER_NO_RULE)
                return LEDGER_UNSURE;
        if (is_moderator(r, e->is.from) || (r->rule != LEDGER_APPROVED && !r->is_first_held))
                return LEDGER_FREE;
        if (r->rule == LEDGER_APPROVED)
                return LEDGER_WAITS;
        const struct ledger_person *p = found == LEDGER_NONE ? NULL : &r->people[found];
        if (!p || p->change_count == 0 || p->trust == LEDGER_IN) /* only new members wait */
                return LEDGER_FREE;
        const struct ledger_change *last = &p->changes[p->change_count - 1];
        if (last->is == LEDGER_MAYBE || last->at > e->is.began || p->trust == LEDGER_MAYBE)
                return LEDGER_UNSURE;
        return last->is == LEDGER_OUT ? LEDGER_FREE : LEDGER_WAITS;
}

void ledger_note_hold(const struct ledger *l, struct ledger_entry *e, bool is_answered)
{
        for (size_t i = 0; i < e->is.target_count; i++) {
                enum ledger_hold hold = hold_of(&l->rolls[e->is.targets[i]], e);
                e->hold[i] = is_answered && e->hold[i] != hold ? LEDGER_UNSURE : hold;
                e->let_out[i] = e->dot;
        }
}

enum ledger_hold ledger_hold(const struct ledger *l, uint32_t t, uint32_t list)
{
        CHECK(t < l->entry_count);
        size_t target = ledger_target_of(&l->entries[t], list);
        return target < l->entries[t].is.target_count ? l->entries[t].hold[target] : LEDGER_FREE;
}

static void trust(struct ledger_roll *r, struct str address, enum ledger_hold hold)
{
        uint32_t found = ledger_person_find(r, address);
        if (found == LEDGER_NONE || r->people[found].trust == LEDGER_IN)
                return;
        if (hold == LEDGER_RELEASED)
                r->people[found].trust = LEDGER_IN;
        else if (hold == LEDGER_UNSURE)
                r->people[found].trust = LEDGER_MAYBE;
}

void ledger_hold_put(struct ledger *l, uint32_t t, uint32_t list, enum ledger_hold hold)
{
        static const char *const words[] = {"free", "waits", "unsure", "released", "rejected"};
        CHECK(t < l->entry_count);
        struct ledger_entry *e = &l->entries[t];
        size_t target = ledger_target_of(e, list);
        if (target == e->is.target_count)
                return;
        e->hold[target] = hold;
        e->let_out[target] = ++l->events;
        l->settled = 0;
        trust(&l->rolls[list], e->is.from, hold);
        ledger_trace(l, "ledger", "%s %s", e->is.name, words[hold]);
}

/* ---- DNS ---- */

void ledger_dns_fails(struct ledger *l)
{
        l->is_dns_bad = true;
}

bool ledger_dns_may_fail(const struct ledger *l)
{
        return l->is_dns_bad;
}

void ledger_dns_lies(struct ledger *l, int64_t until_ms)
{
        l->lies_until_ms = until_ms > l->lies_until_ms ? until_ms : l->lies_until_ms;
}

void ledger_note_lies(const struct ledger *l, struct ledger_entry *e)
{
        e->is.is_misled = e->is.is_misled || ledger_now_ms(l) < l->lies_until_ms;
}

/* ---- what became of a post ---- */

/* Whether a try of it has this fate, and a code from `least` to `most`. */
static bool has_try(
        const struct ledger *l, struct str post, enum ledger_fate fate, unsigned least, unsigned most)
{
        for (size_t i = 0; i < l->entry_count; i++) {
                const struct ledger_try *is = &l->entries[i].is;
                if (is->fate == fate && is->code >= least && is->code <= most && str_eq(is->post, post))
                        return true;
        }
        return false;
}

bool ledger_post_is_accepted(const struct ledger *l, struct str post)
{
        return has_try(l, post, LEDGER_ACCEPTED, 0, 399);
}

bool ledger_post_is_refused(const struct ledger *l, struct str post)
{
        return !ledger_post_is_accepted(l, post) && has_try(l, post, LEDGER_REFUSED, 500, 599);
}

bool ledger_post_is_deferred(const struct ledger *l, struct str post)
{
        return !ledger_post_is_accepted(l, post) && !has_try(l, post, LEDGER_REFUSED, 500, 599) &&
               has_try(l, post, LEDGER_REFUSED, 400, 499);
}
