/* SPDX-License-Identifier: ISC */
#include "serve/smtpd.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "serve/wire.h"

/* For the last words of a session that is cancelled, makes room, or never begins. */
#define LAST_WORDS_MS 1000
/* Read of a command by a session without buffers, on its stack, which is to stay within a page. */
#define PIECE 1024

struct session {
        struct host *host;
        struct wire wire;
        const struct smtpd_handler *handler;
        void *ctx;
        const struct smtpd_config *config;
        int64_t idle_ms;
        struct smtpd_place place;
        uint32_t waited;              /* refusals that the client has waited for, or need not */
        union smtpd_buffers *buffers; /* NULL: the session rests */
        char *kept;                   /* `kept_n` bytes of a command that is coming, while it rests */
        size_t kept_n;
        struct smtp_server server;
};

static int64_t in_ms(const struct session *s, int64_t ms)
{
        return host_now_ms(s->host) + ms;
}

static struct smtp_reply ask_hello(struct session *s, const struct smtp_server_event *event)
{
        if (!s->handler->hello)
                return smtp_reply_plain(250, S(""));
        return s->handler->hello(s->ctx, event->is_extended, event->name);
}

static struct smtp_reply ask_tls(struct session *s)
{
        int64_t now_ms = host_now_ms(s->host);
        if (s->place.link && !smtpd_gate_takes_tls(s->config->gate, now_ms))
                return smtp_reply_of(454, 7, 0, S("No room for TLS now, try again later"));
        smtpd_place_secure(s->config->gate, &s->place, now_ms);
        return smtp_reply_of(220, 0, 0, S("Ready for TLS"));
}

static struct smtp_reply ask_data(struct session *s)
{
        if (s->place.link && !smtpd_gate_takes_message(s->config->gate, host_now_ms(s->host)))
                return smtp_reply_of(452, 3, 2, S("Too many messages at once, try again later"));
        return s->handler->data ? s->handler->data(s->ctx) : smtp_reply_plain(354, S("Go on"));
}

static struct smtp_reply ask_end(struct session *s, const struct smtp_server_event *event)
{
        struct smtpd_message message = {.size = event->size, .has_8bit = event->has_8bit};
        return s->handler->end(s->ctx, &message);
}

static struct smtp_reply ask(struct session *s, const struct smtp_server_event *event)
{
        switch (event->kind) {
        case SMTP_SERVER_CONNECT:
                return s->handler->connect ? s->handler->connect(s->ctx) : smtp_reply_plain(220, S("ESMTP"));
        case SMTP_SERVER_HELLO:
                return ask_hello(s, event);
        case SMTP_SERVER_STARTTLS:
                return ask_tls(s);
        case SMTP_SERVER_MAIL:
                return s->handler->mail(s->ctx, &event->mail);
        case SMTP_SERVER_RCPT:
                return s->handler->rcpt(s->ctx, &event->rcpt);
        case SMTP_SERVER_DATA:
                return ask_data(s);
        default:
                return ask_end(s, event);
        }
}

/* Wake from a rest; false: memory is out, and nothing can be said. */
static bool take_buffers(struct session *s)
{
        if (s->buffers)
                return true;
        s->buffers = smtpd_gate_take(s->config->gate);
        if (!s->buffers)
                return false;
        smtp_server_lend(&s->server, &s->buffers->of_session, str_of(s->kept, s->kept_n));
        free(s->kept);
        s->kept = NULL;
        s->kept_n = 0;
        return true;
}

/* What came of a command is kept in its own size: ten thousand clients may be in the middle of one. */
static void give_buffers(struct session *s)
{
        struct str unread;
        if (!s->buffers || !smtp_server_may_rest(&s->server, &unread))
                return;
        if (unread.n > 0) {
                s->kept = malloc(unread.n);
                if (!s->kept)
                        return;
                memcpy(s->kept, unread.p, unread.n);
                s->kept_n = unread.n;
        }
        smtp_server_rest(&s->server);
        smtpd_gate_give(s->config->gate, s->buffers);
        s->buffers = NULL;
}

/* Refusals behind the first ones come late, so that who tries addresses or breaks the protocol gets on slowly. A server with
 * few places left has better use for them. */
static void tarpit(struct session *s)
{
        uint32_t count = smtp_server_refusals(&s->server);
        if (s->config->tarpit_ms == 0 || count <= s->waited)
                return;
        int64_t ms = s->config->tarpit_ms * (count - s->waited);
        s->waited = count;
        if (!smtpd_gate_is_crowded(s->config->gate))
                (void)(fiber_sleep(s->host->sched, ms < SMTP_TARPIT_MAX_MS ? ms : SMTP_TARPIT_MAX_MS) ==
                        ERR_OK);
}

/* Write what is pending. A cancelled fiber gets its last words out too, in a short time: a 250 for a message that is
 * kept must not be swallowed, or the peer sends it again. So does one that makes room: others wait for its place. */
static enum err flush(struct session *s)
{
        struct str pending = smtp_server_pending(&s->server);
        if (pending.n == 0)
                return ERR_OK;
        if (!s->place.is_dismissed)
                tarpit(s);
        bool is_cancelled = fiber_is_cancelled(s->host->sched);
        bool is_brief = is_cancelled || s->place.is_dismissed;
        if (is_cancelled)
                fiber_shield(s->host->sched, true);
        enum err e = wire_write(&s->wire, pending, in_ms(s, is_brief ? LAST_WORDS_MS : s->idle_ms));
        if (is_cancelled)
                fiber_shield(s->host->sched, false);
        if (e == ERR_OK)
                smtp_server_sent(&s->server, pending.n, host_now_ms(s->host));
        return e;
}

static void flush_or_lose(struct session *s)
{
        if (flush(s) != ERR_OK)
                smtp_server_lost(&s->server);
}

static enum err handshake(struct session *s, struct tls *tls, const char **fault)
{
        give_buffers(s);
        s->place.is_idle = true;
        enum err e = wire_secure(&s->wire, tls, in_ms(s, SMTP_SERVER_TLS_MS), fault);
        s->place.is_idle = false;
        if (e != ERR_OK && (*fault)[0] == '\0')
                *fault = "connection lost";
        return e == ERR_OK && !take_buffers(s) ? ERR_MEMORY : e;
}

/* One that fails leaves nothing that could be said. */
static void secure(struct session *s)
{
        struct tls_context *context = s->handler->secure ? s->handler->secure(s->ctx) : NULL;
        struct tls *tls = NULL;
        const char *fault = "out of memory";
        enum err e = context ? tls_accept(context, &tls) : ERR_CRYPTO;
        if (e == ERR_OK)
                e = handshake(s, tls, &fault);
        if (s->handler->secured)
                s->handler->secured(s->ctx, e == ERR_OK ? tls : NULL, e == ERR_OK ? NULL : fault);
        if (e != ERR_OK) {
                smtp_server_lost(&s->server);
                return;
        }
        smtp_server_secured(&s->server, host_now_ms(s->host));
        smtpd_place_used(s->config->gate, &s->place, host_now_ms(s->host));
}

/* What brings a message nearer gives a session its place anew. */
static void note_use(struct session *s, enum smtp_server_event_kind kind, uint16_t code)
{
        int64_t now_ms = host_now_ms(s->host);
        if (code == 354)
                smtpd_place_in_message(s->config->gate, &s->place, now_ms);
        else if (kind == SMTP_SERVER_END || (kind != SMTP_SERVER_HELLO && code < 400))
                smtpd_place_used(s->config->gate, &s->place, now_ms);
}

static void act(struct session *s, const struct smtp_server_event *event)
{
        if (event->kind == SMTP_SERVER_SECURE) {
                secure(s);
                return;
        }
        if (event->kind == SMTP_SERVER_BODY) {
                s->handler->body(s->ctx, event->bytes);
                return;
        }
        if (event->kind == SMTP_SERVER_RESET) {
                if (s->handler->reset)
                        s->handler->reset(s->ctx, event->reset);
                smtpd_place_used(s->config->gate, &s->place, host_now_ms(s->host));
                return;
        }
        struct smtp_reply reply = ask(s, event);
        note_use(s, event->kind, reply.code);
        if (s->handler->replied)
                s->handler->replied(s->ctx, event->kind, &reply);
        smtp_server_reply(&s->server, &reply, host_now_ms(s->host));
        if (event->kind == SMTP_SERVER_END)
                flush_or_lose(s);
}

static void after_silence(struct session *s, enum err e)
{
        int64_t now_ms = host_now_ms(s->host);
        if (e == ERR_TIMEOUT && now_ms >= smtp_server_deadline(&s->server))
                smtp_server_tick(&s->server, now_ms);
        else if (e == ERR_TIMEOUT || e == ERR_CANCELLED) /* not its own deadline: our time is up */
                smtp_server_shutdown(&s->server);
        else
                smtp_server_lost(&s->server);
}

static void read_more(struct session *s)
{
        char piece[PIECE];
        size_t cap = sizeof piece, got = 0;
        give_buffers(s);
        bool is_resting = !s->buffers;
        char *room = is_resting ? piece : smtp_server_room(&s->server, &cap);
        s->place.is_idle = true;
        enum err e = wire_read(&s->wire, room, cap, smtp_server_deadline(&s->server), &got);
        s->place.is_idle = false;
        if (!take_buffers(s)) {
                smtp_server_lost(&s->server);
                return;
        }
        if (e != ERR_OK) {
                if (!s->place.is_dismissed)
                        after_silence(s, e);
                return;
        }
        if (is_resting)
                memcpy(smtp_server_room(&s->server, &cap), piece, got);
        smtp_server_got(&s->server, got, host_now_ms(s->host));
}

/* Closing while the peer still sends makes TCP reset the connection, and a reset may overtake our last reply: read and
 * drop until the peer falls silent or goes, within bounds. */
static void linger(struct session *s)
{
        int64_t end_ms = in_ms(s, SMTP_LINGER_MS);
        size_t cap, got, dropped = 0;
        enum err e = ERR_OK;
        while (e == ERR_OK && dropped < SMTP_LINGER_MAX && host_now_ms(s->host) < end_ms) {
                char *room = smtp_server_room(&s->server, &cap);
                e = wire_read(&s->wire, room, cap, in_ms(s, SMTP_LINGER_QUIET_MS), &got);
                if (e == ERR_OK)
                        dropped += got;
        }
}

/* Our last words, and that they are the last. */
static enum err flush_and_end(struct session *s)
{
        bool is_cancelled = fiber_is_cancelled(s->host->sched);
        enum err e = flush(s);
        if (is_cancelled)
                fiber_shield(s->host->sched, true);
        if (e == ERR_OK)
                wire_end(&s->wire, in_ms(s, LAST_WORDS_MS));
        if (is_cancelled)
                fiber_shield(s->host->sched, false);
        return e;
}

/* Who takes its time over our last words may still be asked to make room. */
static void finish(struct session *s, enum smtp_server_closed why)
{
        bool is_refusal =
                why == SMTP_CLOSED_PROTOCOL || why == SMTP_CLOSED_LIMIT || why == SMTP_CLOSED_ERRORS;
        s->place.is_idle = true;
        if (why == SMTP_CLOSED_LOST || flush_and_end(s) != ERR_OK)
                return;
        if (is_refusal && !smtpd_gate_is_crowded(s->config->gate))
                linger(s);
}

/* Events and answers, until the session is over. */
static enum smtp_server_closed converse(struct session *s)
{
        struct smtp_server_event event;
        for (;;) {
                while (smtp_server_next(&s->server, &event)) {
                        if (event.kind == SMTP_SERVER_CLOSED) {
                                finish(s, event.closed);
                                return event.closed;
                        }
                        act(s, &event);
                }
                if (smtp_server_pending(&s->server).n > 0) {
                        s->place.is_idle = true;
                        flush_or_lose(s);
                        s->place.is_idle = false;
                } else {
                        read_more(s);
                }
                if (s->place.is_dismissed && s->buffers)
                        smtp_server_dismiss(&s->server);
        }
}

/* A few bytes into a fresh connection: they fit, so nobody waits. */
static void turn_away(struct host *h, struct host_tcp *tcp, struct str words)
{
        enum err e = host_tcp_write(h, tcp, words, host_now_ms(h) + LAST_WORDS_MS);
        (void)e; /* closed either way */
}

static struct session *session_new(struct host *h, struct host_tcp *tcp, const struct smtpd_config *config)
{
        struct session *s = malloc(sizeof *s);
        if (!s)
                return NULL;
        *s = (struct session){.host = h, .config = config, .waited = SMTP_TARPIT_FREE};
        s->idle_ms = config->server.idle_ms > 0 ? config->server.idle_ms : SMTP_SERVER_IDLE_MS;
        wire_init(&s->wire, h, tcp);
        smtp_server_init(&s->server, &config->server, host_now_ms(h));
        if (take_buffers(s))
                return s;
        free(s);
        return NULL;
}

enum smtp_server_closed smtpd_run(struct host *h, struct host_tcp *tcp, const struct smtpd_config *config,
        const struct smtpd_handler *handler, void *ctx)
{
        struct session *s = session_new(h, tcp, config);
        if (!s) {
                turn_away(h, tcp, S("421 4.3.0 Out of memory, try again later\r\n"));
                return SMTP_CLOSED_REPLY;
        }
        s->handler = handler;
        s->ctx = ctx;
        if (!config->is_favoured)
                smtpd_place_enter(config->gate, &s->place, sched_current(h->sched), host_now_ms(h));
        enum smtp_server_closed why = converse(s);
        smtpd_place_leave(config->gate, &s->place);
        wire_drop(&s->wire);
        smtpd_gate_give(config->gate, s->buffers);
        free(s->kept);
        free(s);
        return why;
}

struct connection {
        const struct smtpd_listen_config *config;
        struct host_tcp *tcp;
        struct ip_port peer;
};

static void run_connection(void *arg)
{
        struct connection *c = arg;
        const struct smtpd_listen_config *config = c->config;
        config->session(config->ctx, c->tcp, &c->peer);
        host_tcp_close(config->host, c->tcp);
        if (--config->gate->open == 0)
                smtpd_gate_drop(config->gate);
        free(c);
}

static bool begin(const struct smtpd_listen_config *config, struct scope *scope, struct host_tcp *tcp,
        const struct ip_port *peer)
{
        bool is_favoured = !config->is_favoured || config->is_favoured(config->ctx, peer);
        struct connection *c = smtpd_gate_has_place(config->gate, is_favoured) ? malloc(sizeof *c) : NULL;
        if (!c)
                return false;
        *c = (struct connection){.config = config, .tcp = tcp, .peer = *peer};
        if (scope_spawn(scope, "smtpd", run_connection, c) != ERR_OK) {
                free(c);
                return false;
        }
        config->gate->open++;
        config->gate->begun++;
        return true;
}

static void refuse(const struct smtpd_listen_config *config, struct host_tcp *tcp)
{
        config->gate->refused++;
        turn_away(config->host, tcp, S("421 4.3.2 Too many connections, try again later\r\n"));
        host_tcp_close(config->host, tcp);
}

enum err smtpd_listen(const struct smtpd_listen_config *config)
{
        struct scope scope;
        struct host_tcp *tcp;
        struct ip_port peer;
        enum err e;
        scope_open(&scope, config->host->sched, FIBER_NEVER);
        while ((e = host_accept(config->host, config->listener, FIBER_NEVER, &tcp, &peer)) == ERR_OK) {
                if (!begin(config, &scope, tcp, &peer))
                        refuse(config, tcp);
                smtpd_gate_make_room(config->gate, host_now_ms(config->host));
        }
        scope_join(&scope);
        return e;
}
