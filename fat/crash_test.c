/* SPDX-License-Identifier: ISC */
/* A power cut behind every write of small workloads, with what was not flushed kept, lost, reordered and mixed: mounting
 * recovers, the check finds nothing, and the tree is the one before or the one after the call that was cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "fat/test_steps.h"

#define SIZE (34u << 20)

static struct memory_device device;
static struct fat volume;

static enum err mount(enum fat_state *state)
{
        struct fat_device face = memory_device_face(&device);
        return fat_mount(&volume, &face, FAT_WRITE, state);
}

/* Every cut with PTT_LONG; under a sanitizer a fifth of the usual ones. */
static uint64_t stride_of(uint64_t usual)
{
        return getenv("PTT_LONG") ? 1 : test_is_slow() ? usual * 5 : usual;
}

/* Each cut that the stride picks, played in each way. `before` has run before the mark. */
static void enumerate(
        const struct step *before, size_t before_n, const struct step *steps, size_t n, uint64_t usual)
{
        uint64_t stride = stride_of(usual);
        uint64_t trees[32];
        enum fat_state state;
        struct fat_device face;
        memory_device_init(&device, SIZE, 512);
        face = memory_device_face(&device);
        assert_int_equal(
                fat_format(&face, &(struct fat_format){.serial = 0x1234abcd, .now_s = NOW, .is_blank = true}),
                ERR_OK);
        assert_int_equal(mount(&state), ERR_OK);
        for (size_t i = 0; i < before_n; i++)
                assert_int_equal(play(&volume, &before[i]), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);

        memory_device_mark(&device);
        assert_int_equal(mount(&state), ERR_OK);
        assert_int_equal(state, FAT_CLEAN);
        trees[0] = test_tree_hash(&volume, "");
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(play(&volume, &steps[i]), ERR_OK);
                trees[i + 1] = test_tree_hash(&volume, "");
        }
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        uint64_t operations = device.operations;
        assert_true(operations > 10);
        memory_device_undo(&device, 0);

        for (uint64_t cut = 0; cut < operations; cut += stride) {
                for (enum memory_crash how = 0; how < MEMORY_CRASHES; how++) {
                        device.operations = 0;
                        device.cut_at = cut;
                        size_t done = 0;
                        enum err err = mount(&state);
                        while (err == ERR_OK && done < n && (err = play(&volume, &steps[done])) == ERR_OK)
                                done++;
                        if (volume.is_mounted) {
                                if (err != ERR_OK) {
                                        assert_int_equal(err, ERR_IO);
                                        assert_int_equal(
                                                fat_mkdir(&volume, S("later"), NOW), ERR_IO); /* it sticks */
                                }
                                assert_int_equal(fat_unmount(&volume), ERR_IO);
                        }
                        memory_device_crash(&device, how);

                        /* Looked at without writing it is the same as after the replay. */
                        face = memory_device_face(&device);
                        assert_int_equal(fat_mount(&volume, &face, FAT_READ, &state), ERR_OK);
                        uint64_t seen = test_tree_hash(&volume, "");
                        assert_int_equal(fat_unmount(&volume), ERR_OK);
                        assert_int_equal(mount(&state), ERR_OK);
                        uint64_t tree = test_tree_hash(&volume, "");
                        assert_true(tree == seen);
                        if (tree != trees[done] && !(done < n && tree == trees[done + 1]))
                                fail_msg("cut %u, crash %u: neither before nor after step %u", (unsigned)cut,
                                        (unsigned)how, (unsigned)done);
                        if (test_check(&volume, false, true) != 0)
                                fail_msg("cut %u, crash %u, step %u: damaged", (unsigned)cut, (unsigned)how,
                                        (unsigned)done);
                        assert_int_equal(fat_unmount(&volume), ERR_OK);
                        memory_device_undo(&device, 0);
                }
        }
        memory_device_free(&device);
}

static void test_small(void **state)
{
        (void)state;
        static const struct step before[] = {{MKDIR, "spool", NULL, 0, 0}, {APPEND, "old", NULL, 0, 3000}};
        static const struct step steps[] = {
                {CREATE, "A.TXT", NULL, 0, 0},
                {APPEND, "A.TXT", NULL, 0, 700},
                {APPEND, "A.TXT", NULL, 700, 1300},
                {APPEND, "A.TXT", NULL, 5000, 10}, /* a gap */
                {OVERWRITE, "A.TXT", NULL, 512, 512},
                {MKDIR,
                        "a directory with a name over several sectors of slots, whatever the place where it "
                        "begins",
                        NULL, 0, 0},
                {RENAME, "A.TXT", "spool/message number one", 0, 0},
                {RENAME, "old", "spool/message number one", 0, 0}, /* replaces */
                {CREATE, "spool/0000", NULL, 0, 0},
                {PREALLOCATE, "spool/0000", NULL, 0, 6000},
                {TRUNCATE, "spool/0000", NULL, 0, 600},
                {TOUCH, "spool/0000", NULL, 0, 0},
                {RENAME,
                        "a directory with a name over several sectors of slots, whatever the place where it "
                        "begins",
                        "spool/d", 0, 0},
                {RMDIR, "spool/d", NULL, 0, 0},
                {REMOVE, "spool/message number one", NULL, 0, 0},
                {TRUNCATE, "spool/0000", NULL, 0, 0},
        };
        enumerate(before, 2, steps, sizeof steps / sizeof steps[0], 1);
}

/* Directories that grow, on clusters of one sector: long names fill them quickly. */
static void test_growing_directory(void **state)
{
        (void)state;
        static const struct step steps[] = {
                {MKDIR, "d", NULL, 0, 0},
                {CREATE, "d/the first of the names that are long enough to need many slots of the directory",
                        NULL, 0, 0},
                {CREATE, "d/the second of the names that are long enough to need many slots of the directory",
                        NULL, 0, 0},
                {CREATE,
                        "d/a name of very many slots, so that a cluster of one sector does not hold it and "
                        "the directory "
                        "has to grow by two clusters at once, which is one change all the same. A name of "
                        "very many "
                        "slots, so that a cluster of one sector does not hold it and so on",
                        NULL, 0, 0},
                {RENAME, "d/the first of the names that are long enough to need many slots of the directory",
                        "d/f", 0, 0},
        };
        enumerate(NULL, 0, steps, sizeof steps / sizeof steps[0], 1);
}

/* Chains longer than one record: cut, replaced and removed in one instant, freed in parts. */
static void test_long_chains(void **state)
{
        (void)state;
        static const struct step before[] = {
                {PREALLOCATE, "big", NULL, 0, 9 << 20}, {APPEND, "new", NULL, 0, 900}};
        static const struct step cut[] = {{TRUNCATE, "big", NULL, 0, 1000}};
        static const struct step replace[] = {{RENAME, "new", "big", 0, 0}, {APPEND, "big", NULL, 900, 5000}};
        static const struct step erase[] = {
                {REMOVE, "big", NULL, 0, 0}, {PREALLOCATE, "next", NULL, 0, 3000}};
        enumerate(before, 2, cut, 1, 13);
        enumerate(before, 2, replace, 2, 17);
        enumerate(before, 2, erase, 2, 19);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_small),
                cmocka_unit_test(test_growing_directory),
                cmocka_unit_test(test_long_chains),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
