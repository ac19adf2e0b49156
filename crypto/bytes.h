/* SPDX-License-Identifier: ISC */
/* Secret bytes: comparing without telling where they differ, and wiping so that no compiler leaves it out. */
#ifndef CRYPTO_BYTES_H
#define CRYPTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* The time taken depends on the lengths only. */
bool crypto_equal(struct str a, struct str b);
void crypto_wipe(void *p, size_t n);

#endif
