/* SPDX-License-Identifier: ISC */
/* For tests and the fuzzer: what holds for every decision, whatever the facts are. */
#ifndef LIST_DECIDE_RIGHTS_H
#define LIST_DECIDE_RIGHTS_H

#include "base/check.h"
#include "list/decide.h"

/* One decision, and whose it is. */
struct rights {
        const struct command *command; /* NULL: the end of a mail */
        const struct decide_facts *f;
        const struct decision *d;
        bool is_confirmed; /* the command stands in a request that was confirmed */
};

static inline bool rights_of_moderator(const struct rights *r)
{
        return r->f->actor.is_moderator && (r->is_confirmed || r->f->proof != DECIDE_UNPROVEN);
}

static inline bool rights_of_strong_moderator(const struct rights *r)
{
        return r->f->actor.is_moderator && (r->is_confirmed || r->f->proof == DECIDE_STRONG);
}

static inline bool rights_of_author(const struct rights *r, struct str address)
{
        return (r->is_confirmed || r->f->proof != DECIDE_UNPROVEN) && str_eq(address, r->f->actor.address);
}

static inline bool rights_by_token(const struct rights *r, enum request_purpose purpose, struct str address)
{
        const struct decide_request *q = &r->f->request;
        return q->id != 0 && q->purpose == purpose && str_eq(q->address, address) &&
               r->f->now_ms - q->made_ms < DECIDE_REQUEST_LIFE_MS;
}

/* Who becomes a member: one who asked where anyone may, one who confirmed, or one whom a moderator lets in. */
static inline void rights_to_add(const struct rights *r, struct str address)
{
        const struct setting_values *v = &r->f->settings;
        const struct decide_person *who = &r->f->target;
        CHECK(r->command);
        if (r->command->kind == COMMAND_JOIN) {
                CHECK(rights_of_author(r, address) && setting_is(v, SETTING_SUBSCRIPTION, S("open")));
                CHECK(!r->f->actor.is_banned && !r->f->actor.is_member);
                return;
        }
        CHECK(!who->is_banned && !who->is_member);
        if (r->command->kind == COMMAND_CONFIRM) {
                CHECK(rights_by_token(r, REQUEST_JOIN_CONFIRM, address));
                CHECK(!setting_is(v, SETTING_SUBSCRIPTION, S("closed")));
                CHECK(who->is_moderator || !setting_is(v, SETTING_SUBSCRIPTION, S("moderated")));
        } else {
                CHECK(r->command->kind == COMMAND_ACCEPT && rights_of_moderator(r));
                CHECK(rights_by_token(r, REQUEST_JOIN_DECIDE, address));
        }
}

static inline void rights_to_remove(const struct rights *r, struct str address)
{
        CHECK(r->command);
        if (r->command->kind == COMMAND_LEAVE)
                CHECK(rights_of_author(r, address) && r->f->actor.is_member);
        else
                CHECK(r->command->kind == COMMAND_REMOVE && rights_of_strong_moderator(r) &&
                        r->f->target.is_member && str_eq(address, r->f->target.address));
}

/* Nobody gets mail whom somebody else could have named. */
static inline void rights_to_tell(const struct rights *r, const struct decide_action *a)
{
        if (a->address.n == 0) {
                CHECK(a->notice == NOTICE_JOIN_WAITS || a->notice == NOTICE_POST_WAITS ||
                        a->notice == NOTICE_SETTINGS_CHANGED);
                return;
        }
        switch (a->notice) {
        case NOTICE_WELCOME:
                return; /* with DECIDE_ADD_MEMBER */
        case NOTICE_FAREWELL_REMOVED:
                CHECK(r->f->target.is_member && rights_of_strong_moderator(r));
                return;
        case NOTICE_JOIN_REFUSED:
                CHECK(rights_of_moderator(r) && rights_by_token(r, REQUEST_JOIN_DECIDE, a->address));
                return;
        case NOTICE_POST_REJECTED:
        case NOTICE_POST_ACCEPTED:
                CHECK(rights_of_moderator(r) && rights_by_token(r, REQUEST_POST, a->address));
                return;
        case NOTICE_ALREADY_MEMBER:
                CHECK(rights_of_author(r, a->address) ||
                        rights_by_token(r, REQUEST_JOIN_CONFIRM, a->address));
                return;
        case NOTICE_SETTINGS:
        case NOTICE_WHY:
        case NOTICE_CONFIRM_CHANGE:
        case NOTICE_REQUEST_DECIDED:
                CHECK(rights_of_moderator(r));
                break;
        case NOTICE_OPTIONS:
                CHECK(r->f->actor.is_member);
                break;
        case NOTICE_MEMBERS:
                CHECK(r->f->actor.is_member || r->f->actor.is_moderator);
                break;
        default:
                break;
        }
        CHECK(rights_of_author(r, a->address));
}

static inline void rights_to_ask(const struct rights *r, const struct decide_action *a)
{
        switch (a->purpose) {
        case REQUEST_JOIN_CONFIRM:
                CHECK(rights_of_author(r, a->address) && !r->f->actor.is_banned && !r->f->actor.is_member);
                break;
        case REQUEST_JOIN_DECIDE:
                CHECK(rights_by_token(r, REQUEST_JOIN_CONFIRM, a->address) && !r->f->target.is_banned);
                break;
        case REQUEST_CHANGE_CONFIRM:
                CHECK(!r->command && rights_of_author(r, a->address) && r->f->actor.is_moderator);
                CHECK(a->data.n > 0);
                break;
        default:
                CHECK(false); /* posts are held elsewhere */
        }
}

static inline void rights_to_act(const struct rights *r, const struct decide_action *a)
{
        switch (a->kind) {
        case DECIDE_ADD_MEMBER:
                rights_to_add(r, a->address);
                break;
        case DECIDE_REMOVE_MEMBER:
                rights_to_remove(r, a->address);
                break;
        case DECIDE_SET_SETTING:
                CHECK(rights_of_strong_moderator(r));
                CHECK(a->value.n == 0 || setting_check(&settings[a->setting], a->value) == ERR_OK);
                break;
        case DECIDE_SET_OPTION:
                if (a->option == OPTION_APPROVED)
                        CHECK(rights_of_moderator(r) && rights_by_token(r, REQUEST_POST, a->address));
                else
                        CHECK(rights_of_author(r, a->address) && r->f->actor.is_member);
                break;
        case DECIDE_BAN:
        case DECIDE_UNBAN:
                CHECK(rights_of_strong_moderator(r));
                break;
        case DECIDE_ADD_REQUEST:
                rights_to_ask(r, a);
                break;
        case DECIDE_END_REQUEST:
                CHECK(a->request > 0);
                break;
        case DECIDE_RELEASE_POST:
        case DECIDE_DROP_POST:
                CHECK(rights_of_moderator(r) && rights_by_token(r, REQUEST_POST, r->f->request.address));
                break;
        case DECIDE_TELL:
                rights_to_tell(r, a);
                break;
        }
}

static inline void rights_check(const struct rights *r)
{
        const struct decision *d = r->d;
        const unsigned code = d->reply.code;
        CHECK(code == 250 || code == 452 || code == 550);
        CHECK(d->reply.text.n > 0 && d->count <= DECIDE_ACTIONS_MAX);
        for (size_t i = 0; i < d->count; i++) {
                rights_to_act(r, &d->actions[i]);
                CHECK(code == 250 || d->actions[i].kind == DECIDE_END_REQUEST || !r->command);
        }
}

#endif
