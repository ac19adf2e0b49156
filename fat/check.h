/* SPDX-License-Identifier: ISC */
/* Checking a mounted volume: whether both FATs agree, and every chain, directory and name is sound; and repair.
 * Each step of a repair is a change of its own: interrupted, the rest is found by the next check. Ends on any image, in
 * time proportional to its size. */
#ifndef FAT_CHECK_H
#define FAT_CHECK_H

#include "fat/fat.h"

enum fat_fault {
        FAT_FAULT_FATS_DIFFER, /* repaired: the first FAT is copied */
        FAT_FAULT_RESERVED,    /* the first two entries of the FAT. Repaired */
        FAT_FAULT_BACKUP,      /* the backup of the boot sector differs. Repaired */
        FAT_FAULT_BAD_NAME,    /* a short name with illegal bytes. Repaired: another is made of it */
        FAT_FAULT_LONG_NAME,   /* long name entries that belong to nothing. Repaired: removed */
        FAT_FAULT_DUPLICATE, /* two entries of one name in a directory. Repaired: the later one gets another short name,
                              * or is left with its short one */
        FAT_FAULT_DOT, /* "." or ".." missing, wrong or not at its place. Repaired, if there is room for what stands there */
        FAT_FAULT_START, /* a first cluster outside the volume or free, or of a directory that is none. Repaired: a file
                          * is emptied; a directory whose cluster is as it was is taken up again; another's name goes */
        FAT_FAULT_CHAIN_BROKEN,   /* ends at a free, bad or impossible cluster. Repaired: ended there */
        FAT_FAULT_CHAIN_CIRCULAR, /* comes back to itself. Repaired: ended there */
        FAT_FAULT_CHAIN_CROSSED, /* runs into clusters of another. Repaired: a file gets a copy of them, or is cut if the
                                   * volume is full; a directory is ended there, or its name removed */
        FAT_FAULT_CHAIN_SHORT,    /* a file larger than its chain. Repaired: the size is lowered */
        FAT_FAULT_CHAIN_LONG,     /* a chain longer than its file. Repaired: cut */
        FAT_FAULT_DIRECTORY_SIZE, /* a directory with a size. Repaired: set to 0 */
        FAT_FAULT_TOO_DEEP,       /* directories nested above FAT_DEPTH_MAX: not looked into */
        FAT_FAULT_LOST, /* clusters in use that belong to nothing. Repaired, if nothing else is left: freed */
        FAT_FAULT_COUNT
};

/* A short lower-case phrase, such as "runs into another file". */
const char *fat_fault_text(enum fat_fault fault);

struct fat_checker {
        /* Called for each fault. `path` is UTF-8 and borrowed for the call, empty for the volume itself; `number` is the
         * cluster, or how many clusters or sectors it is about; `is_repaired` is false without `repair`. May be NULL. */
        void (*report)(void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired);
        void *ctx;
        bool repair;  /* wants a volume mounted with FAT_WRITE */
        void *memory; /* fat_check_memory bytes, the caller's, aligned as by malloc, borrowed for the call */
        size_t memory_n;
};

struct fat_checked {
        uint32_t files, directories;
        uint32_t used_clusters, free_clusters, bad_clusters, lost_clusters;
        uint32_t faults;     /* in all */
        uint32_t unrepaired; /* of these, still there */
};

/* How much memory fat_check wants for this volume: three bits a cluster, a table for names, a path. */
size_t fat_check_memory(const struct fat *f);

/* Check, and repair if asked. No file may be open when repairing (CHECK).
 *   ERR_OK      looked at everything; `*out` tells what was found
 *   ERR_MEMORY  memory_n is too small
 *   ERR_DENIED  repair of a volume mounted for reading
 *   ERR_IO      the device failed; `*out` is as far as it came */
MUST_USE enum err fat_check(struct fat *f, const struct fat_checker *how, struct fat_checked *out);

#endif
