/* SPDX-License-Identifier: ISC */
/* Authentication-Results out of verdicts: one result each, its properties, and a comment that says why. Texts that are
 * a stranger's are cut and cleaned, so that the field can always be written. Pure. */
#ifndef AUTH_AUTHRES_MAKE_H
#define AUTH_AUTHRES_MAKE_H

#include "auth/authres.h"
#include "auth/dkim.h"
#include "auth/dkim_signature.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "auth/spf_check.h"

/* Room for the texts of one result. */
#define AUTHRES_MAKE_ROOM 4096

/* Each adds one result to `a`. What it borrows must live as long as `a`: the arguments, and `room`.
 *   true, or false when the limits of `a` or `room` are reached: nothing is added then */

/* spf=pass (ID: domain of SENDER designates IP as permitted sender) smtp.mailfrom=@DOMAIN, or smtp.helo=DOMAIN; who
 * speaks is the ID of `a`, whatever name `in` has for %{r} */
bool authres_add_spf(
        struct authres *a, struct wr *room, const struct spf_input *in, const struct spf_verdict *v);
/* dkim=pass header.i=@DOMAIN header.s=SELECTOR header.b=FIRST8; a fault in a comment */
bool authres_add_dkim(
        struct authres *a, struct wr *room, const struct dkim_signature *s, const struct dkim_verdict *v);
/* dmarc=pass (p=REJECT sp=REJECT) header.from=DOMAIN; a fault in the comment when there is no record */
bool authres_add_dmarc(struct authres *a, struct wr *room, const struct dmarc_verdict *v);
/* Any other, such as arc=fail (COMMENT); `comment` may be empty and may hold anything. */
bool authres_add_plain(
        struct authres *a, struct wr *room, struct str method, struct str result, struct str comment);

#endif
