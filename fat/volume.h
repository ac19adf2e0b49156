/* SPDX-License-Identifier: ISC */
/* Inside the layer: sectors, changes, the FAT and chains. Nothing here is for other layers. */
#ifndef FAT_VOLUME_H
#define FAT_VOLUME_H

#include "fat/boot.h"
#include "fat/fat.h"

#define FAT_CHAIN_END 0x0fffffffu
#define FAT_CLUSTER_BAD 0x0ffffff7u
#define FAT_GROUP_UNKNOWN UINT32_MAX

/* ---- The device (cache.c) ---- */

/* Bytes of the device, past the cache. A write is ERR_DENIED for FAT_READ; a failed one breaks the volume, except that
 * the caller decides what ERR_FULL means. */
MUST_USE enum err fat_bytes_read(struct fat *f, uint64_t at, void *to, size_t n);
MUST_USE enum err fat_bytes_write(struct fat *f, uint64_t at, const void *from, size_t n);
MUST_USE enum err fat_bytes_zero(struct fat *f, uint64_t at, uint64_t n);
MUST_USE enum err fat_bytes_flush(struct fat *f);

/* ---- Sectors of metadata (cache.c). FAT sectors are named by their place in the FAT that is read. ---- */

/* A look at a sector, as the change under way left it; good until the next call of this group. */
MUST_USE enum err fat_sector_read(struct fat *f, uint32_t sector, const uint8_t **out);
/* The sector for writing, as a part of the change under way; good until the next call of this group.
 *   ERR_LIMIT   the change is full */
MUST_USE enum err fat_sector_edit(struct fat *f, uint32_t sector, uint8_t **out);
bool fat_sector_is_staged(const struct fat *f, uint32_t sector);
uint32_t fat_stage_room(const struct fat *f); /* sectors that the change under way may still take */
void fat_cache_init(struct fat *f);
void fat_cache_put(struct fat *f, uint32_t sector, const uint8_t *bytes);
void fat_cache_forget(struct fat *f, uint32_t sector, uint32_t count);

/* ---- Changes (redo.c) ---- */

/* Each public call that changes something stands between these two. fat_change_end commits what is staged if `err` is
 * ERR_OK and drops it otherwise. */
MUST_USE enum err fat_change_begin(struct fat *f);
MUST_USE enum err fat_change_end(struct fat *f, enum err err);
/* Each other one stands between these. */
void fat_enter(struct fat *f);
void fat_leave(struct fat *f);
/* Commit what is staged, now. */
MUST_USE enum err fat_commit(struct fat *f);
void fat_abort(struct fat *f);
/* Look for our mark and a valid record, and stage the record. `*found` is FAT_CLEAN or FAT_REPLAYED. */
MUST_USE enum err fat_redo_load(struct fat *f, const struct fat_boot *b, enum fat_state *found);
MUST_USE enum err fat_redo_apply(struct fat *f); /* what is staged, without a record, and clear the record */
void fat_redo_mark_encode(uint32_t serial, uint32_t pending, uint8_t mark[32]);

/* ---- The FAT (table.c) ---- */

bool fat_is_cluster(const struct fat *f, uint32_t cluster);
uint32_t fat_cluster_sector(const struct fat *f, uint32_t cluster);
uint64_t fat_cluster_at(const struct fat *f, uint32_t cluster); /* in bytes of the device */
uint32_t fat_entry_sector(const struct fat *f, uint32_t cluster);
MUST_USE enum err fat_entry_get(struct fat *f, uint32_t cluster, uint32_t *out); /* its 28 bits */
MUST_USE enum err fat_entry_set(struct fat *f, uint32_t cluster, uint32_t value);
/* The entries from `cluster` on as they lie in one sector: `*count` of them, 4 bytes each, good until the next read of a
 * sector. For looking through the whole FAT. */
MUST_USE enum err fat_entries_look(struct fat *f, uint32_t cluster, const uint8_t **entries, uint32_t *count);
/* The cluster behind `cluster`, or FAT_CHAIN_END.  ERR_CORRUPT: it leads nowhere. */
MUST_USE enum err fat_chain_next(struct fat *f, uint32_t cluster, uint32_t *next);
void fat_groups_init(struct fat *f);
void fat_group_forget(struct fat *f, uint32_t sector); /* the count that a FAT sector belongs to */
/* ERR_OK if at least `need` clusters are free, else ERR_FULL. */
MUST_USE enum err fat_need_free(struct fat *f, uint64_t need);
MUST_USE enum err fat_count_free(struct fat *f, uint32_t *out);

/* ---- Chains (chain.c) ---- */

/* Append up to `want` free clusters behind `tail` (0: a new chain), in few pieces. Keeps one sector of the change for the
 * caller, so `*got` may be less. `*first` is the first new one.
 *   ERR_FULL   none is free */
MUST_USE enum err fat_chain_grow(struct fat *f, uint32_t tail, uint32_t want, uint32_t *first, uint32_t *got);
/* Free a chain. What the change cannot hold is noted in the redo area's mark and freed by fat_change_end, or by the next
 * mount after a crash. Ends quietly where the chain is damaged. */
MUST_USE enum err fat_chain_free(struct fat *f, uint32_t head);
MUST_USE enum err fat_pending_finish(struct fat *f);
/* Zero the content of a cluster that no directory entry reaches yet. */
MUST_USE enum err fat_cluster_zero(struct fat *f, uint32_t cluster);

#endif
