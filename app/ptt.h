/* SPDX-License-Identifier: ISC */
/* ptt: what its commands share. A command gets its parsed options, works inside a fiber, says what went wrong itself
 * in one line, and returns the exit status. */
#ifndef APP_PTT_H
#define APP_PTT_H

#include "app/options.h"
#include "store/lists.h"

#define PTT_MEMORY (16 * 1024 * 1024)
#define PTT_OPTIONS_MAX 24

struct ptt {
        struct host *host;
        struct options options;
        struct arena arena; /* for the whole run */
        char memory[PTT_MEMORY];
};

int ptt_create(struct ptt *p);
int ptt_add(struct ptt *p);
int ptt_add_moderator(struct ptt *p);
int ptt_rem_moderator(struct ptt *p);
int ptt_add_subscriber(struct ptt *p);
int ptt_rem_subscriber(struct ptt *p);
int ptt_show(struct ptt *p);
int ptt_password(struct ptt *p);

/* The options of `add`, one a setting among them, into a table of PTT_OPTIONS_MAX that lives as long as `specs`. */
void ptt_add_specs(struct option_spec *specs);

/* Text that others wrote, onto a terminal: control characters and what is not UTF-8 become `?`. */
void ptt_put(FILE *to, struct str text);
/* One line on standard error, "ptt: WHAT: ABOUT". Returns `status`. */
int ptt_say(int status, const char *what, struct str about);
/* Open the image that the first argument names, or say why not.
 *   0, or an exit status with a NULL `*out` */
int ptt_open(struct ptt *p, struct store **out);
/* After a call on an open image failed: say so. Returns 1. */
int ptt_trouble(struct ptt *p, enum err err);
/* The value of --domain, checked.
 *   0, or EXIT_USAGE: said; missing is wrong unless `may_miss` */
int ptt_domain(struct ptt *p, bool may_miss, struct str *out);

#endif
