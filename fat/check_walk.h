/* SPDX-License-Identifier: ISC */
/* State of a check, shared by its files. Inside the layer. */
#ifndef FAT_CHECK_WALK_H
#define FAT_CHECK_WALK_H

#include "fat/check.h"
#include "fat/directory.h"

#define FAT_CHECK_NAMES \
        (1u << 18) /* places in the table of names: two names of each entry, half full at most */

/* A directory that is being looked at. */
struct fat_frame {
        struct fat_slots slots;
        uint32_t parent;
        uint32_t limit;  /* slots in the sound part of its chain */
        uint32_t behind; /* the slot behind the last entry */
        uint32_t places; /* of the table of names, while this directory is looked at */
        size_t path_n;
};

/* Rounds over the tree. Directories come first, so that a file that runs into one is not taken for its owner. When
 * repairing, what files share is copied once nothing damaged refers to a free cluster any more, and what is too long is
 * cut only then: it may be too long because it runs into another. */
enum fat_walk_stage { FAT_WALK_DIRECTORIES, FAT_WALK_FILES, FAT_WALK_COPIES, FAT_WALK_CUTS };

struct fat_walk {
        struct fat *f;
        const struct fat_checker *how;
        struct fat_checked *out;
        enum fat_walk_stage stage;
        bool is_crossed, is_long; /* a file waits for FAT_WALK_COPIES, FAT_WALK_CUTS */
        /* A bit a cluster: of any chain so far; of the chain at hand; of a directory in this round over the tree. */
        uint8_t *used, *mine, *directories;
        uint32_t *names; /* hashes of names in the directory at hand */
        uint32_t depth;
        struct fat_frame frames[FAT_DEPTH_MAX];
        size_t path_n;
        char path[FAT_DEPTH_MAX * (FAT_NAME_UTF8_MAX + 1)];
};

bool fat_bit(const uint8_t *bits, uint32_t i);
void fat_bit_set(uint8_t *bits, uint32_t i, bool value);
/* Report a fault. `may_repair`: it can be repaired, and then true is returned if it should be. */
bool fat_walk_fault(struct fat_walk *w, enum fat_fault fault, uint32_t number, bool may_repair);
MUST_USE enum err fat_walk_commit(struct fat_walk *w);

/* Look at the chain of an entry of the directory that begins at `parent`, and at its size; repair it (check_chain.c).
 * `*clusters` of it can be relied on. */
MUST_USE enum err fat_check_file(struct fat_walk *w, struct fat_found *e);
MUST_USE enum err fat_check_directory(
        struct fat_walk *w, uint32_t parent, const struct fat_found *e, uint32_t *clusters);
/* The same for a chain that no entry names: the root's. */
MUST_USE enum err fat_check_root(struct fat_walk *w, uint32_t *clusters);

/* How a walk along a chain ended. */
struct fat_walked {
        uint32_t count, last; /* sound clusters, and the last of them */
        uint32_t next;        /* what follows it there */
        bool is_ended;        /* in order */
        enum fat_fault fault; /* otherwise */
};

/* A file that runs into another: it gets a copy of what both share, or is cut where there is no room (check_copy.c). Its
 * chain ends in order then; the size is not looked at. `e` and `chain` follow. */
MUST_USE enum err fat_check_copy(struct fat_walk *w, struct fat_found *e, struct fat_walked *chain);

/* The directory at hand (check_names.c). */
MUST_USE enum err fat_check_names(struct fat_walk *w, const struct fat_frame *frame, struct fat_found *e);
/* A dot entry that is not at its place. */
MUST_USE enum err fat_check_misplaced(
        struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e);
MUST_USE enum err fat_check_stray(struct fat_walk *w, struct fat_frame *frame, uint32_t to);
MUST_USE enum err fat_check_dots(struct fat_walk *w, const struct fat_frame *frame);

#endif
