/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"
#include "fat/directory.h"

#define CLEAN_BIT 0x08000000u /* of the second entry of the FAT */

static void take_geometry(struct fat *f, const struct fat_boot *b)
{
        f->sector_size = b->sector_size;
        f->sectors = b->sectors;
        f->cluster_sectors = b->cluster_sectors;
        f->cluster_size = b->cluster_sectors * b->sector_size;
        f->reserved = b->reserved;
        f->fats = b->fats;
        f->fat_sectors = b->fat_sectors;
        f->active_fat = b->active_fat;
        f->data = b->data;
        f->clusters = b->clusters;
        f->root = b->root;
        f->serial = b->serial;
        f->backup = b->backup;
        f->is_mirrored = b->is_mirrored;
}

/* The boot sector of a volume that this device can hold. */
static enum fat_state find_volume(struct fat *f, struct fat_boot *b)
{
        if (f->device.size < 4096)
                return FAT_NOT_FAT;
        if (fat_bytes_read(f, 0, f->bounce, f->device.sector_size) != ERR_OK)
                return FAT_FAILED;
        enum fat_state state = fat_boot_parse(f->bounce, b);
        if (state != FAT_CLEAN)
                return state;
        if (b->sector_size < f->device.sector_size)
                return FAT_SECTOR;
        return f->device.size / b->sector_size < b->sectors ? FAT_SHORT : FAT_CLEAN;
}

static enum err refusal(enum fat_state state)
{
        switch (state) {
        case FAT_CLEAN:
        case FAT_DIRTY:
        case FAT_REPLAYED:
                return ERR_OK;
        case FAT_SHORT:
        case FAT_DAMAGED:
                return ERR_CORRUPT;
        case FAT_FOREIGN:
                return ERR_DENIED;
        case FAT_FAILED:
                return ERR_IO;
        default:
                return ERR_UNSUPPORTED;
        }
}

#define GEOMETRY_AT 11 /* of the boot sector: what says where everything is */
#define GEOMETRY_SIZE 53

/* Is the boot sector what its backup says? `*other` is that, when it says anything. */
static enum err compare_backup(struct fat *f, bool *is_same, struct fat_boot *other, bool *has_other)
{
        uint8_t geometry[GEOMETRY_SIZE];
        enum err err = fat_bytes_read(f, 0, f->bounce, f->sector_size);
        memcpy(geometry, f->bounce + GEOMETRY_AT, sizeof geometry);
        if (err == ERR_OK)
                err = fat_bytes_read(f, (uint64_t)f->backup * f->sector_size, f->bounce, f->sector_size);
        *is_same = err == ERR_OK && memcmp(geometry, f->bounce + GEOMETRY_AT, sizeof geometry) == 0;
        *has_other = err == ERR_OK && fat_boot_parse(f->bounce, other) == FAT_CLEAN &&
                     other->sector_size == f->sector_size &&
                     other->sectors <= f->device.size / other->sector_size;
        return err;
}

/* Does each copy of the FAT begin as one does? */
static enum err look_for_tables(struct fat *f, const struct fat_boot *b, bool *are_there)
{
        enum err err = ERR_OK;
        *are_there = true;
        for (uint32_t i = 0; i < b->fats && err == ERR_OK && *are_there; i++) {
                err = fat_bytes_read(f,
                        ((uint64_t)b->reserved + (uint64_t)i * b->fat_sectors) * b->sector_size, f->bounce,
                        b->sector_size);
                *are_there = (fat_le32(f->bounce) & 0x0fffff00) == 0x0fffff00;
        }
        return err;
}

static bool is_same_volume(const struct fat_boot *a, const struct fat_boot *b)
{
        return a->cluster_sectors == b->cluster_sectors && a->sectors == b->sectors && a->root == b->root &&
               a->active_fat == b->active_fat && a->is_mirrored == b->is_mirrored && a->data == b->data;
}

/* To set the dirty bit is to write to each copy of the FAT: where the boot sector puts them wrongly, into files. And
 * where clusters lie elsewhere than it says, so is every later write. So it is not written by one that differs from its
 * backup, unless it finds the FATs; and either both mean the same, or the backup does not find them. */
static enum err judge_geometry(struct fat *f, const struct fat_boot *b, enum fat_state *state)
{
        struct fat_boot other;
        bool is_same, has_other, are_there = true;
        enum err err = compare_backup(f, &is_same, &other, &has_other);
        if (err != ERR_OK || is_same)
                return err;
        err = look_for_tables(f, b, &are_there);
        if (err == ERR_OK && !are_there)
                *state = FAT_DAMAGED;
        if (err != ERR_OK || !are_there || !has_other || is_same_volume(b, &other))
                return err;
        err = look_for_tables(f, &other, &are_there);
        if (err == ERR_OK && are_there)
                *state = FAT_DAMAGED;
        return err;
}

/* What the two marks of an unmounted volume say. */
static enum err read_dirty(struct fat *f, bool *is_dirty)
{
        const uint8_t *boot;
        uint32_t entry = 0;
        enum err err = fat_sector_read(f, 0, &boot);
        *is_dirty = err == ERR_OK && (boot[FAT_BOOT_FLAGS] & 1) != 0;
        if (err == ERR_OK)
                err = fat_entry_get(f, 1, &entry);
        *is_dirty = *is_dirty || (entry & CLEAN_BIT) == 0;
        return err;
}

static enum err write_dirty(struct fat *f, bool is_dirty)
{
        uint8_t *boot;
        uint32_t entry;
        enum err err = fat_sector_edit(f, 0, &boot);
        if (err != ERR_OK)
                return err;
        boot[FAT_BOOT_FLAGS] = (uint8_t)((boot[FAT_BOOT_FLAGS] & ~1u) | (is_dirty ? 1 : 0));
        err = fat_entry_get(f, 1, &entry);
        if (err == ERR_OK)
                err = fat_entry_set(f, 1, is_dirty ? entry & ~CLEAN_BIT : entry | CLEAN_BIT);
        return err == ERR_OK ? fat_commit(f) : err;
}

static enum err read_pending(struct fat *f)
{
        const uint8_t *mark;
        enum err err = fat_sector_read(f, FAT_REDO_SECTOR, &mark);
        f->pending = err == ERR_OK ? fat_le32(mark + 12) : 0;
        if (!fat_is_cluster(f, f->pending))
                f->pending = 0;
        f->noted = f->pending;
        return err;
}

/* Complete what a crash interrupted, and say that the volume is in use. */
static enum err start_writing(struct fat *f)
{
        enum err err = f->staged > 0 ? fat_redo_apply(f) : ERR_OK;
        if (err == ERR_OK)
                err = read_pending(f);
        if (err == ERR_OK)
                err = write_dirty(f, true);
        return err == ERR_OK ? fat_pending_finish(f) : err;
}

enum err fat_mount(struct fat *f, const struct fat_device *device, enum fat_mode mode, enum fat_state *state)
{
        uint32_t sector = device->sector_size;
        CHECK(sector >= 512 && sector <= 4096 && (sector & (sector - 1)) == 0);
        memset(f, 0, sizeof *f);
        f->device = *device;
        f->mode = mode;
        struct fat_boot b;
        *state = find_volume(f, &b);
        if (*state != FAT_CLEAN)
                return refusal(*state);
        take_geometry(f, &b);
        fat_cache_init(f);
        fat_groups_init(f);
        enum err err = fat_redo_load(f, &b, state);
        if (err == ERR_OK)
                err = read_dirty(f, &f->was_dirty);
        if (err == ERR_OK && *state == FAT_CLEAN && f->was_dirty)
                *state = FAT_DIRTY;
        f->was_dirty = *state != FAT_CLEAN;
        if (err == ERR_OK && mode == FAT_WRITE && !f->has_redo) {
                *state = FAT_FOREIGN;
                return refusal(*state);
        }
        if (err == ERR_OK && mode == FAT_WRITE)
                err = judge_geometry(f, &b, state);
        if (*state == FAT_DAMAGED)
                return refusal(*state);
        if (err == ERR_OK && mode == FAT_WRITE)
                err = start_writing(f);
        f->is_mounted = err == ERR_OK;
        if (err != ERR_OK)
                *state = FAT_FAILED;
        return refusal(*state);
}

enum err fat_flush(struct fat *f)
{
        fat_enter(f);
        enum err err = f->mode == FAT_WRITE ? fat_bytes_flush(f) : ERR_OK;
        fat_leave(f);
        return err;
}

enum err fat_unmount(struct fat *f)
{
        CHECK(f->is_mounted && !f->is_inside && !f->files);
        f->is_mounted = false;
        if (f->mode != FAT_WRITE)
                return ERR_OK;
        enum err err = fat_bytes_flush(f);
        if (err == ERR_OK)
                err = write_dirty(f, false);
        f->has_unflushed = true; /* the record's clearing at least */
        return err == ERR_OK ? fat_bytes_flush(f) : err;
}

/* The label in the root directory, which is the one that counts. */
static enum err find_label(struct fat *f, char label[12])
{
        struct fat_slots s;
        struct fat_found e;
        enum err err;
        fat_slots_init(&s, f->root);
        label[0] = 0;
        while ((err = fat_directory_next(f, &s, &e)) == ERR_OK) {
                if ((e.raw[11] & (FAT_IS_LABEL | FAT_IS_DIRECTORY)) != FAT_IS_LABEL)
                        continue;
                memcpy(label, e.raw, FAT_SHORT_SIZE);
                size_t n = FAT_SHORT_SIZE;
                while (n > 0 && label[n - 1] == ' ')
                        n--;
                label[n] = 0;
                return ERR_OK;
        }
        return err == ERR_EOF ? ERR_OK : err;
}

enum err fat_info(struct fat *f, struct fat_info *out)
{
        *out = (struct fat_info){.mode = f->mode,
                .has_redo = f->has_redo,
                .was_dirty = f->was_dirty,
                .sector_size = f->sector_size,
                .cluster_size = f->cluster_size,
                .clusters = f->clusters,
                .size = (uint64_t)f->sectors * f->sector_size,
                .serial = f->serial};
        fat_enter(f);
        enum err err = find_label(f, out->label);
        fat_leave(f);
        return err;
}

enum err fat_free_clusters(struct fat *f, uint32_t *out)
{
        fat_enter(f);
        enum err err = fat_count_free(f, out);
        fat_leave(f);
        return err;
}
