/* SPDX-License-Identifier: ISC */
/* Taking and giving back clusters. */
#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"
#include "fat/volume.h"

struct piece {
        uint32_t cluster, count;
};

static uint32_t group_end(const struct fat *f, uint32_t cluster)
{
        uint32_t each = f->group_sectors * (f->sector_size / 4);
        uint32_t end = f->clusters + FAT_FIRST_CLUSTER;
        uint32_t from = cluster - cluster % each;
        return end - from < each ? end : from + each;
}

static bool is_group_full(const struct fat *f, uint32_t cluster)
{
        return f->group_free[cluster / (f->sector_size / 4) / f->group_sectors] == 0;
}

/* The first free piece of `want` clusters in [from, to), or else the longest one; `best` is kept if it is longer. */
static enum err search(struct fat *f, uint32_t from, uint32_t to, uint32_t want, struct piece *best)
{
        struct piece now = {0, 0};
        for (uint32_t c = from; c < to && best->count < want;) {
                if (is_group_full(f, c)) {
                        c = group_end(f, c);
                        now.count = 0;
                        continue;
                }
                uint32_t value;
                enum err err = fat_entry_get(f, c, &value);
                if (err != ERR_OK)
                        return err;
                if (value != 0)
                        now.count = 0;
                else if (now.count++ == 0)
                        now.cluster = c;
                if (now.count > best->count)
                        *best = now;
                c++;
        }
        return ERR_OK;
}

/* Free clusters right behind the tail are best: the file stays in one piece. */
static enum err piece_after(struct fat *f, uint32_t tail, uint32_t want, struct piece *out)
{
        uint32_t end = f->clusters + FAT_FIRST_CLUSTER;
        *out = (struct piece){tail + 1, 0};
        for (uint32_t c = tail + 1; tail != 0 && c < end && out->count < want; c++) {
                uint32_t value;
                enum err err = fat_entry_get(f, c, &value);
                if (err != ERR_OK || value != 0)
                        return err;
                out->count++;
        }
        return ERR_OK;
}

static enum err find_piece(struct fat *f, uint32_t tail, uint32_t want, struct piece *out)
{
        enum err err = piece_after(f, tail, want, out);
        if (err != ERR_OK || out->count > 0)
                return err;
        err = search(f, f->hint, f->clusters + FAT_FIRST_CLUSTER, want, out);
        if (err == ERR_OK)
                err = search(f, FAT_FIRST_CLUSTER, f->hint, want, out);
        return err == ERR_OK && out->count == 0 ? ERR_FULL : err;
}

/* Whether setting this entry leaves a sector of the change to the caller. */
static bool has_room(const struct fat *f, uint32_t cluster, uint32_t keep)
{
        return fat_sector_is_staged(f, fat_entry_sector(f, cluster)) || fat_stage_room(f) > keep;
}

/* Link the piece behind the tail, as far as the change has room; the last cluster linked ends the chain. */
static enum err link_piece(struct fat *f, uint32_t tail, const struct piece *p, uint32_t *linked)
{
        enum err err = ERR_OK;
        for (*linked = 0; *linked < p->count && err == ERR_OK; ++*linked) {
                uint32_t c = p->cluster + *linked;
                /* two: the entry of the tail may be in another sector */
                if (!has_room(f, c, *linked == 0 && tail != 0 ? 2 : 1))
                        break;
                err = fat_entry_set(f, c, FAT_CHAIN_END);
                if (err == ERR_OK && tail != 0)
                        err = fat_entry_set(f, tail, c);
                tail = c;
        }
        return err;
}

enum err fat_chain_grow(struct fat *f, uint32_t tail, uint32_t want, uint32_t *first, uint32_t *got)
{
        enum err err = ERR_OK;
        *first = 0;
        for (*got = 0; *got < want && err == ERR_OK;) {
                struct piece p;
                uint32_t linked = 0;
                err = find_piece(f, tail, want - *got, &p);
                if (err == ERR_OK)
                        err = link_piece(f, tail, &p, &linked);
                if (err != ERR_OK || linked == 0)
                        break;
                if (*got == 0)
                        *first = p.cluster;
                *got += linked;
                tail = p.cluster + linked - 1;
                f->hint = fat_is_cluster(f, tail + 1) ? tail + 1 : FAT_FIRST_CLUSTER;
        }
        return err == ERR_FULL && *got > 0 ? ERR_OK : err;
}

static enum err note_pending(struct fat *f, uint32_t cluster)
{
        uint8_t *mark;
        enum err err = fat_sector_edit(f, FAT_REDO_SECTOR, &mark);
        if (err == ERR_OK)
                fat_redo_mark_encode(f->serial, cluster, mark);
        f->pending = cluster;
        return err;
}

enum err fat_chain_free(struct fat *f, uint32_t head)
{
        enum err err = ERR_OK;
        while (fat_is_cluster(f, head) && err == ERR_OK && has_room(f, head, 1)) {
                uint32_t next;
                err = fat_entry_get(f, head, &next);
                if (err == ERR_OK && (next == 0 || next == FAT_CLUSTER_BAD))
                        head = 0;
                else if (err == ERR_OK) {
                        err = fat_entry_set(f, head, 0);
                        head = next;
                }
        }
        uint32_t rest = fat_is_cluster(f, head) ? head : 0;
        if (err == ERR_OK && (rest != 0 || f->pending != 0))
                err = note_pending(f, rest);
        return err;
}

enum err fat_pending_finish(struct fat *f)
{
        enum err err = ERR_OK;
        while (f->pending != 0 && err == ERR_OK) {
                err = fat_chain_free(f, f->pending);
                if (err == ERR_OK)
                        err = fat_commit(f);
        }
        return err;
}

enum err fat_cluster_zero(struct fat *f, uint32_t cluster)
{
        fat_cache_forget(f, fat_cluster_sector(f, cluster), f->cluster_sectors);
        return fat_bytes_zero(f, fat_cluster_at(f, cluster), f->cluster_size);
}
