/* SPDX-License-Identifier: ISC */
/* virtio-net (virtio 1.2, 5.1): a buffer for each place of each queue, a header of 12 bytes before each frame. */
#include <string.h>

#include "host/guest/machine.h"
#include "host/virtio/virtio.h"

enum { RECEIVE = 0, SEND = 1, HEADER = 12, BUFFER = 2048, MTU = 1500 };

#define FEATURE_MAC ((uint64_t)1 << 5)

static struct virtio device;
static struct queue receive, send;
static uint8_t receive_buffers[QUEUE_SIZE][BUFFER], send_buffers[QUEUE_SIZE][BUFFER];
static uint16_t send_spare[QUEUE_SIZE], send_spares; /* buffers that the device has done with */
static bool is_there;

static void fill(struct queue *q, uint8_t (*buffers)[BUFFER], uint16_t flags)
{
        for (uint16_t i = 0; i < q->size; i++)
                q->descriptors[i] =
                        (struct descriptor){.at = (uintptr_t)buffers[i], .n = BUFFER, .flags = flags};
}

bool net_probe(void)
{
        uint64_t features;
        if (!virtio_find(VIRTIO_NET, 0, &device) || !virtio_begin(&device, FEATURE_MAC, &features) ||
                (features & FEATURE_MAC) == 0 || !virtio_queue(&device, &receive, RECEIVE) ||
                !virtio_queue(&device, &send, SEND))
                return false;
        fill(&receive, receive_buffers, DESCRIPTOR_WRITE);
        fill(&send, send_buffers, 0);
        virtio_ready(&device);
        for (uint16_t i = 0; i < receive.size; i++)
                queue_offer(&receive, i);
        queue_ring(&receive);
        while (send_spares < send.size) {
                send_spare[send_spares] = send_spares;
                send_spares++;
        }
        is_there = true;
        return true;
}

bool machine_net(struct machine_net *out)
{
        for (size_t i = 0; is_there && i < sizeof out->mac; i++)
                out->mac[i] = device.config[i];
        out->mtu = MTU;
        return is_there;
}

bool net_waiting(void)
{
        return queue_has(&receive);
}

size_t machine_net_receive(void *into, size_t cap)
{
        struct used done;
        if (!is_there || !queue_take(&receive, &done))
                return 0;
        time_active();
        size_t n = done.n > HEADER && done.n <= BUFFER ? done.n - HEADER : 0;
        n = n <= cap ? n : 0; /* longer than we said we take */
        memcpy(into, receive_buffers[done.id] + HEADER, n);
        queue_offer(&receive, (uint16_t)done.id);
        queue_ring(&receive);
        return n;
}

void machine_net_send(const void *frame, size_t n)
{
        struct used done;
        while (queue_take(&send, &done))
                send_spare[send_spares++] = (uint16_t)done.id;
        if (send_spares == 0 || n > BUFFER - HEADER)
                return; /* lost; who needs it sends it again */
        uint16_t i = send_spare[--send_spares];
        memset(send_buffers[i], 0, HEADER);
        memcpy(send_buffers[i] + HEADER, frame, n);
        send.descriptors[i].n = (uint32_t)(HEADER + n);
        queue_offer(&send, i);
        queue_ring(&send);
        time_active();
}
