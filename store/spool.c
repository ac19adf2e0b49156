/* SPDX-License-Identifier: ISC */
#include "store/spool.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/wr.h"

#define WORD 64u

uint32_t spool_blocks(uint64_t size)
{
        return (uint32_t)(size / SPOOL_BLOCK + (size % SPOOL_BLOCK != 0));
}

static bool is_used(const struct spool_segment *g, uint32_t block)
{
        return g->used[block / WORD] >> (block % WORD) & 1;
}

static void set_used(struct spool_segment *g, uint32_t block, uint32_t count, bool used)
{
        for (uint32_t i = block; i < block + count; i++) {
                if (used)
                        g->used[i / WORD] |= 1ull << (i % WORD);
                else
                        g->used[i / WORD] &= ~(1ull << (i % WORD));
        }
}

/* Segments. */

static enum err segment_path(const struct spool *p, size_t number, char *out)
{
        char name[8];
        struct wr w;
        wr_init(&w, name, sizeof name);
        wr_u64_padded(&w, number, 4);
        return folder_path(str_of_c(p->folder), wr_text(&w), out);
}

/* A segment that is open and has its size becomes part of the spool. */
static enum err segment_adopt(struct spool *p, struct host_block *block)
{
        uint64_t blocks = host_block_size(p->host, block) / SPOOL_BLOCK;
        if (blocks > UINT32_MAX / 2)
                return ERR_LIMIT;
        uint64_t *used = calloc((size_t)(blocks / WORD + 1), sizeof *used);
        if (used == NULL)
                return ERR_MEMORY;
        uint32_t n = (uint32_t)blocks;
        p->segments[p->count++] =
                (struct spool_segment){.block = block, .used = used, .blocks = n, .free = n, .longest = n};
        p->made += n;
        p->free += n;
        return ERR_OK;
}

static enum err segment_open(struct spool *p)
{
        char path[FOLDER_PATH_MAX];
        struct host_block *block;
        enum err err = segment_path(p, p->count, path);
        if (err == ERR_OK)
                err = host_block_open(p->host, str_of_c(path), false, &block);
        if (err != ERR_OK)
                return err;
        /* an empty one was being made when we died: make it again when it is needed */
        err = host_block_size(p->host, block) == 0 ? ERR_NOT_FOUND : segment_adopt(p, block);
        if (err != ERR_OK)
                host_block_close(p->host, block);
        return err;
}

/* A new segment of `size` bytes; half of it and so on when the disk has no more. */
static enum err segment_make(struct spool *p, uint64_t size)
{
        char path[FOLDER_PATH_MAX];
        struct host_block *block;
        enum err err = segment_path(p, p->count, path);
        if (err == ERR_OK)
                err = host_block_open(p->host, str_of_c(path), true, &block);
        if (err != ERR_OK)
                return err;
        err = host_block_resize(p->host, block, size);
        while (err == ERR_FULL && size / 2 >= SPOOL_SEGMENT_MIN) {
                size = size / 2 / SPOOL_BLOCK * SPOOL_BLOCK;
                err = host_block_resize(p->host, block, size);
        }
        if (err == ERR_OK)
                err = segment_adopt(p, block);
        if (err != ERR_OK) {
                host_block_close(p->host, block);
                folder_drop(path);
        }
        return err;
}

static uint64_t segment_size(const struct spool *p)
{
        uint64_t size = p->share / 64 / SPOOL_BLOCK * SPOOL_BLOCK;
        return size > SPOOL_SEGMENT ? size : SPOOL_SEGMENT;
}

/* One more segment, within the share. */
static enum err grow(struct spool *p)
{
        uint64_t most = p->share / SPOOL_BLOCK;
        if (p->made >= most || p->count == SPOOL_SEGMENTS_MAX)
                return ERR_FULL;
        uint64_t left = (most - p->made) * SPOOL_BLOCK;
        uint64_t size = segment_size(p);
        return segment_make(p, size < left ? size : left);
}

enum err spool_open(struct spool *p, struct host *h, struct str folder, uint64_t share)
{
        memset(p, 0, sizeof *p);
        p->host = h;
        p->share = share;
        p->growing.left = 1;
        crc32c_init(&p->crc);
        enum err err = folder_path(folder, S(""), p->folder);
        while (err == ERR_OK && p->count < SPOOL_SEGMENTS_MAX)
                err = segment_open(p);
        return err == ERR_NOT_FOUND ? ERR_OK : err;
}

void spool_close(struct spool *p)
{
        for (size_t i = 0; i < p->count; i++) {
                host_block_close(p->host, p->segments[i].block);
                free(p->segments[i].used);
        }
        p->count = 0;
}

/* Extents. */

bool spool_has(const struct spool *p, const struct spool_extent *e)
{
        if (e->segment >= p->count || e->size == 0 || e->size > SPOOL_EXTENT_MAX)
                return false;
        uint32_t blocks = p->segments[e->segment].blocks, n = spool_blocks(e->size);
        return e->block < blocks && n <= blocks - e->block;
}

/* Is each block of an extent that lies inside of a segment taken (or free)? */
static bool is_all(const struct spool *p, const struct spool_extent *e, bool used)
{
        for (uint32_t i = 0; i < spool_blocks(e->size); i++)
                if (is_used(&p->segments[e->segment], e->block + i) != used)
                        return false;
        return true;
}

enum err spool_mark(struct spool *p, const struct spool_extent *e)
{
        if (!spool_has(p, e) || !is_all(p, e, false))
                return ERR_CORRUPT;
        struct spool_segment *g = &p->segments[e->segment];
        uint32_t n = spool_blocks(e->size);
        set_used(g, e->block, n, true);
        g->free -= n;
        p->free -= n;
        return ERR_OK;
}

enum err spool_free(struct spool *p, const struct spool_extent *e)
{
        if (!spool_has(p, e) || !is_all(p, e, true))
                return ERR_CORRUPT;
        struct spool_segment *g = &p->segments[e->segment];
        uint32_t n = spool_blocks(e->size);
        set_used(g, e->block, n, false);
        g->free += n;
        g->longest = g->free;
        p->free += n;
        return ERR_OK;
}

enum err spool_reserve(struct spool *p, uint64_t blocks)
{
        if (blocks > p->share / SPOOL_BLOCK)
                return ERR_FULL;
        while (p->free - p->reserved < blocks) {
                /* making a segment waits for the disk: one at a time, and look again after it */
                enum err err = semaphore_take(&p->growing, p->host->sched, FIBER_NEVER);
                if (err != ERR_OK)
                        return err;
                if (p->free - p->reserved < blocks)
                        err = grow(p);
                semaphore_give(&p->growing);
                if (err != ERR_OK)
                        return err;
        }
        p->reserved += blocks;
        return ERR_OK;
}

void spool_unreserve(struct spool *p, uint64_t blocks)
{
        CHECK(blocks <= p->reserved);
        p->reserved -= blocks;
}

struct run {
        uint32_t at, n;
};

/* The first run of `want` free blocks in from..to, or the longest. */
static struct run run_find(const struct spool_segment *g, uint32_t from, uint32_t to, uint32_t want)
{
        struct run best = {0, 0}, run = {from, 0};
        for (uint32_t i = from; i < to && best.n < want; i++) {
                if (i % WORD == 0 && to - i >= WORD && g->used[i / WORD] == UINT64_MAX) {
                        i += WORD - 1;
                        run = (struct run){i + 1, 0};
                } else if (is_used(g, i)) {
                        run = (struct run){i + 1, 0};
                } else if (++run.n > best.n) {
                        best = run;
                }
        }
        return best;
}

static struct run segment_find(struct spool_segment *g, uint32_t want)
{
        struct run run = run_find(g, g->hint, g->blocks, want);
        if (run.n < want) {
                run = run_find(g, 0, g->blocks, want);
                if (run.n < want)
                        g->longest = run.n;
        }
        return run;
}

/* Blocks for an extent: as many as wanted in one run, else the longest run there is. */
static struct run allocate(struct spool *p, uint32_t want, uint32_t *segment)
{
        struct run best = {0, 0};
        for (uint32_t i = 0; i < p->count && best.n < want; i++) {
                struct spool_segment *g = &p->segments[i];
                if (g->longest <= best.n)
                        continue;
                struct run run = segment_find(g, g->longest < want ? g->longest : want);
                if (run.n > best.n) {
                        best = run;
                        *segment = i;
                }
        }
        CHECK(best.n > 0); /* reserved <= free */
        struct spool_segment *g = &p->segments[*segment];
        set_used(g, best.at, best.n, true);
        g->free -= best.n;
        g->hint = best.at + best.n;
        p->free -= best.n;
        p->reserved -= best.n;
        return best;
}

enum err spool_write(struct spool *p, struct str bytes, struct spool_extent *out)
{
        CHECK(bytes.n > 0 && bytes.n <= SPOOL_EXTENT_MAX);
        uint32_t want = spool_blocks(bytes.n);
        CHECK(want <= p->reserved);
        uint32_t segment = 0;
        struct run run = allocate(p, want, &segment);
        bytes = str_take(bytes, (size_t)run.n * SPOOL_BLOCK);
        *out = (struct spool_extent){segment, run.at, (uint32_t)bytes.n, crc32c_update(&p->crc, 0, bytes)};
        enum err err =
                host_block_write(p->host, p->segments[segment].block, (uint64_t)run.at * SPOOL_BLOCK, bytes);
        if (err != ERR_OK) {
                CHECK(spool_free(p, out) == ERR_OK);
                p->reserved += run.n;
        }
        return err;
}

enum err spool_read(struct spool *p, const struct spool_extent *e, void *into)
{
        if (!spool_has(p, e))
                return ERR_CORRUPT;
        enum err err = host_block_read(
                p->host, p->segments[e->segment].block, (uint64_t)e->block * SPOOL_BLOCK, into, e->size);
        if (err == ERR_OK && crc32c_update(&p->crc, 0, str_of(into, e->size)) != e->crc)
                err = ERR_CORRUPT;
        return err;
}

enum err spool_flush(struct spool *p, const struct spool_extent *extents, size_t count)
{
        enum err err = ERR_OK;
        for (size_t i = 0; i < count && err == ERR_OK; i++) {
                size_t before = 0;
                while (extents[before].segment != extents[i].segment)
                        before++;
                if (before == i)
                        err = host_block_flush(p->host, p->segments[extents[i].segment].block);
        }
        return err;
}
