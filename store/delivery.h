/* SPDX-License-Identifier: ISC */
/* Deliveries: who still gets what. A post is a cursor over the ids of its list's members; a row for a recipient exists
 * only while its delivery is in flight or waits for another try. See store.h for what holds for every call.
 *
 * Rows that store_post_fill and store_delivery_due give are in flight: exactly one of done, defer and fail is to be
 * called for each; if the process dies before, the row waits again. The last result of a message makes it done and
 * frees its space in the same transaction. */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "store/store.h"

#define STORE_REPLY_MAX 512                      /* of a reply's text, what is kept */
#define STORE_BOUNCES_MS (24LL * 60 * 60 * 1000) /* in which bounces of one member are counted */

struct store_delivery {
        int64_t id, message;
        int64_t list;       /* of the message, or 0 */
        int64_t member;     /* 0 for a forward that is no probe */
        struct str address; /* as written */
        struct str domain;  /* of the address, in lower case */
        unsigned attempts;  /* failed tries so far */
        int64_t first_ms;   /* when it was first handed out */
};

/* Hand out the next members of the posts, in turn among posts, up to `limit` rows.
 *   ERR_OK, also for none: then every cursor is at its end */
MUST_USE enum err store_post_fill(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count);
/* Hand out up to `limit` rows whose time has come, the longest due first. */
MUST_USE enum err store_delivery_due(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count);
/* The same for rows of no member only: what a person waits for, which is not to stand behind posts. */
MUST_USE enum err store_delivery_urgent(struct store *s, int64_t now_ms, size_t limit, struct arena *a,
        struct store_delivery **out, size_t *count);
/* The earliest time at which a row is due: 0 when a cursor can move now, INT64_MAX when nothing waits. */
MUST_USE enum err store_delivery_next_due(struct store *s, int64_t *when_ms);

/* Delivered. The reply is kept for a while (trace.h).
 *   ERR_OK, or ERR_NOT_FOUND: no such row in flight */
MUST_USE enum err store_delivery_done(
        struct store *s, int64_t id, int64_t now_ms, unsigned code, struct str reply);
/* To be tried again at `next_ms`; `attempts` goes up by one and `reply` is kept for the operator. */
MUST_USE enum err store_delivery_defer(struct store *s, int64_t id, int64_t next_ms, struct str reply);
/* Given up: recorded as a failure of that recipient. `code` is the SMTP reply code, or 0 when there was no reply. */
MUST_USE enum err store_delivery_fail(
        struct store *s, int64_t id, int64_t now_ms, unsigned code, struct str reply);
/* A bounce came to the return path of a member: recorded as a failure of code 0 that belongs to no message. Whoever got mail from
 * us can send them without end: of STORE_BOUNCES_MS as many are recorded as its list had posts then, and one, of a probe or late.
 *   ERR_OK, or ERR_NOT_FOUND: nobody has that id any more, or as many are recorded already */
MUST_USE enum err store_failure_add(struct store *s, int64_t member, int64_t now_ms, struct str said);
/* Put a row back without counting a try, due at once (when delivery is stopped before its connection had a turn). */
MUST_USE enum err store_delivery_return(struct store *s, int64_t id, int64_t now_ms);
/* The same for all that is in flight, in one change: when delivery ends. */
MUST_USE enum err store_delivery_return_all(struct store *s);
/* What is due after `latest_ms` is due then: no pause is that long, so the clock was put back since. */
MUST_USE enum err store_delivery_hasten(struct store *s, int64_t latest_ms);

/* What the operator sees. */
struct store_queued {
        int64_t message, list;
        struct str list_name, domain, sender, message_id;
        bool is_signed;  /* nec's copy has come */
        bool is_waiting; /* for moderators to decide */
        bool is_held;    /* until it is flushed */
        int64_t received_ms;
        uint64_t size;      /* of the body */
        uint64_t left;      /* members that are still to get it, or recipients of an open forward */
        uint64_t waiting;   /* deliveries in flight or that wait, counted up to STORE_BACKLOG_MAX */
        struct str trouble; /* of the last try to have it signed; empty: none */
};
struct store_waiting {
        int64_t id, message, member;
        struct str address, reply; /* the last reply, empty before the first try */
        unsigned attempts;
        bool in_flight;
        int64_t next_ms; /* 0 in flight */
};
struct store_failure {
        int64_t id, member, message;
        struct str list_name, domain, address, message_id, reply;
        unsigned code;
        int64_t time_ms;
};
/* What the operator does to a message: hold it, in whatever state it is; try all that waits now, and no longer hold it;
 * give up all that is left of it, also of a post that waits for moderators, with its request.
 *   ERR_OK, or ERR_NOT_FOUND: no such message, or it is done */
MUST_USE enum err store_queue_hold(struct store *s, int64_t message);
MUST_USE enum err store_queue_flush(struct store *s, int64_t message);
MUST_USE enum err store_queue_drop(struct store *s, int64_t message);

/* Try all that waits now, but for what is held; `*count` is how many deliveries that are. */
MUST_USE enum err store_queue_flush_all(struct store *s, uint64_t *count);

/* Up to `limit` messages that are not done, with an id above `after`, oldest first. */
MUST_USE enum err store_queue(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_queued **out, size_t *count);
/* Up to `limit` kinds of trouble, worst first: deliveries by their domain and by how the last reply to them began (its
 * codes). Of a longer queue, STORE_DESTINATION_ROWS deliveries are looked at. */
#define STORE_DESTINATION_ROWS 100000
struct store_destination {
        struct str domain, reply; /* one of these replies; empty: not tried yet */
        uint64_t count;
        unsigned attempts; /* of the delivery with most */
        int64_t next_ms;   /* the soonest; 0: in flight, or due at once */
};
MUST_USE enum err store_queue_destinations(
        struct store *s, size_t limit, struct arena *a, struct store_destination **out, size_t *count);
/* How much waits, counted up to STORE_BACKLOG_MAX each, so that asking costs little however long the queue is. */
#define STORE_BACKLOG_MAX 10000
struct store_backlog {
        uint64_t open;     /* messages that are to be handed to nec */
        uint64_t messages; /* these, and signed ones */
        uint64_t waiting;  /* deliveries that wait for a turn or another try */
        int64_t oldest_ms; /* when the oldest of these messages was received; 0: none */
        uint64_t held;     /* posts that wait for moderators */
        uint64_t requests; /* all that waits for somebody's answer (requests.h) */
        uint64_t notices;  /* mail that is to be written (notices.h) */
};
MUST_USE enum err store_backlog(struct store *s, struct store_backlog *out);
/* Up to `limit` recipients of `message` that are in flight or wait, with an id above `after`. */
MUST_USE enum err store_queue_waiting(struct store *s, int64_t message, int64_t after, size_t limit,
        struct arena *a, struct store_waiting **out, size_t *count);
/* Up to `limit` failures with an id above `after`, oldest first. */
MUST_USE enum err store_failures(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_failure **out, size_t *count);

#endif
