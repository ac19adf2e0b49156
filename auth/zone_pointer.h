/* SPDX-License-Identifier: ISC */
/* The pointer record of a signing domain, `_ptt._domainkey.<domain>` TXT: which epoch is in force, which one is
 * announced, which old ones are still in use, and whose they are.
 *     v=PTT1; e=1775138006; n=1777125206; r=1773150806:1775742806,...; id=f768e82a760a25f5
 * Times are Unix seconds; an old epoch's second number is the time until which its keys stay published. Pure. */
#ifndef AUTH_ZONE_POINTER_H
#define AUTH_ZONE_POINTER_H

#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/str.h"
#include "base/wr.h"

#define ZONE_OLD_MAX 8
#define ZONE_POINTER_MAX 512 /* the longest text that is written */

struct zone_old {
        int64_t epoch;
        int64_t until_s;
};

struct zone_pointer {
        int64_t epoch;
        int64_t next; /* 0: none announced */
        size_t old_n;
        struct zone_old old[ZONE_OLD_MAX];
        uint8_t id[KEY_ID_SIZE]; /* of the password (auth/key.h) */
};

/* Parse the text of the record. Unknown tags are ignored.
 *   ERR_OK
 *   ERR_SYNTAX       not such a record: no tag list, a number that is none, an epoch named twice
 *   ERR_UNSUPPORTED  another version (`v=` is there and first, but not PTT1)
 *   ERR_LIMIT        more than ZONE_OLD_MAX old epochs           (`*out` is zeros on errors) */
MUST_USE enum err zone_pointer_parse(struct str text, struct zone_pointer *out);
/*   ERR_OK, or ERR_SPACE (ZONE_POINTER_MAX is always enough) */
MUST_USE enum err zone_pointer_write(const struct zone_pointer *p, struct wr *w);

#endif
