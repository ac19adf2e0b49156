/* SPDX-License-Identifier: ISC */
/* The client's commands and the message: what the caller asks to be sent. */
#include <string.h>

#include "base/check.h"
#include "smtp/client_parts.h"
#include "smtp/text.h"

/* Above the longest command that is written here: a path, its keywords and parameters. */
#define COMMAND_ROOM 512

/* The command line in `w` goes out; its reply is to come. */
static void send_command(struct smtp_client *c, enum smtp_client_command command, const struct wr *w)
{
        CHECK(wr_end(w) == ERR_OK);
        client_put(c, wr_text(w));
        client_put(c, S("\r\n"));
        client_queue(c, command);
}

static enum err ready(struct smtp_client *c)
{
        enum err e = client_ready(c);
        return e == ERR_OK ? client_reserve(c, COMMAND_ROOM + 2) : e;
}

static enum err send_word(struct smtp_client *c, enum smtp_client_command command, struct str word)
{
        char line[COMMAND_ROOM];
        struct wr w;
        enum err e = ready(c);
        if (e != ERR_OK)
                return e;
        wr_init(&w, line, sizeof line);
        wr_str(&w, word);
        send_command(c, command, &w);
        return ERR_OK;
}

static enum err judge_mail(
        const struct smtp_client *c, struct str from, const struct smtp_mail_params *params)
{
        struct smtp_path path;
        if (smtp_mailbox_parse(from, &path) != ERR_OK || smtp_path_is_postmaster(&path))
                return ERR_SYNTAX;
        if ((path.needs_smtputf8 || params->smtputf8) && !c->extensions.smtputf8)
                return ERR_UNSUPPORTED;
        if (params->body == SMTP_BODY_8BITMIME && !c->extensions.mime_8bit)
                return ERR_UNSUPPORTED;
        return ERR_OK;
}

/* Is MAIL in its place? Also after a MAIL that was refused: no transaction is open then. */
static bool is_mail_fit(const struct smtp_client *c)
{
        return c->state == SMTP_CLIENT_STATE_IDLE ||
               (c->state == SMTP_CLIENT_STATE_MAIL && c->queue_n == 0 && !c->is_mail_accepted);
}

enum err smtp_client_mail(struct smtp_client *c, struct str from, const struct smtp_mail_params *params)
{
        char line[COMMAND_ROOM];
        struct wr w;
        enum err e = client_ready(c);
        if (e == ERR_OK)
                e = is_mail_fit(c) ? judge_mail(c, from, params) : ERR_SEQUENCE;
        if (e == ERR_OK)
                e = ready(c);
        if (e != ERR_OK)
                return e;
        wr_init(&w, line, sizeof line);
        wr_str(&w, S("MAIL FROM:<"));
        wr_str(&w, from);
        wr_byte(&w, '>');
        if (params->has_size && c->extensions.size) {
                wr_str(&w, S(" SIZE="));
                wr_u64(&w, params->size);
        }
        if (params->body != SMTP_BODY_UNSAID && c->extensions.mime_8bit)
                wr_str(&w, params->body == SMTP_BODY_7BIT ? S(" BODY=7BIT") : S(" BODY=8BITMIME"));
        if (params->smtputf8)
                wr_str(&w, S(" SMTPUTF8"));
        c->state = SMTP_CLIENT_STATE_MAIL;
        send_command(c, SMTP_CLIENT_MAIL, &w);
        return ERR_OK;
}

static enum err judge_rcpt(const struct smtp_client *c, struct str to)
{
        struct smtp_path path;
        if (to.n == 0 || smtp_mailbox_parse(to, &path) != ERR_OK)
                return ERR_SYNTAX;
        return path.needs_smtputf8 && !c->extensions.smtputf8 ? ERR_UNSUPPORTED : ERR_OK;
}

enum err smtp_client_rcpt(struct smtp_client *c, struct str to)
{
        char line[COMMAND_ROOM];
        struct wr w;
        enum err e = client_ready(c);
        if (e == ERR_OK)
                e = c->state == SMTP_CLIENT_STATE_MAIL ? judge_rcpt(c, to) : ERR_SEQUENCE;
        if (e == ERR_OK)
                e = ready(c);
        if (e != ERR_OK)
                return e;
        wr_init(&w, line, sizeof line);
        wr_str(&w, S("RCPT TO:<"));
        wr_str(&w, to);
        wr_byte(&w, '>');
        send_command(c, SMTP_CLIENT_RCPT, &w);
        return ERR_OK;
}

enum err smtp_client_data(struct smtp_client *c)
{
        enum err e = client_ready(c);
        if (e != ERR_OK)
                return e;
        if (c->state != SMTP_CLIENT_STATE_MAIL || (c->queue_n == 0 && c->recipients == 0))
                return ERR_SEQUENCE;
        e = send_word(c, SMTP_CLIENT_DATA, S("DATA"));
        if (e == ERR_OK)
                c->state = SMTP_CLIENT_STATE_DATA;
        return e;
}

/* The line waits for the message behind it, and the answer is queued with the end of that. */
enum err smtp_client_bdat(struct smtp_client *c, uint64_t size)
{
        char line[COMMAND_ROOM];
        struct wr w;
        enum err e = ready(c);
        if (e == ERR_OK && (c->state != SMTP_CLIENT_STATE_MAIL || (c->queue_n == 0 && c->recipients == 0)))
                return ERR_SEQUENCE;
        if (e != ERR_OK || !c->extensions.chunking)
                return e == ERR_OK ? ERR_UNSUPPORTED : e;
        wr_init(&w, line, sizeof line);
        wr_str(&w, S("BDAT "));
        wr_u64(&w, size);
        wr_str(&w, S(" LAST\r\n"));
        client_put(c, wr_text(&w));
        c->state = SMTP_CLIENT_STATE_BODY;
        c->line = SMTP_CLIENT_LINE_START;
        c->is_chunk = true;
        c->chunk_left = size;
        return ERR_OK;
}

enum err smtp_client_rset(struct smtp_client *c)
{
        enum err e = client_ready(c);
        if (e == ERR_OK && c->state == SMTP_CLIENT_STATE_BODY)
                e = ERR_SEQUENCE;
        if (e == ERR_OK)
                e = send_word(c, SMTP_CLIENT_RSET, S("RSET"));
        if (e == ERR_OK)
                c->state = SMTP_CLIENT_STATE_IDLE;
        return e;
}

enum err smtp_client_quit(struct smtp_client *c)
{
        enum err e = client_ready(c);
        if (e == ERR_OK && c->state == SMTP_CLIENT_STATE_BODY)
                e = ERR_SEQUENCE;
        if (e == ERR_OK)
                e = send_word(c, SMTP_CLIENT_QUIT, S("QUIT"));
        if (e == ERR_OK)
                c->state = SMTP_CLIENT_STATE_QUIT;
        return e;
}

/* The text at the head of `in` that can be sent as it is, up to `stop` at the head of a line. `*line` tells where it
 * leaves the line. */
static size_t plain_run(struct str in, char stop, enum smtp_client_line *line)
{
        size_t n = smtp_text_scan_best()(in, stop);
        if (n > 0)
                *line = in.p[n - 1] == '\n' ? SMTP_CLIENT_LINE_START : SMTP_CLIENT_LINE_MIDDLE;
        return n;
}

/* What one turn of smtp_client_body takes off `in`; 0: a stray. At least three bytes of output are free. */
static size_t take_body(struct smtp_client *c, struct str in)
{
        if (c->line == SMTP_CLIENT_LINE_CR) {
                if (in.p[0] != '\n')
                        return 0;
                client_put(c, S("\r\n"));
                c->line = SMTP_CLIENT_LINE_START;
                return 1;
        }
        if (in.p[0] == '\r' && in.n == 1) {
                c->line = SMTP_CLIENT_LINE_CR;
                return 1;
        }
        bool has_dot =
                !c->is_chunk && c->line == SMTP_CLIENT_LINE_START && in.p[0] == '.'; /* RFC 5321 4.5.2 */
        size_t room = SMTP_CLIENT_OUT - c->out_to - has_dot;
        size_t n = plain_run(str_take(in, room), c->is_chunk ? '\0' : '.', &c->line);
        client_put(c, str_take(S("."), has_dot && n > 0));
        client_put(c, str_take(in, n));
        return n;
}

enum err smtp_client_body(struct smtp_client *c, struct str bytes, size_t *used)
{
        *used = 0;
        if (c->state != SMTP_CLIENT_STATE_BODY)
                return ERR_SEQUENCE;
        if (c->line == SMTP_CLIENT_LINE_BROKEN)
                return ERR_SYNTAX;
        if (c->is_chunk && bytes.n > c->chunk_left)
                return ERR_SEQUENCE;
        while (*used < bytes.n) {
                if (client_reserve(c, 3) != ERR_OK)
                        return ERR_AGAIN;
                size_t n = take_body(c, str_skip(bytes, *used));
                if (n == 0) {
                        c->line = SMTP_CLIENT_LINE_BROKEN;
                        return ERR_SYNTAX;
                }
                *used += n;
                c->chunk_left -= c->is_chunk ? n : 0;
        }
        return ERR_OK;
}

enum err smtp_client_end(struct smtp_client *c)
{
        if (c->state != SMTP_CLIENT_STATE_BODY)
                return ERR_SEQUENCE;
        if (c->line == SMTP_CLIENT_LINE_CR || c->line == SMTP_CLIENT_LINE_BROKEN)
                return ERR_SYNTAX;
        if (c->is_chunk && c->chunk_left > 0)
                return ERR_SEQUENCE;
        if (c->is_chunk && c->line != SMTP_CLIENT_LINE_START)
                return ERR_SYNTAX;
        enum err e = client_reserve(c, 5);
        if (e != ERR_OK)
                return e;
        if (!c->is_chunk)
                client_put(c, c->line == SMTP_CLIENT_LINE_MIDDLE ? S("\r\n.\r\n") : S(".\r\n"));
        client_queue(c, SMTP_CLIENT_END);
        c->state = SMTP_CLIENT_STATE_IDLE;
        return ERR_OK;
}
