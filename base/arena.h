/* SPDX-License-Identifier: ISC */
/* Arenas: memory named for a life (session, transaction, job), handed out in order and given back all at once.
 * The memory itself belongs to the caller. A full arena returns NULL: to a peer that is 452, never an abort. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/str.h"

struct arena {
        char *p;
        size_t cap;
        size_t used;
        size_t high; /* the most that was ever used, over all resets */
};

void arena_init(struct arena *a, void *memory, size_t cap);
/* `n` bytes of zeros, aligned for any type, borrowed until arena_reset; NULL when full. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of `s`, borrowed until arena_reset.
 *   ERR_OK, or ERR_MEMORY with an empty `*out` */
MUST_USE enum err arena_copy(struct arena *a, struct str s, struct str *out);
void arena_reset(struct arena *a);

#endif
