/* SPDX-License-Identifier: ISC */
/* Streams of numbers that follow from a seed and a name, the same on every machine (xoshiro256**, Blackman and Vigna,
 * 2018). Each node, link and peer draws from one of its own, so that one draw more in one does not shift the others.
 * Never two draws in one expression or argument list: C does not say which comes first. Not for secrets. */
#ifndef HOST_SIM_RANDOM_H
#define HOST_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SIM_PPM 1000000u /* always; probabilities are parts per million */

struct sim_random {
        uint64_t state[4];
};

/* The stream called `kind` `name`, such as "node" "lipap". */
struct sim_random sim_random_of(uint64_t seed, struct str kind, struct str name);
uint64_t sim_random_u64(struct sim_random *r);
uint64_t sim_random_below(struct sim_random *r, uint64_t bound); /* uniform in 0 to bound - 1; bound > 0 */
int64_t sim_random_between(
        struct sim_random *r, int64_t least, int64_t most); /* both included; least <= most */
bool sim_random_chance(struct sim_random *r, uint32_t ppm); /* draws nothing at 0 and at SIM_PPM */
void sim_random_bytes(struct sim_random *r, void *out, size_t n);

#endif
