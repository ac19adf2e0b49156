/* SPDX-License-Identifier: ISC */
/* Message identifiers (RFC 5322 3.6.4). Pure: random octets come from the caller. */
#ifndef MAIL_MESSAGE_ID_H
#define MAIL_MESSAGE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

/* Reads the ids of Message-ID, References or In-Reply-To. What mail out there has between the ids (words, commas,
 * quoted strings, comments; RFC 5322 4.5.4) is passed over, and so is "<...>" that is no id, which `strays` counts. */
struct mail_message_ids {
        struct str text;
        size_t at;
        size_t strays;
        bool has_unclosed; /* a comment or quoted string was not closed: no more are looked for */
};

void mail_message_ids_init(struct mail_message_ids *r, struct str field_body);
/* True: `*id` is the next one, with its angle brackets: at most MAIL_LINE_MAX octets, printable (or UTF-8), without
 * white space, "<" or ">" inside, and not empty. It may lack the "@" that the standard asks for: so do some programs'.
 * False: no more. */
bool mail_message_ids_next(struct mail_message_ids *r, struct str *id);
/* The first id of a field body. ERR_OK, or ERR_NOT_FOUND with an empty `*id`. */
MUST_USE enum err mail_message_id_first(struct str field_body, struct str *id);
/* `id`, brackets included, is a msg-id of the grammar of today: "<" id-left "@" id-right ">". */
bool mail_message_id_is_valid(struct str id);

/* "<RANDOM.TIME@domain>": base32 of the random octets, decimal milliseconds. `domain` is a valid domain. */
void mail_message_id_write(struct wr *w, struct str random, int64_t now_ms, struct str domain);

#endif
