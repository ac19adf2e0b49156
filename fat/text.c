/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "fat/check.h"

const char *fat_state_text(enum fat_state s)
{
        static const char *const texts[] = {
                [FAT_CLEAN] = "clean",
                [FAT_DIRTY] = "not unmounted",
                [FAT_REPLAYED] = "an interrupted change was completed",
                [FAT_NOT_FAT] = "not a FAT volume",
                [FAT_IS_EXFAT] = "an exFAT volume",
                [FAT_IS_FAT12] = "a FAT12 volume",
                [FAT_IS_FAT16] = "a FAT16 volume",
                [FAT_SECTOR] = "its sectors are smaller than the device's",
                [FAT_SHORT] = "smaller than it declares",
                [FAT_DAMAGED] = "its boot sector is damaged",
                [FAT_FOREIGN] = "without a redo area: only for reading",
                [FAT_FAILED] = "the device failed",
        };
        CHECK((size_t)s < sizeof texts / sizeof texts[0]);
        return texts[s];
}

const char *fat_fault_text(enum fat_fault fault)
{
        static const char *const texts[] = {
                [FAT_FAULT_FATS_DIFFER] = "the two FATs differ",
                [FAT_FAULT_RESERVED] = "the FAT's first entries are wrong",
                [FAT_FAULT_BACKUP] = "the backup of the boot sector differs",
                [FAT_FAULT_BAD_NAME] = "bad short name",
                [FAT_FAULT_LONG_NAME] = "stray long name",
                [FAT_FAULT_DUPLICATE] = "duplicate name",
                [FAT_FAULT_DOT] = "wrong dot entry",
                [FAT_FAULT_START] = "starts at an impossible cluster",
                [FAT_FAULT_CHAIN_BROKEN] = "runs into a free or impossible cluster",
                [FAT_FAULT_CHAIN_CIRCULAR] = "runs in a circle",
                [FAT_FAULT_CHAIN_CROSSED] = "runs into another file",
                [FAT_FAULT_CHAIN_SHORT] = "shorter than its size",
                [FAT_FAULT_CHAIN_LONG] = "longer than its size",
                [FAT_FAULT_DIRECTORY_SIZE] = "a directory with a size",
                [FAT_FAULT_TOO_DEEP] = "nested too deep to look into",
                [FAT_FAULT_LOST] = "lost clusters",
        };
        CHECK((size_t)fault < sizeof texts / sizeof texts[0]);
        return texts[fault];
}
