/* SPDX-License-Identifier: ISC */
/* The Received-SPF field (RFC 7208 9.1), written and read. Pure: no I/O, no allocation, no clock. */
#ifndef AUTH_RECEIVED_SPF_H
#define AUTH_RECEIVED_SPF_H

#include <stdbool.h>

#include "auth/spf.h"
#include "auth/spf_check.h"
#include "base/str.h"
#include "base/wr.h"

/* The field as a value. Texts are what they stand for: without quotes and backslashes. Empty: not there. */
struct received_spf {
        enum spf_result result;
        struct str comment; /* of the result, as written: a comment may hold others */
        struct str receiver, client_ip, envelope_from, helo, identity, mechanism, problem;
};

/* Read a field body (behind the colon, folded or not). More than the grammar is accepted in values: any text up to
 * white space, ";" or "(", since IPv6 addresses and mailboxes are often written without quotes. Unknown keys are
 * passed over; of a key that stands twice the first counts.
 *   ERR_OK      slices of `*out` are borrowed from `body` and from `room`
 *   ERR_SYNTAX  not such a field, or an unknown result word
 *   ERR_SPACE   `room` is full: body.n bytes are enough      (`*out` is empty on errors) */
MUST_USE enum err received_spf_parse(struct str body, struct wr *room, struct received_spf *out);

/* The field for a verdict: a comment that says why, client-ip, envelope-from or helo, identity, mechanism ("default"
 * when none matched) or problem. Texts of the client are cut and cleaned, so that what comes out can be written.
 *   ERR_OK      slices of `*out` are borrowed from the arguments and from `room`
 *   ERR_SPACE   RECEIVED_SPF_ROOM bytes are enough            (`*out` is empty then) */
#define RECEIVED_SPF_ROOM 8192
MUST_USE enum err received_spf_make(
        const struct spf_input *in, const struct spf_verdict *v, struct wr *room, struct received_spf *out);

/* What the comment says, for Authentication-Results too: "RECEIVER: domain of SENDER designates IP as permitted
 * sender". Without `receiver` that is left out, with its colon. Clean as above; at most SPF_COMMENT_MAX bytes. */
#define SPF_COMMENT_MAX 3072
void spf_comment_write(struct wr *w, const struct spf_input *in, const struct spf_verdict *v);

/* The whole field, "Received-SPF: ...", folded, with its CRLF.
 *   ERR_OK
 *   ERR_SYNTAX  a text has a control character or ill-formed UTF-8, or the comment's parentheses do not match
 *   ERR_LIMIT   a text does not fit a line of MAIL_LINE_MAX
 *   ERR_SPACE                                                 (nothing is written on errors) */
MUST_USE enum err received_spf_write(struct wr *w, const struct received_spf *r);

#endif
