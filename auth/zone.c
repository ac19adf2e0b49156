/* SPDX-License-Identifier: ISC */
#include "auth/zone.h"

#include <string.h>

#include "auth/zone_internal.h"
#include "base/ascii.h"
#include "base/check.h"
#include "dns/code.h"
#include "dns/txt.h"

void zone_go(struct zone *z, enum zone_state to)
{
        z->moves[z->state] |= UINT32_C(1) << to;
        z->state = to;
}

static bool ask_rest(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_WAIT, .wait_s = z->rest_s};
        zone_go(z, ZONE_STATE_READ_POINTER);
        z->writes = 0;
        z->is_failed = false;
        return true;
}

static bool ask_end(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)z;
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_END};
        return true;
}

static const struct zone_state_row at_rest = {.ask = ask_rest}, at_end = {.ask = ask_end};

static const struct zone_state_row *const states[ZONE_STATES] = {
        [ZONE_STATE_READ_POINTER] = &zone_at_read_pointer,
        [ZONE_STATE_WRITE_POINTER] = &zone_at_write_pointer,
        [ZONE_STATE_READ_KEY] = &zone_at_read_key,
        [ZONE_STATE_WRITE_KEY] = &zone_at_write_key,
        [ZONE_STATE_READ_SERVERS] = &zone_at_read_servers,
        [ZONE_STATE_READ_ADDRESS] = &zone_at_read_address,
        [ZONE_STATE_CHECK_SERVER] = &zone_at_check_server,
        [ZONE_STATE_CHANGE_POINTER] = &zone_at_change_pointer,
        [ZONE_STATE_READ_RETIRED] = &zone_at_read_retired,
        [ZONE_STATE_WRITE_RETIRED] = &zone_at_write_retired,
        [ZONE_STATE_REST] = &at_rest,
        [ZONE_STATE_END] = &at_end,
};

enum err zone_selector_check(struct str pattern)
{
        size_t at = str_find(pattern, S("%d"));
        if (at == pattern.n)
                return ERR_SYNTAX;
        for (size_t i = 0; i < pattern.n; i++)
                if (i != at && i != at + 1 && !ascii_is_alnum(pattern.p[i]) && pattern.p[i] != '-')
                        return ERR_SYNTAX;
        return pattern.n > ZONE_SELECTOR_PATTERN_MAX ? ERR_LIMIT : ERR_OK;
}

void zone_selector_write(struct wr *w, struct str pattern, enum zone_kind kind, int64_t epoch)
{
        size_t at = str_find(pattern, S("%d"));
        wr_lower(w, str_take(pattern, at));
        if (kind == ZONE_DKIM_ED25519)
                wr_str(w, S("ed25519-"));
        wr_u64(w, (uint64_t)epoch);
        wr_lower(w, str_skip(pattern, at + 2));
}

bool zone_times_fit(int64_t validity_s, int64_t overlap_s, int64_t ttl_s)
{
        /* An epoch is old from its successor's day until its records are gone; two are left for delays and restores. */
        return (overlap_s + 2 * ttl_s) / (ZONE_OLD_MAX - 2) < validity_s - overlap_s;
}

enum err zone_init(struct zone *z, const struct zone_config *config)
{
        struct dns_name name;
        char longest[DNS_LABEL_MAX];
        memset(longest, 'x', sizeof longest);
        CHECK(zone_selector_check(config->selector) == ERR_OK);
        CHECK(config->arc_selector.n == 0 || zone_selector_check(config->arc_selector) == ERR_OK);
        CHECK(dns_name_is_under(&config->domain, &config->zone) && config->overlap_s < config->validity_s);
        *z = (struct zone){.config = *config, .state = ZONE_STATE_READ_POINTER, .revoked = ERR_AGAIN};
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNREAD);
        wr_str(&w, S("the zone has not been read yet"));
        zone_reason_end(z, &w);
        if (dns_name_join(S("_domainkey"), &config->domain, &name) != ERR_OK)
                return ERR_LIMIT;
        return dns_name_child(&name, str_of(longest, sizeof longest), &name);
}

bool zone_has_kind(const struct zone *z, enum zone_kind kind)
{
        return kind == ZONE_DKIM_RSA || (kind == ZONE_DKIM_ED25519 && z->config.has_ed25519) ||
               (kind == ZONE_ARC_RSA && z->config.arc_selector.n > 0);
}

void zone_write_selector(const struct zone *z, struct wr *w, enum zone_kind kind, int64_t epoch)
{
        zone_selector_write(
                w, kind == ZONE_ARC_RSA ? z->config.arc_selector : z->config.selector, kind, epoch);
}

void zone_pointer_name(const struct zone *z, struct dns_name *out)
{
        CHECK(dns_name_join(S("_ptt._domainkey"), &z->config.domain, out) == ERR_OK);
}

void zone_key_name(const struct zone *z, struct str selector, struct dns_name *out)
{
        CHECK(dns_name_join(S("_domainkey"), &z->config.domain, out) == ERR_OK);
        CHECK(dns_name_child(out, selector, out) == ERR_OK);
}

struct str zone_key_selector(const struct zone_key *key)
{
        return str_of(key->selector, key->selector_n);
}

bool zone_ask_primary(const struct dns_name *name, uint16_t type, struct zone_step *out)
{
        *out = (struct zone_step){.action = ZONE_QUERY, .at_primary = true, .name = *name, .type = type};
        return true;
}

bool zone_ask_update(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)z;
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_UPDATE};
        return true;
}

bool zone_is_alias(const struct dns_name *name, enum err e, const struct dns_answer *answer)
{
        return e == ERR_OK && (answer->status == DNS_ALIAS ||
                                      (answer->status == DNS_FOUND && !dns_name_eq(&answer->name, name)));
}

enum err zone_see(struct zone_seen *seen, const struct dns_answer *answer)
{
        struct wr w;
        seen->n = 0;
        wr_init(&w, seen->bytes, sizeof seen->bytes);
        for (size_t i = 0; i < answer->count; i++) {
                wr_str(&w, answer->values[i].wire);
                if (i == ZONE_SEEN_MAX || wr_end(&w) != ERR_OK) {
                        seen->n = 0;
                        return ERR_LIMIT;
                }
                seen->ends[seen->n++] = w.n;
        }
        return ERR_OK;
}

void zone_need_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen)
{
        if (seen->n == 0)
                dns_update_need_no_rrset(u, name, DNS_TYPE_TXT);
        for (size_t i = 0, from = 0; i < seen->n; from = seen->ends[i], i++)
                dns_update_need_exact(
                        u, name, DNS_TYPE_TXT, str_of(seen->bytes + from, seen->ends[i] - from));
}

void zone_delete_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen)
{
        if (seen->n > 0)
                dns_update_delete_rrset(u, name, DNS_TYPE_TXT);
}

void zone_add_txt(const struct zone *z, struct dns_update *u, const struct dns_name *name, struct str text)
{
        char rdata[KEY_RECORD_MAX + KEY_RECORD_MAX / 255 + 1];
        struct wr w;
        wr_init(&w, rdata, sizeof rdata);
        dns_txt_write_wire(&w, text);
        CHECK(wr_end(&w) == ERR_OK);
        dns_update_add(u,
                &(struct dns_update_record){
                        .name = name, .type = DNS_TYPE_TXT, .ttl_s = z->config.ttl_s, .rdata = wr_text(&w)});
}

static bool is_prerequisite(uint16_t rcode)
{
        return rcode == DNS_RCODE_YXDOMAIN || rcode == DNS_RCODE_YXRRSET || rcode == DNS_RCODE_NXRRSET ||
               rcode == DNS_RCODE_NXDOMAIN;
}

enum zone_outcome zone_judge_update(struct zone *z, const struct zone_update_result *result)
{
        bool is_done = result->status == ZONE_UPDATE_DONE;
        bool is_race = result->status == ZONE_UPDATE_REFUSED && is_prerequisite(result->rcode);
        z->races = is_race ? z->races + 1 : 0;
        if (is_done && ++z->writes <= 2 * ZONE_KEYS_MAX)
                return ZONE_OUTCOME_DONE;
        if (is_race && z->races <= ZONE_RACES_MAX)
                return ZONE_OUTCOME_RACED;
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNREACHABLE);
        if (is_done)
                wr_str(&w, S("the primary name server accepts updates and does not show them"));
        else
                zone_write_update_failure(&w, result);
        zone_reason_end(z, &w);
        z->races = 0;
        zone_fail(z);
        return ZONE_OUTCOME_FAILED;
}

void zone_rest(struct zone *z, int64_t seconds)
{
        z->rest_s = seconds;
        zone_go(z, ZONE_STATE_REST);
}

int64_t zone_usual_rest_s(const struct zone *z)
{
        return z->config.is_rotation_test ? 1 : ZONE_REST_S;
}

static bool is_awaited(const struct zone *z)
{
        for (size_t i = 0; i < z->key_n; i++)
                if (z->keys[i].is_published && !z->keys[i].is_proven)
                        return true;
        return false;
}

static void wake_at(int64_t now_s, int64_t at_s, int64_t *rest_s)
{
        if (at_s > now_s && at_s - now_s < *rest_s)
                *rest_s = at_s - now_s;
}

void zone_rest_until_due(struct zone *z, int64_t now_s)
{
        int64_t rest_s = zone_usual_rest_s(z);
        if (z->is_failed) {
                zone_rest(z, z->trouble_rest_s);
                return;
        }
        z->trouble_rest_s = 0;
        if (is_awaited(z) && rest_s > ZONE_PROOF_REST_S)
                rest_s = ZONE_PROOF_REST_S;
        if (z->has_pointer)
                wake_at(now_s, z->pointer.next == 0 ? zone_announce_s(z) : zone_change_s(z), &rest_s);
        for (size_t i = 0; z->has_pointer && i < z->pointer.old_n; i++) {
                wake_at(now_s, z->pointer.old[i].until_s, &rest_s);
                wake_at(now_s, zone_removal_s(z, &z->pointer.old[i]), &rest_s);
        }
        zone_rest(z, rest_s);
}

void zone_end(struct zone *z, enum err outcome)
{
        z->revoked = outcome;
        zone_go(z, ZONE_STATE_END);
}

enum err zone_revoked(const struct zone *z)
{
        return z->revoked;
}

int64_t zone_change_s(const struct zone *z)
{
        return z->pointer.epoch + z->config.validity_s - z->config.overlap_s;
}

int64_t zone_announce_s(const struct zone *z)
{
        int64_t half_s = (z->config.validity_s - z->config.overlap_s) / 2;
        return zone_change_s(z) - (half_s < ZONE_ANNOUNCE_S ? half_s : ZONE_ANNOUNCE_S);
}

/* Until when what this key signs is valid. */
static int64_t expiry_of(const struct zone *z, const struct zone_key *key)
{
        int64_t expiry_s = key->epoch + z->config.validity_s;
        if (key->until_s != 0 && expiry_s > key->until_s) /* another --validity had been in force */
                expiry_s = key->until_s;
        return expiry_s;
}

/* The first key of a kind that may sign, in the order of `keys`; `*is_expiring`: one is proven, and too old. */
static const struct zone_key *find_signing(
        const struct zone *z, int64_t now_s, enum zone_kind kind, bool is_next, bool *is_expiring)
{
        for (size_t i = 0; i < z->key_n; i++) {
                const struct zone_key *key = &z->keys[i];
                if (key->kind != kind || !key->is_proven || (key->epoch == z->pointer.next) != is_next)
                        continue;
                if (expiry_of(z, key) - now_s >= z->config.queue_life_s)
                        return key;
                *is_expiring = true;
        }
        return NULL;
}

enum err zone_signing(const struct zone *z, int64_t now_s, enum zone_kind kind, struct zone_signing *out)
{
        bool is_expiring = false;
        const struct zone_key *key = find_signing(z, now_s, kind, false, &is_expiring);
        if (!key)
                key = find_signing(z, now_s, kind, true, &is_expiring);
        *out = (struct zone_signing){.lack = ZONE_LACK_NONE};
        if (key) {
                out->key = (size_t)(key - z->keys);
                out->expiry_s = expiry_of(z, key);
                return ERR_OK;
        }
        out->lack = is_expiring ? ZONE_LACK_EXPIRING : z->lack;
        out->reason = is_expiring ? S("what the key signs now would expire before the queues give up")
                                  : zone_reason(z);
        return ERR_NOT_FOUND;
}

bool zone_vouches(const struct zone *z, int64_t now_s, struct str selector, int64_t expiry_s)
{
        for (size_t i = 0; i < z->key_n; i++) {
                const struct zone_key *key = &z->keys[i];
                if (!key->is_proven || !str_eq_nocase(zone_key_selector(key), selector))
                        continue;
                int64_t over_s = expiry_of(z, key);
                return (over_s < expiry_s ? over_s : expiry_s) - now_s >= z->config.queue_life_s;
        }
        return false;
}

/* Tell when signing begins, changes its key, or ends. */
static void judge_kind(struct zone *z, int64_t now_s, enum zone_kind kind)
{
        struct zone_signing signing;
        bool is_ready = zone_signing(z, now_s, kind, &signing) == ERR_OK;
        int64_t epoch = is_ready ? z->keys[signing.key].epoch : 0;
        char selector[DNS_LABEL_MAX];
        struct wr w;
        if (epoch == z->signing[kind])
                return;
        wr_init(&w, selector, sizeof selector);
        zone_write_selector(z, &w, kind, is_ready ? epoch : z->signing[kind]);
        zone_tell(z, is_ready ? ZONE_EVENT_READY : ZONE_EVENT_NOT_READY, wr_text(&w), signing.reason);
        z->signing[kind] = epoch;
}

static void judge(struct zone *z, int64_t now_s)
{
        for (int kind = 0; kind < ZONE_KINDS; kind++)
                if (zone_has_kind(z, (enum zone_kind)kind))
                        judge_kind(z, now_s, (enum zone_kind)kind);
}

void zone_next(struct zone *z, int64_t now_s, struct zone_step *out)
{
        judge(z, now_s);
        while (!states[z->state]->ask(z, now_s, out))
                ;
        judge(z, now_s);
}

void zone_answered(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        CHECK(states[z->state]->answered);
        states[z->state]->answered(z, now_s, e, answer);
        judge(z, now_s);
}

void zone_fill_update(const struct zone *z, struct dns_update *u)
{
        CHECK(states[z->state]->fill);
        states[z->state]->fill(z, u);
}

void zone_updated(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        CHECK(states[z->state]->updated);
        states[z->state]->updated(z, now_s, result);
        judge(z, now_s);
}
