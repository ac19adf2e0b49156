/* SPDX-License-Identifier: ISC */
/* The text of a notice: words of its template become addresses, links and lines. */
#include "base/ascii.h"
#include "base/utf8.h"
#include "list/decide.h"
#include "list/notice_text.h"
#include "mail/build.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

static bool is_french(const struct notice_writing *g)
{
        return g->phrases == &notice_french;
}

/* NAME-word-token@domain: an address of the list, in `buffer`. */
enum err notice_address(
        const struct notice_mail *m, enum route_kind route, struct wr *buffer, struct mail_address *out)
{
        struct str word = route_word(route);
        bool has_token = route == ROUTE_CONFIRM || route == ROUTE_ACCEPT || route == ROUTE_REJECT;
        wr_str(buffer, m->list);
        if (word.n > 0) {
                wr_byte(buffer, '-');
                wr_str(buffer, word);
        }
        if (has_token) {
                wr_byte(buffer, '-');
                wr_str(buffer, m->token);
        }
        wr_byte(buffer, '@');
        wr_str(buffer, m->domain);
        if (buffer->full || (has_token && m->token.n == 0))
                return ERR_SYNTAX;
        return mail_mailbox_parse(wr_text(buffer), MAIL_UTF8, out) == ERR_OK ? ERR_OK : ERR_SYNTAX;
}

/* Words that stand for an address of the list, or for a link to one. */
static const struct {
        enum route_kind route;
        bool is_link;
} addresses[NOTICE_WORDS] = {
        [WORD_LIST] = {ROUTE_POST, false},
        [WORD_SUBSCRIBE] = {ROUTE_SUBSCRIBE, false},
        [WORD_UNSUBSCRIBE] = {ROUTE_UNSUBSCRIBE, false},
        [WORD_SUBSCRIBERS] = {ROUTE_SUBSCRIBERS, false},
        [WORD_OPTIONS] = {ROUTE_OPTIONS, false},
        [WORD_SETTINGS] = {ROUTE_SETTINGS, false},
        [WORD_HELP] = {ROUTE_HELP, false},
        [WORD_REQUEST] = {ROUTE_REQUEST, false},
        [WORD_OWNER] = {ROUTE_OWNER, false},
        [WORD_WHY] = {ROUTE_WHY, false},
        [WORD_CONFIRM] = {ROUTE_CONFIRM, true},
        [WORD_ACCEPT] = {ROUTE_ACCEPT, true},
        [WORD_REJECT] = {ROUTE_REJECT, true},
};

static void write_address(const struct notice_writing *g, enum notice_word word, struct wr *w)
{
        enum route_kind route = addresses[word].route;
        char buffer[NOTICE_ADDRESS_MAX];
        struct wr text;
        struct mail_address address;
        wr_init(&text, buffer, sizeof buffer);
        if (notice_address(g->mail, route, &text, &address) != ERR_OK)
                return;
        if (addresses[word].is_link)
                mail_mailto_write(w, &address, route_word(route));
        else
                wr_str(w, wr_text(&text));
}

void notice_word_write(const struct notice_writing *g, enum notice_word word, struct wr *w)
{
        const struct notice_mail *m = g->mail;
        struct str description = m->settings->v[SETTING_DESCRIPTION];
        if (addresses[word].route != ROUTE_NONE)
                write_address(g, word, w);
        else if (word == WORD_NAME)
                wr_str(w, m->list);
        else if (word == WORD_DESCRIPTION)
                wr_str(w, str_eq(description, S("none")) ? S("") : description);
        else if (word == WORD_DAYS)
                wr_u64(w, (uint64_t)(DECIDE_REQUEST_LIFE_MS / DAY_MS));
        else if (word == WORD_ADDRESS)
                wr_str(w, m->about.n > 0 ? m->about : m->to);
        else if (word == WORD_MESSAGE)
                wr_str(w, m->text);
}

/* Text that is not ours, without what would break a line or the charset. */
static void put_clean(struct mail_quoted_out *out, struct str text)
{
        while (text.n > 0) {
                size_t n = utf8_head(text), run = 0;
                while (n > 0 && !ascii_is_control(text.p[run])) {
                        run += n;
                        n = utf8_head(str_skip(text, run));
                }
                mail_quoted_out_write(out, str_take(text, run));
                text = str_skip(text, run);
                if (text.n > 0)
                        mail_quoted_out_write(out, n > 0 ? S(" ") : S("?"));
                text = str_skip(text, 1);
        }
}

/* ---- words of several lines ---- */

static void put(struct notice_writing *g, struct str text)
{
        mail_quoted_out_write(&g->out, text);
}

static void put_commands(struct notice_writing *g, struct str indent)
{
        struct str text = g->mail->text, line;
        while (notice_line_take(&text, &line)) {
                put(g, indent);
                put_clean(&g->out, line);
                put(g, S("\n"));
        }
}

/* "> line", as in an answer, and below it what became of it. */
static void put_outcomes(struct notice_writing *g, struct str indent)
{
        struct str text = g->mail->text, line;
        enum outcome outcome;
        enum err e;
        bool any = false;
        while ((e = outcome_line_read(&text, &outcome, &line)) != ERR_EOF) {
                if (e != ERR_OK)
                        continue;
                put(g, any ? S("\n") : S(""));
                if (line.n > 0) {
                        put(g, indent);
                        put(g, S("> "));
                        put_clean(&g->out, line);
                        put(g, S("\n"));
                }
                put(g, indent);
                put(g, outcome_text(outcome, str_of_c(g->phrases->language)));
                put(g, S(".\n"));
                any = true;
        }
}

/* "name: new (before: old)" of lines with HTABs between name, old and new. */
static void put_changes(struct notice_writing *g, struct str indent)
{
        struct str text = g->mail->text, line, name, old, new;
        while (notice_line_take(&text, &line)) {
                if (!str_cut(line, '\t', &name, &line) || !str_cut(line, '\t', &old, &new))
                        continue;
                put(g, indent);
                put_clean(&g->out, name);
                put(g, S(": "));
                put_clean(&g->out, new);
                put(g, S(" ("));
                put(g, str_of_c(g->phrases->before));
                put(g, S(": "));
                put_clean(&g->out, old);
                put(g, S(")\n"));
        }
}

/* "# meaning (values)", and below it "name: value" */
static void put_value(struct notice_writing *g, struct str indent, const struct setting *s, struct str value)
{
        put(g, indent);
        put(g, S("# "));
        put(g, str_of_c(is_french(g) ? s->help_fr : s->help));
        put(g, S(" ("));
        put(g, str_of_c(s->values));
        put(g, S(")\n"));
        put(g, indent);
        put(g, str_of_c(s->name));
        put(g, S(": "));
        put_clean(&g->out, value);
        put(g, S("\n"));
}

static void put_values(struct notice_writing *g, struct str indent)
{
        const struct notice_mail *m = g->mail;
        bool any = false;
        for (unsigned i = 0; m->kind == NOTICE_SETTINGS && i < SETTINGS; i++) {
                put(g, i > 0 ? S("\n") : S(""));
                put_value(g, indent, &settings[i], m->settings->v[i]);
        }
        for (unsigned i = 0; m->kind == NOTICE_OPTIONS && m->options && i < MEMBER_OPTIONS; i++) {
                struct str name = member_option_name((enum member_option)i);
                if (name.n == 0 || !g->phrases->options[i])
                        continue;
                put(g, any ? S("\n") : S(""));
                put(g, indent);
                put(g, S("# "));
                put(g, str_of_c(g->phrases->options[i]));
                put(g, S(" (on | off)\n"));
                put(g, indent);
                put(g, name);
                put(g, m->options[i] ? S(": on\n") : S(": off\n"));
                any = true;
        }
}

static void put_block(struct notice_writing *g, enum notice_word word, struct str indent)
{
        if (word == WORD_COMMANDS)
                put_commands(g, indent);
        else if (word == WORD_OUTCOMES)
                put_outcomes(g, indent);
        else if (word == WORD_CHANGES)
                put_changes(g, indent);
        else if (word == WORD_VALUES)
                put_values(g, indent);
}

/* ---- text ---- */

static void put_line(struct notice_writing *g, struct str line)
{
        char buffer[2 * MAIL_MAILTO_MAX];
        struct str piece;
        enum notice_word word;
        while (notice_piece_take(&line, &piece, &word) == ERR_OK) {
                struct wr value;
                wr_init(&value, buffer, sizeof buffer);
                if (word == NOTICE_WORDS)
                        put(g, piece);
                else
                        notice_word_write(g, word, &value);
                put_clean(&g->out, wr_text(&value));
        }
        put(g, S("\n"));
}

void notice_text_put(struct notice_writing *g, struct str text, struct wr *before, struct wr *after)
{
        struct str line, indent;
        bool was_nothing = false;
        mail_quoted_out_init(&g->out, before);
        while (notice_line_take(&text, &line)) {
                enum notice_word block = notice_block_of(line, &indent);
                size_t n = g->out.w->n;
                if (block == WORD_LINES)
                        mail_quoted_out_init(&g->out, after);
                else if (block != NOTICE_WORDS)
                        put_block(g, block, indent);
                else if (line.n > 0 || !was_nothing)
                        put_line(g, line);
                was_nothing = block != NOTICE_WORDS && block != WORD_LINES && g->out.w->n == n;
        }
}

void notice_mail_line(struct wr *w, struct str line)
{
        struct mail_quoted_out out;
        mail_quoted_out_init(&out, w);
        put_clean(&out, line);
        mail_quoted_out_write(&out, S("\n"));
}
