/* SPDX-License-Identifier: ISC */
/* What asks and changes nothing. */
#include "list/step.h"

static void answer_by_mail(struct step *s, enum notice_kind notice)
{
        step_tell(s, notice, s->facts->actor.address);
        s->is_said = true;
        step_done(s, OUTCOME_FOLLOWS);
}

void request_help(struct step *s)
{
        answer_by_mail(s, NOTICE_HELP);
}

void request_who(struct step *s)
{
        const struct decide_person *actor = &s->facts->actor;
        const struct setting_values *v = &s->facts->settings;
        bool is_for_members = setting_is(v, SETTING_WHO, S("subscribers"));
        if (is_for_members && !actor->is_member && !actor->is_moderator)
                step_done(s, OUTCOME_MEMBERS_ONLY);
        else if (!is_for_members && !setting_is(v, SETTING_WHO, S("moderators")))
                step_done(s, OUTCOME_NOBODY);
        else if (!is_for_members && !actor->is_moderator)
                step_done(s, OUTCOME_MODERATORS_ONLY);
        else
                answer_by_mail(s, NOTICE_MEMBERS);
}

void request_why(struct step *s)
{
        if (!step_is_moderator(s))
                return;
        answer_by_mail(s, NOTICE_WHY);
        s->d->actions[s->d->count - 1].text = s->command->value;
}

/* A fault is explained by mail to those who could have done it rightly, and in the session where one mail means one thing. */
void request_wrong(struct step *s)
{
        static const struct decide_reply
                no_address =
                        STEP_REPLY(550, 1, 3, "there is no address behind remove-: USER=DOMAIN is expected"),
                no_id = STEP_REPLY(550, 6, 0, "name the Message-ID of a post in the subject or the text");
        const struct decide_person *actor = &s->facts->actor;
        const enum route_kind route = s->run->route;
        if ((route == ROUTE_SETTINGS || route == ROUTE_WHY || route == ROUTE_REMOVE) && !step_is_moderator(s))
                return;
        if (route == ROUTE_OPTIONS && !actor->is_member)
                step_done(s, OUTCOME_MEMBERS_ONLY);
        else if (route == ROUTE_REMOVE)
                step_answer(s, s->command->fault, no_address);
        else if (route == ROUTE_WHY)
                step_answer(s, s->command->fault, no_id);
        else
                step_done(s, s->command->fault);
}
