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

struct fat_walk {
        struct fat *f;
        const struct fat_checker *how;
        struct fat_checked *out;
        uint8_t *used, *mine; /* a bit a cluster: of any chain so far; of the chain at hand */
        uint32_t *names;      /* hashes of names in the directory at hand */
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

/* A chain's sound part (check_chain.c). */
struct fat_sound {
        uint32_t clusters;
        bool is_directory;
};
/* Look at the chain of an entry, and its size; repairs it. `out->clusters` is what can be relied on. */
MUST_USE enum err fat_check_chain(struct fat_walk *w, const struct fat_found *e, struct fat_sound *out);
/* The same for a chain that no entry names: the root's. */
MUST_USE enum err fat_check_root(struct fat_walk *w, struct fat_sound *out);

/* The directory at hand (check_names.c). */
MUST_USE enum err fat_check_names(
        struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e);
MUST_USE enum err fat_check_stray(struct fat_walk *w, struct fat_frame *frame, uint32_t to);
MUST_USE enum err fat_check_dots(struct fat_walk *w, const struct fat_frame *frame);

#endif
