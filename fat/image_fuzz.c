/* SPDX-License-Identifier: ISC */
/* A FAT and directories as a stranger wrote them: every call ends without harm, a mount for reading writes nothing, and
 * what repair says it repaired is without fault afterwards. Input: a byte of flags, a FAT of 404 bytes, clusters. */
#include "fat/check.h"
#include "fat/test_small.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TABLE ((SMALL_CLUSTERS + 1) * 4)
#define NOW 1763836800

static struct memory_device device;
static struct fat volume;
static uint8_t memory[2 << 20];

static struct fat_checked check(bool repair)
{
        struct fat_checked found;
        struct fat_checker how = {.repair = repair, .memory = memory, .memory_n = sizeof memory};
        CHECK(fat_check(&volume, &how, &found) == ERR_OK);
        return found;
}

static void look(const char *path, size_t n)
{
        static uint8_t bytes[3000];
        struct fat_file file;
        size_t got;
        if (fat_file_open(&volume, &file, str_of(path, n), FAT_OPEN, NOW) != ERR_OK)
                return;
        for (uint64_t at = 0; at < 60000; at += 7000)
                if (fat_read(&file, at, bytes, sizeof bytes, &got) != ERR_OK)
                        break;
        uint64_t at, run;
        (void)!fat_extent(&file, 0, &at, &run);
        fat_file_close(&file);
}

/* Change what is there by its name. */
static void change(const struct fat_entry *e)
{
        static const uint8_t bytes[3000] = {1, 2, 3};
        struct str path = str_of(e->name, e->name_n);
        struct fat_file file;
        if (e->is_directory) {
                (void)!fat_rename(&volume, path, S("moved"));
                (void)!fat_rmdir(&volume, S("moved"));
                return;
        }
        if (fat_file_open(&volume, &file, path, FAT_OPEN, NOW) == ERR_OK) {
                (void)!fat_write(&file, file.size < 20000 ? file.size : 0, bytes, sizeof bytes, NOW);
                (void)!fat_truncate(&file, file.size / 2, NOW);
                fat_file_close(&file);
        }
        (void)!fat_rename(&volume, path, S("a name that is longer than the one before"));
        (void)!fat_remove(&volume, S("a name that is longer than the one before"));
}

static void walk(bool changes)
{
        struct fat_list list, inner;
        struct fat_entry e, below;
        CHECK(fat_list_open(&volume, S(""), &list) == ERR_OK);
        for (int i = 0; i < 24 && fat_list_next(&list, &e) == ERR_OK; i++) {
                CHECK(e.name_n > 0 && e.name_n <= FAT_NAME_UTF8_MAX);
                look(e.name, e.name_n);
                if (fat_list_open(&volume, str_of(e.name, e.name_n), &inner) == ERR_OK)
                        while (fat_list_next(&inner, &below) == ERR_OK)
                                continue;
                if (changes)
                        change(&e);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        enum fat_state state;
        if (size < 1)
                return 0;
        struct str all = str_of(data + 1, size - 1);
        small_init(&device, 1 + (data[0] & 1), str_take(all, TABLE), str_skip(all, TABLE));
        struct fat_device face = memory_device_face(&device);
        CHECK(fat_mount(&volume, &face, FAT_READ, &state) == ERR_OK);
        walk(false);
        struct fat_checked seen = check(false);
        CHECK(fat_unmount(&volume) == ERR_OK && device.log_n == 0);
        CHECK(fat_mount(&volume, &face, FAT_WRITE, &state) == ERR_OK);
        if ((data[0] & 2) != 0)
                walk(true);
        struct fat_checked repaired = check(true);
        CHECK((data[0] & 2) != 0 || repaired.faults >= seen.faults || seen.faults > 0);
        struct fat_checked after = check(false);
        CHECK(repaired.unrepaired > 0 || after.faults == 0);
        walk(true);
        CHECK(repaired.unrepaired > 0 || check(false).faults == 0);
        CHECK(fat_unmount(&volume) == ERR_OK);
        return 0;
}
