/* SPDX-License-Identifier: ISC */
/* TXT RDATA (RFC 1035 3.3.14): one or more strings of up to 255 octets, which mail reads joined without a separator
 * (RFC 7208 3.3, RFC 6376 3.6.2.2). Pure. */
#ifndef DNS_TXT_H
#define DNS_TXT_H

#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"

/* Join the strings; the text is at most wire.n octets, of any values.
 *   ERR_OK, ERR_SYNTAX (no string, or a length that leads past the end), ERR_SPACE */
MUST_USE enum err dns_txt_join(struct str wire, struct wr *text);
/* RDATA of a text: strings of 255 octets and the rest; an empty text is one empty string. */
void dns_txt_write_wire(struct wr *w, struct str text);
size_t dns_txt_wire_size(size_t text);

#endif
