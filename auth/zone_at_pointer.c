/* SPDX-License-Identifier: ISC */
/* The zone machine at the pointer record: read it, adopt it, change it by compare-and-swap. */
#include <string.h>

#include "auth/zone_internal.h"
#include "base/check.h"
#include "base/hex.h"
#include "dns/code.h"

static bool ask_pointer(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        struct dns_name name;
        z->is_read_only = z->is_unchangeable = false;
        z->at = z->servers.from = z->servers.to = 0;
        zone_pointer_name(z, &name);
        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
}

void zone_swap_pointer(struct zone *z, const struct zone_pointer *wanted, enum zone_event_kind event)
{
        z->wanted = *wanted;
        z->wanted_event = event;
        zone_go(z, ZONE_STATE_WRITE_POINTER);
}

/* The keys that the pointer asks for. */

struct planned {
        int64_t epoch, until_s;
};

static size_t plan_epochs(const struct zone *z, int64_t now_s, struct planned plan[ZONE_EPOCHS_MAX])
{
        const struct zone_pointer *p = &z->pointer;
        size_t n = 0;
        plan[n++] = (struct planned){p->epoch, 0};
        if (p->next != 0)
                plan[n++] = (struct planned){p->next, 0};
        size_t first_old = n;
        for (size_t i = 0; i < p->old_n; i++) {
                if (p->old[i].is_former || zone_is_retired(&p->old[i], now_s))
                        continue;
                size_t at = n++; /* the newest first */
                for (; at > first_old && plan[at - 1].epoch < p->old[i].epoch; at--)
                        plan[at] = plan[at - 1];
                plan[at] = (struct planned){p->old[i].epoch, p->old[i].until_s};
        }
        return n;
}

static bool is_planned(const struct zone_key *key, const struct planned *plan, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (plan[i].epoch == key->epoch)
                        return true;
        return false;
}

static void drop_unplanned(struct zone *z, const struct planned *plan, size_t n)
{
        size_t kept = 0;
        for (size_t i = 0; i < z->key_n; i++)
                if (is_planned(&z->keys[i], plan, n)) {
                        if (kept != i)
                                z->keys[kept] = z->keys[i];
                        kept++;
                }
        z->key_n = kept;
}

/* The key of an epoch and kind comes to the place `at`, with what is known of it; the one that stood there goes behind. */
static struct zone_key *place_key(struct zone *z, size_t at, int64_t epoch, enum zone_kind kind)
{
        size_t from = at;
        while (from < z->key_n && (z->keys[from].epoch != epoch || z->keys[from].kind != kind))
                from++;
        if (from == at && at < z->key_n)
                return &z->keys[at];
        struct zone_key key = {.epoch = epoch, .kind = kind};
        if (from < z->key_n)
                key = z->keys[from];
        else
                z->key_n++;
        CHECK(z->key_n <= ZONE_KEYS_MAX);
        memmove(&z->keys[at + 1], &z->keys[at], (from - at) * sizeof key);
        z->keys[at] = key;
        return &z->keys[at];
}

static void plan_keys(struct zone *z, int64_t now_s)
{
        struct planned plan[ZONE_EPOCHS_MAX];
        size_t n = plan_epochs(z, now_s, plan), at = 0;
        drop_unplanned(z, plan, n);
        for (size_t i = 0; i < n; i++) {
                for (int kind = 0; kind < ZONE_KINDS; kind++) {
                        struct wr w;
                        if (!zone_has_kind(z, (enum zone_kind)kind))
                                continue;
                        struct zone_key *key = place_key(z, at++, plan[i].epoch, (enum zone_kind)kind);
                        key->until_s = plan[i].until_s;
                        wr_init(&w, key->selector, sizeof key->selector);
                        zone_write_selector(z, &w, key->kind, key->epoch);
                        key->selector_n = w.n;
                }
                if (i == 0)
                        z->current_n = at;
        }
}

/* No key that is named can sign: epochs follow each other at once, and none of them is looked at first. */
static bool jump(struct zone *z, int64_t now_s)
{
        int64_t life_s = z->config.validity_s - z->config.queue_life_s;
        struct zone_pointer wanted = z->pointer, next;
        if (now_s <= wanted.epoch + life_s || (wanted.next != 0 && now_s <= wanted.next + life_s))
                return false;
        while (now_s > wanted.epoch + life_s) {
                if (wanted.next == 0) {
                        zone_pointer_announce(&wanted, now_s, &next);
                        wanted = next;
                }
                if (zone_pointer_advance(&wanted, z->config.validity_s, &next) != ERR_OK)
                        return false;
                wanted = next;
        }
        zone_swap_pointer(z, &wanted, ZONE_EVENT_EPOCH_CHOSEN);
        return true;
}

static void adopt(struct zone *z, int64_t now_s, const struct zone_pointer *found)
{
        bool is_new = !z->has_pointer || z->pointer.epoch != found->epoch;
        struct zone_pointer pointer = *found;
        if (z->has_pointer)
                zone_pointer_merge(found, &z->pointer, now_s, z->config.validity_s, &pointer);
        z->pointer = pointer;
        z->has_pointer = z->was_ours = true;
        z->is_foreign = false;
        z->read_s = now_s;
        plan_keys(z, now_s);
        if (!zone_pointer_eq(&pointer, found)) {
                zone_swap_pointer(z, &pointer, ZONE_EVENT_POINTER_RESTORED);
                return;
        }
        if (is_new)
                zone_tell(z, ZONE_EVENT_POINTER_FOUND, zone_key_selector(&z->keys[0]), S(""));
        if (!jump(z, now_s))
                zone_go(z, ZONE_STATE_READ_KEY);
}

/* Nothing there: the first epoch, or our own pointer that somebody has removed. */
static void create(struct zone *z, int64_t now_s)
{
        struct zone_pointer first;
        zone_pointer_first(z->config.id, now_s, &first);
        z->pointer_seen.n = 0;
        zone_swap_pointer(z, z->has_pointer ? &z->pointer : &first, ZONE_EVENT_POINTER_CREATED);
}

static void take_over(struct zone *z, int64_t now_s, const struct zone_pointer *found, int64_t until_s)
{
        struct zone_take_over how = {z->config.id, now_s, until_s, z->config.validity_s};
        struct zone_pointer wanted;
        zone_pointer_take_over(found, &how, &wanted);
        zone_swap_pointer(z, &wanted, ZONE_EVENT_TAKEN_OVER);
}

static void write_ids(struct zone *z, const struct zone_pointer *found, struct wr *w)
{
        wr_str(w, S("the pointer record has id "));
        hex_encode(w, str_of(found->id, sizeof found->id));
        wr_str(w, S(", ours is "));
        hex_encode(w, str_of(z->config.id, sizeof z->config.id));
}

/* The keys of this domain belong to another password: not ours to touch, nor to sign beside. */
static void leave_alone(struct zone *z, const struct zone_pointer *found)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_FOREIGN);
        wr_str(&w, S("the zone's keys belong to another password: "));
        write_ids(z, found, &w);
        zone_reason_end(z, &w);
        if (!z->is_foreign)
                zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        z->is_foreign = true;
        z->has_pointer = false;
        z->key_n = z->current_n = 0;
        zone_rest(z, zone_usual_rest_s(z));
}

static bool is_all_over(const struct zone_pointer *p, int64_t now_s)
{
        for (size_t i = 0; i < p->old_n; i++)
                if (!zone_is_retired(&p->old[i], now_s))
                        return false;
        return true;
}

/* What is revoked ended a while ago: also for a replica whose clock is behind ours, which would put it back until then. */
static void revoke(struct zone *z, int64_t now_s, const struct zone_pointer *found)
{
        int64_t until_s = now_s > ZONE_CLOCKS_APART_S ? now_s - ZONE_CLOCKS_APART_S : 1;
        bool is_ours = memcmp(found->id, z->config.id, sizeof found->id) == 0;
        bool is_same = z->config.mode == ZONE_REVOKES_SAME;
        z->is_revoking =
                is_ours && (z->is_revoking || (found->epoch == z->wanted.epoch && is_all_over(found, now_s)));
        if (z->is_revoking) {
                z->pointer = *found;
                z->has_pointer = true;
                zone_go(z, ZONE_STATE_CHANGE_POINTER);
        } else if (is_ours == is_same) {
                take_over(z, now_s, found, until_s);
        } else {
                struct wr w = zone_reason_begin(z, ZONE_LACK_FOREIGN);
                wr_str(&w, is_ours ? S("the zone's keys belong to this very password (give a new one, or "
                                       "--same-password): ")
                                   : S("the zone's keys belong to another password (leave out "
                                       "--same-password): "));
                write_ids(z, found, &w);
                zone_reason_end(z, &w);
                zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
                zone_end(z, ERR_DENIED);
        }
}

static void refuse_pointer(struct zone *z, struct str what)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNREACHABLE);
        struct dns_name name;
        zone_pointer_name(z, &name);
        wr_str(&w, S("at "));
        dns_name_write(&w, &name);
        wr_byte(&w, ' ');
        wr_str(&w, what);
        zone_reason_end(z, &w);
        if (!z->has_pointer) {
                zone_trouble(z);
                return;
        }
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        z->is_read_only = true;
        zone_go(z, ZONE_STATE_READ_KEY);
}

static bool is_one_shot(const struct zone *z)
{
        return z->config.mode == ZONE_REVOKES || z->config.mode == ZONE_REVOKES_SAME;
}

static void found_pointer(struct zone *z, int64_t now_s, const struct zone_pointer *found)
{
        if (is_one_shot(z))
                revoke(z, now_s, found);
        else if (memcmp(found->id, z->config.id, sizeof found->id) == 0)
                adopt(z, now_s, found);
        else if (z->config.mode == ZONE_REPLACES && !z->was_ours)
                take_over(z, now_s, found, 0);
        else
                leave_alone(z, found);
}

static void answered_pointer(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct dns_name name;
        struct zone_pointer found;
        zone_pointer_name(z, &name);
        bool is_alias = zone_is_alias(&name, e, answer);
        if (!is_alias && zone_answer_failed(z, &name, DNS_TYPE_TXT, e, answer))
                return;
        if (is_alias)
                refuse_pointer(z, S("stands an alias"));
        else if (answer->status != DNS_FOUND && is_one_shot(z))
                zone_end(z, ERR_NOT_FOUND);
        else if (answer->status != DNS_FOUND)
                create(z, now_s);
        else if (answer->count != 1)
                refuse_pointer(z, S("stands more than one TXT record"));
        else if (zone_pointer_parse(answer->values[0].text, &found) != ERR_OK ||
                 zone_see(&z->pointer_seen, answer) != ERR_OK)
                refuse_pointer(z, S("stands a TXT record that is no pointer of this program"));
        else
                found_pointer(z, now_s, &found);
}

const struct zone_state_row zone_at_read_pointer = {.ask = ask_pointer, .answered = answered_pointer};

static void fill_pointer(const struct zone *z, struct dns_update *u)
{
        struct dns_name name;
        char text[ZONE_POINTER_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        CHECK(zone_pointer_write(&z->wanted, &w) == ERR_OK);
        zone_pointer_name(z, &name);
        zone_need_seen(u, &name, &z->pointer_seen);
        zone_delete_seen(u, &name, &z->pointer_seen);
        zone_add_txt(z, u, &name, wr_text(&w));
}

static void tell_change(struct zone *z)
{
        char selector[DNS_LABEL_MAX];
        struct wr w;
        int64_t epoch = z->wanted.epoch;
        if (z->wanted_event == ZONE_EVENT_EPOCH_ANNOUNCED)
                epoch = z->wanted.next;
        if (z->wanted_event == ZONE_EVENT_EPOCH_FORGOTTEN)
                epoch = z->pointer.old[z->at].epoch;
        wr_init(&w, selector, sizeof selector);
        zone_write_selector(z, &w, ZONE_DKIM_RSA, epoch);
        zone_tell(z, z->wanted_event, wr_text(&w), S(""));
}

/* A change that fails keeps nobody from looking at the keys; those that come first in a look have not been yet. */
static void updated_pointer(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        bool is_first = z->wanted_event == ZONE_EVENT_POINTER_CREATED ||
                        z->wanted_event == ZONE_EVENT_POINTER_RESTORED ||
                        (z->wanted_event == ZONE_EVENT_EPOCH_CHOSEN && z->at == 0);
        switch (zone_judge_update(z, result)) {
        case ZONE_OUTCOME_DONE:
                tell_change(z);
                z->was_ours = true;
                zone_go(z, ZONE_STATE_READ_POINTER); /* the zone's word, not ours */
                break;
        case ZONE_OUTCOME_RACED:
                zone_go(z, ZONE_STATE_READ_POINTER);
                break;
        case ZONE_OUTCOME_FAILED:
                z->is_unchangeable = true;
                if (is_first && z->has_pointer)
                        zone_go(z, ZONE_STATE_READ_KEY);
                else
                        zone_rest_until_due(z, now_s);
                break;
        }
}

const struct zone_state_row zone_at_write_pointer = {
        .ask = zone_ask_update, .updated = updated_pointer, .fill = fill_pointer};

/* The next epoch's DKIM key is everywhere, and whatever else of it can be published. */
static bool is_next_ready(const struct zone *z)
{
        bool is_ready = false;
        for (size_t i = 0; i < z->key_n; i++) {
                const struct zone_key *key = &z->keys[i];
                if (key->epoch != z->pointer.next)
                        continue;
                if (key->kind == ZONE_DKIM_RSA)
                        is_ready = key->is_proven;
                else if (key->is_published && !key->is_proven)
                        return false;
        }
        return is_ready;
}

static bool rotate(struct zone *z, int64_t now_s)
{
        struct zone_pointer wanted;
        int64_t change_s = zone_change_s(z);
        if (z->pointer.next == 0) {
                if (now_s < zone_announce_s(z))
                        return false;
                zone_pointer_announce(&z->pointer, now_s > change_s ? now_s : change_s, &wanted);
                zone_swap_pointer(z, &wanted, ZONE_EVENT_EPOCH_ANNOUNCED);
                return true;
        }
        if (now_s < change_s || !is_next_ready(z))
                return false;
        if (zone_pointer_advance(&z->pointer, z->config.validity_s, &wanted) != ERR_OK) {
                struct wr w = zone_reason_begin(z, ZONE_LACK_UNPUBLISHED);
                wr_str(&w, S("a new epoch is due, and the pointer record names too many old ones"));
                zone_reason_end(z, &w);
                zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
                return false;
        }
        zone_swap_pointer(z, &wanted, ZONE_EVENT_EPOCH_CHOSEN);
        return true;
}

/* The keys were looked at. Changes of the pointer come last, so that one that fails for ever keeps nobody from that. */
static bool ask_change(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)out;
        if (z->is_read_only || z->is_unchangeable) {
                zone_rest_until_due(z, now_s);
                return false;
        }
        if (!is_one_shot(z) && rotate(z, now_s))
                return false;
        z->at = z->retired_left = 0;
        z->at_kind = ZONE_DKIM_RSA;
        z->is_unempty = false;
        zone_go(z, ZONE_STATE_READ_RETIRED);
        return false;
}

const struct zone_state_row zone_at_change_pointer = {.ask = ask_change};
