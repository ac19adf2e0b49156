/* SPDX-License-Identifier: ISC */
/* Preloaded into a program under test: a disk that fails on demand. While the file $BAD_DISK.flush (or $BAD_DISK.write)
 * exists, the flushes (or writes) of the program fail with EIO, all but the first few: as many as its text says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong flushes, writes;

static bool is_bad(const char *kind, atomic_ulong *count)
{
        char path[4096], text[32] = "";
        const char *base = getenv("BAD_DISK");
        if (base == NULL || snprintf(path, sizeof path, "%s.%s", base, kind) >= (int)sizeof path)
                return false;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        if (n < 0 || atomic_fetch_add(count, 1) < strtoul(text, NULL, 10))
                return false;
        errno = EIO;
        return true;
}

int fdatasync(int fd)
{
        return is_bad("flush", &flushes) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
        return is_bad("flush", &flushes) ? -1 : (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
        return is_bad("write", &writes) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
        return is_bad("write", &writes) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, from, n, at);
}
