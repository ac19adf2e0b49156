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

static const struct str folder = {"spool", 5};

/* "spool/0007" */
static struct str segment_path(size_t number, char out[AREA_PATH_MAX])
{
        struct wr w;
        wr_init(&w, out, AREA_PATH_MAX);
        wr_str(&w, folder);
        wr_byte(&w, '/');
        wr_u64_padded(&w, number, 4);
        CHECK(wr_end(&w) == ERR_OK);
        return wr_text(&w);
}

/* A segment that has its size becomes part of the spool. */
static enum err segment_adopt(struct spool *p, const struct area *area)
{
        uint64_t blocks = area->size / SPOOL_BLOCK;
        uint64_t *used = calloc((size_t)(blocks / WORD + 1), sizeof *used);
        struct spool_segment *segments = realloc(p->segments, (p->count + 1) * sizeof *segments);
        if (segments != NULL)
                p->segments = segments;
        if (used == NULL || segments == NULL) {
                free(used);
                return ERR_MEMORY;
        }
        uint32_t n = (uint32_t)blocks; /* a file has less than 4 GiB */
        segments[p->count++] =
                (struct spool_segment){.area = *area, .used = used, .blocks = n, .free = n, .longest = n};
        p->made += n;
        p->free += n;
        return ERR_OK;
}

static enum err segment_open(struct spool *p)
{
        char path[AREA_PATH_MAX];
        struct area area;
        enum err err = area_open(p->volume, segment_path(p->count, path), &area);
        if (err != ERR_OK)
                return err;
        /* an empty one was being made when we died: make it again when it is needed */
        err = area.size < SPOOL_BLOCK ? ERR_NOT_FOUND : segment_adopt(p, &area);
        if (err != ERR_OK)
                area_close(&area);
        return err;
}

/* A new segment of `size` bytes, in steps: a sparse image on a disk that is nearly full gives what it has, and what is
 * written in vain when it has no more is little. */
static enum err segment_make(struct spool *p, uint64_t size)
{
        char path[AREA_PATH_MAX];
        struct area area;
        enum err err = area_make(p->volume, segment_path(p->count, path), &area);
        if (err != ERR_OK)
                return err;
        while (err == ERR_OK && area.size < size)
                err = area_grow(&area, size - area.size < SPOOL_STEP ? size : area.size + SPOOL_STEP);
        if (err == ERR_FULL && area.size >= SPOOL_BLOCK)
                err = ERR_OK;
        if (err == ERR_OK)
                err = segment_adopt(p, &area);
        if (err != ERR_OK)
                area_close(&area); /* left empty, or to be opened at the next start */
        return err;
}

static uint64_t segment_size(const struct spool *p)
{
        uint64_t size = SPOOL_SEGMENT;
        if (p->share / 16 < size)
                size = p->share / 16 > SPOOL_SEGMENT_MIN ? p->share / 16 : SPOOL_SEGMENT_MIN;
        if (p->share / 64 > size)
                size = p->share / 64 < SPOOL_SEGMENT_MAX ? p->share / 64 : SPOOL_SEGMENT_MAX;
        return size / SPOOL_BLOCK * SPOOL_BLOCK;
}

/* What the volume has left is the spool's, but for the spare. */
static enum err look(struct spool *p)
{
        struct fat_info info;
        uint32_t clusters = 0;
        enum err err = fat_info(p->volume->fat, &info);
        if (err == ERR_OK)
                err = fat_free_clusters(p->volume->fat, &clusters);
        if (err != ERR_OK)
                return err;
        uint64_t left = (uint64_t)clusters * info.cluster_size;
        left = left > p->spare ? left - p->spare : 0;
        p->share = p->made * SPOOL_BLOCK + left / SPOOL_BLOCK * SPOOL_BLOCK;
        return ERR_OK;
}

/* One more segment, within the share. */
static enum err grow_once(struct spool *p)
{
        enum err err = look(p);
        if (err != ERR_OK)
                return err;
        uint64_t most = p->share / SPOOL_BLOCK;
        if (p->made >= most || p->count == SPOOL_SEGMENTS_MAX)
                return ERR_FULL;
        uint64_t left = (most - p->made) * SPOOL_BLOCK, size = segment_size(p);
        return segment_make(p, size < left ? size : left);
}

enum err spool_grow(struct spool *p, uint64_t blocks)
{
        enum err err = ERR_OK;
        while (err == ERR_OK && p->free - p->reserved < blocks)
                err = grow_once(p);
        return err;
}

/* A spool whose folder is missing is not a new one: its messages would lose their bytes, and no segment could be made. */
static enum err look_for_folder(const struct spool *p)
{
        struct fat_list list;
        enum err err = fat_list_open(p->volume->fat, folder, &list);
        return err == ERR_NOT_FOUND || err == ERR_SYNTAX ? ERR_CORRUPT : err;
}

enum err spool_open(struct spool *p, struct volume *v, uint64_t spare)
{
        memset(p, 0, sizeof *p);
        p->volume = v;
        p->spare = spare;
        crc32c_init(&p->crc);
        enum err err = look_for_folder(p);
        while (err == ERR_OK && p->count < SPOOL_SEGMENTS_MAX)
                err = segment_open(p);
        return err == ERR_NOT_FOUND || err == ERR_OK ? look(p) : err;
}

void spool_close(struct spool *p)
{
        for (size_t i = 0; i < p->count; i++) {
                area_close(&p->segments[i].area);
                free(p->segments[i].used);
        }
        free(p->segments);
        p->segments = NULL;
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
        if (p->free - p->reserved < blocks)
                return ERR_AGAIN;
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
        struct area area = p->segments[segment].area; /* the table may move while we wait */
        enum err err = area_write(&area, (uint64_t)run.at * SPOOL_BLOCK, bytes);
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
        struct area area = p->segments[e->segment].area; /* the table may move while we wait */
        enum err err = area_read(&area, (uint64_t)e->block * SPOOL_BLOCK, into, e->size);
        if (err == ERR_OK && crc32c_update(&p->crc, 0, str_of(into, e->size)) != e->crc)
                err = ERR_CORRUPT;
        return err;
}
