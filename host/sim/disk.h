/* SPDX-License-Identifier: ISC */
/* A disk in memory: the block of one node of the simulator, which outlives the node. What was written since the last
 * flush is remembered sector by sector, so that a power cut may keep, lose, tear and mix it. A sector is written whole
 * or not at all; nothing else is promised. Nothing here reads a clock or draws random numbers but from a seed.
 *
 * The test or the simulator owns the disk. A node owns the handle that it opened; one at a time, as a lock would have
 * it. Behind sim_disk_open stands what host.h says of blocks, outcome by outcome. */
#ifndef HOST_SIM_DISK_H
#define HOST_SIM_DISK_H

#include "host/host.h"

#define SIM_DISK_SECTOR 512u
#define SIM_DISK_NEVER UINT64_MAX

/* What goes wrong; may be changed at any time. All zero but for the SIM_DISK_NEVERs is a good disk, as made. */
struct sim_disk_faults {
        uint64_t cut_at; /* from this operation on, every call of the node fails without effect: ERR_IO */
        uint64_t write_at, flush_at; /* from this write, or flush, on they fail without effect: ERR_IO */
        uint64_t bad_at, bad_n; /* a read that touches these bytes gives ERR_IO; none with a `bad_n` of 0 */
        uint64_t room; /* bytes in pages of 4096 that can ever be written: of more, the head, and ERR_FULL */
        uint64_t size_max; /* a resize to more gives ERR_FULL */
};

struct sim_disk {
        struct sim_disk_faults faults;
        int64_t flush_ms; /* that a flush takes; others run meanwhile, and what they write is not in it */
        uint64_t size;
        /* Counted from 0, for faults and tests. Operations are writes, flushes and resizes that had an effect, and each
         * sim_disk_crash and sim_disk_put; sim_disk_rewind takes them back. The other three only grow. */
        uint64_t operations;
        uint64_t writes, flushes, reads;
        struct sim_disk_inside *inside;
};

/* A disk of `size` bytes, all zero; memory is taken as it is written. Ends the program when memory is out. */
struct sim_disk *sim_disk_new(uint64_t size);
void sim_disk_free(struct sim_disk *d); /* when its handles are closed; NULL is nothing */

/* For the table of a host: block_open ends in sim_disk_open, the others are the table's own. `s` is where a flush waits;
 * NULL for one that takes no time.
 *   ERR_OK, ERR_BUSY (open already), ERR_IO (cut) */
MUST_USE enum err sim_disk_open(struct sim_disk *d, struct sched *s, struct host_block **out);
uint64_t sim_block_size(struct host_block *b);
enum err sim_block_resize(struct host_block *b, uint64_t size);
enum err sim_block_read(struct host_block *b, uint64_t at, void *into, size_t n);
enum err sim_block_write(struct host_block *b, uint64_t at, const void *from, size_t n);
enum err sim_block_flush(struct host_block *b);
void sim_block_close(struct host_block *b); /* NULL is nothing */

/* What is left of the writes since the last flush. */
enum sim_disk_crash {
        SIM_DISK_KEEPS_ALL,  /* the process was killed: all of it */
        SIM_DISK_LOSES_ALL,  /* nothing */
        SIM_DISK_LOSES_LAST, /* all but the last write */
        SIM_DISK_LOSES_ONE,  /* all but one, whichever */
        SIM_DISK_KEEPS_LAST, /* the last write alone: reordered */
        SIM_DISK_TEARS,      /* all, but of the last write only the first sectors, or any of them */
        SIM_DISK_MIXES,      /* of each sector any version that it had since the flush */
        SIM_DISK_CRASHES     /* how many there are */
};

/* The power goes, and comes back: what stays is durable, `cut_at` is SIM_DISK_NEVER, and the lock is free. From now on a
 * handle that was open fails without effect, until it is closed. The same seed gives the same choice. */
void sim_disk_crash(struct sim_disk *d, enum sim_disk_crash how, uint64_t seed);
/* How many writes of a sector no flush covers: with none, every manner is the same. */
size_t sim_disk_unflushed(const struct sim_disk *d);

/* Behind the node's back, without faults, and durable at once, with all else that these sectors hold at the moment.
 * Outside of the disk is a CHECK. */
void sim_disk_get(const struct sim_disk *d, uint64_t at, void *into, size_t n);
void sim_disk_put(struct sim_disk *d, uint64_t at, const void *from, size_t n);
void sim_disk_flip(struct sim_disk *d, uint64_t at, uint8_t bits); /* what rots */
/* `to` is what `from` is now, size and bytes, durable; its faults stay. No handle on `to` is open. */
void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from);

/* Every operation from now on can be taken back: the log grows until sim_disk_forget. */
void sim_disk_remember(struct sim_disk *d);
/* Take back all but the first `operations` of them, which may not be less than when sim_disk_remember was called. What
 * was not flushed at that time is not flushed again. No handle is open. Costs as much as there is to take back. */
void sim_disk_rewind(struct sim_disk *d, uint64_t operations);
void sim_disk_forget(struct sim_disk *d);

#endif
