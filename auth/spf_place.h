/* SPDX-License-Identifier: ISC */
/* A domain of an SPF evaluation: as a name to ask for and as macros show it. Macros put any octets into it, so that
 * the text is no text of dns/name.h: there are no escapes, and dots always part labels. Pure. */
#ifndef AUTH_SPF_PLACE_H
#define AUTH_SPF_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "dns/name.h"

#define SPF_DOMAIN_TEXT_MAX 253 /* RFC 7208 7.3 */

struct spf_place {
        struct dns_name name;
        uint8_t text_n;
        char text[SPF_DOMAIN_TEXT_MAX]; /* without a dot at its end */
};

/* The place that a domain means; over SPF_DOMAIN_TEXT_MAX octets labels are cut off at the left (7.3). One dot may
 * stand at its end.
 *   true, or false when a label is empty or too long */
bool spf_place_parse(struct spf_place *out, struct str text);
/* The labels of a name, as they are, with dots between them. */
void spf_place_write_name(struct wr *w, const struct dns_name *name);

#endif
