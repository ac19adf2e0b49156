/* SPDX-License-Identifier: ISC */
/* The server's side of one HTTP/1.1 connection (RFC 9110, RFC 9112), as far as pages that are only read need it: GET and
 * HEAD without content. An engine: bytes and time go in; requests, bytes and a deadline come out. No I/O, no clock, no
 * allocation; every buffer is inside and bounded.
 *
 *     http_server_init(&s, now, wall);
 *     for (;;) {
 *             if (http_server_next(&s, &event)) {
 *                     HTTP_SERVER_REQUEST: make the page, http_server_reply
 *                     HTTP_SERVER_CLOSED:  close the connection
 *             } else if (http_server_pending(&s).n > 0) {
 *                     write some of it, http_server_sent
 *             } else {
 *                     read into http_server_room, http_server_got; at the deadline http_server_tick;
 *                     at the end of the stream http_server_lost
 *             }
 *     }
 *
 * What is not such a request is answered here, and ends the connection: 400 (malformed; a bare CR or LF, folded fields,
 * white space before a colon, no Host or two in HTTP/1.1), 405 (a method of RFC 9110 or PATCH), 413 (content), 414,
 * 431, 501 (any other method), 505 (not HTTP/1.x), 408 (begun and not ended in time). HTTP/1.1 connections are kept
 * for further requests, which may come before the answer. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"

#define HTTP_ANSWER_HEAD_MAX 512

enum http_server_event_kind {
        HTTP_SERVER_REQUEST, /* wants http_server_reply */
        HTTP_SERVER_CLOSED   /* nothing more comes and nothing is left to be sent: the last event */
};

struct http_server_event {
        enum http_server_event_kind kind;
        bool is_head; /* HEAD: the content of the answer is left out here */
        struct str
                path; /* of the target, without query, as it came (not percent-decoded); borrowed until the reply */
};

struct http_answer {
        unsigned status;         /* 200, 404 or 503 */
        struct str content_type; /* a literal of ours: nothing from a peer may stand in it */
        struct str content;      /* borrowed until http_server_pending is empty or the engine is closed */
};

struct http_server {
        enum { HTTP_READING, HTTP_ASKING, HTTP_ANSWERING, HTTP_ENDED } state;
        char in[HTTP_REQUEST_MAX];
        size_t in_n;
        size_t line;   /* of `in`: where the line begins that is not whole yet */
        size_t seen;   /* of `in`: searched for line ends */
        size_t head_n; /* of the present request, in front in `in` */
        bool is_head, keeps;
        bool is_told; /* CLOSED was given */
        struct str path;
        unsigned requests;
        char head[HTTP_ANSWER_HEAD_MAX]; /* of the answer */
        size_t head_size, sent;
        struct str content;
        int64_t deadline_ms, wall_offset_ms;
};

/* `now_ms` is a clock that never goes back, here and below; `wall_ms` the Unix time of the same moment, for Date. */
void http_server_init(struct http_server *s, int64_t now_ms, int64_t wall_ms);

/* Where to read to; `*cap` is 0 while a request is answered: then write first. */
char *http_server_room(struct http_server *s, size_t *cap);
void http_server_got(struct http_server *s, size_t n, int64_t now_ms);
/* What to write now; borrowed until the next call. */
struct str http_server_pending(const struct http_server *s);
void http_server_sent(struct http_server *s, size_t n, int64_t now_ms);

/* The next event; false: there is none now. */
bool http_server_next(struct http_server *s, struct http_server_event *event);
/* Answer the request that is open. */
void http_server_reply(struct http_server *s, const struct http_answer *answer, int64_t now_ms);

/* Until when the peer has to send or take something; then call tick. */
int64_t http_server_deadline(const struct http_server *s);
void http_server_tick(struct http_server *s, int64_t now_ms);
/* The stream has ended or failed: nothing more is said. */
void http_server_lost(struct http_server *s);

#endif
