/* SPDX-License-Identifier: ISC */
#include "list/report.h"

#include "list/said.h"

#define SAID_MAX 300
#define ADDRESS_MAX 320

enum phrase {
        MEMBERS,
        JOINED,
        LEFT,
        REMOVED,
        POSTS,
        HELD,
        REQUESTS,
        DONE,
        FAILED,
        DEFERRED,
        OLDEST,
        SLOWEST,
        MORE_FRONT,
        MORE_BACK,
        PHRASES
};

struct words {
        const char *classes[JUDGE_CLASSES], *events[REPORT_BREAKER + 1], *phrases[PHRASES];
        const char *second, *minute, *hour, *day;
};

static const struct words english = {
        .classes =
                {
                        [JUDGE_ADDRESS] = "no such address",
                        [JUDGE_FULL] = "mailbox full",
                        [JUDGE_SYSTEM] = "other side out of order",
                        [JUDGE_MESSAGE] = "message not accepted (not counted against members)",
                        [JUDGE_POLICY] = "refused by policy (not counted against members)",
                },
        .events =
                {
                        [REPORT_PROBED] = "asked by mail whether it still works",
                        [REPORT_REMOVED] = "removed",
                        [REPORT_BREAKER] = "provider that fails for most, nobody there is counted",
                },
        .phrases =
                {
                        [MEMBERS] = "members",
                        [JOINED] = "joined",
                        [LEFT] = "left",
                        [REMOVED] = "of these, removed because their mail came back",
                        [POSTS] = "posts",
                        [HELD] = "posts that wait for a moderator",
                        [REQUESTS] = "other requests that wait for an answer",
                        [DONE] = "copies delivered",
                        [FAILED] = "copies given up",
                        [DEFERRED] = "copies that wait for another try",
                        [OLDEST] = "the oldest of them waits since",
                        [SLOWEST] = "slowest providers, from the post to its delivery",
                        [MORE_FRONT] = "and ",
                        [MORE_BACK] = " more",
                },
        .second = " s",
        .minute = " minutes",
        .hour = " hours",
        .day = " days",
};

static const struct words french = {
        .classes =
                {
                        [JUDGE_ADDRESS] = "adresse inexistante",
                        [JUDGE_FULL] = "boîte pleine",
                        [JUDGE_SYSTEM] = "serveur distant en panne",
                        [JUDGE_MESSAGE] = "message non accepté (sans conséquence pour les abonnés)",
                        [JUDGE_POLICY] = "refusé par règlement (sans conséquence pour les abonnés)",
                },
        .events =
                {
                        [REPORT_PROBED] = "message d'essai envoyé",
                        [REPORT_REMOVED] = "retiré de la liste",
                        [REPORT_BREAKER] = "fournisseur en panne pour la plupart, personne n'y est compté",
                },
        .phrases =
                {
                        [MEMBERS] = "abonnés",
                        [JOINED] = "inscrits",
                        [LEFT] = "partis",
                        [REMOVED] = "dont retirés parce que leur courrier revenait",
                        [POSTS] = "messages",
                        [HELD] = "messages qui attendent un modérateur",
                        [REQUESTS] = "autres demandes qui attendent une réponse",
                        [DONE] = "copies remises",
                        [FAILED] = "copies abandonnées",
                        [DEFERRED] = "copies qui attendent un nouvel essai",
                        [OLDEST] = "la plus ancienne attend depuis",
                        [SLOWEST] = "fournisseurs les plus lents, du message à sa remise",
                        [MORE_FRONT] = "et ",
                        [MORE_BACK] = " de plus",
                },
        .second = " s",
        .minute = " minutes",
        .hour = " heures",
        .day = " jours",
};

static const struct words *words_of(struct str language)
{
        return str_eq(language, S("fr")) ? &french : &english;
}

static void write_c(struct wr *w, const char *text)
{
        wr_str(w, str_of_c(text));
}

static void write_count(struct wr *w, const char *what, uint64_t n)
{
        write_c(w, what);
        wr_str(w, S(": "));
        wr_u64(w, n);
        wr_byte(w, '\n');
}

/* ---- the digest ---- */

void report_counts_write(struct wr *w, struct str language, const struct report_counts *counts)
{
        for (size_t i = 0; i < JUDGE_CLASSES; i++)
                if (counts->of[i] > 0)
                        write_count(w, words_of(language)->classes[i], counts->of[i]);
}

void report_event_write(struct wr *w, struct str language, enum report_event event, struct str address)
{
        write_c(w, words_of(language)->events[event]);
        wr_str(w, S(": "));
        wr_str(w, str_take(address, ADDRESS_MAX));
        wr_byte(w, '\n');
}

void report_failure_write(struct wr *w, struct str address, struct str said)
{
        wr_str(w, str_take(address, ADDRESS_MAX));
        if (said.n > 0)
                wr_str(w, S(": "));
        said_write(w, said, SAID_MAX);
        wr_byte(w, '\n');
}

void report_more_write(struct wr *w, struct str language, uint64_t n)
{
        write_c(w, words_of(language)->phrases[MORE_FRONT]);
        wr_u64(w, n);
        write_c(w, words_of(language)->phrases[MORE_BACK]);
        wr_byte(w, '\n');
}

/* ---- the week ---- */

bool report_week_is_quiet(const struct report_week *week)
{
        return week->joined == 0 && week->left == 0 && week->posts == 0 && week->failed == 0;
}

/* In the largest unit of which there are two or more. */
static void write_duration(struct wr *w, const struct words *words, int64_t s)
{
        uint64_t n = s > 0 ? (uint64_t)s : 0;
        const char *unit = words->second;
        if (n >= 2 * 86400) {
                n /= 86400;
                unit = words->day;
        } else if (n >= 2 * 3600) {
                n /= 3600;
                unit = words->hour;
        } else if (n >= 2 * 60) {
                n /= 60;
                unit = words->minute;
        }
        wr_u64(w, n);
        write_c(w, unit);
        wr_byte(w, '\n');
}

void report_week_write(struct wr *w, struct str language, const struct report_week *week)
{
        const struct words *words = words_of(language);
        const struct {
                enum phrase phrase;
                uint64_t n;
                bool is_always;
        } rows[] = {{MEMBERS, week->members, true}, {JOINED, week->joined, true}, {LEFT, week->left, true},
                {REMOVED, week->removed, false}, {POSTS, week->posts, true}, {HELD, week->held, false},
                {REQUESTS, week->requests, false}, {DONE, week->done, true}, {FAILED, week->failed, true},
                {DEFERRED, week->deferred, true}};
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (rows[i].is_always || rows[i].n > 0)
                        write_count(w, words->phrases[rows[i].phrase], rows[i].n);
        if (week->oldest_s > 0) {
                write_c(w, words->phrases[OLDEST]);
                wr_str(w, S(": "));
                write_duration(w, words, week->oldest_s);
        }
        if (week->slow_count == 0)
                return;
        write_c(w, words->phrases[SLOWEST]);
        wr_str(w, S(":\n"));
        for (size_t i = 0; i < week->slow_count && i < REPORT_SLOWEST_MAX; i++) {
                wr_str(w, S("  "));
                wr_str(w, str_take(week->slowest[i].provider, 255));
                wr_str(w, S(": "));
                write_duration(w, words, week->slowest[i].mean_s);
        }
}
