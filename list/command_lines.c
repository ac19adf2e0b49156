/* SPDX-License-Identifier: ISC */
#include "list/command_lines.h"

#include "base/ascii.h"

/* A line of a reply to what a list wrote about its settings, or a member's options. */
struct line {
        struct str whole, name, value;
        bool is_quoted;
};

static bool is_name_byte(char c)
{
        return ascii_is_alnum(c) || c == '-';
}

/* line = name *WSP (":" / "=") value; with `may_space` also: name 1*WSP value */
static bool read_line(struct str text, bool may_space, struct line *out)
{
        size_t n = 0;
        out->whole = text;
        while (n < text.n && is_name_byte(text.p[n]))
                n++;
        out->name = str_take(text, n);
        struct str rest = command_trim(str_skip(text, n));
        bool has_mark = rest.n > 0 && (rest.p[0] == ':' || rest.p[0] == '=');
        out->value = command_trim(has_mark ? str_skip(rest, 1) : rest);
        return n > 0 && (has_mark || (may_space && out->value.n > 0 && ascii_is_wsp(text.p[n])));
}

/* The lines of a text that could set something. Quoted once is what we wrote and somebody changed; quoted deeper is
 * older. Text under a mark of ours ("#") explains. */
static bool next_line(struct str *text, bool may_space, struct line *out)
{
        struct str line;
        while (command_line_next(text, &line)) {
                if (command_is_signature(line))
                        break;
                out->is_quoted = line.n > 0 && line.p[0] == '>';
                struct str plain = command_trim(str_skip(line, out->is_quoted ? 1 : 0));
                if (plain.n > 0 && plain.p[0] != '#' && plain.p[0] != '>' && read_line(plain, may_space, out))
                        return true;
        }
        *text = S("");
        return false;
}

/* A word that people or programs put in front of a colon: "Hello:", "Sent:", or a "wrote:" with nothing behind it. */
static bool is_prose(const struct line *l)
{
        return l->value.n == 0 || (l->name.p[0] >= 'A' && l->name.p[0] <= 'Z');
}

/* ---- settings ---- */

/* The header of a mail that was answered above its text: "From: ptt-settings@...", "Reply-To: ...". */
static bool is_header_field(const struct line *l, enum setting_id id)
{
        return (id == SETTING_FROM || id == SETTING_REPLY_TO) && str_find_byte(l->value, '@') < l->value.n;
}

#define FOLDED_MIN 50 /* octets of a line that a program may have folded */

/* A quoted line that says what is in force, or the first part of it up to where it was folded. */
static bool is_untouched(const struct command_input *in, const struct line *l, enum setting_id id)
{
        struct str in_force = in->in_force->v[id];
        return str_eq(in_force, l->value) || (l->whole.n >= FOLDED_MIN && str_has_prefix(in_force, l->value));
}

static void take_setting(const struct command_input *in, const struct line *l, struct commands *out)
{
        char name[32];
        struct wr lower;
        wr_init(&lower, name, sizeof name);
        wr_lower(&lower, l->name);
        const struct setting *setting = wr_end(&lower) == ERR_OK ? setting_find(wr_text(&lower)) : NULL;
        if (!setting) {
                if (!l->is_quoted && !is_prose(l))
                        commands_add_wrong(out, OUTCOME_UNKNOWN, l->whole);
                return;
        }
        enum setting_id id = (enum setting_id)(setting - settings);
        if (is_header_field(l, id) || (l->is_quoted && is_untouched(in, l, id)))
                return;
        enum err e = setting_check(setting, l->value);
        if (e != ERR_OK) {
                commands_add_wrong(out, command_fault_of(e), l->whole);
                return;
        }
        struct command *c = commands_add(out, COMMAND_SET, l->whole);
        if (c) {
                c->setting = id;
                c->value = l->value;
        }
}

/* ---- options ---- */

static void take_option(const struct command_input *in, const struct line *l, struct commands *out)
{
        enum member_option option = 0;
        (void)in;
        while (option < MEMBER_OPTIONS &&
                (member_option_name(option).n == 0 || !str_eq_nocase(l->name, member_option_name(option))))
                option++;
        bool on = str_eq_nocase(l->value, S("on")), off = str_eq_nocase(l->value, S("off"));
        if (option == MEMBER_OPTIONS) {
                if (!l->is_quoted && !is_prose(l))
                        commands_add_wrong(out, OUTCOME_UNKNOWN, l->whole);
        } else if (!on && !off) {
                commands_add_wrong(out, OUTCOME_WRONG, l->whole);
        } else {
                struct command *c = commands_add(out, COMMAND_OPTION, l->whole);
                if (c) {
                        c->option = option;
                        c->on = on;
                }
        }
}

/* ---- both ---- */

typedef void take_line(const struct command_input *in, const struct line *l, struct commands *out);

static void take_lines(
        const struct command_input *in, take_line *take, bool is_quoted, bool may_space, struct commands *out)
{
        struct str text = in->text;
        struct line l;
        while (next_line(&text, may_space, &l))
                if (l.is_quoted == is_quoted)
                        take(in, &l, out);
}

void command_read_settings(const struct command_input *in, struct commands *out)
{
        take_lines(in, take_setting, false, false, out);
        if (out->count == 0)
                take_lines(in, take_setting, true, false, out);
        if (out->count == 0)
                (void)commands_add(out, COMMAND_SHOW_SETTINGS, route_word(in->route));
}

/* The subject may hold one, too: "nomail on". */
void command_read_options(const struct command_input *in, struct commands *out)
{
        struct line l = {.is_quoted = false};
        if (read_line(command_trim(in->subject), true, &l) &&
                (str_eq_nocase(l.name, member_option_name(OPTION_NOMAIL)) ||
                        str_eq_nocase(l.name, member_option_name(OPTION_OWN_POSTS))))
                take_option(in, &l, out);
        take_lines(in, take_option, false, false, out);
        if (out->count == 0)
                take_lines(in, take_option, true, false, out);
        if (out->count == 0)
                (void)commands_add(out, COMMAND_SHOW_OPTIONS, route_word(in->route));
}
