/* SPDX-License-Identifier: ISC */
/* ptt add, set, add-moderator, rem-moderator, add-subscriber, rem-subscriber, options. */
#include "app/ptt.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "list/route.h"
#include "list/setting.h"
#include "mail/address.h"

/* Checking what people wrote. */

enum err ptt_email(struct str text, char room[PTT_EMAIL_MAX], struct str *out)
{
        struct mail_address address;
        struct wr w;
        *out = S("");
        if (mail_mailbox_parse(text, MAIL_UTF8, &address) != ERR_OK)
                return ERR_SYNTAX;
        for (size_t i = 0; i < address.domain.n; i++)
                if (ascii_is_8bit(address.domain.p[i]))
                        return ERR_UNSUPPORTED;
        wr_init(&w, room, PTT_EMAIL_MAX);
        mail_address_write(&w, &address);
        if (wr_end(&w) != ERR_OK)
                return ERR_SYNTAX;
        *out = wr_text(&w);
        return ERR_OK;
}

static int check_email(struct ptt *p, struct str text, struct str *out)
{
        char room[PTT_EMAIL_MAX];
        struct str written;
        enum err err = ptt_email(text, room, &written);
        if (err == ERR_UNSUPPORTED)
                return ptt_say(EXIT_USAGE, "the domain must be in ASCII (xn--...)", text);
        if (err != ERR_OK)
                return ptt_say(EXIT_USAGE, "not an email address", text);
        return arena_copy(&p->arena, written, out) == ERR_OK ? 0 : ptt_say(1, "out of memory", S(""));
}

/* All values of a repeated option, as addresses. */
static int read_emails(struct ptt *p, const char *option, struct str **out, size_t *count)
{
        struct str text;
        *count = 0;
        *out = arena_alloc(&p->arena, OPTIONS_MAX * sizeof **out);
        if (*out == NULL)
                return ptt_say(1, "out of memory", S(""));
        while (options_nth(&p->options, option, *count, &text)) {
                int status = check_email(p, text, &(*out)[*count]);
                if (status != 0)
                        return status;
                ++*count;
        }
        return 0;
}

/* Letters and digits at both ends; `-`, `_`, `+` and single dots between. */
static bool is_list_name(struct str name)
{
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                bool is_inner = i > 0 && i + 1 < name.n;
                bool is_mark =
                        c == '-' || c == '_' || c == '+' || (c == '.' && i > 0 && name.p[i - 1] != '.');
                if (!ascii_is_alnum(c) && !(is_inner && is_mark))
                        return false;
        }
        return name.n > 0;
}

static int check_list_name(struct str name)
{
        if (name.n > LIST_NAME_MAX)
                return ptt_say(1, "a list name has at most 30 octets", name);
        if (!is_list_name(name))
                return ptt_say(1, "not a list name", name);
        if (route_is_reserved(name))
                return ptt_say(1, "the name would stand for a command address", name);
        return 0;
}

/* add */

void ptt_add_specs(struct option_spec *specs)
{
        static const struct option_spec fixed[] = {
                {"domain", 0, "D", false, "the domain of the list"},
                {"moderator", 0, "EMAIL", true, "a moderator; at least one"},
                {"subscriber", 0, "EMAIL", true, "a subscriber"},
                {"help", 0, NULL, false, "print this"},
        };
        size_t n = sizeof fixed / sizeof fixed[0];
        memcpy(specs, fixed, sizeof fixed);
        for (const struct setting *s = settings; s->name != NULL; s++) {
                CHECK(n + 1 < PTT_OPTIONS_MAX);
                specs[n++] = (struct option_spec){s->name, 0, s->values, false, s->help};
        }
        specs[n] = (struct option_spec){0};
}

static int read_settings(struct ptt *p, struct store_list_new *list)
{
        struct store_setting *given = arena_alloc(&p->arena, PTT_OPTIONS_MAX * sizeof *given);
        if (given == NULL)
                return ptt_say(1, "out of memory", S(""));
        list->settings = given;
        for (const struct setting *s = settings; s->name != NULL; s++) {
                struct str value;
                if (!options_value(&p->options, s->name, &value))
                        continue;
                if (setting_check(s, value) != ERR_OK) {
                        fprintf(stderr, "ptt: --%s is not %s\n", s->name, s->values);
                        return EXIT_USAGE;
                }
                given[list->setting_count++] = (struct store_setting){str_of_c(s->name), value};
        }
        return 0;
}

static int read_list(struct ptt *p, struct store_list_new *list)
{
        struct str *moderators, *members;
        int status = ptt_domain(p, false, &list->domain);
        if (status == 0)
                status = check_list_name(list->name);
        if (status == 0)
                status = read_emails(p, "moderator", &moderators, &list->moderator_count);
        if (status == 0)
                status = read_emails(p, "subscriber", &members, &list->member_count);
        if (status != 0)
                return status;
        list->moderators = moderators;
        list->members = members;
        return list->moderator_count > 0 ? read_settings(p, list)
                                         : ptt_say(EXIT_USAGE, "option missing", S("--moderator"));
}

int ptt_add(struct ptt *p)
{
        struct store_list_new list = {.name = p->options.arguments[1], .now_ms = host_wall_ms(p->host)};
        struct store *s;
        int64_t id;
        if (p->options.arguments_count > 2)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[2]);
        int status = read_list(p, &list);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        enum err err = store_list_add(s, &list, &id);
        store_close(s);
        if (err == ERR_EXISTS)
                return ptt_say(1, "the domain has a list of that name", list.name);
        return err == ERR_OK ? 0 : ptt_trouble(p, err);
}

/* add-..., rem-... */

/* [NAME] EMAIL... behind the image. */
static int read_change(struct ptt *p, struct str *name, struct store_roll *roll)
{
        const struct str *arguments = p->options.arguments;
        size_t at = 1;
        *name = S("");
        if (str_find_byte(arguments[1], '@') == arguments[1].n)
                *name = arguments[at++];
        size_t count = p->options.arguments_count - at;
        struct str *emails = arena_alloc(&p->arena, count * sizeof *emails);
        if (emails == NULL)
                return ptt_say(1, "out of memory", S(""));
        if (count == 0)
                return ptt_say(EXIT_USAGE, "arguments missing", S("EMAIL..."));
        for (size_t i = 0; i < count; i++) {
                int status = check_email(p, arguments[at + i], &emails[i]);
                if (status != 0)
                        return status;
        }
        roll->addresses = emails;
        roll->address_count = count;
        return 0;
}

/* The list of that name, or all of the domain. */
static enum err find_lists(
        struct ptt *p, struct store *s, struct str name, struct str domain, struct store_roll *roll)
{
        struct store_list *lists = arena_alloc(&p->arena, sizeof *lists);
        size_t count = 1;
        if (lists == NULL)
                return ERR_MEMORY;
        enum err err = name.n > 0 ? store_list_find(s, name, domain, &p->arena, lists)
                                  : store_lists(s, domain, &p->arena, &lists, &count);
        if (err == ERR_OK && count == 0)
                err = ERR_NOT_FOUND;
        int64_t *ids = arena_alloc(&p->arena, count * sizeof *ids);
        if (err == ERR_OK && ids == NULL)
                err = ERR_MEMORY;
        for (size_t i = 0; err == ERR_OK && i < count; i++)
                ids[i] = lists[i].id;
        roll->lists = ids;
        roll->list_count = count;
        return err;
}

static int change_open(
        struct ptt *p, struct store *s, struct str name, struct str domain, struct store_roll *roll)
{
        size_t changed;
        enum err err = find_lists(p, s, name, domain, roll);
        if (err == ERR_NOT_FOUND)
                return name.n > 0 ? ptt_say(1, "the domain has no list of that name", name)
                                  : ptt_say(1, "the domain has no lists", domain);
        if (err == ERR_OK)
                err = store_roll_change(s, roll, &changed);
        if (err != ERR_OK)
                return ptt_trouble(p, err);
        if (changed == 0 && (roll->change == STORE_REMOVE_MEMBER || roll->change == STORE_REMOVE_MODERATOR))
                return ptt_say(1, "nobody of that address is there", roll->addresses[0]);
        return 0;
}

static int change(struct ptt *p, enum store_change what)
{
        struct store_roll roll = {.change = what, .now_ms = host_wall_ms(p->host)};
        struct str domain, name;
        struct store *s;
        int status = ptt_domain(p, false, &domain);
        if (status == 0)
                status = read_change(p, &name, &roll);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        status = change_open(p, s, name, domain, &roll);
        store_close(s);
        return status;
}

int ptt_add_moderator(struct ptt *p)
{
        return change(p, STORE_ADD_MODERATOR);
}

int ptt_rem_moderator(struct ptt *p)
{
        return change(p, STORE_REMOVE_MODERATOR);
}

int ptt_add_subscriber(struct ptt *p)
{
        return change(p, STORE_ADD_MEMBER);
}

int ptt_rem_subscriber(struct ptt *p)
{
        return change(p, STORE_REMOVE_MEMBER);
}

/* options */

struct options_change {
        struct store_roll roll; /* one list, and who */
        unsigned clear, set;
        struct str missing; /* who is no member */
};

static enum err change_options(struct store *s, void *ctx)
{
        struct options_change *c = ctx;
        enum err err = ERR_OK;
        for (size_t i = 0; err == ERR_OK && i < c->roll.address_count; i++) {
                err = store_member_options(s, c->roll.lists[0], c->roll.addresses[i], c->clear, c->set);
                if (err == ERR_NOT_FOUND)
                        c->missing = c->roll.addresses[i];
        }
        return err;
}

/* An option of ours says `bit` when its value is `word`, and takes it away when it is the other one of on and off. */
static int read_option(
        struct ptt *p, const char *option, struct str word, unsigned bit, struct options_change *c)
{
        struct str value;
        if (!options_value(&p->options, option, &value))
                return 0;
        if (!str_eq(value, S("on")) && !str_eq(value, S("off"))) {
                fprintf(stderr, "ptt: --%s is not on | off\n", option);
                return EXIT_USAGE;
        }
        *(str_eq(value, word) ? &c->set : &c->clear) |= bit;
        return 0;
}

static int read_options(struct ptt *p, struct str *name, struct options_change *c)
{
        int status = read_change(p, name, &c->roll);
        if (status == 0)
                status = read_option(p, "nomail", S("on"), STORE_NOMAIL, c);
        if (status == 0)
                status = read_option(p, "own-posts", S("off"), STORE_NO_OWN, c);
        if (status != 0)
                return status;
        if (name->n == 0)
                return ptt_say(EXIT_USAGE, "arguments missing", S("NAME"));
        return c->set != 0 || c->clear != 0
                       ? 0
                       : ptt_say(EXIT_USAGE, "option missing", S("--nomail or --own-posts"));
}

int ptt_options(struct ptt *p)
{
        struct options_change c = {.missing = S("")};
        struct store_list list;
        struct str domain, name;
        struct store *s;
        int status = ptt_domain(p, false, &domain);
        if (status == 0)
                status = read_options(p, &name, &c);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        status = ptt_list(p, s, name, &list);
        if (status == 0) {
                c.roll.lists = &list.id;
                enum err err = store_together(s, change_options, &c);
                status = err == ERR_OK          ? 0
                         : err == ERR_NOT_FOUND ? ptt_say(1, "no subscriber of that address", c.missing)
                                                : ptt_trouble(p, err);
        }
        store_close(s);
        return status;
}

/* set */

int ptt_list(struct ptt *p, struct store *s, struct str name, struct store_list *out)
{
        struct str domain;
        int status = ptt_domain(p, false, &domain);
        if (status != 0)
                return status;
        enum err err = store_list_find(s, name, domain, &p->arena, out);
        if (err == ERR_NOT_FOUND)
                return ptt_say(1, "the domain has no list of that name", name);
        return err == ERR_OK ? 0 : ptt_trouble(p, err);
}

static int check_setting(struct str name, struct str value)
{
        const struct setting *setting = setting_find(name);
        if (setting == NULL)
                return ptt_say(EXIT_USAGE, "no setting of that name", name);
        if (setting_check(setting, value) != ERR_OK) {
                fprintf(stderr, "ptt: %s is not %s\n", setting->name, setting->values);
                return EXIT_USAGE;
        }
        return 0;
}

int ptt_set(struct ptt *p)
{
        const struct str *arguments = p->options.arguments;
        struct store *s;
        struct store_list list;
        struct str domain;
        if (p->options.arguments_count > 4)
                return ptt_say(EXIT_USAGE, "unexpected argument", arguments[4]);
        int status = ptt_domain(p, false, &domain);
        if (status == 0)
                status = check_setting(arguments[2], arguments[3]);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        status = ptt_list(p, s, arguments[1], &list);
        if (status == 0) {
                enum err err = store_setting_put(s, list.id, arguments[2], arguments[3]);
                status = err == ERR_OK ? 0 : ptt_trouble(p, err);
        }
        store_close(s);
        return status;
}
