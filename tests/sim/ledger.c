/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "tests/sim/buffer.h"
#include "tests/sim/ledger_inside.h"

#define LINE_MAX 400

struct ledger *ledger_new(const struct ledger_config *config)
{
        struct ledger *l = calloc(1, sizeof *l);
        CHECK(l);
        l->config = *config;
        l->began_ms = config->now_ms(config->ctx);
        return l;
}

static void roll_free(struct ledger_roll *r)
{
        for (size_t i = 0; i < r->count; i++) {
                str_free(r->people[i].address);
                free(r->people[i].changes);
        }
        str_free(r->address);
        for (size_t i = 0; i < r->moderator_count; i++)
                str_free(r->moderators[i]);
        for (size_t i = 0; i < r->banned_count; i++)
                str_free(r->banned[i].address);
        free(r->moderators);
        free(r->banned);
        free(r->people);
        free(r->slots);
}

static void entry_free(struct ledger_entry *e)
{
        str_free(e->is.post);
        str_free(e->is.sender);
        str_free(e->is.from);
        str_free(e->is.second);
        str_free(e->is.to);
        str_free(e->is.front);
        str_free(e->is.forged);
        str_free(e->is.subject);
        str_free(e->is.text);
        for (size_t i = 0; i < LEDGER_TARGETS_MAX; i++)
                free(e->cells[i]);
}

void ledger_free(struct ledger *l)
{
        if (!l)
                return;
        for (size_t i = 0; i < l->roll_count; i++)
                roll_free(&l->rolls[i]);
        for (size_t i = 0; i < l->entry_count; i++)
                entry_free(&l->entries[i]);
        free(l->rolls);
        free(l->entries);
        free(l->links);
        free(l->copies);
        free(l->cuttings);
        free(l);
}

/* ---- telling ---- */

int64_t ledger_now_ms(const struct ledger *l)
{
        return l->config.now_ms(l->config.ctx);
}

struct ledger_span ledger_since(const struct ledger *l, int64_t at_ms)
{
        int64_t ms = at_ms - l->began_ms;
        return (struct ledger_span){ms / 1000, (int)(ms % 1000)};
}

bool ledger_is_traced(const struct ledger *l)
{
        return l->config.trace != NULL;
}

/* vsnprintf's result as a length: a line that is too long loses its end. */
static size_t printed(int n, size_t cap)
{
        CHECK(n >= 0);
        return (size_t)n < cap ? (size_t)n : cap - 1;
}

void ledger_trace(struct ledger *l, const char *node, const char *format, ...)
{
        char line[LINE_MAX];
        va_list args;
        if (!l->config.trace)
                return;
        va_start(args, format);
        int n = vsnprintf(line, sizeof line, format, args);
        va_end(args);
        l->config.trace(l->config.ctx, node, str_of(line, printed(n, sizeof line)));
}

void ledger_violate(struct ledger *l, const char *invariant, const char *format, ...)
{
        struct ledger_violation v = {.invariant = invariant, .at_ms = ledger_now_ms(l)};
        va_list args;
        va_start(args, format);
        (void)vsnprintf(v.story, sizeof v.story, format, args);
        va_end(args);
        ledger_trace(l, "ledger", "INVARIANT %s: %s", invariant, v.story);
        if (l->violation_count < LEDGER_STORIES_MAX)
                l->violations[l->violation_count] = v;
        l->violation_count++;
}

size_t ledger_violations(const struct ledger *l)
{
        return l->violation_count;
}

const struct ledger_violation *ledger_violation(const struct ledger *l, size_t i)
{
        return i < l->violation_count && i < LEDGER_STORIES_MAX ? &l->violations[i] : NULL;
}

/* ---- lists and members ---- */

uint32_t ledger_list_find(const struct ledger *l, struct str address)
{
        for (size_t i = 0; i < l->roll_count; i++)
                if (str_eq_nocase(l->rolls[i].address, address))
                        return (uint32_t)i;
        return LEDGER_NONE;
}

uint32_t ledger_list(struct ledger *l, struct str address, enum ledger_kind kind)
{
        uint32_t found = ledger_list_find(l, address);
        if (found != LEDGER_NONE)
                return found;
        l->rolls = array_grow(l->rolls, l->roll_count, &l->roll_cap, sizeof *l->rolls);
        l->rolls[l->roll_count] = (struct ledger_roll){.address = str_copy(address), .kind = kind};
        return (uint32_t)l->roll_count++;
}

size_t ledger_lists(const struct ledger *l)
{
        return l->roll_count;
}

struct str ledger_list_address(const struct ledger *l, uint32_t list)
{
        CHECK(list < l->roll_count);
        return l->rolls[list].address;
}

enum ledger_kind ledger_list_kind(const struct ledger *l, uint32_t list)
{
        CHECK(list < l->roll_count);
        return l->rolls[list].kind;
}

/* FNV-1a over the address in lower case. */
static size_t slot_of(const struct ledger_roll *r, struct str address)
{
        uint64_t hash = 0xcbf29ce484222325;
        for (size_t i = 0; i < address.n; i++)
                hash = (hash ^ (uint8_t)ascii_lower(address.p[i])) * 0x100000001b3;
        return (size_t)hash & (r->slot_count - 1);
}

static void slot_put(struct ledger_roll *r, uint32_t person)
{
        size_t at = slot_of(r, r->people[person].address);
        while (r->slots[at] != 0)
                at = (at + 1) & (r->slot_count - 1);
        r->slots[at] = person + 1;
}

uint32_t ledger_person_find(const struct ledger_roll *r, struct str address)
{
        if (r->slot_count == 0)
                return LEDGER_NONE;
        for (size_t at = slot_of(r, address); r->slots[at] != 0; at = (at + 1) & (r->slot_count - 1))
                if (str_eq_nocase(r->people[r->slots[at] - 1].address, address))
                        return r->slots[at] - 1;
        return LEDGER_NONE;
}

static struct ledger_person *person_add(struct ledger_roll *r, struct str address)
{
        r->people = array_grow(r->people, r->count, &r->cap, sizeof *r->people);
        r->people[r->count++] = (struct ledger_person){.address = str_copy(address), .own = LEDGER_IN};
        if (2 * r->count <= r->slot_count) {
                slot_put(r, (uint32_t)(r->count - 1));
                return &r->people[r->count - 1];
        }
        free(r->slots);
        r->slot_count = r->slot_count == 0 ? 32 : 2 * r->slot_count;
        r->slots = calloc(r->slot_count, sizeof *r->slots);
        CHECK(r->slots);
        for (uint32_t i = 0; i < r->count; i++)
                slot_put(r, i);
        return &r->people[r->count - 1];
}

void ledger_member(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is)
{
        static const char *const words[] = {
                [LEDGER_OUT] = "out", [LEDGER_MAYBE] = "maybe", [LEDGER_QUIET] = "quiet", [LEDGER_IN] = "in"};
        CHECK(list < l->roll_count);
        struct ledger_roll *r = &l->rolls[list];
        uint32_t found = ledger_person_find(r, address);
        struct ledger_person *p = found == LEDGER_NONE ? person_add(r, address) : &r->people[found];
        p->changes = realloc(p->changes, (p->change_count + 1) * sizeof *p->changes);
        CHECK(p->changes);
        p->changes[p->change_count++] = (struct ledger_change){++l->events, is};
        if (is == LEDGER_OUT || (is == LEDGER_MAYBE && p->own != LEDGER_IN)) /* who comes back begins anew */
                p->own = is == LEDGER_OUT ? LEDGER_IN : LEDGER_MAYBE;
        if (is == LEDGER_OUT || (is == LEDGER_MAYBE && p->trust != LEDGER_OUT))
                p->trust = is;
        ledger_trace(l, "ledger", "member %.*s of %.*s %s", STR_ARG(address), STR_ARG(r->address), words[is]);
}

enum ledger_membership ledger_membership(const struct ledger *l, uint32_t list, struct str address)
{
        CHECK(list < l->roll_count);
        uint32_t found = ledger_person_find(&l->rolls[list], address);
        const struct ledger_person *p = found == LEDGER_NONE ? NULL : &l->rolls[list].people[found];
        return p && p->change_count > 0 ? p->changes[p->change_count - 1].is : LEDGER_OUT;
}

bool ledger_person(const struct ledger *l, uint32_t list, size_t i, struct str *address)
{
        CHECK(list < l->roll_count);
        const struct ledger_roll *r = &l->rolls[list];
        *address = i < r->count ? r->people[i].address : S("");
        return i < r->count;
}

void ledger_own_posts(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is)
{
        CHECK(list < l->roll_count);
        uint32_t found = ledger_person_find(&l->rolls[list], address);
        if (found == LEDGER_NONE)
                return;
        l->rolls[list].people[found].own = is;
        l->rolls[list].people[found].own_at = ++l->events;
}

bool ledger_is_named(const struct ledger_roll *r, const struct ledger_person *p, const struct ledger_entry *e)
{
        struct str rest = r->skips_named ? e->is.to : S("");
        while (rest.n > 0 && !str_has_prefix_nocase(rest, p->address))
                rest = str_skip(rest, 1);
        return rest.n > 0;
}

bool ledger_is_due(const struct ledger_roll *r, const struct ledger_person *p, const struct ledger_entry *e,
        size_t target)
{
        enum ledger_hold hold = e->hold[target];
        bool is_own = p->own != LEDGER_IN && str_eq_nocase(p->address, e->is.from);
        if (p->change_count == 0 || is_own || ledger_is_named(r, p, e) ||
                (hold != LEDGER_FREE && hold != LEDGER_RELEASED))
                return false;
        const struct ledger_change *last = &p->changes[p->change_count - 1];
        return last->is == LEDGER_IN && last->at < e->let_out[target];
}

/* Has somebody been on the list, or perhaps, at any time since the try began; also while no copies were wanted? */
static bool was_since(const struct ledger_person *p, const struct ledger_entry *e, bool with_quiet)
{
        bool is_so = false;
        for (size_t i = 0; i < p->change_count; i++) {
                if (p->changes[i].at > e->is.began && is_so)
                        return true;
                is_so = p->changes[i].is != LEDGER_OUT && (with_quiet || p->changes[i].is != LEDGER_QUIET);
        }
        return is_so;
}

bool ledger_is_allowed(const struct ledger_person *p, const struct ledger_entry *e)
{
        return was_since(p, e, false);
}

bool ledger_was_on(const struct ledger_person *p, const struct ledger_entry *e)
{
        return was_since(p, e, true);
}

bool ledger_is_known(const struct ledger *l, uint32_t list, struct str recipient)
{
        return list < l->roll_count && ledger_person_find(&l->rolls[list], recipient) != LEDGER_NONE;
}

/* ---- tries ---- */

uint32_t ledger_try(struct ledger *l, const struct ledger_try_new *new)
{
        uint32_t number = (uint32_t)l->entry_count;
        l->entries = array_grow(l->entries, l->entry_count, &l->entry_cap, sizeof *l->entries);
        struct ledger_entry *e = &l->entries[l->entry_count++];
        *e = (struct ledger_entry){0};
        e->is.post = str_copy(new->post);
        e->is.sender = str_copy(new->sender);
        e->is.from = str_copy(new->from.n > 0 ? new->from : new->sender);
        e->is.second = str_copy(new->second);
        e->is.forged = str_copy(new->forged);
        e->is.subject = new->subject.p ? str_copy(new->subject) : new->subject;
        e->is.text = new->text.p ? str_copy(new->text) : new->text;
        e->is.to = str_copy(new->to);
        e->is.shape = new->shape;
        e->is.size = new->size;
        e->is.is_forged = new->is_forged;
        e->is.smuggles = new->smuggles;
        e->is.began_ms = e->is.ended_ms = ledger_now_ms(l);
        e->is.began = e->is.ended = ++l->events;
        (void)snprintf(e->is.name, sizeof e->is.name, "t%u", (unsigned)number);
        (void)snprintf(e->is.author, sizeof e->is.author, "%s", new->author);
        ledger_trace(l, e->is.author, "try %s of %.*s by %.*s from %.*s to %.*s shape %s size %zu",
                e->is.name, STR_ARG(e->is.post), STR_ARG(e->is.sender), STR_ARG(e->is.from),
                STR_ARG(e->is.to), letter_shape_text(new->shape), new->size);
        return number;
}

static struct ledger_entry *entry_of(struct ledger *l, uint32_t t)
{
        CHECK(t < l->entry_count);
        return &l->entries[t];
}

void ledger_try_truth(struct ledger *l, uint32_t t, const struct ledger_truth *truth)
{
        entry_of(l, t)->is.truth = *truth;
}

void ledger_try_front(struct ledger *l, uint32_t t, struct str front)
{
        struct ledger_entry *e = entry_of(l, t);
        str_free(e->is.front);
        e->is.front = str_copy(front);
}

const struct ledger_try *ledger_try_get(const struct ledger *l, uint32_t t)
{
        return t < l->entry_count ? &l->entries[t].is : NULL;
}

uint32_t ledger_try_find(const struct ledger *l, struct str name)
{
        uint64_t number;
        if (!str_has_prefix(name, S("t")) || l->entry_count == 0 ||
                str_to_u64(str_skip(name, 1), l->entry_count - 1, &number) != ERR_OK)
                return LEDGER_NONE;
        return (uint32_t)number;
}

size_t ledger_tries(const struct ledger *l)
{
        return l->entry_count;
}

struct letter ledger_letter(const struct ledger *l, uint32_t t)
{
        CHECK(t < l->entry_count);
        const struct ledger_try *is = &l->entries[t].is;
        struct letter letter = {.seed = l->config.seed,
                .name = str_of_c(is->name),
                .from = is->from,
                .second = is->second,
                .forged = is->forged,
                .to = is->to,
                .front = is->front,
                .subject = is->subject,
                .text = is->text,
                .shape = is->shape,
                .size = is->size};
        if (is->smuggles < l->entry_count)
                letter.smuggled = str_of_c(l->entries[is->smuggles].is.name);
        return letter;
}

void ledger_try_target(struct ledger *l, uint32_t t, struct str address)
{
        struct ledger_entry *e = entry_of(l, t);
        uint32_t list = ledger_list_find(l, address);
        if (list == LEDGER_NONE) {
                ledger_try_leak(l, t, address);
                return;
        }
        for (size_t i = 0; i < e->is.target_count; i++)
                if (e->is.targets[i] == list)
                        return;
        CHECK(e->is.target_count < LEDGER_TARGETS_MAX);
        e->is.targets[e->is.target_count++] = list;
}

void ledger_try_dot(struct ledger *l, uint32_t t)
{
        struct ledger_entry *e = entry_of(l, t);
        e->is.fate = LEDGER_UNKNOWN;
        e->dot = ++l->events;
        ledger_note_hold(l, e, false);
        ledger_note_lies(l, e);
        ledger_trace(l, e->is.author, "dot of %s", e->is.name);
}

void ledger_try_answer(struct ledger *l, uint32_t t, unsigned code)
{
        struct ledger_entry *e = entry_of(l, t);
        e->is.code = code;
        e->is.ended_ms = ledger_now_ms(l);
        e->is.ended = ++l->events;
        ledger_note_hold(l, e, true);
        ledger_trace(l, e->is.author, "answer to %s %u", e->is.name, code);
        if (code < 400)
                e->is.fate = LEDGER_ACCEPTED;
        else if (code >= 500 || e->dot == 0 || !(l->is_disk_bad || l->disk_mended > e->dot))
                e->is.fate = LEDGER_REFUSED;
        ledger_note_lies(l, e);
        const char *why, *wrong = code < 400 ? ledger_wrong(l, e, &why) : NULL;
        if (wrong)
                ledger_violate(l, wrong, "post %.*s (%s) of author %s, from %.*s, was answered %u: %s",
                        STR_ARG(e->is.post), e->is.name, e->is.author, STR_ARG(e->is.from), code, why);
}

void ledger_disk_fails(struct ledger *l)
{
        l->is_disk_bad = true;
}

void ledger_disk_mended(struct ledger *l)
{
        l->is_disk_bad = false;
        l->disk_mended = ++l->events;
}

void ledger_try_leak(struct ledger *l, uint32_t t, struct str address)
{
        const struct ledger_try *is = &entry_of(l, t)->is;
        ledger_violate(l, "relayed", "author %s was given the recipient %.*s (%s of post %.*s)", is->author,
                STR_ARG(address), is->name, STR_ARG(is->post));
}
