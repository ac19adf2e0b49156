/* SPDX-License-Identifier: ISC */
/* The chain of an open file. Inside the layer. */
#ifndef FAT_FILE_H
#define FAT_FILE_H

#include "fat/directory.h"

/* A run that holds cluster `index` of the file, reaching over `want` clusters from there if they lie together.
 *   ERR_CORRUPT  the chain ends before, or leads nowhere */
MUST_USE enum err fat_runs_locate(struct fat_file *file, uint32_t index, uint32_t want, struct fat_run *out);
void fat_runs_init(struct fat_file *file);                   /* nothing known but the first cluster */
void fat_runs_cut(struct fat_file *file, uint32_t clusters); /* forget what is at or behind that index */

/* Bytes of the file's chain, whatever its size. `from` of NULL is zeros. */
MUST_USE enum err fat_span_read(struct fat_file *file, uint64_t offset, void *to, size_t n);
MUST_USE enum err fat_span_write(struct fat_file *file, uint64_t offset, const void *from, uint64_t n);

#endif
