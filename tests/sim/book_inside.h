/* SPDX-License-Identifier: ISC */
/* What book.c, book_note.c and book_command.c share. */
#ifndef TESTS_SIM_BOOK_INSIDE_H
#define TESTS_SIM_BOOK_INSIDE_H

#include "base/limits.h"
#include "mail/header.h"
#include "tests/sim/book.h"
#include "tests/sim/buffer.h"
#include "tests/sim/health.h"

#define BOOK_EFFECTS_MAX 24 /* of one command */
#define BOOK_UNSURE (-1)    /* in place of a value */

enum book_what {
        BOOK_MEMBER,       /* enum ledger_membership */
        BOOK_OWN_POSTS,    /* likewise */
        BOOK_BAN,          /* likewise */
        BOOK_HOLD,         /* enum ledger_hold; of the try whose name is the key */
        BOOK_RULE,         /* enum ledger_rule */
        BOOK_FIRST_POST,   /* 0 or 1 */
        BOOK_SUBSCRIPTION, /* enum book_subscription */
};

enum book_subscription { BOOK_MODERATED, BOOK_CONFIRM, BOOK_OPEN, BOOK_CLOSED };

struct book_effect {
        enum book_what what;
        struct str key; /* owned; an address, or the name of a try */
        int value;
};

/* One thing that commands change: what it was before those that are under way, and what has come of them. */
struct book_matter {
        uint32_t list;
        enum book_what what;
        struct str key; /* owned */
        unsigned under_way;
        int before, done;    /* BOOK_UNSURE; done: the value that was made so */
        unsigned done_count; /* of different ones */
        bool is_lost;        /* an answer was */
};

struct book_list {
        int subscription;
};

/* What somebody has been asked to confirm. */
struct book_ask {
        uint32_t command, list;
        struct str from;                              /* owned */
        bool is_void;                                 /* it was refused */
        bool is_join;                                 /* else a change by a moderator, */
        struct book_effect effects[BOOK_EFFECTS_MAX]; /* these */
        size_t count;
};

struct book_command {
        uint32_t t, list;
        struct book_effect effects[BOOK_EFFECTS_MAX];
        size_t count;
        const char *wrong; /* the invariant that a 250 breaks, or NULL */
        bool is_answered;
        bool has_reply; /* a 250 is followed by mail, whatever has been before */
};

/* What one person may be told by one list. */
struct book_person {
        uint32_t list;
        struct str address; /* owned */
        unsigned owed, got;
        unsigned asked;  /* answers that must come */
        bool is_refused; /* by the mail host */
};

struct book {
        struct ledger *ledger;
        void (*told)(void *ctx, uint32_t note);
        void *ctx;
        struct health *health;                     /* or NULL */
        struct mail_field fields[MAIL_FIELDS_MAX]; /* of the note that comes */
        struct book_list *lists;
        struct book_ask *asks;
        struct book_matter *matters;
        struct book_command *commands;
        struct book_person *people;
        struct book_note *notes;
        size_t list_count, ask_count, matter_count, command_count, person_count, note_count;
        size_t list_cap, ask_cap, matter_cap, command_cap, person_cap, note_cap;
};

struct book_list *book_list_of(struct book *b, uint32_t list);
/* The list whose route an address is, and what stands behind the list's name; LEDGER_NONE. */
uint32_t book_route(const struct book *b, struct str address, struct str *word);
/* Somebody may be told `n` things more. */
void book_owe(struct book *b, uint32_t list, struct str address, unsigned n);
/* book_health.c: has a list, or the server, written this unasked, as it may? */
bool book_is_own_accord(struct book *b, uint32_t list, const struct book_note *note, struct str subject);
struct book_person *book_person_of(
        struct book *b, uint32_t list, struct str address); /* made when not there */

#endif
