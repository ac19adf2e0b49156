/* SPDX-License-Identifier: ISC */
/* Internationalised domain names: U-labels written as A-labels (RFC 5890 2.3, Punycode of RFC 3492). Pure: no I/O, no
 * allocation.
 *
 * Only the form is converted. Which characters are allowed, normalisation, and case beyond ASCII need tables that are
 * not here: what is no proper U-label gives an A-label that nobody has registered. */
#ifndef DNS_IDNA_H
#define DNS_IDNA_H

#include "base/str.h"
#include "base/wr.h"

/* Each label of `domain` (UTF-8) with octets beyond ASCII becomes "xn--...", its ASCII letters in lower case; all else
 * stays as it is, whatever it is.
 *   ERR_OK
 *   ERR_SYNTAX  ill-formed UTF-8
 *   ERR_LIMIT   an A-label would be longer than DNS_LABEL_MAX
 *   ERR_SPACE                    (on errors `w` holds a part) */
MUST_USE enum err dns_idna_write(struct wr *w, struct str domain);

#endif
