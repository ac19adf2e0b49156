/* SPDX-License-Identifier: ISC */
/* Mailman 3: what its REST interface answers, one document after another or put together in any way. An object with an
 * email and a role is a membership; preferences inside it are the member's. What a list's configuration has are
 * settings, wherever they stand. Anything else that does not look like JSON is read as plain text. */
#include "app/import_literal.h"

#define DEPTH_MAX 32

static const struct import_word subscription_policy[] = {{"open", "open"}, {"confirm", "confirm"},
        {"moderate", "moderated"}, {"confirm_then_moderate", "moderated"}, {NULL, NULL}};
static const struct import_word reply_to[] = {
        {"no_munging", "author"}, {"point_to_list", "list"}, {NULL, NULL}};
static const struct import_word archive_policy[] = {
        {"never", "off"}, {"private", "on"}, {"public", "on"}, {NULL, NULL}};
static const struct import_word roster[] = {
        {"moderators", "moderators"}, {"members", "subscribers"}, {"public", "subscribers"}, {NULL, NULL}};
static const struct import_word mitigate[] = {{"true", "rewrite"}, {"false", "auto"}, {NULL, NULL}};

static const struct import_setting config[] = {
        {"subscription_policy", "subscription", IMPORT_WORDS, subscription_policy},
        {"reply_goes_to_list", "reply-to", IMPORT_WORDS, reply_to},
        {"reply_to_munging", "reply-to", IMPORT_WORDS, reply_to},
        {"archive_policy", "archive", IMPORT_WORDS, archive_policy},
        {"member_roster_visibility", "who", IMPORT_WORDS, roster},
        {"dmarc_mitigate_unconditionally", "from", IMPORT_WORDS, mitigate},
        {"subject_prefix", "subject-prefix", IMPORT_TEXT, NULL},
        {"description", "description", IMPORT_TEXT, NULL},
        {"max_message_size", "max-message", IMPORT_KILOBYTES, NULL},
        {"preferred_language", "language", IMPORT_LANGUAGE, NULL},
        {NULL, NULL, IMPORT_ABSENT, NULL},
};

/* What an object says of a person. */
struct person {
        struct str email, role, status, mode, link, list;
        bool no_own_posts, is_address; /* an address of the site, of no list */
        size_t line;
};

static enum err next(struct import *i, struct str *rest, struct literal *out)
{
        return literal_next(i, rest, false, out);
}

static enum err give_person(struct import *i, const struct person *p)
{
        struct import_item item = {.kind = IMPORT_MEMBER,
                .text = p->email,
                .is_nomail = p->status.n > 0 && !str_eq(p->status, S("enabled")),
                .no_own_posts = p->no_own_posts};
        bool is_ban = p->role.n == 0 && str_find(p->link, S("/bans/")) < p->link.n;
        if (p->email.n == 0 || str_eq(p->role, S("nonmember")) || (p->role.n == 0 && p->is_address))
                return ERR_OK;
        if (import_same_list(i, p->list) != ERR_OK)
                return ERR_DENIED;
        if (is_ban && str_has_prefix(p->email, S("^")))
                return import_give(i, (struct import_item){.kind = IMPORT_LEFT,
                                              .name = S("bans"),
                                              .text = p->email,
                                              .why = "only addresses can be banned, no patterns"});
        if (is_ban)
                item.kind = IMPORT_BAN;
        else if (str_eq(p->role, S("owner")) || str_eq(p->role, S("moderator")))
                item.kind = IMPORT_MODERATOR;
        else if (p->role.n > 0 && !str_eq(p->role, S("member")))
                return ERR_OK;
        else
                i->digests += p->mode.n > 0 && !str_eq(p->mode, S("regular"));
        size_t line = i->line;
        i->line = p->line;
        enum err err = import_give(i, item);
        i->line = line;
        return err;
}

static enum import_right right_of(struct str action)
{
        static const struct import_word free_words[] = {{"defer", "free"}, {"accept", "free"}, {NULL, NULL}};
        if (import_word(free_words, action).n > 0)
                return IMPORT_FREE;
        return str_eq(action, S("hold")) ? IMPORT_HELD : IMPORT_REFUSED;
}

/* A name with a word or text behind it. */
static enum err take_scalar(struct import *i, struct person *p, struct str name, const struct literal *value)
{
        const struct import_setting *setting = import_find(config, name);
        struct str text = value->text;
        if (value->kind == LITERAL_WORD && str_eq(text, S("null")))
                return ERR_OK;
        if (setting != NULL)
                return import_set(i, setting, text);
        if (str_eq(name, S("default_member_action")))
                i->members = right_of(text);
        else if (str_eq(name, S("default_nonmember_action")))
                i->others = right_of(text);
        else if (str_eq(name, S("email")))
                p->email = text;
        else if (str_eq(name, S("role")))
                p->role = text;
        else if (str_eq(name, S("delivery_status")))
                p->status = text;
        else if (str_eq(name, S("delivery_mode")))
                p->mode = text;
        else if (str_eq(name, S("self_link")))
                p->link = text;
        else if (str_eq(name, S("list_id")))
                p->list = text;
        else if (str_eq(name, S("receive_own_postings")))
                p->no_own_posts = str_eq(text, S("false"));
        else if (str_eq(name, S("original_email")) || str_eq(name, S("registered_on")))
                p->is_address = true;
        return ERR_OK;
}

static enum err take_value(struct import *i, struct str *rest, struct person *p, struct str name,
        const struct literal *first, unsigned depth);

static enum err take_object(struct import *i, struct str *rest, struct person *p, unsigned depth)
{
        struct literal name, l;
        for (;;) {
                enum err err = next(i, rest, &name);
                if (err != ERR_OK || name.mark == '}')
                        return err;
                if (name.mark == ',')
                        continue;
                if (name.kind != LITERAL_TEXT)
                        return ERR_SYNTAX;
                err = next(i, rest, &l);
                if (err == ERR_OK && l.mark != ':')
                        err = ERR_SYNTAX;
                if (err == ERR_OK)
                        err = next(i, rest, &l);
                if (err == ERR_OK)
                        err = take_value(i, rest, p, name.text, &l, depth);
                if (err != ERR_OK)
                        return err;
        }
}

static enum err take_array(struct import *i, struct str *rest, unsigned depth)
{
        struct literal l;
        struct person nobody = {0};
        for (;;) {
                enum err err = next(i, rest, &l);
                if (err != ERR_OK || l.mark == ']')
                        return err;
                if (l.mark == ',')
                        continue;
                err = take_value(i, rest, &nobody, S(""), &l, depth);
                if (err != ERR_OK)
                        return err;
        }
}

/* What an object inside says stays there, but for the preferences of `p`; its strings go with it. */
static enum err take_value(struct import *i, struct str *rest, struct person *p, struct str name,
        const struct literal *first, unsigned depth)
{
        if (first->kind == LITERAL_TEXT || first->kind == LITERAL_WORD)
                return take_scalar(i, p, name, first);
        if (depth == DEPTH_MAX)
                return ERR_LIMIT;
        if (first->mark == '{' && str_eq(name, S("preferences")))
                return take_object(i, rest, p, depth + 1);
        struct person inner = {.line = i->line};
        size_t at = i->room.n;
        enum err err = first->mark == '[' ? take_array(i, rest, depth + 1) : ERR_SYNTAX;
        if (first->mark == '{')
                err = take_object(i, rest, &inner, depth + 1);
        if (err == ERR_OK)
                err = give_person(i, &inner);
        i->room.n = at;
        return err;
}

enum err import_mailman3(struct import *i)
{
        struct str rest = i->file->text, start = str_trim(rest);
        struct person nobody = {0};
        struct literal l;
        if (start.n == 0 || (start.p[0] != '{' && start.p[0] != '['))
                return import_plain(i);
        i->line = 1;
        for (;;) {
                enum err err = next(i, &rest, &l);
                if (err != ERR_OK || l.kind == LITERAL_END)
                        return err;
                err = take_value(i, &rest, &nobody, S(""), &l, 0);
                if (err != ERR_OK)
                        return err;
        }
}
