/* SPDX-License-Identifier: ISC */
/* The walk over slots, and the fields of one. */
#include "base/check.h"
#include "base/time_text.h"
#include "fat/bytes.h"
#include "fat/directory.h"

void fat_slots_init(struct fat_slots *s, uint32_t first)
{
        *s = (struct fat_slots){.first = first, .cluster = first, .mark = first};
}

static uint32_t slots_per_cluster(const struct fat *f)
{
        return f->cluster_size / FAT_SLOT_SIZE;
}

enum err fat_slots_get(struct fat *f, const struct fat_slots *s, const uint8_t **slot, uint64_t *at)
{
        if (s->cluster == 0)
                return ERR_EOF;
        if (!fat_is_cluster(f, s->cluster))
                return ERR_CORRUPT;
        *at = fat_cluster_at(f, s->cluster) + (uint64_t)(s->index % slots_per_cluster(f)) * FAT_SLOT_SIZE;
        const uint8_t *bytes;
        enum err err = fat_sector_read(f, (uint32_t)(*at / f->sector_size), &bytes);
        *slot = bytes + *at % f->sector_size;
        return err;
}

enum err fat_slots_next(struct fat *f, struct fat_slots *s)
{
        if (++s->index % slots_per_cluster(f) != 0 && s->index < FAT_DIRECTORY_MAX)
                return ERR_OK;
        uint32_t next = FAT_CHAIN_END;
        enum err err = s->index < FAT_DIRECTORY_MAX ? fat_chain_next(f, s->cluster, &next) : ERR_OK;
        if (err == ERR_OK && next == s->mark)
                err = ERR_CORRUPT;
        uint32_t steps = s->index / slots_per_cluster(f);
        if ((steps & (steps - 1)) == 0) /* Brent: the mark moves up at powers of two */
                s->mark = next;
        s->cluster = err == ERR_OK && next != FAT_CHAIN_END ? next : 0;
        return err;
}

enum err fat_slots_seek(struct fat *f, struct fat_slots *s, uint32_t index)
{
        fat_slots_init(s, s->first);
        enum err err = ERR_OK;
        uint32_t left = index / slots_per_cluster(f);
        while (left-- > 0 && err == ERR_OK && s->cluster != 0) {
                uint32_t next;
                err = fat_chain_next(f, s->cluster, &next);
                s->cluster = err == ERR_OK && next != FAT_CHAIN_END ? next : 0;
        }
        s->index = index;
        return err;
}

bool fat_slot_is_long(const uint8_t *slot)
{
        return (slot[11] & 0x3f) == FAT_IS_LONG;
}

enum err fat_slot_edit(struct fat *f, uint64_t at, uint8_t **slot)
{
        uint8_t *bytes;
        enum err err = fat_sector_edit(f, (uint32_t)(at / f->sector_size), &bytes);
        *slot = err == ERR_OK ? bytes + at % f->sector_size : NULL;
        return err;
}

void fat_slot_set_cluster(uint8_t *slot, uint32_t cluster)
{
        fat_put16(slot + 20, cluster >> 16);
        fat_put16(slot + 26, cluster);
}

static void time_encode(int64_t unix_s, uint8_t *time, uint8_t *date)
{
        const int64_t least = 315532800,
                      most = 4354819198; /* 1980-01-01T00:00:00Z and 2107-12-31T23:59:58Z */
        struct time_civil c = time_civil_of_unix(unix_s < least ? least : unix_s > most ? most : unix_s);
        if (time)
                fat_put16(time, (uint32_t)(c.hour << 11 | c.minute << 5 | c.second / 2));
        fat_put16(date, (uint32_t)((c.year - 1980) << 9 | c.month << 5 | c.day));
}

void fat_slot_set_written(uint8_t *slot, int64_t unix_s)
{
        time_encode(unix_s, slot + 22, slot + 24);
        time_encode(unix_s, NULL, slot + 18);
}

void fat_slot_set_created(uint8_t *slot, int64_t unix_s)
{
        slot[13] = 0;
        time_encode(unix_s, slot + 14, slot + 16);
}

int64_t fat_time_decode(const uint8_t *time, const uint8_t *date)
{
        uint32_t t = fat_le16(time), d = fat_le16(date);
        struct time_civil c = {.year = 1980 + (int)(d >> 9),
                .month = (int)(d >> 5 & 15),
                .day = (int)(d & 31),
                .hour = (int)(t >> 11),
                .minute = (int)(t >> 5 & 63),
                .second = (int)(t & 31) * 2};
        if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > time_days_in_month(c.year, c.month) ||
                c.hour > 23 || c.minute > 59 || c.second > 59)
                return 0;
        return time_unix_of_civil(&c);
}
