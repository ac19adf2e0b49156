/* SPDX-License-Identifier: ISC */
/* mlmmj: a folder of small files. Who is in a file of subscribers.d, digesters.d or nomailsubs.d is a member; what a
 * file of control is called is the setting, and often that it is there is all. */
#include "app/import_internal.h"

enum control_rule {
        CONTROL_IS_THERE, /* then the setting has that value */
        CONTROL_TEXT,     /* its text is the value */
        CONTROL_SIZE,
        CONTROL_PEOPLE,
        CONTROL_LIST, /* every list has it: what mlmmj does where no file says otherwise */
        CONTROL_ABSENT
};

static const struct control {
        const char *name;
        enum control_rule rule;
        const char *ours, *value; /* value: why it was left, for ABSENT */
} controls[] = {
        {"listaddress", CONTROL_LIST, NULL, NULL},
        {"nosubconfirm", CONTROL_IS_THERE, "subscription", "open"},
        {"submod", CONTROL_IS_THERE, "subscription", "moderated"},
        {"closedlistsub", CONTROL_IS_THERE, "subscription", "closed"},
        {"closedlist", CONTROL_IS_THERE, "subscription", "closed"},
        {"subonlypost", CONTROL_IS_THERE, "posting", "subscribers"},
        {"modnonsubposts", CONTROL_IS_THERE, "posting", "subscribers"},
        {"moderated", CONTROL_IS_THERE, "posting", "moderated"},
        {"modonlypost", CONTROL_IS_THERE, "posting", "announce"},
        {"owner", CONTROL_PEOPLE, NULL, NULL},
        {"moderators", CONTROL_PEOPLE, NULL, NULL},
        {"prefix", CONTROL_TEXT, "subject-prefix", NULL},
        {"footer", CONTROL_TEXT, "footer", NULL},
        {"maxmailsize", CONTROL_SIZE, "max-message", NULL},
        {"noarchive", CONTROL_IS_THERE, "archive", "off"},
        {"notmetoo", CONTROL_ABSENT, NULL, "each member has an option for that"},
        {"access", CONTROL_ABSENT, NULL, "who may post is told by the setting posting"},
        {"customheaders", CONTROL_ABSENT, NULL, "has no like here"},
};

static enum err set(struct import *i, const char *ours, struct str value)
{
        return import_give(
                i, (struct import_item){.kind = IMPORT_SETTING, .name = str_of_c(ours), .text = value});
}

static enum err take_moderators(struct import *i)
{
        struct str rest = i->file->text, line;
        enum err err = ERR_OK;
        while (err == ERR_OK && import_line(i, &rest, &line)) {
                line = str_trim(line);
                if (line.n > 0)
                        err = import_give(i, (struct import_item){.kind = IMPORT_MODERATOR, .text = line});
        }
        return err;
}

static enum err take_control(struct import *i, const struct control *c)
{
        struct import_setting setting = {
                c->name, c->ours, c->rule == CONTROL_SIZE ? IMPORT_BYTES : IMPORT_TEXT, NULL};
        enum err err;
        switch (c->rule) {
        case CONTROL_IS_THERE:
                return set(i, c->ours, str_of_c(c->value));
        case CONTROL_TEXT:
        case CONTROL_SIZE:
                return import_set(i, &setting, str_trim(i->file->text));
        case CONTROL_PEOPLE:
                return take_moderators(i);
        case CONTROL_LIST:
                err = set(i, "subscription", S("confirm"));
                return err == ERR_OK ? set(i, "posting", S("open")) : err;
        case CONTROL_ABSENT:
                break;
        }
        return import_left(i, str_of_c(c->name), c->value);
}

static enum err take_members(struct import *i, struct str folder)
{
        struct str rest = i->file->text, line;
        bool is_nomail = str_eq(folder, S("nomailsubs.d"));
        enum err err = ERR_OK;
        while (err == ERR_OK && import_line(i, &rest, &line)) {
                line = str_trim(line);
                if (line.n == 0)
                        continue;
                i->digests += str_eq(folder, S("digesters.d"));
                err = import_give(
                        i, (struct import_item){.kind = IMPORT_MEMBER, .text = line, .is_nomail = is_nomail});
        }
        return err;
}

/* The last part of a path; what is before it stays in `*path`. */
static struct str last_part(struct str *path)
{
        size_t slash = str_find_last_byte(*path, '/');
        struct str last = slash < path->n ? str_skip(*path, slash + 1) : *path;
        *path = slash < path->n ? str_take(*path, slash) : S("");
        return last;
}

enum err import_mlmmj(struct import *i)
{
        struct str path = i->file->path;
        struct str name = last_part(&path), folder = last_part(&path);
        if (!str_eq(folder, S("control")))
                return take_members(i, folder);
        for (size_t k = 0; k < sizeof controls / sizeof controls[0]; k++)
                if (str_eq(name, str_of_c(controls[k].name)))
                        return take_control(i, &controls[k]);
        return ERR_OK;
}
