/* SPDX-License-Identifier: ISC */
/* xtext (RFC 3461 4): how any octets are said inside an SMTP parameter, "+3D" for "=". */
#ifndef SMTP_XTEXT_H
#define SMTP_XTEXT_H

#include "base/str.h"
#include "base/wr.h"

void smtp_xtext_encode(struct wr *w, struct str bytes);
/*   ERR_OK
 *   ERR_SYNTAX  another octet than xchar, or "+" without two upper-case hexadecimal digits
 *   ERR_SPACE   the output does not fit */
MUST_USE enum err smtp_xtext_decode(struct str text, struct wr *w);

#endif
