/* SPDX-License-Identifier: ISC */
/* A scenario comes to life: nodes on host/sim with the product and the peers, made from the statements; what the
 * statements say, at its time; servers that are started again when they died; images looked at; and the judgement.
 *
 * One world a process life is not asked for, but two never live at once: SQLite's generator is seeded for each run. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/sim/ledger.h"
#include "tests/sim/scenario.h"

#define WORLD_STORY_MAX 512

/* Beside those of ledger.h the invariants are
 *   run       the simulation itself found a fault (host/sim/sim.h), or a program ended by itself
 *   image     an image that a death left, or that stands at the end, is damaged
 *   stuck     something still waits a day after the last event and fault
 *   expect    what the scenario expects did not come
 *   dialogue  an answer does not fit the S: line */
struct world_result {
        bool is_broken;              /* an invariant is */
        char invariant[16];          /* the first one */
        char story[WORLD_STORY_MAX]; /* one line */
        char trace[65];              /* SHA-256 of all trace lines, in hex */
        int64_t simulated_ms;
        uint64_t lines;   /* of the trace */
        unsigned crashes; /* deaths after which the image was looked at */
        struct ledger_sum sum;
};

/* Run it to its end. `trace` gets each trace line; NULL: nobody. All memory is given back. */
void world_run(const struct scenario *s, FILE *trace, struct world_result *out);

#endif
