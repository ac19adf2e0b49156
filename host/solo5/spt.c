/* SPDX-License-Identifier: ISC */
/* Solo5's spt: the tender has loaded us into its own process, set up a filter of system calls, and jumped here. What is
 * left is listed in its tenders/spt/spt_core.c. (Solo5's include/spt_abi.h, version 2.) */
#include <stddef.h>

#include "host/guest/guest.h"
#include "host/guest/machine.h"
#include "host/solo5/solo5.h"

enum {
        CALL_WRITE = 1,
        CALL_READ = 0,
        CALL_PREAD = 17,
        CALL_PWRITE = 18,
        CALL_ARCH_PRCTL = 158,
        CALL_CLOCK_GETTIME = 228,
        CALL_EXIT_GROUP = 231,
        CALL_EPOLL_PWAIT = 281,
};

enum { ARCH_SET_FS = 0x1002, CLOCK_OF_WALL = 0, CLOCK_OF_MACHINE = 1, CONSOLE = 1, MASK_SIZE = 8 };

struct boot_info {
        uint64_t memory_size, image_end;
        char *line;
        const struct solo5_manifest *manifest;
        int32_t epoll, timer;
};

struct epoll_event {
        uint32_t events;
        uint64_t data;
} __attribute__((packed));

struct time {
        int64_t s, ns;
};

static const struct boot_info *boot;
static int32_t net_descriptor = -1;

extern char image_end[];
_Noreturn void _start(const struct boot_info *info);

static long call(long n, long a, long b, long c, long d, long e, long f)
{
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;
        long out;
        __asm__ volatile("syscall"
                         : "=a"(out)
                         : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return out;
}

void machine_console(struct str text)
{
        while (text.n > 0) {
                long n = call(CALL_WRITE, CONSOLE, (long)text.p, (long)text.n, 0, 0, 0);
                if (n <= 0)
                        return;
                text = str_skip(text, (size_t)n);
        }
}

_Noreturn void machine_exit(int status)
{
        for (;;)
                (void)call(CALL_EXIT_GROUP, status, 0, 0, 0, 0, 0);
}

void machine_set_thread(void *at)
{
        (void)call(CALL_ARCH_PRCTL, ARCH_SET_FS, (long)at, 0, 0, 0, 0);
}

/* The tender's filter lets nobody change the protection of a page. */
bool machine_guard(void *chunk)
{
        (void)chunk;
        return false;
}

static uint64_t read_clock(long clock)
{
        struct time t = {0, 0};
        (void)call(CALL_CLOCK_GETTIME, clock, (long)&t, 0, 0, 0, 0);
        return (uint64_t)t.s * 1000000000 + (uint64_t)t.ns;
}

uint64_t machine_now_ns(void)
{
        return read_clock(CLOCK_OF_MACHINE);
}

uint64_t machine_wall_ns(void)
{
        return read_clock(CLOCK_OF_WALL);
}

/* The tender's timer is left alone: epoll's own limit, in milliseconds rounded up, will do. */
void machine_wait(uint64_t until_ns)
{
        struct epoll_event event;
        long left_ms = -1;
        if (until_ns != UINT64_MAX) {
                uint64_t now_ns = machine_now_ns();
                uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
                left_ms = left_ns < (uint64_t)INT32_MAX * 1000000 ? (long)((left_ns + 999999) / 1000000)
                                                                  : INT32_MAX;
        }
        (void)call(CALL_EPOLL_PWAIT, boot->epoll, (long)&event, 1, left_ms, 0, MASK_SIZE);
}

bool machine_net(struct machine_net *out)
{
        uint64_t index;
        const struct solo5_device *d = solo5_find(boot->manifest, SOLO5_NET, S("service"), &index);
        if (d == NULL)
                return false;
        net_descriptor = d->descriptor;
        out->mtu = d->net.mtu;
        for (size_t i = 0; i < sizeof out->mac; i++)
                out->mac[i] = d->net.mac[i];
        return true;
}

size_t machine_net_receive(void *into, size_t cap)
{
        long n = call(CALL_READ, net_descriptor, (long)into, (long)cap, 0, 0, 0);
        return n > 0 ? (size_t)n : 0;
}

void machine_net_send(const void *frame, size_t n)
{
        (void)call(CALL_WRITE, net_descriptor, (long)frame, (long)n, 0, 0, 0);
}

/* Nothing in this ABI flushes: the host writes out what we wrote when it likes. */
bool machine_block(struct str name, struct machine_block *out)
{
        uint64_t index;
        const struct solo5_device *d = solo5_find(boot->manifest, SOLO5_BLOCK, name, &index);
        if (d == NULL)
                return false;
        *out = (struct machine_block){.handle = (uint64_t)d->descriptor,
                .capacity = d->block.capacity,
                .block_size = d->block.block_size};
        return true;
}

/* One block a call: the tender's filter asks for just that length. */
static bool transfer(const struct machine_block *b, long n, uint64_t at, const char *memory, size_t left)
{
        long size = (long)b->block_size;
        for (; left > 0; left -= b->block_size, at += b->block_size, memory += b->block_size)
                if (call(n, (long)b->handle, (long)memory, size, (long)at, 0, 0) != size)
                        return false;
        return true;
}

bool machine_block_read(const struct machine_block *b, uint64_t at, void *into, size_t n)
{
        return transfer(b, CALL_PREAD, at, into, n);
}

bool machine_block_write(const struct machine_block *b, uint64_t at, const void *from, size_t n)
{
        return transfer(b, CALL_PWRITE, at, from, n);
}

bool machine_block_flush(const struct machine_block *b)
{
        (void)b;
        return true;
}

_Noreturn void _start(const struct boot_info *info)
{
        boot = info;
        guest_demand_memory((uintptr_t)image_end, info->memory_size);
        struct guest_boot start = {.line = info->line,
                .heap = image_end,
                .heap_end = (char *)info->memory_size - SOLO5_STACK_SIZE};
        guest_start(&start);
}
