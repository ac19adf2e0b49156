/* SPDX-License-Identifier: ISC */
/* Block devices. Reads and writes stand at any offset; what is not whole blocks goes through one block in between. */
#include <stdlib.h>
#include <string.h>

#include "host/guest/inside.h"
#include "host/log.h"

enum { NAME_MAX_LENGTH = 67, OPEN_MAX_COUNT = 4 };

struct host_block {
        struct machine_block device;
        struct host_block **slot; /* of `open_blocks` */
        bool is_failed;
        char bounce[]; /* one block */
};

static struct host_block *open_blocks[OPEN_MAX_COUNT];

static void warn(struct host *h, struct str name)
{
        struct log_line l;
        log_begin(&l, h, LOG_WARN, "host", "no-flush");
        log_str(&l, "device", name);
        log_c(&l, "hint", "what is written survives the death of this guest, not that of its host");
        log_end(&l);
}

/*   ERR_OK with a free slot, ERR_BUSY, ERR_MEMORY */
static enum err find_slot(uint64_t handle, struct host_block ***out)
{
        *out = NULL;
        for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
                if (open_blocks[i] != NULL && open_blocks[i]->device.handle == handle)
                        return ERR_BUSY;
                if (open_blocks[i] == NULL)
                        *out = &open_blocks[i];
        }
        return *out == NULL ? ERR_MEMORY : ERR_OK;
}

enum err guest_block_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        struct machine_block device;
        struct host_block **slot;
        (void)create;
        if (name.n > NAME_MAX_LENGTH || !machine_block(name, &device))
                return ERR_NOT_FOUND;
        enum err err = find_slot(device.handle, &slot);
        if (err != ERR_OK)
                return err;
        struct host_block *b = calloc(1, sizeof *b + device.block_size);
        if (b == NULL)
                return ERR_MEMORY;
        b->device = device;
        b->slot = slot;
        *slot = b;
        if (!device.has_flush)
                warn(h, name);
        *out = b;
        return ERR_OK;
}

uint64_t guest_block_size(struct host_block *b)
{
        return b->device.capacity;
}

enum err guest_block_resize(struct host_block *b, uint64_t size)
{
        return size == b->device.capacity ? ERR_OK : ERR_UNSUPPORTED;
}

/* How much of `n` bytes at `at` one transfer can do: whole blocks in place, or a part of one through the bounce. */
static size_t part_of(const struct host_block *b, uint64_t at, size_t n, bool *is_whole)
{
        size_t size = b->device.block_size, inside = (size_t)(at % size);
        *is_whole = inside == 0 && n >= size;
        if (*is_whole)
                return n - n % size;
        return n < size - inside ? n : size - inside;
}

enum err guest_block_read(struct host_block *b, uint64_t at, void *into, size_t n)
{
        char *p = into;
        while (n > 0) {
                bool is_whole, ok;
                size_t part = part_of(b, at, n, &is_whole), inside = (size_t)(at % b->device.block_size);
                if (is_whole) {
                        ok = machine_block_read(&b->device, at, p, part);
                } else {
                        ok = machine_block_read(&b->device, at - inside, b->bounce, b->device.block_size);
                        memcpy(p, b->bounce + inside, part);
                }
                if (!ok)
                        return ERR_IO;
                p += part;
                at += part;
                n -= part;
        }
        return ERR_OK;
}

static bool write_inside(struct host_block *b, uint64_t at, const char *from, size_t n)
{
        size_t inside = (size_t)(at % b->device.block_size);
        if (!machine_block_read(&b->device, at - inside, b->bounce, b->device.block_size))
                return false;
        memcpy(b->bounce + inside, from, n);
        return machine_block_write(&b->device, at - inside, b->bounce, b->device.block_size);
}

enum err guest_block_write(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        const char *p = from;
        while (n > 0 && !b->is_failed) {
                bool is_whole;
                size_t part = part_of(b, at, n, &is_whole);
                b->is_failed = is_whole ? !machine_block_write(&b->device, at, p, part)
                                        : !write_inside(b, at, p, part);
                p += part;
                at += part;
                n -= part;
        }
        return b->is_failed ? ERR_IO : ERR_OK;
}

enum err guest_block_flush(struct host_block *b)
{
        if (!b->is_failed && b->device.has_flush && !machine_block_flush(&b->device))
                b->is_failed = true;
        return b->is_failed ? ERR_IO : ERR_OK;
}

void guest_block_close(struct host_block *b)
{
        if (b == NULL)
                return;
        *b->slot = NULL;
        free(b);
}
