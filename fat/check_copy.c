/* SPDX-License-Identifier: ISC */
/* Two files cannot both own a cluster. Which one is right cannot be told, so the later one gets a copy. It is made piece by
 * piece, the last cluster of each piece leading back into what is still shared: cut off at any point the file is whole. */
#include "base/check.h"
#include "fat/bytes.h"
#include "fat/check_walk.h"

static enum err copy_cluster(struct fat *f, uint32_t from, uint32_t to)
{
        uint8_t bytes[4096];
        enum err err = ERR_OK;
        for (uint32_t done = 0; done < f->cluster_size && err == ERR_OK; done += f->sector_size) {
                err = fat_bytes_read(f, fat_cluster_at(f, from) + done, bytes, f->sector_size);
                if (err == ERR_OK)
                        err = fat_bytes_write(f, fat_cluster_at(f, to) + done, bytes, f->sector_size);
        }
        fat_cache_forget(f, fat_cluster_sector(f, to), f->cluster_sectors);
        return err;
}

/* `n` clusters along both chains; `*last` is the last written, `*rest` what follows the last read. */
static enum err copy_clusters(
        struct fat *f, uint32_t from, uint32_t to, uint32_t n, uint32_t *last, uint32_t *rest)
{
        enum err err = ERR_OK;
        *rest = from;
        *last = to;
        for (uint32_t i = 0; i < n && err == ERR_OK; i++) {
                *last = to;
                err = copy_cluster(f, *rest, to);
                if (err == ERR_OK)
                        err = fat_chain_next(f, *rest, rest);
                if (err == ERR_OK && i + 1 < n)
                        err = fat_chain_next(f, to, &to);
        }
        return err;
}

/* As much as one change holds. chain->next is what is still shared, and afterwards the rest of it. */
static enum err copy_part(struct fat_walk *w, struct fat_found *e, struct fat_walked *chain, uint32_t want)
{
        struct fat *f = w->f;
        uint32_t first, got, last = 0, rest = 0;
        uint8_t *slot;
        enum err err = fat_chain_grow(f, chain->last, want, &first, &got);
        CHECK(err != ERR_OK || got > 0);
        if (err == ERR_OK)
                err = copy_clusters(f, chain->next, first, got, &last, &rest);
        if (err == ERR_OK)
                err = fat_entry_set(f, last, got < want ? rest : FAT_CHAIN_END);
        if (err == ERR_OK && chain->count == 0) {
                err = fat_slot_edit(f, e->at, &slot);
                if (err == ERR_OK)
                        fat_slot_set_cluster(slot, first);
        }
        if (err == ERR_OK)
                err = fat_walk_commit(w);
        if (err == ERR_OK && chain->count == 0)
                fat_slot_set_cluster(e->raw, first);
        for (uint32_t i = 0; i < got && err == ERR_OK; i++) {
                fat_bit_set(w->used, first, true);
                if (i + 1 < got)
                        err = fat_chain_next(f, first, &first);
        }
        if (err == ERR_OK) {
                chain->count += got;
                chain->last = last;
                chain->next = rest;
        }
        return err;
}

/* How many clusters the shared part has, at most `most`. It belongs to what is repaired already, so it ends. */
static enum err count_shared(struct fat *f, uint32_t cluster, uint32_t most, uint32_t *count)
{
        enum err err = ERR_OK;
        for (*count = 0; *count < most && cluster != FAT_CHAIN_END && err == ERR_OK; ++*count)
                err = fat_chain_next(f, cluster, &cluster);
        return err;
}

/* End the chain with what it has of its own. */
static enum err end_chain(struct fat_walk *w, struct fat_found *e, const struct fat_walked *chain)
{
        uint8_t *slot;
        enum err err;
        if (chain->count > 0) {
                err = fat_entry_set(w->f, chain->last, FAT_CHAIN_END);
        } else {
                err = fat_slot_edit(w->f, e->at, &slot);
                if (err == ERR_OK)
                        fat_slot_set_cluster(slot, 0);
                fat_slot_set_cluster(e->raw, 0);
        }
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

enum err fat_check_copy(struct fat_walk *w, struct fat_found *e, struct fat_walked *chain)
{
        uint32_t each = w->f->cluster_size, size = fat_le32(e->raw + 28), want = 0;
        uint32_t need = (uint32_t)(((uint64_t)size + each - 1) / each);
        enum err err = ERR_OK;
        if (chain->count < need)
                err = count_shared(w->f, chain->next, need - chain->count, &want);
        if (err == ERR_OK)
                err = fat_need_free(w->f, want);
        for (uint32_t end = chain->count + want; chain->count < end && err == ERR_OK;)
                err = copy_part(w, e, chain, end - chain->count);
        if (err == ERR_FULL) /* no room, or a device thinner than it says */
                fat_abort(w->f);
        chain->is_ended = true;
        return err == ERR_OK || err == ERR_FULL ? end_chain(w, e, chain) : err;
}
