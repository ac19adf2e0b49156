/* SPDX-License-Identifier: ISC */
/* What author.c, author_good.c and author_acts.c share. */
#ifndef TESTS_SIM_AUTHOR_INSIDE_H
#define TESTS_SIM_AUTHOR_INSIDE_H

#include "host/sim/random.h"
#include "tests/sim/author.h"
#include "tests/sim/buffer.h"
#include "tests/sim/talk.h"

struct author_letter { /* one post */
        struct author *author;
        struct author_letter *next;
        struct str name;                      /* owned */
        struct str lists[LEDGER_TARGETS_MAX]; /* owned */
        bool is_decided[LEDGER_TARGETS_MAX];  /* taken, or refused for good */
        size_t list_count;
        size_t size;
        const struct author_act *act;   /* this alone; NULL: as the mood has it */
        struct str cc;                  /* owned; also addressed */
        struct str victim;              /* owned; of that act */
        struct author_command *command; /* owned, with its texts; NULL: a post */
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

/* One session for a command. */
void author_command_session(struct author_letter *p);

/* What the broken and the malicious do: each plays once, on a connection that it opens and closes itself. */
struct author_act {
        const char *name;
        void (*play)(struct author_letter *p);
};
extern const struct author_act author_broken_acts[], author_malicious_acts[], author_forgery_acts[];
extern const size_t author_broken_count, author_malicious_count, author_forgery_count;

/* ---- helpers ---- */

/* Connect and say EHLO. False: closed again. */
bool author_open(struct author_letter *p, struct talk *t);
/* Close; a reply that was malformed is told. */
void author_close(struct author_letter *p, struct talk *t, bool in_order);
/* What a letter says of itself. Zeros are the plain truth. */
struct author_claim {
        struct str sender, from;  /* of the envelope, of the letter; NULL: his address */
        struct str second;        /* as in struct letter */
        struct str forged;        /* likewise */
        struct str front;         /* fields above his signature */
        struct str subject, text; /* as in struct letter */
        enum letter_shape shape;
        bool is_unsigned;
        bool is_forged; /* nobody may take it, whoever wrote it */
};
/* A new try with such a letter, for all lists of the post; what is true of it is in the ledger. */
uint32_t author_claim(struct author_letter *p, const struct author_claim *claim);
/* The same for a letter of `shape` that claims nothing but the truth. */
uint32_t author_try(struct author_letter *p, enum letter_shape shape, bool is_forged);
/* One to three fields with results that speak for somebody, in the name of the server. Nothing where that is unknown. */
void author_put_results(struct author_letter *p, struct buffer *b, struct str about);
/* MAIL, RCPT and DATA, a command at a time. False, and the try is answered, when one is refused. */
bool author_ask_envelope(
        struct author_letter *p, struct talk *t, uint32_t number, struct str from, struct str to);
/* The letter, its dot and the answer. */
void author_send_letter(struct author_letter *p, struct talk *t, uint32_t number, struct str bytes);
struct str author_bytes(const struct author_letter *p, uint32_t t); /* letter_free it */
struct str author_domain(struct str address);

#endif
