/* SPDX-License-Identifier: ISC */
/* The head of an HTTP/1.x request (RFC 9112 2 to 6), strictly. Pure; keeps no pointer. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

#include "base/str.h"

struct http_request {
        bool is_head;    /* HEAD; else GET */
        bool keeps;      /* the connection may stay open for another one (RFC 9112 9.3) */
        struct str path; /* of the target, without query; as it came, at least "/"; borrowed from the head */
};

/* Parse a head: all lines, the empty one at its end included.
 *   0      `*out` is filled
 *   400    malformed: no request line, a bare CR or LF, a folded field, white space before a colon, a control character,
 *          a target of no known form, and in HTTP/1.1 no Host or more than one
 *   405    a method of RFC 9110 or PATCH, but neither GET nor HEAD
 *   413    it has content
 *   501    another method
 *   505    not HTTP/1.x
 * With another outcome than 0, `*out` is zeros. */
unsigned http_request_parse(struct str head, struct http_request *out);

#endif
