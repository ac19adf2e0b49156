/* SPDX-License-Identifier: ISC */
/* The server's reading of a message (RFC 5321 4.1.1.4, 4.5.2): dots, line ends, size. Nothing is copied: BODY events
 * are slices of the input buffer, parted where a dot is left out. What cannot be judged yet (a CR, or a dot at the
 * head of a line) stays unread until the bytes behind it are there, so `at_line_start` is the whole state. */
#include "smtp/server_parts.h"
#include "smtp/text.h"

void server_data_begin(struct smtp_server *s, int64_t now_ms)
{
        s->state = SMTP_SERVER_STATE_DATA;
        s->at_line_start = true;
        s->has_8bit = s->has_cr = false;
        s->size = 0;
        s->dropped = 0;
        server_data_time(s, now_ms);
}

/* The longest run of message text at the head of `in`, up to `stop` at the head of a line. */
static size_t clean_run(struct str in, char stop, bool *at_line_start)
{
        size_t n = smtp_text_scan_best()(in, stop);
        if (n > 0)
                *at_line_start = in.p[n - 1] == '\n';
        return n;
}

size_t server_clean_run(struct str in, bool *at_line_start)
{
        return clean_run(in, '\0', at_line_start);
}

enum data_head {
        DATA_TEXT,  /* a run of text, `n` bytes */
        DATA_DOT,   /* a dot to leave out */
        DATA_END,   /* "." CRLF at the head of a line */
        DATA_STRAY, /* a bare CR, bare LF or NUL */
        DATA_WAIT   /* more bytes are needed */
};

static enum data_head judge_dot(struct str in)
{
        if (in.n < 2)
                return DATA_WAIT;
        if (in.p[1] != '\r')
                return in.p[1] == '\n' || in.p[1] == '\0' ? DATA_STRAY : DATA_DOT;
        if (in.n < 3)
                return DATA_WAIT;
        return in.p[2] == '\n' ? DATA_END : DATA_STRAY;
}

/* What stands at the head of the unread bytes. For DATA_TEXT `*ends_line` tells where its end leaves the reader. */
static enum data_head judge(const struct smtp_server *s, size_t *n, bool *ends_line)
{
        struct str in = server_unread(s);
        *n = 0;
        *ends_line = s->at_line_start;
        if (in.n == 0)
                return DATA_WAIT;
        if (s->at_line_start && in.p[0] == '.')
                return judge_dot(in);
        *n = clean_run(in, '.', ends_line);
        if (*n > 0)
                return DATA_TEXT;
        *ends_line = s->at_line_start;
        return in.p[0] == '\r' && in.n == 1 ? DATA_WAIT : DATA_STRAY;
}

static void take_dot(struct smtp_server *s)
{
        server_consume(s, 1);
        s->at_line_start = false;
}

enum server_step server_stray_in_message(struct smtp_server *s)
{
        server_say(s, 554, 5, 2, S("Bare CR, bare LF or NUL in the message, closing"));
        server_close(s, SMTP_CLOSED_PROTOCOL);
        return SERVER_STEP_MORE;
}

enum server_step server_end_message(struct smtp_server *s, size_t held, struct smtp_server_event *event)
{
        s->in_mail = false;
        event->size = s->size;
        event->has_8bit = s->has_8bit;
        return server_ask(s, SMTP_SERVER_END, held, event);
}

enum server_step server_give_text(
        struct smtp_server *s, struct str text, size_t held, bool ends_line, struct smtp_server_event *event)
{
        s->has_8bit = s->has_8bit || smtp_text_has_8bit(text);
        s->size += text.n;
        s->at_line_start = ends_line;
        s->in_held = held;
        event->kind = SMTP_SERVER_BODY;
        event->bytes = text;
        return SERVER_STEP_EVENT;
}

/* `n` bytes of text, or as many as the limit lets in; CR and LF are never parted. */
static enum server_step give_text(
        struct smtp_server *s, size_t n, bool ends_line, struct smtp_server_event *event)
{
        struct str text = str_take(server_unread(s), n);
        uint64_t left = s->config.message_max > 0 ? s->config.message_max - s->size : UINT64_MAX;
        if (text.n > left) {
                text = str_take(text, (size_t)left);
                if (text.n > 0 && text.p[text.n - 1] == '\r')
                        text.n--;
                ends_line = text.n > 0 ? text.p[text.n - 1] == '\n' : s->at_line_start;
        }
        if (text.n == 0) {
                server_reset(s, SMTP_RESET_TOO_LARGE);
                s->state = SMTP_SERVER_STATE_DROP;
                return SERVER_STEP_MORE;
        }
        return server_give_text(s, text, text.n, ends_line, event);
}

enum server_step server_data_step(struct smtp_server *s, struct smtp_server_event *event)
{
        size_t n;
        bool ends_line;
        switch (judge(s, &n, &ends_line)) {
        case DATA_TEXT:
                return give_text(s, n, ends_line, event);
        case DATA_DOT:
                take_dot(s);
                return SERVER_STEP_MORE;
        case DATA_END:
                return server_has_room(s) ? server_end_message(s, 3, event) : SERVER_STEP_WAIT;
        case DATA_STRAY:
                return server_stray_in_message(s);
        default:
                return SERVER_STEP_WAIT;
        }
}

static enum server_step drop_text(struct smtp_server *s, size_t n, bool ends_line)
{
        server_consume(s, n);
        s->at_line_start = ends_line;
        s->dropped += n;
        if (s->dropped <= SMTP_DROP_MAX)
                return SERVER_STEP_MORE;
        server_say(s, 552, 3, 4, S("Message too large, closing"));
        server_close(s, SMTP_CLOSED_LIMIT);
        return SERVER_STEP_MORE;
}

/* The rest of a message above the limit: read, so that the reply comes where the client looks for it. */
enum server_step server_drop_step(struct smtp_server *s, struct smtp_server_event *event)
{
        size_t n;
        bool ends_line;
        (void)event;
        switch (judge(s, &n, &ends_line)) {
        case DATA_TEXT:
                return drop_text(s, n, ends_line);
        case DATA_DOT:
                take_dot(s);
                return SERVER_STEP_MORE;
        case DATA_END:
                if (!server_has_room(s))
                        return SERVER_STEP_WAIT;
                server_consume(s, 3);
                s->state = SMTP_SERVER_STATE_COMMAND;
                server_say(s, 552, 3, 4, S("Message too large"));
                server_idle(s);
                return SERVER_STEP_MORE;
        case DATA_STRAY:
                return server_stray_in_message(s);
        default:
                return SERVER_STEP_WAIT;
        }
}
