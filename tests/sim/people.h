/* SPDX-License-Identifier: ISC */
/* Who may speak for whom: what the domains of those who post publish about their mail, and the truth about a letter.
 *
 * A person's domain has an SPF record that names his node, or he signs with a key of his own, or both; or neither, when
 * a scenario says so. A domain has a DMARC policy, or none at all. What no scenario says is drawn from the seed by name,
 * so that a line more or less changes nothing for the others. */
#ifndef TESTS_SIM_PEOPLE_H
#define TESTS_SIM_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "tests/sim/buffer.h"
#include "tests/sim/ledger.h"

struct people;
struct person;

struct person_new {
        struct str name, address;
        struct ip ip;
        struct str proof; /* "spf", "dkim", "both", "none"; empty: one of the first three */
        struct str
                policy; /* of the domain: "none", "quarantine", "reject", "absent"; empty: drawn, or as another says */
        struct str key; /* "rsa", "ed25519" */
};

struct people *people_new(uint64_t seed); /* ends the program when memory is out, here and below */
void people_free(struct people *p);       /* NULL is nothing */
/* Texts are copied; the person lives as long as `p`. */
struct person *people_add(struct people *p, const struct person_new *new);

/* The records at and below the domain of somebody's address, as lines for dns_zone_edit. Once all have been added. */
void people_records(const struct people *p, struct str domain, struct buffer *lines);

struct str person_address(const struct person *who);
bool person_signs(const struct person *who);
/* His signature over a message, to stand in front of it, owned by the caller; `is_relaxed` as signature.h has it. */
struct str person_sign(const struct person *who, struct str message, bool is_relaxed);

/* What a server must find of a letter that he sends: the envelope's sender, the author in From, and whether he has signed
 * it. Two domains are never aligned unless they are the same: no scenario has one below another. */
struct ledger_truth people_truth(
        const struct people *p, const struct person *who, struct str sender, struct str from, bool is_signed);

#endif
