/* SPDX-License-Identifier: ISC */
/* What a member chooses. */
#include "list/step.h"

static bool is_member(struct step *s)
{
        if (s->facts->actor.is_member)
                return true;
        step_done(s, OUTCOME_MEMBERS_ONLY);
        return false;
}

void options_show(struct step *s)
{
        if (is_member(s))
                step_done(s, OUTCOME_FOLLOWS);
}

void options_set(struct step *s)
{
        const struct decide_person *actor = &s->facts->actor;
        const struct command *c = s->command;
        if (!is_member(s))
                return;
        if (actor->options[c->option] == c->on) {
                step_done(s, OUTCOME_ALREADY);
                return;
        }
        struct decide_action *a = step_add(s, DECIDE_SET_OPTION);
        a->address = actor->address;
        a->option = c->option;
        a->on = c->on;
        step_done(s, OUTCOME_DONE);
}
