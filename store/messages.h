/* SPDX-License-Identifier: ISC */
/* Messages: taking them in, their tickets, reading them. See store.h for what holds for every call.
 *
 * The bytes that were received lie in the spool, in extents of at most 64 KiB with a checksum each; `front` is what
 * lipap puts in front of them (its header fields), `prefix` what nec put in front of that. A message is
 *   waiting a post that moderators are to decide on (with a request, requests.h); nothing happens to it until they do
 *   open    taken in, to be handed to nec
 *   signed  nec's copy has come; being delivered
 *   done    nothing is left to deliver; its space is free, its row stays until store_forget */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "store/store.h"

enum store_kind { STORE_POST = 1, STORE_FORWARD = 2 };
enum store_state { STORE_OPEN = 1, STORE_SIGNED = 2, STORE_DONE = 3, STORE_WAITING = 4 };

#define STORE_TRACE_MAX 2048 /* bytes of what is told of a message's way in; the rest is cut */

struct store_message_new {
        struct str ticket;     /* unique; compared without case, kept in lower case */
        enum store_kind kind;  /* a post goes to the members of `list`, a forward to `recipients` */
        int64_t list;          /* 0: none, for a forward */
        int64_t probe;         /* of a forward: the member of `list` whom it probes, its recipient; or 0 */
        struct str domain;     /* ours, in whose name it goes */
        struct str sender;     /* envelope sender, empty for <> */
        struct str message_id; /* of a longer one, the first MAIL_LINE_MAX octets are kept */
        struct str front;
        bool is_8bit, is_smtputf8;
        int64_t received_ms;
        const struct str *recipients;
        size_t recipient_count;
        const struct str *skip; /* addresses of members of `list` that get no copy; others are nothing */
        size_t skip_count;
        struct str trace; /* what was found and decided, for `ptt why` (trace.h); empty: nothing is kept */
        bool waits;       /* a post: begins as waiting */
        bool is_unsigned; /* a forward: begins as signed, with nothing in front; no signer is asked */
        int64_t notice;   /* of which this is the mail (notices.h), and which goes with it; or 0 */
};

struct store_message {
        int64_t id, list;
        int64_t probe; /* the member whom it probes, or 0 */
        enum store_kind kind;
        enum store_state state;
        struct str ticket, domain, sender, message_id;
        bool is_8bit, is_smtputf8;
        int64_t received_ms;
        uint64_t prefix_size, front_size, body_size; /* body: as received */
};

/* Intake: space is reserved when it begins, so that a transaction refused for space is refused early. Memory is
 * constant whatever the size: one buffer of 64 KiB and 16 bytes an extent. Belongs to one fiber. */
struct store_intake;
/* `expected_size` is what SIZE= says, or 0; more may be written as long as there is space.
 *   ERR_OK    `*out` is owned by the caller until commit or abort
 *   ERR_FULL  not so much space left */
MUST_USE enum err store_intake_begin(struct store *s, uint64_t expected_size, struct store_intake **out);
/*   ERR_OK, or an error that sticks until the end: then abort. */
MUST_USE enum err store_intake_write(struct store_intake *i, struct str bytes);
uint64_t store_intake_size(const struct store_intake *i);
/* Bytes in front of all that were and will be written, once. When it is little beside what is still in memory, it costs no place of its own.
 *   as store_intake_write */
MUST_USE enum err store_intake_head(struct store_intake *i, struct str bytes);
/* Writes the rest, waits until the bytes are on disk and then until the row is. Consumes `i` whatever the outcome.
 *   ERR_OK         the message is kept, `*id` names it
 *   ERR_EXISTS     that ticket is taken
 *   ERR_NOT_FOUND  no such list, or the notice is gone
 *   ERR_CANCELLED  nothing is kept                                 (`*id` is 0 on errors) */
MUST_USE enum err store_intake_commit(
        struct store_intake *i, const struct store_message_new *message, int64_t *id);
/* The same in two steps, for a message whose row is part of a greater change:
 *   store_intake_sync   outside: write the rest and wait until the bytes are on disk
 *   store_intake_add    inside store_together, once: the row
 *   store_intake_abort  outside, always: gives back what no durable row owns
 * Sync: ERR_OK, ERR_CANCELLED, or the error that sticks. Add: ERR_OK, ERR_EXISTS, ERR_NOT_FOUND as above. */
MUST_USE enum err store_intake_sync(struct store_intake *i);
MUST_USE enum err store_intake_add(
        struct store_intake *i, const struct store_message_new *message, int64_t *id);
void store_intake_abort(struct store_intake *i); /* NULL is nothing */

/*   ERR_OK, or ERR_NOT_FOUND with an id of 0 */
MUST_USE enum err store_message_get(struct store *s, int64_t id, struct arena *a, struct store_message *out);
MUST_USE enum err store_ticket_find(
        struct store *s, struct str ticket, struct arena *a, struct store_message *out);
/* Up to `cap` messages of one kind with an open ticket and an id above `after`, oldest first. */
MUST_USE enum err store_tickets_open(
        struct store *s, enum store_kind kind, int64_t after, size_t cap, int64_t *ids, size_t *count);
/* nec's copy has come with `prefix` in front. The members who joined until now are those who get a post.
 *   ERR_OK         signed now, and to be delivered
 *   ERR_EXISTS     signed before: nothing changed, this copy is to be dropped
 *   ERR_NOT_FOUND  no such message */
MUST_USE enum err store_ticket_sign(struct store *s, int64_t id, struct str prefix);
/* Why the last try to have it signed failed, for whoever looks at the queue: an SMTP reply code (0: there was none) and
 * words, of which STORE_TROUBLE_MAX are kept.
 *   ERR_OK, or ERR_NOT_FOUND: no such message */
#define STORE_TROUBLE_MAX 512
MUST_USE enum err store_trouble_put(struct store *s, int64_t id, unsigned code, struct str text);
/* How many open messages a signer refused for good (5yz), as far as nobody took them since; counted up to 100. */
MUST_USE enum err store_troubles_refused(struct store *s, uint64_t *count);
/* A post that waits becomes open. Whoever hands open ones to nec is to be told, and to look from the first one on: its id
 * is lower than those of posts that were signed meanwhile. Or it is dropped: done, never sent, its space is free. Requests are
 * the caller's to end in the same change.
 *   ERR_OK, or ERR_NOT_FOUND: no such message, or it does not wait */
MUST_USE enum err store_post_release(struct store *s, int64_t id);
MUST_USE enum err store_post_drop(struct store *s, int64_t id);
/* Take away up to `limit` messages that are done and were received before `before_ms`, and as many failures recorded
 * before then; `*count` is how many rows went. */
MUST_USE enum err store_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count);

/* Reading, at any offset, with every checksum verified. A reader belongs to one fiber at a time; while it is open the
 * bytes stay, even when the message is done meanwhile. */
struct store_reader;
enum store_part {
        STORE_WHOLE, /* prefix, front, body: what members get */
        STORE_SENT   /* front, body: what nec gets, and gives back */
};
/*   ERR_OK, or ERR_NOT_FOUND: no such message, or it is done */
MUST_USE enum err store_reader_open(
        struct store *s, int64_t message, enum store_part part, struct store_reader **out);
uint64_t store_reader_size(const struct store_reader *r);
/* Fill `into` from `at` on: `*got` is `cap`, or less at the end of the message.
 *   ERR_OK, or ERR_CORRUPT (a checksum is wrong) with a `*got` of 0 */
MUST_USE enum err store_reader_read(struct store_reader *r, uint64_t at, void *into, size_t cap, size_t *got);
void store_reader_close(struct store_reader *r); /* NULL is nothing */

#endif
