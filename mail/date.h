/* SPDX-License-Identifier: ISC */
/* date-time of RFC 5322 3.3, with the obsolete forms of 4.3. Pure: no clock. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

struct mail_date {
        int64_t unix_s;
        int zone_min;       /* east of UTC; -1439 to 1439 */
        bool zone_is_known; /* false for "-0000" and for zone names of no known meaning */
};

/* A whole Date field body; comments and folding white space anywhere between its parts. A wrong name of the day is
 * accepted (its spelling is not), a leap second is counted as the second behind it.
 *   ERR_OK
 *   ERR_SYNTAX  not a date-time, or a day or time that does not exist
 *   ERR_LIMIT   before 1970 or after 9999        (`*out` is zero on errors) */
MUST_USE enum err mail_date_parse(struct str text, struct mail_date *out);

/* "Sun, 22 Nov 2026 17:00:00 +0000"; 31 octets. The time is clamped to 1970 to 9999 in that zone. */
void mail_date_write(struct wr *w, const struct mail_date *date);
/* The same in UTC, as "+0000". */
void mail_date_write_utc(struct wr *w, int64_t unix_s);

#endif
