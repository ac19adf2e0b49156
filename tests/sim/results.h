/* SPDX-License-Identifier: ISC */
/* The Authentication-Results that a server has put in front of a copy, read by hand and held against what is true. */
#ifndef TESTS_SIM_RESULTS_H
#define TESTS_SIM_RESULTS_H

#include <stdbool.h>

#include "base/str.h"
#include "tests/sim/ledger.h"

/* `front` is what stands in front of the letter of the try `is`; `authserv` the name of the server. `may_fail`: there was
 * trouble with DNS, so that a check may have had no answer.
 *   what is wrong: no field, two, one in another place, a method missing, or a result that is not so, or
 *   an ARC set of other results; or NULL */
const char *results_judge(struct str front, struct str authserv, const struct ledger_try *is, bool may_fail);

#endif
