/* SPDX-License-Identifier: ISC */
/* What heads of requests and of answers have in common (RFC 9110 5, RFC 9112 2, 5). Pure. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>

#include "base/str.h"

bool http_is_token(struct str s); /* RFC 9110 5.6.2 */
bool http_is_value(struct str s); /* without control characters but HTAB; may be empty */

/* A line of `*rest` up to its CRLF, behind which `*rest` is then. False: there is none, or it has a bare CR or LF. */
bool http_line_take(struct str *rest, struct str *line);
/* field-line = field-name ":" OWS field-value OWS; one that is folded is none. */
bool http_field_parse(struct str line, struct str *name, struct str *value);

#endif
