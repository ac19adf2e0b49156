/* SPDX-License-Identifier: ISC */
/* What an import has gathered from its files. */
#ifndef APP_PTT_IMPORT_H
#define APP_PTT_IMPORT_H

#include "app/import.h"
#include "app/ptt.h"
#include "list/setting.h"

#define POOL_BLOCK (1024 * 1024)

/* Text that lives until the end, in blocks. */
struct block {
        struct block *next;
        size_t used;
        char bytes[POOL_BLOCK];
};

struct person {
        struct str address; /* as the store keeps it */
        int64_t joined_ms;
        unsigned options;
        bool is_member, is_moderator, is_banned;
};

struct left {
        struct str name, text;
        const char *why;
};

struct gathered {
        struct ptt *ptt;
        enum import_format format;
        struct str path; /* of the file that is being read, for messages */
        struct block *pool;
        struct person *people;
        size_t count, cap;
        struct left *left;
        size_t left_count, left_cap;
        struct str settings[SETTINGS]; /* empty: not told */
        size_t members;                /* items, twice the same among them */
        bool is_said;                  /* what went wrong */
};

/* Make all of it one change to the list of that name, and tell what was done. Brings each person together.
 *   0, or an exit status */
int ptt_import_into(struct gathered *g, struct store *s, struct str name);

#endif
