/* SPDX-License-Identifier: ISC */
#include "fat/bytes.h"
#include "fat/check_walk.h"

/* How a walk along a chain ended. */
struct walked {
        uint32_t count, last; /* sound clusters, and the last of them */
        bool is_ended;        /* in order */
        enum fat_fault fault; /* otherwise */
};

static enum err walk(struct fat_walk *w, uint32_t first, struct walked *out)
{
        *out = (struct walked){.count = 0};
        uint32_t cluster = first;
        for (;;) {
                if (fat_bit(w->used, cluster)) {
                        out->fault = fat_bit(w->mine, cluster) ? FAT_FAULT_CHAIN_CIRCULAR
                                                               : FAT_FAULT_CHAIN_CROSSED;
                        return ERR_OK;
                }
                uint32_t next;
                enum err err = fat_entry_get(w->f, cluster, &next);
                if (err != ERR_OK)
                        return err;
                if (next == 0 && out->count == 0) { /* it starts at a free cluster: not even one is its own */
                        out->fault = FAT_FAULT_START;
                        return ERR_OK;
                }
                if (next != 0) {
                        fat_bit_set(w->used, cluster, true);
                        fat_bit_set(w->mine, cluster, true);
                        out->count++;
                        out->last = cluster;
                }
                if (next > FAT_CLUSTER_BAD) {
                        out->is_ended = true;
                        return ERR_OK;
                }
                if (!fat_is_cluster(w->f, next)) {
                        out->fault = FAT_FAULT_CHAIN_BROKEN;
                        return ERR_OK;
                }
                cluster = next;
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

/* A chain that does not end in order is ended at its last sound cluster. */
static enum err repair_end(struct fat_walk *w, const struct walked *chain)
{
        bool may = chain->count > 0 && chain->fault != FAT_FAULT_CHAIN_CROSSED;
        if (!fat_walk_fault(w, chain->fault, chain->count, may))
                return ERR_OK;
        enum err err = fat_entry_set(w->f, chain->last, FAT_CHAIN_END);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

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

static enum err check_size(struct fat_walk *w, const struct fat_found *e, const struct walked *chain)
{
        uint32_t each = w->f->cluster_size, first = fat_found_cluster(e), size = fat_le32(e->raw + 28);
        uint32_t need = (uint32_t)(((uint64_t)size + each - 1) / each), keep = chain->count;
        enum err err = ERR_OK;
        if (chain->is_ended && chain->count > need &&
                fat_walk_fault(w, FAT_FAULT_CHAIN_LONG, chain->count - need, true))
                keep = need;
        err = unmark(w, first, chain->count, keep);
        if (err == ERR_OK && keep < chain->count)
                err = repair_long(w, e, keep);
        if (!chain->is_ended && chain->fault == FAT_FAULT_CHAIN_CROSSED)
                return err; /* what is its own cannot be told */
        if (err == ERR_OK && chain->count < need &&
                fat_walk_fault(w, FAT_FAULT_CHAIN_SHORT, need - chain->count, true))
                err = repair_entry(w, e, chain->count > 0 ? first : 0, chain->count * each);
        return err;
}

/* An entry whose first cluster is none: right only for an empty file. */
static enum err check_start(struct fat_walk *w, const struct fat_found *e)
{
        uint32_t first = fat_found_cluster(e);
        bool is_directory = fat_found_is_directory(e);
        if (first == 0 && !is_directory && fat_le32(e->raw + 28) == 0)
                return ERR_OK;
        if (!fat_walk_fault(w, FAT_FAULT_START, first, !is_directory))
                return ERR_OK;
        return repair_entry(w, e, 0, 0);
}

enum err fat_check_chain(struct fat_walk *w, const struct fat_found *e, struct fat_sound *out)
{
        uint32_t first = fat_found_cluster(e);
        struct walked chain;
        *out = (struct fat_sound){.is_directory = fat_found_is_directory(e)};
        if (!fat_is_cluster(w->f, first))
                return check_start(w, e);
        enum err err = walk(w, first, &chain);
        if (err != ERR_OK)
                return err;
        if (!chain.is_ended && chain.fault == FAT_FAULT_START)
                return check_start(w, e);
        out->clusters = chain.count;
        if (!chain.is_ended)
                err = repair_end(w, &chain);
        if (err != ERR_OK || !out->is_directory)
                return err == ERR_OK ? check_size(w, e, &chain) : err;
        err = unmark(w, first, chain.count, chain.count);
        if (err == ERR_OK && fat_le32(e->raw + 28) != 0 &&
                fat_walk_fault(w, FAT_FAULT_DIRECTORY_SIZE, 0, true))
                err = repair_entry(w, e, first, 0);
        return err;
}

enum err fat_check_root(struct fat_walk *w, struct fat_sound *out)
{
        struct walked chain;
        *out = (struct fat_sound){.is_directory = true};
        enum err err = walk(w, w->f->root, &chain);
        if (err != ERR_OK)
                return err;
        out->clusters = chain.count;
        err = unmark(w, w->f->root, chain.count, chain.count);
        return err == ERR_OK && !chain.is_ended ? repair_end(w, &chain) : err;
}
