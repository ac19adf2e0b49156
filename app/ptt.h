/* SPDX-License-Identifier: ISC */
/* ptt: what its commands share. A command gets its parsed options, works inside a fiber, says what went wrong itself
 * in one line, and returns the exit status. */
#ifndef APP_PTT_H
#define APP_PTT_H

#include "app/options.h"
#include "store/lists.h"

#define PTT_MEMORY (16 * 1024 * 1024)
#define PTT_OPTIONS_MAX 32

struct ptt {
        struct host *host;
        struct options options;
        struct arena arena; /* for the whole run */
        char memory[PTT_MEMORY];
};

int ptt_create(struct ptt *p);
int ptt_grow(struct ptt *p);
int ptt_check(struct ptt *p);
int ptt_add(struct ptt *p);
int ptt_add_moderator(struct ptt *p);
int ptt_rem_moderator(struct ptt *p);
int ptt_add_subscriber(struct ptt *p);
int ptt_rem_subscriber(struct ptt *p);
int ptt_options(struct ptt *p);
int ptt_set(struct ptt *p);
int ptt_import(struct ptt *p);
int ptt_export(struct ptt *p);
int ptt_show(struct ptt *p);
int ptt_why(struct ptt *p);
int ptt_queue(struct ptt *p);
int ptt_bounces(struct ptt *p);
int ptt_ls(struct ptt *p);
int ptt_cat(struct ptt *p);
int ptt_get(struct ptt *p);
int ptt_put(struct ptt *p);
int ptt_rm(struct ptt *p);
int ptt_password(struct ptt *p);
int ptt_dns(struct ptt *p);

/* The options of `add`, one a setting among them, into a table of PTT_OPTIONS_MAX that lives as long as `specs`. */
void ptt_add_specs(struct option_spec *specs);

/* Text that others wrote, onto a terminal: control characters and what is not UTF-8 become `?`. */
void ptt_text(FILE *to, struct str text);
/* One line on standard error, "ptt: WHAT: ABOUT". Returns `status`. */
int ptt_say(int status, const char *what, struct str about);
/* Open the image that the first argument names, or say why not.
 *   0, or an exit status with a NULL `*out` */
int ptt_open(struct ptt *p, struct store **out);
/* Say why the image that the first argument names could not be opened; `why` may be empty. Returns 1. */
int ptt_refused(struct ptt *p, enum err err, const char *why);
/* After a call on an open image failed: say so. Returns 1. */
int ptt_trouble(struct ptt *p, enum err err);
/* How far a long work is, on a terminal only; `ctx` is a struct ptt_progress, zeros but for its name at first. */
struct ptt_progress {
        const char *what;
        unsigned shown; /* percent */
        bool is_there;
};
void ptt_progress(void *ctx, uint64_t done, uint64_t all);
void ptt_progress_end(struct ptt_progress *progress);
/* An address in the form that the store keeps: its local part without needless quotes; `*out` lies in `room`.
 *   ERR_OK, ERR_SYNTAX, or ERR_UNSUPPORTED: its domain is not in ASCII */
#define PTT_EMAIL_MAX 640
MUST_USE enum err ptt_email(struct str text, char room[PTT_EMAIL_MAX], struct str *out);
/* The one list of --domain and the argument NAME, or say why not.
 *   0, or an exit status */
int ptt_list(struct ptt *p, struct store *s, struct str name, struct store_list *out);
/* A list with all that is in it, as one object of JSON.
 *   ERR_OK, or what the store gave */
MUST_USE enum err ptt_list_json(struct ptt *p, struct store *s, const struct store_list *list, FILE *to);
/* The value of --domain, checked.
 *   0, or EXIT_USAGE: said; missing is wrong unless `may_miss` */
int ptt_domain(struct ptt *p, bool may_miss, struct str *out);

#endif
