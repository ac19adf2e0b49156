/* SPDX-License-Identifier: ISC */
/* What both transports share, once each register has one name: the set-up of a device and its queues. */
#include "host/virtio/virtio.h"

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { AVAILABLE_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

/* Registers of 4.2.2 (MMIO) and 4.1.4.3 (PCI): an offset and a width. */
struct place {
        uint16_t mmio, pci;
        uint8_t pci_width;
};
static const struct place device_select = {0x14, 0, 4}, device_features = {0x10, 4, 4},
                          driver_select = {0x24, 8, 4}, driver_features = {0x20, 12, 4},
                          status = {0x70, 20, 1}, queue_select = {0x30, 22, 2},
                          queue_size_most = {0x34, 24, 2}, queue_size = {0x38, 24, 2},
                          queue_ready = {0x44, 28, 2}, queue_descriptors = {0x80, 32, 4},
                          queue_available = {0x90, 40, 4}, queue_used = {0xa0, 48, 4},
                          queue_notify_at = {0, 30, 2};

static void write_at(struct virtio *d, struct place p, uint32_t v)
{
        if (d->notify_step == 0)
                *(volatile uint32_t *)(d->common + p.mmio) = v;
        else if (p.pci_width == 4)
                *(volatile uint32_t *)(d->common + p.pci) = v;
        else if (p.pci_width == 2)
                *(volatile uint16_t *)(d->common + p.pci) = (uint16_t)v;
        else
                *(d->common + p.pci) = (uint8_t)v;
}

static uint32_t read_at(const struct virtio *d, struct place p)
{
        if (d->notify_step == 0)
                return *(volatile uint32_t *)(d->common + p.mmio);
        if (p.pci_width == 4)
                return *(volatile uint32_t *)(d->common + p.pci);
        return p.pci_width == 2 ? *(volatile uint16_t *)(d->common + p.pci) : *(d->common + p.pci);
}

bool virtio_find(enum virtio_kind kind, unsigned nth, struct virtio *out)
{
        return mmio_find(kind, nth, out) || pci_find(kind, nth, out);
}

bool virtio_begin(struct virtio *d, uint64_t wanted, uint64_t *features)
{
        uint64_t offered = 0;
        write_at(d, status, 0);
        while (read_at(d, status) != 0)
                ;
        write_at(d, status, ACKNOWLEDGE);
        write_at(d, status, ACKNOWLEDGE | DRIVER);
        for (unsigned i = 0; i < 2; i++) {
                write_at(d, device_select, i);
                offered |= (uint64_t)read_at(d, device_features) << 32 * i;
        }
        *features = offered & (wanted | VIRTIO_VERSION_1);
        for (unsigned i = 0; i < 2; i++) {
                write_at(d, driver_select, i);
                write_at(d, driver_features, (uint32_t)(*features >> 32 * i));
        }
        write_at(d, status, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        return (offered & VIRTIO_VERSION_1) != 0 && (read_at(d, status) & FEATURES_OK) != 0;
}

/* Addresses have two halves of 32 bits. */
static void write_address(struct virtio *d, struct place p, const volatile void *at)
{
        write_at(d, p, (uint32_t)(uintptr_t)at);
        p.mmio = (uint16_t)(p.mmio + 4);
        p.pci = (uint16_t)(p.pci + 4);
        write_at(d, p, (uint32_t)((uintptr_t)at >> 32));
}

bool virtio_queue(struct virtio *d, struct queue *q, uint16_t number)
{
        write_at(d, queue_select, number);
        uint32_t most = read_at(d, queue_size_most);
        if (most == 0)
                return false;
        q->size = most < QUEUE_SIZE ? (uint16_t)most : QUEUE_SIZE;
        q->number = number;
        q->doorbell = d->notify;
        if (d->notify_step != 0)
                q->doorbell += read_at(d, queue_notify_at) * d->notify_step;
        q->available.flags = AVAILABLE_NO_INTERRUPT;
        write_at(d, queue_size, q->size);
        write_address(d, queue_descriptors, q->descriptors);
        write_address(d, queue_available, &q->available);
        write_address(d, queue_used, &q->used);
        write_at(d, queue_ready, 1);
        return true;
}

void virtio_ready(struct virtio *d)
{
        write_at(d, status, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void barrier(void)
{
        __asm__ volatile("mfence" : : : "memory");
}

void queue_offer(struct queue *q, uint16_t head)
{
        q->available.ring[q->available.index % q->size] = head;
        barrier(); /* 2.7.13.2 */
        q->available.index = (uint16_t)(q->available.index + 1);
}

void queue_ring(struct queue *q)
{
        barrier();
        if ((q->used.flags & USED_NO_NOTIFY) == 0)
                *(volatile uint32_t *)q->doorbell = q->number;
}

bool queue_has(const struct queue *q)
{
        return q->seen != q->used.index;
}

bool queue_take(struct queue *q, struct used *out)
{
        if (!queue_has(q))
                return false;
        barrier();
        out->id = q->used.ring[q->seen % q->size].id;
        out->n = q->used.ring[q->seen % q->size].n;
        q->seen++;
        return out->id < q->size;
}
