/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_request.h"

#include "base/check.h"

#define TYPE_META_FIRST 128 /* AXFR and the like; ANY is served */

/* Reading. */

static void settle(struct dns_request *r, uint16_t code)
{
        if (!r->has_code)
                r->code = code;
        r->has_code = true;
}

/* The OPT and the TSIG record; dns_summary_read has found both well formed, or only one of them there. */
static void read_additional(struct dns_request *r)
{
        struct dns_reader reader;
        struct dns_record record;
        CHECK(dns_reader_init(&reader, r->message) == ERR_OK);
        while (dns_reader_record(&reader, &record) == ERR_OK) {
                if (record.section != DNS_ADDITIONAL)
                        continue;
                if (record.type == DNS_TYPE_OPT && dns_edns_read(&record, &r->edns) != ERR_OK)
                        settle(r, DNS_RCODE_FORMERR);
                if (record.type != DNS_TYPE_TSIG)
                        continue;
                struct rd rd;
                rd_init(&rd, record.message);
                rd_seek(&rd, record.rdata_at);
                r->key_name = record.name;
                dns_name_read(&rd, &r->algorithm);
        }
}

/* RFC 8945 5.2: what the server says of a signature. */
static void judge_signature(struct dns_request *r)
{
        static const uint16_t errors[] = {
                [TSIG_GOOD] = 0,
                [TSIG_UNSIGNED] = DNS_RCODE_BADSIG,
                [TSIG_BADKEY] = DNS_RCODE_BADKEY,
                [TSIG_BADSIG] = DNS_RCODE_BADSIG,
                [TSIG_BADTIME] = DNS_RCODE_BADTIME,
                [TSIG_BADTRUNC] = DNS_RCODE_BADTRUNC,
        };
        r->key = dns_key_find(r->peer->world, &r->key_name);
        r->tsig = (struct tsig_result){.verdict = TSIG_BADKEY};
        if (r->key)
                CHECK(tsig_verify(&r->key->tsig, r->message, S(""), r->now_s, &r->tsig) == ERR_OK);
        if (r->tsig.verdict == TSIG_MALFORMED || r->algorithm.n == 0) {
                settle(r, DNS_RCODE_FORMERR);
                return;
        }
        r->has_signature = true;
        r->tsig_error = errors[r->tsig.verdict];
        if (r->tsig_error != 0)
                settle(r, DNS_RCODE_NOTAUTH);
}

static void judge_faults(struct dns_request *r)
{
        static const struct {
                enum dns_fault fault;
                uint16_t code;
        } codes[] = {{DNS_FAULT_SERVFAIL, DNS_RCODE_SERVFAIL}, {DNS_FAULT_REFUSED, DNS_RCODE_REFUSED},
                {DNS_FAULT_NOTAUTH, DNS_RCODE_NOTAUTH}};
        if (r->faults.hits[DNS_FAULT_DROP])
                r->is_silent = true;
        if (r->faults.hits[DNS_FAULT_NO_EDNS] && r->summary.has_edns) {
                r->summary.has_edns = false;
                settle(r, DNS_RCODE_FORMERR);
        }
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
                if (r->faults.hits[codes[i].fault]) {
                        r->has_code = true;
                        r->code = codes[i].code;
                        r->has_signature = false;
                }
}

void dns_request_read(
        struct dns_request *r, struct dns_peer *p, struct str message, bool over_tcp, uint64_t now_s)
{
        *r = (struct dns_request){.peer = p, .message = message, .over_tcp = over_tcp, .now_s = now_s};
        if (p->faults[DNS_FAULT_CLOCK].ppm > 0)
                r->now_s = (uint64_t)((int64_t)now_s + p->faults[DNS_FAULT_CLOCK].value);
        dns_faults_draw(p, &r->faults);
        enum err e = dns_summary_read(message, &r->summary);
        r->is_silent = message.n < DNS_HEADER_SIZE || r->summary.header.is_response;
        if (r->is_silent)
                return;
        if (e != ERR_OK) {
                r->summary.question.name.n = 0; /* an answer without it */
                r->summary.has_edns = r->summary.has_tsig = false;
                settle(r, DNS_RCODE_FORMERR);
        } else {
                read_additional(r);
                if (r->summary.has_tsig)
                        judge_signature(r);
                if (r->summary.has_edns && r->edns.version > 0)
                        settle(r, DNS_RCODE_BADVERS);
        }
        judge_faults(r);
}

bool dns_request_is_question(const struct dns_request *r)
{
        const struct dns_summary *s = &r->summary;
        return !r->has_code && !r->is_silent && s->header.opcode == DNS_OPCODE_QUERY &&
               s->header.counts[DNS_QUESTION] == 1 && s->question.class == DNS_CLASS_IN &&
               (s->question.type < TYPE_META_FIRST || s->question.type == DNS_TYPE_ANY);
}

/* Settling. */

static struct dns_copy *find_copy(const struct dns_request *r)
{
        struct dns_zone *z = dns_zone_find(r->peer->world, &r->summary.question.name);
        bool is_zone = z && dns_name_eq(&z->origin, &r->summary.question.name);
        return is_zone ? dns_copy_of(r->peer->world, r->peer, z) : NULL;
}

/* RFC 2136 3.1 to 3.4. */
static uint16_t update(struct dns_request *r)
{
        const struct dns_question *zone = &r->summary.question;
        if (r->summary.header.counts[DNS_ZONE] != 1 || zone->type != DNS_TYPE_SOA)
                return DNS_RCODE_FORMERR;
        struct dns_copy *copy = zone->class == DNS_CLASS_IN ? find_copy(r) : NULL;
        if (!copy)
                return DNS_RCODE_NOTAUTH;
        if (copy->role != DNS_PRIMARY || !r->key || r->key->zone != copy->zone)
                return DNS_RCODE_REFUSED;
        struct dns_change change = {
                .message = r->message,
                .scopes = r->key->scopes,
                .scope_count = r->key->scope_count,
                .is_deaf = r->faults.hits[DNS_FAULT_DEAF],
                .now_ms = sim_now(r->peer->world->sim),
        };
        uint16_t code = dns_change_apply(copy->zone, &change);
        if (change.has_version) {
                r->peer->stats.updates++;
                dns_zone_changed(r->peer->world, copy->zone, r->peer->node, "updated");
        }
        return code;
}

static uint16_t code_of(struct dns_request *r)
{
        switch (r->summary.header.opcode) {
        case DNS_OPCODE_UPDATE:
                return update(r);
        case DNS_OPCODE_QUERY:
                return r->summary.header.counts[DNS_QUESTION] == 1 ? DNS_RCODE_REFUSED : DNS_RCODE_FORMERR;
        default:
                return DNS_RCODE_NOTIMP;
        }
}

void dns_request_settle(struct dns_request *r, struct dns_content *out)
{
        dns_content_init(out);
        if (r->is_silent)
                return;
        bool is_update = r->summary.header.opcode == DNS_OPCODE_UPDATE;
        out->rcode = r->has_code ? r->code : code_of(r);
        if (is_update && out->rcode != DNS_RCODE_NOERROR)
                r->peer->stats.refusals++;
        if (is_update && r->faults.hits[DNS_FAULT_LOST_ANSWER])
                r->is_silent = true;
}

/* Answering. */

static void lie(struct dns_request *r, struct dns_content *c)
{
        static const char address[] = {(char)192, 0, 2, 66};
        static const char address6[] = {0x20, 0x01, 0x0d, (char)0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x66};
        const bool *hits = r->faults.hits;
        for (size_t i = 0; i < c->count; i++) {
                struct dns_item *item = &c->items[i];
                if (hits[DNS_FAULT_WRONG_ADDRESS] && item->type == DNS_TYPE_A)
                        item->rdata = str_of(address, sizeof address);
                if (hits[DNS_FAULT_WRONG_ADDRESS] && item->type == DNS_TYPE_AAAA)
                        item->rdata = str_of(address6, sizeof address6);
                if (hits[DNS_FAULT_WRONG_TEXT] && item->type == DNS_TYPE_TXT)
                        item->rdata = S("\5wrong");
        }
        if (hits[DNS_FAULT_NO_NAME] && dns_request_is_question(r)) {
                c->rcode = DNS_RCODE_NXDOMAIN;
                c->count = 0;
        }
}

/* The same records, said of another name. */
static void rename_question(struct dns_question *q, struct dns_content *c)
{
        CHECK(dns_name_parse(S("other.invalid"), &q->name) == ERR_OK);
        for (size_t i = 0; i < c->count; i++)
                c->items[i].name = &q->name;
}

static size_t room_of_signature(const struct dns_request *r)
{
        if (!r->has_signature)
                return 0;
        size_t mac = r->key ? hmac_size(r->key->tsig.hash) : 0;
        return (size_t)r->key_name.n + 10 + r->algorithm.n + 16 + mac + TSIG_OTHER_MAX;
}

/* RFC 6891 6.2.3, 6.2.5; without the signature. */
static size_t most_octets(const struct dns_request *r)
{
        size_t most = r->summary.has_edns ? r->edns.udp_size : 512, room = room_of_signature(r);
        most = most < 512 ? 512 : most > DNS_UDP_SIZE ? DNS_UDP_SIZE : most;
        if (r->over_tcp)
                most = DNS_MESSAGE_MAX;
        return most > room ? most - room : 0;
}

/* RFC 8945 5.3.2: an error about the key or the signature is told by a TSIG record with an empty MAC. */
static struct str add_unsigned(const struct dns_request *r, char *buffer, size_t n, size_t cap)
{
        struct wr w;
        struct rd rd;
        rd_init(&rd, str_of(buffer, n));
        rd_seek(&rd, 10);
        uint16_t additional = rd_be16(&rd);
        wr_init(&w, buffer, cap);
        w.n = n;
        dns_name_write_wire(&w, &r->key_name);
        wr_be16(&w, DNS_TYPE_TSIG);
        wr_be16(&w, DNS_CLASS_ANY);
        wr_be32(&w, 0);
        wr_be16(&w, (uint16_t)(r->algorithm.n + 16));
        dns_name_write_wire(&w, &r->algorithm);
        wr_be48(&w, r->now_s);
        wr_be16(&w, TSIG_FUDGE_S);
        wr_be16(&w, 0);
        wr_be16(&w, r->summary.header.id);
        wr_be16(&w, r->tsig_error);
        wr_be16(&w, 0);
        CHECK(!w.full);
        wr_patch_be16(&w, 10, (uint16_t)(additional + 1));
        return wr_text(&w);
}

/* RFC 8945 5.2.3: with BADTIME the time signed is the client's, and ours stands in other data. */
static struct str add_signature(const struct dns_request *r, char *buffer, size_t n, size_t cap)
{
        char now[6];
        struct wr w;
        struct str whole;
        struct tsig_mac mac;
        bool is_late = r->tsig_error == DNS_RCODE_BADTIME;
        wr_init(&w, now, sizeof now);
        wr_be48(&w, r->now_s);
        struct tsig_input in = {
                .buffer = buffer,
                .n = n,
                .cap = cap,
                .request_mac = str_of(r->tsig.mac.b, r->tsig.mac.n),
                .fields = {.time_s = is_late ? r->tsig.time_s : r->now_s,
                        .fudge_s = TSIG_FUDGE_S,
                        .error = r->tsig_error,
                        .other = is_late ? wr_text(&w) : S("")},
        };
        CHECK(tsig_sign(&r->key->tsig, &in, &whole, &mac) == ERR_OK);
        return whole;
}

static struct str sign(const struct dns_request *r, char *buffer, size_t n, size_t cap)
{
        if (!r->has_signature)
                return str_of(buffer, n);
        bool is_unknown = r->tsig_error == DNS_RCODE_BADKEY || r->tsig_error == DNS_RCODE_BADSIG;
        return is_unknown ? add_unsigned(r, buffer, n, cap) : add_signature(r, buffer, n, cap);
}

static bool is_cut(const struct dns_request *r, const struct dns_content *c)
{
        return !c->is_whole || (!r->over_tcp && r->faults.hits[DNS_FAULT_TRUNCATE]);
}

void dns_request_answer(
        struct dns_request *r, struct dns_content *content, void *buffer, size_t cap, struct str *out)
{
        struct dns_question question = r->summary.question;
        struct dns_edns edns = {.udp_size = DNS_UDP_SIZE};
        struct str message;
        *out = S("");
        if (r->is_silent)
                return;
        CHECK(cap >= DNS_MESSAGE_MAX);
        lie(r, content);
        if (r->faults.hits[DNS_FAULT_OTHER_NAME])
                rename_question(&question, content);
        struct dns_frame frame = {
                .header = r->summary.header,
                .question = question.name.n > 0 ? &question : NULL,
                .edns = r->summary.has_edns ? &edns : NULL,
                .most = most_octets(r),
        };
        frame.header.authentic_data = false;
        frame.header.reserved = false;
        frame.header.recursion_available = r->peer->kind == DNS_PEER_RESOLVER;
        frame.header.is_truncated = is_cut(r, content);
        if (frame.header.is_truncated)
                content->count = 0;
        if (dns_content_write(content, &frame, buffer, cap, &message) != ERR_OK) { /* RFC 2181 9 */
                frame.header.is_truncated = true;
                frame.most = cap - room_of_signature(r); /* long names alone may be above the limit */
                content->count = 0;
                CHECK(dns_content_write(content, &frame, buffer, cap, &message) == ERR_OK);
        }
        message = sign(r, buffer, message.n, cap);
        if (r->faults.hits[DNS_FAULT_WRONG_ID])
                ((char *)buffer)[1] ^= 0x55;
        *out = message;
}
