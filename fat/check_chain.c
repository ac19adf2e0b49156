/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "fat/bytes.h"
#include "fat/check_walk.h"

/* Along a chain; `taken` are clusters that others have. */
static enum err walk(struct fat_walk *w, uint8_t *taken, uint32_t first, struct fat_walked *out)
{
        *out = (struct fat_walked){.next = first};
        for (;;) {
                uint32_t cluster = out->next, next;
                if (fat_bit(taken, cluster)) {
                        out->fault = fat_bit(w->mine, cluster) ? FAT_FAULT_CHAIN_CIRCULAR
                                                               : FAT_FAULT_CHAIN_CROSSED;
                        return ERR_OK;
                }
                enum err err = fat_entry_get(w->f, cluster, &next);
                if (err != ERR_OK)
                        return err;
                if (next == 0 && out->count == 0) { /* it starts at a free cluster: not even one is its own */
                        out->fault = FAT_FAULT_START;
                        return ERR_OK;
                }
                if (next != 0) {
                        fat_bit_set(taken, cluster, true);
                        fat_bit_set(w->mine, cluster, true);
                        out->count++;
                        out->last = cluster;
                }
                out->is_ended = next > FAT_CLUSTER_BAD;
                out->fault = FAT_FAULT_CHAIN_BROKEN;
                if (!fat_is_cluster(w->f, next))
                        return ERR_OK;
                out->next = next;
        }
}

/* Take the marks of `mine` back; and of `used` too behind `keep` clusters. */
static enum err unmark(struct fat_walk *w, uint32_t first, uint32_t count, uint32_t keep)
{
        uint32_t cluster = first;
        for (uint32_t i = 0; i < count; i++) {
                uint32_t next;
                enum err err = fat_entry_get(w->f, cluster, &next);
                if (err != ERR_OK)
                        return err;
                fat_bit_set(w->mine, cluster, false);
                if (i >= keep)
                        fat_bit_set(w->used, cluster, false);
                cluster = next;
        }
        return ERR_OK;
}

static enum err repair_entry(struct fat_walk *w, const struct fat_found *e, uint32_t first, uint32_t size)
{
        uint8_t *slot;
        enum err err = fat_slot_edit(w->f, e->at, &slot);
        if (err == ERR_OK) {
                fat_put32(slot + 28, size);
                fat_slot_set_cluster(slot, first);
        }
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

static enum err put_end(struct fat_walk *w, uint32_t cluster)
{
        enum err err = fat_entry_set(w->f, cluster, FAT_CHAIN_END);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

/* A chain that does not end in order is ended at its last sound cluster. */
static enum err repair_end(struct fat_walk *w, const struct fat_walked *chain)
{
        return fat_walk_fault(w, chain->fault, chain->count, true) ? put_end(w, chain->last) : ERR_OK;
}

/* ---- Files ---- */

/* Cut a chain to `keep` clusters and free the rest. */
static enum err repair_long(struct fat_walk *w, const struct fat_found *e, uint32_t keep)
{
        uint32_t cluster = fat_found_cluster(e), rest = cluster;
        enum err err = ERR_OK;
        for (uint32_t i = 0; i < keep && err == ERR_OK; i++) {
                cluster = rest;
                err = fat_chain_next(w->f, cluster, &rest);
        }
        uint8_t *slot;
        if (err == ERR_OK && keep > 0)
                err = fat_entry_set(w->f, cluster, FAT_CHAIN_END);
        if (err == ERR_OK && keep == 0) {
                err = fat_slot_edit(w->f, e->at, &slot);
                if (err == ERR_OK)
                        fat_slot_set_cluster(slot, 0);
        }
        if (err == ERR_OK)
                err = fat_chain_free(w->f, rest);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

static enum err check_size(struct fat_walk *w, const struct fat_found *e, const struct fat_walked *chain)
{
        uint32_t each = w->f->cluster_size, first = fat_found_cluster(e), size = fat_le32(e->raw + 28);
        uint32_t need = (uint32_t)(((uint64_t)size + each - 1) / each), keep = chain->count;
        enum err err = ERR_OK;
        bool is_long = chain->is_ended && chain->count > need;
        if (is_long && w->how->repair && w->stage != FAT_WALK_CUTS)
                w->is_long = true;
        else if (is_long && fat_walk_fault(w, FAT_FAULT_CHAIN_LONG, chain->count - need, true))
                keep = need;
        err = unmark(w, first, chain->count, keep);
        if (err == ERR_OK && keep < chain->count)
                err = repair_long(w, e, keep);
        if (err == ERR_OK && chain->count < need &&
                fat_walk_fault(w, FAT_FAULT_CHAIN_SHORT, need - chain->count, true))
                err = repair_entry(w, e, chain->count > 0 ? first : 0, chain->count * each);
        return err;
}

static enum err check_crossed(struct fat_walk *w, struct fat_found *e, struct fat_walked *chain)
{
        enum err err = unmark(w, fat_found_cluster(e), chain->count, chain->count);
        if (err != ERR_OK)
                return err;
        if (w->how->repair && w->stage == FAT_WALK_FILES) {
                w->is_crossed = true;
                return ERR_OK;
        }
        if (!fat_walk_fault(w, FAT_FAULT_CHAIN_CROSSED, chain->count, true))
                return ERR_OK;
        err = fat_check_copy(w, e, chain);
        return err == ERR_OK ? check_size(w, e, chain) : err;
}

enum err fat_check_file(struct fat_walk *w, struct fat_found *e)
{
        uint32_t first = fat_found_cluster(e);
        struct fat_walked chain = {.fault = FAT_FAULT_START};
        if (first == 0 && fat_le32(e->raw + 28) == 0)
                return ERR_OK;
        enum err err = fat_is_cluster(w->f, first) ? walk(w, w->used, first, &chain) : ERR_OK;
        if (err != ERR_OK)
                return err;
        if (!chain.is_ended && chain.fault == FAT_FAULT_START)
                return fat_walk_fault(w, FAT_FAULT_START, first, true) ? repair_entry(w, e, 0, 0) : ERR_OK;
        if (!chain.is_ended && chain.fault == FAT_FAULT_CHAIN_CROSSED)
                return check_crossed(w, e, &chain);
        if (!chain.is_ended)
                err = repair_end(w, &chain);
        chain.is_ended = chain.is_ended || w->how->repair;
        return err == ERR_OK ? check_size(w, e, &chain) : err;
}

/* ---- Directories ---- */

/* Whether one of its first slots is a dot entry. Without any it is no directory: taken for one, a file would be damaged
 * by its repair. */
static bool has_dots(struct fat_walk *w, uint32_t first)
{
        const uint8_t *slot;
        if (fat_sector_read(w->f, fat_cluster_sector(w->f, first), &slot) != ERR_OK)
                return true; /* met again, and said */
        for (int i = 0; i < 512 / FAT_SLOT_SIZE; i++, slot += FAT_SLOT_SIZE)
                if ((memcmp(slot, ".          ", FAT_SHORT_SIZE) == 0 ||
                            memcmp(slot, "..         ", FAT_SHORT_SIZE) == 0) &&
                        (slot[11] & (FAT_IS_DIRECTORY | FAT_IS_LABEL)) == FAT_IS_DIRECTORY)
                        return true;
        return false;
}

/* A free cluster that looks like the directory it is said to be: only its entry of the FAT is gone. */
static bool is_forgotten(struct fat_walk *w, uint32_t first)
{
        const uint8_t *slot;
        return fat_is_cluster(w->f, first) &&
               fat_sector_read(w->f, fat_cluster_sector(w->f, first), &slot) == ERR_OK &&
               memcmp(slot, ".          ", FAT_SHORT_SIZE) == 0 &&
               (slot[11] & (FAT_IS_DIRECTORY | FAT_IS_LABEL)) == FAT_IS_DIRECTORY &&
               (((uint32_t)fat_le16(slot + 20) << 16 | fat_le16(slot + 26)) & 0x0fffffff) == first;
}

/* A directory without a cluster of its own: taken up again, or else its name goes. */
static enum err repair_nowhere(struct fat_walk *w, uint32_t parent, const struct fat_found *e,
        enum fat_fault fault, uint32_t *clusters)
{
        uint32_t first = fat_found_cluster(e);
        if (!fat_walk_fault(w, fault, first, true))
                return ERR_OK;
        if (fault == FAT_FAULT_START && is_forgotten(w, first)) {
                fat_bit_set(w->used, first, true);
                *clusters = 1;
                return put_end(w, first);
        }
        enum err err = fat_directory_erase(w->f, parent, e->start, e->index);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

enum err fat_check_directory(
        struct fat_walk *w, uint32_t parent, const struct fat_found *e, uint32_t *clusters)
{
        uint32_t first = fat_found_cluster(e);
        bool is_first = w->stage == FAT_WALK_DIRECTORIES;
        struct fat_walked chain = {.fault = FAT_FAULT_START};
        *clusters = 0;
        enum err err = ERR_OK;
        if (fat_is_cluster(w->f, first) && has_dots(w, first))
                err = walk(w, is_first ? w->used : w->directories, first, &chain);
        if (err == ERR_OK)
                err = unmark(w, first, chain.count, chain.count);
        *clusters = chain.count;
        if (err != ERR_OK || !is_first)
                return err;
        if (chain.count == 0)
                return repair_nowhere(w, parent, e, chain.fault, clusters);
        if (!chain.is_ended)
                err = repair_end(w, &chain);
        if (err == ERR_OK && fat_le32(e->raw + 28) != 0 &&
                fat_walk_fault(w, FAT_FAULT_DIRECTORY_SIZE, 0, true))
                err = repair_entry(w, e, first, 0);
        return err;
}

enum err fat_check_root(struct fat_walk *w, uint32_t *clusters)
{
        bool is_first = w->stage == FAT_WALK_DIRECTORIES;
        struct fat_walked chain;
        enum err err = walk(w, is_first ? w->used : w->directories, w->f->root, &chain);
        if (err == ERR_OK)
                err = unmark(w, w->f->root, chain.count, chain.count);
        *clusters = chain.count;
        if (err != ERR_OK || chain.is_ended || !is_first)
                return err;
        if (chain.count > 0)
                return repair_end(w, &chain);
        if (!fat_walk_fault(w, chain.fault, w->f->root, true))
                return ERR_OK;
        fat_bit_set(w->used, w->f->root, true);
        *clusters = 1;
        return put_end(w, w->f->root);
}
