/* SPDX-License-Identifier: ISC */
/* For tests: messages with an open ticket, whatever their kind. */
#ifndef STORE_OPEN_TICKETS_H
#define STORE_OPEN_TICKETS_H

#include "base/check.h"
#include "store/messages.h"

#define OPEN_TICKETS_MAX 256

/* As store_tickets_open, over both kinds. */
static inline enum err open_tickets(struct store *s, int64_t after, size_t cap, int64_t *ids, size_t *count)
{
        int64_t posts[OPEN_TICKETS_MAX], forwards[OPEN_TICKETS_MAX];
        size_t post_count = 0, forward_count = 0, post = 0, forward = 0;
        CHECK(cap <= OPEN_TICKETS_MAX);
        *count = 0;
        enum err e = store_tickets_open(s, STORE_POST, after, cap, posts, &post_count);
        if (e == ERR_OK)
                e = store_tickets_open(s, STORE_FORWARD, after, cap, forwards, &forward_count);
        while (e == ERR_OK && *count < cap && (post < post_count || forward < forward_count)) {
                bool is_post =
                        forward == forward_count || (post < post_count && posts[post] < forwards[forward]);
                ids[(*count)++] = is_post ? posts[post++] : forwards[forward++];
        }
        return e;
}

#endif
