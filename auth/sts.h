/* SPDX-License-Identifier: ISC */
/* MTA-STS (RFC 8461): what a domain says of the hosts that take its mail. Records and policies are parsed here, and hosts
 * compared; nothing is asked, fetched or kept. Pure: no I/O, no allocation, no clock. */
#ifndef AUTH_STS_H
#define AUTH_STS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"

/* The id that the TXT records at _mta-sts.DOMAIN tell (3.1), each of `texts` being the joined strings of one record.
 *   ERR_OK         `*id` is 1 to STS_ID_MAX letters and digits, borrowed from `texts`
 *   ERR_NOT_FOUND  none of them begins with "v=STSv1;"
 *   ERR_SYNTAX     more than one does, or it is malformed: as good as none          (`*id` is empty on errors) */
MUST_USE enum err sts_record_find(const struct str *texts, size_t count, struct str *id);

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
        enum sts_mode mode;
        int64_t max_age_s;         /* at most STS_MAX_AGE_S: what says more means that */
        struct str mx[STS_MX_MAX]; /* "mx.example.com", "*.example.net"; borrowed from the text */
        size_t mx_count;
};

/* Parse the text of a policy (3.2): lines of key and value, ended by CRLF or LF. Unknown keys and empty lines are passed
 * over; of keys that stand twice the first counts, but for mx.
 *   ERR_OK
 *   ERR_SYNTAX  a line that is none; version, mode or max_age missing or malformed; no mx in another mode than none; an
 *               mx that is no host name
 *   ERR_LIMIT   more than STS_MX_MAX of mx, or more than STS_KEPT_MAX octets in sts_policy_write
 * On errors `*out` is zeros. */
MUST_USE enum err sts_policy_parse(struct str text, struct sts_policy *out);
/* The text that says just this; STS_KEPT_MAX octets are room enough. */
void sts_policy_write(struct wr *w, const struct sts_policy *policy);
/* Does a pattern match this host (4.1)? Case does not matter; an asterisk stands for the left-most label, and only it. */
bool sts_policy_lists(const struct sts_policy *policy, struct str host);

#endif
