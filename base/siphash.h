/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys strangers choose, so that they cannot
 * make them collide. Not a MAC for anything that leaves the process. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "base/str.h"

#define SIPHASH_KEY_SIZE 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct str bytes);

#endif
