/* SPDX-License-Identifier: ISC */
/* Inside of list/decide.h: one command being decided, and what its families (join.c, moderate.c, settings.c, options.c,
 * request.c) share. */
#ifndef LIST_STEP_H
#define LIST_STEP_H

#include "list/decide.h"

struct step {
        struct decide_run *run; /* NULL in decide_hold and decide_expired */
        const struct decide_facts *facts;
        const struct command *command;
        struct decision *d;
        bool is_said; /* another mail speaks of the outcome, or none is to */
};

/* A `struct decide_reply`. */
#define STEP_REPLY(code, subject, detail, text) \
        {                                       \
                code, subject, detail,          \
                {                               \
                        text, sizeof(text) - 1  \
                }                               \
        }
#define STEP_GRANTED(text) STEP_REPLY(250, 0, 0, text)
#define STEP_REFUSED(text) STEP_REPLY(550, 7, 1, text)

/* A decision on one kind of command; it ends in step_done or step_answer. */
typedef void step_decide(struct step *s);

step_decide join_ask, join_leave, join_remove, join_ban, join_unban;
step_decide moderate_accept, moderate_reject;
step_decide settings_show, settings_set;
step_decide options_show, options_set;
step_decide request_help, request_who, request_why, request_wrong;
/* A request to join that was confirmed; s->facts->request is it. */
void join_confirm(struct step *s);

/* The next action, to be filled. */
struct decide_action *step_add(struct step *s, enum decide_action_kind kind);
void step_on_address(struct step *s, enum decide_action_kind kind, struct str address);
void step_on_request(struct step *s, enum decide_action_kind kind, int64_t request);
/* A new row, and the mail about it: to `to`, or to the moderators when that is empty. */
void step_ask(struct step *s, enum request_purpose purpose, struct str address, struct str data,
        enum notice_kind notice, struct str to);
/* A mail to an address that is about nothing else. */
void step_tell(struct step *s, enum notice_kind notice, struct str to);

/* How it ended, with the usual answer for that. */
void step_done(struct step *s, enum outcome outcome);
void step_answer(struct step *s, enum outcome outcome, struct decide_reply reply);
/* Has the author of the mail (or, of what was confirmed, of the request) the rights of a moderator? If not, the step is
 * done. `strongly`: not by SPF alone; else the command is kept for a confirmation, and the step is done as well. */
bool step_is_moderator(struct step *s);
bool step_is_moderator_strongly(struct step *s);

/* The request is there, and its life is not over. */
bool step_waits(const struct step *s, const struct decide_request *r);
bool step_is_over(const struct step *s, const struct decide_request *r);
/* Is there no room for another request of the actor? */
bool step_is_crowded(const struct step *s);

#endif
