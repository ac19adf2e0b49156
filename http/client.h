/* SPDX-License-Identifier: ISC */
/* The client's side of HTTP/1.1 (RFC 9110, RFC 9112) for one short text: GET, and the content of the answer. An engine:
 * bytes and time go in, bytes and an outcome come out. No I/O, no clock, no allocation; every buffer is inside and bounded.
 *
 *     http_client_init(&c, host, path, now);
 *     while ((outcome = http_client_outcome(&c)) == ERR_AGAIN)
 *             if (http_client_pending(&c).n > 0)
 *                     write some of it, http_client_sent
 *             else
 *                     read into http_client_room, http_client_got; at the end of the stream http_client_lost;
 *                     at the deadline http_client_tick
 *
 * Only 200 is an answer: redirects are not followed, codings of content are not undone. Strict: what is not plainly HTTP/1.x
 * is an error, since who repairs a message may read another one than its sender wrote. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"

struct http_client {
        enum http_client_state {
                HTTP_CLIENT_HEAD,      /* of the answer */
                HTTP_CLIENT_SIZED,     /* content of a known size */
                HTTP_CLIENT_UNTIL_END, /* of the stream */
                HTTP_CLIENT_CHUNK_SIZE,
                HTTP_CLIENT_CHUNK,
                HTTP_CLIENT_CHUNK_END,
                HTTP_CLIENT_TRAILER,
                HTTP_CLIENT_DONE
        } state;
        enum err outcome;
        const char *why;
        unsigned status;
        unsigned interim; /* answers of 1xx so far */
        int64_t deadline_ms;
        size_t sent, request_n;
        size_t left; /* of the content, or of the present chunk */
        size_t in_n; /* of the line or head that is not whole yet */
        size_t line; /* of a head: where the line begins that is not whole yet */
        size_t body_n;
        char request[HTTP_CLIENT_REQUEST_MAX];
        char in[HTTP_REQUEST_MAX];
        char piece[HTTP_CLIENT_PIECE]; /* what was read */
        char body[HTTP_BODY_MAX];
};

/* Ask `host`, a host name, for `path`, which begins with a slash; both are copied. All is to be over HTTP_CLIENT_MS after `now_ms`. */
void http_client_init(struct http_client *c, struct str host, struct str path, int64_t now_ms);

/* What to write now; borrowed until the next call. */
struct str http_client_pending(const struct http_client *c);
void http_client_sent(struct http_client *c, size_t n);
/* Where to read to; never empty before the outcome. */
char *http_client_room(struct http_client *c, size_t *cap);
void http_client_got(struct http_client *c, size_t n);
void http_client_lost(struct http_client *c); /* the stream has ended in order */
int64_t http_client_deadline(const struct http_client *c);
void http_client_tick(struct http_client *c, int64_t now_ms);

/*   ERR_AGAIN        not over yet
 *   ERR_OK           200: http_client_body
 *   ERR_DENIED       another status
 *   ERR_UNSUPPORTED  not text/plain, or in a coding
 *   ERR_LIMIT        a head above HTTP_REQUEST_MAX, content above HTTP_BODY_MAX, too many answers of 1xx
 *   ERR_SYNTAX       not HTTP/1.x
 *   ERR_EOF          it ended early
 *   ERR_TIMEOUT */
MUST_USE enum err http_client_outcome(const struct http_client *c);
/* Why it is an error: for a log, lives for ever; else "". */
const char *http_client_why(const struct http_client *c);
unsigned http_client_status(const struct http_client *c); /* of the answer; 0: none yet */
struct str http_client_body(const struct http_client *c); /* borrowed from `c` */

#endif
