/* SPDX-License-Identifier: ISC */
/* For tests: a block device in memory that remembers every write, so that a power cut at any of them can be played and
 * taken back. Sectors written since the last flush may come back in any of the versions they had since then. */
#ifndef FAT_MEMORY_DEVICE_H
#define FAT_MEMORY_DEVICE_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fat/fat.h"

struct memory_write {
        uint64_t at; /* of the sector */
        uint8_t *old;
        bool is_kept; /* by the crash that was played */
};

enum memory_crash {
        MEMORY_KEEPS_ALL,  /* the cache reached the disk */
        MEMORY_LOSES_ALL,  /* nothing since the last flush did */
        MEMORY_LOSES_LAST, /* the last sector did not */
        MEMORY_LOSES_ONE,  /* one of them did not, whichever */
        MEMORY_KEEPS_LAST, /* only the last sector did: reordered */
        MEMORY_MIXES,      /* each sector as it was at some moment since the flush */
        MEMORY_CRASHES
};

struct memory_device {
        uint8_t *bytes;
        uint64_t size;
        uint32_t sector_size;
        struct memory_write *log; /* all since memory_device_mark */
        size_t log_n, log_cap, flushed_n;
        uint64_t operations; /* writes and flushes so far */
        uint64_t cut_at;     /* the operation from which on all fail; UINT64_MAX for never */
        uint64_t random;
        size_t lost; /* the write that MEMORY_LOSES_ONE loses */
};

static inline uint64_t memory_random(struct memory_device *d)
{
        d->random ^= d->random << 13;
        d->random ^= d->random >> 7;
        d->random ^= d->random << 17;
        return d->random;
}

static inline enum err memory_read(void *ctx, uint64_t offset, void *to, size_t n)
{
        struct memory_device *d = ctx;
        CHECK(offset % d->sector_size == 0 && n % d->sector_size == 0 && offset <= d->size &&
                n <= d->size - offset);
        memcpy(to, d->bytes + offset, n);
        return ERR_OK;
}

static inline void memory_log(struct memory_device *d, uint64_t at)
{
        if (d->log_n == d->log_cap) {
                d->log_cap = d->log_cap ? d->log_cap * 2 : 1024;
                d->log = realloc(d->log, d->log_cap * sizeof *d->log);
                CHECK(d->log);
        }
        uint8_t *old = malloc(d->sector_size);
        CHECK(old);
        memcpy(old, d->bytes + at, d->sector_size);
        d->log[d->log_n++] = (struct memory_write){.at = at, .old = old};
}

/* A write of several sectors may be cut behind any of them. */
static inline enum err memory_write(void *ctx, uint64_t offset, const void *from, size_t n)
{
        struct memory_device *d = ctx;
        CHECK(offset % d->sector_size == 0 && n % d->sector_size == 0 && offset <= d->size &&
                n <= d->size - offset);
        for (size_t done = 0; done < n; done += d->sector_size) {
                if (d->operations >= d->cut_at)
                        return ERR_IO;
                d->operations++;
                memory_log(d, offset + done);
                memcpy(d->bytes + offset + done, (const uint8_t *)from + done, d->sector_size);
        }
        return ERR_OK;
}

static inline enum err memory_flush(void *ctx)
{
        struct memory_device *d = ctx;
        if (d->operations >= d->cut_at)
                return ERR_IO;
        d->operations++;
        d->flushed_n = d->log_n;
        return ERR_OK;
}

static inline void memory_device_init(struct memory_device *d, uint64_t size, uint32_t sector_size)
{
        *d = (struct memory_device){.size = size, .sector_size = sector_size, .cut_at = UINT64_MAX};
        d->random = 88172645463325252;
        d->bytes = calloc(1, size);
        CHECK(d->bytes);
}

static inline struct fat_device memory_device_face(struct memory_device *d)
{
        return (struct fat_device){.read = memory_read,
                .write = memory_write,
                .flush = memory_flush,
                .ctx = d,
                .size = d->size,
                .sector_size = d->sector_size};
}

/* Take writes back to the log's length `to`. */
static inline void memory_device_undo(struct memory_device *d, size_t to)
{
        while (d->log_n > to) {
                struct memory_write *w = &d->log[--d->log_n];
                memcpy(d->bytes + w->at, w->old, d->sector_size);
                free(w->old);
        }
        if (d->flushed_n > to)
                d->flushed_n = to;
}

/* From here on writes can be taken back. */
static inline void memory_device_mark(struct memory_device *d)
{
        for (size_t i = 0; i < d->log_n; i++)
                free(d->log[i].old);
        d->log_n = d->flushed_n = 0;
        d->operations = 0;
        d->cut_at = UINT64_MAX;
}

static inline void memory_device_free(struct memory_device *d)
{
        memory_device_mark(d);
        free(d->log);
        free(d->bytes);
}

static inline bool memory_is_kept(
        const struct memory_device *d, size_t i, enum memory_crash how, bool is_lucky)
{
        return how == MEMORY_KEEPS_ALL || (how == MEMORY_LOSES_LAST && i + 1 < d->log_n) ||
               (how == MEMORY_LOSES_ONE && i != d->lost) || (how == MEMORY_KEEPS_LAST && i + 1 == d->log_n) ||
               (how == MEMORY_MIXES && is_lucky);
}

/* What the writes since the last flush leave on the disk: of each sector the last version that is kept. The device works
 * again, and memory_device_undo still restores what was there at the mark. */
static inline void memory_device_crash(struct memory_device *d, enum memory_crash how)
{
        size_t unflushed = d->log_n - d->flushed_n;
        d->lost = unflushed > 0 ? d->flushed_n + (size_t)(memory_random(d) >> 20) % unflushed : 0;
        for (size_t i = d->log_n; i > d->flushed_n; i--) {
                struct memory_write *w = &d->log[i - 1];
                bool is_settled = false;
                for (size_t j = i; j < d->log_n && !is_settled; j++)
                        is_settled = d->log[j].at == w->at && d->log[j].is_kept;
                if (is_settled)
                        continue;
                w->is_kept = memory_is_kept(d, i - 1, how, memory_random(d) % 2 == 0);
                if (!w->is_kept)
                        memcpy(d->bytes + w->at, w->old, d->sector_size);
        }
        d->cut_at = UINT64_MAX;
        d->flushed_n = d->log_n;
}

#endif
