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
static enum err is_duplicate(struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e,
        const struct fat_name *name, bool *is)
{
        struct fat_found other;
        *is = false;
        if (!is_seen(w, frame, name))
                return ERR_OK;
        enum err err = fat_directory_find(w->f, frame->slots.first, name, &other);
        *is = err == ERR_OK && other.index != e->index;
        return err == ERR_IO ? ERR_IO : ERR_OK;
}

/* A short name that no other has, in the place of the old one; its long name stays tied to it. */
static enum err rename_short(struct fat_walk *w, const struct fat_frame *frame, struct fat_found *e,
        const uint8_t raw[FAT_SHORT_SIZE])
{
        struct fat_slots s = {.first = frame->slots.first};
        enum err err = fat_slots_seek(w->f, &s, e->start);
        while (err == ERR_OK && s.index <= e->index) {
                const uint8_t *old;
                uint8_t *slot;
                uint64_t at;
                err = fat_slots_get(w->f, &s, &old, &at);
                if (err == ERR_OK)
                        err = fat_slot_edit(w->f, at, &slot);
                if (err != ERR_OK)
                        break;
                if (s.index == e->index) {
                        memcpy(slot, raw, FAT_SHORT_SIZE);
                        slot[12] = 0;
                        memcpy(e->raw, slot, FAT_SLOT_SIZE);
                        break;
                }
                slot[13] = fat_short_sum(raw);
                err = fat_slots_next(w->f, &s);
        }
        fat_short_decode(e->raw, 0, &e->short_name);
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

/* A bad short name, or one that another entry has. */
static enum err repair_short(
        struct fat_walk *w, const struct fat_frame *frame, struct fat_found *e, enum fat_fault fault)
{
        uint8_t raw[FAT_SHORT_SIZE];
        enum err err = ERR_OK;
        if (w->how->repair)
                err = fat_directory_unique(w->f, frame->slots.first, &e->short_name, raw);
        if (err != ERR_OK && err != ERR_FULL)
                return err;
        return fat_walk_fault(w, fault, e->index, err == ERR_OK) ? rename_short(w, frame, e, raw) : ERR_OK;
}

enum err fat_check_names(struct fat_walk *w, const struct fat_frame *frame, struct fat_found *e)
{
        bool is;
        enum err err = ERR_OK;
        if (!fat_short_is_valid(e->raw))
                err = repair_short(w, frame, e, FAT_FAULT_BAD_NAME);
        if (err == ERR_OK)
                err = is_duplicate(w, frame, e, &e->short_name, &is);
        if (err == ERR_OK && is) {
                err = repair_short(w, frame, e, FAT_FAULT_DUPLICATE);
                (void)is_seen(w, frame, &e->short_name);
        }
        if (err != ERR_OK || e->long_name.n == 0 || fat_name_eq(&e->long_name, &e->short_name))
                return err;
        err = is_duplicate(w, frame, e, &e->long_name, &is);
        if (err != ERR_OK || !is || !fat_walk_fault(w, FAT_FAULT_DUPLICATE, e->index, true))
                return err;
        err = fat_directory_erase(
                w->f, frame->slots.first, e->start, e->index - 1); /* its short one is left */
        return err == ERR_OK ? fat_walk_commit(w) : err;
}

enum err fat_check_misplaced(struct fat_walk *w, const struct fat_frame *frame, const struct fat_found *e)
{
        if (!fat_walk_fault(w, FAT_FAULT_DOT, e->index, true))
                return ERR_OK;
        enum err err = fat_directory_erase(w->f, frame->slots.first, e->start, e->index);
        return err == ERR_OK ? fat_walk_commit(w) : err;
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

/* ---- Dot entries ---- */

/* A free slot behind the dot entries for an entry that stands in their place.  ERR_EOF: none */
static enum err find_room(struct fat_walk *w, const struct fat_frame *frame, uint64_t *at, bool *was_end)
{
        struct fat_slots s = {.first = frame->slots.first};
        enum err err = fat_slots_seek(w->f, &s, 2);
        while (err == ERR_OK && s.index < frame->limit) {
                const uint8_t *slot;
                err = fat_slots_get(w->f, &s, &slot, at);
                *was_end = err == ERR_OK && slot[0] == FAT_SLOT_END;
                if (err != ERR_OK || *was_end || slot[0] == FAT_SLOT_FREE)
                        return err;
                err = fat_slots_next(w->f, &s);
        }
        return err == ERR_IO ? ERR_IO : ERR_EOF;
}

/* The end mark has moved behind `at`. */
static enum err move_end(struct fat_walk *w, const struct fat_frame *frame, uint64_t at)
{
        struct fat_slots s = {.first = frame->slots.first};
        const uint8_t *old;
        uint8_t *slot;
        uint64_t here = 0;
        enum err err = fat_slots_seek(w->f, &s, 2);
        while (err == ERR_OK && here != at) {
                err = fat_slots_get(w->f, &s, &old, &here);
                if (err == ERR_OK)
                        err = fat_slots_next(w->f, &s);
        }
        if (err == ERR_OK && s.index < frame->limit)
                err = fat_slots_get(w->f, &s, &old, &here);
        if (err != ERR_OK || s.index >= frame->limit)
                return err == ERR_EOF || err == ERR_CORRUPT ? ERR_OK : err;
        err = fat_slot_edit(w->f, here, &slot);
        if (err == ERR_OK)
                slot[0] = FAT_SLOT_END;
        return err;
}

static uint32_t cluster_of(const uint8_t *slot)
{
        return ((uint32_t)fat_le16(slot + 20) << 16 | fat_le16(slot + 26)) & 0x0fffffff;
}

/* The dot entry that belongs there, but for its name. */
static bool is_misspelt(const uint8_t *slot, uint32_t wanted)
{
        return (slot[11] & FAT_IS_DIRECTORY) != 0 && cluster_of(slot) == wanted;
}

/* Whether what stands in a dot entry's place is anything to keep. */
static bool is_kept(const uint8_t *slot, uint32_t wanted)
{
        return slot[0] != FAT_SLOT_END && slot[0] != FAT_SLOT_FREE && slot[0] != '.' &&
               !fat_slot_is_long(slot) && !is_misspelt(slot, wanted);
}

static void dot_write(uint8_t *slot, const char *name, uint32_t cluster)
{
        memset(slot, 0, FAT_SLOT_SIZE);
        memcpy(slot, name, FAT_SHORT_SIZE);
        slot[11] = FAT_IS_DIRECTORY;
        fat_slot_set_cluster(slot, cluster);
}

/* Put a dot entry where none is; what stood there moves down, if it is anything. */
static enum err put_dot(struct fat_walk *w, const struct fat_frame *frame, uint32_t index,
        const uint8_t old[FAT_SLOT_SIZE], uint64_t at, const char *name, uint32_t cluster)
{
        uint64_t room = 0;
        uint8_t *slot;
        bool keeps = is_kept(old, cluster), was_end = false;
        enum err err = keeps ? find_room(w, frame, &room, &was_end) : ERR_OK;
        if (err != ERR_OK && err != ERR_EOF)
                return err;
        if (!fat_walk_fault(w, FAT_FAULT_DOT, index, err == ERR_OK))
                return ERR_OK;
        if (keeps)
                err = fat_slot_edit(w->f, room, &slot);
        if (keeps && err == ERR_OK)
                memcpy(slot, old, FAT_SLOT_SIZE);
        if (err == ERR_OK && was_end)
                err = move_end(w, frame, room);
        if (err == ERR_OK)
                err = fat_slot_edit(w->f, at, &slot);
        if (err != ERR_OK)
                return err;
        dot_write(slot, name, cluster);
        if (old[0] == FAT_SLOT_END && !is_misspelt(old, cluster)) /* and still is, one further */
                memset(slot + FAT_SLOT_SIZE, 0, FAT_SLOT_SIZE);
        return fat_walk_commit(w);
}

static enum err check_dot(struct fat_walk *w, const struct fat_frame *frame, uint32_t index, uint32_t wanted)
{
        static const char *const names[] = {".          ", "..         "};
        struct fat_slots s = {.first = frame->slots.first};
        const uint8_t *slot;
        uint8_t old[FAT_SLOT_SIZE], *edit;
        uint64_t at;
        enum err err = fat_slots_seek(w->f, &s, index);
        if (err == ERR_OK)
                err = fat_slots_get(w->f, &s, &slot, &at);
        if (err != ERR_OK)
                return err;
        memcpy(old, slot, sizeof old);
        if (memcmp(old, names[index], FAT_SHORT_SIZE) != 0 || (old[11] & FAT_IS_DIRECTORY) == 0 ||
                (old[11] & FAT_IS_LABEL) != 0)
                return put_dot(w, frame, index, old, at, names[index], wanted);
        uint32_t cluster = cluster_of(old);
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
