/* SPDX-License-Identifier: ISC */
/* The zone machine at the name servers: a new key signs once each of them serves it. */
#include "auth/zone_internal.h"
#include "dns/code.h"

static struct zone_key *new_key(struct zone *z)
{
        return &z->keys[0];
}

static void prove(struct zone *z, enum zone_event_kind event, struct str detail)
{
        new_key(z)->is_proven = true;
        zone_tell(z, event, zone_key_selector(new_key(z)), detail);
        zone_rest(z, ZONE_REST_S);
}

/* Nobody says that it is not everywhere: on behind the look at the keys. */
static void prove_old(struct zone *z)
{
        new_key(z)->is_proven = true;
        z->at = z->key_n;
        z->state = ZONE_STATE_READ_KEY;
}

/* A clock that was set between two looks has made no server show a key: that time does not count. */
static void count_out_jumps(struct zone *z, int64_t now_s)
{
        int64_t gap_s = now_s - z->servers.looked_s;
        if (z->servers.looks > 0 && gap_s < 0)
                new_key(z)->proof_since_s += gap_s;
        if (z->servers.looks > 0 && gap_s > ZONE_REST_S)
                new_key(z)->proof_since_s += gap_s - ZONE_REST_S;
        z->servers.looked_s = now_s;
}

/* Not everywhere yet: look again soon, but not for ever. */
static void look_again(struct zone *z, int64_t now_s, struct str why)
{
        struct wr w = zone_reason_begin(z);
        wr_str(&w, S("not every name server serves "));
        wr_str(&w, zone_key_selector(new_key(z)));
        wr_str(&w, S(" yet: "));
        wr_str(&w, why);
        zone_reason_end(z, &w);
        count_out_jumps(z, now_s);
        z->servers.looks++;
        if (now_s - new_key(z)->proof_since_s >= ZONE_PROOF_MAX_S ||
                z->servers.looks > ZONE_PROOF_MAX_S / ZONE_PROOF_REST_S)
                prove(z, ZONE_EVENT_NOT_SERVED, why);
        else
                zone_rest(z, ZONE_PROOF_REST_S);
}

static void look_again_after(
        struct zone *z, int64_t now_s, struct str what, enum err e, const struct dns_answer *answer)
{
        char text[ZONE_TEXT_MAX / 2];
        struct wr w;
        if (new_key(z)->is_old) {
                prove_old(z);
                return;
        }
        wr_init(&w, text, sizeof text);
        wr_str(&w, what);
        zone_write_failure(&w, e, answer);
        look_again(z, now_s, wr_text(&w));
}

static bool ask_servers(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        return zone_ask_primary(&z->config.zone, DNS_TYPE_NS, out);
}

static void answered_servers(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct zone_servers *s = &z->servers;
        if (e != ERR_OK || answer->status != DNS_FOUND) {
                look_again_after(z, now_s, S("the zone's NS records: "), e, answer);
                return;
        }
        s->n = s->address_n = s->fault_n = 0;
        s->known = s->right = s->wrong = 0;
        for (size_t i = 0; i < answer->count && s->n < ZONE_SERVERS_MAX; i++)
                s->names[s->n++] = answer->values[i].name;
        z->at = 0;
        s->address_type = DNS_TYPE_A;
        z->state = ZONE_STATE_READ_ADDRESS;
}

const struct zone_state_row zone_at_read_servers = {.ask = ask_servers, .answered = answered_servers};

static bool ask_address(struct zone *z, int64_t now_s, struct zone_step *out)
{
        (void)now_s;
        if (z->at < z->servers.n)
                return zone_ask_primary(&z->servers.names[z->at], z->servers.address_type, out);
        z->at = 0;
        z->state = ZONE_STATE_CHECK_SERVER;
        return false;
}

/* An address of the server at `z->at`. The primary's own is known to be right: it was asked before. */
static void add_address(struct zone *z, const struct ip *ip)
{
        struct zone_servers *s = &z->servers;
        uint32_t server = UINT32_C(1) << z->at;
        s->known |= server;
        if (ip_eq(ip, &z->config.primary)) {
                s->right |= server;
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

static void tell_unasked(struct zone *z)
{
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, &z->servers.names[z->at]);
        zone_tell(z, ZONE_EVENT_UNASKED, zone_key_selector(new_key(z)), wr_text(&w));
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
                look_again_after(z, now_s, S("the addresses of the name servers: "), e, answer);
                return;
        }
        for (size_t i = 0; e == ERR_OK && answer->status == DNS_FOUND && i < answer->count; i++)
                add_address(z, &answer->values[i].ip);
        if (s->address_type == DNS_TYPE_A) {
                s->address_type = DNS_TYPE_AAAA;
                return;
        }
        if (s->looks == 0 && (s->known >> z->at & 1) == 0)
                tell_unasked(z);
        s->address_type = DNS_TYPE_A;
        z->at++;
}

const struct zone_state_row zone_at_read_address = {.ask = ask_address, .answered = answered_address};

static bool ask_server(struct zone *z, int64_t now_s, struct zone_step *out)
{
        struct zone_servers *s = &z->servers;
        if (z->at < s->address_n) {
                *out = (struct zone_step){.action = ZONE_QUERY, .type = DNS_TYPE_TXT};
                out->server = s->addresses[z->at].ip;
                zone_key_name(z, zone_key_selector(new_key(z)), &out->name);
                return true;
        }
        if (new_key(z)->is_old && s->wrong == 0)
                prove_old(z);
        else if ((s->known & (~s->right | s->wrong)) == 0)
                prove(z, ZONE_EVENT_SERVED, S(""));
        else
                look_again(z, now_s, str_of(s->fault, s->fault_n));
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
        struct str record = str_of(new_key(z)->record, new_key(z)->record_n);
        uint32_t servers = s->addresses[z->at].servers;
        (void)now_s;
        if (e == ERR_OK && answer->count == 1 && str_eq(answer->values[0].text, record)) {
                s->right |= servers;
        } else {
                bool is_other = e == ERR_OK && answer->count > 0;
                if (e == ERR_OK || (e == ERR_DENIED && !new_key(z)->is_old)) /* it did answer */
                        s->wrong |= servers;
                note_fault(z, is_other ? S("another record") : S(""), e, answer);
        }
        z->at++;
}

const struct zone_state_row zone_at_check_server = {.ask = ask_server, .answered = answered_server};
