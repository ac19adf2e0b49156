/* SPDX-License-Identifier: ISC */
/* The zone machine at the key records: have them derived, compare them with the zone, put back what is missing. */
#include "auth/zone_internal.h"
#include "dns/code.h"

static bool ask_derive(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        for (size_t i = 0; i < z->key_n; i++) {
                const struct zone_key *key = &z->keys[i];
                struct wr w;
                if (key->record_n > 0)
                        continue;
                *out = (struct zone_step){.action = ZONE_DERIVE, .epoch = key->epoch};
                wr_init(&w, out->selector, sizeof out->selector);
                wr_str(&w, zone_key_selector(key));
                out->selector_n = w.n;
                return true;
        }
        z->at = 0;
        z->state = ZONE_STATE_READ_KEY;
        return false;
}

const struct zone_state_row zone_at_derive_keys = {.ask = ask_derive};

static struct str record_of(const struct zone_key *key)
{
        return str_of(key->record, key->record_n);
}

static void look_at_servers(struct zone *z, int64_t now_s)
{
        struct zone_key *current = &z->keys[0];
        if (current->proof_since_s == 0) {
                current->proof_since_s = now_s;
                z->servers.looks = 0;
        }
        z->state = ZONE_STATE_READ_SERVERS;
}

/* All keys were looked at. The current one is still to be found at the name servers; else all is well. Changes of the
 * pointer come last, so that one that fails for ever keeps nobody from looking at the keys. */
static void finish_look(struct zone *z, int64_t now_s)
{
        struct zone_key *current = &z->keys[0];
        if (current->is_published && current->is_old && !current->is_proven) {
                look_at_servers(z, now_s);
                return;
        }
        if (!z->is_read_only && zone_rotate(z, now_s))
                return;
        if (!current->is_published) { /* why not was told */
                zone_rest(z, z->trouble_rest_s > 0 ? z->trouble_rest_s : ZONE_REST_S);
                return;
        }
        if (current->is_proven) {
                if (!z->is_read_only && zone_remove_expired(z, now_s))
                        return;
                z->trouble_rest_s = 0;
                zone_rest(z, ZONE_REST_S);
                return;
        }
        look_at_servers(z, now_s);
}

static bool ask_key(struct zone *z, int64_t now_s, struct zone_step *out)
{
        struct dns_name name;
        if (z->at == z->key_n) {
                finish_look(z, now_s);
                return false;
        }
        zone_key_name(z, zone_key_selector(&z->keys[z->at]), &name);
        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
}

static void found_key(struct zone *z, int64_t now_s, struct zone_key *key)
{
        if (!key->is_published && !key->is_ours)
                zone_tell(z, ZONE_EVENT_KEY_FOUND, zone_key_selector(key), S(""));
        key->is_published = true;
        key->is_old = !key->is_new && now_s - key->epoch >= ZONE_PROOF_MAX_S;
        if (key->is_old && z->at > 0) /* there was time for the next one to follow it */
                key->is_proven = true;
        z->at++;
}

/* No update of ours can put it right: told, and on with the next key. */
static void leave_key(struct zone *z, struct str what)
{
        struct wr w = zone_reason_begin(z);
        wr_str(&w, what);
        wr_str(&w, zone_key_selector(&z->keys[z->at]));
        zone_reason_end(z, &w);
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        z->at++;
}

static void answered_key(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_key *key = &z->keys[z->at];
        struct dns_name name;
        zone_key_name(z, zone_key_selector(key), &name);
        bool is_alias = zone_is_alias(&name, e, answer);
        if (!is_alias && zone_answer_failed(z, &name, DNS_TYPE_TXT, e, answer))
                return;
        if (!is_alias && answer->count == 1 && str_eq(answer->values[0].text, record_of(key))) {
                found_key(z, now_s, key);
                return;
        }
        key->is_published = key->is_proven = false;
        key->is_ours = false;
        key->is_new = true;
        key->proof_since_s = 0;
        if (is_alias || zone_see(&z->key_seen, answer) != ERR_OK) {
                leave_key(z, is_alias ? S("there is an alias at ") : S("too many TXT records at "));
                return;
        }
        struct wr w = zone_reason_begin(z);
        wr_str(&w, S("the zone does not publish "));
        wr_str(&w, zone_key_selector(key));
        wr_str(&w, S(" yet"));
        zone_reason_end(z, &w);
        if (z->is_read_only)
                z->at++;
        else
                z->state = ZONE_STATE_WRITE_KEY;
}

const struct zone_state_row zone_at_read_key = {.ask = ask_key, .answered = answered_key};

static bool ask_update(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)z;
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_UPDATE};
        return true;
}

static void fill_key(const struct zone *z, struct dns_update *u)
{
        const struct zone_key *key = &z->keys[z->at];
        struct dns_name name;
        zone_key_name(z, zone_key_selector(key), &name);
        zone_need_seen(u, &name, &z->key_seen);
        zone_delete_seen(u, &name, &z->key_seen);
        zone_add_txt(z, u, &name, record_of(key));
}

static void updated_key(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        struct zone_key *key = &z->keys[z->at];
        (void)now_s;
        if (!zone_update_done(z, result)) {
                if (z->races == 0) { /* refused or lost: the other keys are looked at all the same */
                        z->at++;
                        z->state = ZONE_STATE_READ_KEY;
                }
                return;
        }
        key->is_ours = true;
        zone_tell(z, z->key_seen.n == 0 ? ZONE_EVENT_KEY_PUBLISHED : ZONE_EVENT_KEY_REPLACED,
                zone_key_selector(key), S(""));
        z->state = ZONE_STATE_READ_KEY; /* see it there */
}

const struct zone_state_row zone_at_write_key = {.ask = ask_update, .updated = updated_key, .fill = fill_key};
