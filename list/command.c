/* SPDX-License-Identifier: ISC */
#include "list/command.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "list/command_lines.h"
#include "mail/address.h"
#include "mail/message_id.h"

static const struct str option_names[MEMBER_OPTIONS] = {
        [OPTION_NOMAIL] = {"nomail", 6},
        [OPTION_OWN_POSTS] = {"own-posts", 9},
        [OPTION_APPROVED] = {"", 0},
};

struct str member_option_name(enum member_option option)
{
        CHECK((size_t)option < MEMBER_OPTIONS);
        return option_names[option];
}

/* ---- taking lines ---- */

struct command *commands_add(struct commands *c, enum command_kind kind, struct str line)
{
        if (c->count == COMMANDS_MAX) {
                struct command *last = &c->list[COMMANDS_MAX - 1];
                *last = (struct command){
                        .kind = COMMAND_WRONG, .line = last->line, .fault = OUTCOME_TOO_MUCH};
                return NULL;
        }
        c->list[c->count] = (struct command){.kind = kind, .line = line};
        return &c->list[c->count++];
}

void commands_add_wrong(struct commands *c, enum outcome fault, struct str line)
{
        struct command *wrong = commands_add(c, COMMAND_WRONG, line);
        if (wrong)
                wrong->fault = fault;
}

bool command_line_next(struct str *text, struct str *line)
{
        if (text->n == 0)
                return false;
        (void)str_cut(*text, '\n', line, text);
        if (line->n > 0 && line->p[line->n - 1] == '\r')
                line->n--;
        return true;
}

/* White space of other programs stands for ours: U+00A0, and U+FEFF at the start of a file. */
struct str command_trim(struct str s)
{
        for (size_t before = s.n + 1; s.n < before;) {
                before = s.n;
                s = str_trim(s);
                if (str_has_prefix(s, S("\xc2\xa0")))
                        s = str_skip(s, 2);
                if (str_has_prefix(s, S("\xef\xbb\xbf")))
                        s = str_skip(s, 3);
                if (str_has_suffix_nocase(s, S("\xc2\xa0")))
                        s.n -= 2;
        }
        return s;
}

/* RFC 3676 4.3; many programs drop the space. */
bool command_is_signature(struct str line)
{
        return str_eq(line, S("-- ")) || str_eq(line, S("--"));
}

enum outcome command_fault_of(enum err e)
{
        return e == ERR_LIMIT ? OUTCOME_TOO_LONG : OUTCOME_WRONG;
}

/* An address, maybe in angle brackets. */
static bool read_address(struct str text, struct str *out)
{
        struct mail_address address;
        if (text.n > 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
                text = str_of(text.p + 1, text.n - 2);
        /* A domain may be UTF-8, but not end in what trimming takes away. */
        bool is_one =
                command_trim(text).n == text.n && mail_mailbox_parse(text, MAIL_UTF8, &address) == ERR_OK;
        *out = is_one ? text : S("");
        return is_one;
}

/* ---- words ---- */

static const struct {
        struct str word;
        enum command_kind kind;
        enum { NO_ADDRESS, MAY_ADDRESS, MUST_ADDRESS } address;
} words[] = {
        {{"join", 4}, COMMAND_JOIN, MAY_ADDRESS},
        {{"subscribe", 9}, COMMAND_JOIN, MAY_ADDRESS},
        {{"leave", 5}, COMMAND_LEAVE, MAY_ADDRESS},
        {{"unsubscribe", 11}, COMMAND_LEAVE, MAY_ADDRESS},
        {{"help", 4}, COMMAND_HELP, NO_ADDRESS},
        {{"who", 3}, COMMAND_WHO, NO_ADDRESS},
        {{"remove", 6}, COMMAND_REMOVE, MUST_ADDRESS},
        {{"ban", 3}, COMMAND_BAN, MUST_ADDRESS},
        {{"unban", 5}, COMMAND_UNBAN, MUST_ADDRESS},
};

/* command = word [ 1*WSP address ]
 *   ERR_OK         `*out` is one, or WRONG: a command's word with something wrong behind it
 *   ERR_NOT_FOUND  its first word is no command's */
static enum err read_words(struct str line, struct command *out)
{
        struct str word, rest;
        size_t space = 0;
        while (space < line.n && line.p[space] != ' ' && line.p[space] != '\t')
                space++;
        word = str_take(line, space);
        rest = command_trim(str_skip(line, space));
        *out = (struct command){.kind = COMMAND_WRONG, .line = line, .fault = OUTCOME_UNKNOWN};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (!str_eq_nocase(word, words[i].word))
                        continue;
                if (rest.n == 0 && words[i].address != MUST_ADDRESS)
                        out->kind = words[i].kind;
                else if (words[i].address != NO_ADDRESS && read_address(rest, &out->address))
                        out->kind = words[i].kind;
                else
                        out->fault = words[i].address == NO_ADDRESS ? OUTCOME_UNKNOWN : OUTCOME_NO_ADDRESS;
                return ERR_OK;
        }
        return ERR_NOT_FOUND;
}

/* Behind any number of "Re:" (RFC 5322 3.6.5). */
static struct str skip_re(struct str subject)
{
        subject = command_trim(subject);
        while (str_has_prefix_nocase(subject, S("Re:")))
                subject = command_trim(str_skip(subject, 3));
        return subject;
}

/* Behind a command in the subject the text may have more, up to its first line that is none: most often it says
 * nothing, or something to a person. */
static void read_behind_subject(struct str text, struct commands *out)
{
        struct str line;
        struct command c;
        for (size_t n = 0; n < COMMAND_LINES_MAX && command_line_next(&text, &line); n++) {
                struct str plain = command_trim(line);
                if (plain.n == 0 && out->count == 1)
                        continue;
                if (read_words(plain, &c) != ERR_OK || c.kind == COMMAND_WRONG)
                        return;
                out->list[out->count++] = c;
        }
}

static void read_request(const struct command_input *in, struct commands *out)
{
        struct str text = in->text, line, subject = skip_re(in->subject);
        struct command c;
        bool is_named = read_words(subject, &c) == ERR_OK, has_command = false;
        if (is_named && c.kind != COMMAND_WRONG) {
                out->list[out->count++] = c;
                read_behind_subject(text, out);
                return;
        }
        for (size_t n = 0; n < COMMAND_LINES_MAX && command_line_next(&text, &line); n++) {
                struct str plain = command_trim(line);
                if (command_is_signature(line) || (plain.n == 0 && has_command))
                        break;
                if (plain.n == 0 || plain.p[0] == '>')
                        continue;
                if (read_words(plain, &c) != ERR_OK)
                        c.fault = OUTCOME_UNKNOWN;
                has_command = has_command || c.kind != COMMAND_WRONG;
                out->list[out->count++] = c;
        }
        if (out->count > 0)
                return;
        if (subject.n == 0)
                (void)commands_add(out, COMMAND_HELP, route_word(in->route));
        else
                commands_add_wrong(out, is_named ? c.fault : OUTCOME_UNKNOWN, subject);
}
_Static_assert(COMMAND_LINES_MAX < COMMANDS_MAX, "lines and the subject always have room");

/* ---- the other routes ---- */

/* USER=DOMAIN: a domain has no "=". */
static enum err read_remove(const struct command_input *in, struct arena *a, struct commands *out)
{
        size_t at = str_find_last_byte(in->token, '=');
        struct command *c = commands_add(out, COMMAND_REMOVE, in->token);
        char *text = arena_alloc(a, in->token.n + 1);
        if (!text)
                return ERR_MEMORY;
        struct wr w;
        wr_init(&w, text, in->token.n + 1);
        wr_str(&w, str_take(in->token, at));
        wr_byte(&w, '@');
        wr_str(&w, str_skip(in->token, at + 1));
        if (wr_end(&w) == ERR_OK && at < in->token.n && read_address(wr_text(&w), &c->address))
                c->line = c->address;
        else
                *c = (struct command){.kind = COMMAND_WRONG, .line = in->token, .fault = OUTCOME_NO_ADDRESS};
        return ERR_OK;
}

/* Without its brackets. */
static bool is_message_id(struct str s)
{
        bool has_at = false;
        for (size_t i = 0; i < s.n; i++) {
                if (!ascii_is_graph(s.p[i]) && !ascii_is_8bit(s.p[i]))
                        return false;
                has_at = has_at || s.p[i] == '@';
        }
        return has_at && s.n <= MAIL_LINE_MAX - 2 && utf8_is_valid(s);
}

/* A Message-ID with or without brackets, alone or in a line. */
static bool find_message_id(struct str line, struct str *out)
{
        struct str id;
        struct mail_message_ids ids;
        mail_message_ids_init(&ids, line);
        while (mail_message_ids_next(&ids, &id)) {
                *out = str_of(id.p + 1, id.n - 2);
                if (is_message_id(*out))
                        return true;
        }
        for (line = command_trim(line); line.n > 0;) {
                (void)str_cut(line, ' ', out, &line);
                if (is_message_id(*out))
                        return true;
        }
        *out = S("");
        return false;
}

static void read_why(const struct command_input *in, struct commands *out)
{
        struct str text = in->text, line = skip_re(in->subject), id;
        bool is_found = find_message_id(line, &id);
        for (size_t n = 0; !is_found && n < COMMAND_LINES_MAX && command_line_next(&text, &line); n++)
                is_found = line.n > 0 && line.p[0] != '>' && find_message_id(line, &id);
        if (!is_found) {
                commands_add_wrong(out, OUTCOME_UNKNOWN, skip_re(in->subject));
                return;
        }
        struct command *c = commands_add(out, COMMAND_WHY, command_trim(line));
        c->value = id;
}

enum err commands_read(const struct command_input *in, struct arena *a, struct commands *out)
{
        static const enum command_kind plain[ROUTE_KINDS] = {
                [ROUTE_SUBSCRIBE] = COMMAND_JOIN,
                [ROUTE_UNSUBSCRIBE] = COMMAND_LEAVE,
                [ROUTE_SUBSCRIBERS] = COMMAND_WHO,
                [ROUTE_HELP] = COMMAND_HELP,
                [ROUTE_CONFIRM] = COMMAND_CONFIRM,
                [ROUTE_ACCEPT] = COMMAND_ACCEPT,
                [ROUTE_REJECT] = COMMAND_REJECT,
        };
        struct command_input cut = *in;
        cut.text = str_take(in->text, COMMAND_TEXT_MAX);
        CHECK(route_is_command(in->route));
        out->count = 0;
        switch (in->route) {
        case ROUTE_REQUEST:
                read_request(&cut, out);
                return ERR_OK;
        case ROUTE_SETTINGS:
                command_read_settings(&cut, out);
                return ERR_OK;
        case ROUTE_OPTIONS:
                command_read_options(&cut, out);
                return ERR_OK;
        case ROUTE_WHY:
                read_why(&cut, out);
                return ERR_OK;
        case ROUTE_REMOVE:
                return read_remove(&cut, a, out);
        default:
                (void)commands_add(out, plain[in->route], route_word(in->route));
                return ERR_OK;
        }
}

/* ---- what a request keeps ---- */

void command_write(struct wr *w, const struct command *command)
{
        char text[MAIL_ADDRESS_MAX + SETTING_TEXT_MAX + 64];
        struct wr line;
        wr_init(&line, text, sizeof text);
        switch (command->kind) {
        case COMMAND_REMOVE:
                wr_str(&line, S("remove "));
                break;
        case COMMAND_BAN:
                wr_str(&line, S("ban "));
                break;
        case COMMAND_UNBAN:
                wr_str(&line, S("unban "));
                break;
        default:
                CHECK(command->kind == COMMAND_SET);
                wr_str(&line, S("set "));
                wr_str(&line, str_of_c(settings[command->setting].name));
                wr_byte(&line, ' ');
                wr_str(&line, command->value);
        }
        if (command->kind != COMMAND_SET)
                wr_str(&line, command->address);
        wr_byte(&line, '\n');
        CHECK(wr_end(&line) == ERR_OK);
        wr_str(w, wr_text(&line));
}

static enum err read_kept(struct str line, struct command *out)
{
        struct str word, name, value;
        if (read_words(line, out) == ERR_OK)
                return out->kind == COMMAND_REMOVE || out->kind == COMMAND_BAN || out->kind == COMMAND_UNBAN
                               ? ERR_OK
                               : ERR_SYNTAX;
        if (!str_cut(line, ' ', &word, &name) || !str_eq(word, S("set")) ||
                !str_cut(name, ' ', &name, &value))
                return ERR_SYNTAX;
        const struct setting *setting = setting_find(name);
        if (!setting || setting_check(setting, value) != ERR_OK)
                return ERR_SYNTAX;
        *out = (struct command){.kind = COMMAND_SET,
                .line = str_skip(line, 4),
                .setting = (enum setting_id)(setting - settings),
                .value = value};
        return ERR_OK;
}

enum err commands_read_kept(struct str text, struct commands *out)
{
        const size_t before = out->count;
        struct str line;
        while (command_line_next(&text, &line)) {
                enum err e = out->count < COMMANDS_MAX ? read_kept(line, &out->list[out->count]) : ERR_LIMIT;
                if (e != ERR_OK) {
                        out->count = before;
                        return e;
                }
                out->count++;
        }
        return ERR_OK;
}
