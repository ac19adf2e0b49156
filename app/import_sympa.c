/* SPDX-License-Identifier: ISC */
/* Sympa: paragraphs of lines `name value`, parted by empty lines. In a dump of users each is a person, in a list's config
 * each is a parameter, of which those with parts begin with a line that is a name alone. */
#include "app/import_internal.h"

#define LINES_MAX 64 /* of one paragraph that are looked at */

static const struct import_word subscribe[] = {{"open*", "open"}, {"auth_owner*", "moderated"},
        {"owner*", "moderated"}, {"auth*", "confirm"}, {"smime*", "confirm"}, {"closed*", "closed"},
        {NULL, NULL}};
static const struct import_word send_to[] = {{"privateoreditorkey*", "subscribers"},
        {"privateorpublickey*", "open"}, {"privateandeditor*", "moderated"}, {"private*", "subscribers"},
        {"public*", "open"}, {"editor*", "moderated"}, {"newsletter*", "announce"}, {"owner*", "announce"},
        {"closed", "announce"}, {"confidential", "subscribers"}, {NULL, NULL}};
static const struct import_word review[] = {{"owner*", "moderators"}, {"listmaster", "moderators"},
        {"private*", "subscribers"}, {"public*", "subscribers"}, {"closed", "nobody"}, {NULL, NULL}};
static const struct import_word reply_to[] = {
        {"sender", "author"}, {"list", "list"}, {"all", "both"}, {NULL, NULL}};
static const struct import_word archive[] = {{"on", "on"}, {"off", "off"}, {NULL, NULL}};

static const struct import_setting parameters[] = {
        {"subject", "description", IMPORT_TEXT, NULL},
        {"subscribe", "subscription", IMPORT_WORDS, subscribe},
        {"send", "posting", IMPORT_WORDS, send_to},
        {"review", "who", IMPORT_WORDS, review},
        {"reply_to", "reply-to", IMPORT_WORDS, reply_to}, /* before reply_to_header */
        {"custom_subject", "subject-prefix", IMPORT_TEXT, NULL},
        {"max_size", "max-message", IMPORT_BYTES, NULL},
        {"lang", "language", IMPORT_LANGUAGE, NULL},
        {"process_archive", "archive", IMPORT_WORDS, archive},
        {NULL, NULL, IMPORT_ABSENT, NULL},
};
static const struct import_setting reply_to_header = {"reply_to_header", "reply-to", IMPORT_WORDS, reply_to};
static const struct import_setting footer = {"message_footer", "footer", IMPORT_TEXT, NULL};

struct paragraph {
        struct str names[LINES_MAX], values[LINES_MAX];
        size_t count;
        size_t line; /* of its first */
};

static struct str value_of(const struct paragraph *p, struct str name)
{
        for (size_t k = 0; k < p->count; k++)
                if (str_eq(p->names[k], name))
                        return p->values[k];
        return S("");
}

static enum err take_member(struct import *i, const struct paragraph *p)
{
        struct str reception = value_of(p, S("reception"));
        i->digests += str_has_prefix(reception, S("digest")) || str_eq(reception, S("summary"));
        return import_give(i, (struct import_item){.kind = IMPORT_MEMBER,
                                      .text = value_of(p, S("email")),
                                      .joined_ms = import_time_ms(value_of(p, S("date"))),
                                      .is_nomail = str_eq(reception, S("nomail")),
                                      .no_own_posts = str_eq(reception, S("not_me"))});
}

static enum err take_parameters(struct import *i, const struct paragraph *p)
{
        enum err err = ERR_OK;
        for (size_t k = 0; err == ERR_OK && k < p->count; k++) {
                const struct import_setting *setting = import_find(parameters, p->names[k]);
                if (setting != NULL)
                        err = import_set(i, setting, p->values[k]);
        }
        return err;
}

/* `is_people`: a dump of owners or editors. */
static enum err take_paragraph(struct import *i, const struct paragraph *p, bool is_people)
{
        bool has_email = value_of(p, S("email")).n > 0;
        if (p->count == 0)
                return ERR_OK;
        bool is_section = p->values[0].n == 0;
        if ((is_people && has_email) ||
                (is_section && has_email &&
                        (str_eq(p->names[0], S("owner")) || str_eq(p->names[0], S("editor")))))
                return import_give(
                        i, (struct import_item){.kind = IMPORT_MODERATOR, .text = value_of(p, S("email"))});
        if (is_section)
                return str_eq(p->names[0], S("reply_to_header"))
                               ? import_set(i, &reply_to_header, value_of(p, S("value")))
                               : ERR_OK;
        return has_email ? take_member(i, p) : take_parameters(i, p);
}

static enum err finish(struct import *i, struct paragraph *p, bool is_people)
{
        size_t line = i->line;
        i->line = p->line;
        enum err err = take_paragraph(i, p, is_people);
        i->line = err == ERR_OK ? line : i->line;
        p->count = 0;
        return err;
}

enum err import_sympa(struct import *i)
{
        struct paragraph p = {.count = 0};
        struct str rest = i->file->text, line, path = i->file->path;
        size_t slash = str_find_last_byte(path, '/');
        struct str name = slash < path.n ? str_skip(path, slash + 1) : path;
        bool is_people = str_eq(name, S("owner.dump")) || str_eq(name, S("editor.dump"));
        enum err err = ERR_OK;
        if (str_eq(name, S("message.footer")) || str_eq(name, S("message_footer")))
                return import_set(i, &footer, rest);
        while (err == ERR_OK && import_line(i, &rest, &line)) {
                line = str_trim(line);
                if (line.n == 0) {
                        err = finish(i, &p, is_people);
                } else if (line.p[0] != '#' && p.count < LINES_MAX) {
                        p.line = p.count == 0 ? i->line : p.line;
                        (void)str_cut(line, ' ', &p.names[p.count], &p.values[p.count]);
                        p.values[p.count] = str_trim(p.values[p.count]);
                        p.count++;
                }
        }
        return err == ERR_OK ? finish(i, &p, is_people) : err;
}
