/* SPDX-License-Identifier: ISC */
/* The zone machine at the name servers: a new key signs once each of them serves it. */
#include "auth/zone_internal.h"
#include "dns/code.h"

/* The keys that are looked for: at one of them, or at the next. */
static bool is_sought(const struct zone *z, size_t at)
{
        return z->keys[at].is_published && !z->keys[at].is_proven;
}

static size_t next_sought(const struct zone *z, size_t at)
{
        while (at < z->servers.to && !is_sought(z, at))
                at++;
        return at;
}

/* On with the look at the keys, behind these. */
static void go_on(struct zone *z)
{
        z->at = z->servers.to;
        zone_go(z, ZONE_STATE_READ_KEY);
}

static void prove(struct zone *z, struct zone_key *key, enum zone_event_kind event, struct str detail)
{
        key->is_proven = true;
        zone_tell(z, event, zone_key_selector(key), detail);
}

/* A clock that was set between two looks has made no server show a key: that time does not count. */
static void count_out_jumps(struct zone_key *key, int64_t now_s)
{
        int64_t gap_s = now_s - key->looked_s;
        if (key->looks > 0 && gap_s < 0)
                key->proof_since_s += gap_s;
        if (key->looks > 0 && gap_s > ZONE_REST_S)
                key->proof_since_s += gap_s - ZONE_REST_S;
        key->looked_s = now_s;
}

/* Not everywhere yet: look again soon, but not for ever. */
static void look_again(struct zone *z, struct zone_key *key, int64_t now_s, struct str why)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNSERVED);
        wr_str(&w, S("not every name server serves "));
        wr_str(&w, zone_key_selector(key));
        wr_str(&w, S(" yet: "));
        wr_str(&w, why);
        zone_reason_end(z, &w);
        count_out_jumps(key, now_s);
        key->looks++;
        if (now_s - key->proof_since_s >= ZONE_PROOF_MAX_S ||
                key->looks > ZONE_PROOF_MAX_S / ZONE_PROOF_REST_S)
                prove(z, key, ZONE_EVENT_NOT_SERVED, why);
}

/* The look cannot be made. Of keys that stood there for long nobody says that they are not everywhere. */
static void give_up(
        struct zone *z, int64_t now_s, struct str what, enum err e, const struct dns_answer *answer)
{
        char text[ZONE_TEXT_MAX / 2];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, what);
        zone_write_failure(&w, e, answer);
        for (size_t i = next_sought(z, z->servers.from); i < z->servers.to; i = next_sought(z, i + 1))
                if (z->keys[i].is_old)
                        z->keys[i].is_proven = true;
                else
                        look_again(z, &z->keys[i], now_s, wr_text(&w));
        go_on(z);
}

static bool ask_servers(struct zone *z, int64_t now_s, struct zone_step *out)
{
        for (size_t i = next_sought(z, z->servers.from); i < z->servers.to; i = next_sought(z, i + 1)) {
                struct zone_key *key = &z->keys[i];
                key->right = key->wrong = 0;
                if (key->proof_since_s == 0) {
                        key->proof_since_s = now_s;
                        key->looks = 0;
                }
        }
        return zone_ask_primary(&z->config.zone, DNS_TYPE_NS, out);
}

static void answered_servers(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_servers *s = &z->servers;
        if (e != ERR_OK || answer->status != DNS_FOUND) {
                give_up(z, now_s, S("the zone's NS records: "), e, answer);
                return;
        }
        s->n = s->address_n = s->fault_n = 0;
        s->known = 0;
        for (size_t i = 0; i < answer->count && s->n < ZONE_SERVERS_MAX; i++)
                s->names[s->n++] = answer->values[i].name;
        z->at = 0;
        s->address_type = DNS_TYPE_A;
        zone_go(z, ZONE_STATE_READ_ADDRESS);
}

const struct zone_state_row zone_at_read_servers = {.ask = ask_servers, .answered = answered_servers};

static bool ask_address(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        if (z->at < z->servers.n)
                return zone_ask_primary(&z->servers.names[z->at], z->servers.address_type, out);
        z->at = 0;
        z->servers.key = next_sought(z, z->servers.from);
        zone_go(z, ZONE_STATE_CHECK_SERVER);
        return false;
}

static void note_right(struct zone *z, uint32_t servers)
{
        for (size_t i = next_sought(z, z->servers.from); i < z->servers.to; i = next_sought(z, i + 1))
                z->keys[i].right |= servers;
}

/* An address of the server at `z->at`. The primary's own is known to be right: it was asked before. */
static void add_address(struct zone *z, const struct ip *ip)
{
        struct zone_servers *s = &z->servers;
        uint32_t server = UINT32_C(1) << z->at;
        s->known |= server;
        if (ip_eq(ip, &z->config.primary)) {
                note_right(z, server);
                return;
        }
        for (size_t i = 0; i < s->address_n; i++)
                if (ip_eq(&s->addresses[i].ip, ip)) {
                        s->addresses[i].servers |= server;
                        return;
                }
        if (s->address_n == ZONE_ADDRESSES_MAX)
                return;
        s->addresses[s->address_n].ip = *ip;
        s->addresses[s->address_n++].servers = server;
}

/* Once for each key that is new to the servers. */
static void tell_unasked(struct zone *z)
{
        const struct zone_key *key = &z->keys[next_sought(z, z->servers.from)];
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        if (key->looks > 0 || (z->servers.known >> z->at & 1) != 0)
                return;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, &z->servers.names[z->at]);
        zone_tell(z, ZONE_EVENT_UNASKED, zone_key_selector(key), wr_text(&w));
}

/* No address is no reason to wait: the primary may know only the names of servers elsewhere. A primary that fails, or
 * denies a name of its own zone, has not said so. */
static bool is_unknown(const struct zone *z, enum err e, const struct dns_answer *answer)
{
        bool is_elsewhere = !dns_name_is_under(&z->servers.names[z->at], &z->config.zone);
        return e == ERR_DENIED &&
               (answer->rcode == DNS_RCODE_NOERROR || (is_elsewhere && answer->rcode != DNS_RCODE_SERVFAIL));
}

static void answered_address(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_servers *s = &z->servers;
        if (e != ERR_OK && !is_unknown(z, e, answer)) {
                give_up(z, now_s, S("the addresses of the name servers: "), e, answer);
                return;
        }
        for (size_t i = 0; e == ERR_OK && answer->status == DNS_FOUND && i < answer->count; i++)
                add_address(z, &answer->values[i].ip);
        if (s->address_type == DNS_TYPE_A) {
                s->address_type = DNS_TYPE_AAAA;
                return;
        }
        tell_unasked(z);
        s->address_type = DNS_TYPE_A;
        z->at++;
}

const struct zone_state_row zone_at_read_address = {.ask = ask_address, .answered = answered_address};

/* All servers were asked for it. */
static void judge_key(struct zone *z, struct zone_key *key, int64_t now_s)
{
        struct zone_servers *s = &z->servers;
        if (key->is_old && key->wrong == 0)
                key->is_proven = true;
        else if ((s->known & (~key->right | key->wrong)) == 0)
                prove(z, key, ZONE_EVENT_SERVED, S(""));
        else
                look_again(z, key, now_s, str_of(s->fault, s->fault_n));
}

static bool ask_server(struct zone *z, int64_t now_s, struct zone_step *out)
{
        struct zone_servers *s = &z->servers;
        if (s->key == s->to) {
                z->at++;
                s->key = next_sought(z, s->from);
        }
        if (z->at < s->address_n) {
                *out = (struct zone_step){.action = ZONE_QUERY, .type = DNS_TYPE_TXT};
                out->server = s->addresses[z->at].ip;
                zone_key_name(z, zone_key_selector(&z->keys[s->key]), &out->name);
                return true;
        }
        for (size_t i = next_sought(z, s->from); i < s->to; i = next_sought(z, i + 1))
                judge_key(z, &z->keys[i], now_s);
        go_on(z);
        return false;
}

static void note_fault(struct zone *z, struct str what, enum err e, const struct dns_answer *answer)
{
        struct wr w;
        if (z->servers.fault_n > 0)
                return;
        wr_init(&w, z->servers.fault, sizeof z->servers.fault);
        ip_write(&w, &z->servers.addresses[z->at].ip);
        wr_str(&w, S(": "));
        if (what.n > 0)
                wr_str(&w, what);
        else
                zone_write_failure(&w, e, answer);
        z->servers.fault_n = w.n;
}

static void answered_server(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_servers *s = &z->servers;
        struct zone_key *key = &z->keys[s->key];
        uint32_t servers = s->addresses[z->at].servers;
        (void)now_s;
        s->key = next_sought(z, s->key + 1);
        if (e == ERR_OK && answer->count == 1 &&
                str_eq(answer->values[0].text, str_of(key->record, key->record_n))) {
                key->right |= servers;
                return;
        }
        bool is_other = e == ERR_OK && answer->count > 0;
        if (e == ERR_OK || (e == ERR_DENIED && !key->is_old)) /* it did answer */
                key->wrong |= servers;
        else if (e != ERR_DENIED) /* silent: it is not asked for the others */
                s->key = s->to;
        note_fault(z, is_other ? S("another record") : S(""), e, answer);
}

const struct zone_state_row zone_at_check_server = {.ask = ask_server, .answered = answered_server};
