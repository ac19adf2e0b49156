/* SPDX-License-Identifier: ISC */
/* Random scenarios: a seed is a small Internet, its people, and what goes wrong in an hour or a few. */
#ifndef TESTS_SIM_GENERATE_H
#define TESTS_SIM_GENERATE_H

#include <stdint.h>

#include "base/wr.h"

#define GENERATE_ROOM (256 * 1024) /* is enough for any seed */

/* Write the scenario of a seed as text that scenario_parse takes. The same on every machine. */
void generate(uint64_t seed, struct wr *w);

#endif
