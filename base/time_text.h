/* SPDX-License-Identifier: ISC */
/* Unix time as calendar and text, in UTC, for the years 1970 to 9999. No clock, no time zone data. */
#ifndef BASE_TIME_TEXT_H
#define BASE_TIME_TEXT_H

#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

struct time_civil {
        int year;
        int month; /* 1 to 12 */
        int day;   /* 1 to 31 */
        int hour, minute, second;
        int weekday; /* 0 is Sunday */
};

#define TIME_UNIX_MAX 253402300799 /* 9999-12-31T23:59:59Z */

struct time_civil time_civil_of_unix(int64_t unix_s);   /* clamped to the range above */
int64_t time_unix_of_civil(const struct time_civil *c); /* fields as above; weekday is not read */
int time_days_in_month(int year, int month);
/* "2026-11-22T17:00:00.123Z" (RFC 3339), from milliseconds. */
void time_write_rfc3339(struct wr *w, int64_t unix_ms);

#endif
