/* SPDX-License-Identifier: ISC */
/* The zone machine at the key records: have them derived, compare them with the zone, put back what is missing. */
#include <string.h>

#include "auth/zone_internal.h"
#include "base/check.h"
#include "dns/code.h"

/* Is there one among those looked at that the name servers were not asked for? */
static bool is_proof_due(const struct zone *z)
{
        for (size_t i = z->servers.to; i < z->at; i++)
                if (z->keys[i].is_published && !z->keys[i].is_proven)
                        return true;
        return false;
}

static bool ask_derive(const struct zone_key *key, struct zone_step *out)
{
        struct wr w;
        *out = (struct zone_step){.action = ZONE_DERIVE, .epoch = key->epoch, .kind = key->kind};
        wr_init(&w, out->selector, sizeof out->selector);
        wr_str(&w, zone_key_selector(key));
        out->selector_n = w.n;
        return true;
}

/* Key by key. The current epoch's are proven before the others are even derived, so that signing begins soon. */
static bool ask_key(struct zone *z, int64_t now_s, struct zone_step *out)
{
        struct dns_name name;
        (void)now_s;
        if ((z->at == z->current_n || z->at == z->key_n) && is_proof_due(z)) {
                z->servers.from = z->servers.to;
                z->servers.to = z->at;
                zone_go(z, ZONE_STATE_READ_SERVERS);
                return false;
        }
        if (z->at == z->key_n) {
                zone_go(z, ZONE_STATE_CHANGE_POINTER);
                return false;
        }
        if (z->keys[z->at].record_n == 0)
                return ask_derive(&z->keys[z->at], out);
        zone_key_name(z, zone_key_selector(&z->keys[z->at]), &name);
        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
}

void zone_derived(struct zone *z, int64_t now_s, struct str record)
{
        CHECK(z->state == ZONE_STATE_READ_KEY && z->at < z->key_n && record.n <= KEY_RECORD_MAX);
        struct zone_key *key = &z->keys[z->at];
        (void)now_s;
        if (record.n > 0) {
                memcpy(key->record, record.p, record.n);
                key->record_n = record.n;
                return;
        }
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNPUBLISHED);
        wr_str(&w, S("the key could not be derived"));
        zone_reason_end(z, &w);
        zone_trouble(z);
}

static struct str record_of(const struct zone_key *key)
{
        return str_of(key->record, key->record_n);
}

static void found_key(struct zone *z, int64_t now_s, struct zone_key *key)
{
        if (!key->is_published && !key->is_ours)
                zone_tell(z, ZONE_EVENT_KEY_FOUND, zone_key_selector(key), S(""));
        key->is_published = true;
        key->is_old = !key->is_new && now_s - key->epoch >= ZONE_PROOF_MAX_S;
        if (key->is_old && key->until_s != 0) /* there was time for the next one to follow it */
                key->is_proven = true;
        z->at++;
}

/* No update of ours can put it right: told, and on with the next key. */
static void leave_key(struct zone *z, struct str what)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNPUBLISHED);
        wr_str(&w, what);
        wr_str(&w, zone_key_selector(&z->keys[z->at]));
        zone_reason_end(z, &w);
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        z->at++;
}

/* The key rests from here on, until it is proven again. */
static void miss_key(struct zone *z, struct zone_key *key)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNPUBLISHED);
        key->is_published = key->is_proven = false;
        key->is_ours = false;
        key->is_new = true;
        key->proof_since_s = 0;
        wr_str(&w, S("the zone does not publish "));
        wr_str(&w, zone_key_selector(key));
        wr_str(&w, S(" yet"));
        zone_reason_end(z, &w);
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
        miss_key(z, key);
        if (is_alias || zone_see(&z->record_seen, answer) != ERR_OK)
                leave_key(z, is_alias ? S("there is an alias at ") : S("too many TXT records at "));
        else if (z->is_read_only)
                z->at++;
        else
                zone_go(z, ZONE_STATE_WRITE_KEY);
}

const struct zone_state_row zone_at_read_key = {.ask = ask_key, .answered = answered_key};

static void fill_key(const struct zone *z, struct dns_update *u)
{
        const struct zone_key *key = &z->keys[z->at];
        struct dns_name name;
        zone_key_name(z, zone_key_selector(key), &name);
        zone_need_seen(u, &name, &z->record_seen);
        zone_delete_seen(u, &name, &z->record_seen);
        zone_add_txt(z, u, &name, record_of(key));
}

static void updated_key(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        struct zone_key *key = &z->keys[z->at];
        (void)now_s;
        zone_go(z, ZONE_STATE_READ_KEY); /* see it there */
        switch (zone_judge_update(z, result)) {
        case ZONE_OUTCOME_DONE:
                key->is_ours = true;
                zone_tell(z, z->record_seen.n == 0 ? ZONE_EVENT_KEY_PUBLISHED : ZONE_EVENT_KEY_REPLACED,
                        zone_key_selector(key), S(""));
                break;
        case ZONE_OUTCOME_RACED:
                break;
        case ZONE_OUTCOME_FAILED: /* the other keys are looked at all the same */
                z->at++;
                break;
        }
}

const struct zone_state_row zone_at_write_key = {
        .ask = zone_ask_update, .updated = updated_key, .fill = fill_key};
