/* SPDX-License-Identifier: ISC */
/* For tests: a DNS of a few records, and the evaluations that ask it. */
#ifndef AUTH_FAKE_DNS_H
#define AUTH_FAKE_DNS_H

#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "dns/code.h"
#include "dns/known.h"

#define FAKE_DNS_RECORDS 640
#define FAKE_DNS_TEXT 4096 /* of one record; a longer text comes from the caller */
#define FAKE_DNS_ARENA (4 << 20)

struct fake_dns_record {
        struct dns_name name;
        uint16_t type;
        bool is_trouble;
        struct dns_value value;
        char text[FAKE_DNS_TEXT];
};

struct fake_dns {
        struct fake_dns_record records[FAKE_DNS_RECORDS];
        size_t count;
};

/* The octets between dots, whatever they are; "" is the root. */
static inline struct dns_name fake_dns_name(struct str text)
{
        struct dns_name name;
        dns_name_set_root(&name);
        if (text.n > 0 && text.p[text.n - 1] == '.')
                text.n--;
        while (text.n > 0) {
                size_t dot = str_find_last_byte(text, '.');
                struct str label = dot < text.n ? str_skip(text, dot + 1) : text;
                CHECK(dns_name_child(&name, label, &name) == ERR_OK);
                text.n = dot < text.n ? dot : 0;
        }
        return name;
}

static inline uint16_t fake_dns_type(struct str word)
{
        static const uint16_t types[] = {
                DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_MX, DNS_TYPE_PTR, DNS_TYPE_CNAME, DNS_TYPE_TXT};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if (str_eq(word, dns_type_text(types[i])))
                        return types[i];
        CHECK(false);
}

static inline struct fake_dns_record *fake_dns_new(struct fake_dns *d, struct str name, uint16_t type)
{
        CHECK(d->count < FAKE_DNS_RECORDS);
        struct fake_dns_record *r = &d->records[d->count++];
        r->name = fake_dns_name(name);
        r->type = type;
        r->is_trouble = false;
        r->value = (struct dns_value){.wire = S("")};
        return r;
}

/* A TXT record whose text is borrowed. */
static inline void fake_dns_text(struct fake_dns *d, struct str name, struct str text)
{
        fake_dns_new(d, name, DNS_TYPE_TXT)->value.text = text;
}

/* "NAME<TAB>TYPE<TAB>VALUE" with A, AAAA, MX (a host), PTR, CNAME, TXT, or HEX for a TXT in hex; TROUBLE with a type:
 * no answer about it. */
static inline void fake_dns_add(struct fake_dns *d, struct str line)
{
        struct str name, type, value;
        struct wr w;
        str_cut(line, '\t', &name, &line);
        str_cut(line, '\t', &type, &value);
        if (str_eq(type, S("TROUBLE"))) {
                fake_dns_new(d, name, fake_dns_type(value))->is_trouble = true;
                return;
        }
        bool is_hex = str_eq(type, S("HEX"));
        struct fake_dns_record *r = fake_dns_new(d, name, is_hex ? DNS_TYPE_TXT : fake_dns_type(type));
        wr_init(&w, r->text, sizeof r->text);
        if (is_hex) {
                CHECK(hex_decode(value, &w) == ERR_OK);
                r->value.text = wr_text(&w);
        } else if (r->type == DNS_TYPE_TXT) {
                wr_str(&w, value);
                CHECK(!w.full);
                r->value.text = wr_text(&w);
        } else if (r->type == DNS_TYPE_A || r->type == DNS_TYPE_AAAA) {
                CHECK(ip_parse(value, &r->value.ip) == ERR_OK);
        } else if (r->type == DNS_TYPE_MX) {
                r->value.mx.exchange = fake_dns_name(value);
        } else {
                r->value.name = fake_dns_name(value);
        }
}

static inline bool fake_dns_is_at(const struct fake_dns_record *r, const struct dns_name *name, uint16_t type)
{
        return dns_name_eq(&r->name, name) && r->type == type;
}

/* The name behind the aliases; false for a loop. */
static inline bool fake_dns_follow(const struct fake_dns *d, struct dns_name *name)
{
        for (size_t hops = 0; hops <= DNS_CNAME_MAX; hops++) {
                size_t i = 0;
                while (i < d->count && !fake_dns_is_at(&d->records[i], name, DNS_TYPE_CNAME))
                        i++;
                if (i == d->count)
                        return true;
                *name = d->records[i].value.name;
        }
        return false;
}

/* Answer one question. */
static inline void fake_dns_give(const struct fake_dns *d, struct dns_known *k, struct dns_fact *fact)
{
        struct dns_value values[DNS_RECORDS_MAX];
        struct dns_answer answer = {
                .status = DNS_NO_NAME, .type = fact->type, .name = fact->name, .values = values};
        enum err e = fake_dns_follow(d, &answer.name) ? ERR_OK : ERR_LIMIT;
        for (size_t i = 0; i < d->count; i++) {
                const struct fake_dns_record *r = &d->records[i];
                if (dns_name_eq(&r->name, &answer.name) && answer.status == DNS_NO_NAME)
                        answer.status = DNS_NO_DATA;
                if (!fake_dns_is_at(r, &answer.name, fact->type))
                        continue;
                if (r->is_trouble) {
                        e = ERR_TIMEOUT;
                } else if (answer.count < DNS_RECORDS_MAX) {
                        values[answer.count++] = r->value;
                        answer.status = DNS_FOUND;
                }
        }
        dns_known_give(k, fact, e, &answer);
}

/* Answer what is wanted, or only the first of it. Gives how many were. */
static inline size_t fake_dns_round(const struct fake_dns *d, struct dns_known *k, bool only_first)
{
        size_t n = 0;
        for (struct dns_fact *f = NULL; (f = dns_known_wanted(k, f)) && !(only_first && n == 1); n++)
                fake_dns_give(d, k, f);
        return n;
}

#endif
