/* SPDX-License-Identifier: ISC */
/* Messages that are being delivered, ready for the next recipient: one goes to thousands of them, and neither its rows nor its
 * bytes are to be read for each. A bounded number, and of small ones the bytes, within a bounded memory; a larger message,
 * or one for which there is no room, is read from the spool by whoever sends it.
 *
 * Zeros are an empty collection. A letter is borrowed between open and close; several fibers may have the same one. */
#ifndef SERVE_DELIVERY_LETTER_H
#define SERVE_DELIVERY_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "serve/lipap.h"

struct delivery_letter {
        int64_t message, list;
        size_t users;
        uint64_t used;   /* the turn of its last use */
        bool is_loading; /* by one of its users */
        bool is_listed;  /* in the collection, so that others find it */
        bool is_8bit, is_smtputf8;
        bool is_probe;                     /* its bounce is that of a probe */
        bool ends_a_line;                  /* with CRLF, as a chunk must */
        uint64_t size;                     /* of prefix, front and body */
        struct str bytes;                  /* all of it, or empty */
        const struct lipap_domain *domain; /* ours, in whose name it goes; NULL: no longer one of ours */
        struct str list_name, list_domain; /* empty without a list */
        char text[LIST_NAME_MAX + SMTP_DOMAIN_MAX];
};

struct delivery_letters {
        struct delivery_letter *at[DELIVERY_LETTERS_MAX];
        size_t bytes; /* held by all */
        uint64_t turn;
        struct bell bell; /* one was loaded, or could not be */
};

/*   ERR_OK, ERR_MEMORY, ERR_CANCELLED, ERR_CORRUPT and others of the store; `*out` is NULL on errors */
MUST_USE enum err delivery_letter_open(
        struct delivery_letters *all, struct lipap *node, int64_t message, struct delivery_letter **out);
void delivery_letter_close(
        struct delivery_letters *all, struct delivery_letter *letter); /* NULL is nothing */
void delivery_letters_end(struct delivery_letters *all);               /* when nobody has one */

#endif
