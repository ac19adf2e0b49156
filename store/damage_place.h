/* SPDX-License-Identifier: ISC */
/* For store/damage_test.c: where on the image the things are that are damaged. */
#ifndef STORE_DAMAGE_PLACE_H
#define STORE_DAMAGE_PLACE_H

#include "store/damage_image.h"

struct place {
        uint64_t at, n;
};

struct places {
        struct place *items;
        size_t count;
        uint64_t bytes;
};

static inline void place_add(struct places *p, uint64_t at, uint64_t n)
{
        p->items = realloc(p->items, (p->count + 1) * sizeof *p->items);
        assert_non_null(p->items);
        p->items[p->count++] = (struct place){at, n};
        p->bytes += n;
}

static inline uint64_t place_of(const struct places *p, uint64_t byte)
{
        size_t i = 0;
        while (byte >= p->items[i].n)
                byte -= p->items[i++].n;
        return p->items[i].at + byte;
}

static inline bool is_zeros(const struct damage_disk *d, uint64_t at, size_t n)
{
        const uint8_t *p = d->bytes + at;
        return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static inline uint32_t le32(const struct damage_disk *d, uint64_t at)
{
        const uint8_t *p = d->bytes + at;
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define RESERVED 128u /* sectors, of which the redo area takes those from 16 on */
#define REDO_AT (16u * DAMAGE_SECTOR)
#define CLUSTER 4096u

static inline uint64_t fat_size(const struct damage_disk *d)
{
        return (uint64_t)le32(d, 36) * DAMAGE_SECTOR;
}

static inline uint64_t cluster_at(const struct damage_disk *d, uint32_t cluster)
{
        return RESERVED * DAMAGE_SECTOR + 2 * fat_size(d) + (uint64_t)(cluster - 2) * CLUSTER;
}

static inline void boot_places(struct damage_disk *d, struct places *p)
{
        (void)d;
        place_add(p, 0, REDO_AT); /* boot sector, FSInfo, both again, the note of who mounted it */
}

static inline void redo_places(struct damage_disk *d, struct places *p)
{
        (void)d;
        place_add(p, REDO_AT, RESERVED * DAMAGE_SECTOR - REDO_AT);
}

static inline void fat_places(struct damage_disk *d, struct places *p)
{
        uint64_t from = RESERVED * DAMAGE_SECTOR, to = from + 2 * fat_size(d);
        for (uint64_t at = from; at < to; at += DAMAGE_SECTOR)
                if (!is_zeros(d, at, DAMAGE_SECTOR))
                        place_add(p, at, DAMAGE_SECTOR);
}

static inline void chain_places(struct damage_disk *d, uint32_t cluster, struct places *p)
{
        for (; cluster >= 2 && cluster < 0x0ffffff8;
                cluster = le32(d, RESERVED * DAMAGE_SECTOR + (uint64_t)cluster * 4) & 0x0fffffff)
                place_add(p, cluster_at(d, cluster), CLUSTER);
}

static inline void directory_places(struct damage_disk *d, struct places *p)
{
        static const char *const folders[] = {
                "", "spool", "Letters and other papers", "Letters and other papers/2026"};
        struct volume v;
        struct fat_entry *entry = malloc(sizeof *entry);
        assert_non_null(entry);
        assert_int_equal(volume_open(&v, &d->host, DAMAGE_PATH, VOLUME_READER), ERR_OK);
        for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
                assert_int_equal(fat_stat(v.fat, str_of_c(folders[i]), entry), ERR_OK);
                chain_places(d, entry->cluster, p);
        }
        free(entry);
        assert_int_equal(volume_close(&v), ERR_OK);
}

/* The head of a file. */
static inline void file_places(struct damage_disk *d, const char *path, uint64_t most, struct places *p)
{
        struct volume v;
        struct area area;
        assert_int_equal(volume_open(&v, &d->host, DAMAGE_PATH, VOLUME_READER), ERR_OK);
        assert_int_equal(area_open(&v, str_of_c(path), &area), ERR_OK);
        for (size_t i = 0; i < area.count && area.runs[i].start < most; i++) {
                uint64_t left = most - area.runs[i].start;
                place_add(p, area.runs[i].at, area.runs[i].n < left ? area.runs[i].n : left);
        }
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
}

static inline void database_places(struct damage_disk *d, struct places *p)
{
        file_places(d, "ptt.db", 65536, p);
}

static inline void log_places(struct damage_disk *d, struct places *p)
{
        file_places(d, "ptt.db-wal", 8192, p);
}

/* In both copies of the FAT. */
static inline void link_to(struct damage_disk *d, uint32_t cluster, uint32_t next)
{
        for (uint64_t copy = 0; copy < 2; copy++) {
                uint8_t *entry =
                        d->bytes + RESERVED * DAMAGE_SECTOR + copy * fat_size(d) + (uint64_t)cluster * 4;
                for (int i = 0; i < 4; i++)
                        entry[i] = (uint8_t)(next >> (8 * i));
        }
}

static inline uint32_t cluster_of(const struct damage_disk *d, const struct places *p, uint64_t byte)
{
        return (uint32_t)((place_of(p, byte) - cluster_at(d, 2)) / CLUSTER) + 2;
}

#endif
