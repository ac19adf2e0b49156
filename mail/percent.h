/* SPDX-License-Identifier: ISC */
/* Percent-encoding (RFC 3986 2.1), for mailto URIs and parameters. For mail/ itself. */
#ifndef MAIL_PERCENT_H
#define MAIL_PERCENT_H

#include "base/str.h"
#include "base/wr.h"

/* ASCII letters, digits and the octets of `plain` stay, all others become "%XX". */
void mail_percent_encode(struct wr *w, struct str s, struct str plain);

#endif
