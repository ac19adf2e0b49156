/* SPDX-License-Identifier: ISC */
/* The calls on open files. */
#include "fat/file.h"

#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"

struct fat_file *fat_file_at(struct fat *f, uint64_t at)
{
        struct fat_file *file = f->files;
        while (file && file->entry != at)
                file = file->next;
        return file;
}

static enum err create(struct fat *f, struct str path, int64_t now_s, struct fat_found *e)
{
        struct fat_name name;
        uint32_t parent;
        bool is_root;
        *e = (struct fat_found){0};
        e->raw[11] = FAT_IS_ARCHIVE;
        fat_slot_set_created(e->raw, now_s);
        fat_slot_set_written(e->raw, now_s);
        enum err err = fat_change_begin(f);
        if (err == ERR_OK)
                err = fat_path_parent(f, path, 0, &parent, &name, &is_root);
        if (err == ERR_OK)
                err = fat_directory_insert(f, parent, &name, e->raw, &e->at);
        return fat_change_end(f, err);
}

/* An entry that may be opened as a file. */
static enum err check_file(struct fat *f, const struct fat_found *e)
{
        uint32_t first = fat_found_cluster(e), size = fat_le32(e->raw + 28);
        if (fat_found_is_directory(e))
                return ERR_SYNTAX;
        if (fat_file_at(f, e->at))
                return ERR_BUSY;
        return fat_is_cluster(f, first) || (first == 0 && size == 0) ? ERR_OK : ERR_CORRUPT;
}

enum err fat_file_open(
        struct fat *f, struct fat_file *file, struct str path, enum fat_open how, int64_t now_s)
{
        struct fat_found e;
        uint32_t parent;
        fat_enter(f);
        enum err err = fat_path_find(f, path, &parent, &e);
        fat_leave(f);
        if (err == ERR_OK && how == FAT_OPEN_NEW)
                return ERR_EXISTS;
        if (err == ERR_NOT_FOUND && how != FAT_OPEN)
                err = create(f, path, now_s, &e);
        if (err == ERR_OK)
                err = check_file(f, &e);
        if (err != ERR_OK)
                return err;
        *file = (struct fat_file){.f = f, .entry = e.at, .next = f->files};
        file->first = fat_found_cluster(&e);
        file->size = fat_le32(e.raw + 28);
        fat_runs_init(file);
        f->files = file;
        return ERR_OK;
}

void fat_file_close(struct fat_file *file)
{
        struct fat_file **at = &file->f->files;
        while (*at && *at != file)
                at = &(*at)->next;
        CHECK(*at == file);
        *at = file->next;
        file->f = NULL;
}

enum err fat_read(struct fat_file *file, uint64_t offset, void *to, size_t n, size_t *got)
{
        *got = 0;
        if (offset >= file->size || n == 0)
                return ERR_OK;
        if (n > file->size - offset)
                n = (size_t)(file->size - offset);
        fat_enter(file->f);
        enum err err = fat_span_read(file, offset, to, n);
        fat_leave(file->f);
        *got = err == ERR_OK ? n : 0;
        return err;
}

static uint32_t clusters_of(const struct fat_file *file, uint64_t size)
{
        return (uint32_t)((size + file->f->cluster_size - 1) / file->f->cluster_size);
}

/* The end of the chain, and its length: another system may have given the file more than its size needs. */
static enum err find_tail(struct fat_file *file, uint32_t *tail, uint32_t *length)
{
        *tail = *length = 0;
        if (file->first == 0)
                return ERR_OK;
        *length = clusters_of(file, file->size);
        if (*length == 0)
                *length = 1;
        struct fat_run run;
        enum err err = fat_runs_locate(file, *length - 1, 1, &run);
        if (err != ERR_OK)
                return err;
        *tail = run.cluster + (*length - 1 - run.index);
        for (;;) {
                uint32_t next;
                err = fat_chain_next(file->f, *tail, &next);
                if (err != ERR_OK || next == FAT_CHAIN_END)
                        return err;
                if (*length >= file->f->clusters)
                        return ERR_CORRUPT;
                *tail = next;
                ++*length;
        }
}

static enum err stage_entry(struct fat_file *file, uint32_t size, uint32_t first, int64_t now_s)
{
        uint8_t *slot;
        enum err err = fat_slot_edit(file->f, file->entry, &slot);
        if (err != ERR_OK)
                return err;
        fat_put32(slot + 28, size);
        fat_slot_set_cluster(slot, first);
        fat_slot_set_written(slot, now_s);
        slot[11] |= FAT_IS_ARCHIVE;
        return ERR_OK;
}

/* Bytes that are to be there when a file has grown: `n` of `from` at `offset` (NULL: none), zeros before. */
struct growth {
        uint64_t size, offset;
        const uint8_t *from;
        int64_t now_s;
};

/* Fill what lies between the file's size and `end`; nobody sees it before the size is committed. */
static enum err fill(struct fat_file *file, const struct growth *g, uint64_t end)
{
        uint64_t zeros_end = !g->from || g->offset > end ? end : g->offset;
        enum err err = ERR_OK;
        if (zeros_end > file->size)
                err = fat_span_write(file, file->size, NULL, zeros_end - file->size);
        uint64_t start = zeros_end > file->size ? zeros_end : file->size;
        if (err == ERR_OK && start < end)
                err = fat_span_write(file, start, g->from + (start - g->offset), end - start);
        return err;
}

/* As much as one change can hold, committed. */
static enum err grow_part(struct fat_file *file, const struct growth *g, uint32_t tail, uint32_t length)
{
        uint32_t need = clusters_of(file, g->size), first = 0, got = 0, old_first = file->first;
        enum err err = ERR_OK;
        if (need > length)
                err = fat_chain_grow(file->f, tail, need - length, &first, &got);
        if (err == ERR_OK && file->first == 0) {
                file->first = first;
                fat_runs_init(file);
        }
        uint64_t room = (uint64_t)(length + got) * file->f->cluster_size;
        uint64_t end = g->size < room ? g->size : room;
        if (err == ERR_OK)
                err = fill(file, g, end);
        if (err == ERR_OK)
                err = stage_entry(file, (uint32_t)end, file->first, g->now_s);
        if (err == ERR_OK)
                err = fat_commit(file->f);
        if (err == ERR_OK) {
                file->size = (uint32_t)end;
                return ERR_OK;
        }
        file->first = old_first;
        fat_runs_cut(file, length);
        return err;
}

static enum err grow(struct fat_file *file, const struct growth *g)
{
        uint32_t tail, length;
        enum err err = find_tail(file, &tail, &length);
        if (err == ERR_OK && clusters_of(file, g->size) > length)
                err = fat_need_free(file->f, clusters_of(file, g->size) - length);
        while (err == ERR_OK && file->size < g->size) {
                err = grow_part(file, g, tail, length);
                if (err == ERR_OK && file->size < g->size)
                        err = find_tail(file, &tail, &length);
        }
        return err;
}

enum err fat_write(struct fat_file *file, uint64_t offset, const void *from, size_t n, int64_t now_s)
{
        if (n > FAT_FILE_MAX || offset > FAT_FILE_MAX - n)
                return ERR_LIMIT;
        if (n == 0)
                return ERR_OK;
        enum err err = fat_change_begin(file->f);
        uint64_t end = offset + n;
        struct growth g = {.size = end, .offset = offset, .from = from, .now_s = now_s};
        uint64_t inside = offset < file->size ? (end < file->size ? end : file->size) - offset : 0;
        if (err == ERR_OK && end > file->size) /* first, so that a full volume changes nothing */
                err = grow(file, &g);
        if (err == ERR_OK && inside > 0)
                err = fat_span_write(file, offset, from, inside);
        return fat_change_end(file->f, err);
}

enum err fat_preallocate(struct fat_file *file, uint64_t size, int64_t now_s)
{
        if (size > FAT_FILE_MAX)
                return ERR_LIMIT;
        enum err err = fat_change_begin(file->f);
        struct growth g = {.size = size, .now_s = now_s};
        if (err == ERR_OK && size > file->size)
                err = grow(file, &g);
        return fat_change_end(file->f, err);
}

static enum err cut(struct fat_file *file, uint32_t size, int64_t now_s)
{
        uint32_t kept = clusters_of(file, size), rest = file->first;
        struct fat_run run;
        enum err err = ERR_OK;
        if (kept > 0) {
                err = fat_runs_locate(file, kept - 1, 1, &run);
                uint32_t last = run.cluster + (kept - 1 - run.index);
                if (err == ERR_OK)
                        err = fat_chain_next(file->f, last, &rest);
                if (err == ERR_OK && rest != FAT_CHAIN_END)
                        err = fat_entry_set(file->f, last, FAT_CHAIN_END);
        }
        uint32_t first = kept > 0 ? file->first : 0;
        if (err == ERR_OK)
                err = stage_entry(file, size, first, now_s);
        if (err == ERR_OK && rest != FAT_CHAIN_END)
                err = fat_chain_free(file->f, rest);
        if (err == ERR_OK)
                err = fat_commit(file->f);
        if (err == ERR_OK) {
                file->size = size;
                file->first = first;
                fat_runs_cut(file, kept);
        }
        return err;
}

enum err fat_truncate(struct fat_file *file, uint32_t size, int64_t now_s)
{
        enum err err = fat_change_begin(file->f);
        if (err == ERR_OK && size > file->size)
                err = ERR_SEQUENCE;
        if (err == ERR_OK && size < file->size)
                err = cut(file, size, now_s);
        return fat_change_end(file->f, err);
}

enum err fat_touch(struct fat_file *file, int64_t now_s)
{
        enum err err = fat_change_begin(file->f);
        if (err == ERR_OK)
                err = stage_entry(file, file->size, file->first, now_s);
        return fat_change_end(file->f, err);
}
