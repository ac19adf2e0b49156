/* SPDX-License-Identifier: ISC */
/* Temperaments as words. */
#include <stddef.h>
#include <string.h>

#include "tests/sim/mx.h"
#include "tests/sim/scenario.h"

enum kind {
        DURATION, /* int64_t */
        COUNT,    /* unsigned */
        PERCENT,  /* unsigned, at most 100 */
        YES,      /* bool: "yes" is true */
        NO,       /* bool: "no" is true */
        NAMES     /* text */
};

static const struct trait {
        const char *name;
        enum kind kind;
        size_t at;
} traits[] = {
        {"greylist", DURATION, offsetof(struct mx_temper, greylist_ms)},
        {"per-connection", COUNT, offsetof(struct mx_temper, per_connection)},
        {"per-hour", COUNT, offsetof(struct mx_temper, per_hour)},
        {"per-minute", COUNT, offsetof(struct mx_temper, per_minute)},
        {"connections", COUNT, offsetof(struct mx_temper, connections)},
        {"storm", PERCENT, offsetof(struct mx_temper, storm)},
        {"refused-users", NAMES, offsetof(struct mx_temper, refused_users)},
        {"full-users", NAMES, offsetof(struct mx_temper, full_users)},
        {"lost-users", NAMES, offsetof(struct mx_temper, lost_users)},
        {"blocks", YES, offsetof(struct mx_temper, is_blocking)},
        {"banner-delay", DURATION, offsetof(struct mx_temper, banner_ms)},
        {"read-rate", COUNT, offsetof(struct mx_temper, read_rate)},
        {"drop-before", PERCENT, offsetof(struct mx_temper, drop_before)},
        {"drop-after", PERCENT, offsetof(struct mx_temper, drop_after)},
        {"close-after", PERCENT, offsetof(struct mx_temper, close_after)},
        {"recipients", COUNT, offsetof(struct mx_temper, recipients)},
        {"refuse", YES, offsetof(struct mx_temper, is_refusing)},
        {"pipelining", NO, offsetof(struct mx_temper, no_pipelining)},
        {"chunking", NO, offsetof(struct mx_temper, no_chunking)},
        {"ehlo", NO, offsetof(struct mx_temper, no_ehlo)},
        {"bounce", PERCENT, offsetof(struct mx_temper, bounce)},
        {"chatter", PERCENT, offsetof(struct mx_temper, chatter)},
        {"forged-bounces", PERCENT, offsetof(struct mx_temper, forged)},
        {"bounce-delay", DURATION, offsetof(struct mx_temper, bounce_ms)},
};

#define TRAITS (sizeof traits / sizeof traits[0])

static enum err put_number(unsigned *field, struct str value, uint64_t most)
{
        uint64_t number;
        if (str_to_u64(value, most, &number) != ERR_OK)
                return ERR_SYNTAX;
        *field = (unsigned)number;
        return ERR_OK;
}

#define NAMES_MAX sizeof((struct mx_temper *)0)->refused_users

static enum err put_names(char *field, struct str value)
{
        if (value.n >= NAMES_MAX)
                return ERR_SYNTAX;
        memset(field, 0, NAMES_MAX);
        memcpy(field, value.p, value.n);
        return ERR_OK;
}

static enum err put(struct mx_temper *t, const struct trait *trait, struct str value)
{
        char *field = (char *)t + trait->at;
        switch (trait->kind) {
        case DURATION:
                return scenario_duration_parse(value, false, (int64_t *)(void *)field);
        case COUNT:
                return put_number((unsigned *)(void *)field, value, UINT32_MAX);
        case PERCENT:
                return put_number((unsigned *)(void *)field, value, 100);
        case NAMES:
                return put_names(field, value);
        default:
                if (!str_eq(value, S("yes")) && !str_eq(value, S("no")))
                        return ERR_SYNTAX;
                *(bool *)(void *)field = str_eq(value, S("yes")) == (trait->kind == YES);
                return ERR_OK;
        }
}

enum err mx_temper_put(struct mx_temper *t, struct str trait, struct str value)
{
        for (size_t i = 0; i < TRAITS; i++)
                if (str_eq(trait, str_of_c(traits[i].name)))
                        return put(t, &traits[i], value);
        return ERR_NOT_FOUND;
}

static void write_duration(struct wr *w, int64_t ms)
{
        static const struct {
                int64_t ms;
                const char *unit;
        } units[] = {{24LL * 60 * 60 * 1000, "d"}, {60 * 60 * 1000, "h"}, {60 * 1000, "m"}, {1000, "s"},
                {1, "ms"}};
        size_t i = 0;
        while (ms % units[i].ms != 0)
                i++;
        wr_u64(w, (uint64_t)(ms / units[i].ms));
        wr_str(w, str_of_c(units[i].unit));
}

static void write_value(struct wr *w, const struct mx_temper *t, const struct trait *trait)
{
        const char *field = (const char *)t + trait->at;
        switch (trait->kind) {
        case DURATION:
                write_duration(w, *(const int64_t *)(const void *)field);
                break;
        case NAMES:
                wr_str(w, str_of_c(field));
                break;
        case YES:
        case NO:
                wr_str(w, trait->kind == YES ? S("yes") : S("no"));
                break;
        default:
                wr_u64(w, *(const unsigned *)(const void *)field);
                break;
        }
}

static bool is_zero(const struct mx_temper *t, const struct trait *trait)
{
        const char *field = (const char *)t + trait->at;
        if (trait->kind == DURATION)
                return *(const int64_t *)(const void *)field == 0;
        if (trait->kind == COUNT || trait->kind == PERCENT)
                return *(const unsigned *)(const void *)field == 0;
        return *field == 0;
}

void mx_temper_write(const struct mx_temper *t, struct wr *w)
{
        const char *space = "";
        for (size_t i = 0; i < TRAITS; i++) {
                if (is_zero(t, &traits[i]))
                        continue;
                wr_str(w, str_of_c(space));
                wr_str(w, str_of_c(traits[i].name));
                wr_byte(w, '=');
                write_value(w, t, &traits[i]);
                space = " ";
        }
}
