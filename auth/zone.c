/* SPDX-License-Identifier: ISC */
#include "auth/zone.h"

#include <string.h>

#include "auth/zone_internal.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/time_text.h"
#include "dns/code.h"
#include "dns/txt.h"

static bool ask_rest(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        *out = (struct zone_step){.action = ZONE_WAIT, .wait_s = z->rest_s};
        z->state = ZONE_STATE_READ_POINTER;
        z->writes = 0;
        return true;
}

static const struct zone_state_row at_rest = {.ask = ask_rest};

static const struct zone_state_row *const states[ZONE_STATES] = {
        [ZONE_STATE_READ_POINTER] = &zone_at_read_pointer,
        [ZONE_STATE_WRITE_POINTER] = &zone_at_write_pointer,
        [ZONE_STATE_READ_EXPIRED] = &zone_at_read_expired,
        [ZONE_STATE_DERIVE_KEYS] = &zone_at_derive_keys,
        [ZONE_STATE_READ_KEY] = &zone_at_read_key,
        [ZONE_STATE_WRITE_KEY] = &zone_at_write_key,
        [ZONE_STATE_READ_SERVERS] = &zone_at_read_servers,
        [ZONE_STATE_READ_ADDRESS] = &zone_at_read_address,
        [ZONE_STATE_CHECK_SERVER] = &zone_at_check_server,
        [ZONE_STATE_REST] = &at_rest,
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

void zone_selector_write(struct wr *w, struct str pattern, int64_t epoch)
{
        size_t at = str_find(pattern, S("%d"));
        wr_lower(w, str_take(pattern, at));
        wr_u64(w, (uint64_t)epoch);
        wr_lower(w, str_skip(pattern, at + 2));
}

enum err zone_init(struct zone *z, const struct zone_config *config)
{
        struct dns_name name;
        char longest[DNS_LABEL_MAX];
        memset(longest, 'x', sizeof longest);
        CHECK(zone_selector_check(config->selector) == ERR_OK);
        CHECK(dns_name_is_under(&config->domain, &config->zone) && config->overlap_s < config->validity_s);
        *z = (struct zone){.config = *config, .state = ZONE_STATE_READ_POINTER};
        struct wr w = zone_reason_begin(z);
        wr_str(&w, S("the zone has not been read yet"));
        zone_reason_end(z, &w);
        if (dns_name_join(S("_domainkey"), &config->domain, &name) != ERR_OK)
                return ERR_LIMIT;
        return dns_name_child(&name, str_of(longest, sizeof longest), &name);
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

static size_t copy_text(char *to, size_t cap, struct str text)
{
        size_t n = text.n < cap ? text.n : cap;
        if (n > 0)
                memcpy(to, text.p, n);
        return n;
}

void zone_tell(struct zone *z, enum zone_event_kind kind, struct str selector, struct str detail)
{
        if (z->event_n == ZONE_EVENTS_MAX) { /* nobody takes them: the newest matter */
                memmove(z->events, z->events + 1, (ZONE_EVENTS_MAX - 1) * sizeof z->events[0]);
                z->event_n--;
        }
        struct zone_event *event = &z->events[z->event_n++];
        event->kind = kind;
        event->selector_n = copy_text(event->selector, sizeof event->selector, selector);
        event->detail_n = copy_text(event->detail, sizeof event->detail, detail);
}

bool zone_take_event(struct zone *z, struct zone_event *out)
{
        if (z->event_n == 0)
                return false;
        *out = z->events[0];
        z->event_n--;
        memmove(z->events, z->events + 1, z->event_n * sizeof z->events[0]);
        return true;
}

struct wr zone_reason_begin(struct zone *z)
{
        struct wr w;
        wr_init(&w, z->reason, sizeof z->reason);
        return w;
}

void zone_reason_end(struct zone *z, const struct wr *w)
{
        z->reason_n = w->n;
}

struct str zone_reason(const struct zone *z)
{
        return str_of(z->reason, z->reason_n);
}

void zone_rest(struct zone *z, int64_t seconds)
{
        z->rest_s = seconds;
        z->state = ZONE_STATE_REST;
}

void zone_trouble(struct zone *z)
{
        int64_t longer = z->trouble_rest_s == 0 ? ZONE_TROUBLE_REST_MIN_S : 2 * z->trouble_rest_s;
        z->trouble_rest_s = longer < ZONE_REST_S ? longer : ZONE_REST_S;
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
        zone_rest(z, z->trouble_rest_s);
}

void zone_write_failure(struct wr *w, enum err e, const struct dns_answer *answer)
{
        if (e == ERR_OK)
                wr_str(w, S("no such record"));
        else if (e == ERR_DENIED && answer->rcode != DNS_RCODE_NOERROR)
                wr_str(w, dns_rcode_text(answer->rcode));
        else if (e == ERR_DENIED)
                wr_str(w, S("the server has no authority for it"));
        else
                wr_str(w, str_of_c(err_text(e)));
}

bool zone_is_alias(const struct dns_name *name, enum err e, const struct dns_answer *answer)
{
        return e == ERR_OK && (answer->status == DNS_ALIAS ||
                                      (answer->status == DNS_FOUND && !dns_name_eq(&answer->name, name)));
}

bool zone_answer_failed(struct zone *z, const struct dns_name *name, uint16_t type, enum err e,
        const struct dns_answer *answer)
{
        bool is_alias = zone_is_alias(name, e, answer);
        if (e == ERR_OK && !is_alias)
                return false;
        struct wr w = zone_reason_begin(z);
        wr_str(&w, S("the primary name server was asked for "));
        dns_name_write(&w, name);
        wr_byte(&w, ' ');
        wr_str(&w, dns_type_text(type));
        wr_str(&w, S(": "));
        if (is_alias)
                wr_str(&w, S("there is an alias"));
        else
                zone_write_failure(&w, e, answer);
        zone_reason_end(z, &w);
        zone_trouble(z);
        return true;
}

static void write_clock(struct wr *w, struct str whose, uint64_t unix_s)
{
        wr_str(w, whose);
        time_write_rfc3339(w, (int64_t)unix_s * 1000);
}

static void write_update_failure(struct wr *w, const struct zone_update_result *r)
{
        if (r->status == ZONE_UPDATE_LOST) {
                wr_str(w, S("the update got no answer that counts: "));
                wr_str(w, str_of_c(err_text(r->err)));
                return;
        }
        wr_str(w, S("the primary name server refused the update: "));
        wr_str(w, dns_rcode_text(r->rcode));
        if (r->tsig_error != 0) {
                wr_str(w, S(", TSIG "));
                wr_str(w, dns_tsig_error_text(r->tsig_error));
        }
        if (r->server_time_s != 0 && r->server_time_s <= TIME_UNIX_MAX) {
                write_clock(w, S(", its clock says "), r->server_time_s);
                write_clock(w, S(", ours "), r->our_time_s);
        }
        if (r->status == ZONE_UPDATE_CLAIMED)
                wr_str(w, S(" (an answer without a right signature)"));
}

static bool is_prerequisite(uint16_t rcode)
{
        return rcode == DNS_RCODE_YXDOMAIN || rcode == DNS_RCODE_YXRRSET || rcode == DNS_RCODE_NXRRSET ||
               rcode == DNS_RCODE_NXDOMAIN;
}

bool zone_update_done(struct zone *z, const struct zone_update_result *result)
{
        struct wr w = zone_reason_begin(z);
        bool is_done = result->status == ZONE_UPDATE_DONE;
        bool is_race = result->status == ZONE_UPDATE_REFUSED && is_prerequisite(result->rcode);
        z->races = is_race ? z->races + 1 : 0;
        if (is_done && ++z->writes <= 2 * ZONE_KEYS_MAX)
                return true;
        if (is_race && z->races <= ZONE_RACES_MAX) {
                wr_str(&w, S("another process changes the zone at the same time"));
                zone_reason_end(z, &w);
                zone_rest(z, 1);
                return false;
        }
        if (is_done)
                wr_str(&w, S("the primary name server accepts updates and does not show them"));
        else
                write_update_failure(&w, result);
        zone_reason_end(z, &w);
        zone_trouble(z);
        return false;
}

enum err zone_signing(
        const struct zone *z, int64_t now_s, int64_t *epoch, int64_t *expiry_s, struct str *reason)
{
        *epoch = *expiry_s = 0;
        *reason = zone_reason(z);
        for (size_t i = 0; i < z->key_n; i++) {
                const struct zone_key *key = &z->keys[i];
                int64_t expiry = key->epoch + z->config.validity_s;
                if (key->until_s != 0 && expiry > key->until_s) /* another --validity had been in force */
                        expiry = key->until_s;
                if (!key->is_proven)
                        continue;
                if (expiry - now_s >= z->config.queue_life_s) {
                        *epoch = key->epoch;
                        *expiry_s = expiry;
                        *reason = S("");
                        return ERR_OK;
                }
                *reason = S("what the key signs now would expire before the queues give up");
        }
        return ERR_NOT_FOUND;
}

/* Tell when signing begins, changes its key, or ends. */
static void judge(struct zone *z, int64_t now_s)
{
        int64_t epoch, expiry_s;
        struct str reason;
        bool is_ready = zone_signing(z, now_s, &epoch, &expiry_s, &reason) == ERR_OK;
        if (!is_ready && z->signing_epoch != 0)
                zone_tell(z, ZONE_EVENT_NOT_READY, S(""), reason);
        if (is_ready && z->signing_epoch != epoch) {
                char selector[DNS_LABEL_MAX];
                struct wr w;
                wr_init(&w, selector, sizeof selector);
                zone_selector_write(&w, z->config.selector, epoch);
                zone_tell(z, ZONE_EVENT_READY, wr_text(&w), S(""));
        }
        z->signing_epoch = is_ready ? epoch : 0;
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

void zone_derived(struct zone *z, int64_t now_s, int64_t epoch, struct str record)
{
        CHECK(z->state == ZONE_STATE_DERIVE_KEYS && record.n <= KEY_RECORD_MAX);
        for (size_t i = 0; i < z->key_n; i++)
                if (z->keys[i].epoch == epoch)
                        z->keys[i].record_n = copy_text(z->keys[i].record, KEY_RECORD_MAX, record);
        if (record.n == 0) {
                struct wr w = zone_reason_begin(z);
                wr_str(&w, S("the key could not be derived"));
                zone_reason_end(z, &w);
                zone_trouble(z);
        }
        judge(z, now_s);
}
