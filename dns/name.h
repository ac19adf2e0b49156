/* SPDX-License-Identifier: ISC */
/* Domain names (RFC 1035 2.3.4, 3.1, 4.1.4), in wire form inside a value and as text outside.
 * Text is ASCII: internationalised names come as A-labels; no conversion is done here. Pure: no I/O, no allocation. */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"

#define DNS_NAME_TEXT_MAX 1004 /* the longest text: 250 octets of labels, each as \DDD, and their dots */

/* An uncompressed wire form in the case it came in. Filled only by the functions below, so that it is always valid:
 * labels of 1 to 63 octets, a root octet at the end, 1 to 255 octets in all. Zeros (n = 0) are "no name yet", which
 * no function but dns_name_eq takes. Values are copied freely. */
struct dns_name {
        uint8_t n; /* octets used, the root octet included */
        uint8_t b[DNS_NAME_MAX];
};

/* "mx.example.com", with or without the last dot; "." is the root. A backslash escapes: \. \\ or \DDD (RFC 1035 5.1).
 *   ERR_OK
 *   ERR_SYNTAX  empty, an empty label, a byte that is no graphic ASCII character, or a wrong escape
 *   ERR_LIMIT   a label above 63 octets or a name above 255       (`out->n` is 0 on errors) */
MUST_USE enum err dns_name_parse(struct str text, struct dns_name *out);
/* The text without the last dot; the root is ".". What is not a graphic character is \DDD; dots and backslashes inside
 * labels, and characters special in zone files, get a backslash. At most DNS_NAME_TEXT_MAX characters. */
void dns_name_write(struct wr *w, const struct dns_name *name);

/* Read a name at the cursor of a whole message; compression pointers are followed, each only to before the place where
 * the part that holds it starts, so that no message makes a loop. The cursor ends behind the name's first part.
 * Faults are ERR_SYNTAX; then `out->n` is 0. */
void dns_name_read(struct rd *message, struct dns_name *out);
/* The wire form without compression. */
void dns_name_write_wire(struct wr *w, const struct dns_name *name);
/* The same with ASCII letters in lower case: the canonical form (RFC 4034 6.2), as TSIG digests it. */
void dns_name_write_canonical(struct wr *w, const struct dns_name *name);

void dns_name_set_root(struct dns_name *out);
bool dns_name_is_root(const struct dns_name *name);
bool dns_name_eq(
        const struct dns_name *a, const struct dns_name *b); /* ASCII case does not matter (RFC 4343) */
/* Is `name` equal to `zone` or below it? */
bool dns_name_is_under(const struct dns_name *name, const struct dns_name *zone);
size_t dns_name_labels(const struct dns_name *name); /* without the root: "a.b" has 2 */
/* The label at `index`, 0 being the left-most, as raw octets borrowed from `name`; empty past the last. */
struct str dns_name_label(const struct dns_name *name, size_t index);

/* `name` without its left-most label: true, or false for the root (`*out` is the root then). `out` may be `name`. */
bool dns_name_parent(const struct dns_name *name, struct dns_name *out);
/* One label, raw octets, in front of `parent`. `out` may be `parent`.
 *   ERR_OK, or ERR_LIMIT for an empty or too long label or too long a name (`out->n` is 0 then) */
MUST_USE enum err dns_name_child(const struct dns_name *parent, struct str label, struct dns_name *out);
/* The text `labels` ("dkim-1._domainkey") in front of `parent`. `out` may be `parent`.
 *   ERR_OK, ERR_SYNTAX, ERR_LIMIT as dns_name_parse */
MUST_USE enum err dns_name_join(struct str labels, const struct dns_name *parent, struct dns_name *out);

#endif
