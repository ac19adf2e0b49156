/* SPDX-License-Identifier: ISC */
/* The grammar of scenario files as a table, for scenario.c. */
#ifndef TESTS_SIM_SCENARIO_INSIDE_H
#define TESTS_SIM_SCENARIO_INSIDE_H

#include "tests/sim/scenario.h"

/* What a word may be. A declaration makes the name known; the others are names of what is declared, or values. */
enum kind {
        NONE,
        NEW_NODE,
        NEW_DOMAIN,
        NEW_LIST,
        DOMAIN,
        NODE, /* or several, separated by commas, where the statement can use them */
        PEER, /* a node, or * for all */
        LIST,
        EMAIL,
        EMAILS, /* separated by commas */
        DOMAINS,
        TYPE, /* of a DNS record */
        COUNT,
        SIZE,
        DURATION,
        SIGNED,
        TEXT,
        CHOICE
};

struct slot {
        const char *
                key; /* of an option, or the name of an argument, which may be left out when it begins with [ */
        enum kind kind;
        const char *choices; /* separated by commas */
};

#define SLOTS_MAX 28

struct rule {
        const char *verb;
        enum verb is;
        bool is_rest; /* the line behind the verb is one word */
        struct slot arguments[4];
        struct slot options[SLOTS_MAX];
};

const struct rule *scenario_rule(enum verb verb);        /* NULL for a comment */
const struct rule *scenario_rule_named(struct str word); /* NULL: no such verb */

#endif
