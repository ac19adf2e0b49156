/* SPDX-License-Identifier: ISC */
/* Keys that were derived once, for every run of the program `sim` and the children that it forks: PBKDF2 and the search
 * for an RSA key cost real time of which virtual time knows nothing. memo.c takes the place of key_seed_derive,
 * key_search_init and key_search_step at link time (--wrap). A search ends at its first step, whether the key was known
 * or not, so that a run's trace does not tell what ran before it. */
#ifndef TESTS_SIM_MEMO_H
#define TESTS_SIM_MEMO_H

#include <stdbool.h>

/* Make the table, before the first fork. False: no memory; then everything is derived anew. */
bool memo_share(void);

#endif
