/* SPDX-License-Identifier: ISC */
/* What an evaluation knows of the DNS so far, and what it has yet to ask: the two sides of "ask again".
 *
 *     do {
 *             verdict = evaluate(input, &known);           pure: takes answers by dns_known_get
 *             for each dns_known_wanted(&known, ...)       all of them at once
 *                     dns_known_give(&known, ...)
 *     } while (something was wanted);
 *
 * An evaluation notes every question that it can foresee before it gives up for want of an answer, so that ten includes
 * cost two round trips. Several evaluations of one message share one `dns_known`, and with it their answers. Pure: no
 * I/O. Facts and answers live in the caller's arena. */
#ifndef DNS_KNOWN_H
#define DNS_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dns/answer.h"
#include "dns/name.h"

struct dns_fact {
        struct dns_fact *next; /* in the order in which they were asked */
        struct dns_name name;
        uint16_t type;
        bool is_known;
        enum err err;             /* of the lookup: ERR_OK, or what hindered it */
        struct dns_answer answer; /* when ERR_OK: DNS_FOUND, DNS_NO_DATA or DNS_NO_NAME */
};

struct dns_known {
        struct arena *arena;
        struct dns_fact *first, **end;
        size_t count, most; /* facts, and how many there may be */
        size_t wanted;      /* of them without an answer */
};

/* At most `most` questions are taken: what a hostile message may cost. */
void dns_known_init(struct dns_known *k, struct arena *arena, size_t most);

enum dns_knowledge {
        DNS_KNOWN_FOUND,   /* at least one record */
        DNS_KNOWN_NOTHING, /* the name exists, but has no record of this type */
        DNS_KNOWN_NO_NAME, /* NXDOMAIN */
        DNS_KNOWN_TROUBLE, /* no answer can be had now: a temporary failure */
        DNS_KNOWN_WANTED,  /* not asked before: noted, give it and evaluate again */
        DNS_KNOWN_TOO_MANY /* a ceiling of ours (questions or memory): not asked */
};

/* What is known of records of class IN. `*answer` is set, and borrowed, for DNS_KNOWN_FOUND alone, else NULL; `answer`
 * may be NULL. */
enum dns_knowledge dns_known_get(
        struct dns_known *k, const struct dns_name *name, uint16_t type, const struct dns_answer **answer);

/* The first question without an answer behind `after` (NULL: from the start); NULL when there is none. */
struct dns_fact *dns_known_wanted(const struct dns_known *k, const struct dns_fact *after);

/* The answer to it, copied; ERR_OK with the answer, or the error of the lookup. An answer that does not fit the arena
 * is trouble. */
void dns_known_give(
        struct dns_known *k, struct dns_fact *fact, enum err err, const struct dns_answer *answer);

#endif
