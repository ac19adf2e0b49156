/* SPDX-License-Identifier: ISC */
#include "list/decide.h"

#include <string.h>

#include "base/check.h"
#include "list/step.h"

/* ---- what families share ---- */

struct decide_action *step_add(struct step *s, enum decide_action_kind kind)
{
        CHECK(s->d->count < DECIDE_ACTIONS_MAX);
        struct decide_action *a = &s->d->actions[s->d->count++];
        *a = (struct decide_action){.kind = kind};
        return a;
}

void step_on_address(struct step *s, enum decide_action_kind kind, struct str address)
{
        step_add(s, kind)->address = address;
}

void step_on_request(struct step *s, enum decide_action_kind kind, int64_t request)
{
        step_add(s, kind)->request = request;
}

void step_tell(struct step *s, enum notice_kind notice, struct str to)
{
        struct decide_action *a = step_add(s, DECIDE_TELL);
        a->notice = notice;
        a->address = to;
}

void step_ask(struct step *s, enum request_purpose purpose, struct str address, struct str data,
        enum notice_kind notice, struct str to)
{
        struct decide_action *a = step_add(s, DECIDE_ADD_REQUEST);
        a->purpose = purpose;
        a->address = address;
        a->data = data;
        a = step_add(s, DECIDE_TELL);
        a->notice = notice;
        a->address = to;
        a->request = DECIDE_NEW_REQUEST;
        a->about = address;
        a->text = data;
}

static const struct decide_reply replies[OUTCOMES] = {
        [OUTCOME_DONE] = STEP_GRANTED("done"),
        [OUTCOME_ALREADY] = STEP_GRANTED("it was so already, nothing has changed"),
        [OUTCOME_FOLLOWS] = STEP_GRANTED("the answer comes by mail"),
        [OUTCOME_CONFIRM] =
                STEP_GRANTED("it will be done when you answer the confirmation that we send to you"),
        [OUTCOME_CONFIRM_SENT] =
                STEP_GRANTED("a confirmation was sent to you less than a day ago, answer that one"),
        [OUTCOME_WAITS] = STEP_GRANTED("the moderators decide"),
        [OUTCOME_DECIDED] = STEP_GRANTED("somebody has decided this before"),
        [OUTCOME_NOT_MEMBER] = STEP_REPLY(550, 1, 1, "that address is not subscribed to this list"),
        [OUTCOME_NOT_BANNED] = STEP_GRANTED("that address is not banned"),
        [OUTCOME_BANNED] = STEP_REFUSED("that address is banned from this list"),
        [OUTCOME_CLOSED] = STEP_REFUSED("nobody can join this list by mail"),
        [OUTCOME_TOO_MANY] = STEP_REPLY(452, 7, 28, "too many requests wait for an answer, try again later"),
        [OUTCOME_MEMBERS_ONLY] = STEP_REFUSED("only subscribers of this list may do this"),
        [OUTCOME_MODERATORS_ONLY] = STEP_REFUSED("only moderators of this list may do this"),
        [OUTCOME_NOBODY] = STEP_REFUSED("this list gives it to nobody"),
        [OUTCOME_NOT_YOURS] = STEP_REFUSED("that is somebody else's address"),
        [OUTCOME_UNKNOWN] = STEP_GRANTED("what is wrong with it comes by mail"),
        [OUTCOME_WRONG] = STEP_GRANTED("what is wrong with it comes by mail"),
        [OUTCOME_TOO_LONG] = STEP_GRANTED("what is wrong with it comes by mail"),
        [OUTCOME_NO_ADDRESS] = STEP_GRANTED("what is wrong with it comes by mail"),
        [OUTCOME_TOO_MUCH] = STEP_GRANTED("what is wrong with it comes by mail"),
};

void step_answer(struct step *s, enum outcome outcome, struct decide_reply reply)
{
        s->d->outcome = outcome;
        s->d->reply = reply;
}

void step_done(struct step *s, enum outcome outcome)
{
        step_answer(s, outcome, replies[outcome]);
}

bool step_is_over(const struct step *s, const struct decide_request *r)
{
        return s->facts->now_ms - r->made_ms >= DECIDE_REQUEST_LIFE_MS;
}

bool step_waits(const struct step *s, const struct decide_request *r)
{
        return r->id != 0 && !step_is_over(s, r);
}

bool step_is_crowded(const struct step *s)
{
        return s->facts->waiting_of_domain >= DECIDE_DOMAIN_REQUESTS_MAX ||
               s->facts->waiting_of_list >= DECIDE_LIST_REQUESTS_MAX;
}

/* ---- moderators ---- */

bool step_is_moderator(struct step *s)
{
        if (s->facts->actor.is_moderator)
                return true;
        step_done(s, OUTCOME_MODERATORS_ONLY);
        return false;
}

/* The commands of one mail wait in one row, written by decide_end. One that was told of today stays as it is: others
 * may know how to pass SPF for a moderator's address, and must not fill the mailbox. */
static void keep(struct step *s)
{
        struct decide_run *run = s->run;
        const struct decide_request *earlier = &s->facts->actor.change_confirm;
        struct wr w;
        if (earlier->id != 0 && s->facts->now_ms - earlier->made_ms < DECIDE_TOLD_MS) {
                static const struct decide_reply reply = STEP_REFUSED(
                        "another change waits for your confirmation: answer that one, or ask again tomorrow");
                step_answer(s, OUTCOME_CONFIRM_SENT, reply);
                return;
        }
        if (earlier->id == 0 && step_is_crowded(s)) {
                step_done(s, OUTCOME_TOO_MANY);
                return;
        }
        wr_init(&w, run->kept, sizeof run->kept);
        w.n = run->kept_size;
        command_write(&w, s->command);
        if (wr_end(&w) != ERR_OK) {
                step_done(s, OUTCOME_TOO_MUCH);
                return;
        }
        run->kept_size = w.n;
        s->is_said = true; /* decide_end asks */
        step_done(s, OUTCOME_CONFIRM);
}

bool step_is_moderator_strongly(struct step *s)
{
        if (!step_is_moderator(s))
                return false;
        if (s->run->is_confirmed || s->facts->proof == DECIDE_STRONG)
                return true;
        keep(s);
        return false;
}

/* ---- confirmations ---- */

static void refuse_token(struct step *s)
{
        static const struct decide_reply used = STEP_REFUSED(
                                                 "this link was used already, or what it was for has ended"),
                                         old = STEP_REFUSED("this link is older than 7 days, ask again");
        step_answer(s, OUTCOME_DECIDED, s->facts->is_token_fresh ? used : old);
}

/* The commands that the row keeps are the next ones, with the rights that its address has now. */
static void confirm_change(struct step *s)
{
        struct decide_run *run = s->run;
        const struct decide_request *r = &s->facts->request;
        struct wr w;
        step_on_request(s, DECIDE_END_REQUEST, r->id);
        wr_init(&w, run->actor, sizeof run->actor);
        wr_str(&w, r->address);
        if (wr_end(&w) != ERR_OK || commands_read_kept(r->data, &run->confirmed) != ERR_OK ||
                run->confirmed.count == 0) {
                refuse_token(s); /* another version wrote it */
                return;
        }
        run->actor_size = w.n;
        run->is_confirmed = true;
        step_done(s, OUTCOME_DONE);
}

static void confirm(struct step *s)
{
        const struct decide_request *r = &s->facts->request;
        if (step_waits(s, r) && r->purpose == REQUEST_JOIN_CONFIRM)
                join_confirm(s);
        else if (step_waits(s, r) && r->purpose == REQUEST_CHANGE_CONFIRM)
                confirm_change(s);
        else
                refuse_token(s);
}

/* ---- the run ---- */

static step_decide *const kinds[COMMAND_KINDS] = {
        [COMMAND_JOIN] = join_ask,
        [COMMAND_LEAVE] = join_leave,
        [COMMAND_HELP] = request_help,
        [COMMAND_WHO] = request_who,
        [COMMAND_REMOVE] = join_remove,
        [COMMAND_BAN] = join_ban,
        [COMMAND_UNBAN] = join_unban,
        [COMMAND_SHOW_SETTINGS] = settings_show,
        [COMMAND_SET] = settings_set,
        [COMMAND_SHOW_OPTIONS] = options_show,
        [COMMAND_OPTION] = options_set,
        [COMMAND_WHY] = request_why,
        [COMMAND_CONFIRM] = confirm,
        [COMMAND_ACCEPT] = moderate_accept,
        [COMMAND_REJECT] = moderate_reject,
        [COMMAND_WRONG] = request_wrong,
};

void decide_begin(struct decide_run *run, enum route_kind route)
{
        memset((char *)run + offsetof(struct decide_run, confirmed), 0,
                sizeof *run - offsetof(struct decide_run, confirmed));
        run->route = route;
}

static const struct command *next_of(const struct decide_run *run)
{
        if (run->at < run->commands.count)
                return &run->commands.list[run->at];
        size_t at = run->at - run->commands.count;
        return at < run->confirmed.count ? &run->confirmed.list[at] : NULL;
}

struct str decide_actor(const struct decide_run *run)
{
        return str_of(run->actor, run->actor_size);
}

bool decide_next(const struct decide_run *run, struct decide_wanted *wanted)
{
        const struct command *c = next_of(run);
        *wanted = (struct decide_wanted){.actor = decide_actor(run)};
        if (!c)
                return false;
        wanted->of_request =
                c->kind == COMMAND_CONFIRM || c->kind == COMMAND_ACCEPT || c->kind == COMMAND_REJECT;
        if (c->kind == COMMAND_REMOVE || c->kind == COMMAND_BAN || c->kind == COMMAND_UNBAN)
                wanted->target = c->address;
        return true;
}

static void note_outcome(struct decide_run *run, const struct step *s)
{
        const struct decision *d = s->d;
        struct wr w;
        wr_init(&w, run->outcomes, sizeof run->outcomes);
        w.n = run->outcomes_size;
        outcome_line_write(&w, d->outcome, s->command->line);
        run->outcomes_size = w.n;
        if (run->refused == 0)
                run->reply = d->reply;
        run->decided++;
        run->refused += d->reply.code >= 400;
        run->unsaid += !s->is_said;
}

void decide_step(struct decide_run *run, const struct decide_facts *facts, struct decision *d)
{
        const struct command *c = next_of(run);
        const bool was_confirmed = run->is_confirmed;
        CHECK(c);
        *d = (struct decision){.count = 0};
        struct step s = {.run = run, .facts = facts, .command = c, .d = d};
        if (facts->proof == DECIDE_UNPROVEN && !was_confirmed && c->kind != COMMAND_CONFIRM) {
                static const struct decide_reply unproven =
                        STEP_REFUSED("the author of this mail is not proven");
                step_answer(&s, OUTCOME_NOT_YOURS, unproven);
        } else {
                kinds[c->kind](&s);
        }
        run->at++;
        if (run->is_confirmed == was_confirmed) /* else only its commands have outcomes */
                note_outcome(run, &s);
}

/* ---- the end ---- */

static void ask_about_kept(struct step *s)
{
        const struct decide_person *actor = &s->facts->actor;
        if (actor->change_confirm.id != 0)
                step_on_request(s, DECIDE_END_REQUEST, actor->change_confirm.id);
        step_ask(s, REQUEST_CHANGE_CONFIRM, actor->address, str_of(s->run->kept, s->run->kept_size),
                NOTICE_CONFIRM_CHANGE, actor->address);
}

static void tell_text(struct step *s, enum notice_kind notice, struct str to, struct str text)
{
        struct decide_action *a;
        step_tell(s, notice, to);
        a = &s->d->actions[s->d->count - 1];
        a->about = s->facts->actor.address;
        a->text = text;
}

/* The one mail about all commands, to one who was not refused altogether. */
static void tell_outcomes(struct step *s)
{
        const struct decide_run *run = s->run;
        struct str to = s->facts->actor.address, outcomes = str_of(run->outcomes, run->outcomes_size);
        const struct command *first = &run->commands.list[0];
        if (run->decided == run->refused || run->unsaid == 0)
                return;
        if (run->route == ROUTE_REQUEST || run->is_confirmed)
                tell_text(s, NOTICE_OUTCOME, to, outcomes);
        else if (run->route == ROUTE_SETTINGS)
                tell_text(s, NOTICE_SETTINGS, to, first->kind == COMMAND_SHOW_SETTINGS ? S("") : outcomes);
        else if (run->route == ROUTE_OPTIONS)
                tell_text(s, NOTICE_OPTIONS, to, first->kind == COMMAND_SHOW_OPTIONS ? S("") : outcomes);
}

void decide_end(struct decide_run *run, const struct decide_facts *facts, struct decision *d)
{
        static const struct decide_reply several = STEP_GRANTED("what became of each comes by mail");
        *d = (struct decision){.count = 0};
        struct step s = {.run = run, .facts = facts, .d = d};
        if (run->kept_size > 0)
                ask_about_kept(&s);
        if (run->changes_size > 0)
                tell_text(&s, NOTICE_SETTINGS_CHANGED, S(""), str_of(run->changes, run->changes_size));
        tell_outcomes(&s);
        d->reply = run->decided > 1 && run->refused < run->decided ? several : run->reply;
}
