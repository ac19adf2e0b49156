/* SPDX-License-Identifier: ISC */
#include "serve/act.h"

#include "list/why.h"
#include "serve/notice_data.h"
#include "store/messages.h"
#include "store/notices.h"
#include "store/trace.h"

struct str act_bare_id(struct str message_id)
{
        if (message_id.n < 2 || message_id.p[0] != '<' || message_id.p[message_id.n - 1] != '>')
                return message_id;
        return str_take(str_skip(message_id, 1), message_id.n - 2);
}

/* ---- facts ---- */

/* An outcome that is a fact. */
static enum err found(enum err e, bool *is_there)
{
        *is_there = e == ERR_OK;
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static struct decide_request request_of(const struct store_request *row)
{
        return (struct decide_request){.id = row->id,
                .purpose = (enum request_purpose)row->purpose,
                .address = row->address,
                .data = row->data,
                .made_ms = row->made_ms};
}

static enum err find_request(
        struct act *a, enum request_purpose purpose, struct str address, struct decide_request *out)
{
        struct store_request row;
        bool is_there;
        enum err e = found(
                store_request_find(a->node->store, a->list, purpose, address, a->arena, &row), &is_there);
        if (is_there)
                *out = request_of(&row);
        return e;
}

static enum err find_person(struct act *a, struct str address, struct decide_person *out)
{
        struct store *s = a->node->store;
        struct store_member member;
        enum err e;
        *out = (struct decide_person){.address = address};
        if (address.n == 0)
                return ERR_OK;
        e = found(store_member_find(s, a->list, address, a->arena, &member), &out->is_member);
        if (out->is_member) {
                out->options[OPTION_NOMAIL] = (member.options & STORE_NOMAIL) != 0;
                out->options[OPTION_OWN_POSTS] = (member.options & STORE_NO_OWN) == 0;
                out->options[OPTION_APPROVED] = (member.options & STORE_ACCEPTED) != 0;
        }
        if (e == ERR_OK)
                e = found(store_moderator_find(s, a->list, address), &out->is_moderator);
        if (e == ERR_OK)
                e = found(store_ban_find(s, a->list, address, a->now_ms), &out->is_banned);
        if (e == ERR_OK)
                e = find_request(a, REQUEST_JOIN_CONFIRM, address, &out->join_confirm);
        if (e == ERR_OK)
                e = find_request(a, REQUEST_JOIN_DECIDE, address, &out->join_decide);
        if (e == ERR_OK)
                e = find_request(a, REQUEST_CHANGE_CONFIRM, address, &out->change_confirm);
        return e;
}

static enum err read_list(struct act *a, struct decide_facts *out)
{
        struct store_list list;
        enum err e = store_list_get(a->node->store, a->list, a->arena, &list);
        setting_values_init(&out->settings);
        if (e != ERR_OK)
                return e;
        for (size_t i = 0; i < list.setting_count; i++)
                setting_values_put(&out->settings, list.settings[i].name, list.settings[i].value);
        return ERR_OK;
}

/* A request of another list is none here. */
static enum err read_request(struct act *a, struct decide_facts *out)
{
        struct store_request row;
        bool is_there;
        if (a->request == 0)
                return ERR_OK;
        enum err e = found(store_request_get(a->node->store, a->request, a->arena, &row), &is_there);
        if (is_there && row.list == a->list)
                out->request = request_of(&row);
        return e;
}

static enum err count_requests(struct act *a, struct decide_facts *out)
{
        struct store_request_counts counts = {0};
        if (out->actor.address.n == 0)
                return ERR_OK;
        enum err e = store_request_count(a->node->store, a->list, out->actor.address, &counts);
        out->waiting_of_domain = counts.domain;
        out->waiting_of_list = counts.list;
        out->held_of_author = counts.posts;
        return e;
}

enum err act_facts(struct act *a, const struct decide_wanted *wanted, struct decide_facts *out)
{
        *out = (struct decide_facts){.now_ms = a->now_ms,
                .proof = a->proof,
                .message_id = act_bare_id(a->message_id),
                .is_token_fresh = a->is_token_fresh};
        enum err e = read_list(a, out);
        if (e == ERR_OK)
                e = read_request(a, out);
        if (e == ERR_OK)
                e = find_person(a, wanted->actor.n > 0 ? wanted->actor : a->author, &out->actor);
        if (e == ERR_OK)
                e = find_person(a, wanted->of_request ? out->request.address : wanted->target, &out->target);
        return e == ERR_OK ? count_requests(a, out) : e;
}

/* ---- actions ---- */

/* What is so already, or gone already, is no fault. */
static enum err settled(enum err e)
{
        return e == ERR_EXISTS || e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err set_option(struct act *a, const struct decide_action *action)
{
        static const struct {
                unsigned bit;
                bool is_inverse;
        } bits[MEMBER_OPTIONS] = {
                [OPTION_NOMAIL] = {STORE_NOMAIL, false},
                [OPTION_OWN_POSTS] = {STORE_NO_OWN, true},
                [OPTION_APPROVED] = {STORE_ACCEPTED, false},
        };
        unsigned bit = bits[action->option].bit;
        bool is_set = action->on != bits[action->option].is_inverse;
        return store_member_options(
                a->node->store, a->list, action->address, is_set ? 0 : bit, is_set ? bit : 0);
}

static enum err add_request(struct act *a, const struct decide_action *action, int64_t *made)
{
        struct store_request_new row = {.list = a->list,
                .purpose = action->purpose,
                .address = action->address,
                .data = action->data,
                .message = action->purpose == REQUEST_POST ? a->message : 0,
                .now_ms = a->now_ms};
        enum err e = store_request_add(a->node->store, &row, made);
        if (e != ERR_EXISTS)
                return e;
        e = store_request_end(a->node->store, *made); /* one whose life is over, and that was not swept yet */
        return e == ERR_OK ? store_request_add(a->node->store, &row, made) : e;
}

/* What the path of the post tells of it: ptt why, NAME-why. */
static enum err note_decision(struct act *a, int64_t message, struct str word)
{
        char text[2 * MAIL_ADDRESS_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        why_line_write(&w, word, a->author.n > 0 ? a->author : S("nobody decided in time"));
        struct str line = wr_text(&w);
        enum err e = store_trace_add(a->node->store, message, str_take(line, line.n > 0 ? line.n - 1 : 0));
        return settled(e);
}

static enum err end_post(struct act *a, const struct decide_action *action)
{
        struct store *s = a->node->store;
        struct store_request row;
        bool is_release = action->kind == DECIDE_RELEASE_POST;
        enum err e = store_request_get(s, action->request, a->arena, &row);
        if (e == ERR_OK)
                e = note_decision(a, row.message, is_release ? S("accepted by") : S("rejected by"));
        if (e != ERR_OK)
                return e;
        a->has_released = a->has_released || is_release;
        return is_release ? store_post_release(s, row.message) : store_post_drop(s, row.message);
}

static enum err tell(struct act *a, const struct decide_action *action, int64_t made)
{
        bool is_answer = str_eq_nocase(action->address, a->author); /* others never saw that mail */
        struct notice_data data = {
                .about = action->about, .answers = is_answer ? a->message_id : S(""), .text = action->text};
        char *room = arena_alloc(a->arena, NOTICE_DATA_MAX);
        struct wr w;
        int64_t id;
        if (!room)
                return ERR_MEMORY;
        wr_init(&w, room, NOTICE_DATA_MAX);
        notice_data_write(&w, &data);
        struct store_notice notice = {.list = a->list,
                .kind = notice_kind_name(action->notice),
                .address = action->address,
                .request = action->request == DECIDE_NEW_REQUEST ? made : action->request,
                .data = wr_text(&w),
                .made_ms = a->now_ms};
        enum err e = wr_end(&w);
        if (e == ERR_OK)
                e = store_notice_add(a->node->store, &notice, &id);
        if (e == ERR_FULL && a->tells_if_room)
                return ERR_OK;
        if (e == ERR_OK && notice.request != 0)
                e = settled(store_request_tell(a->node->store, notice.request, a->now_ms));
        a->has_told = a->has_told || e == ERR_OK;
        return e;
}

static enum err carry_out(struct act *a, const struct decide_action *action, int64_t *made)
{
        struct store *s = a->node->store;
        int64_t id;
        switch (action->kind) {
        case DECIDE_ADD_MEMBER:
                return settled(store_member_add(s, a->list, action->address, a->now_ms, &id));
        case DECIDE_REMOVE_MEMBER:
                return settled(store_member_remove(s, a->list, action->address));
        case DECIDE_SET_SETTING:
                return store_setting_put(s, a->list, str_of_c(settings[action->setting].name), action->value);
        case DECIDE_SET_OPTION:
                return settled(set_option(a, action));
        case DECIDE_BAN:
                return store_ban_put(s, &(struct store_ban_new){.list = a->list,
                                                .address = action->address,
                                                .by = action->about,
                                                .now_ms = a->now_ms});
        case DECIDE_UNBAN:
                return settled(store_ban_remove(s, a->list, action->address));
        case DECIDE_ADD_REQUEST:
                return add_request(a, action, made);
        case DECIDE_END_REQUEST:
                return settled(store_request_end(s, action->request));
        case DECIDE_RELEASE_POST:
        case DECIDE_DROP_POST:
                return settled(end_post(a, action));
        case DECIDE_TELL:
                return tell(a, action, *made);
        }
        return ERR_OK;
}

enum err act_carry_out(struct act *a, const struct decision *d)
{
        int64_t made = 0;
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < d->count; i++) {
                struct arena before = *a->arena; /* facts, from which the actions borrow, lie below */
                e = carry_out(a, &d->actions[i], &made);
                *a->arena = before;
        }
        return e;
}

void act_ring(const struct act *a)
{
        if (a->has_told)
                bell_ring(&a->node->mailer_bell);
        if (a->has_released)
                lipap_posts_released(a->node);
}
