/* SPDX-License-Identifier: ISC */
/* Inside the store: what it is made of, and how a request comes to the store fiber.
 *
 * A request is a function that runs in the store fiber and never waits for anything but the disk. One that changes
 * something runs inside a transaction: those that wait together share one, each behind a savepoint or some behind one,
 * and all of them get their answer after the commit. One that only looks runs before the changes that wait with it, and
 * is answered at once. */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "store/db.h"
#include "store/spool.h"
#include "store/store.h"
#include "store/vfs.h"

/* An extent whose message became done in this transaction: free once that is committed. */
struct freed {
        int64_t message;
        struct spool_extent extent;
};

enum { MESSAGE_8BIT = 1, MESSAGE_SMTPUTF8 = 2 }; /* message.flags */

struct freed_list {
        struct freed *items;
        size_t count, cap;
};

/* Messages of which a delivery has ended in this transaction: whether that was the last one is asked once for each. */
#define ENDED_MAX 16
struct ended_list {
        int64_t messages[ENDED_MAX];
        size_t count;
};

/* A change of several calls, while it runs (store_together). */
struct together {
        store_together_fn *fn;
        void *ctx;
        const struct fiber *fiber;    /* in which it runs */
        enum err err;                 /* the transaction is lost */
        struct store_intake *intakes; /* whose rows are in it */
};

struct store {
        struct host *host;
        enum store_user user;
        const char *why;      /* it could not be opened */
        uint64_t bad_extents; /* found at the opening */
        struct volume volume;
        struct vfs *vfs;
        struct db db;
        struct spool spool;
        struct request_queue {
                struct request *first, **last;
        } changes, looks; /* that wait */
        struct waitq work;
        bool has_fiber, has_ended, is_broken;
        bool is_tight; /* no room to keep free for results: no mail, request or notice is taken in */
        int64_t tight_until_ms;
        struct freed_list freed;
        struct ended_list ended;
        int64_t results, results_sure; /* rows of results: with this transaction, and without it */
        struct together *together;     /* or NULL */
        struct store_reader *readers;  /* open ones */
        int64_t turn;                  /* the last one given to a post */
};

typedef enum err request_fn(struct store *s, void *arg);
/* Run `fn(s, arg)` in a transaction and wait until it is on disk.
 *   what `fn` gave (then its changes are undone unless ERR_OK), or why the transaction failed */
MUST_USE enum err store_ask(struct store *s, request_fn *fn, void *arg);
/* The same for an `fn` that only reads `arg`, and may run twice: those that wait together share a savepoint, and where one
 * of them fails, all are undone and run again, each behind its own.
 *   what `fn` gave at last, or why the transaction failed */
MUST_USE enum err store_ask_repeatable(struct store *s, request_fn *fn, void *arg);
/* The same for an `fn` that changes nothing in the database. It sees all that was answered before, and needs no commit.
 *   what `fn` gave */
MUST_USE enum err store_look(struct store *s, request_fn *fn, void *arg);
/* Does the caller run inside store_together? */
bool store_is_together(const struct store *s);
/* intake.c: its row is on disk, or it is not. `next` is the one behind it. */
struct store_intake *intake_settle(struct store_intake *i, bool is_kept);

/* The disk failed: refuse everything from now on. */
void store_break(struct store *s, const char *where, enum err err);

/* In a request: note the extents of `message` as free after the commit.
 *   ERR_OK, ERR_MEMORY */
MUST_USE enum err freed_add(struct freed_list *f, int64_t message, const struct spool_extent *e);

/* Give the extents of a message back; one that cannot be is logged, and stays as it is until the next start. */
void freed_give(struct store *s, int64_t message, const struct spool_extent *extents, size_t count);

/* reader.c: an open reader of that message keeps its extents, and frees them itself at its end. */
bool reader_keeps(struct store *s, int64_t message);

/* The columns segment, block, size, crc of the row that `q` stands on; out of range becomes an extent that no segment
 * has. */
struct spool_extent extent_of(struct query *q);
/* The part behind the last '@'. */
struct str address_domain(struct str address);
MUST_USE enum err address_domain_lower(struct str address, struct arena *a, struct str *out);

/* Room for every row that `q` will give, of `size` bytes each. A fault is the query's. */
void *query_room(struct query *q, struct arena *a, size_t size, size_t *count);

/* In a request: make `message` done when nothing of it is left to deliver, and free its space. */
MUST_USE enum err message_finish(struct store *s, int64_t message);
/* The same at the end of the transaction, once for all who ask for it. */
MUST_USE enum err message_finish_later(struct store *s, int64_t message);
MUST_USE enum err messages_finish(struct store *s);

/* trace.c, in a request. Count the results at the start; keep the trace of a new message; keep what came of a delivery. */
MUST_USE enum err results_count(struct store *s);
MUST_USE enum err trace_begin(struct store *s, int64_t message, struct str message_id, struct str text);
struct result {
        int64_t id, when_ms; /* id: of the delivery */
        unsigned code;
        struct str reply;
        bool is_delivered;
};
struct recipient {
        int64_t message, member;
        struct str address;
};
MUST_USE enum err result_add(struct store *s, const struct result *r, const struct recipient *to);

/* notices.c, in a request. ERR_OK, ERR_NOT_FOUND */
MUST_USE enum err notice_end(struct store *s, int64_t notice);

/* ticket.c, in a request: open becomes signed, and what is to be delivered waits.
 *   as store_ticket_sign */
MUST_USE enum err message_sign(struct store *s, int64_t message, struct str prefix);
/* ticket.c, in a request: a post that waits for moderators is done, never sent.
 *   ERR_OK, ERR_NOT_FOUND */
MUST_USE enum err post_drop(struct store *s, int64_t message);

/* reserve.c: keep free pages in the database and room in its log, so that the results of deliveries, which free
 * space, can be committed on a full disk. Sets is_tight when the disk has no such room.
 *   ERR_OK, also when tight; ERR_IO, ERR_CORRUPT */
MUST_USE enum err reserve_keep(struct store *s);

#endif
