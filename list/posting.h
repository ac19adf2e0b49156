/* SPDX-License-Identifier: ISC */
/* May this message be posted to a list? The one place where a verdict on a message becomes a right. Pure.
 *
 * Rights belong to the author: the (first) address of the From field, once it is proven. It is proven when DMARC passes,
 * or when SPF or DKIM passed for exactly the author's domain: then DMARC would pass whatever the domain's policy is, and
 * without a policy that is all that can be asked for. The envelope's sender alone proves nothing, nor does a policy of
 * "none". */
#ifndef LIST_POSTING_H
#define LIST_POSTING_H

#include <stdbool.h>

#include "auth/evaluate.h"
#include "base/str.h"
#include "base/wr.h"

/* The setting `posting`. */
enum posting_rule { POSTING_SUBSCRIBERS, POSTING_OPEN, POSTING_MODERATED, POSTING_ANNOUNCE, POSTING_RULES };

/* What the setting says; POSTING_ANNOUNCE, which lets fewest through, for a word that is none. */
enum posting_rule posting_rule_of(struct str value);

enum posting_proof {
        POSTING_PROVEN,   /* the author is who the From field says */
        POSTING_UNKNOWN,  /* DNS gave no answer that it hangs on: another try may end otherwise */
        POSTING_UNPROVEN, /* neither SPF nor DKIM stands for the author */
        POSTING_NOBODY    /* there is not one author whose domain could be asked */
};

/* `e` is settled: evaluate_finish gave ERR_OK. */
enum posting_proof posting_proof(const struct evaluate *e);
/* "local@domain" of the author, as a key for tables of members; nothing for POSTING_NOBODY. MAIL_ADDRESS_MAX is enough. */
void posting_author_write(struct wr *w, const struct evaluate *e);

struct posting_author { /* looked up for a proven author only */
        bool is_member, is_moderator, is_banned;
        bool is_new; /* a member, none of whose posts was accepted yet, with `first-post moderated` */
};

/* The answer to the final dot: a code of 250, 451 or 550 with its enhanced code (RFC 3463, RFC 7372), and why, for a
 * person who wants to mend it: the rule, the check that failed, its domain and its record. Printable ASCII, at most
 * POSTING_TEXT_MAX bytes, in `w`; lines are parted by LF; nothing for 250. */
#define POSTING_TEXT_MAX 1800
struct posting_answer {
        unsigned code, subject, detail;
        bool is_held; /* with 250: taken, and shown to the moderators first (decide_hold in list/decide.h) */
};
struct posting_answer posting_judge(
        const struct evaluate *e, enum posting_rule rule, struct posting_author author, struct wr *w);
/* The same question for a command or a mail to the owners, which any proven author may send: 250, 451 or 550. */
struct posting_answer posting_demand_proof(const struct evaluate *e, struct wr *w);

#endif
