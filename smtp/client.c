/* SPDX-License-Identifier: ISC */
/* The client engine's session: buffers, replies, what they mean, time. */
#include "smtp/client.h"

#include <string.h>

#include "base/check.h"
#include "smtp/client_parts.h"

const char *smtp_client_closed_text(enum smtp_client_closed why)
{
        static const char *const texts[] = {
                [SMTP_CLIENT_QUITTED] = "quit",
                [SMTP_CLIENT_REFUSED] = "session refused",
                [SMTP_CLIENT_421] = "closed by the server",
                [SMTP_CLIENT_TIMEOUT] = "timeout",
                [SMTP_CLIENT_PROTOCOL] = "protocol broken",
                [SMTP_CLIENT_EARLY] = "refused before the end",
                [SMTP_CLIENT_CLEAR] = "no TLS",
                [SMTP_CLIENT_LOST] = "connection lost",
        };
        CHECK((size_t)why < sizeof texts / sizeof texts[0]);
        return texts[why];
}

static void default_ms(int64_t *ms, int64_t value)
{
        if (*ms == 0)
                *ms = value;
}

/* Positions in `queue` wrap around. */
static struct smtp_client_queued *queue_at(struct smtp_client *c, size_t i)
{
        return &c->queue[(c->queue_from + i) % SMTP_CLIENT_QUEUE_MAX];
}

static bool is_sent(struct smtp_client *c)
{
        return c->queue_n > 0 && queue_at(c, 0)->end <= c->sent;
}

/* RFC 5321 4.5.3.2 */
static int64_t time_for(const struct smtp_client_config *config, enum smtp_client_command command)
{
        switch (command) {
        case SMTP_CLIENT_GREETING:
                return config->greeting_ms;
        case SMTP_CLIENT_DATA:
                return config->data_ms;
        case SMTP_CLIENT_END:
                return config->end_ms;
        default:
                return config->command_ms;
        }
}

/* The clock of the oldest command that was sent begins now. */
static void arm(struct smtp_client *c)
{
        bool is_owed = c->state < SMTP_CLIENT_STATE_CLOSING && is_sent(c);
        c->deadline_ms = is_owed ? c->now_ms + time_for(&c->config, queue_at(c, 0)->command) : INT64_MAX;
}

void smtp_client_init(struct smtp_client *c, const struct smtp_client_config *config, int64_t now_ms)
{
        struct str hello;
        CHECK(smtp_hello_parse(config->hello, &hello) == ERR_OK);
        memset(c, 0, offsetof(struct smtp_client, in));
        c->config = *config;
        default_ms(&c->config.greeting_ms, SMTP_CLIENT_GREETING_MS);
        default_ms(&c->config.command_ms, SMTP_CLIENT_COMMAND_MS);
        default_ms(&c->config.data_ms, SMTP_CLIENT_DATA_MS);
        default_ms(&c->config.block_ms, SMTP_CLIENT_BLOCK_MS);
        default_ms(&c->config.end_ms, SMTP_CLIENT_END_MS);
        c->now_ms = now_ms;
        client_queue(c, SMTP_CLIENT_GREETING);
        arm(c);
}

enum err client_reserve(struct smtp_client *c, size_t n)
{
        if (n > SMTP_CLIENT_OUT - c->out_to && c->out_from > 0) {
                memmove(c->out, c->out + c->out_from, c->out_to - c->out_from);
                c->out_to -= c->out_from;
                c->out_from = 0;
        }
        return n > SMTP_CLIENT_OUT - c->out_to ? ERR_AGAIN : ERR_OK;
}

void client_put(struct smtp_client *c, struct str bytes)
{
        CHECK(bytes.n <= SMTP_CLIENT_OUT - c->out_to);
        if (bytes.n > 0)
                memcpy(c->out + c->out_to, bytes.p, bytes.n);
        c->out_to += bytes.n;
        c->queued += bytes.n;
}

void client_queue(struct smtp_client *c, enum smtp_client_command command)
{
        CHECK(c->queue_n < SMTP_CLIENT_QUEUE_MAX);
        struct smtp_client_queued entry = {.command = command, .end = c->queued};
        *queue_at(c, c->queue_n) = entry;
        c->queue_n++;
}

static enum smtp_client_command unqueue(struct smtp_client *c)
{
        enum smtp_client_command command = queue_at(c, 0)->command;
        c->queue_from = (c->queue_from + 1) % SMTP_CLIENT_QUEUE_MAX;
        c->queue_n--;
        arm(c);
        return command;
}

static struct str unread(const struct smtp_client *c)
{
        return str_of(c->in + c->in_from, c->in_to - c->in_from);
}

enum err client_ready(struct smtp_client *c)
{
        struct str in = unread(c);
        if (c->state >= SMTP_CLIENT_STATE_QUIT)
                return ERR_SEQUENCE;
        if (c->state == SMTP_CLIENT_STATE_HELLO || c->state == SMTP_CLIENT_STATE_DATA)
                return ERR_AGAIN;
        if (str_find_byte(in, '\n') < in.n) /* events are to be taken first */
                return ERR_AGAIN;
        if (c->queue_n == SMTP_CLIENT_QUEUE_MAX)
                return ERR_AGAIN;
        if (c->queue_n > 0 && (!c->extensions.pipelining || c->config.no_pipelining))
                return ERR_AGAIN;
        return ERR_OK;
}

static bool close_session(struct smtp_client *c, enum smtp_client_closed why,
        enum smtp_client_command command, bool is_reply_kept)
{
        c->state = SMTP_CLIENT_STATE_CLOSING;
        c->closed = why;
        c->closed_command = command;
        c->is_reply_kept = is_reply_kept;
        c->deadline_ms = INT64_MAX;
        return false;
}

static enum smtp_client_command awaited(struct smtp_client *c)
{
        return c->queue_n > 0 ? queue_at(c, 0)->command : SMTP_CLIENT_GREETING;
}

static bool close_for_protocol(struct smtp_client *c)
{
        return close_session(c, SMTP_CLIENT_PROTOCOL, awaited(c), false);
}

static void say_hello(struct smtp_client *c, enum smtp_client_command command)
{
        client_put(c, command == SMTP_CLIENT_EHLO ? S("EHLO ") : S("HELO "));
        client_put(c, c->config.hello);
        client_put(c, S("\r\n"));
        client_queue(c, command);
}

/* ehlo-line = ehlo-keyword *( SP ehlo-param ) */
static void take_extension(struct smtp_extensions *x, struct str line)
{
        struct str keyword, value;
        str_cut(line, ' ', &keyword, &value);
        if (str_eq_nocase(keyword, S("PIPELINING")))
                x->pipelining = true;
        else if (str_eq_nocase(keyword, S("8BITMIME")))
                x->mime_8bit = true;
        else if (str_eq_nocase(keyword, S("SMTPUTF8")))
                x->smtputf8 = true;
        else if (str_eq_nocase(keyword, S("CHUNKING")))
                x->chunking = true;
        else if (str_eq_nocase(keyword, S("ENHANCEDSTATUSCODES")))
                x->enhanced = true;
        else if (str_eq_nocase(keyword, S("STARTTLS")))
                x->starttls = true;
        else if (str_eq_nocase(keyword, S("SIZE"))) {
                x->size = true;
                if (str_to_u64(str_trim(value), UINT64_MAX, &x->size_max) != ERR_OK)
                        x->size_max = 0; /* as if no limit were said */
        }
}

/* The engine's own exchange. True: `*event` is filled. */
static bool after_hello(struct smtp_client *c, enum smtp_client_command command,
        const struct smtp_reply *reply, struct smtp_client_event *event)
{
        if (command == SMTP_CLIENT_GREETING && reply->code == 220) {
                say_hello(c, SMTP_CLIENT_EHLO);
                return false;
        }
        if (command == SMTP_CLIENT_EHLO && smtp_reply_is_permanent(reply)) { /* RFC 5321 3.2 */
                say_hello(c, SMTP_CLIENT_HELO);
                return false;
        }
        if (command == SMTP_CLIENT_GREETING || !smtp_reply_is_positive(reply))
                return close_session(c, SMTP_CLIENT_REFUSED, command, true);
        if (!c->is_secured && !c->is_clear && c->config.tls != SMTP_CLIENT_TLS_NEVER &&
                c->extensions.starttls) {
                client_put(c, S("STARTTLS\r\n"));
                client_queue(c, SMTP_CLIENT_STARTTLS);
                return false;
        }
        if (!c->is_secured && c->config.tls == SMTP_CLIENT_TLS_MUST)
                return close_session(c, SMTP_CLIENT_CLEAR, command, true);
        c->state = SMTP_CLIENT_STATE_IDLE;
        event->kind = SMTP_CLIENT_READY;
        event->command = command;
        event->reply = *reply;
        return true;
}

/* 220 to STARTTLS is the last that is said in the clear: what follows it in the buffer somebody else has put there. */
static bool after_starttls(
        struct smtp_client *c, const struct smtp_reply *reply, struct smtp_client_event *event)
{
        if (reply->code == 220 && unread(c).n > 0)
                return close_session(c, SMTP_CLIENT_PROTOCOL, SMTP_CLIENT_STARTTLS, false);
        if (reply->code == 220) {
                c->is_securing = true;
                c->deadline_ms = INT64_MAX;
                event->kind = SMTP_CLIENT_SECURE;
                event->command = SMTP_CLIENT_STARTTLS;
                return true;
        }
        if (reply->code < 400)
                return close_session(c, SMTP_CLIENT_PROTOCOL, SMTP_CLIENT_STARTTLS, false);
        if (c->config.tls == SMTP_CLIENT_TLS_MUST)
                return close_session(c, SMTP_CLIENT_CLEAR, SMTP_CLIENT_STARTTLS, true);
        c->is_clear = true;
        c->extensions = (struct smtp_extensions){0};
        say_hello(c, SMTP_CLIENT_EHLO);
        return false;
}

void smtp_client_secured(struct smtp_client *c, int64_t now_ms)
{
        c->now_ms = now_ms;
        if (c->state >= SMTP_CLIENT_STATE_CLOSING)
                return;
        CHECK(c->is_securing);
        c->is_securing = false;
        c->is_secured = true;
        c->extensions = (struct smtp_extensions){0};
        say_hello(c, SMTP_CLIENT_EHLO);
}

static bool tell(
        struct smtp_client_event *event, enum smtp_client_command command, const struct smtp_reply *reply)
{
        event->kind = SMTP_CLIENT_REPLY;
        event->command = command;
        event->reply = *reply;
        return true;
}

static bool after_data(struct smtp_client *c, const struct smtp_reply *reply, struct smtp_client_event *event)
{
        if (c->is_lone_dot) {
                if (reply->code == 354)
                        return close_for_protocol(c);
                c->is_lone_dot = false;
                c->state = SMTP_CLIENT_STATE_IDLE;
                return tell(event, SMTP_CLIENT_DATA, reply);
        }
        if (reply->code == 354 && c->recipients == 0) { /* RFC 2920 3.1 */
                c->is_lone_dot = true;
                client_put(c, S(".\r\n"));
                client_queue(c, SMTP_CLIENT_DATA);
                return false;
        }
        if (reply->code == 354) {
                c->state = SMTP_CLIENT_STATE_BODY;
                c->is_chunk = false;
                c->line = SMTP_CLIENT_LINE_START;
        } else if (reply->code >= 400) {
                c->state = SMTP_CLIENT_STATE_MAIL;
        } else {
                return close_for_protocol(c);
        }
        return tell(event, SMTP_CLIENT_DATA, reply);
}

/* A whole reply to the oldest command. True: `*event` is filled. */
static bool after_reply(
        struct smtp_client *c, const struct smtp_reply *reply, struct smtp_client_event *event)
{
        bool is_positive = smtp_reply_is_positive(reply);
        enum smtp_client_command command = unqueue(c);
        if (reply->code == 421)
                return close_session(c, SMTP_CLIENT_421, command, true);
        if (command <= SMTP_CLIENT_HELO)
                return after_hello(c, command, reply, event);
        if (command == SMTP_CLIENT_STARTTLS)
                return after_starttls(c, reply, event);
        if (command == SMTP_CLIENT_DATA)
                return after_data(c, reply, event);
        if (reply->code / 100 == 3)
                return close_for_protocol(c);
        if (command == SMTP_CLIENT_QUIT)
                return close_session(c, SMTP_CLIENT_QUITTED, command, true);
        if (command == SMTP_CLIENT_MAIL) {
                c->is_mail_accepted = is_positive;
                c->recipients = 0;
        }
        if (command == SMTP_CLIENT_RCPT && is_positive && c->is_mail_accepted)
                c->recipients++;
        return tell(event, command, reply);
}

/* A whole reply that nothing sent so far asked for. Only 421, and a refusal of a message that is under way, mean
 * something then. */
static bool after_early_reply(
        struct smtp_client *c, const struct smtp_reply *reply, struct smtp_client_event *event)
{
        bool in_message = c->state == SMTP_CLIENT_STATE_BODY ||
                          (c->queue_n > 0 && queue_at(c, 0)->command == SMTP_CLIENT_END);
        if (reply->code == 421)
                return close_session(c, SMTP_CLIENT_421, awaited(c), true);
        if (!in_message || reply->code < 400)
                return close_for_protocol(c);
        close_session(c, SMTP_CLIENT_EARLY, SMTP_CLIENT_END, false);
        return tell(event, SMTP_CLIENT_END, reply);
}

static enum err gather(struct smtp_client *c, const struct smtp_reply_line *line)
{
        bool is_first = c->gather.lines == 0;
        if (is_first)
                c->is_early = !is_sent(c);
        if (!is_first && !c->is_early && awaited(c) == SMTP_CLIENT_EHLO && line->code == 250)
                take_extension(&c->extensions, line->text);
        return smtp_reply_gather_line(&c->gather, line);
}

/* Take one line. False: there is none. `*has_event` as it says. */
static bool take_line(struct smtp_client *c, struct smtp_client_event *event, bool *has_event)
{
        struct smtp_reply_line line;
        struct smtp_reply reply;
        size_t used;
        enum err e = smtp_reply_line_parse(unread(c), &line, &used);
        *has_event = false;
        if (e == ERR_AGAIN)
                return false;
        if (e == ERR_OK) {
                e = gather(c, &line);
                c->in_from += used;
        }
        if (e == ERR_AGAIN)
                return true;
        if (e != ERR_OK) {
                close_for_protocol(c);
                return true;
        }
        reply = smtp_reply_gathered(&c->gather);
        *has_event = c->is_early ? after_early_reply(c, &reply, event) : after_reply(c, &reply, event);
        if (c->state < SMTP_CLIENT_STATE_CLOSING || *has_event)
                c->gather.lines = 0; /* the next line begins another reply; the text stays for the event */
        return true;
}

static bool tell_closed(struct smtp_client *c, struct smtp_client_event *event)
{
        c->state = SMTP_CLIENT_STATE_CLOSED;
        c->in_from = c->in_to = 0;
        c->queue_n = 0;
        event->kind = SMTP_CLIENT_CLOSED;
        event->command = c->closed_command;
        event->closed = c->closed;
        if (c->is_reply_kept)
                event->reply = smtp_reply_gathered(&c->gather);
        return true;
}

bool smtp_client_next(struct smtp_client *c, struct smtp_client_event *event)
{
        bool has_event = false;
        *event = (struct smtp_client_event){0};
        do {
                if (c->state == SMTP_CLIENT_STATE_CLOSED)
                        return false;
                if (c->state == SMTP_CLIENT_STATE_CLOSING)
                        return tell_closed(c, event);
                if (c->gather.lines == 0)
                        smtp_reply_gather_init(&c->gather);
        } while (take_line(c, event, &has_event) && !has_event);
        return has_event;
}

const struct smtp_extensions *smtp_client_extensions(const struct smtp_client *c)
{
        return &c->extensions;
}

size_t smtp_client_waiting(const struct smtp_client *c)
{
        return c->queue_n;
}

char *smtp_client_room(struct smtp_client *c, size_t *cap)
{
        if (c->in_from > 0) {
                memmove(c->in, c->in + c->in_from, c->in_to - c->in_from);
                c->in_to -= c->in_from;
                c->in_from = 0;
        }
        *cap = SMTP_CLIENT_IN - c->in_to;
        return c->in + c->in_to;
}

void smtp_client_got(struct smtp_client *c, size_t n, int64_t now_ms)
{
        CHECK(n <= SMTP_CLIENT_IN - c->in_to);
        c->now_ms = now_ms;
        if (c->state != SMTP_CLIENT_STATE_CLOSED)
                c->in_to += n;
}

void smtp_client_lost(struct smtp_client *c)
{
        if (c->state < SMTP_CLIENT_STATE_CLOSING)
                close_session(c, SMTP_CLIENT_LOST, awaited(c), false);
}

struct str smtp_client_pending(const struct smtp_client *c)
{
        return str_of(c->out + c->out_from, c->out_to - c->out_from);
}

void smtp_client_sent(struct smtp_client *c, size_t n, int64_t now_ms)
{
        CHECK(n <= c->out_to - c->out_from);
        bool was_sent = is_sent(c);
        c->now_ms = now_ms;
        c->sent += n;
        c->out_from += n;
        if (c->out_from == c->out_to)
                c->out_from = c->out_to = 0;
        if (!was_sent)
                arm(c);
}

int64_t smtp_client_deadline(const struct smtp_client *c)
{
        return c->deadline_ms;
}

void smtp_client_tick(struct smtp_client *c, int64_t now_ms)
{
        c->now_ms = now_ms;
        if (now_ms >= c->deadline_ms)
                close_session(c, SMTP_CLIENT_TIMEOUT, awaited(c), false);
}
