/* SPDX-License-Identifier: ISC */
/* Reading directories. */
#include "fat/directory.h"

#include <string.h>

#include "fat/bytes.h"

const uint8_t fat_unit_at[FAT_SLOT_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

/* A long name that is being put together: its pieces come last first. */
struct pieces {
        uint16_t units[20 * FAT_SLOT_UNITS];
        uint32_t total, next; /* pieces, and the number of the one that must follow; 0 when all are there */
        uint32_t start;       /* slot of the first */
        uint8_t sum;
};

/* A slot that does not continue what is there, nor begins a name, leaves nothing. */
static void pieces_add(struct pieces *p, const uint8_t *slot, uint32_t index)
{
        uint32_t number = slot[0] & 0x1f;
        if ((slot[0] & 0x40) != 0 && number >= 1 && number <= 20)
                *p = (struct pieces){.total = number, .next = number, .start = index, .sum = slot[13]};
        if (p->total == 0 || p->next == 0 || number != p->next || slot[13] != p->sum) {
                p->total = 0;
                return;
        }
        p->next--;
        for (size_t i = 0; i < FAT_SLOT_UNITS; i++)
                p->units[(number - 1) * FAT_SLOT_UNITS + i] = fat_le16(slot + fat_unit_at[i]);
}

/* The name, if the pieces are all there, belong to this short entry and may be shown. */
static bool pieces_end(const struct pieces *p, const uint8_t *slot, struct fat_name *out)
{
        out->n = 0;
        if (p->total == 0 || p->next != 0 || p->sum != fat_short_sum(slot))
                return false;
        size_t n = 0;
        while (n < p->total * FAT_SLOT_UNITS && p->units[n] != 0)
                n++;
        if (n > FAT_NAME_UNITS_MAX || n <= (p->total - 1) * FAT_SLOT_UNITS)
                return false;
        memcpy(out->units, p->units, n * sizeof p->units[0]);
        out->n = n;
        if (!fat_name_is_sane(out))
                out->n = 0;
        return true;
}

uint32_t fat_found_cluster(const struct fat_found *e)
{
        return ((uint32_t)fat_le16(e->raw + 20) << 16 | fat_le16(e->raw + 26)) & 0x0fffffff;
}

bool fat_found_is_directory(const struct fat_found *e)
{
        return (e->raw[11] & FAT_IS_DIRECTORY) != 0;
}

const struct fat_name *fat_found_name(const struct fat_found *e)
{
        return e->long_name.n > 0 ? &e->long_name : &e->short_name;
}

bool fat_found_is_special(const struct fat_found *e)
{
        return (e->raw[11] & FAT_IS_LABEL) != 0 || memcmp(e->raw, ".          ", FAT_SHORT_SIZE) == 0 ||
               memcmp(e->raw, "..         ", FAT_SHORT_SIZE) == 0;
}

static void found_fill(struct fat_found *e, const struct pieces *p, uint32_t index)
{
        e->index = e->start = index;
        if (pieces_end(p, e->raw, &e->long_name))
                e->start = p->start;
        fat_short_decode(e->raw, e->raw[12], &e->short_name);
}

enum err fat_directory_next(struct fat *f, struct fat_slots *s, struct fat_found *out)
{
        struct pieces p = {.total = 0};
        for (;;) {
                const uint8_t *slot;
                enum err err = fat_slots_get(f, s, &slot, &out->at);
                if (err != ERR_OK)
                        return err;
                memcpy(out->raw, slot, FAT_SLOT_SIZE);
                uint32_t index = s->index;
                if (slot[0] == FAT_SLOT_END)
                        return ERR_EOF;
                err = fat_slots_next(f, s);
                if (out->raw[0] == FAT_SLOT_FREE) {
                        p.total = 0;
                } else if (fat_slot_is_long(out->raw)) {
                        pieces_add(&p, out->raw, index);
                } else {
                        found_fill(out, &p, index);
                        return ERR_OK; /* damage behind it is met by the next call */
                }
                if (err != ERR_OK)
                        return err;
        }
}

enum err fat_directory_find(struct fat *f, uint32_t first, const struct fat_name *name, struct fat_found *out)
{
        struct fat_slots s;
        fat_slots_init(&s, first);
        enum err err;
        while ((err = fat_directory_next(f, &s, out)) == ERR_OK) {
                if (fat_found_is_special(out))
                        continue;
                if ((out->long_name.n > 0 && fat_name_eq(&out->long_name, name)) ||
                        fat_name_eq(&out->short_name, name))
                        return ERR_OK;
        }
        return err == ERR_EOF ? ERR_NOT_FOUND : err;
}
