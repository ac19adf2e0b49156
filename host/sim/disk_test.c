/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/sim/disk.h"

#define SECTOR SIM_DISK_SECTOR
#define SIZE (100 * SECTOR + 100)

struct rig {
        struct sim_disk *d;
        struct host_block *b;
        struct sched *s;
        int64_t now_ms;
        uint64_t random;
        bool is_early; /* the power goes while a flush runs */
        enum err flushed;
};

static uint64_t below(struct rig *r, uint64_t bound)
{
        r->random = r->random * 6364136223846793005u + 1442695040888963407u;
        return (r->random >> 33) % bound;
}

static int set_up(void **state)
{
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        r->d = sim_disk_new(SIZE);
        assert_int_equal(sim_disk_open(r->d, NULL, &r->b), ERR_OK);
        *state = r;
        return 0;
}

static int tear_down(void **state)
{
        struct rig *r = *state;
        sim_block_close(r->b);
        sim_disk_free(r->d);
        free(r);
        return 0;
}

static void fill(struct rig *r, uint64_t at, char c, size_t n)
{
        char *bytes = malloc(n);
        assert_non_null(bytes);
        memset(bytes, c, n);
        assert_int_equal(sim_block_write(r->b, at, bytes, n), ERR_OK);
        free(bytes);
}

/* The first byte of each sector, as a text. */
static const char *heads(const struct rig *r, char out[8])
{
        for (size_t i = 0; i < 7; i++) {
                sim_disk_get(r->d, i * SECTOR, &out[i], 1);
                out[i] = out[i] != 0 ? out[i] : '.';
        }
        out[7] = 0;
        return out;
}

static void reopen(struct rig *r)
{
        sim_block_close(r->b);
        assert_int_equal(sim_disk_open(r->d, NULL, &r->b), ERR_OK);
}

static void test_bytes(void **state)
{
        struct rig *r = *state;
        char bytes[3000], expected[3000] = {0};
        memset(bytes, 1, sizeof bytes);
        assert_int_equal(sim_block_read(r->b, 700, bytes, sizeof bytes), ERR_OK);
        assert_memory_equal(bytes, expected, sizeof bytes);
        fill(r, 1000, 'a', 2000); /* over several sectors, none of them whole at the ends */
        memset(expected + 300, 'a', 2000);
        assert_int_equal(sim_block_read(r->b, 700, bytes, sizeof bytes), ERR_OK);
        assert_memory_equal(bytes, expected, sizeof bytes);
        fill(r, SIZE - 1, 'z', 1);
        assert_int_equal(sim_block_read(r->b, SIZE - 1, bytes, 1), ERR_OK);
        assert_int_equal(bytes[0], 'z');
        assert_int_equal(r->d->writes, 2);
        assert_int_equal(r->d->reads, 3);
        assert_int_equal(r->d->operations, 2);
        struct host_block *second;
        assert_int_equal(sim_disk_open(r->d, NULL, &second), ERR_BUSY);
        assert_null(second);
        reopen(r);
}

static void test_resize(void **state)
{
        struct rig *r = *state;
        char byte = 1;
        fill(r, SECTOR + 5, 'a', SECTOR);
        assert_int_equal(sim_block_resize(r->b, SECTOR + 6), ERR_OK);
        assert_int_equal(sim_block_size(r->b), SECTOR + 6);
        assert_int_equal(sim_block_resize(r->b, 1 << 20), ERR_OK);
        assert_int_equal(sim_block_size(r->b), 1 << 20);
        assert_int_equal(sim_block_read(r->b, SECTOR + 5, &byte, 1), ERR_OK);
        assert_int_equal(byte, 'a');
        assert_int_equal(sim_block_read(r->b, SECTOR + 6, &byte, 1), ERR_OK);
        assert_int_equal(byte, 0); /* what was cut off does not come back */
        r->d->faults.size_max = 2 << 20;
        assert_int_equal(sim_block_resize(r->b, (2 << 20) + 1), ERR_FULL);
        assert_int_equal(sim_block_resize(r->b, 2 << 20), ERR_OK);
        sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_int_equal(r->d->size, SIZE);
        sim_disk_get(r->d, SECTOR + 6, &byte, 1);
        assert_int_equal(byte, 0); /* never flushed */
}

/* Sectors 0 and 1 are flushed; then sector 1, then 2 to 4, then 1 again, then 5 and 6. */
static void write_some(struct rig *r)
{
        fill(r, 0, 'a', 2 * SECTOR);
        assert_int_equal(sim_block_flush(r->b), ERR_OK);
        fill(r, SECTOR, 'b', SECTOR);
        fill(r, 2 * SECTOR, 'c', 3 * SECTOR);
        fill(r, SECTOR + 10, 'd', 10);
        fill(r, SECTOR, 'e', 1);
        fill(r, 5 * SECTOR, 'f', 2 * SECTOR);
}

static void test_crashes(void **state)
{
        static const struct {
                enum sim_disk_crash how;
                const char *all; /* what may be left, each seen at some seed, and nothing else */
        } cases[] = {
                {SIM_DISK_KEEPS_ALL, "aecccff"},
                {SIM_DISK_LOSES_ALL, "aa....."},
                {SIM_DISK_LOSES_LAST, "aeccc.."},
                {SIM_DISK_KEEPS_LAST, "aa...ff"},
                {SIM_DISK_LOSES_ONE, "aecccff abcccff ae...ff aeccc.."},
                {SIM_DISK_TEARS, "aecccf. aeccc.f aecccff aeccc.."},
        };
        struct rig *r = *state;
        char text[8];
        sim_disk_remember(r->d);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                bool seen[4] = {false};
                for (uint64_t seed = 0; seed < 64; seed++) {
                        write_some(r);
                        sim_disk_crash(r->d, cases[i].how, seed);
                        const char *at = strstr(cases[i].all, heads(r, text));
                        assert_non_null(at);
                        seen[(at - cases[i].all) / 8] = true;
                        sim_disk_rewind(r->d, 0);
                        assert_string_equal(heads(r, text), ".......");
                        reopen(r);
                }
                for (size_t k = 0; k < (strlen(cases[i].all) + 1) / 8; k++)
                        assert_true(seen[k]);
        }
}

/* Any mix is one of versions that a sector had; every one of sector 1 comes, and the same seed gives the same. */
static void test_mix(void **state)
{
        struct rig *r = *state;
        char text[8], again[8], seen[] = {'a', 'b', 'e'};
        sim_disk_remember(r->d);
        for (uint64_t seed = 0; seed < 200; seed++) {
                for (unsigned twice = 0; twice < 2; twice++) {
                        write_some(r);
                        assert_int_equal(sim_disk_unflushed(r->d), 8);
                        sim_disk_crash(r->d, SIM_DISK_MIXES, seed);
                        assert_int_equal(sim_disk_unflushed(r->d), 0);
                        heads(r, twice ? again : text);
                        sim_disk_rewind(r->d, 0);
                        reopen(r);
                }
                assert_string_equal(text, again);
                assert_int_equal(text[0], 'a');
                assert_non_null(memchr("abe", text[1], 3));
                for (size_t k = 0; k < sizeof seen; k++)
                        seen[k] = seen[k] == text[1] ? 0 : seen[k];
                for (size_t k = 2; k < 7; k++)
                        assert_true(text[k] == '.' || text[k] == (k < 5 ? 'c' : 'f'));
        }
        assert_memory_equal(seen, "\0\0\0", 3);
}

/* After the crash what is left is durable, and the old handle has no effect. */
static void test_old_handle(void **state)
{
        struct rig *r = *state;
        char text[8];
        struct host_block *next;
        write_some(r);
        sim_disk_crash(r->d, SIM_DISK_LOSES_LAST, 1);
        assert_int_equal(sim_block_write(r->b, 0, "x", 1), ERR_IO);
        assert_int_equal(sim_block_read(r->b, 0, text, 1), ERR_IO);
        assert_int_equal(sim_block_flush(r->b), ERR_IO);
        assert_int_equal(sim_block_resize(r->b, 1), ERR_IO);
        assert_int_equal(sim_disk_open(r->d, NULL, &next), ERR_OK);
        sim_block_close(r->b);
        r->b = next;
        struct host_block *third;
        assert_int_equal(sim_disk_open(r->d, NULL, &third), ERR_BUSY); /* closing the old one freed no lock */
        sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_string_equal(heads(r, text), "aeccc..");
}

static void test_cut(void **state)
{
        struct rig *r = *state;
        char text[8];
        struct host_block *b;
        r->d->faults.cut_at = 3;
        fill(r, 0, 'a', SECTOR);
        assert_int_equal(sim_block_flush(r->b), ERR_OK);
        fill(r, 0, 'b', SECTOR);
        assert_int_equal(sim_block_write(r->b, 0, "c", 1), ERR_IO);
        assert_int_equal(sim_block_flush(r->b), ERR_IO);
        assert_int_equal(sim_block_read(r->b, 0, text, 1), ERR_IO);
        sim_block_close(r->b);
        r->b = NULL;
        assert_int_equal(sim_disk_open(r->d, NULL, &b), ERR_IO);
        assert_int_equal(r->d->operations, 3);
        sim_disk_crash(r->d, SIM_DISK_KEEPS_ALL, 1);
        assert_string_equal(heads(r, text), "b......");
        assert_int_equal(sim_disk_open(r->d, NULL, &r->b), ERR_OK);
        fill(r, 0, 'c', SECTOR);
}

static void test_faults(void **state)
{
        struct rig *r = *state;
        char text[2 * SECTOR];
        struct sim_disk_faults *f = &r->d->faults;
        f->bad_at = 3 * SECTOR;
        f->bad_n = SECTOR;
        assert_int_equal(sim_block_read(r->b, 2 * SECTOR, text, SECTOR), ERR_OK);
        assert_int_equal(sim_block_read(r->b, 2 * SECTOR, text, SECTOR + 1), ERR_IO);
        assert_int_equal(sim_block_read(r->b, 4 * SECTOR - 1, text, 1), ERR_IO);
        assert_int_equal(sim_block_read(r->b, 4 * SECTOR, text, SECTOR), ERR_OK);
        f->write_at = 1;
        fill(r, 0, 'a', SECTOR);
        assert_int_equal(sim_block_write(r->b, 0, "b", 1), ERR_IO);
        f->write_at = SIM_DISK_NEVER;
        assert_int_equal(sim_block_write(r->b, 0, "b", 1), ERR_IO); /* final, until it is opened again */
        assert_int_equal(sim_block_flush(r->b), ERR_IO);
        reopen(r);
        f->flush_at = 1;
        assert_int_equal(sim_block_flush(r->b), ERR_OK);
        assert_int_equal(sim_block_flush(r->b), ERR_IO);
        f->flush_at = SIM_DISK_NEVER;
        assert_int_equal(sim_block_write(r->b, 0, "b", 1), ERR_IO);
        assert_string_equal(heads(r, text), "a......");
}

/* A thin device gives the head of what no longer fits, and goes on where it has pages. */
static void test_thin(void **state)
{
        struct rig *r = *state;
        char bytes[6 * 4096], got[6 * 4096];
        memset(bytes, 'x', sizeof bytes);
        r->d->faults.room = 3 * 4096 + 100;
        assert_int_equal(sim_block_write(r->b, 4096, bytes, 4096), ERR_OK);
        assert_int_equal(sim_block_write(r->b, 3 * 4096, bytes, 4 * 4096), ERR_FULL);
        assert_int_equal(sim_block_read(r->b, 3 * 4096, got, 4 * 4096), ERR_OK);
        memset(bytes + 2 * 4096, 0, 2 * 4096);
        assert_memory_equal(got, bytes, 4 * 4096);
        assert_int_equal(sim_block_write(r->b, 4096, "y", 1), ERR_OK);
        assert_int_equal(sim_block_flush(r->b), ERR_OK);
}

/* What rots stays so through a crash, and can be taken back. */
static void test_rot(void **state)
{
        struct rig *r = *state;
        char text[8];
        sim_disk_remember(r->d);
        write_some(r);
        uint64_t before = r->d->operations;
        sim_disk_flip(r->d, 0, 'a' ^ 'A');
        sim_disk_put(r->d, 4 * SECTOR, "C", 1);
        assert_int_equal(r->d->operations, before + 2);
        assert_string_equal(heads(r, text), "AeccCff");
        sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_string_equal(heads(r, text), "Aa..C..");
        sim_disk_rewind(r->d, before);
        assert_string_equal(heads(r, text), "aecccff");
        sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_string_equal(heads(r, text), "aa.....");
}

/* Random writes, flushes, resizes and crashes: each moment that was passed is there again on the way back. */
static void test_rewind(void **state)
{
        enum { STEPS = 300 };
        struct rig *r = *state;
        static char was[STEPS][SIZE];
        static uint64_t operations[STEPS];
        sim_disk_remember(r->d);
        for (size_t i = 0; i < STEPS; i++) {
                operations[i] = r->d->operations;
                sim_disk_get(r->d, 0, was[i], (size_t)r->d->size);
                memset(was[i] + r->d->size, 'E', SIZE - (size_t)r->d->size);
                if (below(r, 16) == 0) {
                        sim_disk_crash(r->d, (enum sim_disk_crash)below(r, SIM_DISK_CRASHES), (uint64_t)i);
                        reopen(r);
                } else if (below(r, 8) == 0) {
                        assert_int_equal(sim_block_flush(r->b), ERR_OK);
                } else if (below(r, 16) == 0) {
                        assert_int_equal(sim_block_resize(r->b, below(r, SIZE)), ERR_OK);
                } else if (r->d->size > 0) {
                        uint64_t at = below(r, r->d->size), n = below(r, 3000);
                        fill(r, at, (char)('a' + below(r, 26)), n < r->d->size - at ? n : r->d->size - at);
                }
        }
        sim_block_close(r->b);
        r->b = NULL;
        for (size_t i = STEPS; i-- > 0;) {
                static char now[SIZE];
                sim_disk_rewind(r->d, operations[i]);
                sim_disk_get(r->d, 0, now, (size_t)r->d->size);
                memset(now + r->d->size, 'E', SIZE - (size_t)r->d->size);
                assert_memory_equal(now, was[i], SIZE);
        }
        sim_disk_forget(r->d);
}

/* A flush that takes its time covers what was written before it began, and nothing is durable while it runs. */

static int64_t clock_now(void *platform)
{
        return ((struct rig *)platform)->now_ms;
}

static void clock_wait(void *platform, int64_t until_ms)
{
        struct rig *r = platform;
        if (until_ms != FIBER_NEVER && until_ms > r->now_ms)
                r->now_ms = until_ms;
}

static void flush_it(void *arg)
{
        struct rig *r = arg;
        r->flushed = sim_block_flush(r->b);
}

static void slow_main(void *arg)
{
        struct rig *r = arg;
        struct scope scope;
        char text[8];
        scope_open(&scope, r->s, FIBER_NEVER);
        fill(r, 0, 'a', SECTOR);
        assert_int_equal(scope_spawn(&scope, "flush", flush_it, r), ERR_OK);
        assert_int_equal(fiber_sleep(r->s, 5), ERR_OK);
        fill(r, SECTOR, 'b', SECTOR);
        if (r->is_early)
                sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->flushed, r->is_early ? ERR_IO : ERR_OK);
        assert_int_equal(r->now_ms, 10);
        sim_disk_crash(r->d, SIM_DISK_LOSES_ALL, 1);
        assert_string_equal(heads(r, text), r->is_early ? "......." : "a......");
}

static void test_slow_flush(void **state)
{
        struct rig *r = *state;
        for (unsigned i = 0; i < 2; i++) {
                sim_block_close(r->b);
                sim_disk_remember(r->d);
                r->d->flush_ms = 10;
                r->now_ms = 0;
                r->is_early = i == 0;
                struct sched_platform platform = {.now_ms = clock_now, .wait = clock_wait, .platform = r};
                r->s = sched_new(&platform);
                assert_non_null(r->s);
                assert_int_equal(sim_disk_open(r->d, r->s, &r->b), ERR_OK);
                sched_run(r->s, slow_main, r);
                sched_free(r->s);
                sim_disk_rewind(r->d, 0);
        }
}

/* A copy shows what the disk shows, flushed or not, and what stood on it before is gone. */
static void test_copy(void **state)
{
        struct rig *r = *state;
        struct sim_disk *copy = sim_disk_new(2 * SIZE);
        char old[SECTOR], bytes[SIZE], expected[SIZE];
        memset(old, 'o', sizeof old);
        sim_disk_put(copy, 90 * SECTOR, old, sizeof old);
        sim_disk_put(copy, 0, old, sizeof old);
        fill(r, 3 * SECTOR, 'a', SECTOR);
        assert_int_equal(sim_block_flush(r->b), ERR_OK);
        fill(r, 4 * SECTOR, 'b', SECTOR);
        sim_disk_copy(copy, r->d);
        assert_int_equal(copy->size, SIZE);
        sim_disk_crash(copy, SIM_DISK_LOSES_ALL, 1);
        sim_disk_get(copy, 0, bytes, SIZE);
        sim_disk_get(r->d, 0, expected, SIZE);
        assert_memory_equal(bytes, expected, SIZE);
        fill(r, 3 * SECTOR, 'c', SECTOR); /* they share nothing */
        sim_disk_get(copy, 3 * SECTOR, bytes, 1);
        assert_int_equal(bytes[0], 'a');
        sim_disk_free(copy);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_resize, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_crashes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_mix, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_old_handle, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_thin, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_rot, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_rewind, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_slow_flush, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
