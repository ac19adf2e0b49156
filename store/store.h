/* SPDX-License-Identifier: ISC */
/* The store: lists, members, messages and the queue of deliveries, kept in one image that one process holds at a time.
 *
 * One connection to the database, owned by the store fiber once store_start was called. Every function of store.h,
 * lists.h, messages.h and delivery.h may be called from any fiber and blocks it until its change is on disk; changes
 * that wait at the same moment share one transaction, and one that fails does not undo the others. A caller that is
 * cancelled while its change is under way still gets the true answer: no outcome is ever left unknown.
 * Without a store fiber (ptt, tests) a call does its work at once in a transaction of its own.
 *
 * Outcomes that every function may have beside its own, and that are not repeated there:
 *   ERR_FULL     the disk is full: the change was not made; it may be tried again later
 *   ERR_IO       the disk failed: final, from now on every call gives ERR_IO
 *   ERR_CORRUPT  the database or the message is damaged
 *   ERR_MEMORY   the heap or the caller's arena is exhausted: the change was not made
 *   ERR_CLOSED   the store fiber has ended
 * Times are Unix milliseconds. Slices given are borrowed for the call; slices got are copied into the caller's arena.
 * Addresses are `local@domain`, already checked by mail/address.h; they compare without ASCII case in both parts. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "fiber/fiber.h"
#include "host/host.h"

struct store;

#define STORE_SPOOL_SIZE (512ull * 1024 * 1024) /* the default share of the spool */
#define STORE_SPOOL_SIZE_MIN (1024ull * 1024)
#define STORE_SPOOL_SIZE_MAX (1ull << 40)

/* Make a new image at `path`; interrupted, there is none. `spool_size` is the most that messages may take.
 *   ERR_OK
 *   ERR_EXISTS     something is there already
 *   ERR_NOT_FOUND  the folder around it is missing
 *   ERR_DENIED     no right to write there
 *   ERR_LIMIT      `spool_size` is outside STORE_SPOOL_SIZE_MIN and _MAX */
MUST_USE enum err store_create(struct host *h, struct str path, uint64_t spool_size);

/* Open an image, lock it, bring its schema up to date and recover: deliveries in flight at a death wait again, spool
 * space that no message owns is free. What was recovered is logged.
 *   ERR_OK           `*out` is owned by the caller until store_close
 *   ERR_NOT_FOUND    no image there
 *   ERR_BUSY         another process has it open
 *   ERR_DENIED       no right to it
 *   ERR_UNSUPPORTED  its schema is newer than this program
 * `*out` is NULL on errors. */
MUST_USE enum err store_open(struct host *h, struct str path, struct store **out);

/* Start the store fiber in `scope`. When that scope is cancelled the fiber first does everything that was asked
 * before; so cancel and join the scopes of its users first, and then this one.
 *   ERR_OK, ERR_MEMORY, ERR_CANCELLED */
MUST_USE enum err store_start(struct store *s, struct scope *scope);

/* After the scope of the store fiber was joined. Readers and intakes must be closed before. NULL is nothing. */
void store_close(struct store *s);

/* Has the disk failed? Then nothing is taken any more, and the program should end with status 1. Never blocks. */
bool store_is_broken(const struct store *s);

/* Space of the spool in bytes, as known now; never blocks. */
struct store_space {
        uint64_t share;    /* the most that the spool may take */
        uint64_t used;     /* in messages */
        uint64_t reserved; /* for messages being received */
};
struct store_space store_space(const struct store *s);

#endif
