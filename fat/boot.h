/* SPDX-License-Identifier: ISC */
/* The boot sector (Microsoft's FAT specification 1.03, 3.1 and 3.3) and the sector FSInfo. Pure. */
#ifndef FAT_BOOT_H
#define FAT_BOOT_H

#include "fat/fat.h"

#define FAT_BOOT_SIZE 512   /* what is read of the boot sector, whatever the sector size */
#define FAT_BOOT_FLAGS 65   /* offset of the byte whose lowest bit says dirty */
#define FAT_INFO_SECTOR 1   /* where we put FSInfo */
#define FAT_BACKUP_SECTOR 6 /* where we put the backup of both */
#define FAT_REDO_SECTOR \
        16 /* our redo area: its mark, then the record up to the end of the reserved sectors */
#define FAT_FIRST_CLUSTER 2
#define FAT_CLUSTERS_MAX 0x0ffffff4u

struct fat_boot {
        uint32_t sector_size, cluster_sectors, reserved, fats, fat_sectors, sectors, root, serial;
        uint32_t active_fat;   /* the one to read */
        uint32_t info, backup; /* sectors; 0 for none */
        bool is_mirrored, is_dirty;
        uint32_t data, clusters; /* follow from the others */
        char label[11];
};

/* Read a boot sector.
 *   FAT_CLEAN   `*out` is filled and consistent with itself
 *   FAT_NOT_FAT FAT_IS_EXFAT FAT_IS_FAT12 FAT_IS_FAT16 FAT_DAMAGED   what it is instead */
enum fat_state fat_boot_parse(const uint8_t sector[FAT_BOOT_SIZE], struct fat_boot *out);

/* Write one; `data`, `clusters`, `is_dirty` and `active_fat` are not looked at. */
void fat_boot_encode(const struct fat_boot *b, uint8_t sector[FAT_BOOT_SIZE]);
/* FSInfo with nothing known. */
void fat_info_encode(uint8_t sector[FAT_BOOT_SIZE]);

#endif
