/* SPDX-License-Identifier: ISC */
/* For fuzzers: a volume of a hundred clusters with our redo area, smaller than what format makes, laid out by hand. */
#ifndef FAT_TEST_SMALL_H
#define FAT_TEST_SMALL_H

#include "base/siphash.h"
#include "fat/bytes.h"
#include "fat/memory_device.h"
#include "fat/volume.h"

#define SMALL_CLUSTERS 100
#define SMALL_SERIAL 0x5a5a5a5au
#define SMALL_DATA (FAT_RESERVED_SECTORS + 2) /* sector of the first cluster: two FATs of one sector */
#define SMALL_SIZE ((SMALL_DATA + SMALL_CLUSTERS * 2u) * 512)

/* `table` is the FAT and `data` the clusters, as far as they go. */
static inline void small_init(
        struct memory_device *d, uint32_t cluster_sectors, struct str table, struct str data)
{
        struct fat_boot b = {.sector_size = 512,
                .cluster_sectors = cluster_sectors,
                .reserved = FAT_RESERVED_SECTORS,
                .fats = 2,
                .fat_sectors = 1,
                .root = 2,
                .serial = SMALL_SERIAL,
                .info = 1,
                .backup = 6,
                .sectors = SMALL_DATA + SMALL_CLUSTERS * cluster_sectors,
                .label = "NO NAME   "};
        if (!d->bytes)
                memory_device_init(d, SMALL_SIZE, 512);
        memory_device_mark(d);
        memset(d->bytes, 0, d->size);
        fat_boot_encode(&b, d->bytes);
        memcpy(d->bytes + 6 * 512, d->bytes, 512);
        fat_redo_mark_encode(SMALL_SERIAL, 0, d->bytes + FAT_REDO_SECTOR * 512);
        for (size_t copy = 0; copy < 2 && table.n > 0; copy++)
                memcpy(d->bytes + (FAT_RESERVED_SECTORS + copy) * 512, table.p,
                        table.n < 512 ? table.n : 512);
        size_t room = (size_t)SMALL_CLUSTERS * cluster_sectors * 512;
        if (data.n > 0)
                memcpy(d->bytes + SMALL_DATA * 512, data.p, data.n < room ? data.n : room);
}

/* A valid hash for the record that stands in the image, if its count is possible. */
static inline void small_sign_record(struct memory_device *d)
{
        uint8_t *header = d->bytes + (FAT_REDO_SECTOR + 1) * 512;
        uint8_t key[SIPHASH_KEY_SIZE] = "ptt redo";
        uint32_t count = fat_le32(header + 8);
        if (count > FAT_STAGED_MAX)
                return;
        memcpy(header, "PTTRECD1", 8);
        fat_put64(header + 16, 0);
        fat_put32(key + 12, SMALL_SERIAL);
        fat_put64(header + 16, siphash(key, str_of(header, (size_t)(count + 1) * 512)));
}

#endif
