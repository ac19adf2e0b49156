/* SPDX-License-Identifier: ISC */
/* One who watches: looks each minute at what could need a person (list/alarm.h), and once a day at the records of our
 * domains. The admin gets a mail when something begins and one when it is over, committed together with the row that says
 * so: neither a death nor a restart makes a second one. Without --admin the log alone tells. */
#ifndef SERVE_WATCH_H
#define SERVE_WATCH_H

#include "base/arena.h"
#include "list/alarm.h"
#include "serve/admin_text.h"
#include "serve/lipap.h"
#include "serve/records_check.h"

#define WATCH_DETAIL_MAX (16 * 1024)

/* What one who watches remembers. Times are monotonic. */
struct watch {
        struct lipap *node;
        struct str selector, arc_selector; /* nec's patterns */
        bool has_looked;
        uint64_t handed_over, delivered; /* as counted at the last look */
        bool has_fresh;                  /* mail was signed since the last delivery */
        int64_t unsigned_ms,
                undelivered_ms; /* since then mail waits; since then fresh mail is not delivered */
        int64_t clock_ms;       /* what was to be added for the wall clock */
        bool is_records_known;
        int64_t records_at_ms; /* when they are to be looked at */
        unsigned records_bad, records_unknown;
        size_t records_n;        /* of `records`: findings as lines */
        bool has_failed[ALARMS]; /* to tell, which was logged */
        struct arena arena;
        char records[WATCH_DETAIL_MAX], detail[WATCH_DETAIL_MAX];
        char memory[RECORDS_CHECK_ARENA];
};
void watch_init(struct watch *w, struct lipap *node, struct str selector, struct str arc_selector);
/* Look at everything, and at the records when it is time; tell what is to be told.
 *   ERR_OK, also when something could not be told: it is tried again
 *   ERR_CANCELLED, ERR_CLOSED */
MUST_USE enum err watch_look(struct watch *w);

struct watch_config {
        struct lipap *node;
        struct str selector, arc_selector;
};
/* A fiber's function: runs until cancelled. `config` is a struct watch_config. */
void watch_run(void *config);

#endif
