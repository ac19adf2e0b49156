/* SPDX-License-Identifier: ISC */
/* The pointer record of a signing domain, `_ptt._domainkey.<domain>` TXT: which epoch is in force, which one is
 * announced, which old ones are still in use, and whose they are.
 *     v=PTT1; e=1775138006; n=1777125206; r=1773150806:1775742806,...; f=1773150806; id=f768e82a760a25f5
 * Times are Unix seconds; an old epoch's second number is the time until which its keys stay published: from then on
 * their records are empty, and after that they are removed. `f` names those of the old epochs whose keys belong to a
 * former password: nobody derives these, they stand until their time. Pure. */
#ifndef AUTH_ZONE_POINTER_H
#define AUTH_ZONE_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/str.h"
#include "base/wr.h"

#define ZONE_OLD_MAX 8
#define ZONE_POINTER_MAX 512       /* the longest text that is written */
#define ZONE_EPOCH_MAX 99999999999 /* eleven digits, year 5138: none is chosen or read above */

struct zone_old {
        int64_t epoch;
        int64_t until_s;
        bool is_former;
};

struct zone_pointer {
        int64_t epoch;
        int64_t next; /* 0: none announced */
        size_t old_n;
        struct zone_old old[ZONE_OLD_MAX];
        uint8_t id[KEY_ID_SIZE]; /* of the password (auth/key.h) */
};

/* Parse the text of the record. Unknown tags are ignored, and epochs of `f` that `r` does not name.
 *   ERR_OK
 *   ERR_SYNTAX       not such a record: no tag list, a number that is none, an epoch named twice, an old one that is not
 *                    before the current one, or a next one that is not behind it (no change of ours makes such a pointer)
 *   ERR_UNSUPPORTED  another version (`v=` is there and first, but not PTT1)
 *   ERR_LIMIT        more than ZONE_OLD_MAX old epochs           (`*out` is zeros on errors) */
MUST_USE enum err zone_pointer_parse(struct str text, struct zone_pointer *out);
/*   ERR_OK, or ERR_SPACE (ZONE_POINTER_MAX is always enough) */
MUST_USE enum err zone_pointer_write(const struct zone_pointer *p, struct wr *w);

/* What is said of an epoch. */
bool zone_pointer_names(const struct zone_pointer *p, int64_t epoch);
const struct zone_old *zone_pointer_old(const struct zone_pointer *p, int64_t epoch); /* or NULL */
bool zone_pointer_eq(const struct zone_pointer *a, const struct zone_pointer *b);

/* Changes. Each gives a pointer that may take the place of `*p`, which it leaves as it is. */

/* The first one of a zone. */
void zone_pointer_first(const uint8_t id[KEY_ID_SIZE], int64_t now_s, struct zone_pointer *out);
/* The next epoch: `at_s`, or later if the pointer names that already. */
void zone_pointer_announce(const struct zone_pointer *p, int64_t at_s, struct zone_pointer *out);
/* The announced epoch takes over; the current one is old, for `validity_s` from its epoch.
 *   ERR_OK, or ERR_LIMIT: it names ZONE_OLD_MAX old ones already (`*out` is zeros) */
MUST_USE enum err zone_pointer_advance(
        const struct zone_pointer *p, int64_t validity_s, struct zone_pointer *out);
/* An old epoch is over and its records are gone: it is no longer named. */
void zone_pointer_forget(const struct zone_pointer *p, int64_t epoch, struct zone_pointer *out);
/* A new epoch, and `id` its password's. All others are old: until `until_s` or sooner (0: the current and the announced one
 * for `validity_s`, the old ones as it was), and former if the password is another. If there is no room the oldest are
 * no longer named. */
struct zone_take_over {
        const uint8_t *id; /* KEY_ID_SIZE bytes */
        int64_t now_s, until_s, validity_s;
};
void zone_pointer_take_over(
        const struct zone_pointer *p, const struct zone_take_over *how, struct zone_pointer *out);
/* What is to stand in the zone when `*found` is read there after `*known` stood there. An epoch that vanished from it while
 * its keys had time left was not retired, for then its name stays: the zone was restored from a backup, or spoilt. Such
 * epochs are named again; and the newer of the two current epochs is the current one. */
void zone_pointer_merge(const struct zone_pointer *found, const struct zone_pointer *known, int64_t now_s,
        int64_t validity_s, struct zone_pointer *out);

#endif
