/* SPDX-License-Identifier: ISC */
/* The records of one zone in all of its versions, and how a server finds the answer to a question in one of them.
 * A version is a number from 0; a record lives from one version until before another. Nothing is ever taken away, so
 * what was found stays valid as long as the zone does. No I/O, no clock. */
#ifndef TESTS_SIM_DNS_ZONE_H
#define TESTS_SIM_DNS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/name.h"
#include "dns/rdata.h"

struct dns_world;

struct dns_rr {
        struct dns_rr *next; /* at the same name, in the order in which they came */
        const struct dns_name *owner;
        uint16_t type;
        uint32_t ttl_s;
        uint32_t since, until; /* the versions that have it: [since, until) */
        struct str rdata;      /* without compressed names */
};

struct dns_owner {
        struct dns_name name;
        uint64_t hash;
        struct dns_rr *first, *last;
};

struct dns_version {
        int64_t at_ms;
        uint32_t serial;
};

struct dns_zone {
        struct dns_world *world; /* that it belongs to; not read here */
        struct dns_name origin;
        struct dns_owner **owners;
        size_t owner_count, owner_cap;
        struct dns_version *versions;
        uint32_t version_count, version_cap;
        bool is_open, is_changed,
                has_serial; /* a version is being made; it differs; it brings its own serial */
        uint32_t restored; /* the version that a restored primary began with; what was before is lost to it */
};

#define DNS_SOA_MINIMUM_S 60

/* Version 0 is a SOA record. Ends the program when memory is out. */
struct dns_zone *dns_store_new(const struct dns_name *origin, int64_t now_ms);
void dns_store_free(struct dns_zone *z);
uint32_t dns_store_newest(const struct dns_zone *z); /* the one that is being made counts */
/* The newest of the moment `at_ms`: true, or false when the zone was not there yet. */
bool dns_store_version_at(const struct dns_zone *z, int64_t at_ms, uint32_t *out);
bool dns_serial_is_after(uint32_t a, uint32_t b); /* RFC 1982 3.2 */

/* The records at a name, of one type or all (DNS_TYPE_ANY): the first, the next; NULL after the last. */
const struct dns_rr *dns_store_first(
        const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type);
const struct dns_rr *dns_store_next(const struct dns_rr *rr, uint32_t version, uint16_t type);
size_t dns_store_count(
        const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type);
/* The record with this data, or NULL. Names in it are compared without case. */
const struct dns_rr *dns_store_record(const struct dns_zone *z, uint32_t version, const struct dns_name *name,
        uint16_t type, struct str rdata);
void dns_store_soa(const struct dns_zone *z, uint32_t version, struct dns_soa *out);

/* What RFC 1034 4.3.2 finds for a question inside the zone. */
enum dns_finding {
        DNS_FIND_RECORDS,  /* of the type, at `owner` */
        DNS_FIND_ALIAS,    /* a CNAME at `owner` */
        DNS_FIND_NO_DATA,  /* the name is there, perhaps only because something is below it */
        DNS_FIND_NO_NAME,  /* it is not */
        DNS_FIND_REFERRAL, /* `owner` has NS records that lead to another zone */
};
struct dns_found {
        enum dns_finding finding;
        struct dns_name owner; /* whose records they are: the name, a wildcard (RFC 4592), or a zone cut */
};
void dns_store_find(const struct dns_zone *z, uint32_t version, const struct dns_name *name, uint16_t type,
        struct dns_found *out);

/* A new version: begin, changes, end. Changes are seen at once in dns_store_newest. */
void dns_store_begin(struct dns_zone *z, int64_t now_ms);
/* Add a record. One with the same data is replaced, so is a CNAME and the SOA; the others of its set take its TTL. */
void dns_store_put(
        struct dns_zone *z, const struct dns_name *name, uint16_t type, uint32_t ttl_s, struct str rdata);
/* Remove records of a type (DNS_TYPE_ANY: all), or the one with this data when `rdata` is not NULL; how many. */
size_t dns_store_remove(
        struct dns_zone *z, const struct dns_name *name, uint16_t type, const struct str *rdata);
/* Everything as it was in `version`, its serial included. */
void dns_store_restore(struct dns_zone *z, uint32_t version);
/* Take back all since dns_store_begin. */
void dns_store_undo(struct dns_zone *z);
/* True when that made a version; its serial is the next one, unless a SOA was put. Without a change there is none. */
bool dns_store_end(struct dns_zone *z);

#endif
