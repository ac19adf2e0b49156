/* SPDX-License-Identifier: ISC */
/* Devices at QEMU's microvm addresses. Only version 2 is modern: `-global virtio-mmio.force-legacy=false`. */
#include "host/guest/x86/x86.h"
#include "host/virtio/virtio.h"

enum { SLOTS = 24, SLOT_SIZE = 512, VERSION_AT = 4, KIND_AT = 8, NOTIFY_AT = 0x50, CONFIG_AT = 0x100 };

#define SLOTS_AT 0xfeb00000
#define MAGIC 0x74726976 /* "virt" */

bool mmio_find(enum virtio_kind kind, unsigned nth, struct virtio *out)
{
        for (unsigned i = 0; i < SLOTS; i++) {
                volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)(SLOTS_AT + i * SLOT_SIZE);
                if (*(volatile uint32_t *)at != MAGIC || *(volatile uint32_t *)(at + VERSION_AT) != 2 ||
                        *(volatile uint32_t *)(at + KIND_AT) != kind || nth-- > 0)
                        continue;
                *out = (struct virtio){.common = at, .config = at + CONFIG_AT, .notify = at + NOTIFY_AT};
                tables_device(SLOTS_AT);
                return true;
        }
        return false;
}
