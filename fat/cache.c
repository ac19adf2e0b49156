/* SPDX-License-Identifier: ISC */
/* A set of ways for what is on the disk, and in front of it the sectors of the change under way. */
#include <string.h>

#include "base/check.h"
#include "fat/volume.h"

enum err fat_bytes_read(struct fat *f, uint64_t at, void *to, size_t n)
{
        CHECK(at <= f->device.size && n <= f->device.size - at);
        return f->device.read(f->device.ctx, at, to, n) == ERR_OK ? ERR_OK : ERR_IO;
}

static enum err broken(struct fat *f)
{
        f->is_broken = true;
        return ERR_IO;
}

enum err fat_bytes_write(struct fat *f, uint64_t at, const void *from, size_t n)
{
        CHECK(at <= f->device.size && n <= f->device.size - at);
        if (f->mode != FAT_WRITE)
                return ERR_DENIED;
        if (f->is_broken)
                return ERR_IO;
        f->has_unflushed = true;
        enum err err = f->device.write(f->device.ctx, at, from, n);
        return err == ERR_OK || err == ERR_FULL ? err : broken(f);
}

enum err fat_bytes_zero(struct fat *f, uint64_t at, uint64_t n)
{
        static const uint8_t zeros[32768];
        enum err err = ERR_OK;
        while (n > 0 && err == ERR_OK) {
                size_t part = n < sizeof zeros ? (size_t)n : sizeof zeros;
                err = fat_bytes_write(f, at, zeros, part);
                at += part;
                n -= part;
        }
        return err;
}

enum err fat_bytes_flush(struct fat *f)
{
        if (f->is_broken)
                return ERR_IO;
        if (!f->has_unflushed)
                return ERR_OK;
        if (f->device.flush(f->device.ctx) != ERR_OK)
                return broken(f);
        f->has_unflushed = false;
        return ERR_OK;
}

void fat_cache_init(struct fat *f)
{
        f->cache_sets = FAT_CACHE_SIZE / f->sector_size / FAT_CACHE_WAYS;
        f->tick = 0;
        memset(f->cached, 0, sizeof f->cached);
        /* One sector is the record's header. */
        f->staged_max = FAT_STAGE_SIZE / f->sector_size - 1;
        if (f->staged_max > FAT_STAGED_MAX)
                f->staged_max = FAT_STAGED_MAX;
        f->staged = 0;
}

/* Sector 0, the boot sector, is not cached: 0 stands for an empty place. */
static uint32_t way_of(struct fat *f, uint32_t sector)
{
        uint32_t first = sector % f->cache_sets * FAT_CACHE_WAYS;
        uint32_t oldest = first;
        for (uint32_t i = first; i < first + FAT_CACHE_WAYS; i++) {
                if (f->cached[i].sector == sector)
                        return i;
                if (f->cached[i].sector == 0 || f->cached[i].used < f->cached[oldest].used)
                        oldest = i;
                if (f->cached[oldest].sector == 0)
                        oldest = oldest < i ? oldest : i;
        }
        return oldest;
}

static uint8_t *way_bytes(struct fat *f, uint32_t way)
{
        return f->cache + (size_t)way * f->sector_size;
}

static uint8_t *staged_bytes(struct fat *f, uint32_t i)
{
        return f->stage + (size_t)(i + 1) * f->sector_size;
}

static uint32_t staged_find(const struct fat *f, uint32_t sector)
{
        uint32_t i = 0;
        while (i < f->staged && f->staged_sector[i] != sector)
                i++;
        return i;
}

bool fat_sector_is_staged(const struct fat *f, uint32_t sector)
{
        return staged_find(f, sector) < f->staged;
}

uint32_t fat_stage_room(const struct fat *f)
{
        return f->staged_max - f->staged;
}

enum err fat_sector_read(struct fat *f, uint32_t sector, const uint8_t **out)
{
        CHECK(sector < f->sectors);
        uint32_t i = staged_find(f, sector);
        *out = staged_bytes(f, i < f->staged ? i : 0);
        if (i < f->staged)
                return ERR_OK;
        if (sector == 0) {
                *out = f->bounce;
                return fat_bytes_read(f, 0, f->bounce, f->sector_size);
        }
        uint32_t way = way_of(f, sector);
        *out = way_bytes(f, way);
        if (f->cached[way].sector != sector) {
                f->cached[way].sector = 0;
                enum err err = fat_bytes_read(
                        f, (uint64_t)sector * f->sector_size, way_bytes(f, way), f->sector_size);
                if (err != ERR_OK)
                        return err;
                f->cached[way].sector = sector;
        }
        f->cached[way].used = ++f->tick;
        return ERR_OK;
}

enum err fat_sector_edit(struct fat *f, uint32_t sector, uint8_t **out)
{
        uint32_t i = staged_find(f, sector);
        *out = staged_bytes(f, i < f->staged ? i : 0);
        if (i < f->staged)
                return ERR_OK;
        if (f->staged == f->staged_max)
                return ERR_LIMIT;
        const uint8_t *bytes;
        enum err err = fat_sector_read(f, sector, &bytes);
        if (err != ERR_OK)
                return err;
        *out = staged_bytes(f, f->staged);
        memcpy(*out, bytes, f->sector_size);
        f->staged_sector[f->staged++] = sector;
        return ERR_OK;
}

void fat_cache_put(struct fat *f, uint32_t sector, const uint8_t *bytes)
{
        if (sector == 0)
                return;
        uint32_t way = way_of(f, sector);
        memcpy(way_bytes(f, way), bytes, f->sector_size);
        f->cached[way] = (struct fat_cached){.sector = sector, .used = ++f->tick};
}

void fat_cache_forget(struct fat *f, uint32_t sector, uint32_t count)
{
        for (uint32_t s = sector; s < sector + count; s++) {
                uint32_t way = way_of(f, s);
                if (f->cached[way].sector == s)
                        f->cached[way].sector = 0;
        }
}
