/* SPDX-License-Identifier: ISC */
/* The spool: message bytes in preallocated segments, handed out in blocks of 4 KiB as extents of at most 64 KiB, each
 * with its checksum. Which extents belong to which message is the database's knowledge; what is free is known in
 * memory only and built anew at each start (spool_mark). Nothing here changes a segment's size once it is made, so
 * accepting mail changes data only.
 * Space is reserved by count before it is used: what is reserved is there, on disk, when it is asked for.
 * Opening and growing are the store fiber's; everything else any fiber's. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "store/crc32c.h"
#include "store/volume.h"

#define SPOOL_BLOCK 4096u
#define SPOOL_EXTENT_MAX 65536u
#define SPOOL_SEGMENT \
        (16ull * 1024 * 1024) /* of a usual share; a 64th of a large one, a 16th of a small one */
#define SPOOL_SEGMENT_MIN (1024ull * 1024)        /* of a small share */
#define SPOOL_STEP (1024ull * 1024)               /* a segment is made in steps of this */
#define SPOOL_SEGMENT_MAX (2048ull * 1024 * 1024) /* a file of the volume has less than 4 GiB */
#define SPOOL_SEGMENTS_MAX 4096

struct spool_extent {
        uint32_t segment;
        uint32_t block; /* the first one */
        uint32_t size;  /* bytes, 1 to SPOOL_EXTENT_MAX */
        uint32_t crc;
};

struct spool_segment {
        struct area area;
        uint64_t *used; /* a bit a block */
        uint32_t blocks, free;
        uint32_t longest; /* no run of free blocks is longer */
        uint32_t hint;    /* where the search begins */
};

struct spool {
        struct volume *volume;
        uint64_t spare; /* bytes of the volume that are left to the database */
        uint64_t share; /* bytes that the spool may have in all, as known at the last look */
        struct crc32c crc;
        struct spool_segment *segments;
        size_t count;
        uint64_t made, free, reserved; /* blocks; reserved <= free */
};

uint32_t spool_blocks(uint64_t size); /* blocks that `size` bytes (at most 2^43) take */

/* Open the segments that are there, all of their blocks free. The spool leaves `spare` bytes of the volume free.
 *   ERR_OK, ERR_CORRUPT (also when their folder is missing), ERR_IO, ERR_MEMORY, ERR_LIMIT; spool_close also after an
 *   error */
MUST_USE enum err spool_open(struct spool *p, struct volume *v, uint64_t spare);
void spool_close(struct spool *p);

/* Take an extent that a message owns out of the free ones.
 *   ERR_OK, or ERR_CORRUPT: outside of every segment, or owned twice; nothing was taken */
MUST_USE enum err spool_mark(struct spool *p, const struct spool_extent *e);
/* Is that extent inside of a segment? */
bool spool_has(const struct spool *p, const struct spool_extent *e);

/* Keep `blocks` for the caller.
 *   ERR_OK
 *   ERR_AGAIN  so many are not made yet: spool_grow may help
 *   ERR_FULL   more than the share */
MUST_USE enum err spool_reserve(struct spool *p, uint64_t blocks);
/* Make segments until `blocks` can be reserved.
 *   ERR_OK, ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_MEMORY */
MUST_USE enum err spool_grow(struct spool *p, uint64_t blocks);
void spool_unreserve(struct spool *p, uint64_t blocks);

/* Write the head of `bytes` as one extent out of reserved blocks; `out->size` says how much that was: all of it, or
 * less where free space is in pieces (then a whole number of blocks).
 *   ERR_OK     the reservation is smaller by the blocks taken
 *   ERR_FULL, ERR_IO    nothing was taken */
MUST_USE enum err spool_write(struct spool *p, struct str bytes, struct spool_extent *out);
/* Read a whole extent into `into` (its size).
 *   ERR_OK, ERR_CORRUPT, ERR_IO */
MUST_USE enum err spool_read(struct spool *p, const struct spool_extent *e, void *into);
/* Give an extent back.
 *   ERR_OK, or ERR_CORRUPT: not all of it was taken; nothing changed */
MUST_USE enum err spool_free(struct spool *p, const struct spool_extent *e);

#endif
