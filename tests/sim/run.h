/* SPDX-License-Identifier: ISC */
/* Runs in children: each scenario in a forked process of its own, several at a time, so that a crash of one is a finding
 * and no run sees what another left behind. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include <stdint.h>

#include "tests/sim/world.h"

#define RUN_SECONDS_MAX 300 /* of real time: a run that takes longer hangs */
#define RUN_JOBS_MAX 64

/* The scenario of a seed, owned by the caller. */
struct scenario run_generated(uint64_t seed);

/* One scenario in a child. Beside the invariants of world.h there are `crash`, when the child died, and `hang`. */
void run_one(const struct scenario *s, struct world_result *out);

/* Seeds `first` to `last`, `jobs` at a time; `done` gets each result, in the order of the seeds, and may end it all by
 * giving false. */
void run_seeds(uint64_t first, uint64_t last, unsigned jobs,
        bool (*done)(void *ctx, uint64_t seed, const struct world_result *result), void *ctx);

#endif
