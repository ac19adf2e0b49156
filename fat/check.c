/* SPDX-License-Identifier: ISC */
/* The check: the tables first, then the tree of directories with a stack of its own, then what belongs to nothing. */
#include "fat/check.h"

#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"
#include "fat/check_walk.h"

bool fat_bit(const uint8_t *bits, uint32_t i)
{
        return (bits[i / 8] >> i % 8 & 1) != 0;
}

void fat_bit_set(uint8_t *bits, uint32_t i, bool value)
{
        bits[i / 8] = (uint8_t)((bits[i / 8] & ~(1u << i % 8)) | (uint32_t)value << i % 8);
}

bool fat_walk_fault(struct fat_walk *w, enum fat_fault fault, uint32_t number, bool may_repair)
{
        bool repairs = may_repair && w->how->repair;
        w->out->faults++;
        w->out->unrepaired += !repairs;
        if (w->how->report)
                w->how->report(w->how->ctx, fault, str_of(w->path, w->path_n), number, repairs);
        return repairs;
}

enum err fat_walk_commit(struct fat_walk *w)
{
        enum err err = fat_commit(w->f);
        return err == ERR_OK ? fat_pending_finish(w->f) : err;
}

/* ---- Tables ---- */

/* How many sectors of a copy differ from the first FAT. With repair each is written again, to all copies. */
static enum err compare_copy(struct fat_walk *w, uint32_t copy, uint32_t *different)
{
        struct fat *f = w->f;
        uint8_t other[4096];
        *different = 0;
        for (uint32_t i = 0; i < f->fat_sectors; i++) {
                const uint8_t *bytes;
                uint8_t *edit;
                uint32_t sector = f->reserved + i;
                uint64_t at = ((uint64_t)sector + (uint64_t)copy * f->fat_sectors) * f->sector_size;
                if (fat_sector_is_staged(
                            f, sector)) /* looked at through a record that is still to be replayed */
                        continue;
                enum err err = fat_bytes_read(f, at, other, f->sector_size);
                if (err == ERR_OK)
                        err = fat_sector_read(f, sector, &bytes);
                if (err != ERR_OK)
                        return err;
                if (memcmp(bytes, other, f->sector_size) == 0)
                        continue;
                ++*different;
                if (!w->how->repair)
                        continue;
                err = fat_sector_edit(f, sector, &edit);
                if (err == ERR_OK)
                        err = fat_walk_commit(w);
                if (err != ERR_OK)
                        return err;
        }
        return ERR_OK;
}

static enum err check_copies(struct fat_walk *w)
{
        if (!w->f->is_mirrored)
                return ERR_OK;
        for (uint32_t copy = 1; copy < w->f->fats; copy++) {
                uint32_t different;
                enum err err = compare_copy(w, copy, &different);
                if (err != ERR_OK)
                        return err;
                if (different > 0)
                        fat_walk_fault(w, FAT_FAULT_FATS_DIFFER, different, true);
        }
        return ERR_OK;
}

/* The first entry repeats the boot sector's media byte. */
static enum err check_reserved(struct fat_walk *w)
{
        const uint8_t *boot;
        uint32_t entry = 0;
        enum err err = fat_sector_read(w->f, 0, &boot);
        if (err != ERR_OK)
                return err;
        uint32_t wanted = 0x0fffff00u | boot[21];
        err = fat_entry_get(w->f, 0, &entry);
        if (err != ERR_OK || entry == wanted || !fat_walk_fault(w, FAT_FAULT_RESERVED, 0, true))
                return err;
        err = fat_entry_set(w->f, 0, wanted);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

static enum err check_backup(struct fat_walk *w)
{
        struct fat *f = w->f;
        uint8_t boot[FAT_BOOT_SIZE];
        const uint8_t *bytes;
        uint8_t *edit;
        if (f->backup == 0)
                return ERR_OK;
        enum err err = fat_sector_read(f, 0, &bytes);
        if (err != ERR_OK)
                return err;
        memcpy(boot, bytes, sizeof boot);
        err = fat_sector_read(f, f->backup, &bytes);
        if (err != ERR_OK)
                return err;
        boot[FAT_BOOT_FLAGS] = bytes[FAT_BOOT_FLAGS];
        if (memcmp(boot, bytes, sizeof boot) == 0 || !fat_walk_fault(w, FAT_FAULT_BACKUP, f->backup, true))
                return ERR_OK;
        err = fat_sector_edit(f, f->backup, &edit);
        if (err != ERR_OK)
                return err;
        memcpy(edit, boot, sizeof boot);
        edit[FAT_BOOT_FLAGS] = 0;
        return fat_walk_commit(w);
}

/* ---- The tree ---- */

static size_t bits_size(const struct fat *f)
{
        return ((size_t)f->clusters + FAT_FIRST_CLUSTER + 63) / 64 * 8;
}

static void frame_push(struct fat_walk *w, uint32_t first, uint32_t parent, uint32_t clusters)
{
        struct fat_frame *frame = &w->frames[w->depth++];
        *frame = (struct fat_frame){.parent = parent, .path_n = w->path_n};
        fat_slots_init(&frame->slots, first);
        uint64_t limit = (uint64_t)clusters * (w->f->cluster_size / FAT_SLOT_SIZE);
        frame->limit = limit < FAT_DIRECTORY_MAX ? (uint32_t)limit : FAT_DIRECTORY_MAX;
        frame->behind = first == w->f->root ? 0 : 2;
}

/* The table of names serves one directory at a time: names are looked at in a pass of their own, before those below. */
static enum err check_all_names(struct fat_walk *w, struct fat_frame *frame)
{
        frame->places = 16;
        while (frame->places < frame->limit * 4 && frame->places < FAT_CHECK_NAMES)
                frame->places *= 2;
        memset(w->names, 0, frame->places * sizeof w->names[0]);
        struct fat_slots s;
        struct fat_found e;
        fat_slots_init(&s, frame->slots.first);
        enum err err = ERR_OK;
        while (err == ERR_OK && s.index < frame->limit) {
                err = fat_directory_next(w->f, &s, &e);
                if (err != ERR_OK || e.index >= frame->limit || (e.raw[11] & FAT_IS_LABEL) != 0)
                        continue; /* labels: other systems write what they like there */
                if (!fat_found_is_special(&e))
                        err = fat_check_names(w, frame, &e);
                else if (e.index >= 2 || frame->slots.first == w->f->root)
                        err = fat_check_misplaced(w, frame, &e);
        }
        return err == ERR_EOF || err == ERR_CORRUPT ? ERR_OK : err;
}

static void path_set(struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e)
{
        struct wr out;
        w->path_n = frame->path_n;
        wr_init(&out, w->path + w->path_n, sizeof w->path - w->path_n);
        if (w->path_n > 0)
                wr_byte(&out, '/');
        fat_name_write(&out, fat_found_name(e));
        CHECK(!out.full);
        w->path_n += out.n;
}

static enum err enter(struct fat_walk *w, uint32_t parent, const struct fat_found *e, uint32_t clusters)
{
        bool is_first = w->stage == FAT_WALK_DIRECTORIES;
        w->out->directories += is_first;
        if (clusters == 0)
                return ERR_OK;
        if (w->depth == FAT_DEPTH_MAX) {
                if (is_first)
                        fat_walk_fault(w, FAT_FAULT_TOO_DEEP, fat_found_cluster(e), false);
                return ERR_OK;
        }
        frame_push(w, fat_found_cluster(e), parent, clusters);
        if (!is_first)
                return ERR_OK;
        enum err err = fat_check_dots(w, &w->frames[w->depth - 1]);
        return err == ERR_OK ? check_all_names(w, &w->frames[w->depth - 1]) : err;
}

/* One entry; a directory is gone into. */
static enum err check_entry(struct fat_walk *w, struct fat_frame *frame, struct fat_found *e)
{
        bool is_first = w->stage == FAT_WALK_DIRECTORIES;
        uint32_t clusters, parent = frame->slots.first;
        enum err err = is_first ? fat_check_stray(w, frame, e->start) : ERR_OK;
        frame->behind = e->index + 1;
        if (err != ERR_OK || fat_found_is_special(e))
                return err;
        path_set(w, frame, e);
        if (fat_found_is_directory(e)) {
                err = fat_check_directory(w, parent, e, &clusters);
                return err == ERR_OK ? enter(w, parent, e, clusters) : err;
        }
        w->out->files += is_first;
        return is_first ? ERR_OK : fat_check_file(w, e);
}

static enum err walk_tree(struct fat_walk *w)
{
        uint32_t clusters;
        enum err err = fat_check_root(w, &clusters);
        if (err != ERR_OK || clusters == 0)
                return err;
        bool is_first = w->stage == FAT_WALK_DIRECTORIES;
        frame_push(w, w->f->root, w->f->root, clusters);
        if (is_first)
                err = check_all_names(w, &w->frames[0]);
        while (err == ERR_OK && w->depth > 0) {
                struct fat_frame *frame = &w->frames[w->depth - 1];
                struct fat_found e;
                w->path_n = frame->path_n;
                err = frame->slots.index < frame->limit ? fat_directory_next(w->f, &frame->slots, &e)
                                                        : ERR_EOF;
                if (err == ERR_OK && e.index < frame->limit)
                        err = check_entry(w, frame, &e);
                else if (err == ERR_OK || err == ERR_EOF || err == ERR_CORRUPT) {
                        err = is_first ? fat_check_stray(w, frame, frame->limit) : ERR_OK;
                        w->depth--;
                }
        }
        w->path_n = 0;
        return err;
}

/* Another round over the files: the directories keep their clusters. */
static enum err walk_again(struct fat_walk *w, enum fat_walk_stage stage)
{
        w->stage = stage;
        memcpy(w->used, w->directories, bits_size(w->f));
        memset(w->directories, 0, bits_size(w->f));
        return walk_tree(w);
}

static enum err check_tree(struct fat_walk *w)
{
        enum err err = walk_tree(w);
        w->stage = FAT_WALK_FILES;
        if (err == ERR_OK)
                err = walk_tree(w);
        if (err == ERR_OK && w->is_crossed)
                err = walk_again(w, FAT_WALK_COPIES);
        return err == ERR_OK && w->is_long ? walk_again(w, FAT_WALK_CUTS) : err;
}

/* ---- What belongs to nothing ---- */

static bool is_lost(const struct fat_walk *w, uint32_t cluster, uint32_t value)
{
        return value != 0 && value != FAT_CLUSTER_BAD && !fat_bit(w->used, cluster);
}

static enum err sweep(struct fat_walk *w)
{
        struct fat_checked *out = w->out;
        uint32_t n;
        for (uint32_t c = FAT_FIRST_CLUSTER; c < w->f->clusters + FAT_FIRST_CLUSTER; c += n) {
                const uint8_t *entries;
                enum err err = fat_entries_look(w->f, c, &entries, &n);
                if (err != ERR_OK)
                        return err;
                for (uint32_t i = 0; i < n; i++) {
                        uint32_t value = fat_le32(entries + (size_t)i * 4) & 0x0fffffff;
                        out->free_clusters += value == 0;
                        out->bad_clusters += value == FAT_CLUSTER_BAD;
                        out->used_clusters += fat_bit(w->used, c + i);
                        out->lost_clusters += is_lost(w, c + i, value);
                }
        }
        return ERR_OK;
}

static enum err free_lost(struct fat_walk *w)
{
        for (uint32_t c = FAT_FIRST_CLUSTER; c < w->f->clusters + FAT_FIRST_CLUSTER; c++) {
                uint32_t value;
                enum err err = fat_entry_get(w->f, c, &value);
                if (err == ERR_OK && is_lost(w, c, value)) {
                        err = fat_entry_set(w->f, c, 0);
                        w->out->free_clusters++;
                }
                if (err == ERR_OK && fat_stage_room(w->f) < 2)
                        err = fat_walk_commit(w);
                if (err != ERR_OK)
                        return err;
        }
        return fat_walk_commit(w);
}

static enum err check_lost(struct fat_walk *w)
{
        enum err err = sweep(w);
        uint32_t lost = w->out->lost_clusters;
        if (err != ERR_OK || lost == 0)
                return err;
        /* While anything else is wrong these clusters may be what it misses. */
        return fat_walk_fault(w, FAT_FAULT_LOST, lost, w->out->unrepaired == 0) ? free_lost(w) : ERR_OK;
}

size_t fat_check_memory(const struct fat *f)
{
        return sizeof(struct fat_walk) + FAT_CHECK_NAMES * sizeof(uint32_t) + 3 * bits_size(f);
}

enum err fat_check(struct fat *f, const struct fat_checker *how, struct fat_checked *out)
{
        *out = (struct fat_checked){0};
        if (how->memory_n < fat_check_memory(f))
                return ERR_MEMORY;
        CHECK(!how->repair || !f->files);
        struct fat_walk *w = how->memory;
        memset(w, 0, sizeof *w);
        w->f = f;
        w->how = how;
        w->out = out;
        w->names = (uint32_t *)(w + 1); /* cleared for each directory */
        w->used = (uint8_t *)(w->names + FAT_CHECK_NAMES);
        w->mine = w->used + bits_size(f);
        w->directories = w->mine + bits_size(f);
        memset(w->used, 0, 3 * bits_size(f));
        enum err err = ERR_OK;
        if (how->repair)
                err = fat_change_begin(f);
        else
                fat_enter(f);
        enum err (*const steps[])(struct fat_walk *) = {
                check_copies, check_reserved, check_backup, check_tree, check_lost};
        for (size_t i = 0; i < sizeof steps / sizeof steps[0] && err == ERR_OK; i++)
                err = steps[i](w);
        if (how->repair)
                return fat_change_end(f, err);
        fat_leave(f);
        return err;
}
