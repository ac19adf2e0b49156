/* SPDX-License-Identifier: ISC */
/* Writes into an area, gathered: pieces that stand one behind the other become one write. For SQLite's log, which is
 * written as a head of 24 bytes and a page in turn, and which nobody looks at before it is synced.
 * Whoever reads the area, or flushes it, calls gather_out first. */
#ifndef STORE_GATHER_H
#define STORE_GATHER_H

#include "store/area.h"

#define GATHER_MAX (64 * 1024)

struct gather {
        const struct area *area; /* borrowed */
        char *bytes;             /* owned: GATHER_MAX */
        size_t n;
        uint64_t at;
};

/*   ERR_OK, ERR_MEMORY: gather_close is still good */
MUST_USE enum err gather_init(struct gather *g, const struct area *area);
void gather_close(struct gather *g); /* what is not out is lost; one of zeros is nothing */

/* As area_write, now or with a later call. */
MUST_USE enum err gather_write(struct gather *g, uint64_t at, struct str bytes);
/* Write what is there. After an error it is gone: it must not appear later, when its writer has given it up.
 *   as area_write */
MUST_USE enum err gather_out(struct gather *g);

#endif
