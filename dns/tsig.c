/* SPDX-License-Identifier: ISC */
#include "dns/tsig.h"

#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "crypto/bytes.h"
#include "dns/code.h"
#include "dns/message.h"

#define TIME_MAX 0xffffffffffff /* 48 bits */
#define ARCOUNT_AT 10

static const struct algorithm {
        struct str option; /* as --dns-key calls it */
        struct str domain; /* RFC 8945 6 */
} algorithms[] = {
        [HMAC_SHA256] = {{"SHA256", 6}, {"hmac-sha256", 11}},
        [HMAC_SHA384] = {{"SHA384", 6}, {"hmac-sha384", 11}},
        [HMAC_SHA512] = {{"SHA512", 6}, {"hmac-sha512", 11}},
};

static void algorithm_name(enum hmac_hash hash, struct dns_name *out)
{
        CHECK(dns_name_parse(algorithms[hash].domain, out) == ERR_OK);
}

static enum err parse_algorithm(struct str text, enum hmac_hash *out)
{
        for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
                *out = (enum hmac_hash)i;
                if (str_eq_nocase(text, algorithms[i].option))
                        return ERR_OK;
        }
        return ERR_UNSUPPORTED;
}

static enum err parse_key(struct str text, struct tsig_key *out)
{
        struct str name, algorithm, secret;
        struct wr w;
        if (!str_cut(text, ':', &name, &text) || !str_cut(text, ':', &algorithm, &secret))
                return ERR_SYNTAX;
        if (dns_name_parse(name, &out->name) != ERR_OK || dns_name_is_root(&out->name))
                return ERR_SYNTAX;
        enum err e = parse_algorithm(algorithm, &out->hash);
        if (e != ERR_OK)
                return e;
        wr_init(&w, out->secret, sizeof out->secret);
        e = base64_decode(secret, &w);
        out->secret_n = w.n;
        if (e == ERR_SPACE)
                return ERR_LIMIT;
        return e == ERR_OK && w.n > 0 ? ERR_OK : ERR_SYNTAX;
}

enum err tsig_key_parse(struct str text, struct tsig_key *out)
{
        *out = (struct tsig_key){0};
        enum err e = parse_key(text, out);
        if (e != ERR_OK)
                tsig_key_wipe(out);
        return e;
}

enum err tsig_key_zone(const struct tsig_key *key, struct dns_name *out)
{
        struct dns_name name = key->name;
        bool found = false;
        while (!found && !dns_name_is_root(&name)) {
                found = str_eq_nocase(dns_name_label(&name, 0), S("_update"));
                (void)dns_name_parent(&name, &name);
        }
        *out = name;
        if (found && !dns_name_is_root(&name))
                return ERR_OK;
        *out = (struct dns_name){0};
        return ERR_NOT_FOUND;
}

void tsig_key_wipe(struct tsig_key *key)
{
        crypto_wipe(key, sizeof *key);
}

/* A message as the signer saw it: the id of its header, and the records before the TSIG record. */
struct unsigned_message {
        uint16_t id;
        uint16_t additional; /* ARCOUNT */
        struct str bytes;    /* header included */
};

static void digest_small(struct hmac *m, const struct wr *w)
{
        CHECK(!w->full);
        hmac_update(m, wr_text(w));
}

static void digest_message(struct hmac *m, const struct unsigned_message *message)
{
        char b[2];
        struct wr w;
        wr_init(&w, b, sizeof b);
        wr_be16(&w, message->id);
        digest_small(m, &w);
        hmac_update(m, str_skip(str_take(message->bytes, ARCOUNT_AT), 2));
        wr_init(&w, b, sizeof b);
        wr_be16(&w, message->additional);
        digest_small(m, &w);
        hmac_update(m, str_skip(message->bytes, DNS_HEADER_SIZE));
}

/* RFC 8945 4.3.3: "TSIG Variables". */
static void digest_variables(struct hmac *m, const struct tsig_key *key, const struct tsig_fields *fields)
{
        char b[2 * DNS_NAME_MAX + 18];
        struct wr w;
        struct dns_name algorithm;
        algorithm_name(key->hash, &algorithm);
        wr_init(&w, b, sizeof b);
        dns_name_write_canonical(&w, &key->name);
        wr_be16(&w, DNS_CLASS_ANY);
        wr_be32(&w, 0); /* TTL */
        dns_name_write_canonical(&w, &algorithm);
        wr_be48(&w, fields->time_s);
        wr_be16(&w, fields->fudge_s);
        wr_be16(&w, fields->error);
        wr_be16(&w, (uint16_t)fields->other.n);
        digest_small(m, &w);
        hmac_update(m, fields->other);
}

static enum err digest(const struct tsig_key *key, struct str request_mac,
        const struct unsigned_message *message, const struct tsig_fields *fields, struct tsig_mac *out)
{
        char length[2];
        struct wr w;
        struct hmac m;
        hmac_init(&m, key->hash, str_of(key->secret, key->secret_n));
        if (request_mac.n > 0) {
                wr_init(&w, length, sizeof length);
                wr_be16(&w, (uint16_t)request_mac.n);
                digest_small(&m, &w);
                hmac_update(&m, request_mac);
        }
        digest_message(&m, message);
        digest_variables(&m, key, fields);
        out->n = hmac_size(key->hash);
        return hmac_end(&m, out->b);
}

static enum err whole_message(struct str bytes, struct unsigned_message *out)
{
        struct rd r;
        rd_init(&r, bytes);
        out->bytes = bytes;
        out->id = rd_be16(&r);
        rd_seek(&r, ARCOUNT_AT);
        out->additional = rd_be16(&r);
        return r.fault;
}

enum err tsig_digest(const struct tsig_key *key, struct str request_mac, struct str message,
        const struct tsig_fields *fields, struct tsig_mac *out)
{
        struct unsigned_message whole;
        *out = (struct tsig_mac){0};
        CHECK(fields->other.n <= UINT16_MAX && fields->time_s <= TIME_MAX);
        if (whole_message(message, &whole) != ERR_OK)
                return ERR_SYNTAX;
        return digest(key, request_mac, &whole, fields, out);
}

static void write_record(struct wr *w, const struct tsig_key *key, const struct tsig_fields *fields,
        const struct tsig_mac *mac, uint16_t id)
{
        struct dns_name algorithm;
        algorithm_name(key->hash, &algorithm);
        dns_name_write_wire(w, &key->name);
        wr_be16(w, DNS_TYPE_TSIG);
        wr_be16(w, DNS_CLASS_ANY);
        wr_be32(w, 0);
        wr_be16(w, (uint16_t)(algorithm.n + 16 + mac->n + fields->other.n));
        dns_name_write_wire(w, &algorithm);
        wr_be48(w, fields->time_s);
        wr_be16(w, fields->fudge_s);
        wr_be16(w, (uint16_t)mac->n);
        wr_str(w, str_of(mac->b, mac->n));
        wr_be16(w, id);
        wr_be16(w, fields->error);
        wr_be16(w, (uint16_t)fields->other.n);
        wr_str(w, fields->other);
}

enum err tsig_sign(const struct tsig_key *key, const struct tsig_input *in, struct str *signed_message,
        struct tsig_mac *mac)
{
        struct unsigned_message whole;
        struct wr w;
        *signed_message = (struct str){NULL, 0};
        *mac = (struct tsig_mac){0};
        CHECK(in->n <= in->cap && in->fields.other.n <= TSIG_OTHER_MAX && in->fields.time_s <= TIME_MAX);
        enum err e = whole_message(str_of(in->buffer, in->n), &whole);
        if (e != ERR_OK || whole.additional == UINT16_MAX)
                return ERR_SYNTAX;
        e = digest(key, in->request_mac, &whole, &in->fields, mac);
        if (e != ERR_OK)
                return e;
        wr_init(&w, in->buffer, in->cap < DNS_MESSAGE_MAX ? in->cap : DNS_MESSAGE_MAX);
        w.n = in->n;
        write_record(&w, key, &in->fields, mac, whole.id);
        if (wr_end(&w) != ERR_OK)
                return ERR_SPACE;
        wr_patch_be16(&w, ARCOUNT_AT, (uint16_t)(whole.additional + 1));
        *signed_message = wr_text(&w);
        return ERR_OK;
}

/* A TSIG record as it was received (RFC 8945 4.2). */
struct received {
        struct dns_name key, algorithm;
        struct tsig_fields fields;
        struct str mac;
        struct unsigned_message message;
};

static enum err read_record(const struct dns_record *record, struct received *out)
{
        struct rd r;
        if (record->section != DNS_ADDITIONAL || record->class != DNS_CLASS_ANY || record->ttl_s != 0)
                return ERR_SYNTAX;
        rd_init(&r, record->message);
        rd_seek(&r, record->rdata_at);
        out->key = record->name;
        dns_name_read(&r, &out->algorithm);
        out->fields.time_s = rd_be48(&r);
        out->fields.fudge_s = rd_be16(&r);
        uint16_t n = rd_be16(&r);
        out->mac = rd_bytes(&r, n);
        out->message.id = rd_be16(&r);
        out->fields.error = rd_be16(&r);
        n = rd_be16(&r);
        out->fields.other = rd_bytes(&r, n);
        return r.fault == ERR_OK && r.at == record->rdata_at + record->rdata.n ? ERR_OK : ERR_SYNTAX;
}

/* Find the record, which is the last one (RFC 8945 5.1): ERR_OK, ERR_NOT_FOUND, or ERR_SYNTAX. */
static enum err find_record(struct str message, struct received *out)
{
        struct dns_reader reader;
        struct dns_record record;
        bool found = false;
        *out = (struct received){0};
        enum err e = dns_reader_init(&reader, message);
        while (e == ERR_OK) {
                e = dns_reader_record(&reader, &record);
                if (e != ERR_OK)
                        break;
                if (found)
                        return ERR_SYNTAX;
                found = record.type == DNS_TYPE_TSIG;
                if (!found)
                        continue;
                e = read_record(&record, out);
                out->message.bytes = str_take(message, record.at);
                out->message.additional = (uint16_t)(reader.header.counts[DNS_ADDITIONAL] - 1);
        }
        if (e != ERR_EOF)
                return ERR_SYNTAX;
        return found ? ERR_OK : ERR_NOT_FOUND;
}

static bool is_our_key(const struct tsig_key *key, const struct received *got)
{
        struct dns_name algorithm;
        algorithm_name(key->hash, &algorithm);
        return dns_name_eq(&got->key, &key->name) && dns_name_eq(&got->algorithm, &algorithm);
}

/* RFC 8945 5.2.2.1: a MAC of no more than the whole, and no less than half of it or ten octets. */
static bool is_mac_size(size_t n, size_t whole)
{
        return n <= whole && n >= 10 && n >= whole / 2;
}

/* RFC 8945 5.2.3: "the time of the signature is within the Fudge of the local clock". */
static bool is_timely(const struct tsig_fields *fields, uint64_t now_s)
{
        uint64_t away = now_s > fields->time_s ? now_s - fields->time_s : fields->time_s - now_s;
        return away <= fields->fudge_s;
}

static enum tsig_verdict judge(const struct received *got, const struct tsig_mac *right, uint64_t now_s)
{
        if (!crypto_equal(got->mac, str_of(right->b, got->mac.n)))
                return TSIG_BADSIG;
        if (!is_timely(&got->fields, now_s))
                return TSIG_BADTIME;
        return got->mac.n < right->n ? TSIG_BADTRUNC : TSIG_GOOD;
}

/* RFC 8945 5.2.3: the server's clock stands in the six octets of other data. */
static uint64_t server_time(const struct tsig_fields *fields)
{
        struct rd r;
        if (fields->error != DNS_RCODE_BADTIME || fields->other.n != 6)
                return 0;
        rd_init(&r, fields->other);
        return rd_be48(&r);
}

static void claim(const struct received *got, struct tsig_result *out)
{
        out->time_s = got->fields.time_s;
        out->fudge_s = got->fields.fudge_s;
        out->error = got->fields.error;
        out->server_time_s = server_time(&got->fields);
        if (got->mac.n <= sizeof out->mac.b) {
                out->mac.n = got->mac.n;
                if (got->mac.n > 0)
                        memcpy(out->mac.b, got->mac.p, got->mac.n);
        }
}

enum err tsig_verify(const struct tsig_key *key, struct str message, struct str request_mac, uint64_t now_s,
        struct tsig_result *out)
{
        struct received got;
        struct tsig_mac right = {0};
        *out = (struct tsig_result){.verdict = TSIG_MALFORMED};
        enum err e = find_record(message, &got);
        if (e == ERR_NOT_FOUND)
                out->verdict = TSIG_ABSENT;
        if (e != ERR_OK)
                return ERR_OK;
        claim(&got, out);
        if (got.mac.n == 0)
                out->verdict = TSIG_UNSIGNED;
        else if (!is_our_key(key, &got))
                out->verdict = TSIG_BADKEY;
        else if (is_mac_size(got.mac.n, hmac_size(key->hash))) {
                e = digest(key, request_mac, &got.message, &got.fields, &right);
                out->verdict = e == ERR_OK ? judge(&got, &right, now_s) : TSIG_BADSIG;
                out->is_signed = out->verdict == TSIG_GOOD || out->verdict == TSIG_BADTIME;
                return e;
        }
        return ERR_OK;
}
