/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fat/bytes.h"
#include "fat/test_tree.h"
#include "fat/volume.h"

#define NOW 1763836800

static struct memory_device device;
static struct fat_device face;
static struct fat volume;

static void setup(uint64_t size, uint32_t sector_size)
{
        struct fat_format what = {.serial = 77, .now_s = NOW, .is_blank = true};
        memory_device_init(&device, size, sector_size);
        face = memory_device_face(&device);
        assert_int_equal(fat_format(&face, &what), ERR_OK);
}

static enum err mount(enum fat_mode mode, enum fat_state wanted)
{
        enum fat_state state;
        enum err err = fat_mount(&volume, &face, mode, &state);
        assert_int_equal(state, wanted);
        assert_true(fat_state_text(state)[0] != 0);
        return err;
}

static void teardown(void)
{
        assert_int_equal(test_check(&volume, false, true), 0);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        assert_int_equal(mount(FAT_READ, FAT_CLEAN), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        memory_device_free(&device);
}

static void put(const char *path, size_t n)
{
        struct fat_file file;
        uint8_t *bytes = malloc(n + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
                bytes[i] = (uint8_t)(i * 7 + i / 251 + n);
        assert_int_equal(fat_file_open(&volume, &file, str_of_c(path), FAT_OPEN_CREATE, NOW), ERR_OK);
        assert_int_equal(fat_write(&file, 0, bytes, n, NOW), ERR_OK);
        assert_int_equal(file.size, n);
        fat_file_close(&file);
        free(bytes);
}

static void test_format_sizes(void **state)
{
        (void)state;
        static const struct {
                uint64_t mib;
                uint32_t sector, cluster;
                enum err err;
        } cases[] = {
                {33, 512, 0, ERR_LIMIT},
                {34, 512, 512, ERR_OK},
                {64, 512, 512, ERR_OK},
                {66, 512, 1024, ERR_OK},
                {256, 512, 2048, ERR_OK},
                {257, 512, 4096, ERR_OK},
                {512, 512, 4096, ERR_OK},
                {34, 1024, 0, ERR_LIMIT},
                {70, 1024, 1024, ERR_OK},
                {256, 4096, 0, ERR_LIMIT},
                {260, 4096, 4096, ERR_OK},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                memory_device_init(&device, cases[i].mib << 20, cases[i].sector);
                face = memory_device_face(&device);
                assert_int_equal(fat_format(&face, &(struct fat_format){.now_s = NOW, .is_blank = true}),
                        cases[i].err);
                if (cases[i].err == ERR_OK) {
                        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
                        assert_int_equal(volume.cluster_size, cases[i].cluster);
                        assert_true(volume.clusters >= 65525);
                        assert_int_equal(volume.data % volume.cluster_sectors, 0);
                        teardown();
                } else {
                        memory_device_free(&device);
                }
        }
}

static void test_format_arguments(void **state)
{
        (void)state;
        setup(40 << 20, 512);
        struct fat_format what = {.label = S("lower")};
        assert_int_equal(fat_format(&face, &what), ERR_SYNTAX);
        what.label = S("TWELVE CHARS");
        assert_int_equal(fat_format(&face, &what), ERR_LIMIT);
        what = (struct fat_format){.size = 41 << 20};
        assert_int_equal(fat_format(&face, &what), ERR_LIMIT);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK); /* nothing was touched */
        put("left over", 9000);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        what = (struct fat_format){.size = 35 << 20, .label = S("LIPAP-1"), .now_s = NOW, .serial = 5};
        assert_int_equal(fat_format(&face, &what), ERR_OK); /* over an old one, not blank */
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        struct fat_info info;
        struct fat_entry e;
        assert_int_equal(fat_info(&volume, &info), ERR_OK);
        assert_string_equal(info.label, "LIPAP-1");
        assert_int_equal(info.serial, 5);
        assert_int_equal(info.size, 35 << 20);
        assert_int_equal(fat_stat(&volume, S("left over"), &e), ERR_NOT_FOUND);
        teardown();
}

/* Boot sectors that must be refused, each one change away from a good one. */
static void test_boot(void **state)
{
        (void)state;
        static const struct {
                size_t at, n;
                uint32_t value;
                enum fat_state state;
                enum err err;
        } cases[] = {
                {510, 2, 0, FAT_NOT_FAT, ERR_UNSUPPORTED}, {11, 2, 0, FAT_NOT_FAT, ERR_UNSUPPORTED},
                {11, 2, 513, FAT_NOT_FAT, ERR_UNSUPPORTED}, {11, 2, 256, FAT_NOT_FAT, ERR_UNSUPPORTED},
                {11, 2, 8192, FAT_NOT_FAT, ERR_UNSUPPORTED}, {11, 2, 4096, FAT_SHORT, ERR_CORRUPT},
                {13, 1, 0, FAT_NOT_FAT, ERR_UNSUPPORTED}, {13, 1, 3, FAT_NOT_FAT, ERR_UNSUPPORTED},
                {14, 2, 0, FAT_NOT_FAT, ERR_UNSUPPORTED}, {16, 1, 0, FAT_NOT_FAT, ERR_UNSUPPORTED},
                {16, 1, 255, FAT_DAMAGED, ERR_CORRUPT}, {32, 4, 0, FAT_DAMAGED, ERR_CORRUPT},
                {32, 4, 1000, FAT_DAMAGED, ERR_CORRUPT}, {32, 4, 0xffffffff, FAT_SHORT, ERR_CORRUPT},
                {32, 4, (40 << 11) + 1, FAT_SHORT, ERR_CORRUPT}, {36, 4, 0, FAT_DAMAGED, ERR_CORRUPT},
                {36, 4, 0xffffffff, FAT_DAMAGED, ERR_CORRUPT},
                {36, 4, 0x80000000, FAT_DAMAGED, ERR_CORRUPT}, /* twice it is 0 in 32 bits */
                {40, 2, 0x82, FAT_DAMAGED, ERR_CORRUPT},       /* the third of two FATs */
                {44, 4, 0, FAT_DAMAGED, ERR_CORRUPT}, {44, 4, 1, FAT_DAMAGED, ERR_CORRUPT},
                {44, 4, 0x0fffffff, FAT_DAMAGED, ERR_CORRUPT}, {44, 4, 0xffffffff, FAT_DAMAGED, ERR_CORRUPT},
                {22, 2, 100, FAT_IS_FAT16, ERR_UNSUPPORTED},
                {40, 2, 0x81, FAT_FOREIGN, ERR_DENIED}, /* not mirrored: not ours to write */
                {14, 2, 64, FAT_FOREIGN, ERR_DENIED},
                {67, 4, 78, FAT_FOREIGN, ERR_DENIED},  /* another serial than the redo area's */
                {50, 2, 100, FAT_FOREIGN, ERR_DENIED}, /* a backup inside the redo area */
        };
        setup(40 << 20, 512);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint8_t before[512];
                memcpy(before, device.bytes, sizeof before);
                for (size_t j = 0; j < cases[i].n; j++)
                        device.bytes[cases[i].at + j] = (uint8_t)(cases[i].value >> j * 8);
                assert_int_equal(mount(FAT_WRITE, cases[i].state), cases[i].err);
                memcpy(device.bytes, before, sizeof before);
        }
        memcpy(device.bytes + 3, "EXFAT   ", 8);
        assert_int_equal(mount(FAT_READ, FAT_IS_EXFAT), ERR_UNSUPPORTED);
        memcpy(device.bytes + 3, "MSDOS5.0", 8);
        fat_put16(device.bytes + 22, 9);
        fat_put32(device.bytes + 32, 4000);
        assert_int_equal(mount(FAT_READ, FAT_IS_FAT12), ERR_UNSUPPORTED);
        device.sector_size = face.sector_size = 4096;
        assert_int_equal(mount(FAT_READ, FAT_IS_FAT12), ERR_UNSUPPORTED);
        fat_put16(device.bytes + 22, 0);
        fat_put32(device.bytes + 32, 40 << 11);
        assert_int_equal(mount(FAT_READ, FAT_SECTOR), ERR_UNSUPPORTED);
        face.size = 0;
        assert_int_equal(mount(FAT_READ, FAT_NOT_FAT), ERR_UNSUPPORTED);
        memory_device_free(&device);
}

/* By a boot sector that puts a FAT where none is nothing is written; its backup may differ. */
static void test_misplaced_tables(void **state)
{
        (void)state;
        static const size_t at[] = {15, 16, 36, 37};
        setup(40 << 20, 512);
        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
                device.bytes[at[i]] ^= 1;
                memory_device_mark(&device);
                assert_int_equal(mount(FAT_WRITE, FAT_DAMAGED), ERR_CORRUPT);
                assert_int_equal(device.log_n, 0);
                device.bytes[at[i]] ^= 1;
                device.bytes[6 * 512 + at[i]] ^= 1;
                assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                device.bytes[6 * 512 + at[i]] ^= 1;
        }
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        teardown();
}

/* Nor by one that puts the clusters elsewhere than its backup does, when both find the FATs: which of them is right cannot
 * be told, and a repair by the wrong one took away every folder and cut the large files. */
static void test_misplaced_clusters(void **state)
{
        (void)state;
        static const struct {
                size_t at;
                uint8_t bits;
        } cases[] = {{13, 3}, {33, 0x7f}, {44, 1}}; /* a smaller volume, too */
        setup(40 << 20, 512);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t copy = 0; copy < 2; copy++) {
                        uint8_t *byte = device.bytes + copy * 6 * 512 + cases[i].at;
                        *byte ^= cases[i].bits;
                        memory_device_mark(&device);
                        assert_int_equal(mount(FAT_WRITE, FAT_DAMAGED), ERR_CORRUPT);
                        assert_int_equal(device.log_n, 0);
                        *byte ^= cases[i].bits;
                }
        uint8_t backup[512];
        memcpy(backup, device.bytes + 6 * 512, sizeof backup);
        for (int is_lost = 0; is_lost < 2; is_lost++) {
                device.bytes[6 * 512 + 28] ^= 1; /* sectors in front of the volume: nobody asks */
                assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memset(device.bytes + 6 * 512, 0, sizeof backup);
        }
        memcpy(device.bytes + 6 * 512, backup, sizeof backup);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        teardown();
}

static void test_dirty(void **state)
{
        (void)state;
        setup(40 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        put("a", 10);
        assert_int_equal(device.bytes[65] & 1, 1); /* while it is mounted, and when it dies */
        assert_int_equal(mount(FAT_READ, FAT_DIRTY), ERR_OK);
        assert_int_equal(mount(FAT_WRITE, FAT_DIRTY), ERR_OK);
        struct fat_info info;
        assert_int_equal(fat_info(&volume, &info), ERR_OK);
        assert_true(info.was_dirty && info.has_redo);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        assert_int_equal(device.bytes[65] & 1, 0);
        assert_memory_equal(device.bytes, device.bytes + 6 * 512, 512); /* the backup is like it */
        assert_int_equal(mount(FAT_READ, FAT_CLEAN), ERR_OK);
        assert_int_equal(fat_mkdir(&volume, S("d"), NOW), ERR_DENIED);
        struct fat_file file;
        assert_int_equal(fat_file_open(&volume, &file, S("b"), FAT_OPEN_CREATE, NOW), ERR_DENIED);
        assert_int_equal(fat_file_open(&volume, &file, S("a"), FAT_OPEN_CREATE, NOW), ERR_OK);
        assert_int_equal(fat_write(&file, 0, "x", 1, NOW), ERR_DENIED);
        assert_int_equal(fat_write(&file, 100, "x", 1, NOW), ERR_DENIED);
        assert_int_equal(fat_truncate(&file, 0, NOW), ERR_DENIED);
        fat_file_close(&file);
        teardown();
}

/* Records that are whole, but name what no record may. */
static void test_hostile_record(void **state)
{
        (void)state;
        static const struct {
                uint32_t sector;
                enum fat_state state;
        } cases[] = {
                {0xffffffff, FAT_CLEAN},
                {40 << 11, FAT_CLEAN},
                {17, FAT_CLEAN},
                {127, FAT_CLEAN},
                {128 + 700, FAT_CLEAN}, /* in the second FAT */
                {(40 << 11) - 1, FAT_REPLAYED},
        };
        setup(40 << 20, 512);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint8_t *header = device.bytes + 17 * 512;
                uint8_t key[SIPHASH_KEY_SIZE] = "ptt redo";
                memset(header, 0, 1024);
                memcpy(header, "PTTRECD1", 8);
                fat_put32(header + 8, 1);
                fat_put32(header + 24, cases[i].sector);
                memset(header + 512, 0xaa, 512);
                fat_put32(key + 12, 77);
                fat_put64(header + 16, siphash(key, str_of(header, 1024)));
                assert_int_equal(mount(FAT_READ, cases[i].state), ERR_OK);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
        }
        fat_put32(device.bytes + 17 * 512 + 8, 0xffffffff);
        assert_int_equal(mount(FAT_READ, FAT_CLEAN), ERR_OK);
        teardown();
}

static void test_names(void **state)
{
        (void)state;
        setup(40 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        struct fat_entry e;
        assert_int_equal(fat_mkdir(&volume, S("Spool"), NOW), ERR_OK);
        assert_int_equal(fat_mkdir(&volume, S("sPOOL"), NOW), ERR_EXISTS);
        assert_int_equal(fat_mkdir(&volume, S("/"), NOW), ERR_EXISTS);
        assert_int_equal(fat_mkdir(&volume, S("a/b"), NOW), ERR_NOT_FOUND);
        assert_int_equal(fat_mkdir(&volume, S("a:b"), NOW), ERR_SYNTAX);
        put("spool/First.Message", 3);
        assert_int_equal(fat_stat(&volume, S("/SPOOL//first.message/"), &e), ERR_OK);
        assert_string_equal(e.name, "First.Message");
        assert_string_equal(e.short_name, "FIRST~1.MES");
        assert_true(e.size == 3 && !e.is_directory && e.written_s == NOW && e.created_s == NOW);
        assert_int_equal(fat_stat(&volume, S("spool/FIRST~1.mes"), &e), ERR_OK); /* by its other name */
        assert_int_equal(fat_stat(&volume, S("spool/First.Message/x"), &e), ERR_NOT_FOUND);
        assert_int_equal(fat_stat(&volume, S(""), &e), ERR_OK);
        assert_true(e.is_directory && e.name_n == 0);
        char longest[256 + 1];
        memset(longest, 'x', sizeof longest);
        assert_int_equal(fat_mkdir(&volume, str_of(longest, 256), NOW), ERR_LIMIT);
        assert_int_equal(fat_mkdir(&volume, str_of(longest, 255), NOW), ERR_OK);
        assert_int_equal(fat_stat(&volume, str_of(longest, 255), &e), ERR_OK);
        assert_int_equal(e.name_n, 255);

        /* Hundreds of one beginning: the short names stay different. */
        for (int i = 0; i < 300; i++) {
                char path[64];
                CHECK(snprintf(path, sizeof path, "spool/a long name of many %03d.txt", i) > 0);
                put(path, 0);
        }
        struct fat_list list;
        int count = 0;
        assert_int_equal(fat_list_open(&volume, S("spool"), &list), ERR_OK);
        while (fat_list_next(&list, &e) == ERR_OK)
                count++;
        assert_int_equal(count, 301);
        assert_int_equal(fat_list_next(&list, &e), ERR_EOF); /* and stays there */
        assert_int_equal(fat_list_open(&volume, S("spool/First.Message"), &list), ERR_SYNTAX);
        teardown();
}

static void test_directories(void **state)
{
        (void)state;
        setup(40 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        struct fat_list list;
        struct fat_entry e;
        assert_int_equal(fat_mkdir(&volume, S("a"), NOW), ERR_OK);
        assert_int_equal(fat_mkdir(&volume, S("a/b"), NOW), ERR_OK);
        assert_int_equal(fat_mkdir(&volume, S("a/b/c"), NOW), ERR_OK);
        put("a/f", 5);
        put("g", 600);
        static const struct {
                const char *from, *to;
                enum err err;
        } moves[] = {
                {"a", "a/b/c/d", ERR_SEQUENCE},
                {"a", "a/x", ERR_SEQUENCE},
                {"", "x", ERR_SEQUENCE},
                {"a", "", ERR_SEQUENCE},
                {"a", "g", ERR_EXISTS},
                {"g", "a", ERR_EXISTS},
                {"a/b", "a", ERR_EXISTS},
                {"x", "y", ERR_NOT_FOUND},
                {"g", "x/y", ERR_NOT_FOUND},
                {"g", "a/f/y", ERR_NOT_FOUND},
                {"g", "a*b", ERR_SYNTAX},
                {"a", "A", ERR_OK},
                {"A/b/c", "c", ERR_OK},
                {"c", "A/c", ERR_OK},
                {"g", "A/F", ERR_OK}, /* replaces */
                {"A/F", "A/f", ERR_OK},
                {"A/f", "A/f", ERR_OK},
        };
        for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
                assert_int_equal(
                        fat_rename(&volume, str_of_c(moves[i].from), str_of_c(moves[i].to)), moves[i].err);
        assert_int_equal(fat_stat(&volume, S("a/f"), &e), ERR_OK);
        assert_true(e.size == 600 && strcmp(e.name, "f") == 0);
        assert_int_equal(fat_rmdir(&volume, S("a")), ERR_EXISTS);
        assert_int_equal(fat_rmdir(&volume, S("a/f")), ERR_SYNTAX);
        assert_int_equal(fat_rmdir(&volume, S("/")), ERR_SEQUENCE);
        assert_int_equal(fat_remove(&volume, S("a/b")), ERR_SYNTAX);
        assert_int_equal(fat_remove(&volume, S("a/x")), ERR_NOT_FOUND);
        assert_int_equal(fat_list_open(&volume, S("a/b"), &list), ERR_OK);
        assert_int_equal(fat_rmdir(&volume, S("a/b")), ERR_OK);
        assert_int_equal(
                fat_list_next(&list, &e), ERR_SEQUENCE); /* never reads what is no directory any more */
        teardown();
}

static void test_open_files(void **state)
{
        (void)state;
        setup(40 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        struct fat_file file, other;
        char text[8];
        size_t got;
        assert_int_equal(fat_file_open(&volume, &file, S("a"), FAT_OPEN, NOW), ERR_NOT_FOUND);
        assert_int_equal(fat_file_open(&volume, &file, S(""), FAT_OPEN_CREATE, NOW), ERR_SYNTAX);
        assert_int_equal(fat_file_open(&volume, &file, S("x/a"), FAT_OPEN_CREATE, NOW), ERR_NOT_FOUND);
        assert_int_equal(fat_file_open(&volume, &file, S("a"), FAT_OPEN_NEW, NOW), ERR_OK);
        assert_int_equal(fat_file_open(&volume, &other, S("A"), FAT_OPEN, NOW), ERR_BUSY);
        assert_int_equal(fat_file_open(&volume, &other, S("a"), FAT_OPEN_NEW, NOW), ERR_EXISTS);
        assert_int_equal(fat_remove(&volume, S("a")), ERR_BUSY);
        put("b", 100);
        assert_int_equal(fat_rename(&volume, S("b"), S("a")), ERR_BUSY);
        assert_int_equal(fat_rename(&volume, S("a"), S("the same with a long name")), ERR_OK);
        assert_int_equal(fat_write(&file, 0, "hello", 5, NOW), ERR_OK); /* by the handle of before */
        assert_int_equal(fat_write(&file, FAT_FILE_MAX - 2, "hello", 5, NOW), ERR_LIMIT);
        assert_int_equal(fat_write(&file, UINT64_MAX, "hello", 5, NOW), ERR_LIMIT);
        assert_int_equal(fat_preallocate(&file, FAT_FILE_MAX + 1, NOW), ERR_LIMIT);
        assert_int_equal(fat_preallocate(&file, FAT_FILE_MAX, NOW), ERR_FULL);
        assert_int_equal(fat_write(&file, 100 << 20, "x", 1, NOW), ERR_FULL);
        assert_int_equal(file.size, 5);
        assert_int_equal(fat_truncate(&file, 6, NOW), ERR_SEQUENCE);
        assert_int_equal(fat_read(&file, 1, text, sizeof text, &got), ERR_OK);
        assert_true(got == 4 && memcmp(text, "ello", 4) == 0);
        assert_int_equal(fat_read(&file, 5, text, 1, &got), ERR_OK);
        assert_int_equal(got, 0);
        assert_int_equal(fat_touch(&file, NOW + 60), ERR_OK);
        fat_file_close(&file);
        struct fat_entry e;
        assert_int_equal(fat_stat(&volume, S("THE SAME with a long name"), &e), ERR_OK);
        assert_true(e.size == 5 && e.written_s == NOW + 60);
        teardown();
}

/* Every cluster taken, file by file, and all of them free again after. */
static void test_full(void **state)
{
        (void)state;
        setup(34 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        uint32_t before, free_clusters;
        struct fat_file file;
        assert_int_equal(fat_free_clusters(&volume, &before), ERR_OK);
        assert_int_equal(fat_file_open(&volume, &file, S("ALL"), FAT_OPEN_NEW, NOW), ERR_OK);
        assert_int_equal(fat_preallocate(&file, (uint64_t)before * 512 + 1, NOW), ERR_FULL);
        assert_int_equal(file.size, 0);
        assert_int_equal(fat_preallocate(&file, (uint64_t)before * 512, NOW), ERR_OK);
        uint64_t at, n;
        assert_int_equal(fat_extent(&file, 512, &at, &n), ERR_OK);
        assert_int_equal(n, (uint64_t)(before - 1) * 512); /* in one piece, though in many records */
        assert_int_equal(fat_extent(&file, file.size, &at, &n), ERR_EOF);
        assert_int_equal(fat_free_clusters(&volume, &free_clusters), ERR_OK);
        assert_int_equal(free_clusters, 0);
        assert_int_equal(fat_mkdir(&volume, S("d"), NOW), ERR_FULL);
        enum err err = ERR_OK;
        int names = 0;
        for (; names < 100 && err == ERR_OK; names++) { /* until the root directory's cluster is full */
                char path[8];
                CHECK(snprintf(path, sizeof path, "N%d", names) > 0);
                struct fat_file one;
                err = fat_file_open(&volume, &one, str_of_c(path), FAT_OPEN_NEW, NOW);
                if (err == ERR_OK)
                        fat_file_close(&one);
        }
        assert_int_equal(err, ERR_FULL);
        assert_int_equal(names, 512 / 32);
        assert_int_equal(test_check(&volume, false, true), 0);
        assert_int_equal(fat_truncate(&file, 1, NOW), ERR_OK);
        fat_file_close(&file);
        assert_int_equal(fat_free_clusters(&volume, &free_clusters), ERR_OK);
        assert_int_equal(free_clusters, before - 1);
        assert_int_equal(fat_mkdir(&volume, S("d"), NOW), ERR_OK);
        teardown();
}

/* A file in thousands of pieces: any place is found, and few steps lead there. */
static void test_fragments(void **state)
{
        (void)state;
        enum { PIECES = 4000 };
        setup(34 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        struct fat_file a, b;
        uint8_t cluster[512];
        assert_int_equal(fat_file_open(&volume, &a, S("A"), FAT_OPEN_NEW, NOW), ERR_OK);
        assert_int_equal(fat_file_open(&volume, &b, S("B"), FAT_OPEN_NEW, NOW), ERR_OK);
        for (uint32_t i = 0; i < PIECES; i++) {
                for (size_t j = 0; j < sizeof cluster; j += 4)
                        fat_put32(cluster + j, i);
                assert_int_equal(fat_write(&a, (uint64_t)i * 512, cluster, 512, NOW), ERR_OK);
                assert_int_equal(fat_write(&b, (uint64_t)i * 512, cluster, 512, NOW), ERR_OK);
        }
        fat_file_close(&a);
        assert_int_equal(fat_file_open(&volume, &a, S("A"), FAT_OPEN, NOW), ERR_OK);
        for (uint32_t i = 0; i < 2 * PIECES; i++) {
                uint32_t index = (uint32_t)(memory_random(&device) % PIECES);
                size_t got;
                assert_int_equal(fat_read(&a, (uint64_t)index * 512 + 4, cluster, 4, &got), ERR_OK);
                assert_int_equal(got, 4);
                assert_int_equal(fat_le32(cluster), index);
                assert_true(a.run_count > 0 && a.run_count <= FAT_FILE_RUNS);
        }
        for (uint32_t i = 1; i < a.run_count; i++) {
                assert_true(a.runs[i].index > a.runs[i - 1].index);
                assert_true(a.runs[i].index - a.runs[i - 1].index <= 4 * PIECES / FAT_FILE_RUNS);
        }
        assert_int_equal(fat_truncate(&a, 700 * 512, NOW), ERR_OK);
        size_t got;
        assert_int_equal(fat_read(&a, 699 * 512, cluster, 512, &got), ERR_OK);
        assert_int_equal(fat_le32(cluster), 699);
        assert_int_equal(fat_write(&a, 900 * 512, "end", 3, NOW), ERR_OK); /* over a gap */
        assert_int_equal(fat_read(&a, 800 * 512, cluster, 512, &got), ERR_OK);
        for (size_t j = 0; j < sizeof cluster; j++)
                assert_int_equal(cluster[j], 0);
        fat_file_close(&a);
        fat_file_close(&b);
        assert_int_equal(fat_remove(&volume, S("B")), ERR_OK);
        teardown();
}

/* Another system gave a file more clusters than its size needs: they are used, not lost. */
static void test_overallocated(void **state)
{
        (void)state;
        setup(34 << 20, 512);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        put("A", 5000);
        struct fat_entry e;
        struct fat_file file;
        assert_int_equal(fat_stat(&volume, S("A"), &e), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        uint8_t *slot = device.bytes + (uint64_t)volume.data * 512;
        while (slot[0] != 'A')
                slot += 32;
        fat_put32(slot + 28, 600);
        assert_int_equal(mount(FAT_WRITE, FAT_CLEAN), ERR_OK);
        assert_int_equal(test_check(&volume, false, false), 1);
        assert_int_equal(fat_file_open(&volume, &file, S("A"), FAT_OPEN, NOW), ERR_OK);
        assert_int_equal(fat_write(&file, 4999, "x", 1, NOW), ERR_OK);
        uint8_t bytes[5000];
        size_t got;
        assert_int_equal(fat_read(&file, 0, bytes, sizeof bytes, &got), ERR_OK);
        assert_int_equal(got, 5000);
        for (size_t i = 600; i < 4999; i++)
                assert_int_equal(bytes[i], 0);
        fat_file_close(&file);
        struct fat_entry after;
        assert_int_equal(fat_stat(&volume, S("A"), &after), ERR_OK);
        assert_int_equal(after.cluster, e.cluster);
        teardown();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format_sizes),
                cmocka_unit_test(test_format_arguments),
                cmocka_unit_test(test_boot),
                cmocka_unit_test(test_misplaced_tables),
                cmocka_unit_test(test_misplaced_clusters),
                cmocka_unit_test(test_dirty),
                cmocka_unit_test(test_hostile_record),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_directories),
                cmocka_unit_test(test_open_files),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_fragments),
                cmocka_unit_test(test_overallocated),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
