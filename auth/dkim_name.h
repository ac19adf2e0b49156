/* SPDX-License-Identifier: ISC */
/* The names that DKIM tags hold. Pure. */
#ifndef AUTH_DKIM_NAME_H
#define AUTH_DKIM_NAME_H

#include <stdbool.h>

#include "base/str.h"

/* A domain name or selector as d=, s= and i= carry it (RFC 6376 3.5 sub-domain *( "." sub-domain )): labels of 1 to 63
 * letters, digits, hyphens and, as found in the wild, underscores; A-labels, no dot at the end. */
bool dkim_is_name(struct str s);
/* Is `name` the domain itself or below it? ASCII case is folded. */
bool dkim_is_within(struct str name, struct str domain);
/* hdr-name = field-name, which a tag list can hold: no ";". At most 76 bytes, so that it fits a folded line. */
bool dkim_is_field_name(struct str s);

#endif
