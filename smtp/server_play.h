/* SPDX-License-Identifier: ISC */
/* Plays bytes to a server engine with a caller of fixed habits, and writes down what happened: for tests, the fuzzer
 * and the driver. The caller refuses by the local part of addresses: "refused" 550, "later" 451, "closing" 421,
 * "nodata" 451 at DATA, "atend" 554 at the end; "odd" gives a code that fits nothing. The host refuse.test is refused. */
#ifndef SMTP_SERVER_PLAY_H
#define SMTP_SERVER_PLAY_H

#include "smtp/play_text.h"
#include "smtp/server.h"

struct server_play {
        struct smtp_server *server;          /* on the heap, of its exact size */
        struct smtp_server_buffers *buffers; /* likewise */
        struct play_text events;             /* a line each */
        struct play_text output;
        struct play_text body;
        char from[SMTP_PATH_MAX];
        size_t from_n;
        bool in_mail; /* MAIL was answered 2yz, and neither END nor RESET came since */
        bool is_closed;
        bool no_tls; /* for now */
        size_t writes;
        int64_t now_ms;
};

static inline struct smtp_server_config server_play_config(void)
{
        struct smtp_extensions offer = {.pipelining = true,
                .size = true,
                .mime_8bit = true,
                .smtputf8 = true,
                .chunking = true,
                .enhanced = true};
        return (struct smtp_server_config){.hostname = S("mx.test"), .offer = offer, .message_max = 1000};
}

static inline void server_play_line(struct server_play *p, const char *what, struct str detail)
{
        play_add_c(&p->events, what);
        play_escape(&p->events, detail);
        play_add_c(&p->events, "\n");
}

static inline struct smtp_reply server_play_judge(struct str local, uint16_t detail, struct str fine)
{
        if (str_eq(local, S("refused")))
                return smtp_reply_of(550, 1, 1, S("no"));
        if (str_eq(local, S("later")))
                return smtp_reply_of(451, 2, 0, S("later"));
        if (str_eq(local, S("closing")))
                return smtp_reply_of(421, 3, 2, S("away"));
        if (str_eq(local, S("odd")))
                return smtp_reply_of(354, 0, 0, S("odd"));
        return smtp_reply_of(250, 1, detail, fine);
}

static inline struct str server_play_local(struct server_play *p)
{
        struct str local, domain;
        str_cut(str_of(p->from, p->from_n), '@', &local, &domain);
        return local;
}

static inline struct smtp_reply server_play_mail(struct server_play *p, const struct smtp_mail *mail)
{
        play_add_c(&p->events, "mail <");
        play_escape(&p->events, mail->from.mailbox);
        play_add_c(&p->events, ">");
        if (mail->params.has_size) {
                play_add_c(&p->events, " size=");
                play_add_number(&p->events, mail->params.size);
        }
        play_add_c(&p->events, mail->params.body == SMTP_BODY_8BITMIME ? " 8bit" : "");
        play_add_c(&p->events, mail->params.body == SMTP_BODY_7BIT ? " 7bit" : "");
        play_add_c(&p->events, mail->params.smtputf8 ? " utf8\n" : "\n");
        CHECK(mail->from.mailbox.n <= sizeof p->from && !p->in_mail);
        p->from_n = mail->from.mailbox.n;
        if (p->from_n > 0)
                memcpy(p->from, mail->from.mailbox.p, p->from_n);
        struct smtp_reply reply = server_play_judge(mail->from.local, 0, S("sender ok"));
        p->in_mail = smtp_reply_is_positive(&reply);
        return reply;
}

static inline struct smtp_reply server_play_end(struct server_play *p, const struct smtp_server_event *event)
{
        CHECK(p->in_mail && event->size == p->body.n);
        p->in_mail = false;
        server_play_line(p, "body ", play_str(&p->body));
        p->body.n = 0;
        play_add_c(&p->events, "end ");
        play_add_number(&p->events, event->size);
        play_add_c(&p->events, event->has_8bit ? " 8bit\n" : "\n");
        if (str_eq(server_play_local(p), S("atend")))
                return smtp_reply_of(554, 6, 0, S("not this"));
        return smtp_reply_of(250, 0, 0, S("taken"));
}

static inline void server_play_reset(struct server_play *p, enum smtp_server_reset why)
{
        static const char *const names[] = {"rset", "hello", "too large", "chunk", "closed"};
        CHECK(p->in_mail);
        p->in_mail = false;
        if (p->body.n > 0)
                server_play_line(p, "body ", play_str(&p->body));
        p->body.n = 0;
        server_play_line(p, "reset ", str_of_c(names[why]));
}

static inline struct smtp_reply server_play_answer(
        struct server_play *p, const struct smtp_server_event *event)
{
        switch (event->kind) {
        case SMTP_SERVER_CONNECT:
                server_play_line(p, "connect", S(""));
                return smtp_reply_plain(220, S("ESMTP"));
        case SMTP_SERVER_HELLO:
                server_play_line(p, event->is_extended ? "ehlo " : "helo ", event->name);
                return str_eq(event->name, S("refuse.test")) ? smtp_reply_of(550, 7, 1, S("not you"))
                                                             : smtp_reply_plain(250, S("hello"));
        case SMTP_SERVER_MAIL:
                return server_play_mail(p, &event->mail);
        case SMTP_SERVER_RCPT:
                CHECK(p->in_mail);
                play_add_c(&p->events, "rcpt <");
                play_escape(&p->events, event->rcpt.mailbox);
                play_add_c(&p->events, ">\n");
                return server_play_judge(event->rcpt.local, 5, S("recipient ok"));
        case SMTP_SERVER_DATA:
                CHECK(p->in_mail);
                server_play_line(p, "data", S(""));
                return str_eq(server_play_local(p), S("nodata")) ? smtp_reply_of(451, 3, 0, S("not now"))
                                                                 : smtp_reply_plain(354, S("go"));
        case SMTP_SERVER_STARTTLS:
                return p->no_tls ? smtp_reply_of(454, 7, 0, S("not now"))
                                 : smtp_reply_of(220, 0, 0, S("Ready for TLS"));
        case SMTP_SERVER_END:
                return server_play_end(p, event);
        default:
                CHECK(event->kind == SMTP_SERVER_CONNECT); /* no other wants a reply */
                return smtp_reply_plain(451, S(""));
        }
}

static inline void server_play_event(struct server_play *p, const struct smtp_server_event *event)
{
        CHECK(!p->is_closed);
        if (event->kind == SMTP_SERVER_BODY) {
                CHECK(p->in_mail && event->bytes.n > 0);
                play_add(&p->body, event->bytes);
        } else if (event->kind == SMTP_SERVER_SECURE) {
                CHECK(!p->in_mail && smtp_server_pending(p->server).n == 0);
                server_play_line(p, "secure", S(""));
                smtp_server_secured(p->server, p->now_ms);
        } else if (event->kind == SMTP_SERVER_RESET) {
                server_play_reset(p, event->reset);
        } else if (event->kind == SMTP_SERVER_CLOSED) {
                CHECK(!p->in_mail);
                p->is_closed = true;
                server_play_line(p, "closed ", str_of_c(smtp_server_closed_text(event->closed)));
        } else {
                struct smtp_reply reply = server_play_answer(p, event);
                smtp_server_reply(p->server, &reply, p->now_ms);
        }
}

/* Take all events and output that are there. */
static inline void server_play_drain(struct server_play *p)
{
        struct smtp_server_event event;
        for (;;) {
                while (smtp_server_next(p->server, &event))
                        server_play_event(p, &event);
                struct str pending = smtp_server_pending(p->server);
                if (pending.n == 0)
                        return;
                play_add(&p->output, pending);
                p->writes++;
                smtp_server_sent(p->server, pending.n, p->now_ms);
        }
}

/* A session that waits for a command goes on with buffers that somebody else had meanwhile. */
static inline void server_play_rest(struct server_play *p)
{
        struct str unread;
        if (!smtp_server_may_rest(p->server, &unread))
                return;
        struct play_text kept = {0};
        play_add(&kept, unread);
        smtp_server_rest(p->server);
        memset(p->buffers->in, '\n', SMTP_COMMAND_LINE_MAX);
        memset(p->buffers->out, '\n', SMTP_COMMAND_LINE_MAX);
        smtp_server_lend(p->server, p->buffers, play_str(&kept));
        play_free(&kept);
}

static inline void server_play_begin(struct server_play *p, const struct smtp_server_config *config)
{
        *p = (struct server_play){.server = malloc(sizeof *p->server), .buffers = malloc(sizeof *p->buffers)};
        CHECK(p->server != NULL && p->buffers != NULL);
        smtp_server_init(p->server, config, 0);
        smtp_server_lend(p->server, p->buffers, S(""));
        server_play_drain(p);
}

static inline void server_play_feed(struct server_play *p, struct str bytes, uint32_t *seed)
{
        while (bytes.n > 0) {
                size_t cap, n = play_piece(seed, bytes.n);
                char *room = smtp_server_room(p->server, &cap);
                CHECK(cap > 0);
                n = n < cap ? n : cap;
                memcpy(room, bytes.p, n);
                smtp_server_got(p->server, n, p->now_ms);
                bytes = str_skip(bytes, n);
                server_play_drain(p);
                server_play_rest(p);
        }
}

static inline void server_play_end_of_input(struct server_play *p)
{
        smtp_server_lost(p->server);
        server_play_drain(p);
        CHECK(p->is_closed && !p->in_mail);
}

static inline void server_play_free(struct server_play *p)
{
        free(p->server);
        free(p->buffers);
        play_free(&p->events);
        play_free(&p->output);
        play_free(&p->body);
}

#endif
