/* SPDX-License-Identifier: ISC */
/* Solo5's hvt: a virtual machine without devices, whose tender answers calls made by writing an address to a port.
 * (Solo5's include/hvt_abi.h, version 2; its ring for the network is left alone, since both of its ends spin.) */
#include <stddef.h>

#include "host/guest/guest.h"
#include "host/guest/machine.h"
#include "host/guest/x86/x86.h"
#include "host/solo5/solo5.h"

enum {
        PORT = 0x500,
        CALL_WALLTIME = 1,
        CALL_PUTS,
        CALL_POLL,
        CALL_BLOCK_WRITE,
        CALL_BLOCK_READ,
        CALL_NET_WRITE,
        CALL_NET_READ,
        CALL_HALT,
};

#define READABLE_FROM 0x10000 /* the tender keeps its tables below */
#define WAIT_MAX_NS (3600 * (uint64_t)1000000000)

struct boot_info {
        uint64_t memory_size, image_end, tsc_hz;
        char *line;
        const struct solo5_manifest *manifest;
};

/* One transfer of a device. */
struct block_call {
        uint64_t handle, at;
        void *memory;
        size_t n;
        int32_t result;
};
struct net_call {
        uint64_t handle;
        void *memory;
        size_t n;
        int32_t result;
};

static const struct boot_info *boot;
extern char image_end[];
static uint64_t ns_per_tick; /* in 2^-32 */
static uint64_t net_handle;

static void call(int n, volatile void *arg)
{
        __asm__ volatile("outl %0, %1"
                         :
                         : "a"((uint32_t)(uintptr_t)arg), "d"((uint16_t)(PORT + n))
                         : "memory");
}

void machine_console(struct str text)
{
        struct {
                const char *p;
                size_t n;
        } arg = {text.p, text.n};
        call(CALL_PUTS, &arg);
}

_Noreturn void machine_exit(int status)
{
        struct {
                void *cookie;
                int32_t status;
        } arg = {NULL, status};
        for (;;)
                call(CALL_HALT, &arg);
}

void machine_set_thread(void *at)
{
        x86_seal(at);
}

uint64_t machine_now_ns(void)
{
        uint32_t low, high;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)(((unsigned __int128)((uint64_t)high << 32 | low) * ns_per_tick) >> 32);
}

uint64_t machine_wall_ns(void)
{
        uint64_t ns = 0;
        call(CALL_WALLTIME, &ns);
        return ns;
}

void machine_wait(uint64_t until_ns)
{
        uint64_t now_ns = machine_now_ns(), left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        struct {
                uint64_t ns, ready;
                int32_t result;
        } arg = {.ns = left_ns < WAIT_MAX_NS ? left_ns : WAIT_MAX_NS};
        call(CALL_POLL, &arg);
}

bool machine_net(struct machine_net *out)
{
        const struct solo5_device *d = solo5_find(boot->manifest, SOLO5_NET, S("service"), &net_handle);
        if (d == NULL)
                return false;
        out->mtu = d->net.mtu;
        for (size_t i = 0; i < sizeof out->mac; i++)
                out->mac[i] = d->net.mac[i];
        return true;
}

size_t machine_net_receive(void *into, size_t cap)
{
        struct net_call arg = {.handle = net_handle, .memory = into, .n = cap, .result = -1};
        call(CALL_NET_READ, &arg);
        return arg.result == 0 ? arg.n : 0;
}

void machine_net_send(const void *frame, size_t n)
{
        struct net_call arg = {.handle = net_handle, .memory = (void *)(uintptr_t)frame, .n = n};
        call(CALL_NET_WRITE, &arg);
}

/* Nothing in this ABI flushes: the host writes out what we wrote when it likes. */
bool machine_block(struct str name, struct machine_block *out)
{
        uint64_t index;
        const struct solo5_device *d = solo5_find(boot->manifest, SOLO5_BLOCK, name, &index);
        if (d == NULL)
                return false;
        *out = (struct machine_block){
                .handle = index, .capacity = d->block.capacity, .block_size = d->block.block_size};
        return true;
}

bool machine_block_read(const struct machine_block *b, uint64_t at, void *into, size_t n)
{
        struct block_call arg = {.handle = b->handle, .at = at, .memory = into, .n = n, .result = -1};
        call(CALL_BLOCK_READ, &arg);
        return arg.result == 0 && arg.n == n;
}

bool machine_block_write(const struct machine_block *b, uint64_t at, const void *from, size_t n)
{
        struct block_call arg = {
                .handle = b->handle, .at = at, .memory = (void *)(uintptr_t)from, .n = n, .result = -1};
        call(CALL_BLOCK_WRITE, &arg);
        return arg.result == 0;
}

bool machine_block_flush(const struct machine_block *b)
{
        (void)b;
        return true;
}

_Noreturn void ring3_start(void *info)
{
        boot = info;
        ns_per_tick = ((uint64_t)1000000000 << 32) / boot->tsc_hz;
        ports_allow(PORT + CALL_WALLTIME, PORT + CALL_HALT + 3);
        guest_demand_memory((uintptr_t)image_end, boot->memory_size);
        struct guest_boot start = {.line = boot->line,
                .heap = tables_build(READABLE_FROM, boot->memory_size),
                .heap_end = (char *)boot->memory_size - SOLO5_STACK_SIZE};
        guest_start(&start);
}
