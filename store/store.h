/* SPDX-License-Identifier: ISC */
/* The store: lists, members, messages and the queue of deliveries, kept in one image that one process holds at a time.
 *
 * One connection to the database, owned by the store fiber once store_start was called. Every function of store.h,
 * lists.h, requests.h, notices.h, messages.h, trace.h and delivery.h may be called from any fiber and blocks it until
 * its change is on disk; changes that wait at the same moment share one transaction, and one that fails does not undo
 * the others. What only looks is answered before them: it sees what is on disk. A caller that is cancelled while its
 * change is under way still gets the true answer: no outcome is ever left unknown.
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

#define STORE_IMAGE_SIZE (512ull * 1024 * 1024) /* of a new image, when nothing else is said */

/* Make an image of the block at `path`, all of whose bytes are zeros: a volume as large as the block (fat/fat.h), with
 * an empty database in it. Interrupted, it is no image.
 *   ERR_OK
 *   ERR_NOT_FOUND, ERR_BUSY, ERR_DENIED  the block cannot be opened
 *   ERR_LIMIT                            too small or too large */
MUST_USE enum err store_create(struct host *h, struct str path);

/* Who opens, and what of it follows when the image was not closed in order. */
enum store_user {
        STORE_SERVER, /* lipap: what a dead one left is replayed */
        STORE_TOOL,   /* refused, unless it was a tool that died */
        STORE_REPAIR, /* replayed: the operator has said that nothing has it open */
        STORE_CHECK   /* as STORE_TOOL, and for store_check alone: nothing on disk changes */
};

/* Open an image, lock it, bring its schema up to date and recover: an interrupted change of the volume is completed,
 * deliveries in flight at a death wait again, spool space that no message owns is free. What was recovered is logged.
 *   ERR_OK           `*out` is owned by the caller until store_close
 *   ERR_NOT_FOUND    nothing there
 *   ERR_BUSY         another process has it open
 *   ERR_SEQUENCE     a guest has it mounted, or lipap has died with it (only for STORE_TOOL and STORE_CHECK)
 *   ERR_DENIED       no right to it
 *   ERR_CORRUPT      damaged: `why` tells what; ptt check tells more
 *   ERR_UNSUPPORTED  no image of ours, or its schema is newer than this program: `why` tells
 * `*out` is NULL on errors. `why` may be NULL; else it is a short phrase that lives for ever. */
MUST_USE enum err store_open_as(
        struct host *h, struct str path, enum store_user user, const char **why, struct store **out);
/* The same for STORE_SERVER. */
MUST_USE enum err store_open(struct host *h, struct str path, struct store **out);

/* Start the store fiber in `scope`. When that scope is cancelled the fiber first does everything that was asked
 * before; so cancel and join the scopes of its users first, and then this one.
 *   ERR_OK, ERR_MEMORY, ERR_CANCELLED */
MUST_USE enum err store_start(struct store *s, struct scope *scope);

/* Run `fn(s, ctx)` in the store fiber, as one change on fresh state: whatever functions of the store `fn` calls act at
 * once, see what those before them did, and become durable together. One of them that fails is undone alone, and `fn`
 * may go on. Meanwhile everybody else's changes wait, so `fn` waits for nothing but the store, and its stack is the store fiber's: no large
 * arrays. Arenas may be the caller's.
 * Not inside `fn`: store_together, and what takes bytes in (messages.h), but for store_intake_add.
 *   ERR_OK  all of it is on disk
 *   else    what `fn` gave, or why the transaction failed: nothing of it was done */
typedef enum err store_together_fn(struct store *s, void *ctx);
MUST_USE enum err store_together(struct store *s, store_together_fn *fn, void *ctx);

/* A small file of the image, such as "templates/help.en.txt", whole.
 *   ERR_OK
 *   ERR_NOT_FOUND  no such file, or a folder
 *   ERR_LIMIT      it has more than `max` bytes           (`*out` is empty on errors) */
MUST_USE enum err store_file_read(
        struct store *s, struct str path, size_t max, struct arena *a, struct str *out);

/* After the scope of the store fiber was joined. Readers and intakes must be closed before. NULL is nothing. After a
 * failure of the disk the image stays dirty. */
void store_close(struct store *s);

/* Has the disk failed? Then nothing is taken any more, and the program should end with status 1. Never blocks. */
bool store_is_broken(const struct store *s);

/* Look at everything, in any state: the database's structure, the checksum of each of its pages, the extents of each
 * message against the spool and its size, and the checksum of each extent. For a store without a store fiber.
 * `report` gets each fault as a line of text, `progress` (may be NULL) how far it is; with `repair` (an image opened
 * for STORE_REPAIR) indexes are built anew, and extents that cannot be are taken from their messages, which then read
 * as damaged.
 *   ERR_OK, also with faults; `*faults` counts them, `*left` those that are still there */
struct store_checker {
        void (*report)(void *ctx, struct str fault);
        void (*progress)(void *ctx, uint64_t done, uint64_t all);
        void *ctx;
        bool repair;
};
MUST_USE enum err store_check(
        struct store *s, const struct store_checker *how, uint64_t *faults, uint64_t *left);

/* Space of the spool in bytes, as known now; never blocks. */
struct store_space {
        uint64_t share;    /* the most that the spool may take; changes as the database grows */
        uint64_t used;     /* in messages */
        uint64_t reserved; /* for messages being received */
        bool is_tight;     /* the database has no room to grow: nothing is taken in */
};
struct store_space store_space(const struct store *s);

#endif
