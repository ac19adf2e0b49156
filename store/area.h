/* SPDX-License-Identifier: ISC */
/* An area: a file of the volume that was preallocated and keeps its place, read and written straight at its clusters.
 * Opening, making and growing change metadata and are the store fiber's alone (volume.h); reading and writing change
 * data only, ask nothing of the file system, and may happen in any fiber while nobody grows the same area. */
#ifndef STORE_AREA_H
#define STORE_AREA_H

#include <stdint.h>

#include "base/str.h"

struct volume;

#define AREA_PATH_MAX 24

struct area_run {
        uint64_t start; /* of its first byte in the file */
        uint64_t at;    /* of its first byte in the block */
        uint64_t n;
};

struct area {
        struct volume *volume;
        char path[AREA_PATH_MAX];
        size_t path_size;
        uint64_t size;
        struct area_run *runs; /* in order, without a gap: all of `size` */
        size_t count, cap;
};

/*   ERR_OK, ERR_NOT_FOUND, ERR_CORRUPT (its clusters are not its size), ERR_IO, ERR_MEMORY; `*out` holds nothing on errors */
MUST_USE enum err area_open(struct volume *v, struct str path, struct area *out);
/* An empty one; of one that is there, what it holds goes.
 *   ERR_OK, ERR_FULL, ERR_IO, ERR_MEMORY */
MUST_USE enum err area_make(struct volume *v, struct str path, struct area *out);
/* Make it `size` bytes long at least; what is new is zeros, and the disk under the image has the room for it.
 *   ERR_OK, ERR_FULL (shorter than asked, and whole), ERR_IO, ERR_MEMORY */
MUST_USE enum err area_grow(struct area *a, uint64_t size);
/* Cut it to `size` bytes, if it is longer.
 *   ERR_OK, ERR_IO */
MUST_USE enum err area_cut(struct area *a, uint64_t size);
void area_close(struct area *a); /* one of zeros is nothing */
/* Has each byte of the block one owner at most? Of a damaged FAT that cannot be said, and what is written into one area
 * would be lost in another, or in an earlier part of the same.
 *   ERR_OK, ERR_CORRUPT, ERR_MEMORY */
MUST_USE enum err areas_are_apart(const struct area *const *areas, size_t count);

/*   ERR_OK, ERR_LIMIT (not all of it inside), ERR_IO */
MUST_USE enum err area_read(const struct area *a, uint64_t at, void *into, size_t n);
/*   ERR_OK, ERR_LIMIT, ERR_FULL, ERR_MEMORY (VOLUME_CHECK), ERR_IO (final); durable after volume_flush */
MUST_USE enum err area_write(const struct area *a, uint64_t at, struct str bytes);

#endif
