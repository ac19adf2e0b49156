/* SPDX-License-Identifier: ISC */
/* Virtio 1.x devices by polling: over memory-mapped registers (microvm) or PCI (q35, pc), with split queues whose
 * buffers are ours and stay where they are. (OASIS virtio 1.2: 2.7 split queues, 3.1 set-up, 4.1 PCI, 4.2 MMIO.) */
#ifndef HOST_VIRTIO_VIRTIO_H
#define HOST_VIRTIO_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define QUEUE_SIZE 256

enum virtio_kind { VIRTIO_NET = 1, VIRTIO_BLOCK = 2 };

#define VIRTIO_VERSION_1 ((uint64_t)1 << 32)

/* A device: where its registers are. `notify_step` is 0 for MMIO. */
struct virtio {
        volatile uint8_t *common, *config, *notify;
        uint32_t notify_step;
};

struct descriptor {
        uint64_t at;
        uint32_t n;
        uint16_t flags, next;
};
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2 /* by the device */

struct used {
        uint32_t id, n;
};

/* The three parts as the device sees them (2.7.5 to 2.7.8). */
struct queue {
        _Alignas(4096) struct descriptor descriptors[QUEUE_SIZE];
        _Alignas(4096) struct {
                volatile uint16_t flags, index;
                volatile uint16_t ring[QUEUE_SIZE];
        } available;
        _Alignas(4096) struct {
                volatile uint16_t flags, index;
                volatile struct used ring[QUEUE_SIZE];
        } used;
        uint16_t size; /* what the device takes, at most QUEUE_SIZE */
        uint16_t seen; /* of used.index */
        volatile uint8_t *doorbell;
        uint16_t number;
};

/* The `nth` device of a kind, from 0; false: there is none. mmio.c looks first, then pci.c. */
bool virtio_find(enum virtio_kind kind, unsigned nth, struct virtio *out);
bool mmio_find(enum virtio_kind kind, unsigned nth, struct virtio *out);
bool pci_find(enum virtio_kind kind, unsigned nth, struct virtio *out);

/* Reset it and settle on those of `wanted` that it has, beside VERSION_1. False: it wants more than we can. */
bool virtio_begin(struct virtio *d, uint64_t wanted, uint64_t *features);
bool virtio_queue(struct virtio *d, struct queue *q, uint16_t number); /* between begin and ready */
void virtio_ready(struct virtio *d);

/* Offer the chain that begins at a descriptor, and ring where the device wants to be told. */
void queue_offer(struct queue *q, uint16_t head);
void queue_ring(struct queue *q);
/* The next chain that the device has done with; false: none. */
bool queue_take(struct queue *q, struct used *out);
bool queue_has(const struct queue *q);

/* net.c */
bool net_probe(void);
bool net_waiting(void); /* a frame is there */

/* block.c */
bool block_probe(void);

/* time.c */
bool time_init(void);   /* false: nothing to measure the clock with */
void time_active(void); /* something was sent or has come: do not sleep yet */

#endif
