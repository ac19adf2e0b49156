/* SPDX-License-Identifier: ISC */
/* Scenario files: a small Internet and what happens in it, as text; docs/simulator.md teaches how to write one.
 *
 * One line is one statement: a verb, its arguments, then options as `key=value`; a word with spaces stands in double
 * quotes. `#` begins a comment line. First who there is, then what happens at which time; everything is declared above
 * its first use. The grammar is the table in scenario.c. Parsing keeps the words, so print(parse(x)) = x for every x
 * that is written with single spaces, and a shrunk scenario is the same lines with some left out.
 *
 * A scenario owns its statements and the text that their words point into. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

#define SCENARIO_WORDS_MAX 24    /* of one statement */
#define SCENARIO_LINES_MAX 65536 /* of one scenario */
#define SCENARIO_FAULT_MAX 160

enum verb {
        VERB_COMMENT, /* a line of `#`, or an empty one */
        /* who there is */
        VERB_SEED,
        VERB_END,
        VERB_PRIMARY,
        VERB_SECONDARY,
        VERB_RESOLVER,
        VERB_DOMAIN,
        VERB_ZONE,
        VERB_SIGNER,
        VERB_LIPAP,
        VERB_LIST,
        VERB_MEMBER,
        VERB_MAILHOST,
        VERB_AUTHOR,
        VERB_DNS, /* DNS: a record that stands; after the first TIME: that must stand now */
        /* what happens */
        VERB_TIME,
        VERB_POST,
        VERB_MAIL,
        VERB_JOIN,
        VERB_LEAVE,
        VERB_STOP,
        VERB_KILL,
        VERB_CLOCK,
        VERB_PARTITION,
        VERB_DOWN,
        VERB_CUT,
        VERB_LINK,
        VERB_DISK,
        VERB_TEMPER,
        VERB_FAULT,
        VERB_LAG,
        VERB_EDIT,
        VERB_ERASE,
        VERB_RESTORE,
        VERB_SESSION,
        VERB_CLIENT, /* C: */
        VERB_SERVER, /* S: */
        VERB_EXPECT,
        VERB_COUNT
};

struct statement {
        enum verb verb;
        unsigned line;
        size_t count;    /* of words; the first is the verb itself */
        uint32_t quoted; /* a bit a word */
        struct str words[SCENARIO_WORDS_MAX];
};

struct scenario {
        char *text;
        struct statement *statements;
        size_t count;
};

/* What is wrong, in one line of text ended by NUL. */
struct scenario_fault {
        unsigned line;
        size_t statement; /* its place in the scenario */
        char text[SCENARIO_FAULT_MAX];
};

/* Read a scenario; `text` is copied.
 *   ERR_OK
 *   ERR_SYNTAX     `*fault` names the line: an unknown verb, an argument missing or of the wrong shape, an unknown
 *                  option, a name that is not declared above or is declared twice
 *   ERR_LIMIT      too long
 *   ERR_MEMORY
 * `*out` is to be freed only after ERR_OK. */
MUST_USE enum err scenario_parse(struct str text, struct scenario *out, struct scenario_fault *fault);
void scenario_free(struct scenario *s);

/* Whether each name stands above its uses, as after leaving out statements.
 *   ERR_OK, ERR_SYNTAX */
MUST_USE enum err scenario_check(const struct scenario *s, struct scenario_fault *fault);

/* The text of a scenario, a line a statement, each ended by LF. A `w` that is too small is full. */
void scenario_print(const struct scenario *s, struct wr *w);
size_t scenario_print_size(const struct scenario *s); /* that is always enough */

/* Arguments, from 0; empty when left out. Options by key: their value, or what is given for one left out. */
struct str statement_argument(const struct statement *s, size_t at);
size_t statement_arguments(const struct statement *s);
int64_t statement_argument_ms(const struct statement *s, size_t at); /* of a duration, perhaps with a sign */
bool statement_has(const struct statement *s, const char *key, struct str *value);
struct str statement_text(const struct statement *s, const char *key, struct str otherwise);
int64_t statement_ms(const struct statement *s, const char *key, int64_t otherwise_ms);
uint64_t statement_number(const struct statement *s, const char *key, uint64_t otherwise);

/* Who is meant by a statement of members: so many, and number `i` of them, a number in place of the star. */
size_t statement_members(const struct statement *s);
void statement_member(const struct statement *s, size_t i, struct wr *out);

/* "50ms", "10s", "5m", "2h", "1d", with a sign in front where `is_signed`.
 *   ERR_OK, ERR_SYNTAX */
MUST_USE enum err scenario_duration_parse(struct str text, bool is_signed, int64_t *out_ms);

/* Does `text` fit `pattern`, in which `*` stands for any bytes? */
bool scenario_matches(struct str pattern, struct str text);
/* Is `name` one of `names`, which are separated by commas? */
bool scenario_list_has(struct str names, struct str name);

#endif
