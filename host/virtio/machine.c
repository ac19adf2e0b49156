/* SPDX-License-Identifier: ISC */
/* A PC as a PVH monitor gives it: memory and command line from its start information, a serial port, an end. */
#include <string.h>

#include "host/guest/guest.h"
#include "host/guest/machine.h"
#include "host/guest/x86/x86.h"
#include "host/virtio/port.h"
#include "host/virtio/virtio.h"

enum { SERIAL = 0x3f8, SERIAL_LINE = 3, SERIAL_STATE = 5, SERIAL_READY = 0x20 };
enum {
        EXIT_PORT = 0xf4,
        POWER_Q35 = 0x604,
        POWER_PC = 0xb004,
        POWER_OFF = 0x2000,
        KEYBOARD = 0x64,
        RESET = 0xfe
};
enum { PCI_FIRST = 0xcf8, PCI_LAST = 0xcff };
enum { LINE_MAX = 8192 };

#define MAGIC 0x336ec578
#define RAM 1
#define CHUNK ((uint64_t)MACHINE_CHUNK)

struct module {
        uint64_t at, size, line, unused;
};

struct start_info {
        uint32_t magic, version, flags, module_count;
        uint64_t modules, line, rsdp, memory;
        uint32_t memory_count, unused;
};

struct memory_part {
        uint64_t at, size;
        uint32_t kind, unused;
};

extern char image_text[], image_end[];
static char line[2 * LINE_MAX];

/* A PC's port takes a byte when it says so, and loses it after a while: nobody may read what it sends. */
static void print_byte(char c)
{
        for (unsigned i = 0; i < 100000 && (port_read8(SERIAL + SERIAL_STATE) & SERIAL_READY) == 0; i++)
                ;
        port_write8(SERIAL, (uint8_t)c);
}

void machine_console(struct str text)
{
        for (size_t i = 0; i < text.n; i++) {
                if (text.p[i] == '\n')
                        print_byte('\r');
                print_byte(text.p[i]);
        }
}

/* QEMU's isa-debug-exit ends with twice the status and one; without it the machine is switched off or reset. */
_Noreturn void machine_exit(int status)
{
        port_write32(EXIT_PORT, (uint32_t)status);
        port_write16(POWER_Q35, POWER_OFF);
        port_write16(POWER_PC, POWER_OFF);
        port_write8(KEYBOARD, RESET);
        for (;;)
                machine_wait(UINT64_MAX);
}

void machine_set_thread(void *at)
{
        x86_seal(at);
}

static void allow_ports(void)
{
        ports_allow(SERIAL, SERIAL + 7);
        ports_allow(EXIT_PORT, EXIT_PORT + 3);
        ports_allow(POWER_Q35, POWER_Q35 + 1);
        ports_allow(POWER_PC, POWER_PC + 1);
        ports_allow(KEYBOARD, KEYBOARD);
        ports_allow(PCI_FIRST, PCI_LAST);
}

/* The end of the memory in which the image lies, in whole chunks. */
static uint64_t memory_end(const struct start_info *info)
{
        const struct memory_part *parts = (const struct memory_part *)info->memory;
        for (uint32_t i = 0; i < info->memory_count; i++) {
                uint64_t end = parts[i].at + parts[i].size;
                if (parts[i].kind == RAM && parts[i].at <= (uint64_t)image_text && end >= (uint64_t)image_end)
                        return end & ~(CHUNK - 1);
        }
        return 0;
}

/* A copy of the command line, for where it lies the heap may come to lie. */
static void append(uint64_t from, uint64_t most)
{
        const char *p = (const char *)from;
        size_t n = strlen(line);
        if (n > 0 && n + 1 < sizeof line)
                line[n++] = ' ';
        for (uint64_t i = 0; from != 0 && i < most && p[i] != 0 && n + 1 < sizeof line; i++)
                line[n++] = p[i];
        line[n] = 0;
}

/* The command line of -append, and behind it the text of -initrd FILE, which stays out of the process list. */
static void read_line(const struct start_info *info)
{
        append(info->line, LINE_MAX);
        if (info->module_count > 0)
                append(((const struct module *)info->modules)->at,
                        ((const struct module *)info->modules)->size);
}

_Noreturn void ring3_start(void *start)
{
        const struct start_info *info = start;
        uint64_t end = info->magic == MAGIC ? memory_end(info) : 0;
        allow_ports();
        port_write8(SERIAL + SERIAL_LINE, 3); /* 8 bits, no parity */
        if (end == 0)
                guest_fail(S("this is no PVH machine with memory at 1M"));
        guest_demand_memory((uintptr_t)image_end, end);
        read_line(info);
        struct guest_boot boot = {
                .line = line, .heap = tables_build((uint64_t)image_text, end), .heap_end = (char *)end};
        if (!time_init())
                guest_fail(S("this machine has no interval timer (8254) to measure the clock with"));
        (void)net_probe();
        (void)block_probe();
        guest_start(&boot);
}
