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
        z->is_read_only = false;
        zone_pointer_name(z, &name);
        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
}

static void swap_pointer(struct zone *z, const struct zone_pointer *wanted, enum zone_event_kind event)
{
        z->wanted = *wanted;
        z->wanted_event = event;
        z->state = ZONE_STATE_WRITE_POINTER;
}

/* Nothing there: the first epoch, or our own that somebody has removed. */
static void create(struct zone *z, int64_t now_s)
{
        struct zone_pointer first = {.epoch = now_s};
        memcpy(first.id, z->config.id, sizeof first.id);
        z->pointer_seen.n = 0;
        z->expired.n = 0;
        swap_pointer(z, z->has_pointer ? &z->pointer : &first, ZONE_EVENT_POINTER_CREATED);
}

bool zone_remove_expired(struct zone *z, int64_t now_s)
{
        for (size_t i = 0; i < z->pointer.old_n; i++)
                if (z->pointer.old[i].until_s <= now_s) {
                        z->at = i;
                        z->state = ZONE_STATE_READ_EXPIRED;
                        return true;
                }
        return false;
}

/* A new epoch; the one before keeps its records until what it signed has expired. */
bool zone_rotate(struct zone *z, int64_t now_s)
{
        struct zone_pointer wanted = z->pointer;
        if (now_s < z->pointer.epoch + z->config.validity_s - z->config.overlap_s)
                return false;
        if (wanted.old_n == ZONE_OLD_MAX) {
                if (zone_remove_expired(z, now_s))
                        return true;
                struct wr w = zone_reason_begin(z);
                wr_str(&w, S("a new epoch is due, and the pointer record names too many old ones"));
                zone_reason_end(z, &w);
                zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
                return false;
        }
        wanted.old[wanted.old_n++] = (struct zone_old){wanted.epoch, z->pointer.epoch + z->config.validity_s};
        wanted.epoch = now_s;
        for (size_t i = 0; i < wanted.old_n; i++)
                if (wanted.epoch <= wanted.old[i].epoch)
                        wanted.epoch = wanted.old[i].epoch + 1;
        if (wanted.next <= wanted.epoch)
                wanted.next = 0;
        swap_pointer(z, &wanted, ZONE_EVENT_EPOCH_CHOSEN);
        return true;
}

/* The keys that the pointer asks for, with what is known of those that were there before. */
static void plan_keys(struct zone *z, int64_t now_s)
{
        struct zone_key before[ZONE_KEYS_MAX];
        size_t before_n = z->key_n;
        memcpy(before, z->keys, sizeof before);
        z->key_n = 0;
        for (size_t i = 0; i <= z->pointer.old_n; i++) {
                int64_t epoch = i == 0 ? z->pointer.epoch : z->pointer.old[i - 1].epoch;
                int64_t until_s = i == 0 ? 0 : z->pointer.old[i - 1].until_s;
                if (i > 0 && until_s <= now_s)
                        continue;
                struct zone_key *key = &z->keys[z->key_n++];
                *key = (struct zone_key){.epoch = epoch};
                for (size_t k = 0; k < before_n; k++)
                        if (before[k].epoch == epoch)
                                *key = before[k];
                key->until_s = until_s;
                struct wr w;
                wr_init(&w, key->selector, sizeof key->selector);
                zone_selector_write(&w, z->config.selector, epoch);
                key->selector_n = w.n;
        }
}

static void adopt(struct zone *z, int64_t now_s, const struct zone_pointer *found)
{
        bool is_new = !z->has_pointer || z->pointer.epoch != found->epoch;
        z->pointer = *found;
        z->has_pointer = true;
        z->is_foreign = false;
        z->expired.n = 0;
        plan_keys(z, now_s);
        if (is_new)
                zone_tell(z, ZONE_EVENT_POINTER_FOUND, zone_key_selector(&z->keys[0]), S(""));
        z->state = ZONE_STATE_DERIVE_KEYS;
        /* A key that is too old to sign is not looked at first. */
        if (now_s > found->epoch + z->config.validity_s - z->config.queue_life_s)
                (void)zone_rotate(z, now_s);
}

/* The keys of this domain belong to another password: not ours to touch, nor to sign beside. */
static void leave_alone(struct zone *z, const struct zone_pointer *found)
{
        struct wr w = zone_reason_begin(z);
        wr_str(&w, S("the zone's keys belong to another password: the pointer record has id "));
        hex_encode(&w, str_of(found->id, sizeof found->id));
        wr_str(&w, S(", ours is "));
        hex_encode(&w, str_of(z->config.id, sizeof z->config.id));
        zone_reason_end(z, &w);
        if (!z->is_foreign)
                zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        z->is_foreign = true;
        z->has_pointer = false;
        z->key_n = 0;
        zone_rest(z, ZONE_REST_S);
}

static void refuse_pointer(struct zone *z, struct str what)
{
        struct wr w = zone_reason_begin(z);
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
        z->state = ZONE_STATE_DERIVE_KEYS;
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
        else if (answer->status != DNS_FOUND)
                create(z, now_s);
        else if (answer->count != 1)
                refuse_pointer(z, S("stands more than one TXT record"));
        else if (zone_pointer_parse(answer->values[0].text, &found) != ERR_OK ||
                 zone_see(&z->pointer_seen, answer) != ERR_OK)
                refuse_pointer(z, S("stands a TXT record that is no pointer of this program"));
        else if (memcmp(found.id, z->config.id, sizeof found.id) != 0)
                leave_alone(z, &found);
        else
                adopt(z, now_s, &found);
}

const struct zone_state_row zone_at_read_pointer = {.ask = ask_pointer, .answered = answered_pointer};

static bool ask_update(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)z;
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_UPDATE};
        return true;
}

/* The pointer as it was seen becomes the wanted one; an expired key goes in the same breath. */
static void fill_pointer(const struct zone *z, struct dns_update *u)
{
        struct dns_name name;
        char text[ZONE_POINTER_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        CHECK(zone_pointer_write(&z->wanted, &w) == ERR_OK);
        zone_pointer_name(z, &name);
        zone_need_seen(u, &name, &z->pointer_seen);
        if (z->expired.n > 0)
                zone_need_seen(u, &z->expired, &z->key_seen);
        zone_delete_seen(u, &name, &z->pointer_seen);
        zone_add_txt(z, u, &name, wr_text(&w));
        if (z->expired.n > 0)
                zone_delete_seen(u, &z->expired, &z->key_seen);
}

static void updated_pointer(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        char selector[DNS_LABEL_MAX];
        struct wr w;
        (void)now_s;
        if (!zone_update_done(z, result))
                return;
        int64_t epoch =
                z->wanted_event == ZONE_EVENT_KEY_REMOVED ? z->pointer.old[z->at].epoch : z->wanted.epoch;
        wr_init(&w, selector, sizeof selector);
        zone_selector_write(&w, z->config.selector, epoch);
        zone_tell(z, z->wanted_event, wr_text(&w), S(""));
        z->state = ZONE_STATE_READ_POINTER; /* the zone's word, not ours */
}

const struct zone_state_row zone_at_write_pointer = {
        .ask = ask_update, .updated = updated_pointer, .fill = fill_pointer};

static void expired_name(const struct zone *z, struct dns_name *out)
{
        char selector[DNS_LABEL_MAX];
        struct wr w;
        wr_init(&w, selector, sizeof selector);
        zone_selector_write(&w, z->config.selector, z->pointer.old[z->at].epoch);
        zone_key_name(z, wr_text(&w), out);
}

static bool ask_expired(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        struct dns_name name;
        expired_name(z, &name);
        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
}

static void answered_expired(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_pointer wanted = z->pointer;
        struct dns_name name;
        (void)now_s;
        expired_name(z, &name);
        bool is_alias = zone_is_alias(&name, e, answer); /* not our record, and none of ours beside it */
        if (!is_alias && zone_answer_failed(z, &name, DNS_TYPE_TXT, e, answer))
                return;
        z->key_seen.n = 0;
        if (!is_alias && zone_see(&z->key_seen, answer) != ERR_OK) {
                struct wr w = zone_reason_begin(z);
                wr_str(&w, S("too many TXT records at "));
                dns_name_write(&w, &name);
                zone_reason_end(z, &w);
                zone_trouble(z);
                return;
        }
        z->expired = name;
        wanted.old_n--;
        for (size_t i = z->at; i < wanted.old_n; i++)
                wanted.old[i] = wanted.old[i + 1];
        swap_pointer(z, &wanted, ZONE_EVENT_KEY_REMOVED);
}

const struct zone_state_row zone_at_read_expired = {.ask = ask_expired, .answered = answered_expired};
