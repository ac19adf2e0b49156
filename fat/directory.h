/* SPDX-License-Identifier: ISC */
/* Directories: slots of 32 bytes along a chain of clusters. A file has its short entry, and in front of it the pieces of
 * its long name. Inside the layer. */
#ifndef FAT_DIRECTORY_H
#define FAT_DIRECTORY_H

#include "fat/name.h"
#include "fat/volume.h"

#define FAT_SLOT_SIZE 32
#define FAT_SLOT_FREE 0xe5
#define FAT_SLOT_END 0x00
#define FAT_SLOT_UNITS 13 /* of a long name */

#define FAT_IS_READ_ONLY 0x01
#define FAT_IS_HIDDEN 0x02
#define FAT_IS_SYSTEM 0x04
#define FAT_IS_LABEL 0x08
#define FAT_IS_DIRECTORY 0x10
#define FAT_IS_ARCHIVE 0x20
#define FAT_IS_LONG 0x0f

/* A place in a directory. */
struct fat_slots {
        uint32_t first;   /* the directory */
        uint32_t cluster; /* the one of the place; 0 behind the last */
        uint32_t mark;    /* an earlier one: a chain that comes to it again runs in a circle */
        uint32_t index;
};

void fat_slots_init(struct fat_slots *s, uint32_t first);
/* ERR_EOF behind the last. `*slot` is good until the next read of a sector; `*at` is its place in bytes of the device. */
MUST_USE enum err fat_slots_get(struct fat *f, const struct fat_slots *s, const uint8_t **slot, uint64_t *at);
MUST_USE enum err fat_slots_next(struct fat *f, struct fat_slots *s);
MUST_USE enum err fat_slots_seek(struct fat *f, struct fat_slots *s, uint32_t index);
extern const uint8_t fat_unit_at[FAT_SLOT_UNITS]; /* where the units of a long name stand in a slot */
bool fat_slot_is_long(const uint8_t *slot);

/* One entry as found. */
struct fat_found {
        uint32_t start, index; /* its first slot and its short one */
        uint64_t at;           /* of the short slot, in bytes of the device; 0 for the root */
        uint8_t raw[FAT_SLOT_SIZE];
        struct fat_name long_name; /* n is 0: none, or damaged */
        struct fat_name short_name;
};

uint32_t fat_found_cluster(const struct fat_found *e);
bool fat_found_is_directory(const struct fat_found *e);
const struct fat_name *fat_found_name(const struct fat_found *e);
/* The next entry at or behind the place, which moves behind it. Labels and dot entries are given too.  ERR_EOF: none */
MUST_USE enum err fat_directory_next(struct fat *f, struct fat_slots *s, struct fat_found *out);
bool fat_found_is_special(const struct fat_found *e); /* a label or a dot entry */
MUST_USE enum err fat_directory_find(
        struct fat *f, uint32_t first, const struct fat_name *name, struct fat_found *out);

/* Changes, staged. */
/* A new entry: `raw` gives all but its short name. `*at` is where its short slot is.  ERR_FULL */
MUST_USE enum err fat_directory_insert(struct fat *f, uint32_t first, const struct fat_name *name,
        const uint8_t raw[FAT_SLOT_SIZE], uint64_t *at);
/* A short name after `name` that no entry has.  ERR_FULL: thousands alike are there */
MUST_USE enum err fat_directory_unique(
        struct fat *f, uint32_t first, const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE]);
MUST_USE enum err fat_directory_erase(struct fat *f, uint32_t first, uint32_t start, uint32_t end);
/* The 32 bytes at a place that fat_found or fat_directory_insert gave. */
MUST_USE enum err fat_slot_edit(struct fat *f, uint64_t at, uint8_t **slot);
void fat_slot_set_cluster(uint8_t *slot, uint32_t cluster);

/* DOS time: two seconds' steps, 1980 to 2107, to which `unix_s` is clamped. */
void fat_slot_set_written(uint8_t *slot, int64_t unix_s);
void fat_slot_set_created(uint8_t *slot, int64_t unix_s);
int64_t fat_time_decode(const uint8_t *time, const uint8_t *date); /* 0 for no valid date */

/* ---- Paths (path.c) ---- */

/* Split a path: the directory that holds its last part, and that part. `*is_root` if it has no part at all. When `inside`
 * is not 0 and the way leads through that directory the answer is ERR_SEQUENCE. */
MUST_USE enum err fat_path_parent(struct fat *f, struct str path, uint32_t inside, uint32_t *parent,
        struct fat_name *last, bool *is_root);
/* What a path names; of the root `at` is 0. */
MUST_USE enum err fat_path_find(struct fat *f, struct str path, uint32_t *parent, struct fat_found *out);

struct fat_file *fat_file_at(struct fat *f, uint64_t at); /* the open one whose entry is there, or NULL */

#endif
