/* SPDX-License-Identifier: ISC */
/* Settings by mail. */
#include "list/step.h"

void settings_show(struct step *s)
{
        if (step_is_moderator(s))
                step_done(s, OUTCOME_FOLLOWS);
}

/* What all moderators will be told: false when there is no room, for a change that nobody hears of must not be. */
static bool note_change(struct decide_run *run, const struct setting *setting, struct str old, struct str new)
{
        struct wr w;
        wr_init(&w, run->changes, sizeof run->changes);
        w.n = run->changes_size;
        wr_str(&w, str_of_c(setting->name));
        wr_byte(&w, '\t');
        wr_str(&w, old);
        wr_byte(&w, '\t');
        wr_str(&w, new);
        wr_byte(&w, '\n');
        if (wr_end(&w) != ERR_OK)
                return false;
        run->changes_size = w.n;
        return true;
}

void settings_set(struct step *s)
{
        const enum setting_id id = s->command->setting;
        const struct str old = s->facts->settings.v[id], new = s->command->value;
        if (!step_is_moderator_strongly(s))
                return;
        if (str_eq(old, new)) {
                step_done(s, OUTCOME_ALREADY);
                return;
        }
        if (!note_change(s->run, &settings[id], old, new)) {
                step_done(s, OUTCOME_TOO_MUCH);
                return;
        }
        struct decide_action *a = step_add(s, DECIDE_SET_SETTING);
        a->setting = id;
        a->value = str_eq(new, str_of_c(settings[id].standard)) ? S("") : new;
        step_done(s, OUTCOME_DONE);
}
