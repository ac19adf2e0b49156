/* SPDX-License-Identifier: ISC */
/* What the admin asks by mail to admin-request@DOMAIN: who is heard, and which commands are read. Pure. */
#ifndef LIST_ADMIN_H
#define LIST_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/evaluate.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/header.h"

#define ADMIN_LOCAL "admin-request"
#define ADMIN_COMMANDS_MAX 20 /* of one mail */
#define ADMIN_ROWS 20         /* messages that `queue` shows when nothing else is said */
#define ADMIN_ROWS_MAX 1000   /* and at most */

enum admin_kind { ADMIN_QUEUE, ADMIN_FLUSH, ADMIN_HOLD, ADMIN_DROP, ADMIN_STATUS, ADMIN_HELP, ADMIN_WRONG };

struct admin_command {
        enum admin_kind kind;
        struct str line; /* as it was written, trimmed; may hold anything */
        int64_t message; /* FLUSH, HOLD, DROP: its number; FLUSH: 0 for all */
        size_t rows;     /* QUEUE */
};
struct admin_commands {
        struct admin_command list[ADMIN_COMMANDS_MAX];
        size_t count;
        bool is_cut; /* there were more */
};

/* command = "queue" [N] / "flush" (ID / "all") / "hold" ID / "drop" ID / "status" / "help", in any case. The subject, when
 * it begins with a command's word (behind any "Re:"), then the lines of `text` up to the first that is none; else all
 * lines of it, until an empty one that follows a command, or a signature "-- "; quoted lines are passed over. What is no
 * command is WRONG. At least one comes out: HELP when there is nothing at all. Slices are borrowed.
 * `subject` is decoded, on one line; both may hold anything. */
void admin_commands_read(struct str subject, struct str text, struct admin_commands *out);

/* Is this mail the admin's own, written for this address, now? A signature of the admin's domain must have passed that
 * covers From, the To or Cc field that names the address, Message-ID, Subject, the whole body, and a time: its own t= or
 * the Date field. So a copy of what the admin once wrote elsewhere is nothing worth, and a copy of a command is known by its
 * id for as long as its time lets it pass. What says how the text is to be read has to be covered, too, but for commands in
 * the subject: large providers do not sign it. */
enum admin_verdict {
        ADMIN_HEARD,
        ADMIN_SUBJECT_ONLY,  /* but how the text is to be read is not signed: its subject alone may ask */
        ADMIN_SOMEBODY_ELSE, /* the author is not the admin */
        ADMIN_UNPROVEN,      /* or not proven to be: posting_demand_proof says why */
        ADMIN_UNSIGNED,      /* by SPF alone */
        ADMIN_ELSEWHERE,     /* signed, but not for this address */
        ADMIN_PARTLY,        /* something that counts is not signed, or stands there twice */
        ADMIN_OLD,           /* older than ADMIN_LIFE_S */
        ADMIN_EARLY,         /* from more than ADMIN_FUTURE_S ahead */
        ADMIN_VERDICTS
};
#define ADMIN_LIFE_S (7LL * 24 * 60 * 60)
#define ADMIN_FUTURE_S (60LL * 60)

/* `e` is settled, `header` is its message's; `to` is where the mail was sent to, `admin` who the admin is, both
 * "local@domain". HEARD, SUBJECT_ONLY: `*message_id` is borrowed from the header. */
enum admin_verdict admin_judge(const struct evaluate *e, const struct mail_header *header, struct str to,
        struct str admin, int64_t now_s, struct str *message_id);
struct str admin_verdict_text(enum admin_verdict verdict); /* a refusal in plain words */

/* How a command ended, as a line with LF: "flush 12: done". */
enum admin_outcome { ADMIN_DONE, ADMIN_NO_MESSAGE, ADMIN_NOT_UNDERSTOOD };
void admin_outcome_write(struct wr *w, const struct admin_command *command, enum admin_outcome outcome);
void admin_help_write(struct wr *w); /* lines with LF */

#endif
