/* SPDX-License-Identifier: ISC */
/* The ledger's own records, for ledger.c, ledger_copies.c and ledger_judge.c alone. */
#ifndef TESTS_SIM_LEDGER_INSIDE_H
#define TESTS_SIM_LEDGER_INSIDE_H

#include "tests/sim/ledger.h"

/* The moment at which a membership changed, as a place in the order of events. */
struct ledger_change {
        uint64_t at;
        enum ledger_membership is;
};

struct ledger_person {
        struct str address; /* owned */
        struct ledger_change *changes;
        size_t change_count;
        uint64_t own_at;            /* when that was told, in the order of events */
        enum ledger_membership own; /* LEDGER_IN as made: wants copies of own posts */
        enum ledger_membership
                trust;   /* LEDGER_IN: a post of theirs has been let through; LEDGER_MAYBE: perhaps */
        bool is_refused; /* by their mail host */
};

struct ledger_banned {
        struct str address; /* owned */
        enum ledger_membership is;
        uint64_t at; /* when that was told, in the order of events */
};

struct ledger_roll {
        struct str address; /* owned */
        enum ledger_kind kind;
        enum ledger_rule rule;
        uint64_t ruled; /* when the rule was told, in the order of events */
        bool is_bounded, is_first_held, skips_named;
        struct str *moderators; /* owned */
        size_t moderator_count;
        struct ledger_banned *banned;
        size_t banned_count, banned_cap;
        struct ledger_person *people;
        size_t count, cap;
        uint32_t *slots; /* a hash table of places in `people` plus 1; 0 is free */
        size_t slot_count;
};

/* What one person has of one try. */
struct ledger_cell {
        uint16_t copies;
        bool is_failed, is_queued;
};

struct ledger_entry {
        struct ledger_try is;
        uint64_t dot; /* when the final dot left; 0: it did not */
        size_t copies;
        bool is_invented; /* said already */
        bool is_queued;   /* for everybody */
        enum ledger_hold hold[LEDGER_TARGETS_MAX];
        uint64_t let_out[LEDGER_TARGETS_MAX]; /* when it was released, or its final dot left */
        struct ledger_cell *cells[LEDGER_TARGETS_MAX];
        size_t cell_count[LEDGER_TARGETS_MAX];
};

struct ledger_link {
        const char *host;
        uint32_t dots;
        bool is_acknowledged; /* the last one: what became of it is on the other side's disk */
        bool is_faulty;       /* something befell the connection then, and nothing had acknowledged it */
        bool is_next_faulty;  /* or the one behind it, which was under way */
        enum ledger_end end;
        int64_t ended_ms;
};

/* Connections to this host are cut until then. */
struct ledger_cutting {
        const char *host; /* NULL: to every host */
        int64_t until_ms;
};

struct ledger {
        struct ledger_config config;
        int64_t began_ms;
        uint64_t events;
        int64_t fault_ms;
        bool is_disk_bad;
        uint64_t disk_mended; /* when it was last, in the order of events */
        bool is_dns_bad;
        int64_t lies_until_ms;
        struct ledger_roll *rolls;
        struct ledger_entry *entries;
        struct ledger_link *links;
        struct ledger_copy *copies;
        struct ledger_cutting *cuttings;
        size_t roll_count, entry_count, link_count, copy_count, cutting_count;
        size_t roll_cap, entry_cap, link_cap, copy_cap, cutting_cap;
        size_t settled; /* the tries before this one are */
        size_t duplicates, failed;
        size_t violation_count;
        struct ledger_violation violations[LEDGER_STORIES_MAX];
};

/* The place of a person in a roll, or LEDGER_NONE. */
uint32_t ledger_person_find(const struct ledger_roll *r, struct str address);
/* What one has of a try; made when it is not there. */
struct ledger_cell *ledger_cell_of(struct ledger *l, struct ledger_entry *e, size_t target, uint32_t person);

/* Must this person have a copy of that try through that target, if it was accepted? May they? */
bool ledger_is_due(const struct ledger_roll *r, const struct ledger_person *p, const struct ledger_entry *e,
        size_t target);
/* Is the letter addressed to them, where that is enough? */
bool ledger_is_named(
        const struct ledger_roll *r, const struct ledger_person *p, const struct ledger_entry *e);
bool ledger_is_allowed(const struct ledger_person *p, const struct ledger_entry *e);
/* Have they been on the list at any time since the try began? */
bool ledger_was_on(const struct ledger_person *p, const struct ledger_entry *e);
size_t ledger_target_of(const struct ledger_entry *e, uint32_t list); /* or how many there are */
/* Was it accepted, by what was answered or by what came of it? */
bool ledger_was_taken(const struct ledger_entry *e);

struct ledger_span {
        int64_t s;
        int ms;
};
/* ledger_rights.c: what is wrong with taking this letter; the word of the invariant and why, or NULL. */
const char *ledger_wrong(const struct ledger *l, const struct ledger_entry *e, const char **why);
/* Whether a post waits, as far as can be told when its final dot leaves, and again when it is answered. */
void ledger_note_hold(const struct ledger *l, struct ledger_entry *e, bool is_answered);
void ledger_note_lies(const struct ledger *l, struct ledger_entry *e);

/* A moment of the run, for stories: "%lld.%03d s". */
struct ledger_span ledger_since(const struct ledger *l, int64_t at_ms);

#endif
