/* SPDX-License-Identifier: ISC */
/* A block that is to stay as it is, under somebody who writes: what is written is kept in memory, by sectors, and is
 * seen by every later read. So an image that a death has left can be completed, and then looked at, without a change. */
#ifndef STORE_OVERLAY_H
#define STORE_OVERLAY_H

#include "host/host.h"

#define OVERLAY_SECTOR 512u

struct overlay {
        struct host *host; /* borrowed until overlay_close */
        struct host_block *block;
        struct overlay_sector {
                uint64_t number;
                char *bytes; /* OVERLAY_SECTOR, owned; NULL: a free place */
        } * places;          /* owned: a table of hashes, half full at most */
        size_t count, cap;
};

/* One with a `host` of NULL is none; overlay_close is good for it. */
void overlay_init(struct overlay *o, struct host *h, struct host_block *b);
void overlay_close(struct overlay *o);

/* As host_block_read and host_block_write, of a range inside the block, whose size is a multiple of OVERLAY_SECTOR.
 *   ERR_OK, ERR_IO */
MUST_USE enum err overlay_read(struct overlay *o, uint64_t at, void *into, size_t n);
/*   ERR_OK, ERR_IO, ERR_MEMORY: a part of it may be written */
MUST_USE enum err overlay_write(struct overlay *o, uint64_t at, struct str bytes);

#endif
