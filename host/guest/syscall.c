/* SPDX-License-Identifier: ISC */
/* The system that musl believes to stand on: console, memory, clocks, randomness and an end. Everything else is refused,
 * so whatever would need it fails as on a system without that call. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "host/guest/inside.h"
#include "host/guest/pages.h"

static struct pages memory;

void syscall_init(char *heap, char *heap_end)
{
        pages_init(&memory, heap, heap_end);
}

size_t guest_memory_free(void)
{
        return memory.free * PAGE_SIZE;
}

void *syscall_take_chunk(void)
{
        return pages_take_aligned(&memory, MACHINE_CHUNK);
}

void syscall_give_chunk(void *chunk)
{
        if (chunk != NULL)
                pages_give(&memory, chunk, MACHINE_CHUNK);
}

static long write_out(long fd, const char *from, size_t n)
{
        if (fd != 1 && fd != 2)
                return -EBADF;
        machine_console(str_of(from, n));
        return (long)n;
}

static long write_parts(long fd, const struct iovec *parts, long count)
{
        long total = 0;
        for (long i = 0; i < count; i++) {
                long n = parts[i].iov_len > 0 ? write_out(fd, parts[i].iov_base, parts[i].iov_len) : 0;
                if (n < 0)
                        return n;
                total += n;
        }
        return total;
}

static long map(size_t n, long flags)
{
        if ((flags & MAP_ANONYMOUS) == 0 || (flags & MAP_FIXED) != 0)
                return -ENODEV;
        void *p = pages_take(&memory, n);
        return p == NULL ? -ENOMEM : (long)p;
}

static long read_clock(long clock, struct timespec *out)
{
        uint64_t ns;
        if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
                ns = guest_wall_ns();
        else if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME)
                ns = machine_now_ns();
        else
                return -EINVAL;
        *out = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
        return 0;
}

long guest_syscall(long n, long a, long b, long c, long d, long e, long f)
{
        (void)e;
        (void)f;
        switch (n) {
        case SYS_write:
                return write_out(a, (const char *)b, (size_t)c);
        case SYS_writev:
                return write_parts(a, (const struct iovec *)b, c);
        case SYS_mmap:
                return map((size_t)b, d);
        case SYS_munmap:
                pages_give(&memory, (void *)a, (size_t)b);
                return 0;
        case SYS_mremap: /* musl then copies */
                return -ENOMEM;
        case SYS_brk: /* musl then maps */
                return 0;
        case SYS_clock_gettime:
                return read_clock(a, (struct timespec *)b);
        case SYS_getrandom:
                random_bytes((void *)a, (size_t)b);
                return b;
        case SYS_tkill: /* of abort() */
                machine_exit(128 + (int)b);
        case SYS_exit:
        case SYS_exit_group:
                machine_exit((int)a);
        case SYS_set_tid_address:
        case SYS_gettid:
        case SYS_getpid:
                return 1;
        case SYS_mprotect:
        case SYS_madvise:
        case SYS_rt_sigaction:
        case SYS_rt_sigprocmask:
                return 0;
        case SYS_ioctl:
                return -ENOTTY;
        case SYS_open:
        case SYS_openat:
                return -ENOENT;
        default:
                return -ENOSYS;
        }
}
