/* SPDX-License-Identifier: ISC */
/* What ptt's commands that show something share: where it goes, as text or as JSON, page by page. */
#ifndef APP_PTT_SHOW_H
#define APP_PTT_SHOW_H

#include "app/ptt.h"
#include "app/ptt_json.h"

#define SHOW_PAGE 256 /* rows asked for at once */

struct show {
        struct ptt *ptt;
        struct store *store;
        struct str domain, name; /* empty: all */
        struct json *json;       /* NULL: text */
        struct arena page;       /* one page of rows */
        enum err err;
        size_t shown; /* of the present part */
        char memory[2 * 1024 * 1024];
};

/* Onto standard output. */
void show_text(struct str s);
void show_time(int64_t unix_ms);
void show_address(struct str name, struct str domain); /* "name@domain", or the domain alone */
/* A part of the whole that has a title in text, and its end; `shown` counts what stood in it. */
void show_open_part(struct show *s, const char *name);
void show_close_part(struct show *s, size_t shown);

/* The queue (ptt_queue.c): the recipients of a message that are in flight or wait, as text at most so many, what `page`
 * holds stays; messages of the lists that are wanted; destinations, when all lists are. */
void show_waiting(struct show *s, int64_t message, bool is_held, uint64_t most);
void show_queue(struct show *s);
void show_destinations(struct show *s);
/* What --hold, --flush and --drop ask for.
 *   the exit status */
int queue_act(struct show *s);
/* A list with its settings, moderators, subscribers and bans. */
void show_list(struct show *s, const struct store_list *list);
/* What waits for somebody's answer, held posts among it, of the lists that are wanted. */
void show_requests(struct show *s);
/* Failures, scores of members, and what the judge of bounces did (ptt_bounces.c). */
void show_bounces(struct show *s);
/* The last bounce of a member, by address or number, or what was said instead.
 *   the status of the program */
int show_bounce(struct show *s, struct str who);
bool show_is_wanted(const struct show *s, struct str name, struct str domain);

#endif
