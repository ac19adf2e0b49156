/* SPDX-License-Identifier: ISC */
/* Was a message written by a program (RFC 3834 2)? Such mail is neither obeyed nor answered. Pure. */
#ifndef MAIL_AUTOMATIC_H
#define MAIL_AUTOMATIC_H

#include <stdbool.h>

#include "base/str.h"
#include "mail/header.h"

/* `sender` is the envelope's, empty for <>. It is automatic when that is null, a mailer-daemon, or a list's, service's or nobody's
 * address (owner-, -owner, -request, -bounces, noreply and the like), when so is an author's, or when a field says so:
 * Auto-Submitted other than "no", Precedence of bulk, junk or list, a List-Id, or a report of delivery (multipart/report). */
bool mail_is_automatic(struct str sender, const struct mail_header *header);

#endif
