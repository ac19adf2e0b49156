/* SPDX-License-Identifier: ISC */
#include "base/time_text.h"

#include <stdbool.h>

#include "base/check.h"

static bool is_leap(int year)
{
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int time_days_in_month(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        CHECK(month >= 1 && month <= 12);
        return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t days_before_year(int year)
{
        int64_t y = year - 1;
        return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

struct time_civil time_civil_of_unix(int64_t unix_s)
{
        struct time_civil c = {0};
        int64_t s = unix_s < 0 ? 0 : unix_s > TIME_UNIX_MAX ? TIME_UNIX_MAX : unix_s;
        int64_t days = s / 86400, rest = s % 86400;
        c.hour = (int)(rest / 3600);
        c.minute = (int)(rest % 3600 / 60);
        c.second = (int)(rest % 60);
        c.weekday = (int)((days + 4) % 7); /* the first of January 1970 was a Thursday */
        c.year = 1970 + (int)(days / 366);
        while (days_before_year(c.year + 1) <= days)
                c.year++;
        days -= days_before_year(c.year);
        c.month = 1;
        while (days >= time_days_in_month(c.year, c.month))
                days -= time_days_in_month(c.year, c.month++);
        c.day = (int)days + 1;
        return c;
}

int64_t time_unix_of_civil(const struct time_civil *c)
{
        int64_t days = days_before_year(c->year) + c->day - 1;
        for (int month = 1; month < c->month; month++)
                days += time_days_in_month(c->year, month);
        return days * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

void time_write_rfc3339(struct wr *w, int64_t unix_ms)
{
        int64_t ms = unix_ms < 0 ? 0 : unix_ms;
        struct time_civil c = time_civil_of_unix(ms / 1000);
        wr_u64_padded(w, (uint64_t)c.year, 4);
        wr_byte(w, '-');
        wr_u64_padded(w, (uint64_t)c.month, 2);
        wr_byte(w, '-');
        wr_u64_padded(w, (uint64_t)c.day, 2);
        wr_byte(w, 'T');
        wr_u64_padded(w, (uint64_t)c.hour, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.minute, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.second, 2);
        wr_byte(w, '.');
        wr_u64_padded(w, (uint64_t)(ms % 1000), 3);
        wr_byte(w, 'Z');
}
