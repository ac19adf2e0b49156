/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after a list or the server, while it comes in: what post_in.c (its life),
 * post_header.c (its header), post_front.c (the fields put in front of it), post_judge.c (what its author may) and
 * post_keep.c (its end) share. */
#ifndef SERVE_POST_H
#define SERVE_POST_H

#include "auth/authres.h"
#include "auth/authres_make.h"
#include "list/posting.h"
#include "list/rewrite.h"
#include "serve/act.h"
#include "serve/arrival.h"
#include "store/messages.h"

#define POST_RESULTS_ROOM ((3 + DKIM_SIGNATURES_MAX) * AUTHRES_MAKE_ROOM)
/* What nec's signature covers, field by field, may be ours: List-Id, -Post, -Help, -Subscribe, -Unsubscribe and -Owner,
 * Sender, Reply-To, Subject, MIME-Version, Content-Type, Content-Transfer-Encoding, Date and Message-ID. */
#define POST_COVERED_ADDED 14
#define POST_SKIP_MAX 100 /* members named in To and Cc that get no copy, with `duplicates skip` */

/* One block of memory a message, of which only as much is touched as the message asks for. */
struct post {
        struct post *next_spare; /* while no message has it */
        struct store_intake *intake;
        enum err trouble; /* of the intake */
        uint64_t size_max;
        size_t forged; /* fields that were left out since they claimed to be ours */
        bool has_8bit;
        struct setting_values settings; /* of the list, as at RCPT */
        struct arrival arrival;
        /* At the final dot: */
        bool is_held, is_rewritten; /* the last: `from` says what became of From */
        enum rewrite_from from;
        int64_t now_ms;
        char author_text[MAIL_ADDRESS_MAX];
        struct posting_author author;
        struct posting_answer answer;
        char why_text[POSTING_TEXT_MAX];
        struct str why; /* of the answer */
        struct str skip[POST_SKIP_MAX + 1];
        size_t skip_count;
        bool skips_own; /* the last of them is the author */
        struct act act;
        struct decide_facts facts;
        struct decision decision;
        struct authres results;
        char results_room[POST_RESULTS_ROOM];
        char front[LIPAP_FRONT_MAX];
        char trace[STORE_TRACE_MAX];
};

/* Does it go to the members of a list? Else to people of ours. */
static inline bool post_is_for_list(const struct inbound_envelope *e)
{
        return e->route == ROUTE_POST;
}

/* Is it for the moderators of a list, from a proven author? */
static inline bool post_is_for_owner(const struct inbound_envelope *e)
{
        return e->route == ROUTE_OWNER;
}

/* What a post asks of a header. */
arrival_check post_header_check;
/* The header of what goes to those who look after the server, as it came, to the intake, without results that claim to be ours
 * (RFC 8601 5): those are counted in `p->forged`. */
MUST_USE enum err post_header_write(struct post *p);

/* What stands in front of the message from now on: Received, our Authentication-Results, and Date and Message-ID where
 * they are missing. The evaluation is done.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err post_front_write(struct post *p, struct wr *w);

/* The author against the list's rule, as things are now: fills `author`, `answer` and `why`. Inside store_together, too.
 *   ERR_OK, or trouble of the store */
MUST_USE enum err post_judge(struct post *p);
/* The answer as a reply to the final dot. */
struct smtp_reply post_refusal(const struct post *p);

/* The final dot of a message that nothing speaks against: decided on, and kept, in one change. Uses up the intake. */
struct smtp_reply post_keep(struct post *p);

#endif
