/* SPDX-License-Identifier: ISC */
/* What a list's settings make of a letter that goes out: whose name stands in From, where answers go, a prefix, a footer. Written
 * by hand from product.md; nothing of list/rewrite.h is used. */
#ifndef TESTS_SIM_LOOK_H
#define TESTS_SIM_LOOK_H

#include <stdbool.h>

#include "base/str.h"
#include "tests/sim/ledger.h"

/* The settings as a scenario has them; empty: the standard. Borrowed for as long as they are used. */
struct look {
        struct str from, reply_to, prefix, footer;
};

/* Does From name the list? It must, or the author must stay: `*is_open` when either may be, for DNS has lied or failed. */
bool look_renames(
        const struct look *look, const struct ledger *l, const struct ledger_try *is, bool *is_open);

/* Where the letter begins in what came: its fields stand together, and what it says is at the end, or a part of its own
 * in front of the footer. `bytes.n` when it is not there so. */
size_t look_find(const struct look *look, struct str bytes, struct str letter);

/* What is wrong with the Reply-To fields that were put in front: how many, and the body of the last; or NULL. */
const char *look_judge_reply(const struct look *look, const struct ledger_try *is, struct str list,
        bool is_renamed, size_t count, struct str body);

#endif
