/* SPDX-License-Identifier: ISC */
/* Modern virtio devices on bus 0 of a PC, whose addresses the firmware has given out (virtio 1.2, 4.1.4). */
#include "host/guest/x86/x86.h"
#include "host/virtio/port.h"
#include "host/virtio/virtio.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc };
enum { COMMON = 1, NOTIFY = 2, DEVICE = 4 };
enum { VENDOR = 0x1af4, MODERN = 0x1040, CAPABILITY_VENDOR = 9, COMMAND_MEMORY = 2, COMMAND_MASTER = 4 };

#define REACH 0x100000000 /* what our tables can name */

static uint32_t read_config(uint32_t function, uint32_t at)
{
        port_write32(ADDRESS, 0x80000000 | function << 8 | (at & 0xfc));
        return port_read32(DATA) >> 8 * (at & 3);
}

static void enable(uint32_t function)
{
        uint32_t command = read_config(function, 4);
        port_write32(ADDRESS, 0x80000000 | function << 8 | 4);
        port_write32(DATA, (command & 0xffff) | COMMAND_MEMORY | COMMAND_MASTER);
}

/* The memory that a base register names; NULL when it is not memory, or out of our reach. */
static volatile uint8_t *base_of(uint32_t function, uint32_t number)
{
        uint32_t low = number < 6 ? read_config(function, 0x10 + 4 * number) : 1;
        uint64_t at = low & ~(uint32_t)15;
        if ((low & 6) == 4)
                at |= (uint64_t)read_config(function, 0x14 + 4 * number) << 32;
        return (low & 1) != 0 || at == 0 || at >= REACH ? NULL : (volatile uint8_t *)(uintptr_t)at;
}

static void read_capability(uint32_t function, uint32_t at, struct virtio *out)
{
        volatile uint8_t *base = base_of(function, read_config(function, at + 4) & 0xff);
        volatile uint8_t *where = base == NULL ? NULL : base + read_config(function, at + 8);
        uint32_t kind = read_config(function, at + 3) & 0xff;
        if (where == NULL)
                return;
        if (kind == COMMON)
                out->common = where;
        if (kind == DEVICE)
                out->config = where;
        if (kind == NOTIFY) {
                out->notify = where;
                out->notify_step = read_config(function, at + 16);
        }
}

static bool read_capabilities(uint32_t function, struct virtio *out)
{
        *out = (struct virtio){0};
        uint32_t at = read_config(function, 0x34) & 0xfc;
        for (unsigned i = 0; at != 0 && i < 48; i++, at = read_config(function, at + 1) & 0xfc)
                if ((read_config(function, at) & 0xff) == CAPABILITY_VENDOR)
                        read_capability(function, at, out);
        return out->common != NULL && out->config != NULL && out->notify != NULL && out->notify_step != 0;
}

/* A transitional device has another number, and its kind where its subsystem stands (4.1.2.3). */
static bool is_kind(uint32_t function, enum virtio_kind kind)
{
        uint32_t id = read_config(function, 0);
        if ((id & 0xffff) != VENDOR)
                return false;
        uint32_t device = id >> 16;
        if (device >= 0x1000 && device < MODERN)
                return (read_config(function, 0x2e) & 0xffff) == kind;
        return device == MODERN + kind;
}

bool pci_find(enum virtio_kind kind, unsigned nth, struct virtio *out)
{
        for (uint32_t function = 0; function < 32 * 8; function++) {
                if (!is_kind(function, kind) || !read_capabilities(function, out) || nth-- > 0)
                        continue;
                enable(function);
                tables_device((uintptr_t)out->common);
                tables_device((uintptr_t)out->config);
                tables_device((uintptr_t)out->notify);
                return true;
        }
        return false;
}
