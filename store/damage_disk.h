/* SPDX-License-Identifier: ISC */
/* For store/damage_test.c: a host whose one block lies in memory, whose clock stands still and whose random numbers are
 * always the same, so that what was read once is read again when the bytes are the same. Writes can be taken back;
 * reads are counted, and an endless one ends as a fault. */
#ifndef STORE_DAMAGE_DISK_H
#define STORE_DAMAGE_DISK_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/host.h"

#define DAMAGE_SECTOR 512u
#define DAMAGE_NOW_MS 1000000

struct damage_old {
        uint64_t sector;
        uint8_t bytes[DAMAGE_SECTOR];
};

struct damage_disk {
        struct host host; /* first: the stores know only this */
        uint8_t *bytes;
        uint64_t size;
        bool is_open;
        struct damage_old *log; /* what each sector was before its first write since the mark */
        size_t log_n, log_cap;
        uint32_t *logged; /* for each sector: the turn in which it came into the log */
        uint32_t turn;
        uint64_t reads, reads_max; /* beyond them every read fails, and the run is endless */
        bool *seen;                /* for each sector: was it read? Or NULL */
        uint64_t draw;
};

static inline struct damage_disk *damage_disk_of(struct host_block *b)
{
        return (struct damage_disk *)(void *)b;
}

static inline int64_t damage_wall_ms(struct host *h)
{
        (void)h;
        return DAMAGE_NOW_MS;
}

static inline int64_t damage_now_ms(void *platform)
{
        (void)platform;
        return DAMAGE_NOW_MS;
}

static inline void damage_wait(void *platform, int64_t until_ms)
{
        (void)platform;
        (void)until_ms;
}

static inline void damage_random(struct host *h, void *out, size_t n)
{
        struct damage_disk *d = (struct damage_disk *)(void *)h;
        for (size_t i = 0; i < n; i++) {
                d->draw = d->draw * 6364136223846793005u + 1442695040888963407u;
                ((uint8_t *)out)[i] = (uint8_t)(d->draw >> 56);
        }
}

static inline void damage_console(struct host *h, struct str line)
{
        (void)h;
        (void)line;
}

static inline enum err damage_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        struct damage_disk *d = (struct damage_disk *)(void *)h;
        (void)name;
        (void)create;
        CHECK(!d->is_open);
        d->is_open = true;
        *out = (struct host_block *)(void *)d;
        return ERR_OK;
}

static inline uint64_t damage_size(struct host_block *b)
{
        return damage_disk_of(b)->size;
}

static inline enum err damage_resize(struct host_block *b, uint64_t size)
{
        (void)b;
        (void)size;
        return ERR_UNSUPPORTED;
}

static inline enum err damage_read(struct host_block *b, uint64_t at, void *into, size_t n)
{
        struct damage_disk *d = damage_disk_of(b);
        if (d->reads++ >= d->reads_max)
                return ERR_IO;
        for (uint64_t s = at / DAMAGE_SECTOR; d->seen != NULL && s * DAMAGE_SECTOR < at + n; s++)
                d->seen[s] = true;
        memcpy(into, d->bytes + at, n);
        return ERR_OK;
}

static inline void damage_keep(struct damage_disk *d, uint64_t sector)
{
        if (d->logged[sector] == d->turn)
                return;
        if (d->log_n == d->log_cap) {
                d->log_cap = d->log_cap ? d->log_cap * 2 : 1024;
                d->log = realloc(d->log, d->log_cap * sizeof *d->log);
                CHECK(d->log != NULL);
        }
        struct damage_old *old = &d->log[d->log_n++];
        old->sector = sector;
        memcpy(old->bytes, d->bytes + sector * DAMAGE_SECTOR, DAMAGE_SECTOR);
        d->logged[sector] = d->turn;
}

static inline enum err damage_write(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        struct damage_disk *d = damage_disk_of(b);
        for (uint64_t s = at / DAMAGE_SECTOR; s * DAMAGE_SECTOR < at + n; s++)
                damage_keep(d, s);
        memcpy(d->bytes + at, from, n);
        return ERR_OK;
}

static inline enum err damage_flush(struct host_block *b)
{
        (void)b;
        return ERR_OK;
}

static inline void damage_close(struct host_block *b)
{
        damage_disk_of(b)->is_open = false;
}

static const struct host_ops damage_ops = {.wall_ms = damage_wall_ms,
        .random = damage_random,
        .console = damage_console,
        .block_open = damage_open,
        .block_size = damage_size,
        .block_resize = damage_resize,
        .block_read = damage_read,
        .block_write = damage_write,
        .block_flush = damage_flush,
        .block_close = damage_close};

static inline void damage_disk_init(struct damage_disk *d, uint64_t size)
{
        static const struct sched_platform platform = {.now_ms = damage_now_ms, .wait = damage_wait};
        *d = (struct damage_disk){.host = {.ops = &damage_ops, .sched = sched_new(&platform)},
                .size = size,
                .bytes = calloc(1, size),
                .logged = calloc(size / DAMAGE_SECTOR, sizeof *d->logged),
                .turn = 1,
                .reads_max = UINT64_MAX};
        CHECK(d->host.sched != NULL && d->bytes != NULL && d->logged != NULL);
}

static inline void damage_disk_free(struct damage_disk *d)
{
        sched_free(d->host.sched);
        free(d->bytes);
        free(d->logged);
        free(d->log);
}

/* From here on writes are taken back by damage_disk_undo. */
static inline void damage_disk_mark(struct damage_disk *d)
{
        CHECK(!d->is_open);
        d->log_n = 0;
        d->turn++;
}

/* A run begins: the same as every other, and of so many reads at most. */
static inline void damage_disk_begin(struct damage_disk *d, uint64_t reads_max)
{
        d->reads = 0;
        d->reads_max = reads_max;
        d->draw = 1;
}

/* Rot: not to be taken back, unless its sector was written since the mark. */
static inline void damage_disk_flip(struct damage_disk *d, uint64_t at, uint8_t bits)
{
        d->bytes[at] ^= bits;
}

static inline bool damage_disk_is_endless(const struct damage_disk *d)
{
        return d->reads > d->reads_max;
}

static inline void damage_disk_undo(struct damage_disk *d)
{
        CHECK(!d->is_open);
        for (size_t i = 0; i < d->log_n; i++)
                memcpy(d->bytes + d->log[i].sector * DAMAGE_SECTOR, d->log[i].bytes, DAMAGE_SECTOR);
        d->log_n = 0;
        d->turn++;
}

#endif
