/* SPDX-License-Identifier: ISC */
/* Frames from the network lie here from the device to the fiber that reads them; their number follows from the guest's
 * memory. What is to be sent is counted in lwIP's segments, whose number is bounded the same way. */
#include <stdlib.h>

#include "base/check.h"
#include "host/guest/inside.h"
#include "host/guest/lwip.h"

enum {
        FRAMES_MIN = 256,
        FRAMES_MAX = 8192,
        SEGMENTS_MIN = 256,
        SHARE = 16, /* of the memory for each direction */
};

/* lwIP gives it back through its first member. */
struct frame {
        struct pbuf_custom custom;
        struct frame *next; /* while it is free */
        char bytes[];
};

struct frames {
        struct frame *first;
        size_t size, free, segments;
};

static struct frames frames;

static size_t between(size_t n, size_t least, size_t most)
{
        return n < least ? least : n < most ? n : most;
}

static void give(struct pbuf *p)
{
        struct frame *f = (struct frame *)p;
        f->next = frames.first;
        frames.first = f;
        frames.free++;
}

bool frames_init(size_t memory, size_t frame_size)
{
        size_t each = (sizeof(struct frame) + frame_size + 15) & ~(size_t)15;
        size_t count = between(memory / SHARE / each, FRAMES_MIN, FRAMES_MAX);
        char *room = malloc(count * each); /* until the end of the guest */
        frames = (struct frames){.size = frame_size,
                .segments = between(memory / SHARE / each, SEGMENTS_MIN, MEMP_NUM_TCP_SEG - SEGMENTS_MIN)};
        if (room == NULL)
                return false;
        for (size_t i = 0; i < count; i++) {
                struct frame *f = (struct frame *)(room + i * each);
                f->custom.custom_free_function = give;
                give(&f->custom.pbuf);
        }
        return true;
}

struct pbuf *frame_take(void **data)
{
        struct frame *f = frames.first;
        if (f == NULL)
                return NULL;
        frames.first = f->next;
        frames.free--;
        *data = f->bytes;
        return pbuf_alloced_custom(
                PBUF_RAW, (u16_t)frames.size, PBUF_REF, &f->custom, f->bytes, (u16_t)frames.size);
}

void frame_fit(struct pbuf *p, size_t n)
{
        CHECK(n <= p->len);
        p->len = p->tot_len = (u16_t)n;
}

size_t frames_free(void)
{
        return frames.free;
}

size_t segments_free(void)
{
        size_t used = lwip_stats.memp[MEMP_TCP_SEG]->used;
        return used < frames.segments ? frames.segments - used : 0;
}
