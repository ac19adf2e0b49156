/* SPDX-License-Identifier: ISC */
/* Joining, leaving, being removed, bans. */
#include "list/step.h"

static void end_if_there(struct step *s, const struct decide_request *r)
{
        if (r->id != 0)
                step_on_request(s, DECIDE_END_REQUEST, r->id);
}

/* What waits for somebody's joining has no object any more. */
static void end_joins(struct step *s, const struct decide_person *who)
{
        end_if_there(s, &who->join_confirm);
        end_if_there(s, &who->join_decide);
}

static void admit(struct step *s, struct str address)
{
        step_on_address(s, DECIDE_ADD_MEMBER, address);
        step_tell(s, NOTICE_WELCOME, address);
        s->is_said = true;
        step_done(s, OUTCOME_DONE);
}

static void tell_already(struct step *s, struct str address)
{
        step_tell(s, NOTICE_ALREADY_MEMBER, address);
        s->is_said = true;
        step_done(s, OUTCOME_ALREADY);
}

static bool is_subscription(const struct step *s, struct str word)
{
        return setting_is(&s->facts->settings, SETTING_SUBSCRIPTION, word);
}

/* ---- asking ---- */

static bool is_anothers(struct step *s)
{
        if (s->command->address.n == 0 || str_eq_nocase(s->command->address, s->facts->actor.address))
                return false;
        step_done(s, OUTCOME_NOT_YOURS);
        return true;
}

/* One confirmation a day: whoever can pass for the author fills no mailbox. */
static void ask_for_confirmation(struct step *s)
{
        const struct decide_person *actor = &s->facts->actor;
        const struct decide_request *earlier = &actor->join_confirm;
        s->is_said = true;
        if (earlier->id != 0 && s->facts->now_ms - earlier->made_ms < DECIDE_TOLD_MS) {
                step_done(s, OUTCOME_CONFIRM_SENT);
                return;
        }
        if (earlier->id == 0 && step_is_crowded(s)) {
                step_done(s, OUTCOME_TOO_MANY);
                return;
        }
        end_joins(s, actor);
        step_ask(s, REQUEST_JOIN_CONFIRM, actor->address, S(""), NOTICE_CONFIRM_JOIN, actor->address);
        step_done(s, OUTCOME_CONFIRM);
}

void join_ask(struct step *s)
{
        const struct decide_person *actor = &s->facts->actor;
        if (is_anothers(s))
                return;
        if (actor->is_banned) {
                step_done(s, OUTCOME_BANNED);
        } else if (actor->is_member) {
                tell_already(s, actor->address);
        } else if (is_subscription(s, S("closed"))) {
                step_done(s, OUTCOME_CLOSED);
        } else if (is_subscription(s, S("open"))) {
                end_joins(s, actor);
                admit(s, actor->address);
        } else if (step_waits(s, &actor->join_decide)) {
                s->is_said = true;
                step_done(s, OUTCOME_WAITS);
        } else {
                ask_for_confirmation(s);
        }
}

/* ---- the confirmation ---- */

static void ask_moderators(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (!step_waits(s, &who->join_decide)) {
                end_if_there(s, &who->join_decide);
                step_ask(s, REQUEST_JOIN_DECIDE, who->address, S(""), NOTICE_JOIN_WAITS, S(""));
        }
        step_done(s, OUTCOME_WAITS);
}

void join_confirm(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        step_on_request(s, DECIDE_END_REQUEST, s->facts->request.id);
        if (who->is_banned) {
                step_done(s, OUTCOME_BANNED);
        } else if (who->is_member) {
                tell_already(s, who->address);
        } else if (is_subscription(s, S("closed"))) {
                step_done(s, OUTCOME_CLOSED);
        } else if (is_subscription(s, S("moderated")) && !who->is_moderator) {
                ask_moderators(s);
        } else {
                end_if_there(s, &who->join_decide);
                admit(s, who->address);
        }
}

/* ---- leaving ---- */

void join_leave(struct step *s)
{
        static const struct decide_reply none =
                STEP_GRANTED("this address is not subscribed; a mail says which one writes to us");
        const struct decide_person *actor = &s->facts->actor;
        if (is_anothers(s))
                return;
        end_joins(s, actor);
        s->is_said = true;
        if (actor->is_member) {
                step_on_address(s, DECIDE_REMOVE_MEMBER, actor->address);
                step_tell(s, NOTICE_GOODBYE, actor->address);
                step_done(s, OUTCOME_DONE);
        } else {
                step_tell(s, NOTICE_NOT_MEMBER, actor->address);
                step_answer(s, OUTCOME_NOT_MEMBER, none);
        }
}

/* ---- what moderators do to others ---- */

void join_remove(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (!step_is_moderator_strongly(s))
                return;
        if (!who->is_member) {
                step_done(s, OUTCOME_NOT_MEMBER);
                return;
        }
        step_on_address(s, DECIDE_REMOVE_MEMBER, who->address);
        step_tell(s, NOTICE_FAREWELL_REMOVED, who->address);
        step_done(s, OUTCOME_DONE);
}

void join_ban(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (!step_is_moderator_strongly(s))
                return;
        end_joins(s, who);
        if (!who->is_banned) {
                struct decide_action *a = step_add(s, DECIDE_BAN);
                a->address = who->address;
                a->about = s->facts->actor.address;
        }
        step_done(s, who->is_banned ? OUTCOME_ALREADY : OUTCOME_DONE);
}

void join_unban(struct step *s)
{
        const struct decide_person *who = &s->facts->target;
        if (!step_is_moderator_strongly(s))
                return;
        if (who->is_banned)
                step_on_address(s, DECIDE_UNBAN, who->address);
        step_done(s, who->is_banned ? OUTCOME_DONE : OUTCOME_NOT_BANNED);
}
