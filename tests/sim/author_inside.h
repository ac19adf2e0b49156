/* SPDX-License-Identifier: ISC */
/* What author.c, author_good.c and author_acts.c share. */
#ifndef TESTS_SIM_AUTHOR_INSIDE_H
#define TESTS_SIM_AUTHOR_INSIDE_H

#include "host/sim/random.h"
#include "tests/sim/author.h"
#include "tests/sim/talk.h"

struct author_letter { /* one post */
        struct author *author;
        struct author_letter *next;
        struct str name;                      /* owned */
        struct str lists[LEDGER_TARGETS_MAX]; /* owned */
        bool is_decided[LEDGER_TARGETS_MAX];  /* taken, or refused for good */
        size_t list_count;
        size_t size;
        struct sim_random random;
        unsigned attempts;
        int64_t first_ms; /* of its first attempt */
        bool is_running, is_done;
};

struct author {
        struct author_config config; /* its address is owned */
        struct author_letter *letters, **end;
        size_t written;
        struct host *host; /* of this life; NULL: down */
        struct scope scope;
        struct waitq bell; /* there is something to post */
};

/* One session of somebody good or slow: a transaction after the other for the lists that are not decided. */
void author_good_session(struct author_letter *p);

/* What the broken and the malicious do: each plays once, on a connection that it opens and closes itself. */
struct author_act {
        const char *name;
        void (*play)(struct author_letter *p);
};
extern const struct author_act author_broken_acts[], author_malicious_acts[];
extern const size_t author_broken_count, author_malicious_count;

/* ---- helpers ---- */

/* Connect and say EHLO. False: closed again. */
bool author_open(struct author_letter *p, struct talk *t);
/* Close; a reply that was malformed is told. */
void author_close(struct author_letter *p, struct talk *t, bool in_order);
/* A new try with a letter of `shape`, for all lists of the post. */
uint32_t author_try(struct author_letter *p, enum letter_shape shape, bool is_forged);
struct str author_bytes(const struct author_letter *p, uint32_t t); /* letter_free it */
struct str author_domain(struct str address);

#endif
