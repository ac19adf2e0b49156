/* SPDX-License-Identifier: ISC */
#include "fat/boot.h"

#include <string.h>

#include "fat/bytes.h"

static bool is_power_of_two(uint32_t v)
{
        return v != 0 && (v & (v - 1)) == 0;
}

/* What FAT12, FAT16 and FAT32 have in common; false if it cannot be a FAT volume. */
static bool parse_common(const uint8_t *s, struct fat_boot *b)
{
        b->sector_size = fat_le16(s + 11);
        b->cluster_sectors = s[13];
        b->reserved = fat_le16(s + 14);
        b->fats = s[16];
        b->sectors = fat_le16(s + 19) != 0 ? fat_le16(s + 19) : fat_le32(s + 32);
        return s[510] == 0x55 && s[511] == 0xaa && is_power_of_two(b->sector_size) && b->sector_size >= 512 &&
               b->sector_size <= 4096 && is_power_of_two(b->cluster_sectors) && b->reserved != 0 &&
               b->fats != 0 && s[21] >= 0xf0;
}

/* FAT12 and FAT16 differ in nothing but the count of clusters (3.5). */
static enum fat_state parse_small(const uint8_t *s, const struct fat_boot *b)
{
        uint64_t root = ((uint64_t)fat_le16(s + 17) * 32 + b->sector_size - 1) / b->sector_size;
        uint64_t data = b->reserved + (uint64_t)b->fats * fat_le16(s + 22) + root;
        if (data >= b->sectors)
                return FAT_NOT_FAT;
        return (b->sectors - data) / b->cluster_sectors < 4085 ? FAT_IS_FAT12 : FAT_IS_FAT16;
}

static enum fat_state parse_large(const uint8_t *s, struct fat_boot *b)
{
        b->fat_sectors = fat_le32(s + 36);
        uint32_t flags = fat_le16(s + 40);
        b->is_mirrored = (flags & 0x80) == 0;
        b->active_fat = b->is_mirrored ? 0 : flags & 15;
        b->root = fat_le32(s + 44);
        b->info = fat_le16(s + 48) < b->reserved ? fat_le16(s + 48) : 0;
        b->backup = fat_le16(s + 50) < b->reserved ? fat_le16(s + 50) : 0;
        b->is_dirty = (s[FAT_BOOT_FLAGS] & 1) != 0;
        b->serial = fat_le32(s + 67);
        memcpy(b->label, s + 71, sizeof b->label);
        uint64_t data = b->reserved + (uint64_t)b->fats * b->fat_sectors;
        if (b->fat_sectors == 0 || b->active_fat >= b->fats || data >= b->sectors)
                return FAT_DAMAGED;
        b->data = (uint32_t)data;
        b->clusters = (b->sectors - b->data) / b->cluster_sectors;
        uint64_t entries = (uint64_t)b->fat_sectors * b->sector_size / 4;
        if (entries < b->clusters + 2ULL) /* the FAT decides, as in other systems */
                b->clusters = (uint32_t)entries - 2;
        if (b->clusters > FAT_CLUSTERS_MAX || b->root < FAT_FIRST_CLUSTER ||
                b->root - FAT_FIRST_CLUSTER >= b->clusters)
                return FAT_DAMAGED;
        return FAT_CLEAN;
}

enum fat_state fat_boot_parse(const uint8_t sector[FAT_BOOT_SIZE], struct fat_boot *out)
{
        *out = (struct fat_boot){0};
        if (memcmp(sector + 3, "EXFAT   ", 8) == 0)
                return FAT_IS_EXFAT;
        if (!parse_common(sector, out))
                return FAT_NOT_FAT;
        if (fat_le16(sector + 22) != 0)
                return parse_small(sector, out);
        return parse_large(sector, out);
}

void fat_boot_encode(const struct fat_boot *b, uint8_t s[FAT_BOOT_SIZE])
{
        /* A program that says so instead of booting: int 18h, then halt. */
        static const uint8_t code[] = {0xcd, 0x18, 0xf4, 0xeb, 0xfd};
        memset(s, 0, FAT_BOOT_SIZE);
        memcpy(s,
                "\xeb\x58\x90"
                "PTT     ",
                11);
        fat_put16(s + 11, b->sector_size);
        s[13] = (uint8_t)b->cluster_sectors;
        fat_put16(s + 14, b->reserved);
        s[16] = (uint8_t)b->fats;
        s[21] = 0xf8; /* a fixed disk */
        fat_put16(s + 24, 63);
        fat_put16(s + 26, 255); /* the geometry that everybody writes and nobody reads */
        fat_put32(s + 32, b->sectors);
        fat_put32(s + 36, b->fat_sectors);
        fat_put32(s + 44, b->root);
        fat_put16(s + 48, b->info);
        fat_put16(s + 50, b->backup);
        s[64] = 0x80;
        s[66] = 0x29;
        fat_put32(s + 67, b->serial);
        memcpy(s + 71, b->label, sizeof b->label);
        memcpy(s + 82, "FAT32   ", 8);
        memcpy(s + 90, code, sizeof code);
        fat_put16(s + 510, 0xaa55);
}

void fat_info_encode(uint8_t s[FAT_BOOT_SIZE])
{
        memset(s, 0, FAT_BOOT_SIZE);
        fat_put32(s, 0x41615252);
        fat_put32(s + 484, 0x61417272);
        fat_put32(s + 488, 0xffffffff);
        fat_put32(s + 492, 0xffffffff);
        fat_put32(s + 508, 0xaa550000);
}
