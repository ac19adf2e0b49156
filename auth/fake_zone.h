/* SPDX-License-Identifier: ISC */
/* For tests: a zone of TXT records at its primary, with UPDATE as RFC 2136 3 has it for them. */
#ifndef AUTH_FAKE_ZONE_H
#define AUTH_FAKE_ZONE_H

#include <string.h>

#include "auth/key.h"
#include "base/check.h"
#include "dns/code.h"
#include "dns/message.h"
#include "dns/txt.h"

#define FAKE_ZONE_RECORDS 64

struct fake_record {
        bool used;
        int64_t since_s; /* the zone's `now_s` when it came */
        struct dns_name name;
        size_t n;
        char text[KEY_RECORD_MAX];
};

struct fake_zone {
        struct fake_record records[FAKE_ZONE_RECORDS];
        unsigned changes;
        int64_t now_s; /* for who wants to know when a record came */
};

static inline struct dns_name fake_name(const char *text)
{
        struct dns_name name;
        CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
        return name;
}

static inline bool fake_zone_stands_at(const struct fake_zone *z, size_t i, const struct dns_name *name)
{
        const struct fake_record *r = &z->records[i]; /* names are in lower case here */
        return r->used && r->name.n == name->n && memcmp(r->name.b, name->b, name->n) == 0;
}

static inline void fake_zone_add(struct fake_zone *z, const struct dns_name *name, struct str text)
{
        size_t i = 0;
        while (i < FAKE_ZONE_RECORDS && z->records[i].used)
                i++;
        CHECK(i < FAKE_ZONE_RECORDS && text.n <= KEY_RECORD_MAX);
        z->records[i] = (struct fake_record){.used = true, .since_s = z->now_s, .name = *name, .n = text.n};
        if (text.n > 0)
                memcpy(z->records[i].text, text.p, text.n);
        z->changes++;
}

static inline size_t fake_zone_count(const struct fake_zone *z, const struct dns_name *name)
{
        size_t count = 0;
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++)
                count += fake_zone_stands_at(z, i, name);
        return count;
}

static inline size_t fake_zone_all(const struct fake_zone *z)
{
        size_t count = 0;
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++)
                count += z->records[i].used;
        return count;
}

static inline size_t fake_zone_erase(struct fake_zone *z, const struct dns_name *name)
{
        size_t count = fake_zone_count(z, name);
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++)
                if (fake_zone_stands_at(z, i, name))
                        z->records[i].used = false;
        z->changes++;
        return count;
}

static inline struct str fake_zone_text(const struct fake_zone *z, size_t i)
{
        return str_of(z->records[i].text, z->records[i].n);
}

static inline bool fake_zone_has(const struct fake_zone *z, const struct dns_name *name, struct str text)
{
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++)
                if (fake_zone_stands_at(z, i, name) && str_eq(fake_zone_text(z, i), text))
                        return true;
        return false;
}

/* The only text at a name; empty when there is none or more than one. */
static inline struct str fake_zone_only(const struct fake_zone *z, const char *text)
{
        struct dns_name name = fake_name(text);
        for (size_t i = 0; i < FAKE_ZONE_RECORDS && fake_zone_count(z, &name) == 1; i++)
                if (fake_zone_stands_at(z, i, &name))
                        return fake_zone_text(z, i);
        return S("");
}

static inline struct str fake_txt(const struct dns_record *r, char *room, size_t cap)
{
        struct wr w;
        wr_init(&w, room, cap);
        CHECK(dns_txt_join(r->rdata, &w) == ERR_OK);
        return wr_text(&w);
}

static inline void fake_zone_change(struct fake_zone *z, const struct dns_record *r)
{
        char text[KEY_RECORD_MAX];
        CHECK(r->type == DNS_TYPE_TXT && (r->class == DNS_CLASS_ANY || r->class == DNS_CLASS_IN));
        if (r->class == DNS_CLASS_ANY)
                (void)fake_zone_erase(z, &r->name);
        else
                fake_zone_add(z, &r->name, fake_txt(r, text, sizeof text));
}

/* One pass over an UPDATE: `change` false looks at the prerequisites, true makes the changes. The records of an exact
 * RRset stand beside each other in it. Gives the rcode. */
static inline uint16_t fake_zone_pass(struct fake_zone *z, struct str message, bool change)
{
        struct dns_reader r;
        struct dns_record record;
        size_t prerequisites = 0, named = 0, standing = 0;
        struct dns_name last = {0};
        CHECK(dns_reader_init(&r, message) == ERR_OK);
        while (dns_reader_record(&r, &record) == ERR_OK) {
                char text[KEY_RECORD_MAX];
                if (record.section == DNS_UPDATE && change)
                        fake_zone_change(z, &record);
                if (record.section != DNS_PREREQUISITE || change)
                        continue;
                prerequisites++;
                if (record.class == DNS_CLASS_NONE) {
                        if (fake_zone_count(z, &record.name) > 0)
                                return DNS_RCODE_YXRRSET;
                        continue;
                }
                if (!fake_zone_has(z, &record.name, fake_txt(&record, text, sizeof text)))
                        return DNS_RCODE_NXRRSET;
                named++;
                if (!dns_name_eq(&last, &record.name))
                        standing += fake_zone_count(z, &record.name);
                last = record.name;
        }
        CHECK(change || prerequisites > 0); /* the zone machine's first promise */
        return named == standing ? DNS_RCODE_NOERROR : DNS_RCODE_NXRRSET;
}

static inline uint16_t fake_zone_update(struct fake_zone *z, struct str message)
{
        uint16_t rcode = fake_zone_pass(z, message, false);
        if (rcode == DNS_RCODE_NOERROR)
                (void)fake_zone_pass(z, message, true);
        return rcode;
}

#endif
