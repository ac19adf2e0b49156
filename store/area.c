/* SPDX-License-Identifier: ISC */
#include "store/area.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/volume.h"

static struct str path_of(const struct area *a)
{
        return str_of(a->path, a->path_size);
}

static enum err add_run(struct area *a, uint64_t start, uint64_t at, uint64_t n)
{
        struct area_run *last = a->count > 0 ? &a->runs[a->count - 1] : NULL;
        if (last != NULL && last->at + last->n == at) {
                last->n += n;
                return ERR_OK;
        }
        if (a->count == a->cap) {
                size_t cap = a->cap ? a->cap * 2 : 4;
                struct area_run *runs = realloc(a->runs, cap * sizeof *runs);
                if (runs == NULL)
                        return ERR_MEMORY;
                a->runs = runs;
                a->cap = cap;
        }
        a->runs[a->count++] = (struct area_run){start, at, n};
        return ERR_OK;
}

/* Learn where the bytes from `a->size` on lie. */
static enum err learn(struct area *a, struct fat_file *file)
{
        enum err err = ERR_OK;
        while (err == ERR_OK && a->size < file->size) {
                uint64_t at, n;
                err = fat_extent(file, (uint32_t)a->size, &at, &n);
                if (err == ERR_OK && n == 0)
                        err = ERR_CORRUPT;
                if (err == ERR_OK)
                        err = add_run(a, a->size, at, n);
                if (err == ERR_OK)
                        a->size += n;
        }
        return err;
}

static enum err begin(struct volume *v, struct str path, struct area *out)
{
        memset(out, 0, sizeof *out);
        if (path.n > sizeof out->path)
                return ERR_NOT_FOUND; /* none of ours is longer */
        out->volume = v;
        memcpy(out->path, path.p, path.n);
        out->path_size = path.n;
        return ERR_OK;
}

enum err area_open(struct volume *v, struct str path, struct area *out)
{
        struct fat_file file;
        enum err err = begin(v, path, out);
        if (err == ERR_OK)
                err = fat_file_open(v->fat, &file, path, FAT_OPEN, volume_now_s(v));
        if (err != ERR_OK)
                return err == ERR_SYNTAX ? ERR_CORRUPT : err; /* a directory in its place */
        err = learn(out, &file);
        fat_file_close(&file);
        if (err != ERR_OK)
                area_close(out);
        return err;
}

enum err area_make(struct volume *v, struct str path, struct area *out)
{
        struct fat_file file;
        enum err err = begin(v, path, out);
        if (err == ERR_OK)
                err = fat_file_open(v->fat, &file, path, FAT_OPEN_CREATE, volume_now_s(v));
        if (err != ERR_OK)
                return err;
        if (file.size > 0)
                err = fat_truncate(&file, 0, volume_now_s(v));
        fat_file_close(&file);
        return err;
}

enum err area_grow(struct area *a, uint64_t size)
{
        struct volume *v = a->volume;
        struct fat_file file;
        if (size <= a->size)
                return ERR_OK;
        enum err err = fat_file_open(v->fat, &file, path_of(a), FAT_OPEN, volume_now_s(v));
        if (err != ERR_OK)
                return err;
        err = fat_preallocate(&file, size, volume_now_s(v));
        if (err == ERR_LIMIT)
                err = ERR_FULL;
        enum err learned = learn(a, &file); /* also what was made before the disk under the image was full */
        fat_file_close(&file);
        return err != ERR_OK ? err : learned;
}

enum err area_cut(struct area *a, uint64_t size)
{
        struct volume *v = a->volume;
        struct fat_file file;
        if (size >= a->size)
                return ERR_OK;
        enum err err = fat_file_open(v->fat, &file, path_of(a), FAT_OPEN, volume_now_s(v));
        if (err != ERR_OK)
                return err;
        err = fat_truncate(&file, (uint32_t)size, volume_now_s(v));
        a->size = 0;
        a->count = 0;
        enum err learned = learn(a, &file);
        fat_file_close(&file);
        return err != ERR_OK ? err : learned;
}

void area_close(struct area *a)
{
        free(a->runs);
        memset(a, 0, sizeof *a);
}

static int compare_runs(const void *a, const void *b)
{
        const struct area_run *x = a, *y = b;
        return (x->at > y->at) - (x->at < y->at);
}

enum err areas_are_apart(const struct area *const *areas, size_t count)
{
        size_t n = 0, filled = 0;
        for (size_t i = 0; i < count; i++)
                n += areas[i]->count;
        struct area_run *all = calloc(n + 1, sizeof *all);
        if (all == NULL)
                return ERR_MEMORY;
        for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < areas[i]->count; k++)
                        all[filled++] = areas[i]->runs[k];
        qsort(all, n, sizeof *all, compare_runs);
        enum err err = ERR_OK;
        for (size_t i = 1; i < n; i++)
                if (all[i].at - all[i - 1].at < all[i - 1].n)
                        err = ERR_CORRUPT;
        free(all);
        return err;
}

/* The run that holds `at`, which is inside. */
static const struct area_run *run_at(const struct area *a, uint64_t at)
{
        size_t low = 0, high = a->count;
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (a->runs[middle].start <= at)
                        low = middle;
                else
                        high = middle;
        }
        return &a->runs[low];
}

static bool is_inside(const struct area *a, uint64_t at, size_t n)
{
        return at <= a->size && n <= a->size - at;
}

/* The bytes from `at` on that lie in one run: how many of `n`, and where. */
static size_t piece(const struct area *a, uint64_t at, size_t n, uint64_t *where)
{
        const struct area_run *r = run_at(a, at);
        uint64_t in = at - r->start;
        CHECK(in < r->n);
        *where = r->at + in;
        return n < r->n - in ? n : (size_t)(r->n - in);
}

enum err area_read(const struct area *a, uint64_t at, void *into, size_t n)
{
        char *p = into;
        if (!is_inside(a, at, n))
                return ERR_LIMIT;
        for (size_t part; n > 0; p += part, at += part, n -= part) {
                uint64_t where;
                part = piece(a, at, n, &where);
                enum err err = volume_read(a->volume, where, p, part);
                if (err != ERR_OK)
                        return err;
        }
        return ERR_OK;
}

enum err area_write(const struct area *a, uint64_t at, struct str bytes)
{
        if (!is_inside(a, at, bytes.n))
                return ERR_LIMIT;
        while (bytes.n > 0) {
                uint64_t where;
                size_t part = piece(a, at, bytes.n, &where);
                enum err err = volume_write(a->volume, where, str_take(bytes, part));
                if (err != ERR_OK)
                        return err;
                bytes = str_skip(bytes, part);
                at += part;
        }
        return ERR_OK;
}
