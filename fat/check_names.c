/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/siphash.h"
#include "fat/bytes.h"
#include "fat/check_walk.h"

#define PROBES_MAX 64 /* places looked at for a hash: a crafted directory must not cost its square */

/* True if a name of this hash was seen in the directory at hand; it is noted otherwise. */
static bool is_seen(struct fat_walk *w, const struct fat_frame *frame, const struct fat_name *name)
{
        static const uint8_t key[SIPHASH_KEY_SIZE] = "names in a table";
        struct fat_name upper = {.n = name->n};
        for (size_t i = 0; i < name->n; i++)
                upper.units[i] = fat_upper(name->units[i]);
        uint64_t hash = siphash(key, str_of(upper.units, upper.n * sizeof upper.units[0]));
        uint32_t mark = (uint32_t)(hash >> 32) | 1;
        for (uint32_t i = 0; i < PROBES_MAX; i++) {
                uint32_t *place = &w->names[((uint32_t)hash + i) & (frame->places - 1)];
                if (*place == mark)
                        return true;
                if (*place == 0) {
                        *place = mark;
                        return false;
                }
        }
        return false;
}

/* Two names of one hash: are they one name? The lookup gives the first of them. */
static enum err check_duplicate(struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e,
        const struct fat_name *name)
{
        struct fat_found other;
        if (!is_seen(w, frame, name))
                return ERR_OK;
        enum err err = fat_directory_find(w->f, frame->slots.first, name, &other);
        if (err == ERR_OK && other.index != e->index)
                fat_walk_fault(w, FAT_FAULT_DUPLICATE, e->index, false);
        return err == ERR_IO ? ERR_IO : ERR_OK;
}

enum err fat_check_names(struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e)
{
        if ((e->raw[11] & FAT_IS_LABEL) != 0)
                return ERR_OK; /* other systems write what they like there */
        if (!fat_short_is_valid(e->raw))
                fat_walk_fault(w, FAT_FAULT_BAD_NAME, e->index, false);
        enum err err = check_duplicate(w, frame, e, &e->short_name);
        if (err == ERR_OK && e->long_name.n > 0 && !fat_name_eq(&e->long_name, &e->short_name))
                err = check_duplicate(w, frame, e, &e->long_name);
        return err;
}

/* Slots between the last entry and `to` are free or belong to nothing. */
enum err fat_check_stray(struct fat_walk *w, struct fat_frame *frame, uint32_t to)
{
        struct fat_slots s = {.first = frame->slots.first};
        uint32_t count = 0, from = frame->behind, last = 0;
        frame->behind = to;
        if (from >= to)
                return ERR_OK;
        enum err err = fat_slots_seek(w->f, &s, from);
        while (err == ERR_OK && s.index < to) {
                const uint8_t *slot;
                uint64_t at;
                err = fat_slots_get(w->f, &s, &slot, &at);
                if (err == ERR_OK && slot[0] == FAT_SLOT_END)
                        break;
                if (err == ERR_OK && slot[0] != FAT_SLOT_FREE) {
                        from = count++ == 0 ? s.index : from;
                        last = s.index;
                }
                if (err == ERR_OK)
                        err = fat_slots_next(w->f, &s);
        }
        if (err != ERR_OK && err != ERR_EOF &&
                err != ERR_CORRUPT) /* of the chain: said by the walk along it */
                return err;
        if (count == 0 || !fat_walk_fault(w, FAT_FAULT_LONG_NAME, count, true))
                return ERR_OK;
        for (uint32_t i = from; i <= last; i++) { /* one by one: a change holds only so many sectors */
                err = fat_directory_erase(w->f, frame->slots.first, i, i);
                if (err == ERR_OK)
                        err = fat_walk_commit(w);
                if (err != ERR_OK)
                        return err;
        }
        return ERR_OK;
}

static enum err check_dot(struct fat_walk *w, const struct fat_frame *frame, uint32_t index, uint32_t wanted)
{
        static const char *const names[] = {".          ", "..         "};
        struct fat_slots s = {.first = frame->slots.first};
        const uint8_t *slot;
        uint8_t *edit;
        uint64_t at;
        enum err err = fat_slots_seek(w->f, &s, index);
        if (err == ERR_OK)
                err = fat_slots_get(w->f, &s, &slot, &at);
        if (err != ERR_OK)
                return err;
        if (memcmp(slot, names[index], FAT_SHORT_SIZE) != 0 || (slot[11] & FAT_IS_DIRECTORY) == 0) {
                fat_walk_fault(w, FAT_FAULT_DOT, index, false);
                return ERR_OK;
        }
        uint32_t cluster = ((uint32_t)fat_le16(slot + 20) << 16 | fat_le16(slot + 26)) & 0x0fffffff;
        if (cluster == wanted || !fat_walk_fault(w, FAT_FAULT_DOT, cluster, true))
                return ERR_OK;
        err = fat_slot_edit(w->f, at, &edit);
        if (err == ERR_OK)
                fat_slot_set_cluster(edit, wanted);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

enum err fat_check_dots(struct fat_walk *w, const struct fat_frame *frame)
{
        if (frame->slots.first == w->f->root)
                return ERR_OK;
        enum err err = check_dot(w, frame, 0, frame->slots.first);
        return err == ERR_OK ? check_dot(w, frame, 1, frame->parent == w->f->root ? 0 : frame->parent) : err;
}
