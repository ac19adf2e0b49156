/* SPDX-License-Identifier: ISC */
/* The Authentication-Results field (RFC 8601) as a value, read and written; with "i=N;" in front, the content of
 * ARC-Authentication-Results (RFC 8617 4.1.1). Composing it from verdicts is auth/authres_make.h. Pure: no I/O, no
 * allocation, no clock. */
#ifndef AUTH_AUTHRES_H
#define AUTH_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/header.h"

/* Texts are what they stand for, without quotes and backslashes, but for comments, which may hold others and are as
 * written. Empty: not there. */
struct authres_property {
        struct str ptype, name, value; /* "smtp", "mailfrom", "example.org"; some write none of the first */
};

struct authres_result {
        struct str method;  /* "dkim" */
        unsigned version;   /* of the method: 1 */
        struct str result;  /* the word as written: compare it with authres_is */
        struct str comment; /* the first one behind the result and its reason */
        struct str reason;
        size_t first, count; /* its properties in `properties` */
};

struct authres {
        struct str id;    /* the authserv-id */
        unsigned version; /* of the field: 1 is the only one there is */
        size_t count;     /* 0: "none", no authentication was done */
        struct authres_result results[AUTHRES_RESULTS_MAX];
        size_t property_count;
        struct authres_property properties[AUTHRES_PROPERTIES_MAX];
};

/* Reading. */

/* Read a field body (behind the colon, folded or not). More than the grammar is accepted: in the values of properties any
 * text up to white space, ";" or "(", since URIs and base64 are written without quotes; properties without a ptype; and a
 * ";" at the end.
 *   ERR_OK           slices of `*out` are borrowed from `body` and from `room`
 *   ERR_SYNTAX       malformed, from wherever on: nothing of it is to be believed
 *   ERR_UNSUPPORTED  another version than 1 (`out->id` is there)
 *   ERR_LIMIT        more than AUTHRES_RESULTS_MAX results or AUTHRES_PROPERTIES_MAX properties
 *   ERR_SPACE        `room` is full: body.n bytes are enough    (`out->count` is 0 on errors) */
MUST_USE enum err authres_parse(struct str body, struct wr *room, struct authres *out);

/* The authserv-id alone, for fields whose rest may be anything.
 *   ERR_OK      borrowed from `body` or `room`
 *   ERR_SYNTAX  none can be read
 *   ERR_SPACE   as above */
MUST_USE enum err authres_id(struct str body, struct wr *room, struct str *id);

/* Does result `r` say `word`, such as "pass"? Words are compared octet by octet, but for those of SPF, which RFC 4408
 * wrote with a capital. What the registry does not know never is what it knows: "dkim=Pass" is no pass. */
bool authres_is(const struct authres_result *r, struct str word);
/* The value of a property, such as "header" and "d", the first when there are several; empty when there is none. */
struct str authres_value(
        const struct authres *a, const struct authres_result *r, struct str ptype, struct str name);

/* Is this field of a message that comes from outside a forgery in our name, to be deleted (RFC 8601 5)? So it is when its
 * authserv-id is `id` (ASCII case, quotes, comments and U-labels aside), and when none can be read, since another reader might
 * find ours there. Fields of other names are not. */
bool authres_is_forged(const struct mail_field *field, struct str id);

/* Writing. The value is built in this order; `*out` begins as zeros with an id. */

/* Add a result without properties; those added next are its own.
 *   true, or false when there are AUTHRES_RESULTS_MAX already */
bool authres_add(struct authres *a, struct str method, struct str result);
/*   true, or false when there are AUTHRES_PROPERTIES_MAX already */
bool authres_add_property(struct authres *a, struct str ptype, struct str name, struct str value);

/* The whole field under `name` ("Authentication-Results"), folded, with its CRLF; `instance` above 0 puts "i=N;" in
 * front, as ARC does. Values are quoted where they must be.
 *   ERR_OK
 *   ERR_SYNTAX  a word that is none; a text with a control character or ill-formed UTF-8; a comment whose parentheses
 *               do not match
 *   ERR_LIMIT   a text does not fit a line of MAIL_LINE_MAX
 *   ERR_SPACE                                                  (nothing is written on errors) */
MUST_USE enum err authres_write(struct wr *w, struct str name, unsigned instance, const struct authres *a);

#endif
