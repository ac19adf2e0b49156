/* SPDX-License-Identifier: ISC */
#include "serve/smtpd.h"

#include <stdlib.h>

#include "base/limits.h"
#include "serve/wire.h"

/* For the last words of a session that is cancelled, or that never begins. */
#define LAST_WORDS_MS 1000

struct session {
        struct host *host;
        struct wire wire;
        const struct smtpd_handler *handler;
        void *ctx;
        int64_t idle_ms;
        struct smtp_server server;
        struct smtp_server_buffers buffers;
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
        case SMTP_SERVER_MAIL:
                return s->handler->mail(s->ctx, &event->mail);
        case SMTP_SERVER_RCPT:
                return s->handler->rcpt(s->ctx, &event->rcpt);
        case SMTP_SERVER_DATA:
                return s->handler->data ? s->handler->data(s->ctx) : smtp_reply_plain(354, S("Go on"));
        default:
                return ask_end(s, event);
        }
}

/* Write what is pending. A cancelled fiber gets its last words out too, in a short time: a 250 for a message that is
 * kept must not be swallowed, or the peer sends it again. */
static enum err flush(struct session *s)
{
        struct str pending = smtp_server_pending(&s->server);
        bool is_cancelled = fiber_is_cancelled(s->host->sched);
        if (pending.n == 0)
                return ERR_OK;
        if (is_cancelled)
                fiber_shield(s->host->sched, true);
        enum err e = wire_write(&s->wire, pending, in_ms(s, is_cancelled ? LAST_WORDS_MS : s->idle_ms));
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

/* The whole handshake has the time of one command. One that fails leaves nothing that could be said. */
static void secure(struct session *s)
{
        struct tls_context *context = s->handler->secure ? s->handler->secure(s->ctx) : NULL;
        struct tls *tls = NULL;
        const char *fault = "out of memory";
        enum err e = context ? tls_accept(context, &tls) : ERR_CRYPTO;
        if (e == ERR_OK) {
                e = wire_secure(&s->wire, tls, in_ms(s, s->idle_ms), &fault);
                if (e != ERR_OK && fault[0] == '\0')
                        fault = "connection lost";
        }
        if (s->handler->secured)
                s->handler->secured(s->ctx, e == ERR_OK ? tls : NULL, e == ERR_OK ? NULL : fault);
        if (e == ERR_OK)
                smtp_server_secured(&s->server, host_now_ms(s->host));
        else
                smtp_server_lost(&s->server);
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
                return;
        }
        struct smtp_reply reply = ask(s, event);
        if (s->handler->replied)
                s->handler->replied(s->ctx, event->kind, &reply);
        smtp_server_reply(&s->server, &reply, host_now_ms(s->host));
        if (event->kind == SMTP_SERVER_END)
                flush_or_lose(s);
}

static void read_more(struct session *s)
{
        size_t cap, got = 0;
        char *room = smtp_server_room(&s->server, &cap);
        enum err e = wire_read(&s->wire, room, cap, smtp_server_deadline(&s->server), &got);
        if (e == ERR_OK) {
                smtp_server_got(&s->server, got, host_now_ms(s->host));
                return;
        }
        int64_t now_ms = host_now_ms(s->host);
        bool is_due = e == ERR_TIMEOUT && now_ms >= smtp_server_deadline(&s->server);
        if (is_due)
                smtp_server_tick(&s->server, now_ms);
        else if (e == ERR_TIMEOUT || e == ERR_CANCELLED) /* not its own deadline: our time is up */
                smtp_server_shutdown(&s->server);
        else
                smtp_server_lost(&s->server);
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

static void finish(struct session *s, enum smtp_server_closed why)
{
        bool is_refusal =
                why == SMTP_CLOSED_PROTOCOL || why == SMTP_CLOSED_LIMIT || why == SMTP_CLOSED_ERRORS;
        if (why != SMTP_CLOSED_LOST && flush(s) == ERR_OK && is_refusal)
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
                if (smtp_server_pending(&s->server).n > 0)
                        flush_or_lose(s);
                else
                        read_more(s);
        }
}

/* A few bytes into a fresh connection: they fit, so nobody waits. */
static void turn_away(struct host *h, struct host_tcp *tcp, struct str words)
{
        enum err e = host_tcp_write(h, tcp, words, host_now_ms(h) + LAST_WORDS_MS);
        (void)e; /* closed either way */
}

enum smtp_server_closed smtpd_run(struct host *h, struct host_tcp *tcp,
        const struct smtp_server_config *config, const struct smtpd_handler *handler, void *ctx)
{
        struct session *s =
                malloc(sizeof *s); /* not cleared: the engine's buffers cost no pages until they are used */
        if (!s) {
                turn_away(h, tcp, S("421 4.3.0 Out of memory, try again later\r\n"));
                return SMTP_CLOSED_REPLY;
        }
        s->host = h;
        wire_init(&s->wire, h, tcp);
        s->handler = handler;
        s->ctx = ctx;
        s->idle_ms = config->idle_ms > 0 ? config->idle_ms : SMTP_SERVER_IDLE_MS;
        smtp_server_init(&s->server, config, host_now_ms(h));
        smtp_server_lend(&s->server, &s->buffers, S(""));
        enum smtp_server_closed why = converse(s);
        wire_drop(&s->wire);
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
        config->gate->open--;
        free(c);
}

static bool begin(const struct smtpd_listen_config *config, struct scope *scope, struct host_tcp *tcp,
        const struct ip_port *peer)
{
        struct connection *c = config->gate->open < config->gate->most ? malloc(sizeof *c) : NULL;
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
        while ((e = host_accept(config->host, config->listener, FIBER_NEVER, &tcp, &peer)) == ERR_OK)
                if (!begin(config, &scope, tcp, &peer))
                        refuse(config, tcp);
        scope_join(&scope);
        return e;
}
