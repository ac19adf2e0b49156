/* SPDX-License-Identifier: ISC */
/* SPF records and their terms (RFC 7208 3, 4.5, 4.6, 5, 6, 12). Pure: no I/O, no allocation; all is borrowed from the
 * record's text. */
#ifndef AUTH_SPF_RECORD_H
#define AUTH_SPF_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/spf.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/str.h"

enum spf_kind {
        SPF_TERM_ALL,
        SPF_TERM_INCLUDE,
        SPF_TERM_A,
        SPF_TERM_MX,
        SPF_TERM_PTR,
        SPF_TERM_IP4,
        SPF_TERM_IP6,
        SPF_TERM_EXISTS,
        SPF_TERM_REDIRECT,
        SPF_TERM_EXP,
        SPF_TERM_MODIFIER /* another one, to be ignored (6) */
};

struct spf_term {
        enum spf_kind kind;
        enum spf_result qualifier; /* of a mechanism: what its match means */
        struct str text;           /* the whole term */
        struct str domain;         /* its domain-spec, with macros; empty: none */
        struct ip ip;              /* of ip4 and ip6 */
        uint8_t bits4, bits6;      /* how much of an address must agree: 0 to 32, 0 to 128 */
};

/* Is this TXT record an SPF record (4.5): "v=spf1" alone or before a space? Then `*terms` is what follows. */
bool spf_record_is(struct str text, struct str *terms);
/* The next term's text; false when there is none. */
bool spf_record_next(struct str *terms, struct str *text);
/* One term.
 *   SPF_OK, SPF_SYNTAX, SPF_MECHANISM */
enum spf_fault spf_term_parse(struct str text, struct spf_term *out);

/* Do the first `bits` of two addresses of one family agree? */
bool spf_ip_agrees(const struct ip *a, const struct ip *b, size_t bits);

#define SPF_TERMS_MAX (SPF_LOOKUPS_MAX + 1)

struct spf_record {
        /* What can decide: the mechanisms that ask the DNS, up to the one over the limit, and behind them the first
         * that matches the client without asking, if there is one. */
        struct spf_term terms[SPF_TERMS_MAX];
        size_t count;
        bool has_redirect, has_exp;
        struct spf_term redirect, exp;
        struct str wrong; /* the term at fault */
};

/* All terms of a record, since an error anywhere in it decides before any of them is looked at (4.6).
 *   SPF_OK, SPF_SYNTAX, SPF_MECHANISM, SPF_MODIFIER_TWICE */
enum spf_fault spf_record_parse(struct str terms, const struct ip *client, struct spf_record *out);

#endif
