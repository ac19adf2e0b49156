/* SPDX-License-Identifier: ISC */
/* A device that fails in the middle of a call, at each of its reads, writes and flushes. A failed read and a full device
 * undo the call, which can be made again. A failed write or flush breaks the volume, which says so from then on; the next
 * mount has the tree from before or after the call. Never is anything half there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "fat/test_steps.h"

static struct memory_device device;
static struct fat volume;

enum operation { READ, WRITE, FLUSH };

static struct {
        enum operation what;
        enum err err;
        bool lasts;    /* so does every later one */
        uint32_t left; /* that still work; UINT32_MAX: no fault is planned */
        bool has_failed;
} plan;

static bool fails(enum operation what)
{
        if (plan.left == UINT32_MAX || plan.what != what)
                return false;
        if (plan.left > 0) {
                plan.left--;
                return false;
        }
        bool fails = plan.lasts || !plan.has_failed;
        plan.has_failed = true;
        return fails;
}

static enum err faulty_read(void *ctx, uint64_t offset, void *to, size_t n)
{
        return fails(READ) ? plan.err : memory_read(ctx, offset, to, n);
}

/* What a failed write of several sectors has done is not known: here, half of it. */
static enum err faulty_write(void *ctx, uint64_t offset, const void *from, size_t n)
{
        size_t half = n / 2 / device.sector_size * device.sector_size;
        if (!fails(WRITE))
                return memory_write(ctx, offset, from, n);
        if (half > 0)
                CHECK(memory_write(ctx, offset, from, half) == ERR_OK);
        return plan.err;
}

static enum err faulty_flush(void *ctx)
{
        return fails(FLUSH) ? plan.err : memory_flush(ctx);
}

static enum fat_state mount(void)
{
        enum fat_state state;
        struct fat_device face = memory_device_face(&device);
        face.read = faulty_read;
        face.write = faulty_write;
        face.flush = faulty_flush;
        assert_int_equal(fat_mount(&volume, &face, FAT_WRITE, &state), ERR_OK);
        return state;
}

static void setup(void)
{
        static const struct step before[] = {{MKDIR, "d", NULL, 0, 0}, {MKDIR, "empty", NULL, 0, 0},
                {APPEND, "old", NULL, 0, 3000}, {APPEND, "d/other", NULL, 0, 900},
                {PREALLOCATE, "big", NULL, 0, 8 << 20}, {CREATE, "zero", NULL, 0, 0}};
        struct fat_device face;
        plan.left = UINT32_MAX;
        memory_device_init(&device, 34 << 20, 512);
        face = memory_device_face(&device);
        assert_int_equal(
                fat_format(&face, &(struct fat_format){.serial = 5, .now_s = NOW, .is_blank = true}), ERR_OK);
        assert_int_equal(mount(), FAT_CLEAN);
        for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
                assert_int_equal(play(&volume, &before[i]), ERR_OK);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        memory_device_mark(&device);
}

/* Names longer than a sector of slots; what one change holds, and more. */
static const char long_name[] =
        "a name over several sectors of slots, so that the directory has to grow by a cluster, "
        "wherever in it there is room, and then some more of it, up to the limit or nearly";
static const struct step steps[] = {
        {CREATE, "new", NULL, 0, 0},
        {CREATE, long_name, NULL, 0, 0},
        {MKDIR, long_name, NULL, 0, 0},
        {APPEND, "old", NULL, 3000, 5000},
        {APPEND, "old", NULL, 9000, 10}, /* a gap */
        {APPEND, "zero", NULL, 0, 700},
        {PREALLOCATE, "old", NULL, 0, 40000},
        {TRUNCATE, "old", NULL, 0, 600},
        {TRUNCATE, "old", NULL, 0, 0},
        {TRUNCATE, "big", NULL, 0, 1000},
        {TOUCH, "old", NULL, 0, 0},
        {RENAME, "old", long_name, 0, 0},
        {RENAME, "old", "d/other", 0, 0}, /* replaces */
        {RENAME, "empty", "d/empty", 0, 0},
        {RENAME, "old", "big", 0, 0},
        {REMOVE, "big", NULL, 0, 0},
        {REMOVE, "d/other", NULL, 0, 0},
        {RMDIR, "empty", NULL, 0, 0},
};

struct fault {
        const char *name;
        enum operation what;
        enum err err;
        bool lasts;
};

/* The tree after the call that met the fault: as it was, or as it is to be. */
static void require_whole(const struct fault *fault, const struct step *s, uint64_t before, uint64_t after)
{
        uint64_t tree = test_tree_hash(&volume, "");
        if (tree != before && tree != after)
                fail_msg("%s in %s: something is half there", fault->name, s->path);
        if (test_check(&volume, false, true) != 0)
                fail_msg("%s in %s: damaged", fault->name, s->path);
}

/* Undone: it works again, and so does the call. */
static void require_undone(const struct fault *fault, const struct step *s, uint64_t after)
{
        static const struct step touch = {TOUCH, "zero", NULL, 0, 0};
        bool is_done = test_tree_hash(&volume, "") == after;
        /* Done, but for the end of a long chain that the next change frees; or to be done again. */
        assert_int_equal(play(&volume, is_done ? &touch : s), ERR_OK);
        require_whole(fault, s, after, after);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
        assert_int_equal(mount(), FAT_CLEAN);
        require_whole(fault, s, after, after);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
}

/* Broken: nothing can be changed any more, and the next mount knows. */
static void require_broken(const struct fault *fault, const struct step *s, uint64_t before, uint64_t after)
{
        assert_int_equal(fat_mkdir(&volume, S("later"), NOW), ERR_IO);
        assert_int_equal(fat_flush(&volume), ERR_IO);
        assert_int_equal(fat_unmount(&volume), ERR_IO);
        memory_device_crash(&device, memory_random(&device) % 2 == 0 ? MEMORY_KEEPS_ALL : MEMORY_MIXES);
        assert_int_not_equal(mount(), FAT_CLEAN);
        require_whole(fault, s, before, after);
        assert_int_equal(fat_unmount(&volume), ERR_OK);
}

/* One call, its n-th operation failing. True if it came that far. */
static bool meet(const struct fault *fault, const struct step *s, uint32_t n, uint64_t before, uint64_t after)
{
        assert_int_equal(mount(), FAT_CLEAN);
        plan.what = fault->what;
        plan.err = fault->err;
        plan.lasts = fault->lasts;
        plan.has_failed = false;
        plan.left = n;
        enum err err = play(&volume, s);
        plan.left = UINT32_MAX;
        if (plan.has_failed && err != ERR_IO && err != fault->err)
                fail_msg("%s %u in %s: %s", fault->name, (unsigned)n, s->path, err_text(err));
        if (!plan.has_failed)
                assert_int_equal(err, ERR_OK);
        if (volume.is_broken)
                require_broken(fault, s, before, after);
        else
                require_undone(fault, s, after);
        if (plan.has_failed) /* a read breaks nothing; a write of data that finds the device full neither */
                assert_int_equal(volume.is_broken && fault->what == READ, false);
        memory_device_undo(&device, 0);
        return plan.has_failed;
}

/* Each of the first operations, then fewer and fewer; all with PTT_LONG. */
static uint32_t next_after(uint32_t n)
{
        return n + 1 + (getenv("PTT_LONG") ? 0 : test_is_slow() ? 2 * n : n / 4);
}

static void test_faults(void **state)
{
        (void)state;
        static const struct fault faults[] = {
                {"a failed read", READ, ERR_IO, false},
                {"failed reads", READ, ERR_IO, true},
                {"a failed write", WRITE, ERR_IO, false},
                {"failed writes", WRITE, ERR_IO, true},
                {"a full device for a moment", WRITE, ERR_FULL, false},
                {"a full device", WRITE, ERR_FULL, true},
                {"a failed flush", FLUSH, ERR_IO, false},
        };
        setup();
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
                assert_int_equal(mount(), FAT_CLEAN);
                uint64_t before = test_tree_hash(&volume, "");
                assert_int_equal(play(&volume, &steps[i]), ERR_OK);
                uint64_t after = test_tree_hash(&volume, "");
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memory_device_undo(&device, 0);
                for (size_t j = 0; j < sizeof faults / sizeof faults[0]; j++)
                        for (uint32_t n = 0; meet(&faults[j], &steps[i], n, before, after); n = next_after(n))
                                continue;
        }
        memory_device_free(&device);
}

/* A chain that a failed read left half freed is not forgotten for the next one. */
static void test_two_chains(void **state)
{
        (void)state;
        static const struct step steps_of_two[] = {
                {TRUNCATE, "big", NULL, 0, 1000}, {REMOVE, "d/other", NULL, 0, 0}};
        setup();
        for (uint32_t n = 0; n < 300; n += test_is_slow() ? 29 : 7) {
                assert_int_equal(mount(), FAT_CLEAN);
                plan.what = READ;
                plan.err = ERR_IO;
                plan.lasts = plan.has_failed = false;
                plan.left = n;
                enum err err = play(&volume, &steps_of_two[0]);
                assert_int_equal(err, plan.has_failed ? ERR_IO : ERR_OK);
                plan.left = UINT32_MAX;
                assert_int_equal(play(&volume, &steps_of_two[1]), ERR_OK);
                assert_int_equal(test_check(&volume, false, true), 0);
                assert_int_equal(fat_unmount(&volume), ERR_OK);
                memory_device_undo(&device, 0);
        }
        memory_device_free(&device);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_faults),
                cmocka_unit_test(test_two_chains),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
