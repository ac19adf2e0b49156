/* SPDX-License-Identifier: ISC */
/* For tests: plays bytes into an engine and collects what it says and asks. Each page is its path. */
#ifndef HTTP_SERVER_PLAY_H
#define HTTP_SERVER_PLAY_H

#include <string.h>

#include "base/check.h"
#include "base/exact.h"
#include "base/wr.h"
#include "http/server.h"

#define PLAY_ROOM (240 * 1024)
#define PLAY_WALL_MS 784111777000 /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */

struct server_play {
        struct http_server *s;
        int64_t now_ms;
        bool is_closed;
        size_t requests;
        struct wr said;
};

static inline void server_play_begin(struct server_play *p)
{
        *p = (struct server_play){.s = malloc(sizeof *p->s)};
        char *room = malloc(PLAY_ROOM);
        CHECK(p->s && room);
        wr_init(&p->said, room, PLAY_ROOM);
        http_server_init(p->s, p->now_ms, PLAY_WALL_MS);
}

static inline void server_play_end(struct server_play *p)
{
        free(p->said.p);
        free(p->s);
}

/* Answer and take what is said, at most `step` bytes at once (0: all). */
static inline void server_play_run(struct server_play *p, size_t step)
{
        struct http_server_event event;
        for (;;) {
                struct str pending = http_server_pending(p->s);
                if (http_server_next(p->s, &event)) {
                        CHECK(!p->is_closed);
                        p->is_closed = event.kind == HTTP_SERVER_CLOSED;
                        if (p->is_closed)
                                continue;
                        CHECK(event.path.n > 0 && event.path.p[0] == '/');
                        struct http_answer a = {
                                .status = 200, .content_type = S("text/plain"), .content = event.path};
                        p->requests++;
                        http_server_reply(p->s, &a, p->now_ms);
                } else if (pending.n > 0) {
                        size_t n = step > 0 && step < pending.n ? step : pending.n;
                        wr_str(&p->said, str_take(pending, n));
                        http_server_sent(p->s, n, p->now_ms);
                } else {
                        return;
                }
        }
}

/* Feed `bytes` in pieces of at most `step` (0: as large as there is room), as long as the connection lasts. */
static inline void server_play_feed(struct server_play *p, struct str bytes, size_t step)
{
        while (bytes.n > 0 && !p->is_closed) {
                size_t cap, n = step > 0 && step < bytes.n ? step : bytes.n;
                char *room = http_server_room(p->s, &cap);
                CHECK(cap > 0);
                n = n < cap ? n : cap;
                memcpy(room, bytes.p, n);
                http_server_got(p->s, n, p->now_ms);
                bytes = str_skip(bytes, n);
                server_play_run(p, step);
        }
}

#endif
