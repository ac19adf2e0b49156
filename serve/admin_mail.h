/* SPDX-License-Identifier: ISC */
/* Mail of the server itself to its admin: from postmaster at our first domain. It does not go the way of notices
 * (mailer.h), as it belongs to no list, and must arrive when that way is what is broken: while no signer is at hand it
 * goes out unsigned, and SPF for our host name stands for it. */
#ifndef SERVE_ADMIN_MAIL_H
#define SERVE_ADMIN_MAIL_H

#include "serve/lipap.h"
#include "store/messages.h"

#define ADMIN_MAIL_TEXT_MAX (256 * 1024) /* of a text; what is more is cut, and says so */

struct admin_mail {
        struct str subject; /* UTF-8 */
        struct str text;    /* UTF-8, lines end in LF */
        struct str
                answers;  /* the Message-ID, with its brackets, of the mail that this one answers; or empty */
        bool is_unsigned; /* no signer will be asked */
};

/* Is no signer at hand, as far as is known? */
bool admin_mail_goes_unsigned(const struct lipap *node);

/* One that is written, and waits for its row. Owned until admin_mail_end. */
struct admin_letter;
/* Make it and bring its bytes to disk.
 *   ERR_OK, or trouble of the store; `*out` is NULL on errors */
MUST_USE enum err admin_mail_write(
        struct lipap *node, const struct admin_mail *mail, struct admin_letter **out);
/* Inside store_together, once: its row. As store_intake_add. */
MUST_USE enum err admin_mail_add(struct admin_letter *letter);
/* Outside, always: gives back what no durable row owns; `is_kept` wakes those who bring it on its way. */
void admin_mail_end(struct admin_letter *letter, bool is_kept);

#endif
