/* SPDX-License-Identifier: ISC */
/* The calls on names: look, list, make, remove, rename. */
#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"
#include "fat/directory.h"

static void text_of(const struct fat_name *name, char *to, size_t most, size_t *n)
{
        struct wr w;
        wr_init(&w, to, most);
        fat_name_write(&w, name);
        CHECK(!w.full);
        to[w.n] = 0;
        if (n)
                *n = w.n;
}

static void entry_fill(const struct fat_found *e, struct fat_entry *out)
{
        *out = (struct fat_entry){0};
        text_of(fat_found_name(e), out->name, FAT_NAME_UTF8_MAX, &out->name_n);
        text_of(&e->short_name, out->short_name, FAT_SHORT_UTF8_MAX, NULL);
        out->is_directory = fat_found_is_directory(e);
        out->is_read_only = (e->raw[11] & FAT_IS_READ_ONLY) != 0;
        out->is_hidden = (e->raw[11] & FAT_IS_HIDDEN) != 0;
        out->is_system = (e->raw[11] & FAT_IS_SYSTEM) != 0;
        out->size = out->is_directory ? 0 : fat_le32(e->raw + 28);
        out->cluster = fat_found_cluster(e);
        out->created_s = fat_time_decode(e->raw + 14, e->raw + 16);
        out->written_s = fat_time_decode(e->raw + 22, e->raw + 24);
}

enum err fat_stat(struct fat *f, struct str path, struct fat_entry *out)
{
        struct fat_found e = {0};
        uint32_t parent;
        fat_enter(f);
        enum err err = fat_path_find(f, path, &parent, &e);
        if (err == ERR_OK)
                entry_fill(&e, out);
        else
                *out = (struct fat_entry){0};
        fat_leave(f);
        return err;
}

enum err fat_list_open(struct fat *f, struct str path, struct fat_list *l)
{
        struct fat_found e = {0};
        uint32_t parent;
        fat_enter(f);
        enum err err = fat_path_find(f, path, &parent, &e);
        if (err == ERR_OK && !fat_found_is_directory(&e))
                err = ERR_SYNTAX;
        uint32_t first = err == ERR_OK ? fat_found_cluster(&e) : 0;
        *l = (struct fat_list){.f = f, .first = first, .cluster = first, .mark = first, .epoch = f->epoch};
        fat_leave(f);
        return err;
}

enum err fat_list_next(struct fat_list *l, struct fat_entry *out)
{
        struct fat *f = l->f;
        struct fat_slots s = {.first = l->first, .cluster = l->cluster, .mark = l->mark, .index = l->index};
        struct fat_found e;
        *out = (struct fat_entry){0};
        fat_enter(f);
        enum err err = l->epoch == f->epoch ? ERR_OK : ERR_SEQUENCE;
        while (err == ERR_OK) {
                err = fat_directory_next(f, &s, &e);
                if (err != ERR_OK || !fat_found_is_special(&e))
                        break;
        }
        if (err == ERR_OK)
                entry_fill(&e, out);
        else if (err != ERR_SEQUENCE)
                s.cluster = 0; /* no more */
        l->cluster = s.cluster;
        l->mark = s.mark;
        l->index = s.index;
        fat_leave(f);
        return err;
}

/* Where a new name may go: its directory, if nothing of that name is there. */
static enum err find_vacancy(struct fat *f, struct str path, uint32_t *parent, struct fat_name *name)
{
        struct fat_found e;
        bool is_root;
        enum err err = fat_path_parent(f, path, 0, parent, name, &is_root);
        if (err != ERR_OK || is_root)
                return is_root ? ERR_EXISTS : err;
        err = fat_directory_find(f, *parent, name, &e);
        return err == ERR_OK ? ERR_EXISTS : err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void dot_fill(uint8_t *slot, size_t dots, uint32_t cluster, int64_t now_s)
{
        memset(slot, ' ', FAT_SHORT_SIZE);
        memset(slot, '.', dots);
        slot[11] = FAT_IS_DIRECTORY;
        fat_slot_set_cluster(slot, cluster);
        fat_slot_set_created(slot, now_s);
        fat_slot_set_written(slot, now_s);
}

static enum err make_directory(struct fat *f, struct str path, int64_t now_s)
{
        uint32_t parent, cluster, got;
        struct fat_name name;
        enum err err = find_vacancy(f, path, &parent, &name);
        if (err == ERR_OK)
                err = fat_chain_grow(f, 0, 1, &cluster, &got);
        if (err == ERR_OK)
                err = fat_cluster_zero(f, cluster);
        uint8_t *slots;
        if (err == ERR_OK)
                err = fat_sector_edit(f, fat_cluster_sector(f, cluster), &slots);
        if (err != ERR_OK)
                return err;
        dot_fill(slots, 1, cluster, now_s);
        dot_fill(slots + FAT_SLOT_SIZE, 2, parent == f->root ? 0 : parent, now_s);
        uint8_t raw[FAT_SLOT_SIZE] = {0};
        uint64_t at;
        dot_fill(raw, 0, cluster, now_s);
        return fat_directory_insert(f, parent, &name, raw, &at);
}

enum err fat_mkdir(struct fat *f, struct str path, int64_t now_s)
{
        enum err err = fat_change_begin(f);
        if (err == ERR_OK)
                err = make_directory(f, path, now_s);
        return fat_change_end(f, err);
}

static enum err remove_file(struct fat *f, struct str path)
{
        struct fat_found e;
        uint32_t parent;
        enum err err = fat_path_find(f, path, &parent, &e);
        if (err != ERR_OK)
                return err;
        if (fat_found_is_directory(&e))
                return ERR_SYNTAX;
        if (fat_file_at(f, e.at))
                return ERR_BUSY;
        err = fat_directory_erase(f, parent, e.start, e.index);
        return err == ERR_OK ? fat_chain_free(f, fat_found_cluster(&e)) : err;
}

enum err fat_remove(struct fat *f, struct str path)
{
        enum err err = fat_change_begin(f);
        if (err == ERR_OK)
                err = remove_file(f, path);
        return fat_change_end(f, err);
}

static enum err require_empty(struct fat *f, uint32_t first)
{
        struct fat_slots s;
        struct fat_found e;
        if (!fat_is_cluster(f, first))
                return ERR_CORRUPT;
        fat_slots_init(&s, first);
        enum err err;
        while ((err = fat_directory_next(f, &s, &e)) == ERR_OK)
                if (!fat_found_is_special(&e))
                        return ERR_EXISTS;
        return err == ERR_EOF ? ERR_OK : err;
}

static enum err remove_directory(struct fat *f, struct str path)
{
        struct fat_found e;
        uint32_t parent;
        enum err err = fat_path_find(f, path, &parent, &e);
        if (err != ERR_OK)
                return err;
        if (!fat_found_is_directory(&e))
                return ERR_SYNTAX;
        if (e.at == 0 || fat_found_cluster(&e) == f->root)
                return ERR_SEQUENCE;
        err = require_empty(f, fat_found_cluster(&e));
        if (err == ERR_OK)
                err = fat_directory_erase(f, parent, e.start, e.index);
        if (err == ERR_OK)
                err = fat_chain_free(f, fat_found_cluster(&e));
        if (err == ERR_OK)
                f->epoch++;
        return err;
}

enum err fat_rmdir(struct fat *f, struct str path)
{
        enum err err = fat_change_begin(f);
        if (err == ERR_OK)
                err = remove_directory(f, path);
        return fat_change_end(f, err);
}

/* A directory that moves tells its new parent in its second slot. */
static enum err set_parent(struct fat *f, uint32_t directory, uint32_t parent)
{
        uint8_t *slots;
        enum err err = fat_sector_edit(f, fat_cluster_sector(f, directory), &slots);
        if (err == ERR_OK && memcmp(slots + FAT_SLOT_SIZE, "..         ", FAT_SHORT_SIZE) != 0)
                return ERR_CORRUPT;
        if (err == ERR_OK)
                fat_slot_set_cluster(slots + FAT_SLOT_SIZE, parent == f->root ? 0 : parent);
        return err;
}

struct move {
        uint32_t from_parent, to_parent;
        struct fat_found from, to;
        struct fat_name name;
        bool replaces;
};

/* Both ends of a rename, and whether it may be. */
static enum err move_find(struct fat *f, struct str from, struct str to, struct move *m)
{
        bool is_root;
        enum err err = fat_path_find(f, from, &m->from_parent, &m->from);
        if (err != ERR_OK)
                return err;
        bool is_directory = fat_found_is_directory(&m->from);
        if (m->from.at == 0)
                return ERR_SEQUENCE;
        if (is_directory && !fat_is_cluster(f, fat_found_cluster(&m->from)))
                return ERR_CORRUPT;
        err = fat_path_parent(
                f, to, is_directory ? fat_found_cluster(&m->from) : 0, &m->to_parent, &m->name, &is_root);
        if (err != ERR_OK || is_root)
                return is_root ? ERR_SEQUENCE : err;
        err = fat_directory_find(f, m->to_parent, &m->name, &m->to);
        m->replaces = err == ERR_OK && m->to.at != m->from.at;
        if (err != ERR_OK)
                return err == ERR_NOT_FOUND ? ERR_OK : err;
        if (!m->replaces)
                return ERR_OK;
        if (is_directory || fat_found_is_directory(&m->to))
                return ERR_EXISTS;
        return fat_file_at(f, m->to.at) ? ERR_BUSY : ERR_OK;
}

/* One change: the old names go, the new one comes, and the space of a replaced file is freed. */
static enum err move_stage(struct fat *f, const struct move *m, uint64_t *at)
{
        enum err err = fat_directory_erase(f, m->from_parent, m->from.start, m->from.index);
        if (err == ERR_OK && m->replaces)
                err = fat_directory_erase(f, m->to_parent, m->to.start, m->to.index);
        if (err == ERR_OK)
                err = fat_directory_insert(f, m->to_parent, &m->name, m->from.raw, at);
        if (err == ERR_OK && fat_found_is_directory(&m->from) && m->from_parent != m->to_parent)
                err = set_parent(f, fat_found_cluster(&m->from), m->to_parent);
        if (err == ERR_OK && m->replaces)
                err = fat_chain_free(f, fat_found_cluster(&m->to));
        return err;
}

static enum err rename_entry(struct fat *f, struct str from, struct str to)
{
        struct move m;
        uint64_t at;
        enum err err = move_find(f, from, to, &m);
        if (err == ERR_OK)
                err = move_stage(f, &m, &at);
        if (err == ERR_OK)
                err = fat_commit(f);
        struct fat_file *open = err == ERR_OK ? fat_file_at(f, m.from.at) : NULL;
        if (open)
                open->entry = at;
        return err;
}

enum err fat_rename(struct fat *f, struct str from, struct str to)
{
        enum err err = fat_change_begin(f);
        if (err == ERR_OK)
                err = rename_entry(f, from, to);
        return fat_change_end(f, err);
}
