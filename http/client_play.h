/* SPDX-License-Identifier: ISC */
/* For tests: plays an answer into an engine, in pieces and with its end. */
#ifndef HTTP_CLIENT_PLAY_H
#define HTTP_CLIENT_PLAY_H

#include <string.h>

#include "base/check.h"
#include "base/exact.h"
#include "http/client.h"

/* A client that has asked; to be given back with free. */
static inline struct http_client *client_play_begin(void)
{
        struct http_client *c = malloc(sizeof *c);
        CHECK(c);
        http_client_init(c, S("mta-sts.example.org"), S("/.well-known/mta-sts.txt"), 1000);
        while (http_client_pending(c).n > 0)
                http_client_sent(c, 1);
        return c;
}

/* Feed `bytes` in pieces of at most `step` (0: as large as there is room), and then the stream's end if `ends`. */
static inline enum err client_play_feed(struct http_client *c, struct str bytes, size_t step, bool ends)
{
        while (bytes.n > 0 && http_client_outcome(c) == ERR_AGAIN) {
                size_t cap, n = step > 0 && step < bytes.n ? step : bytes.n;
                char *room = http_client_room(c, &cap);
                CHECK(cap > 0);
                n = n < cap ? n : cap;
                memcpy(room, bytes.p, n);
                http_client_got(c, n);
                bytes = str_skip(bytes, n);
        }
        if (ends)
                http_client_lost(c);
        return http_client_outcome(c);
}

#endif
