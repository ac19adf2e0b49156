/* SPDX-License-Identifier: ISC */
/* What moderators decide by a link: requests to join, and held posts. */
#include "base/check.h"
#include "list/step.h"

/* ---- joining ---- */

static void accept_join(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (who->is_banned) {
                step_done(s, OUTCOME_BANNED);
        } else if (who->is_member) {
                step_done(s, OUTCOME_ALREADY);
        } else {
                step_on_address(s, DECIDE_ADD_MEMBER, who->address);
                step_tell(s, NOTICE_WELCOME, who->address);
                step_done(s, OUTCOME_DONE);
        }
}

static void reject_join(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (!who->is_member)
                step_tell(s, NOTICE_JOIN_REFUSED, who->address);
        step_done(s, OUTCOME_DONE);
}

/* ---- posts ---- */

static void tell_author(struct step *s, enum notice_kind notice)
{
        struct decide_action *a = step_add(s, DECIDE_TELL);
        a->notice = notice;
        a->address = s->facts->request.address;
        a->text = s->facts->request.data;
}

static bool gets_own_posts(const struct decide_person *who)
{
        return who->is_member && who->options[OPTION_OWN_POSTS] && !who->options[OPTION_NOMAIL];
}

static void accept_post(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        step_on_request(s, DECIDE_RELEASE_POST, s->facts->request.id);
        if (who->is_member && !who->options[OPTION_APPROVED]) {
                struct decide_action *a = step_add(s, DECIDE_SET_OPTION);
                a->address = who->address;
                a->option = OPTION_APPROVED;
                a->on = true;
        }
        if (!gets_own_posts(who))
                tell_author(s, NOTICE_POST_ACCEPTED);
        step_done(s, OUTCOME_DONE);
}

static void reject_post(struct step *s)
{
        step_on_request(s, DECIDE_DROP_POST, s->facts->request.id);
        tell_author(s, NOTICE_POST_REJECTED);
        step_done(s, OUTCOME_DONE);
}

/* ---- both ---- */

/* Who comes second with a link that is still good hears so by mail: it is nobody's fault. */
static void decide_late(struct step *s)
{
        static const struct decide_reply old =
                STEP_REFUSED("this link is older than 7 days, what it was for has ended");
        if (!s->facts->is_token_fresh || s->facts->request.id != 0) {
                step_answer(s, OUTCOME_DECIDED, old);
                return;
        }
        step_tell(s, NOTICE_REQUEST_DECIDED, s->facts->actor.address);
        step_done(s, OUTCOME_DECIDED);
}

static void moderate(struct step *s, step_decide *on_join, step_decide *on_post)
{
        const struct decide_request *r = &s->facts->request;
        if (!step_is_moderator(s))
                return;
        if (step_waits(s, r) && r->purpose == REQUEST_JOIN_DECIDE)
                on_join(s);
        else if (step_waits(s, r) && r->purpose == REQUEST_POST)
                on_post(s);
        else {
                decide_late(s);
                return;
        }
        step_on_request(s, DECIDE_END_REQUEST, r->id);
}

void moderate_accept(struct step *s)
{
        moderate(s, accept_join, accept_post);
}

void moderate_reject(struct step *s)
{
        moderate(s, reject_join, reject_post);
}

/* ---- holding, and the end of a life ---- */

void decide_hold(const struct decide_facts *facts, struct decision *d)
{
        static const struct decide_reply own =
                STEP_REPLY(452, 7, 28, "too many of your posts wait for the moderators, try again later");
        struct step s = {.facts = facts, .d = d};
        *d = (struct decision){.count = 0};
        if (facts->held_of_author >= DECIDE_HELD_POSTS_MAX) {
                step_answer(&s, OUTCOME_TOO_MANY, own);
        } else if (step_is_crowded(&s)) {
                step_done(&s, OUTCOME_TOO_MANY);
        } else {
                step_ask(&s, REQUEST_POST, facts->actor.address, facts->message_id, NOTICE_POST_WAITS, S(""));
                step_done(&s, OUTCOME_WAITS);
        }
}

void decide_expired(const struct decide_facts *facts, struct decision *d)
{
        struct step s = {.facts = facts, .d = d};
        const struct decide_request *r = &facts->request;
        *d = (struct decision){.count = 0};
        step_done(&s, OUTCOME_DONE);
        if (r->id == 0 || !step_is_over(&s, r))
                return;
        if (r->purpose == REQUEST_POST) {
                step_on_request(&s, DECIDE_DROP_POST, r->id);
                tell_author(&s, NOTICE_POST_EXPIRED);
        }
        step_on_request(&s, DECIDE_END_REQUEST, r->id);
}
