/* SPDX-License-Identifier: ISC */
/* The queue in lines of text: what waits, and why. For `ptt queue` and for the answer of admin-request@. Pure.
 * Lines end with LF and hold no control character, whatever strangers sent. */
#ifndef LIST_QUEUED_H
#define LIST_QUEUED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

#define QUEUED_LINE_MAX 4096 /* room for what any function here writes */

enum queued_state { QUEUED_FOR_MODERATOR, QUEUED_FOR_SIGNER, QUEUED_FOR_DELIVERY };

struct queued_message {
        int64_t id;
        struct str list, domain, sender, message_id; /* list: empty for mail to people of ours */
        enum queued_state state;
        bool is_held;
        int64_t received_ms;
        uint64_t size;
        uint64_t left;      /* recipients that are not begun */
        uint64_t waiting;   /* deliveries that are in flight or wait for another try */
        struct str trouble; /* of the last try to have it signed; empty: none */
};
/* Why it waits, in a word for programs: "held", "moderator", "signer", "delivery"; and in words for people, with the
 * trouble. */
struct str queued_reason(const struct queued_message *m);
void queued_reason_write(struct wr *w, const struct queued_message *m);
/* Two lines: what it is, and why it waits. */
void queued_message_write(struct wr *w, const struct queued_message *m);

struct queued_delivery {
        struct str address, reply; /* reply: the last, or empty */
        unsigned attempts;
        bool is_held, in_flight;
        int64_t next_ms; /* 0: at once */
};
void queued_delivery_write(struct wr *w, const struct queued_delivery *d);

struct queued_destination {
        struct str domain, reply; /* one of the replies that begin alike; empty: not tried yet */
        uint64_t count;           /* deliveries */
        unsigned attempts;        /* of the one with most */
        int64_t next_ms;          /* the soonest; 0: at once */
};
void queued_destination_write(struct wr *w, const struct queued_destination *d);

#endif
