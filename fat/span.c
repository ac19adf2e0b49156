/* SPDX-License-Identifier: ISC */
/* Bytes of a file on the device: whole sectors go straight, parts of one through the bounce sector. */
#include <string.h>

#include "fat/file.h"

static enum err part_read(struct fat *f, uint64_t at, uint8_t *to, size_t n)
{
        size_t sector = f->device.sector_size, skip = (size_t)(at % sector);
        enum err err = fat_bytes_read(f, at - skip, f->bounce, sector);
        if (err == ERR_OK)
                memcpy(to, f->bounce + skip, n);
        return err;
}

static enum err part_write(struct fat *f, uint64_t at, const uint8_t *from, size_t n)
{
        size_t sector = f->device.sector_size, skip = (size_t)(at % sector);
        enum err err = fat_bytes_read(f, at - skip, f->bounce, sector);
        if (err != ERR_OK)
                return err;
        if (from)
                memcpy(f->bounce + skip, from, n);
        else
                memset(f->bounce + skip, 0, n);
        return fat_bytes_write(f, at - skip, f->bounce, sector);
}

/* How many of `n` bytes at `at` go in one step, and whether they are whole sectors. */
static uint64_t step(const struct fat *f, uint64_t at, uint64_t n, bool *is_whole)
{
        uint64_t sector = f->device.sector_size, skip = at % sector;
        *is_whole = skip == 0 && n >= sector;
        if (*is_whole)
                return n - n % sector;
        return n < sector - skip ? n : sector - skip;
}

static enum err piece_read(struct fat *f, uint64_t at, uint8_t *to, size_t n)
{
        enum err err = ERR_OK;
        while (n > 0 && err == ERR_OK) {
                bool is_whole;
                size_t part = (size_t)step(f, at, n, &is_whole);
                err = is_whole ? fat_bytes_read(f, at, to, part) : part_read(f, at, to, part);
                at += part;
                to += part;
                n -= part;
        }
        return err;
}

static enum err piece_write(struct fat *f, uint64_t at, const uint8_t *from, uint64_t n)
{
        enum err err = ERR_OK;
        while (n > 0 && err == ERR_OK) {
                bool is_whole;
                uint64_t part = step(f, at, n, &is_whole);
                if (!is_whole)
                        err = part_write(f, at, from, (size_t)part);
                else if (from)
                        err = fat_bytes_write(f, at, from, (size_t)part);
                else
                        err = fat_bytes_zero(f, at, part);
                at += part;
                from = from ? from + part : NULL;
                n -= part;
        }
        return err;
}

/* Where `offset` of the file is on the device, and how many of the `n` bytes follow there. */
static enum err place_of(struct fat_file *file, uint64_t offset, uint64_t n, uint64_t *at, uint64_t *part)
{
        uint32_t size = file->f->cluster_size;
        uint32_t index = (uint32_t)(offset / size);
        uint64_t skip = offset % size;
        struct fat_run run;
        enum err err = fat_runs_locate(file, index, (uint32_t)((skip + n + size - 1) / size), &run);
        if (err != ERR_OK)
                return err;
        *at = fat_cluster_at(file->f, run.cluster + (index - run.index)) + skip;
        *part = (uint64_t)(run.index + run.count - index) * size - skip;
        if (*part > n)
                *part = n;
        return ERR_OK;
}

enum err fat_span_read(struct fat_file *file, uint64_t offset, void *to, size_t n)
{
        uint8_t *out = to;
        enum err err = ERR_OK;
        while (n > 0 && err == ERR_OK) {
                uint64_t at, part = 0;
                err = place_of(file, offset, n, &at, &part);
                if (err == ERR_OK)
                        err = piece_read(file->f, at, out, (size_t)part);
                offset += part;
                out += part;
                n -= (size_t)part;
        }
        return err;
}

enum err fat_span_write(struct fat_file *file, uint64_t offset, const void *from, uint64_t n)
{
        const uint8_t *bytes = from;
        enum err err = ERR_OK;
        while (n > 0 && err == ERR_OK) {
                uint64_t at, part = 0;
                err = place_of(file, offset, n, &at, &part);
                if (err == ERR_OK)
                        err = piece_write(file->f, at, bytes, part);
                offset += part;
                bytes = bytes ? bytes + part : NULL;
                n -= part;
        }
        return err;
}

enum err fat_extent(struct fat_file *file, uint32_t offset, uint64_t *at, uint64_t *n)
{
        *at = *n = 0;
        if (offset >= file->size)
                return ERR_EOF;
        fat_enter(file->f);
        enum err err = place_of(file, offset, file->size - offset, at, n);
        fat_leave(file->f);
        return err;
}
