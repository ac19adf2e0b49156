/* SPDX-License-Identifier: ISC */
#include "fat/directory.h"

/* The next part of a path, without the slashes around it. */
static struct str next_part(struct str *path)
{
        while (path->n > 0 && path->p[0] == '/')
                *path = str_skip(*path, 1);
        struct str part = str_take(*path, str_find_byte(*path, '/'));
        *path = str_skip(*path, part.n);
        while (path->n > 0 && path->p[0] == '/')
                *path = str_skip(*path, 1);
        return part;
}

static enum err enter_directory(struct fat *f, uint32_t *directory, const struct fat_name *name)
{
        struct fat_found e;
        enum err err = fat_directory_find(f, *directory, name, &e);
        if (err != ERR_OK)
                return err;
        if (!fat_found_is_directory(&e))
                return ERR_NOT_FOUND;
        *directory = fat_found_cluster(&e);
        return fat_is_cluster(f, *directory) ? ERR_OK : ERR_CORRUPT;
}

enum err fat_path_parent(struct fat *f, struct str path, uint32_t inside, uint32_t *parent,
        struct fat_name *last, bool *is_root)
{
        *parent = f->root;
        *is_root = false;
        last->n = 0;
        struct str part = next_part(&path);
        if (part.n == 0) {
                *is_root = true;
                return ERR_OK;
        }
        enum err err = fat_name_parse(part, last);
        while (err == ERR_OK && path.n > 0) {
                err = enter_directory(f, parent, last);
                if (err == ERR_OK && *parent == inside)
                        err = ERR_SEQUENCE;
                if (err == ERR_OK)
                        err = fat_name_parse(next_part(&path), last);
        }
        return err;
}

enum err fat_path_find(struct fat *f, struct str path, uint32_t *parent, struct fat_found *out)
{
        struct fat_name last;
        bool is_root;
        enum err err = fat_path_parent(f, path, 0, parent, &last, &is_root);
        if (err != ERR_OK)
                return err;
        if (!is_root)
                return fat_directory_find(f, *parent, &last, out);
        *out = (struct fat_found){.at = 0};
        out->raw[11] = FAT_IS_DIRECTORY;
        fat_slot_set_cluster(out->raw, f->root);
        return ERR_OK;
}
