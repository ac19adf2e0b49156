/* SPDX-License-Identifier: ISC */
/* Durations and sizes as people write them on a command line. */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdint.h>

#include "base/str.h"

/* "90", "90s", "5m", "2h", "30d": whole numbers, without a unit seconds.
 *   ERR_OK, ERR_SYNTAX, or ERR_LIMIT for more than a hundred years; `*out_s` is 0 on errors */
MUST_USE enum err quantity_duration_parse(struct str text, int64_t *out_s);
/* "4096", "64K", "25M", "2G": units of 1024, without a unit bytes.
 *   ERR_OK, ERR_SYNTAX, or ERR_LIMIT above 2^53; `*out` is 0 on errors */
MUST_USE enum err quantity_size_parse(struct str text, uint64_t *out);

#endif
