/* SPDX-License-Identifier: ISC */
/* Any boot sector in front of any device: refused, or a geometry inside the device. */
#include "base/check.h"
#include "fat/memory_device.h"
#include "fat/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct memory_device device;
        static struct fat volume;
        uint8_t sector[FAT_BOOT_SIZE] = {0};
        struct fat_boot b;
        enum fat_state state;
        memcpy(sector, data, size < sizeof sector ? size : sizeof sector);
        if (fat_boot_parse(sector, &b) == FAT_CLEAN) {
                CHECK(b.clusters <= FAT_CLUSTERS_MAX && b.root - 2 < b.clusters && b.active_fat < b.fats);
                CHECK(b.data + (uint64_t)b.clusters * b.cluster_sectors <= b.sectors);
                CHECK((b.clusters + 2ULL) * 4 <= (uint64_t)b.fat_sectors * b.sector_size);
        }
        if (!device.bytes)
                memory_device_init(&device, 1 << 20, 512);
        memset(device.bytes, 0, device.size);
        memcpy(device.bytes, data, size < device.size ? size : device.size);
        struct fat_device face = memory_device_face(&device);
        if (fat_mount(&volume, &face, FAT_READ, &state) != ERR_OK)
                return 0;
        struct fat_info info;
        struct fat_entry e;
        struct fat_list list;
        uint32_t count;
        (void)!fat_info(&volume, &info);
        (void)!fat_free_clusters(&volume, &count);
        CHECK(info.size <= device.size);
        if (fat_list_open(&volume, S(""), &list) == ERR_OK)
                while (fat_list_next(&list, &e) == ERR_OK)
                        continue;
        CHECK(fat_unmount(&volume) == ERR_OK && device.log_n == 0);
        return 0;
}
