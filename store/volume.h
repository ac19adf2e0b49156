/* SPDX-License-Identifier: ISC */
/* The image: one block of the host (host/host.h) that is a FAT32 volume (fat/fat.h), open and locked.
 *
 * Who may do what. All of fat/ is asked from one fiber at a time: the store fiber, or the one fiber of a tool. The
 * bytes of areas (area.h) may be read and written from any fiber. There is one disk cache under all of them, so one
 * volume_flush makes durable whatever any fiber has written before it: message bytes first, flush, then the commit of
 * their row with a flush of its own. */
#ifndef STORE_VOLUME_H
#define STORE_VOLUME_H

#include "fat/fat.h"
#include "host/host.h"
#include "store/area.h"
#include "store/overlay.h"

enum volume_user {
        VOLUME_SERVER, /* lipap: it holds the lock, so what a dead one left is replayed */
        VOLUME_TOOL, /* a dirty image is refused, unless a tool has left it so: a tool holds the lock while it lives */
        VOLUME_CHECK, /* as VOLUME_TOOL, but nothing on disk changes: what is written stays in memory (overlay.h) */
        VOLUME_REPAIR, /* a dirty image is replayed: the operator has said that nothing has it mounted */
        VOLUME_READER  /* nothing is written, and any FAT32 volume will do */
};

struct volume {
        struct host *host;
        struct host_block *block;
        struct overlay overlay; /* of VOLUME_CHECK */
        struct fat_device device;
        struct fat *fat;
        enum fat_state state; /* what was found at the mount, or why it was refused */
        bool is_mounted;
};

/* Open, lock and mount the image at `path`.
 *   ERR_OK
 *   ERR_NOT_FOUND, ERR_BUSY (locked by a process), ERR_DENIED (no right, or without our redo area), ERR_IO, ERR_MEMORY
 *   ERR_SEQUENCE     dirty: a guest has it mounted, or lipap has died with it
 *   ERR_UNSUPPORTED  not FAT32, as `v->state` says
 *   ERR_CORRUPT      damaged, as `v->state` says
 * volume_close also after an error. */
MUST_USE enum err volume_open(struct volume *v, struct host *h, struct str path, enum volume_user user);
/* Unmount in order, unlock.
 *   ERR_OK, or ERR_IO: it stays dirty */
enum err volume_close(struct volume *v);
/* Make a volume of the whole block at `path`, whose bytes are zeros, and open it for a tool. Outcomes as above, and
 *   ERR_LIMIT  too small or too large for a volume */
MUST_USE enum err volume_make(struct volume *v, struct host *h, struct str path);

/* The bytes of the block, of a range inside it.
 *   ERR_OK, ERR_IO; and of a write ERR_FULL, ERR_MEMORY */
MUST_USE enum err volume_read(struct volume *v, uint64_t at, void *into, size_t n);
MUST_USE enum err volume_write(struct volume *v, uint64_t at, struct str bytes);
/* Until everything that was written is on disk. Blocks the calling fiber only, who is not cancelled meanwhile; those
 * who ask at once share a flush.
 *   ERR_OK, ERR_IO (final) */
MUST_USE enum err volume_flush(struct volume *v);
uint32_t volume_sector(const struct volume *v);
int64_t volume_now_s(const struct volume *v);

#endif
