/* SPDX-License-Identifier: ISC */
/* Mailman 2: the names of a list's attributes are those of its configuration file and of its pickle, so one table serves
 * both. The pickle holds the members, too: several dictionaries with an address as key. */
#include "app/import_literal.h"

#define NOMAIL 1 /* bits of user_options */
#define NO_OWN_POSTS 2

static const struct import_word subscribe_policy[] = {
        {"0", "open"}, {"1", "confirm"}, {"2", "moderated"}, {"3", "moderated"}, {NULL, NULL}};
static const struct import_word reply_goes_to_list[] = {{"0", "author"}, {"1", "list"}, {NULL, NULL}};
static const struct import_word private_roster[] = {
        {"0", "subscribers"}, {"1", "subscribers"}, {"2", "moderators"}, {NULL, NULL}};
static const struct import_word archive[] = {
        {"0", "off"}, {"1", "on"}, {"False", "off"}, {"True", "on"}, {NULL, NULL}};
static const struct import_word from_is_list[] = {
        {"0", "auto"}, {"1", "rewrite"}, {"2", "rewrite"}, {NULL, NULL}};

static const struct import_setting attributes[] = {
        {"subscribe_policy", "subscription", IMPORT_WORDS, subscribe_policy},
        {"reply_goes_to_list", "reply-to", IMPORT_WORDS, reply_goes_to_list},
        {"private_roster", "who", IMPORT_WORDS, private_roster},
        {"archive", "archive", IMPORT_WORDS, archive},
        {"from_is_list", "from", IMPORT_WORDS, from_is_list},
        {"subject_prefix", "subject-prefix", IMPORT_TEXT, NULL},
        {"msg_footer", "footer", IMPORT_TEXT, NULL},
        {"description", "description", IMPORT_TEXT, NULL},
        {"max_message_size", "max-message", IMPORT_KILOBYTES, NULL},
        {"preferred_language", "language", IMPORT_LANGUAGE, NULL},
        {"msg_header", NULL, IMPORT_ABSENT, NULL},
        {NULL, NULL, IMPORT_ABSENT, NULL},
};

/* Attributes that are lists of addresses: `why` for those that are of no use here. */
static const struct {
        const char *name;
        enum import_kind kind;
        const char *why;
} people[] = {
        {"owner", IMPORT_MODERATOR, NULL},
        {"moderator", IMPORT_MODERATOR, NULL},
        {"ban_list", IMPORT_BAN, "only addresses can be banned, no patterns"},
        {"accept_these_nonmembers", IMPORT_LEFT, "make them members with nomail"},
        {"hold_these_nonmembers", IMPORT_LEFT, "who may post is told by the setting posting"},
        {"reject_these_nonmembers", IMPORT_LEFT, "who may post is told by the setting posting"},
        {"discard_these_nonmembers", IMPORT_LEFT, "who may post is told by the setting posting"},
};

struct mailman2 {
        struct import *import;
        struct str rest;
        enum import_right moderated; /* what happens to posts of moderated members */
        bool is_moderated;           /* new members are */
};

static enum err next(struct mailman2 *m, struct literal *out)
{
        return literal_next(m->import, &m->rest, true, out);
}

/* The members. */

static uint64_t number(struct str text)
{
        uint64_t n;
        if (text.n > 1 && text.p[text.n - 1] == 'L') /* a long of Python 2 */
                text.n--;
        return str_to_u64(text, UINT64_MAX, &n) == ERR_OK ? n : 0;
}

/* `value` is the first word of what a dictionary has for the address; `second` the one behind, in a tuple. */
static enum err take_person(struct mailman2 *m, struct str dictionary, struct str address, struct str value)
{
        struct import_item item = {.kind = IMPORT_OPTIONS, .text = address};
        if (str_eq(dictionary, S("members")) || str_eq(dictionary, S("digest_members"))) {
                item.kind = IMPORT_MEMBER;
                if (str_find_byte(value, '@') < value.n) /* with the case that it was written in */
                        item.text = value;
                m->import->digests += str_eq(dictionary, S("digest_members"));
        } else if (str_eq(dictionary, S("user_options"))) {
                item.is_nomail = (number(value) & NOMAIL) != 0;
                item.no_own_posts = (number(value) & NO_OWN_POSTS) != 0;
        } else {
                item.is_nomail = number(value) != 0; /* delivery_status: 0 is enabled */
        }
        return import_give(m->import, item);
}

static enum err take_entry(struct mailman2 *m, struct str dictionary, struct str address)
{
        struct literal l;
        enum err err = next(m, &l);
        if (err == ERR_OK && l.mark != ':')
                return ERR_SYNTAX;
        if (err == ERR_OK)
                err = next(m, &l);
        if (err != ERR_OK)
                return err;
        if (l.kind == LITERAL_TEXT || l.kind == LITERAL_WORD)
                return take_person(m, dictionary, address, l.text);
        if (l.mark != '(')
                return ERR_SYNTAX;
        struct literal first;
        err = next(m, &first);
        if (err == ERR_OK && first.kind != LITERAL_WORD)
                err = ERR_SYNTAX;
        while (err == ERR_OK && l.mark != ')') {
                err = next(m, &l);
                if (err == ERR_OK && l.kind == LITERAL_END)
                        err = ERR_SYNTAX;
        }
        return err == ERR_OK ? take_person(m, dictionary, address, first.text) : err;
}

static enum err take_people(struct mailman2 *m, struct str dictionary)
{
        struct literal l;
        size_t at = m->import->room.n;
        for (;;) {
                m->import->room.n = at;
                enum err err = next(m, &l);
                if (err == ERR_OK && l.kind == LITERAL_TEXT)
                        err = take_entry(m, dictionary, l.text);
                else if (err == ERR_OK && l.mark != ',' && l.mark != '}')
                        err = ERR_SYNTAX;
                if (err != ERR_OK || l.mark == '}')
                        return err;
        }
}

/* Attributes. */

static enum err take_list(struct mailman2 *m, struct str name, enum import_kind kind, const char *why)
{
        struct literal l = {.kind = LITERAL_MARK};
        enum err err = ERR_OK;
        while (err == ERR_OK && l.mark != ']') {
                err = next(m, &l);
                bool is_pattern = kind == IMPORT_BAN && str_has_prefix(l.text, S("^"));
                if (err == ERR_OK && l.kind != LITERAL_TEXT)
                        err = l.mark == ',' || l.mark == ']' ? ERR_OK : ERR_SYNTAX;
                else if (err == ERR_OK && (kind == IMPORT_LEFT || is_pattern))
                        err = import_give(m->import,
                                (struct import_item){
                                        .kind = IMPORT_LEFT, .name = name, .text = l.text, .why = why});
                else if (err == ERR_OK)
                        err = import_give(m->import, (struct import_item){.kind = kind, .text = l.text});
        }
        return err;
}

static void take_right(struct mailman2 *m, struct str name, struct str value)
{
        if (str_eq(name, S("generic_nonmember_action"))) { /* 0 accept, 1 hold, 2 reject, 3 discard */
                uint64_t n = number(value);
                m->import->others = n == 0 ? IMPORT_FREE : n == 1 ? IMPORT_HELD : IMPORT_REFUSED;
        } else if (str_eq(name, S("default_member_moderation"))) {
                m->is_moderated = !str_eq(value, S("0")) && !str_eq(value, S("False"));
        } else if (str_eq(name, S("member_moderation_action"))) { /* 0 hold, 1 reject, 2 discard */
                m->moderated = number(value) == 0 ? IMPORT_HELD : IMPORT_REFUSED;
        }
}

static bool is_people(struct str name)
{
        return str_eq(name, S("members")) || str_eq(name, S("digest_members")) ||
               str_eq(name, S("user_options")) || str_eq(name, S("delivery_status"));
}

static enum err take_attribute(struct mailman2 *m, struct str name)
{
        const struct import_setting *setting = import_find(attributes, name);
        struct literal value;
        enum err err = next(m, &value);
        if (err != ERR_OK)
                return err;
        if (value.mark == '{' && is_people(name))
                return take_people(m, name);
        for (size_t k = 0; value.mark == '[' && k < sizeof people / sizeof people[0]; k++)
                if (str_eq(name, str_of_c(people[k].name)))
                        return take_list(m, name, people[k].kind, people[k].why);
        if (value.kind != LITERAL_TEXT && value.kind != LITERAL_WORD)
                return literal_skip(m->import, &m->rest, true, &value);
        if (setting != NULL && (setting->rule != IMPORT_ABSENT || value.text.n > 0))
                return import_set(m->import, setting, value.text);
        take_right(m, name, value.text);
        return ERR_OK;
}

/* NAME = VALUE, as a program in Python; or { 'NAME': VALUE, ... }. */
static enum err take_attributes(struct mailman2 *m, enum literal_kind key, char between)
{
        struct literal name, l;
        for (;;) {
                m->import->room.n = 0;
                enum err err = next(m, &name);
                if (err != ERR_OK || (key == LITERAL_WORD ? name.kind == LITERAL_END : name.mark == '}'))
                        return err;
                if (name.mark == ',' && key == LITERAL_TEXT)
                        continue;
                if (name.kind != key)
                        return ERR_SYNTAX;
                err = next(m, &l);
                if (err == ERR_OK && l.mark != between)
                        err = ERR_SYNTAX;
                if (err == ERR_OK)
                        err = take_attribute(m, name.text);
                if (err != ERR_OK)
                        return err;
        }
}

/* dumpdb puts lines around each object. */
static enum err take_pickle(struct mailman2 *m)
{
        struct str line;
        while (m->rest.n > 0 && m->rest.p[0] != '{')
                (void)import_line(m->import, &m->rest, &line);
        m->rest = str_skip(m->rest, 1);
        m->import->line += m->import->line == 0;
        return take_attributes(m, LITERAL_TEXT, ':');
}

/* A line that is neither empty nor a comment. */
static struct str first_line(struct str text)
{
        struct str line = S("");
        while (text.n > 0 && (line.n == 0 || line.p[0] == '#')) {
                (void)str_cut(text, '\n', &line, &text);
                line = str_trim(line);
        }
        return line;
}

static bool is_assignment(struct str line)
{
        return str_find(line, S(" = ")) < str_find_byte(line, '@');
}

enum err import_mailman2(struct import *i)
{
        struct mailman2 m = {.import = i, .rest = i->file->text, .moderated = IMPORT_HELD};
        struct str line = first_line(m.rest);
        enum err err;
        if (str_has_prefix(line, S("[----- start")) || str_has_prefix(line, S("<----- start")) ||
                str_has_prefix(line, S("{"))) {
                err = take_pickle(&m);
        } else if (is_assignment(line)) {
                i->line = 1;
                err = take_attributes(&m, LITERAL_WORD, '=');
        } else {
                return import_plain(i);
        }
        if (err == ERR_OK && m.is_moderated)
                i->members = m.moderated;
        return err;
}
