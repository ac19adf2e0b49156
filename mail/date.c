/* SPDX-License-Identifier: ISC */
#include "mail/date.h"

#include "base/ascii.h"
#include "base/time_text.h"
#include "mail/lex.h"

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* The number of the three-letter name, from 0, or -1. */
static int name_index(struct str names, struct str name)
{
        for (size_t i = 0; name.n == 3 && i < names.n; i += 3)
                if (str_eq_nocase(str_take(str_skip(names, i), 3), name))
                        return (int)(i / 3);
        return -1;
}

static struct str name_at(const char *names, int index)
{
        return str_of(names + 3 * index, 3);
}

/* A cursor over the tokens; the first fault sticks. */
struct scan {
        struct str left;
        bool fault;
};

static void skip_cfws(struct scan *s)
{
        s->left = str_skip(s->left, mail_cfws_size(s->left, NULL));
}

static bool take(struct scan *s, char c)
{
        bool is = s->left.n > 0 && s->left.p[0] == c;
        if (is) {
                s->left = str_skip(s->left, 1);
                skip_cfws(s);
        }
        return is;
}

/* The octets of one class at the cursor. */
static struct str take_run(struct scan *s, bool (*is_in)(char))
{
        size_t n = 0;
        while (n < s->left.n && is_in(s->left.p[n]))
                n++;
        struct str run = str_take(s->left, n);
        s->left = str_skip(s->left, n);
        skip_cfws(s);
        return run;
}

static int take_number(struct scan *s, size_t digits_least, size_t digits_most, size_t *digits)
{
        struct str run = take_run(s, ascii_is_digit);
        int value = 0;
        if (digits)
                *digits = run.n;
        if (run.n < digits_least || run.n > digits_most) {
                s->fault = true;
                return 0;
        }
        for (size_t i = 0; i < run.n; i++)
                value = value * 10 + (run.p[i] - '0');
        return value;
}

/* year = 4*DIGIT / obs-year: two digits below 50 are of this century, all others of two or three count from 1900 */
static int take_year(struct scan *s)
{
        size_t digits;
        int year = take_number(s, 2, 6, &digits);
        if (digits == 2 && year < 50)
                return year + 2000;
        return digits <= 3 ? year + 1900 : year;
}

static void take_day_of_week(struct scan *s)
{
        struct str name = take_run(s, ascii_is_alpha);
        if (name.n > 0 && (name_index(str_of(day_names, 21), name) < 0 || !take(s, ',')))
                s->fault = true;
}

/* time-of-day = hour ":" minute [ ":" second ] */
static void take_time(struct scan *s, struct time_civil *c)
{
        c->hour = take_number(s, 2, 2, NULL);
        if (!take(s, ':'))
                s->fault = true;
        c->minute = take_number(s, 2, 2, NULL);
        if (take(s, ':'))
                c->second = take_number(s, 2, 2, NULL);
        if (c->hour > 23 || c->minute > 59 || c->second > 60)
                s->fault = true;
}

/* zone = ( "+" / "-" ) 4DIGIT / obs-zone; military letters and unknown names say nothing (RFC 5322 4.3) */
static void take_zone(struct scan *s, struct mail_date *out)
{
        static const char names[] = "ESTEDTCSTCDTMSTMDTPSTPDT";
        static const int hours[] = {-5, -4, -6, -5, -7, -6, -8, -7};
        bool minus = str_has_prefix(s->left, S("-"));
        if (minus || str_has_prefix(s->left, S("+"))) {
                s->left = str_skip(s->left, 1);
                int value = take_number(s, 4, 4, NULL);
                if (value / 100 > 23 || value % 100 > 59)
                        s->fault = true;
                out->zone_min = (value / 100 * 60 + value % 100) * (minus ? -1 : 1);
                out->zone_is_known = !minus || value != 0;
                return;
        }
        struct str name = take_run(s, ascii_is_alpha);
        int known = name_index(str_of(names, sizeof names - 1), name);
        if (name.n == 0 || name.n > 5 || str_eq_nocase(name, S("j")))
                s->fault = true;
        out->zone_is_known = known >= 0 || str_eq_nocase(name, S("UT")) || str_eq_nocase(name, S("GMT")) ||
                             str_eq_nocase(name, S("UTC"));
        out->zone_min = known >= 0 ? hours[known] * 60 : 0;
}

enum err mail_date_parse(struct str text, struct mail_date *out)
{
        struct scan s = {.left = text};
        struct time_civil c = {0};
        struct mail_date date = {0};
        *out = (struct mail_date){0};
        skip_cfws(&s);
        take_day_of_week(&s);
        c.day = take_number(&s, 1, 2, NULL);
        c.month = name_index(str_of(month_names, 36), take_run(&s, ascii_is_alpha)) + 1;
        c.year = take_year(&s);
        take_time(&s, &c);
        take_zone(&s, &date);
        if (s.fault || s.left.n > 0 || c.month == 0 || c.day == 0 ||
                c.day > time_days_in_month(c.year, c.month))
                return ERR_SYNTAX;
        if (c.year > 9999)
                return ERR_LIMIT;
        date.unix_s = time_unix_of_civil(&c) - date.zone_min * 60;
        if (date.unix_s < 0 || date.unix_s > TIME_UNIX_MAX)
                return ERR_LIMIT;
        *out = date;
        return ERR_OK;
}

void mail_date_write(struct wr *w, const struct mail_date *date)
{
        int64_t s = date->unix_s < 0 ? 0 : date->unix_s > TIME_UNIX_MAX ? TIME_UNIX_MAX : date->unix_s;
        struct time_civil c = time_civil_of_unix(s + date->zone_min * 60);
        bool minus = date->zone_min < 0 || (date->zone_min == 0 && !date->zone_is_known);
        unsigned zone = (unsigned)(date->zone_min < 0 ? -date->zone_min : date->zone_min);
        wr_str(w, name_at(day_names, c.weekday));
        wr_str(w, S(", "));
        wr_u64_padded(w, (uint64_t)c.day, 2);
        wr_byte(w, ' ');
        wr_str(w, name_at(month_names, c.month - 1));
        wr_byte(w, ' ');
        wr_u64_padded(w, (uint64_t)c.year, 4);
        wr_byte(w, ' ');
        wr_u64_padded(w, (uint64_t)c.hour, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.minute, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.second, 2);
        wr_str(w, minus ? S(" -") : S(" +"));
        wr_u64_padded(w, zone / 60 * 100 + zone % 60, 4);
}

void mail_date_write_utc(struct wr *w, int64_t unix_s)
{
        struct mail_date date = {.unix_s = unix_s, .zone_is_known = true};
        mail_date_write(w, &date);
}
