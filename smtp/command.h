/* SPDX-License-Identifier: ISC */
/* The grammar of SMTP commands (RFC 5321 4.1): one parse function a rule. Pure: no I/O, no allocation, no state.
 * All parsers take text without its CRLF, and every slice they give is borrowed from that text. */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"

/* What a server offers, or a client was offered, in the answer to EHLO. */
struct smtp_extensions {
        bool pipelining;   /* RFC 2920 */
        bool size;         /* RFC 1870 */
        bool mime_8bit;    /* RFC 6152 */
        bool smtputf8;     /* RFC 6531 */
        bool enhanced;     /* RFC 2034 */
        bool chunking;     /* RFC 3030 2 */
        bool starttls;     /* RFC 3207 */
        uint64_t size_max; /* of SIZE; 0: not said */
};

enum smtp_verb {
        SMTP_VERB_UNKNOWN,
        SMTP_VERB_HELO,
        SMTP_VERB_EHLO,
        SMTP_VERB_MAIL,
        SMTP_VERB_RCPT,
        SMTP_VERB_DATA,
        SMTP_VERB_BDAT,
        SMTP_VERB_RSET,
        SMTP_VERB_NOOP,
        SMTP_VERB_VRFY,
        SMTP_VERB_HELP,
        SMTP_VERB_STARTTLS,
        SMTP_VERB_QUIT,
        SMTP_VERB_OTHER, /* known from some RFC, but not implemented here: 502, not 500 */
        SMTP_VERB_COUNT
};

/* Part a command line into its verb, without regard to case, and what follows it, trimmed. Never fails. */
enum smtp_verb smtp_command_split(struct str line, struct str *arguments);

/* The name in HELO or EHLO.
 *   ERR_OK      one word of graphic ASCII, not checked further: clients send all kinds of names
 *   ERR_SYNTAX  nothing, several words, or other characters
 *   ERR_LIMIT   longer than SMTP_DOMAIN_MAX */
MUST_USE enum err smtp_hello_parse(struct str arguments, struct str *name);

/* A path as the envelope has it. The empty mailbox is the null reverse-path, "<>". */
struct smtp_path {
        struct str
                mailbox; /* "local@domain" as written, without brackets and source route; or "Postmaster" alone */
        struct str local;    /* as written: a quoted string keeps its quotes */
        struct str domain;   /* or address literal with its brackets; empty for <> and for Postmaster alone */
        bool needs_smtputf8; /* there is a non-ASCII character in it */
};

bool smtp_path_is_null(const struct smtp_path *path);
bool smtp_path_is_postmaster(const struct smtp_path *path); /* "Postmaster" without a domain, in any case */

/* A mailbox without brackets, as callers of the client have it; empty is the null path.
 *   ERR_OK
 *   ERR_SYNTAX  not an RFC 5321 Mailbox (4.1.2) in UTF-8 (RFC 6531 3.3)
 *   ERR_LIMIT   longer than 4.5.3.1 allows */
MUST_USE enum err smtp_mailbox_parse(struct str text, struct smtp_path *path);

/* What follows MAIL or RCPT: "FROM:<path>", "FROM:<>"; "TO:<path>", "TO:<Postmaster>". Source routes are read and left
 * out (RFC 5321 appendix C). White space after the colon is let pass: clients send it.
 *   ERR_OK      `*rest` is what follows the path: parameters
 *   ERR_SYNTAX, ERR_LIMIT as above */
MUST_USE enum err smtp_reverse_path_parse(struct str arguments, struct smtp_path *path, struct str *rest);
MUST_USE enum err smtp_forward_path_parse(struct str arguments, struct smtp_path *path, struct str *rest);

enum smtp_body { SMTP_BODY_UNSAID, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };

struct smtp_mail_params {
        bool has_size;
        uint64_t size; /* as declared by the client */
        enum smtp_body body;
        bool smtputf8;
};

/* The parameters of MAIL, with only what `offered` has.
 *   ERR_OK
 *   ERR_SYNTAX       malformed, a value missing or wrong, or one parameter twice: 501
 *   ERR_UNSUPPORTED  a parameter that was not offered: 555 */
MUST_USE enum err smtp_mail_params_parse(
        struct str rest, const struct smtp_extensions *offered, struct smtp_mail_params *out);
/* The parameters of RCPT: none is known.
 *   ERR_OK (there were none), ERR_SYNTAX, ERR_UNSUPPORTED */
MUST_USE enum err smtp_rcpt_params_parse(struct str rest);

/* What follows BDAT (RFC 3030 2): how many octets come behind the line, and whether they end the message.
 *   ERR_OK
 *   ERR_SYNTAX  anything else, also a number above 64 bits: what comes behind the line has no known end */
MUST_USE enum err smtp_bdat_parse(struct str arguments, uint64_t *size, bool *is_last);

/* What MAIL said, as the server hands it on and the client takes it. */
struct smtp_mail {
        struct smtp_path from;
        struct smtp_mail_params params;
};

#endif
