/* SPDX-License-Identifier: ISC */
/* Any record with a valid hash: looked through in memory it changes nothing on the device, and it may be replayed over any
 * sector it may name without harm to anything but the volume's content. Input: flags, then header and sectors. */
#include "fat/check.h"
#include "fat/test_small.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct fat *f)
{
        static uint8_t memory[2 << 20];
        struct fat_list list;
        struct fat_entry e;
        struct fat_checked found;
        struct fat_checker how = {.memory = memory, .memory_n = sizeof memory};
        if (fat_list_open(f, S(""), &list) == ERR_OK)
                while (fat_list_next(&list, &e) == ERR_OK)
                        continue;
        CHECK(fat_check(f, &how, &found) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t table[] = {0xf8, 255, 255, 15, 255, 255, 255, 15, 255, 255, 255, 15};
        static struct memory_device device;
        static struct fat volume;
        enum fat_state state;
        if (size < 1)
                return 0;
        small_init(&device, 1, str_of(table, sizeof table), S(""));
        size_t room = (FAT_STAGED_MAX + 1) * 512;
        memcpy(device.bytes + (FAT_REDO_SECTOR + 1) * 512, data + 1, size - 1 < room ? size - 1 : room);
        if ((data[0] & 1) != 0)
                small_sign_record(&device);
        if ((data[0] & 2) != 0)
                fat_redo_mark_encode(SMALL_SERIAL, data[0] >> 2, device.bytes + FAT_REDO_SECTOR * 512);
        struct fat_device face = memory_device_face(&device);
        if (fat_mount(&volume, &face, FAT_READ, &state) == ERR_OK) {
                look(&volume);
                CHECK(fat_unmount(&volume) == ERR_OK);
        }
        CHECK(device.log_n == 0);
        if (fat_mount(&volume, &face, FAT_WRITE, &state) != ERR_OK)
                return 0;
        look(&volume);
        (void)!fat_mkdir(&volume, S("a directory"), 0);
        CHECK(fat_unmount(&volume) == ERR_OK);
        if (fat_mount(&volume, &face, FAT_READ, &state) ==
                ERR_OK) { /* the record may have left another boot sector */
                CHECK(state == FAT_CLEAN);
                CHECK(fat_unmount(&volume) == ERR_OK);
        }
        return 0;
}
