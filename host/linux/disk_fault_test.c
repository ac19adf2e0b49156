/* SPDX-License-Identifier: ISC */
/* Disks that fail: the system calls of disk.c are answered by this file, which hands them on or spoils them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/linux/linux.h"

enum call { READ, WRITE, RESERVE, CUT, FLUSH, FLUSH_FOLDER, CALLS };

/* What happens to one kind of call: the first `passes` go through, the next `times` are spoiled. */
struct fault {
        unsigned passes, times;
        int error;   /* the errno; 0: the call is cut short instead, to `bytes` */
        size_t part; /* what a short read or write takes */
};

static struct fault faults[CALLS];
static unsigned calls[CALLS];

static bool is_spoiled(enum call call)
{
        struct fault *f = &faults[call];
        calls[call]++;
        if (f->passes > 0) {
                f->passes--;
                return false;
        }
        if (f->times == 0)
                return false;
        f->times--;
        errno = f->error;
        return true;
}

ssize_t pread(int fd, void *into, size_t n, off_t at)
{
        if (is_spoiled(READ)) {
                if (faults[READ].error != 0)
                        return -1;
                n = faults[READ].part;
        }
        return n == 0 ? 0 : (ssize_t)syscall(SYS_pread64, fd, into, n, at);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
        if (is_spoiled(WRITE)) {
                if (faults[WRITE].error != 0)
                        return -1;
                n = faults[WRITE].part;
        }
        return n == 0 ? 0 : (ssize_t)syscall(SYS_pwrite64, fd, from, n, at);
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
        return is_spoiled(RESERVE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, n);
}

int ftruncate(int fd, off_t size)
{
        return is_spoiled(CUT) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
        return is_spoiled(FLUSH) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
        return is_spoiled(FLUSH_FOLDER) ? -1 : (int)syscall(SYS_fsync, fd);
}

struct disk {
        struct host *h;
        struct host_block *b;
        char folder[64], path[96];
        struct str name;
        size_t ok, failed;
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
        memset(faults, 0, sizeof faults);
        memset(calls, 0, sizeof calls);
        snprintf(d.folder, sizeof d.folder, "/tmp/ptt-fault-XXXXXX");
        assert_non_null(mkdtemp(d.folder));
        snprintf(d.path, sizeof d.path, "%s/block", d.folder);
        d.name = str_of_c(d.path);
        linux_host_run(d.h, run_body, &d);
        linux_host_free(d.h);
        (void)unlink(d.path);
        assert_int_equal(rmdir(d.folder), 0);
}

static void spoil(enum call call, struct fault fault)
{
        faults[call] = fault;
}

static void open_block(struct disk *d, uint64_t size)
{
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_OK);
        assert_int_equal(host_block_resize(d->h, d->b, size), ERR_OK);
}

static void expect_dead(struct disk *d)
{
        unsigned writes = calls[WRITE], flushes = calls[FLUSH];
        char c;
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(host_block_write(d->h, d->b, 0, S("x")), ERR_IO);
                assert_int_equal(host_block_flush(d->h, d->b), ERR_IO);
        }
        assert_int_equal(calls[WRITE], writes); /* the disk is not even asked: it might say yes */
        assert_int_equal(calls[FLUSH], flushes);
        assert_int_equal(host_block_read(d->h, d->b, 0, &c, 1), ERR_OK);
}

/* One failed flush is enough: the kernel forgets it and says yes the next time, though the bytes are lost. */
static void failed_flush(struct disk *d)
{
        open_block(d, 4096);
        assert_int_equal(host_block_write(d->h, d->b, 0, S("first")), ERR_OK);
        assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        spoil(FLUSH, (struct fault){.times = 1, .error = EIO});
        assert_int_equal(host_block_write(d->h, d->b, 0, S("second")), ERR_OK);
        assert_int_equal(host_block_flush(d->h, d->b), ERR_IO);
        expect_dead(d);
        host_block_close(d->h, d->b);
}

static void flush_one(void *arg)
{
        struct disk *d = arg;
        enum err err = host_block_flush(d->h, d->b);
        d->ok += err == ERR_OK;
        d->failed += err == ERR_IO;
}

/* Of twenty who wait, the first had its flush begun before; it and all others hear of the failure. */
static void failed_flush_of_many(struct disk *d)
{
        struct scope scope;
        open_block(d, 4096);
        spoil(FLUSH, (struct fault){.passes = 1, .times = 1, .error = EIO});
        scope_open(&scope, d->h->sched, FIBER_NEVER);
        for (unsigned i = 0; i < 20; i++)
                assert_int_equal(scope_spawn(&scope, "flush", flush_one, d), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(d->ok, 1);
        assert_int_equal(d->failed, 19);
        expect_dead(d);
        host_block_close(d->h, d->b);
}

/* ENOSPC from a flush is no "try again": what was written is lost already. */
static void full_at_flush(struct disk *d)
{
        open_block(d, 4096);
        assert_int_equal(host_block_write(d->h, d->b, 0, S("x")), ERR_OK);
        spoil(FLUSH, (struct fault){.times = 1, .error = ENOSPC});
        assert_int_equal(host_block_flush(d->h, d->b), ERR_IO);
        expect_dead(d);
        host_block_close(d->h, d->b);
}

static void failed_write(struct disk *d)
{
        static const struct {
                const char *name;
                struct fault fault;
                enum err err;
        } cases[] = {
                {"an error", {.times = 1, .error = EIO}, ERR_IO},
                {"an error behind a short write", {.times = 1, .part = 2}, ERR_OK},
                {"nothing is written", {.times = 1}, ERR_IO},
                {"interrupted", {.times = 3, .error = EINTR}, ERR_OK},
                {"no space", {.times = 1, .error = ENOSPC}, ERR_FULL},
                {"over the quota", {.times = 1, .error = EDQUOT}, ERR_FULL},
                {"read only behind our back", {.times = 1, .error = EROFS}, ERR_IO},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char bytes[5];
                open_block(d, 4096);
                spoil(WRITE, cases[i].fault);
                enum err err = host_block_write(d->h, d->b, 100, S("bytes"));
                if (err != cases[i].err)
                        fail_msg("%s: %d, not %d", cases[i].name, (int)err, (int)cases[i].err);
                if (err == ERR_OK) {
                        assert_int_equal(host_block_read(d->h, d->b, 100, bytes, 5), ERR_OK);
                        assert_memory_equal(bytes, "bytes", 5);
                }
                if (err == ERR_IO)
                        expect_dead(d);
                else
                        assert_int_equal(host_block_write(d->h, d->b, 0, S("goes on")), ERR_OK);
                host_block_close(d->h, d->b);
                memset(faults, 0, sizeof faults);
        }
}

/* A read that fails promises nothing, and takes nothing away: the next may do. */
static void failed_read(struct disk *d)
{
        char bytes[5];
        open_block(d, 4096);
        assert_int_equal(host_block_write(d->h, d->b, 100, S("bytes")), ERR_OK);
        spoil(READ, (struct fault){.times = 1, .error = EIO});
        assert_int_equal(host_block_read(d->h, d->b, 100, bytes, 5), ERR_IO);
        spoil(READ, (struct fault){.times = 2, .error = EINTR});
        assert_int_equal(host_block_read(d->h, d->b, 100, bytes, 5), ERR_OK);
        spoil(READ, (struct fault){.times = 1, .part = 3});
        assert_int_equal(host_block_read(d->h, d->b, 100, bytes, 5), ERR_OK);
        assert_memory_equal(bytes, "bytes", 5);
        assert_int_equal(truncate(d->path, 50), 0);
        assert_int_equal(host_block_read(d->h, d->b, 100, bytes, 5), ERR_IO); /* not zeros, not for ever */
        host_block_close(d->h, d->b);
}

/* A file system that cannot reserve gets zeros, whose space is really taken. */
static void reserve_by_zeros(struct disk *d)
{
        enum { SIZE = 200 * 1000 };
        static char bytes[SIZE];
        struct stat st;
        static const int errors[] = {EOPNOTSUPP, ENOSYS};
        for (size_t i = 0; i < 2; i++) {
                open_block(d, 10);
                assert_int_equal(host_block_write(d->h, d->b, 0, S("0123456789")), ERR_OK);
                calls[WRITE] = 0;
                spoil(RESERVE, (struct fault){.times = 1, .error = errors[i]});
                spoil(WRITE, (struct fault){.times = 1, .part = 1000});
                assert_int_equal(host_block_resize(d->h, d->b, SIZE), ERR_OK);
                assert_true(calls[WRITE] >= 4);
                assert_int_equal(host_block_size(d->h, d->b), SIZE);
                assert_int_equal(stat(d->path, &st), 0);
                assert_int_equal(st.st_size, SIZE);
                assert_true(st.st_blocks * 512 >= SIZE);
                assert_int_equal(host_block_read(d->h, d->b, 0, bytes, SIZE), ERR_OK);
                assert_memory_equal(bytes, "0123456789", 10);
                for (size_t k = 10; k < SIZE; k++)
                        assert_int_equal(bytes[k], 0);
                host_block_close(d->h, d->b);
                assert_int_equal(unlink(d->path), 0);
        }
}

/* The space ends in the middle of the zeros: what was taken is given back, and the block goes on at its old size. */
static void zeros_fill_the_disk(struct disk *d)
{
        struct stat st;
        open_block(d, 1000);
        spoil(RESERVE, (struct fault){.times = 1, .error = EOPNOTSUPP});
        spoil(WRITE, (struct fault){.passes = 2, .times = 1, .error = ENOSPC});
        assert_int_equal(host_block_resize(d->h, d->b, 1000 * 1000), ERR_FULL);
        assert_int_equal(host_block_size(d->h, d->b), 1000);
        assert_int_equal(stat(d->path, &st), 0);
        assert_int_equal(st.st_size, 1000);
        assert_int_equal(host_block_write(d->h, d->b, 990, S("0123456789")), ERR_OK);
        assert_int_equal(host_block_flush(d->h, d->b), ERR_OK);
        host_block_close(d->h, d->b);
}

static void failed_resize(struct disk *d)
{
        open_block(d, 1000);
        spoil(RESERVE, (struct fault){.times = 2, .error = EINTR});
        assert_int_equal(host_block_resize(d->h, d->b, 2000), ERR_OK);
        spoil(RESERVE, (struct fault){.times = 1, .error = ENOSPC});
        assert_int_equal(host_block_resize(d->h, d->b, 3000), ERR_FULL);
        assert_int_equal(host_block_size(d->h, d->b), 2000);
        /* and what is there in part cannot be given back: the file is not what we say it is */
        spoil(RESERVE, (struct fault){.times = 1, .error = ENOSPC});
        spoil(CUT, (struct fault){.times = 1, .error = EIO});
        assert_int_equal(host_block_resize(d->h, d->b, 3000), ERR_IO);
        expect_dead(d);
        host_block_close(d->h, d->b);
}

static void resize_on_a_dead_disk(struct disk *d)
{
        open_block(d, 1000);
        spoil(RESERVE, (struct fault){.times = 1, .error = EIO});
        assert_int_equal(host_block_resize(d->h, d->b, 2000), ERR_IO);
        expect_dead(d);
        assert_int_equal(host_block_resize(d->h, d->b, 2000), ERR_IO);
        assert_int_equal(host_block_size(d->h, d->b), 1000);
        host_block_close(d->h, d->b);
}

/* Many sessions may take the last descriptor. That is no failure of the disk: it passes when they go. */
static void no_descriptor_left(struct disk *d)
{
        struct rlimit limit, low;
        open_block(d, 100);
        host_block_close(d->h, d->b);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        int next = dup(0);
        close(next);
        low = limit;
        low.rlim_cur = (rlim_t)next;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        assert_int_equal(host_block_open(d->h, d->name, false, &d->b), ERR_MEMORY);
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_MEMORY);
        low.rlim_cur = (rlim_t)next + 1; /* for the block, none for its folder */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_MEMORY);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_OK);
        host_block_close(d->h, d->b);
}

/* A new block whose folder could not be flushed may be gone after a crash: it is not there until it is for sure. */
static void folder_not_flushed(struct disk *d)
{
        for (unsigned i = 0; i < 2; i++) {
                spoil(FLUSH_FOLDER, (struct fault){.times = 1, .error = EIO});
                assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_IO);
                assert_null(d->b);
        }
        calls[FLUSH_FOLDER] = 0;
        assert_int_equal(host_block_open(d->h, d->name, true, &d->b), ERR_OK);
        assert_int_equal(calls[FLUSH_FOLDER], 1);
        host_block_close(d->h, d->b);
}

#define DISK_CASE(body)                       \
        static void test_##body(void **state) \
        {                                     \
                (void)state;                  \
                play(body);                   \
        }

DISK_CASE(failed_flush)
DISK_CASE(failed_flush_of_many)
DISK_CASE(full_at_flush)
DISK_CASE(failed_write)
DISK_CASE(failed_read)
DISK_CASE(reserve_by_zeros)
DISK_CASE(zeros_fill_the_disk)
DISK_CASE(failed_resize)
DISK_CASE(resize_on_a_dead_disk)
DISK_CASE(no_descriptor_left)
DISK_CASE(folder_not_flushed)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_failed_flush),
                cmocka_unit_test(test_failed_flush_of_many),
                cmocka_unit_test(test_full_at_flush),
                cmocka_unit_test(test_failed_write),
                cmocka_unit_test(test_failed_read),
                cmocka_unit_test(test_reserve_by_zeros),
                cmocka_unit_test(test_zeros_fill_the_disk),
                cmocka_unit_test(test_failed_resize),
                cmocka_unit_test(test_resize_on_a_dead_disk),
                cmocka_unit_test(test_no_descriptor_left),
                cmocka_unit_test(test_folder_not_flushed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
