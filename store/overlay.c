/* SPDX-License-Identifier: ISC */
#include "store/overlay.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_FIRST 1024u /* a power of two */

void overlay_init(struct overlay *o, struct host *h, struct host_block *b)
{
        *o = (struct overlay){.host = h, .block = b};
}

void overlay_close(struct overlay *o)
{
        for (size_t i = 0; i < o->cap; i++)
                free(o->places[i].bytes);
        free(o->places);
        *o = (struct overlay){0};
}

/* Where that sector stands, or would. The table has a free place. */
static struct overlay_sector *place_of(const struct overlay *o, uint64_t number)
{
        size_t i = (size_t)((number * 0x9e3779b97f4a7c15u) >> 32) & (o->cap - 1);
        while (o->places[i].bytes != NULL && o->places[i].number != number)
                i = (i + 1) & (o->cap - 1);
        return &o->places[i];
}

static enum err widen(struct overlay *o)
{
        struct overlay old = *o;
        size_t cap = old.cap > 0 ? old.cap * 2 : PLACES_FIRST;
        struct overlay_sector *places = calloc(cap, sizeof *places);
        if (places == NULL)
                return ERR_MEMORY;
        o->places = places;
        o->cap = cap;
        for (size_t i = 0; i < old.cap; i++)
                if (old.places[i].bytes != NULL)
                        *place_of(o, old.places[i].number) = old.places[i];
        free(old.places);
        return ERR_OK;
}

/* The sector as it is to be written into: what it held so far, where it is not yet kept. */
static enum err take(struct overlay *o, uint64_t number, char **out)
{
        *out = NULL;
        enum err err = (o->count + 1) * 2 > o->cap ? widen(o) : ERR_OK;
        if (err != ERR_OK)
                return err;
        struct overlay_sector *place = place_of(o, number);
        if (place->bytes == NULL) {
                char *bytes = malloc(OVERLAY_SECTOR);
                if (bytes == NULL)
                        return ERR_MEMORY;
                err = host_block_read(o->host, o->block, number * OVERLAY_SECTOR, bytes, OVERLAY_SECTOR);
                if (err != ERR_OK) {
                        free(bytes);
                        return ERR_IO;
                }
                *place = (struct overlay_sector){number, bytes};
                o->count++;
        }
        *out = place->bytes;
        return ERR_OK;
}

/* How much of `n` bytes at `at` lies in its first sector, and where in there. */
static size_t piece(uint64_t at, size_t n, size_t *in)
{
        *in = (size_t)(at % OVERLAY_SECTOR);
        return n < OVERLAY_SECTOR - *in ? n : OVERLAY_SECTOR - *in;
}

enum err overlay_read(struct overlay *o, uint64_t at, void *into, size_t n)
{
        char *p = into;
        if (host_block_read(o->host, o->block, at, into, n) != ERR_OK)
                return ERR_IO;
        for (size_t part, in; n > 0 && o->count > 0; p += part, at += part, n -= part) {
                part = piece(at, n, &in);
                const struct overlay_sector *place = place_of(o, at / OVERLAY_SECTOR);
                if (place->bytes != NULL)
                        memcpy(p, place->bytes + in, part);
        }
        return ERR_OK;
}

enum err overlay_write(struct overlay *o, uint64_t at, struct str bytes)
{
        for (size_t part, in; bytes.n > 0; at += part, bytes = str_skip(bytes, part)) {
                char *sector;
                part = piece(at, bytes.n, &in);
                enum err err = take(o, at / OVERLAY_SECTOR, &sector);
                if (err != ERR_OK)
                        return err;
                memcpy(sector + in, bytes.p, part);
        }
        return ERR_OK;
}
