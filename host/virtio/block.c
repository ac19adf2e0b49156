/* SPDX-License-Identifier: ISC */
/* virtio-blk (virtio 1.2, 5.2): one request at a time, waited for. */
#include "host/guest/machine.h"
#include "host/virtio/virtio.h"

enum { READ = 0, WRITE = 1, FLUSH = 4, SECTOR = 512, WAITING = 0xff };

#define FEATURE_FLUSH ((uint64_t)1 << 9)
#define TRANSFER_MAX (1024 * 1024)

struct request {
        uint32_t kind, unused;
        uint64_t sector;
};

static struct virtio device;
static struct queue queue;
static struct request request;
static volatile uint8_t status;
static bool is_there, has_flush;

bool block_probe(void)
{
        uint64_t features;
        if (!virtio_find(VIRTIO_BLOCK, 0, &device) || !virtio_begin(&device, FEATURE_FLUSH, &features) ||
                !virtio_queue(&device, &queue, 0))
                return false;
        has_flush = (features & FEATURE_FLUSH) != 0;
        virtio_ready(&device);
        is_there = true;
        return true;
}

/* The only block device, whatever it is called. A device without flush has written what it says it has (5.2.6.2). */
bool machine_block(struct str name, struct machine_block *out)
{
        uint64_t sectors = 0;
        (void)name;
        for (unsigned i = 0; is_there && i < 8; i++)
                sectors |= (uint64_t)device.config[i] << 8 * i;
        *out = (struct machine_block){.capacity = sectors * SECTOR, .block_size = SECTOR, .has_flush = true};
        return is_there;
}

static bool ask(uint32_t kind, uint64_t sector, void *memory, uint32_t n)
{
        uint16_t last = n > 0 ? 2 : 1;
        struct used done;
        request = (struct request){.kind = kind, .sector = sector};
        status = WAITING;
        queue.descriptors[0] = (struct descriptor){(uintptr_t)&request, sizeof request, DESCRIPTOR_NEXT, 1};
        queue.descriptors[1] = (struct descriptor){
                (uintptr_t)memory, n, DESCRIPTOR_NEXT | (kind == READ ? DESCRIPTOR_WRITE : 0), 2};
        queue.descriptors[last] = (struct descriptor){(uintptr_t)&status, 1, DESCRIPTOR_WRITE, 0};
        queue_offer(&queue, 0);
        queue_ring(&queue);
        while (!queue_take(&queue, &done))
                __asm__ volatile("pause");
        time_active();
        return status == 0;
}

static bool transfer(uint32_t kind, uint64_t at, char *memory, size_t n)
{
        while (n > 0) {
                uint32_t part = n < TRANSFER_MAX ? (uint32_t)n : TRANSFER_MAX;
                if (!ask(kind, at / SECTOR, memory, part))
                        return false;
                at += part;
                memory += part;
                n -= part;
        }
        return true;
}

bool machine_block_read(const struct machine_block *b, uint64_t at, void *into, size_t n)
{
        (void)b;
        return transfer(READ, at, into, n);
}

bool machine_block_write(const struct machine_block *b, uint64_t at, const void *from, size_t n)
{
        (void)b;
        return transfer(WRITE, at, (char *)(uintptr_t)from, n);
}

bool machine_block_flush(const struct machine_block *b)
{
        (void)b;
        return !has_flush || ask(FLUSH, 0, NULL, 0);
}
