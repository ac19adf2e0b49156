/* SPDX-License-Identifier: ISC */
/* What became of a message: what was found and decided when it came, and the last reply for each recipient. Traces and
 * results live until store_trace_forget, and no more than STORE_RESULTS_MAX results are kept (fewer in an image under
 * 391 MB, none new on a full disk): those of the oldest messages go first. See store.h for what holds for every call. */
#ifndef STORE_TRACE_H
#define STORE_TRACE_H

#include "store/messages.h"

#define STORE_RESULTS_MAX 100000
#define STORE_LEFT_MAX 10000
#define STORE_RESULT_REPLY_MAX 200 /* of a reply's text, what is kept */

struct store_trace {
        int64_t message, list; /* list: 0 for a forward to nobody's list */
        struct str list_name, domain, sender, message_id;
        enum store_state state;
        bool is_held; /* by the operator */
        int64_t received_ms;
        uint64_t
                left; /* members that are still to get it; those in flight or deferred: store_queue_waiting */
        struct str text;
};

/* Up to `limit` messages with that Message-ID that have a trace, at `list` (0: at any), oldest first. The same message
 * may have come to several lists. */
MUST_USE enum err store_traces(struct store *s, struct str message_id, int64_t list, size_t limit,
        struct arena *a, struct store_trace **out, size_t *count);
/* Put a line behind what is there, as far as STORE_TRACE_MAX goes.
 *   ERR_OK, or ERR_NOT_FOUND: that message has no trace */
MUST_USE enum err store_trace_add(struct store *s, int64_t message, struct str line);

struct store_result {
        int64_t delivery; /* its id, in the order of handing out */
        int64_t member;   /* 0 for a forward */
        struct str address, reply;
        unsigned code; /* of the reply, or 0: there was none */
        bool is_delivered;
        int64_t time_ms;
};
/* Up to `limit` results of `message` with an id above `after`, by id. */
MUST_USE enum err store_results(struct store *s, int64_t message, int64_t after, size_t limit,
        struct arena *a, struct store_result **out, size_t *count);

/* Take away up to `limit` traces, and as many results, of messages received before `before_ms`, oldest first; `*count`
 * is how many rows went. */
MUST_USE enum err store_trace_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count);

#endif
