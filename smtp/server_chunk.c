/* SPDX-License-Identifier: ISC */
/* Messages in chunks (RFC 3030 2). What is no text is judged as behind DATA, since what takes the message from here may
 * hand it on by DATA; a CR at the end of a chunk waits in `has_cr` for the LF of the next one. A refusal is said at once,
 * and the chunk's octets are dropped as they come: they are never looked at as commands. */
#include "smtp/server_parts.h"

/* Its octets have their own time: there may be no message whose time they could share. */
static void refuse_chunk(struct smtp_server *s)
{
        s->is_chunk_bad = true;
        server_data_time(s, s->now_ms);
        server_idle(s);
}

enum server_step server_bdat(
        struct smtp_server *s, struct str arguments, size_t line_n, struct smtp_server_event *event)
{
        uint64_t most = s->config.message_max;
        uint64_t so_far = s->in_mail && s->in_chunks ? s->size + s->has_cr : 0;
        if (smtp_bdat_parse(arguments, &s->chunk_left, &s->is_chunk_last) != ERR_OK) {
                server_say(
                        s, 501, 5, 4, S("Bad size of a chunk, closing")); /* what follows cannot be parted */
                server_close(s, SMTP_CLOSED_PROTOCOL);
                return SERVER_STEP_MORE;
        }
        bool is_bad = true;
        s->state = SMTP_SERVER_STATE_CHUNK;
        s->is_chunk_bad = false;
        s->is_chunk_empty = s->chunk_left == 0;
        if (!s->in_mail) {
                server_say(s, 503, 5, 1, S("MAIL first"));
        } else if (s->recipients == 0) {
                server_say(s, 554, 5, 1, S("No valid recipients"));
                server_reset(s, SMTP_RESET_CHUNK);
        } else if (most > 0 && (so_far > most || s->chunk_left > most - so_far)) {
                server_say(s, 552, 3, 4, S("Message too large"));
                server_reset(s, SMTP_RESET_TOO_LARGE);
        } else {
                is_bad = false;
        }
        if (is_bad)
                refuse_chunk(s);
        if (is_bad || s->in_chunks)
                return SERVER_STEP_MORE;
        s->is_chunk_asked = true;
        return server_ask(s, SMTP_SERVER_DATA, line_n, event);
}

void server_chunk_answer(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms)
{
        if (reply->code == 354) {
                server_data_begin(s, now_ms);
                s->state = SMTP_SERVER_STATE_CHUNK;
                s->in_chunks = true;
                return;
        }
        server_write(s, reply);
        server_reset(s, SMTP_RESET_CHUNK);
        refuse_chunk(s);
        if (reply->code == 421 && s->state < SMTP_SERVER_STATE_CLOSING)
                server_close(s, SMTP_CLOSED_REPLY);
}

static enum server_step drop_chunk(struct smtp_server *s, size_t n)
{
        server_consume(s, n);
        s->chunk_left -= n;
        s->dropped += n;
        if (s->dropped <= SMTP_DROP_MAX)
                return SERVER_STEP_MORE;
        server_say(s, 552, 3, 4, S("Message too large, closing"));
        server_close(s, SMTP_CLOSED_LIMIT);
        return SERVER_STEP_MORE;
}

/* The message is there: its last line gets what it may lack. */
static enum server_step end_message(struct smtp_server *s, struct smtp_server_event *event)
{
        uint64_t most = s->config.message_max;
        if (s->has_cr)
                return server_stray_in_message(s);
        if (!s->at_line_start && (most == 0 || s->size + 2 <= most))
                return server_give_text(s, S("\r\n"), 0, true, event);
        s->state = SMTP_SERVER_STATE_COMMAND;
        if (s->at_line_start)
                return server_end_message(s, 0, event);
        server_say(s, 552, 3, 4, S("Message too large"));
        server_reset(s, SMTP_RESET_TOO_LARGE);
        server_idle(s);
        return SERVER_STEP_MORE;
}

/* All octets of a chunk are there. */
static enum server_step end_chunk(struct smtp_server *s, struct smtp_server_event *event)
{
        if (!server_has_room(s))
                return SERVER_STEP_WAIT;
        if (s->is_chunk_last && !s->is_chunk_bad)
                return end_message(s, event);
        s->state = SMTP_SERVER_STATE_COMMAND;
        if (s->is_chunk_bad)
                return SERVER_STEP_MORE;
        server_say(s, 250, 0, 0, S("Go on"));
        if (s->is_chunk_empty)
                server_idle(s);
        return SERVER_STEP_MORE;
}

/* `in` is not empty, and of this chunk. */
static enum server_step take_text(struct smtp_server *s, struct str in, struct smtp_server_event *event)
{
        bool ends_line = s->at_line_start;
        if (s->has_cr) {
                if (in.p[0] != '\n')
                        return server_stray_in_message(s);
                s->has_cr = false;
                s->chunk_left--;
                return server_give_text(s, S("\r\n"), 1, true, event);
        }
        size_t n = server_clean_run(in, &ends_line);
        if (n > 0) {
                s->chunk_left -= n;
                return server_give_text(s, str_take(in, n), n, ends_line, event);
        }
        if (in.p[0] != '\r' || in.n > 1)
                return server_stray_in_message(s);
        if (s->chunk_left > 1)
                return SERVER_STEP_WAIT;
        s->has_cr = true;
        s->chunk_left--;
        server_consume(s, 1);
        return SERVER_STEP_MORE;
}

enum server_step server_chunk_step(struct smtp_server *s, struct smtp_server_event *event)
{
        struct str in = server_unread(s);
        in = str_take(in, s->chunk_left < in.n ? (size_t)s->chunk_left : in.n);
        if (s->chunk_left == 0)
                return end_chunk(s, event);
        if (in.n == 0)
                return SERVER_STEP_WAIT;
        return s->is_chunk_bad ? drop_chunk(s, in.n) : take_text(s, in, event);
}
