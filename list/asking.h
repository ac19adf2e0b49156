/* SPDX-License-Identifier: ISC */
/* Does the author of a mail ask what it would do at the address that it came to? posting.h says who the author is. Pure.
 *
 * A DKIM signature goes with every copy of what somebody once wrote to anyone: a list's members have the signed posts of
 * its moderators. Whoever sends such a copy to NAME-unsubscribe or NAME-remove-... must not be obeyed. So a signature
 * counts here only when it covers the To or Cc field that names the address, and the whole body. SPF speaks of the way
 * that this very mail took, but may belong to a neighbour on a shared host. */
#ifndef LIST_ASKING_H
#define LIST_ASKING_H

#include "auth/evaluate.h"

enum asking {
        ASKING_UNPROVEN,    /* the author is not proven at all: posting_demand_proof says why */
        ASKING_SEVERAL,     /* several authors: which of them asks? */
        ASKING_ELSEWHERE,   /* the author wrote this, but to somebody else, or without a signed To or Cc */
        ASKING_BY_WAY,      /* SPF alone says so */
        ASKING_BY_SIGNATURE /* an aligned signature says so: what moderators do without a token needs it */
};

/* `e` is settled; `header` is its message's; `to` is where the mail was sent to, "local@domain". */
enum asking asking_of(const struct evaluate *e, const struct mail_header *header, struct str to);
/* The signatures for which it is ASKING_BY_SIGNATURE, one a call: `*nth` is 0 at first. NULL: no more, or the author is
 * not the only one, or not proven. */
const struct dkim_signature *asking_signature_next(
        const struct evaluate *e, const struct mail_header *header, struct str to, size_t *nth);
/* Does a signature cover the field of that name, of which there is just one? */
bool asking_covers(const struct dkim_signature *s, const struct mail_header *header, struct str name);

#endif
