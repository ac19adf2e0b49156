/* SPDX-License-Identifier: ISC */
/* Thousands of random calls against a model, with a power cut now and then: after it the volume is what the model was
 * before or after the call that was cut, and bytes that were flushed are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fat/test_tree.h"

#define NOW 1763836800
#define FILES 12
#define BYTES 9000
#define STEPS 4000

static const char *const names[FILES] = {"A", "b.txt", "a long name of a file", "d/C",
        "d/another long name.txt", "d/e/F", "d/e/g g", "Gr\xc3\xbc\xc3\x9f.t", "d/0000", "d/0001",
        "d/a name that takes more than one sector of slots, or nearly so as it has ninety-nine letters", "z"};

struct content {
        bool exists;
        size_t n;
        uint8_t bytes[BYTES];
};

static struct memory_device device;
static struct fat volume;
static struct content now[FILES], before[FILES];

static uint32_t pick(uint32_t below)
{
        return (uint32_t)(memory_random(&device) >> 20) % below;
}

static bool is_same(const struct content *c, size_t i)
{
        struct fat_file file;
        uint8_t bytes[BYTES + 1];
        size_t got;
        enum err err = fat_file_open(&volume, &file, str_of_c(names[i]), FAT_OPEN, NOW);
        if (err != ERR_OK)
                return err == ERR_NOT_FOUND && !c->exists;
        err = fat_read(&file, 0, bytes, sizeof bytes, &got);
        fat_file_close(&file);
        return err == ERR_OK && c->exists && got == c->n && memcmp(bytes, c->bytes, got) == 0;
}

static bool is_all_same(const struct content *model)
{
        for (size_t i = 0; i < FILES; i++)
                if (!is_same(&model[i], i))
                        return false;
        return true;
}

static void put(struct content *c, size_t at, const uint8_t *bytes, size_t n)
{
        if (at > c->n)
                memset(c->bytes + c->n, 0, at - c->n);
        memcpy(c->bytes + at, bytes, n);
        c->n = at + n > c->n ? at + n : c->n;
}

/* A call inside one file; the model follows only if it succeeds. In-place writes stay within a sector, so that they too
 * are whole or not there. */
static enum err in_file(size_t i, uint32_t what)
{
        static uint8_t bytes[BYTES];
        struct content *c = &now[i];
        struct fat_file file;
        for (size_t j = 0; j < sizeof bytes; j++)
                bytes[j] = (uint8_t)memory_random(&device);
        enum err err = fat_file_open(&volume, &file, str_of_c(names[i]), FAT_OPEN, NOW);
        if (err != ERR_OK)
                return err;
        size_t at = c->n, n = 1 + pick(3000);
        if (what == 0) { /* append, sometimes behind a gap */
                at += pick(3) == 0 ? pick(700) : 0;
                if (at + n <= BYTES) {
                        put(c, at, bytes, n);
                        err = fat_write(&file, at, bytes, n, NOW);
                }
        } else if (what == 1 && c->n > 0) {
                at = pick((uint32_t)c->n);
                n = 1 + pick((uint32_t)(512 - at % 512));
                n = n < c->n - at ? n : c->n - at;
                put(c, at, bytes, n);
                err = fat_write(&file, at, bytes, n, NOW);
                if (err == ERR_OK)
                        err = fat_flush(&volume);
        } else if (what == 2) {
                c->n = pick((uint32_t)c->n + 1);
                err = fat_truncate(&file, (uint32_t)c->n, NOW);
        } else if (what == 3 && c->n + n <= BYTES) {
                memset(c->bytes + c->n, 0, n);
                c->n += n;
                err = fat_preallocate(&file, c->n, NOW);
        }
        fat_file_close(&file);
        return err;
}

static enum err create(size_t i)
{
        struct fat_file file;
        now[i].exists = true;
        enum err err = fat_file_open(&volume, &file, str_of_c(names[i]), FAT_OPEN_CREATE, NOW);
        if (err == ERR_OK)
                fat_file_close(&file);
        return err;
}

static enum err step(void)
{
        size_t i = pick(FILES), j = pick(FILES);
        uint32_t what = pick(8);
        memcpy(before, now, sizeof now);
        if (!now[i].exists)
                return create(i);
        if (what < 5)
                return in_file(i, what < 4 ? what : 0);
        if (what == 5) {
                now[i] = (struct content){.exists = false};
                return fat_remove(&volume, str_of_c(names[i]));
        }
        if (i != j) {
                now[j] = now[i];
                now[i] = (struct content){.exists = false};
        }
        return fat_rename(&volume, str_of_c(names[i]), str_of_c(names[j]));
}

static void mount(enum fat_state *state)
{
        struct fat_device face = memory_device_face(&device);
        assert_int_equal(fat_mount(&volume, &face, FAT_WRITE, state), ERR_OK);
}

static void play(uint64_t size, uint32_t sector_size, uint64_t seed)
{
        enum fat_state state;
        unsigned cuts = 0, replays = 0, done = 0;
        memory_device_init(&device, size, sector_size);
        device.random = seed;
        memset(now, 0, sizeof now);
        struct fat_device face = memory_device_face(&device);
        assert_int_equal(
                fat_format(&face, &(struct fat_format){.serial = 9, .now_s = NOW, .is_blank = true}), ERR_OK);
        mount(&state);
        assert_int_equal(fat_mkdir(&volume, S("d"), NOW), ERR_OK);
        assert_int_equal(fat_mkdir(&volume, S("d/e"), NOW), ERR_OK);
        memory_device_mark(&device);
        for (unsigned i = 0; i < STEPS; i++) {
                if (pick(20) == 0)
                        device.cut_at = device.operations + pick(40);
                enum err err = step();
                if (err == ERR_OK)
                        continue;
                if (err != ERR_IO)
                        fail_msg("seed %u, step %u: %s", (unsigned)seed, i, err_text(err));
                assert_int_equal(fat_unmount(&volume), ERR_IO);
                memory_device_crash(&device, (enum memory_crash)pick(MEMORY_CRASHES));
                memory_device_mark(&device);
                mount(&state);
                assert_int_not_equal(state, FAT_CLEAN);
                cuts++;
                replays += state == FAT_REPLAYED;
                bool is_done = is_all_same(now);
                done += is_done;
                if (!is_done && !is_all_same(before))
                        fail_msg("seed %u, step %u: neither before nor after", (unsigned)seed, i);
                if (!is_done)
                        memcpy(now, before, sizeof now);
                if (test_check(&volume, false, true) != 0)
                        fail_msg("seed %u, step %u: damaged", (unsigned)seed, i);
        }
        device.cut_at = UINT64_MAX;
        assert_true(is_all_same(now));
        assert_int_equal(test_check(&volume, false, true), 0);
        (void)!fat_unmount(&volume);
        assert_true(cuts > 50 && replays > 5 && done > 5); /* all of it was tried */
        memory_device_free(&device);
}

static void test_random(void **state)
{
        (void)state;
        play(34 << 20, 512, 1);
        play(34 << 20, 512, 20251122);
        play(260 << 20, 4096, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
