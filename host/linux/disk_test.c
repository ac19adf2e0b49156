/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/linux/linux.h"

struct disk {
        struct host *h;
        struct host_block *b;
        char folder[64], path[96];
        struct str name;
        size_t ticks, flushed;
        bool stop;
        enum err err;
        void (*body)(struct disk *d);
};

static void run_body(void *arg)
{
        struct disk *d = arg;
        d->body(d);
}

static void play(void (*body)(struct disk *d))
{
        struct disk d = {.h = linux_host_new(NULL), .body = body};
        assert_non_null(d.h);
        snprintf(d.folder, sizeof d.folder, "/tmp/ptt-disk-XXXXXX");
        assert_non_null(mkdtemp(d.folder));
        snprintf(d.path, sizeof d.path, "%s/block", d.folder);
        d.name = str_of_c(d.path);
        linux_host_run(d.h, run_body, &d);
        linux_host_free(d.h);
        (void)unlink(d.path);
        assert_int_equal(rmdir(d.folder), 0);
}

static void open_block(struct disk *d, uint64_t size)
{
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_OK);
        assert_int_equal(host_block_resize(d->h, d->b, size), ERR_OK);
        assert_int_equal(host_block_size(d->h, d->b), size);
}

static void write_and_reopen(struct disk *d)
{
        char bytes[16];
        assert_int_equal(host_block_open(d->h, d->name, false, &d->b), ERR_NOT_FOUND);
        assert_null(d->b);
        open_block(d, 10000);
        assert_int_equal(host_block_read(d->h, d->b, 9984, bytes, 16), ERR_OK);
        assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
        assert_int_equal(host_block_write(d->h, d->b, 9997, S("end")), ERR_OK);
        assert_int_equal(host_block_write(d->h, d->b, 0, S("start")), ERR_OK);
        assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        host_block_close(d->h, d->b);
        assert_int_equal(host_block_open(d->h, d->name, false, &d->b), ERR_OK);
        assert_int_equal(host_block_size(d->h, d->b), 10000);
        assert_int_equal(host_block_read(d->h, d->b, 9997, bytes, 3), ERR_OK);
        assert_memory_equal(bytes, "end", 3);
        assert_int_equal(host_block_read(d->h, d->b, 0, bytes, 5), ERR_OK);
        assert_memory_equal(bytes, "start", 5);
        host_block_close(d->h, d->b);
}

static void test_write_and_reopen(void **state)
{
        (void)state;
        play(write_and_reopen);
}

static void outside(struct disk *d)
{
        static const struct {
                uint64_t at;
                size_t n;
                enum err err;
        } cases[] = {
                {0, 100, ERR_OK},
                {100, 0, ERR_OK},
                {99, 1, ERR_OK},
                {99, 2, ERR_LIMIT},
                {100, 1, ERR_LIMIT},
                {101, 0, ERR_LIMIT},
                {UINT64_MAX, 1, ERR_LIMIT},
                {UINT64_MAX - 50, 100, ERR_LIMIT},
        };
        char bytes[100] = {0};
        open_block(d, 100);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(host_block_read(d->h, d->b, cases[i].at, bytes, cases[i].n), cases[i].err);
                assert_int_equal(
                        host_block_write(d->h, d->b, cases[i].at, str_of(bytes, cases[i].n)), cases[i].err);
        }
        assert_int_equal(host_block_size(d->h, d->b), 100);
        host_block_close(d->h, d->b);
}

static void test_outside(void **state)
{
        (void)state;
        play(outside);
}

static void locked_twice(struct disk *d)
{
        struct host_block *second;
        open_block(d, 100);
        assert_int_equal(host_block_open(d->h, d->name, false, &second), ERR_BUSY);
        assert_int_equal(host_block_open(d->h, d->name, true, &second), ERR_BUSY);
        assert_null(second);
        host_block_close(d->h, d->b);
        assert_int_equal(host_block_open(d->h, d->name, false, &second), ERR_OK);
        host_block_close(d->h, second);
}

static void test_locked_twice(void **state)
{
        (void)state;
        play(locked_twice);
}

static void names(struct disk *d)
{
        static char longest[5000];
        memset(longest, 'a', sizeof longest);
        const struct {
                struct str name;
                enum err err;
        } cases[] = {
                {S(""), ERR_NOT_FOUND},
                {S("/dev/null\0x"), ERR_NOT_FOUND},
                {str_of(longest, sizeof longest), ERR_NOT_FOUND},
                {S("/nowhere/at/all"), ERR_NOT_FOUND},
                {S("/dev/null/x"), ERR_NOT_FOUND},
                {S("/tmp"), ERR_DENIED},
                {S("/dev/null"), ERR_DENIED},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(host_block_open(d->h, cases[i].name, true, &d->b), cases[i].err);
                assert_null(d->b);
        }
        assert_int_equal(mkfifo(d->path, 0600), 0); /* opening one must not wait for its other end */
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_DENIED);
}

static void test_names(void **state)
{
        (void)state;
        play(names);
}

static void resize(struct disk *d)
{
        struct stat st;
        open_block(d, 1024 * 1024);
        assert_int_equal(stat(d->path, &st), 0);
        assert_true(st.st_blocks * 512 >= 1024 * 1024); /* really reserved */
        assert_int_equal(host_block_write(d->h, d->b, 1024 * 1024 - 1, S("x")), ERR_OK);
        struct rlimit limit, low;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        low = limit;
        low.rlim_cur = 2 * 1024 * 1024;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        assert_int_equal(host_block_resize(d->h, d->b, 3 * 1024 * 1024), ERR_FULL);
        assert_int_equal(host_block_size(d->h, d->b), 1024 * 1024);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(host_block_resize(d->h, d->b, UINT64_MAX), ERR_FULL);
        assert_int_equal(host_block_resize(d->h, d->b, INT64_MAX), ERR_FULL);
        assert_int_equal(stat(d->path, &st), 0);
        assert_int_equal(st.st_size, 1024 * 1024);
        /* being full is no failure of the disk */
        assert_int_equal(host_block_resize(d->h, d->b, 100), ERR_OK);
        assert_int_equal(host_block_write(d->h, d->b, 100, S("x")), ERR_LIMIT);
        assert_int_equal(host_block_resize(d->h, d->b, 1024 * 1024), ERR_OK);
        char c = 1;
        assert_int_equal(host_block_read(d->h, d->b, 1024 * 1024 - 1, &c, 1), ERR_OK);
        assert_int_equal(c, 0); /* what was cut off does not come back */
        assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        host_block_close(d->h, d->b);
}

static void test_resize(void **state)
{
        (void)state;
        play(resize);
}

static void tick(void *arg)
{
        struct disk *d = arg;
        while (!d->stop) {
                d->ticks++;
                fiber_yield(d->h->sched);
        }
}

static void flush_once(void *arg)
{
        struct disk *d = arg;
        assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        d->flushed++;
}

/* While one fiber waits for the disk, others run; many flushes at once all end. */
static void others_run(struct disk *d)
{
        enum { SIZE = 16 * 1024 * 1024, FLUSHES = 50 };
        struct scope scope, flushes;
        char *much = malloc(SIZE);
        assert_non_null(much);
        memset(much, 0x5a, SIZE);
        open_block(d, SIZE);
        assert_int_equal(host_block_write(d->h, d->b, 0, str_of(much, SIZE)), ERR_OK);
        free(much);
        scope_open(&scope, d->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "tick", tick, d), ERR_OK);
        for (unsigned i = 0; i < 100 && d->ticks <= 10; i++) /* this thread may rest while the disk works */
                assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        assert_true(d->ticks > 10);
        d->stop = true;
        assert_int_equal(scope_join(&scope), ERR_OK);
        scope_open(&flushes, d->h->sched, FIBER_NEVER);
        for (unsigned i = 0; i < FLUSHES; i++)
                assert_int_equal(scope_spawn(&flushes, "flush", flush_once, d), ERR_OK);
        assert_int_equal(scope_join(&flushes), ERR_OK);
        assert_int_equal(d->flushed, FLUSHES);
        host_block_close(d->h, d->b);
}

static void test_others_run(void **state)
{
        (void)state;
        play(others_run);
}

static void flush_cancelled(void *arg)
{
        struct disk *d = arg;
        d->err = host_block_flush(d->h, d->b);
}

/* The flush of a cancelled fiber is still at work when the block is closed: closing waits for it. */
static void close_in_flight(struct disk *d)
{
        struct scope scope;
        open_block(d, 4096);
        assert_int_equal(host_block_write(d->h, d->b, 0, S("x")), ERR_OK);
        scope_open(&scope, d->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "flush", flush_cancelled, d), ERR_OK);
        fiber_yield(d->h->sched);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(d->err, ERR_CANCELLED);
        host_block_close(d->h, d->b);
        assert_int_equal(host_block_open(d->h, d->name, false, &d->b), ERR_OK); /* the lock is gone */
        host_block_close(d->h, d->b);

        assert_int_equal(host_block_open(d->h, d->name, false, &d->b), ERR_OK);
        scope_open(&scope, d->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "flush", flush_once, d), ERR_OK);
        fiber_yield(d->h->sched);
        host_block_close(d->h, d->b); /* a fiber is inside, and gets its answer */
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(d->flushed, 1);
}

static void test_close_in_flight(void **state)
{
        (void)state;
        play(close_in_flight);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_write_and_reopen),
                cmocka_unit_test(test_outside),
                cmocka_unit_test(test_locked_twice),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_resize),
                cmocka_unit_test(test_others_run),
                cmocka_unit_test(test_close_in_flight),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
