/* SPDX-License-Identifier: ISC */
/* A scenario that fails, made as small as it can be made by leaving out statements (delta debugging, Zeller and
 * Hildebrandt, 2002). What uses a name that is gone goes with it. */
#ifndef TESTS_SIM_SHRINK_H
#define TESTS_SIM_SHRINK_H

#include <stdbool.h>

#include "tests/sim/scenario.h"

/* Leave out what can be left out of `s` while `fails` says that it still fails in the same way. At most `tries` calls. */
void shrink(
        struct scenario *s, bool (*fails)(void *ctx, const struct scenario *s), void *ctx, unsigned tries);

#endif
