/* SPDX-License-Identifier: ISC */
/* Damage done by hand: the check names it, nothing hangs on it, and repair leaves a volume without fault or says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fat/bytes.h"
#include "fat/directory.h"
#include "fat/test_tree.h"
#include "fat/volume.h"

#define NOW 1763836800

static struct memory_device device;
static struct fat_device face;
static struct fat volume;
static uint32_t seen[FAT_FAULT_COUNT]; /* faults reported, by kind */

static void mount(enum fat_mode mode)
{
        enum fat_state state;
        assert_int_equal(fat_mount(&volume, &face, mode, &state), ERR_OK);
}

static void put(const char *path, uint32_t n)
{
        struct fat_file file;
        assert_int_equal(fat_file_open(&volume, &file, str_of_c(path), FAT_OPEN_NEW, NOW), ERR_OK);
        if (n > 0)
                assert_int_equal(fat_preallocate(&file, n, NOW), ERR_OK);
        fat_file_close(&file);
}

static uint32_t cluster_of(const char *path)
{
        struct fat_entry e;
        mount(FAT_READ);
        assert_int_equal(fat_stat(&volume, str_of_c(path), &e), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        return e.cluster;
}

static void set_entry(uint32_t cluster, uint32_t value)
{
        for (uint32_t copy = 0; copy < 2; copy++)
                fat_put32(device.bytes + (uint64_t)(volume.reserved + copy * volume.fat_sectors) * 512 +
                                  (size_t)cluster * 4,
                        value);
}

static uint8_t *slot_of(uint32_t directory, const char *name)
{
        uint8_t *slot = device.bytes + fat_cluster_at(&volume, directory);
        for (int i = 0; i < 16 && memcmp(slot, name, 11) != 0; i++)
                slot += 32;
        assert_memory_equal(slot, name, 11);
        return slot;
}

/* A volume with A (3000 bytes: 6 clusters), B (100), EMPTY, D/C (600), D/a long name, D/E/F (10). */
static void setup(void)
{
        memory_device_init(&device, 34 << 20, 512);
        face = memory_device_face(&device);
        assert_int_equal(
                fat_format(&face, &(struct fat_format){.serial = 3, .now_s = NOW, .is_blank = true}), ERR_OK);
        mount(FAT_WRITE);
        put("A", 3000);
        put("B", 100);
        put("EMPTY", 0);
        assert_int_equal(fat_mkdir(&volume, S("D"), NOW), ERR_OK);
        put("D/C", 600);
        put("D/a long name for a small file", 20);
        assert_int_equal(fat_mkdir(&volume, S("D/E"), NOW), ERR_OK);
        put("D/E/F", 10);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
}

static void note(void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired)
{
        (void)ctx, (void)path, (void)number, (void)is_repaired;
        assert_true(fat_fault_text(fault)[0] != 0);
        seen[fault]++;
}

static struct fat_checked check(bool repair)
{
        struct fat_checked found;
        struct fat_checker how = {.report = note, .repair = repair, .memory_n = fat_check_memory(&volume)};
        memset(seen, 0, sizeof seen);
        how.memory = malloc(how.memory_n);
        assert_non_null(how.memory);
        assert_int_equal(fat_check(&volume, &how, &found), ERR_OK);
        free(how.memory);
        return found;
}

#define NONE FAT_FAULT_COUNT

static void circle(void)
{
        uint32_t a = cluster_of("A");
        set_entry(a + 5, a + 2);
}

static void circle_of_one(void)
{
        uint32_t b = cluster_of("B");
        set_entry(b, b);
}

static void circle_through_the_root(void)
{
        set_entry(2, 2);
}

static void directory_in_itself(void)
{
        uint32_t e = cluster_of("D/E"), d = cluster_of("D");
        fat_put16(slot_of(e, "F          ") + 26, d);
        slot_of(e, "F          ")[11] = 0x10;
        fat_put32(slot_of(e, "F          ") + 28, 0);
}

static void crossed(void)
{
        set_entry(cluster_of("A") + 1, cluster_of("D/C"));
}

static void to_free(void)
{
        set_entry(cluster_of("A") + 1, 60000);
}

static void outside(void)
{
        set_entry(cluster_of("A") + 1, 0x0abcdef0);
}

static void to_bad(void)
{
        set_entry(cluster_of("A") + 1, 0x0ffffff7);
}

static void ends_early(void)
{
        set_entry(cluster_of("A") + 3, 0x0fffffff);
}

static void too_long(void)
{
        fat_put32(slot_of(2, "A          ") + 28, 700);
}

static void size_of_nothing(void)
{
        fat_put32(slot_of(2, "EMPTY      ") + 28, 9);
}

static void empty_with_a_chain(void)
{
        fat_put32(slot_of(2, "A          ") + 28, 0);
}

static void starts_outside(void)
{
        fat_put16(slot_of(2, "A          ") + 20, 0x0fff);
}

static void starts_free(void)
{
        set_entry(cluster_of("B"), 0);
}

static void directory_starts_free(void)
{
        set_entry(cluster_of("D/E"), 0);
}

static void directory_with_size(void)
{
        fat_put32(slot_of(2, "D          ") + 28, 12345);
}

static void lost(void)
{
        set_entry(60000, 60001);
        set_entry(60001, 0x0fffffff);
}

static void bad_short_name(void)
{
        slot_of(2, "A          ")[1] = '*';
}

static void root_free(void)
{
        set_entry(2, 0);
}

static void directory_starts_with_another(void)
{
        fat_put16(slot_of(cluster_of("D"), "E          ") + 26, cluster_of("A"));
}

static void directory_starts_nowhere(void)
{
        fat_put16(slot_of(cluster_of("D"), "E          ") + 26, 60000);
}

static void into_a_directory(void)
{
        set_entry(cluster_of("A") + 1, cluster_of("D"));
}

static void starts_with_another(void)
{
        fat_put16(slot_of(2, "B          ") + 26, cluster_of("A"));
}

static void long_through_another(void)
{
        set_entry(cluster_of("A") + 5, cluster_of("D/C")); /* needs none of it */
}

static void twice_long(void)
{
        uint32_t d = cluster_of("D");
        uint8_t *slot = slot_of(d, "ALONGN~1   ") - 96, *copy = slot_of(d, "E          ") + 32;
        memcpy(copy, slot, 128);
        memcpy(copy + 96, "OTHER      ", 11);
        for (int i = 0; i < 3; i++)
                copy[32 * i + 13] = fat_short_sum(copy + 96);
        fat_put16(copy + 96 + 26, 0);
        fat_put32(copy + 96 + 28, 0);
}

static void dots_behind(void)
{
        uint8_t *slot = device.bytes + fat_cluster_at(&volume, cluster_of("D/E")), dots[64];
        memcpy(dots, slot, sizeof dots);
        memcpy(slot, slot + 64, 32); /* F */
        memset(slot + 32, 0xe5, 32);
        memcpy(slot + 64, dots, sizeof dots);
}

static void emptied_directory(void)
{
        uint8_t *slot = device.bytes + fat_cluster_at(&volume, cluster_of("D/E"));
        slot[0] = 0; /* and behind the end stands what stood there */
}

static void twice(void)
{
        memcpy(slot_of(2, "B          "), "A          ", 11);
}

static void long_name_of_another(void)
{
        uint32_t d = cluster_of("D");
        memcpy(slot_of(d, "ALONGN~1   "), "OTHER      ", 11);
}

static void wrong_parent(void)
{
        fat_put16(slot_of(cluster_of("D/E"), "..         ") + 26, 2);
}

static void wrong_self(void)
{
        fat_put16(slot_of(cluster_of("D/E"), ".          ") + 26, 9);
}

static void no_dots(void)
{
        memcpy(slot_of(cluster_of("D/E"), "..         "), "X", 1);
}

static void copies_differ(void)
{
        device.bytes[(uint64_t)(volume.reserved + volume.fat_sectors + 50) * 512 + 40] ^= 1;
}

static void first_entry(void)
{
        set_entry(0, 0x0ffffff0);
}

static void backup_differs(void)
{
        device.bytes[6 * 512 + 80] ^= 1;
}

static const struct {
        const char *name;
        void (*damage)(void);
        enum fat_fault faults[3];
} cases[] = {
        {"no damage", NULL, {NONE}},
        {"circle", circle, {FAT_FAULT_CHAIN_CIRCULAR, NONE}},
        {"circle of one", circle_of_one, {FAT_FAULT_CHAIN_CIRCULAR, NONE}},
        {"circle through the root", circle_through_the_root, {FAT_FAULT_CHAIN_CIRCULAR, NONE}},
        {"directory in itself", directory_in_itself, {FAT_FAULT_CHAIN_CROSSED, FAT_FAULT_LOST, NONE}},
        {"crossed", crossed, {FAT_FAULT_CHAIN_CROSSED, FAT_FAULT_CHAIN_SHORT, FAT_FAULT_LOST}},
        {"to a free cluster", to_free, {FAT_FAULT_CHAIN_BROKEN, FAT_FAULT_CHAIN_SHORT, FAT_FAULT_LOST}},
        {"outside", outside, {FAT_FAULT_CHAIN_BROKEN, FAT_FAULT_CHAIN_SHORT, FAT_FAULT_LOST}},
        {"to a bad cluster", to_bad, {FAT_FAULT_CHAIN_BROKEN, FAT_FAULT_CHAIN_SHORT, FAT_FAULT_LOST}},
        {"ends early", ends_early, {FAT_FAULT_CHAIN_SHORT, FAT_FAULT_LOST, NONE}},
        {"too long", too_long, {FAT_FAULT_CHAIN_LONG, NONE}},
        {"size of nothing", size_of_nothing, {FAT_FAULT_START, NONE}},
        {"empty with a chain", empty_with_a_chain, {FAT_FAULT_CHAIN_LONG, NONE}},
        {"starts outside", starts_outside, {FAT_FAULT_START, FAT_FAULT_LOST, NONE}},
        {"starts free", starts_free, {FAT_FAULT_START, NONE}},
        {"directory starts free", directory_starts_free, {FAT_FAULT_START, FAT_FAULT_LOST, NONE}},
        {"directory with a size", directory_with_size, {FAT_FAULT_DIRECTORY_SIZE, NONE}},
        {"lost", lost, {FAT_FAULT_LOST, NONE}},
        {"bad short name", bad_short_name, {FAT_FAULT_BAD_NAME, NONE}},
        {"twice", twice, {FAT_FAULT_DUPLICATE, NONE}},
        {"long name of another", long_name_of_another, {FAT_FAULT_LONG_NAME, NONE}},
        {"wrong parent", wrong_parent, {FAT_FAULT_DOT, NONE}},
        {"wrong self", wrong_self, {FAT_FAULT_DOT, NONE}},
        {"no dots", no_dots, {FAT_FAULT_DOT, FAT_FAULT_BAD_NAME, FAT_FAULT_CHAIN_CROSSED}},
        {"copies differ", copies_differ, {FAT_FAULT_FATS_DIFFER, NONE}},
        {"first entry", first_entry, {FAT_FAULT_RESERVED, NONE}},
        {"root free", root_free, {FAT_FAULT_START, FAT_FAULT_LOST, NONE}},
        {"directory starts with another", directory_starts_with_another,
                {FAT_FAULT_START, FAT_FAULT_LOST, NONE}},
        {"directory starts nowhere", directory_starts_nowhere, {FAT_FAULT_START, FAT_FAULT_LOST, NONE}},
        {"into a directory", into_a_directory, {FAT_FAULT_CHAIN_CROSSED, FAT_FAULT_LOST, NONE}},
        {"starts with another", starts_with_another, {FAT_FAULT_CHAIN_CROSSED, FAT_FAULT_LOST, NONE}},
        {"long through another", long_through_another, {FAT_FAULT_CHAIN_LONG, FAT_FAULT_CHAIN_CROSSED, NONE}},
        {"twice the long name", twice_long, {FAT_FAULT_DUPLICATE, NONE}},
        {"dots behind", dots_behind, {FAT_FAULT_DOT, NONE}},
        {"emptied directory", emptied_directory, {FAT_FAULT_DOT, FAT_FAULT_LONG_NAME, FAT_FAULT_LOST}},
        {"backup differs", backup_differs, {FAT_FAULT_BACKUP, NONE}},
};

static void require_only(const char *name, const enum fat_fault faults[3])
{
        for (enum fat_fault kind = 0; kind < FAT_FAULT_COUNT; kind++) {
                bool wanted = false;
                for (size_t i = 0; i < 3 && faults[i] != NONE; i++)
                        wanted = wanted || faults[i] == kind;
                if ((seen[kind] > 0) != wanted)
                        fail_msg("%s: %s%s", name, wanted ? "not told: " : "told: ", fat_fault_text(kind));
        }
}

static void test_damage(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                setup();
                if (cases[i].damage)
                        cases[i].damage();
                mount(FAT_READ);
                struct fat_checked found = check(false);
                require_only(cases[i].name, cases[i].faults);
                assert_int_equal(found.unrepaired, found.faults);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                mount(FAT_WRITE);
                struct fat_checked repaired = check(true);
                if (repaired.unrepaired != 0 || (repaired.faults == 0) != (found.faults == 0))
                        fail_msg("%s: %u of %u unrepaired", cases[i].name, repaired.unrepaired,
                                repaired.faults);
                found = check(false);
                if (found.faults != 0)
                        fail_msg("%s: %u faults are left", cases[i].name, found.faults);
                struct fat_entry e; /* what was sound is still there */
                assert_int_equal(fat_stat(&volume, S("D/C"), &e), ERR_OK);
                assert_int_equal(e.size, 600);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memory_device_free(&device);
        }
}

/* Repair cut off behind any write: the next one completes it. */
static void test_interrupted(void **state)
{
        (void)state;
        for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++) {
                setup();
                cases[i].damage();
                memory_device_mark(&device);
                uint64_t operations = UINT64_MAX;
                for (uint64_t cut = 4; cut < operations; cut += 3) { /* the first ones mount */
                        struct fat_checker how = {.repair = true, .memory_n = fat_check_memory(&volume)};
                        struct fat_checked found;
                        enum fat_state found_state;
                        how.memory = malloc(how.memory_n);
                        assert_non_null(how.memory);
                        device.operations = 0;
                        device.cut_at = cut;
                        enum err err = fat_mount(&volume, &face, FAT_WRITE, &found_state);
                        if (err == ERR_OK) {
                                err = fat_check(&volume, &how, &found);
                                enum err end = fat_unmount(&volume);
                                err = err == ERR_OK ? end : err;
                        }
                        operations = err == ERR_OK ? cut : operations;
                        free(how.memory);
                        memory_device_crash(&device, cut % 2 == 0 ? MEMORY_LOSES_ALL : MEMORY_MIXES);
                        mount(FAT_WRITE);
                        assert_int_equal(check(true).unrepaired, 0);
                        if (check(false).faults != 0)
                                fail_msg("%s: cut %u leaves faults", cases[i].name, (unsigned)cut);
                        assert_int_equal(fat_unmount(&volume), ERR_OK);
                        memory_device_undo(&device, 0);
                }
                memory_device_free(&device);
        }
}

/* Files that share clusters have their own afterwards; without room the later one is cut. */
static void test_copies(void **state)
{
        (void)state;
        for (int is_full = 0; is_full < 2; is_full++) {
                struct fat_file file;
                struct fat_entry a, c;
                uint8_t bytes[3000];
                uint32_t left;
                size_t got;
                setup();
                mount(FAT_WRITE);
                assert_int_equal(fat_file_open(&volume, &file, S("D/C"), FAT_OPEN, NOW), ERR_OK);
                memset(bytes, 'c', sizeof bytes);
                assert_int_equal(fat_write(&file, 0, bytes, 600, NOW), ERR_OK);
                fat_file_close(&file);
                assert_int_equal(fat_free_clusters(&volume, &left), ERR_OK);
                if (is_full)
                        put("FULL", left * 512);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                crossed();
                mount(FAT_WRITE);
                assert_int_equal(check(true).unrepaired, 0);
                assert_int_equal(check(false).faults, 0);
                assert_int_equal(fat_stat(&volume, S("A"), &a), ERR_OK);
                assert_int_equal(fat_stat(&volume, S("D/C"), &c), ERR_OK);
                assert_int_equal(a.size, 4 * 512); /* two of its own, two of the other's */
                assert_int_equal(c.size, is_full ? 0 : 600);
                assert_int_equal(fat_file_open(&volume, &file, S("D/C"), FAT_OPEN, NOW), ERR_OK);
                assert_int_equal(fat_read(&file, 0, bytes, sizeof bytes, &got), ERR_OK);
                assert_int_equal(got, c.size);
                for (size_t i = 0; i < got; i++)
                        assert_int_equal(bytes[i], 'c');
                fat_file_close(&file);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memory_device_free(&device);
        }
}

/* A directory that starts with a file whose bytes look like one but for a label's attribute: its name goes, and the file
 * is whole. It was taken for a directory whose entry of the FAT is gone, and the file was cut. */
static void test_like_a_directory(void **state)
{
        (void)state;
        setup();
        uint32_t a = cluster_of("A");
        uint8_t *slot = device.bytes + fat_cluster_at(&volume, a);
        directory_starts_with_another();
        memcpy(slot, ".          \x18", 12);
        fat_put16(slot + 20, (uint16_t)(a >> 16));
        fat_put16(slot + 26, (uint16_t)a);
        mount(FAT_WRITE);
        struct fat_entry e;
        struct fat_file file;
        uint64_t at, n;
        assert_int_equal(check(true).unrepaired, 0);
        assert_int_equal(check(false).faults, 0);
        assert_int_equal(fat_stat(&volume, S("D/E"), &e), ERR_NOT_FOUND);
        assert_int_equal(fat_file_open(&volume, &file, S("A"), FAT_OPEN, NOW), ERR_OK);
        assert_int_equal(file.size, 3000);
        assert_int_equal(fat_extent(&file, 0, &at, &n), ERR_OK);
        assert_int_equal(n, 3000); /* its clusters are those that it had */
        fat_file_close(&file);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        memory_device_free(&device);
}

/* What damaged chains do to the calls themselves: an error, never a hang, and nothing is made worse. */
static void test_calls_on_damage(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                static const char *const paths[] = {"A", "B", "EMPTY", "D/C", "D/E/F", "D/E", "D", "NEW"};
                setup();
                if (cases[i].damage)
                        cases[i].damage();
                mount(FAT_WRITE);
                uint8_t bytes[4000] = {0};
                for (size_t j = 0; j < sizeof paths / sizeof paths[0]; j++) {
                        struct fat_file file;
                        struct fat_list list;
                        struct fat_entry e;
                        size_t got;
                        struct str path = str_of_c(paths[j]);
                        if (fat_list_open(&volume, path, &list) == ERR_OK)
                                while (fat_list_next(&list, &e) == ERR_OK)
                                        continue;
                        if (fat_file_open(&volume, &file, path, FAT_OPEN_CREATE, NOW) != ERR_OK)
                                continue;
                        (void)!fat_read(&file, 0, bytes, sizeof bytes, &got);
                        (void)!fat_write(&file, file.size, bytes, sizeof bytes, NOW);
                        (void)!fat_truncate(&file, 100, NOW);
                        fat_file_close(&file);
                        (void)!fat_remove(&volume, path);
                }
                (void)!fat_rmdir(&volume, S("D/E"));
                (void)!fat_rmdir(&volume, S("D"));
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                mount(FAT_WRITE);
                (void)check(true);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memory_device_free(&device);
        }
}

static void test_deep(void **state)
{
        (void)state;
        setup();
        mount(FAT_WRITE);
        char path[4 * (FAT_DEPTH_MAX + 2)] = "";
        for (int i = 0; i < FAT_DEPTH_MAX + 1; i++) {
                memcpy(path + strlen(path), i == 0 ? "N" : "/N", i == 0 ? 2 : 3);
                assert_int_equal(fat_mkdir(&volume, str_of_c(path), NOW), ERR_OK);
                if (i + 2 <= FAT_DEPTH_MAX)
                        assert_int_equal(check(false).faults, 0);
        }
        struct fat_checked found = check(true);
        assert_int_equal(seen[FAT_FAULT_TOO_DEEP], 1);
        assert_int_equal(found.unrepaired, found.faults); /* nothing below is taken for lost and freed */
        struct fat_entry e;
        assert_int_equal(fat_stat(&volume, str_of_c(path), &e), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        memory_device_free(&device);
}

static void test_arguments(void **state)
{
        (void)state;
        setup();
        mount(FAT_READ);
        struct fat_checked found;
        struct fat_checker how = {.memory_n = fat_check_memory(&volume) - 1};
        how.memory = malloc(how.memory_n + 1);
        assert_non_null(how.memory);
        assert_int_equal(fat_check(&volume, &how, &found), ERR_MEMORY);
        how.memory_n++;
        assert_int_equal(fat_check(&volume, &how, &found), ERR_OK); /* nobody needs to listen */
        assert_int_equal(found.files, 6);
        assert_int_equal(found.directories, 2);
        assert_int_equal(found.used_clusters, 6 + 1 + 1 + 1 + 2 + 1 + 1 + 1);
        how.repair = true;
        assert_int_equal(fat_check(&volume, &how, &found), ERR_DENIED);
        free(how.memory);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        memory_device_free(&device);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_interrupted),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_like_a_directory),
                cmocka_unit_test(test_calls_on_damage),
                cmocka_unit_test(test_deep),
                cmocka_unit_test(test_arguments),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
