/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include <string.h>

#include "base/check.h"
#include "smtp/server_parts.h"

/* Before a command is looked at, its reply must fit, and a last 421 behind it. */
#define REPLY_ROOM (SMTP_REPLY_WRITTEN_MAX + 512)

const char *smtp_server_closed_text(enum smtp_server_closed why)
{
        static const char *const texts[] = {
                [SMTP_CLOSED_QUIT] = "quit",
                [SMTP_CLOSED_REPLY] = "closed by us",
                [SMTP_CLOSED_TIMEOUT] = "timeout",
                [SMTP_CLOSED_CROWDED] = "room for others",
                [SMTP_CLOSED_ERRORS] = "too many errors",
                [SMTP_CLOSED_PROTOCOL] = "protocol broken",
                [SMTP_CLOSED_LIMIT] = "message without end",
                [SMTP_CLOSED_LOST] = "connection lost",
        };
        CHECK((size_t)why < sizeof texts / sizeof texts[0]);
        return texts[why];
}

void smtp_server_init(struct smtp_server *s, const struct smtp_server_config *config, int64_t now_ms)
{
        *s = (struct smtp_server){.config = *config};
        if (s->config.recipients_max == 0)
                s->config.recipients_max = SMTP_RECIPIENTS_MAX;
        if (s->config.idle_ms == 0)
                s->config.idle_ms = SMTP_SERVER_IDLE_MS;
        s->now_ms = now_ms;
        s->is_greet_due = config->greet_ms == 0;
        s->deadline_ms = now_ms + (s->is_greet_due ? s->config.idle_ms : config->greet_ms);
        s->session_end_ms = now_ms + SMTP_SERVER_SESSION_MS;
}

void smtp_server_lend(struct smtp_server *s, struct smtp_server_buffers *buffers, struct str unread)
{
        CHECK(!s->buffers && unread.n < SMTP_COMMAND_LINE_MAX);
        s->buffers = buffers;
        s->in_from = 0;
        s->in_to = unread.n;
        if (unread.n > 0)
                memcpy(buffers->in, unread.p, unread.n);
}

bool smtp_server_may_rest(const struct smtp_server *s, struct str *unread)
{
        bool is_waiting = s->state == SMTP_SERVER_STATE_START || s->state == SMTP_SERVER_STATE_COMMAND ||
                          s->state == SMTP_SERVER_STATE_SKIP || s->state == SMTP_SERVER_STATE_SECURE;
        *unread = server_unread(s);
        return is_waiting && !s->is_parked && !s->has_reset && s->in_held == 0 && s->out_from == s->out_to &&
               unread->n < SMTP_COMMAND_LINE_MAX;
}

void smtp_server_rest(struct smtp_server *s)
{
        s->buffers = NULL;
        s->in_from = s->in_to = 0;
}

struct str server_unread(const struct smtp_server *s)
{
        return str_of(s->buffers->in + s->in_from, s->in_to - s->in_from);
}

void server_consume(struct smtp_server *s, size_t n)
{
        CHECK(n <= s->in_to - s->in_from);
        s->in_from += n;
}

static void release(struct smtp_server *s)
{
        server_consume(s, s->in_held);
        s->in_held = 0;
}

bool server_has_room(const struct smtp_server *s)
{
        return SMTP_SERVER_OUT - s->out_to >= REPLY_ROOM;
}

void server_write(struct smtp_server *s, const struct smtp_reply *reply)
{
        struct wr w;
        wr_init(&w, s->buffers->out + s->out_to, SMTP_SERVER_OUT - s->out_to);
        smtp_reply_write(&w, reply, s->config.offer.enhanced);
        CHECK(wr_end(&w) == ERR_OK);
        s->out_to += w.n;
        s->refusals += reply->code >= 400;
}

void server_say(struct smtp_server *s, uint16_t code, uint16_t subject, uint16_t detail, struct str text)
{
        struct smtp_reply reply = smtp_reply_of(code, subject, detail, text);
        server_write(s, &reply);
}

void server_reset(struct smtp_server *s, enum smtp_server_reset why)
{
        if (!s->in_mail)
                return;
        s->in_mail = false;
        s->has_reset = true;
        s->reset = why;
}

void server_close(struct smtp_server *s, enum smtp_server_closed why)
{
        server_reset(s, SMTP_RESET_CLOSED);
        s->is_parked = false;
        s->state = SMTP_SERVER_STATE_CLOSING;
        s->closed = why;
}

void server_close_for_errors(struct smtp_server *s)
{
        server_say(s, 421, 7, 0, S("Too many errors or idle commands, closing"));
        server_close(s, SMTP_CLOSED_ERRORS);
}

void server_refuse(struct smtp_server *s, uint16_t code, uint16_t subject, uint16_t detail, struct str text)
{
        server_say(s, code, subject, detail, text);
        if (++s->errors >= SMTP_ERRORS_MAX)
                server_close_for_errors(s);
}

void server_idle(struct smtp_server *s)
{
        if (++s->idle_commands > SMTP_COMMANDS_IDLE_MAX && s->state < SMTP_SERVER_STATE_CLOSING)
                server_close_for_errors(s);
}

void server_data_time(struct smtp_server *s, int64_t now_ms)
{
        s->data_begin_ms = now_ms;
        s->data_got = 0;
}

enum server_step server_ask(
        struct smtp_server *s, enum smtp_server_event_kind kind, size_t held, struct smtp_server_event *event)
{
        event->kind = kind;
        event->wants_reply = true;
        s->waiting = kind;
        s->is_parked = true;
        s->in_held = held;
        return SERVER_STEP_EVENT;
}

static enum server_step start_step(struct smtp_server *s, struct smtp_server_event *event)
{
        if (!s->is_greet_due && server_unread(s).n > 0) { /* RFC 5321 4.3.1: the server speaks first */
                server_say(s, 554, 5, 1, S("You spoke before the banner, closing"));
                server_close(s, SMTP_CLOSED_PROTOCOL);
                return SERVER_STEP_MORE;
        }
        return s->is_greet_due ? server_ask(s, SMTP_SERVER_CONNECT, 0, event) : SERVER_STEP_WAIT;
}

static enum server_step closing_step(struct smtp_server *s, struct smtp_server_event *event)
{
        event->kind = SMTP_SERVER_CLOSED;
        event->closed = s->closed;
        s->state = SMTP_SERVER_STATE_CLOSED;
        s->in_from = s->in_to = 0;
        return SERVER_STEP_EVENT;
}

static enum server_step closed_step(struct smtp_server *s, struct smtp_server_event *event)
{
        (void)s;
        (void)event;
        return SERVER_STEP_WAIT;
}

/* What stands in the buffers is the clear text's: 220 leaves first, and nothing else may have come. */
static enum server_step secure_step(struct smtp_server *s, struct smtp_server_event *event)
{
        if (s->is_securing || s->out_to > s->out_from)
                return SERVER_STEP_WAIT;
        if (server_unread(s).n > 0) {
                server_say(s, 503, 5, 0, S("Bytes before TLS, closing"));
                server_close(s, SMTP_CLOSED_PROTOCOL);
                return SERVER_STEP_MORE;
        }
        s->is_securing = true;
        event->kind = SMTP_SERVER_SECURE;
        return SERVER_STEP_EVENT;
}

void smtp_server_secured(struct smtp_server *s, int64_t now_ms)
{
        if (s->state >= SMTP_SERVER_STATE_CLOSING)
                return;
        CHECK(s->is_securing);
        s->is_securing = false;
        s->is_secured = true;
        s->is_hello_done = s->is_extended = false;
        s->in_from = s->in_to = 0;
        s->state = SMTP_SERVER_STATE_COMMAND;
        s->now_ms = now_ms;
        s->deadline_ms = now_ms + s->config.idle_ms;
}

static enum server_step step(struct smtp_server *s, struct smtp_server_event *event)
{
        static enum server_step (*const steps[])(struct smtp_server *, struct smtp_server_event *) = {
                [SMTP_SERVER_STATE_START] = start_step,
                [SMTP_SERVER_STATE_COMMAND] = server_command_step,
                [SMTP_SERVER_STATE_SKIP] = server_skip_step,
                [SMTP_SERVER_STATE_DATA] = server_data_step,
                [SMTP_SERVER_STATE_DROP] = server_drop_step,
                [SMTP_SERVER_STATE_CHUNK] = server_chunk_step,
                [SMTP_SERVER_STATE_SECURE] = secure_step,
                [SMTP_SERVER_STATE_CLOSING] = closing_step,
                [SMTP_SERVER_STATE_CLOSED] = closed_step,
        };
        if (s->has_reset) {
                s->has_reset = false;
                event->kind = SMTP_SERVER_RESET;
                event->reset = s->reset;
                return SERVER_STEP_EVENT;
        }
        return steps[s->state](s, event);
}

bool smtp_server_next(struct smtp_server *s, struct smtp_server_event *event)
{
        enum server_step result;
        *event = (struct smtp_server_event){0};
        if (s->is_parked)
                return false;
        release(s);
        do {
                *event = (struct smtp_server_event){0};
                result = step(s, event);
        } while (result == SERVER_STEP_MORE);
        return result == SERVER_STEP_EVENT;
}

static bool reply_fits(enum smtp_server_event_kind kind, uint16_t code)
{
        if (code >= 400 && code <= 599)
                return true;
        if (kind == SMTP_SERVER_CONNECT || kind == SMTP_SERVER_STARTTLS)
                return code == 220;
        if (kind == SMTP_SERVER_DATA)
                return code == 354;
        return code >= 200 && code <= 299 && code != 220;
}

/* What the reply does to the session. */
static void after_reply(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms)
{
        bool is_positive = smtp_reply_is_positive(reply);
        switch (s->waiting) {
        case SMTP_SERVER_CONNECT:
                if (is_positive)
                        s->state = SMTP_SERVER_STATE_COMMAND;
                else
                        server_close(s, SMTP_CLOSED_REPLY);
                break;
        case SMTP_SERVER_HELLO:
                if (is_positive) { /* refused, it changes nothing (RFC 5321 4.1.1.1) */
                        s->is_hello_done = true;
                        server_reset(s, SMTP_RESET_HELLO);
                }
                server_idle(s);
                break;
        case SMTP_SERVER_STARTTLS:
                if (is_positive)
                        s->state = SMTP_SERVER_STATE_SECURE;
                else
                        server_idle(s);
                break;
        case SMTP_SERVER_MAIL:
                s->in_mail = is_positive;
                s->in_chunks = false;
                if (!is_positive)
                        server_idle(s);
                break;
        case SMTP_SERVER_RCPT:
                if (is_positive)
                        s->recipients++;
                else
                        server_idle(s);
                break;
        case SMTP_SERVER_DATA:
                if (reply->code == 354)
                        server_data_begin(s, now_ms);
                else
                        server_idle(s);
                break;
        case SMTP_SERVER_END:
                s->state = SMTP_SERVER_STATE_COMMAND;
                if (is_positive) {
                        s->idle_commands = s->excess = 0;
                        s->session_end_ms = now_ms + SMTP_SERVER_SESSION_MS;
                }
                break;
        default:
                CHECK(s->waiting == SMTP_SERVER_CONNECT); /* no other event wants a reply */
        }
}

/* Bytes behind DATA came while the caller thought: they are no commands, and no message before 354. */
static void answer_early(struct smtp_server *s, const struct smtp_reply *reply)
{
        if (reply->code == 354)
                server_say(s, 503, 5, 0, S("Bytes before 354, closing"));
        else
                server_write(s, reply);
        server_close(s, SMTP_CLOSED_PROTOCOL);
}

static void answer(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms)
{
        bool is_hello = s->waiting == SMTP_SERVER_HELLO && smtp_reply_is_positive(reply);
        if (is_hello)
                s->is_extended = s->is_extended_asked;
        if (is_hello || (reply->code == 220 && s->waiting == SMTP_SERVER_CONNECT))
                server_say_named(s, reply, is_hello && s->is_extended);
        else
                server_write(s, reply);
        after_reply(s, reply, now_ms);
        if (reply->code == 421 && s->state < SMTP_SERVER_STATE_CLOSING)
                server_close(s, SMTP_CLOSED_REPLY);
}

void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms)
{
        const struct smtp_reply unfit = smtp_reply_of(451, 3, 0, S("Unexpected answer from inside"));
        if (s->state >= SMTP_SERVER_STATE_CLOSING)
                return; /* closed while the caller thought: nobody hears it */
        CHECK(s->is_parked);
        if (!reply_fits(s->waiting, reply->code))
                reply = &unfit;
        s->is_parked = false;
        release(s);
        s->now_ms = now_ms;
        s->deadline_ms = now_ms + s->config.idle_ms;
        if (s->waiting == SMTP_SERVER_DATA && s->is_chunk_asked)
                server_chunk_answer(s, reply, now_ms);
        else if (s->waiting == SMTP_SERVER_DATA && server_unread(s).n > 0)
                answer_early(s, reply);
        else
                answer(s, reply, now_ms);
}

void smtp_server_shutdown(struct smtp_server *s)
{
        if (s->state >= SMTP_SERVER_STATE_CLOSING)
                return;
        server_say(s, 421, 3, 2, S("Shutting down, closing"));
        server_close(s, SMTP_CLOSED_REPLY);
}

void smtp_server_dismiss(struct smtp_server *s)
{
        if (s->state >= SMTP_SERVER_STATE_CLOSING)
                return;
        server_say(s, 421, 3, 2, S("Others wait and you are slow, closing; try again later"));
        server_close(s, SMTP_CLOSED_CROWDED);
}

uint32_t smtp_server_refusals(const struct smtp_server *s)
{
        return s->refusals;
}

char *smtp_server_room(struct smtp_server *s, size_t *cap)
{
        bool is_borrowed = s->is_parked || s->in_held > 0;
        if (!is_borrowed && s->in_from > 0) {
                memmove(s->buffers->in, s->buffers->in + s->in_from, s->in_to - s->in_from);
                s->in_to -= s->in_from;
                s->in_from = 0;
        }
        *cap = SMTP_SERVER_IN - s->in_to;
        return s->buffers->in + s->in_to;
}

/* Bytes of a message are what comes next, and each of them counts as life. */
static bool takes_message(const struct smtp_server *s)
{
        return s->state == SMTP_SERVER_STATE_DATA || s->state == SMTP_SERVER_STATE_DROP ||
               s->state == SMTP_SERVER_STATE_CHUNK;
}

bool smtp_server_is_in_message(const struct smtp_server *s)
{
        return takes_message(s) || (s->in_mail && s->in_chunks);
}

void smtp_server_got(struct smtp_server *s, size_t n, int64_t now_ms)
{
        CHECK(n <= SMTP_SERVER_IN - s->in_to);
        s->now_ms = now_ms;
        if (s->state == SMTP_SERVER_STATE_CLOSED)
                return; /* dropped */
        s->in_to += n;
        if (smtp_server_is_in_message(s))
                s->data_got += n; /* also a chunk that comes together with its command */
        if (takes_message(s))
                s->deadline_ms = now_ms + s->config.idle_ms;
}

void smtp_server_lost(struct smtp_server *s)
{
        if (s->state < SMTP_SERVER_STATE_CLOSING)
                server_close(s, SMTP_CLOSED_LOST);
}

struct str smtp_server_pending(const struct smtp_server *s)
{
        if (!s->buffers)
                return S("");
        return str_of(s->buffers->out + s->out_from, s->out_to - s->out_from);
}

void smtp_server_sent(struct smtp_server *s, size_t n, int64_t now_ms)
{
        CHECK(n <= s->out_to - s->out_from);
        s->out_from += n;
        if (s->out_from == s->out_to)
                s->out_from = s->out_to = 0;
        s->now_ms = now_ms;
        s->deadline_ms = now_ms + s->config.idle_ms;
}

int64_t smtp_server_deadline(const struct smtp_server *s)
{
        if (s->is_parked || s->state >= SMTP_SERVER_STATE_CLOSING)
                return INT64_MAX;
        int64_t data_end_ms = s->data_begin_ms + SMTP_SERVER_DATA_MS +
                              (int64_t)(s->data_got / SMTP_SERVER_DATA_RATE) * 1000;
        return smtp_server_is_in_message(s) && data_end_ms < s->deadline_ms ? data_end_ms : s->deadline_ms;
}

void smtp_server_tick(struct smtp_server *s, int64_t now_ms)
{
        s->now_ms = now_ms;
        if (now_ms < smtp_server_deadline(s))
                return;
        if (!s->is_greet_due) {
                s->is_greet_due = true;
                s->deadline_ms = now_ms + s->config.idle_ms;
                return;
        }
        server_say(s, 421, 4, 2, S("Too slow, closing"));
        server_close(s, SMTP_CLOSED_TIMEOUT);
}
