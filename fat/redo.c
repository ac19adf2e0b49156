/* SPDX-License-Identifier: ISC */
/* The redo area, from FAT_REDO_SECTOR to the end of the reserved sectors:
 *   mark    "PTTREDO1", serial, the head of a chain still to be freed, and a hash of these
 *   header  "PTTRECD1", count, hash of header and sectors, then the sectors' numbers; zeros when there is no record
 *   the sectors, in the header's order
 * A sector of the FAT stands for all copies of it. The hash is keyed with the serial, so that what an earlier volume left
 * in the same image is never replayed.
 *
 * The clearing of the header need not be flushed: the next record replaces it, and a sector that it names holds file data
 * only after such a record has freed or taken it. */
#include <string.h>

#include "base/check.h"
#include "base/siphash.h"
#include "fat/bytes.h"
#include "fat/volume.h"

#define MARK_SIZE 32
#define HEADER_HASH 16
#define HEADER_SECTORS 24

static uint64_t hash_of(uint32_t serial, const void *bytes, size_t n)
{
        uint8_t key[SIPHASH_KEY_SIZE] = "ptt redo";
        fat_put32(key + 12, serial);
        return siphash(key, str_of(bytes, n));
}

void fat_redo_mark_encode(uint32_t serial, uint32_t pending, uint8_t mark[MARK_SIZE])
{
        memcpy(mark, "PTTREDO1", 8);
        fat_put32(mark + 8, serial);
        fat_put32(mark + 12, pending);
        fat_put64(mark + 16, 0);
        fat_put64(mark + 24, hash_of(serial, mark, 24));
}

static bool is_mark(const uint8_t *mark, uint32_t serial)
{
        return memcmp(mark, "PTTREDO1", 8) == 0 && fat_le32(mark + 8) == serial &&
               fat_le64(mark + 24) == hash_of(serial, mark, 24);
}

static uint64_t record_at(const struct fat *f)
{
        return (uint64_t)(FAT_REDO_SECTOR + 1) * f->sector_size;
}

static void record_encode(struct fat *f)
{
        uint8_t *header = f->stage;
        memset(header, 0, f->sector_size);
        memcpy(header, "PTTRECD1", 8);
        fat_put32(header + 8, f->staged);
        for (uint32_t i = 0; i < f->staged; i++)
                fat_put32(header + HEADER_SECTORS + (size_t)i * 4, f->staged_sector[i]);
        fat_put64(header + HEADER_HASH, hash_of(f->serial, header, (size_t)(f->staged + 1) * f->sector_size));
}

/* What a record may name: everything but the record itself and the copies of the FAT, which follow the first. */
static bool may_be_staged(const struct fat *f, uint32_t sector)
{
        if (sector < f->reserved)
                return sector <= FAT_REDO_SECTOR;
        return sector < f->sectors && (sector < f->reserved + f->fat_sectors || sector >= f->data);
}

/* How many sectors the record says to have whose header is in f->stage; 0 if there is none. */
static uint32_t record_count(const struct fat *f)
{
        uint32_t count = fat_le32(f->stage + 8);
        return memcmp(f->stage, "PTTRECD1", 8) == 0 && count <= f->staged_max ? count : 0;
}

/* The record in f->stage: true if it is whole. */
static bool record_decode(struct fat *f, uint32_t count)
{
        uint8_t *header = f->stage;
        uint64_t hash = fat_le64(header + HEADER_HASH);
        fat_put64(header + HEADER_HASH, 0);
        if (hash != hash_of(f->serial, header, (size_t)(count + 1) * f->sector_size))
                return false;
        for (uint32_t i = 0; i < count; i++) {
                f->staged_sector[i] = fat_le32(header + HEADER_SECTORS + (size_t)i * 4);
                if (!may_be_staged(f, f->staged_sector[i]))
                        return false;
        }
        f->staged = count;
        return true;
}

enum err fat_redo_load(struct fat *f, const struct fat_boot *b, enum fat_state *found)
{
        *found = FAT_CLEAN;
        f->has_redo = false;
        if (b->reserved < FAT_RESERVED_SECTORS || !b->is_mirrored || b->backup >= FAT_REDO_SECTOR ||
                b->info >= FAT_REDO_SECTOR)
                return ERR_OK;
        enum err err =
                fat_bytes_read(f, (uint64_t)FAT_REDO_SECTOR * f->sector_size, f->bounce, f->sector_size);
        if (err != ERR_OK || !is_mark(f->bounce, f->serial))
                return err;
        f->has_redo = true;
        err = fat_bytes_read(f, record_at(f), f->stage, f->sector_size);
        uint32_t count = err == ERR_OK ? record_count(f) : 0;
        if (count == 0)
                return err;
        err = fat_bytes_read(f, record_at(f), f->stage, (size_t)(count + 1) * f->sector_size);
        if (err == ERR_OK && record_decode(f, count))
                *found = FAT_REPLAYED;
        return err;
}

/* A device that is full is told of by data; for what stands here it is as broken as any other. */
static enum err firmly(struct fat *f, enum err err)
{
        if (err != ERR_FULL)
                return err;
        f->is_broken = true;
        return ERR_IO;
}

static enum err apply_one(struct fat *f, uint32_t first, uint32_t count)
{
        const uint8_t *bytes = f->stage + (size_t)(first + 1) * f->sector_size;
        uint32_t sector = f->staged_sector[first];
        bool is_table = sector >= f->reserved && sector < f->reserved + f->fat_sectors;
        enum err err = ERR_OK;
        for (uint32_t copy = 0; copy < (is_table ? f->fats : 1) && err == ERR_OK; copy++)
                err = fat_bytes_write(f,
                        ((uint64_t)sector + (uint64_t)copy * f->fat_sectors) * f->sector_size, bytes,
                        (size_t)count * f->sector_size);
        return err;
}

/* Sectors that follow each other go in one write, but never from the FAT into what lies behind it. */
static enum err apply_all(struct fat *f)
{
        enum err err = ERR_OK;
        uint32_t count;
        for (uint32_t i = 0; i < f->staged && err == ERR_OK; i += count) {
                uint32_t first = f->staged_sector[i];
                count = 1;
                while (i + count < f->staged && f->staged_sector[i + count] == first + count &&
                        first + count != f->reserved && first + count != f->reserved + f->fat_sectors)
                        count++;
                err = apply_one(f, i, count);
        }
        return err;
}

enum err fat_redo_apply(struct fat *f)
{
        enum err err = apply_all(f);
        if (err == ERR_OK)
                err = fat_bytes_flush(f);
        if (err == ERR_OK)
                err = fat_bytes_zero(f, record_at(f), f->sector_size);
        err = firmly(f, err);
        if (err != ERR_OK)
                return err;
        f->has_unflushed = false; /* as said at the top; the last flush, at unmount, is made in any case */
        for (uint32_t i = 0; i < f->staged; i++)
                fat_cache_put(f, f->staged_sector[i], f->stage + (size_t)(i + 1) * f->sector_size);
        f->staged = 0;
        return ERR_OK;
}

enum err fat_commit(struct fat *f)
{
        if (f->staged == 0)
                return f->is_broken ? ERR_IO : ERR_OK;
        record_encode(f);
        enum err err = fat_bytes_flush(f); /* data first, then what makes it reachable */
        if (err == ERR_OK)
                err = fat_bytes_write(f, record_at(f), f->stage, (size_t)(f->staged + 1) * f->sector_size);
        err = firmly(f, err);
        if (err == ERR_OK)
                err = fat_bytes_flush(f);
        if (err == ERR_OK)
                err = fat_redo_apply(f);
        if (err == ERR_OK)
                f->noted = f->pending;
        return err;
}

void fat_abort(struct fat *f)
{
        f->pending = f->noted;
        for (uint32_t i = 0; i < f->staged; i++)
                fat_group_forget(f, f->staged_sector[i]);
        f->staged = 0;
}

void fat_enter(struct fat *f)
{
        CHECK(f->is_mounted && !f->is_inside);
        f->is_inside = true;
}

void fat_leave(struct fat *f)
{
        f->is_inside = false;
}

enum err fat_change_begin(struct fat *f)
{
        fat_enter(f);
        if (f->mode != FAT_WRITE)
                return ERR_DENIED;
        if (f->is_broken)
                return ERR_IO;
        return fat_pending_finish(f); /* of an earlier change that could not: there is one note only */
}

enum err fat_change_end(struct fat *f, enum err err)
{
        if (err == ERR_OK)
                err = fat_commit(f);
        if (err == ERR_OK)
                err = fat_pending_finish(f);
        if (err != ERR_OK && f->mode == FAT_WRITE)
                fat_abort(f);
        fat_leave(f);
        return err;
}
