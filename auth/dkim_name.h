/* SPDX-License-Identifier: ISC */
/* The names that DKIM tags hold. Pure. */
#ifndef AUTH_DKIM_NAME_H
#define AUTH_DKIM_NAME_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"

/* A domain name or selector as d=, s= and i= carry it (RFC 6376 3.5 sub-domain *( "." sub-domain )): labels of 1 to 63
 * letters, digits, hyphens and, as found in the wild, underscores, no dot at the end; U-labels in UTF-8 (RFC 8616 4, 5)
 * whose A-labels are such. At most 253 bytes, in both forms. */
bool dkim_is_name(struct str s);
/* The same, but without U-labels: what we write ourselves. */
bool dkim_is_ascii_name(struct str s);
/* Write a name that dkim_is_name takes (or an empty one) as the DNS has it: A-labels, thus ASCII. */
void dkim_name_write(struct wr *w, struct str name);
/* Is `name` the domain itself or below it? Both are names; ASCII case is folded, a U-label is its A-label. */
bool dkim_is_within(struct str name, struct str domain);
/* hdr-name = field-name, which a tag list can hold: no ";". At most 76 bytes, so that it fits a folded line. */
bool dkim_is_field_name(struct str s);

#endif
