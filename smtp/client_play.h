/* SPDX-License-Identifier: ISC */
/* Plays a script to a client engine and writes down what happened: for tests, the fuzzer and the driver. */
#ifndef SMTP_CLIENT_PLAY_H
#define SMTP_CLIENT_PLAY_H

#include "smtp/client.h"
#include "smtp/play_text.h"

struct client_play {
        struct smtp_client *client; /* on the heap, of its exact size */
        struct play_text events;    /* a line each */
        struct play_text output;
        bool is_held; /* what is pending is not sent */
        bool is_closed;
        int64_t now_ms;
};

static inline const char *client_play_command(enum smtp_client_command command)
{
        static const char *const names[] = {
                "greeting", "ehlo", "helo", "starttls", "mail", "rcpt", "data", "end", "rset", "quit"};
        return names[command];
}

static inline void client_play_reply(struct client_play *p, const struct smtp_reply *reply)
{
        char bytes[32];
        struct wr w;
        if (reply->code > 0) {
                wr_init(&w, bytes, sizeof bytes);
                wr_byte(&w, ' ');
                wr_u64(&w, reply->code);
                wr_byte(&w, ' ');
                smtp_enhanced_write(&w, &reply->enhanced);
                if (reply->enhanced.class > 0)
                        wr_byte(&w, ' ');
                play_add(&p->events, wr_text(&w));
                play_escape(&p->events, reply->text);
        }
        play_add_c(&p->events, "\n");
}

static inline void client_play_ready(struct client_play *p)
{
        const struct smtp_extensions *x = smtp_client_extensions(p->client);
        play_add_c(&p->events, x->pipelining ? " pipelining" : "");
        if (x->size) {
                play_add_c(&p->events, " size=");
                play_add_number(&p->events, x->size_max);
        }
        play_add_c(&p->events, x->mime_8bit ? " 8bit" : "");
        play_add_c(&p->events, x->smtputf8 ? " utf8" : "");
        play_add_c(&p->events, x->chunking ? " chunking" : "");
        play_add_c(&p->events, x->enhanced ? " enhanced\n" : "\n");
}

static inline void client_play_event(struct client_play *p, const struct smtp_client_event *event)
{
        CHECK(!p->is_closed);
        if (event->kind == SMTP_CLIENT_READY) {
                play_add_c(&p->events, "ready");
                client_play_ready(p);
        } else if (event->kind == SMTP_CLIENT_SECURE) {
                CHECK(smtp_client_pending(p->client).n == 0);
                play_add_c(&p->events, "secure\n");
                smtp_client_secured(p->client, p->now_ms);
        } else if (event->kind == SMTP_CLIENT_REPLY) {
                play_add_c(&p->events, "reply ");
                play_add_c(&p->events, client_play_command(event->command));
                client_play_reply(p, &event->reply);
        } else {
                p->is_closed = true;
                play_add_c(&p->events, "closed ");
                play_add_c(&p->events, smtp_client_closed_text(event->closed));
                play_add_c(&p->events, " at ");
                play_add_c(&p->events, client_play_command(event->command));
                client_play_reply(p, &event->reply);
        }
}

static inline void client_play_drain(struct client_play *p)
{
        struct smtp_client_event event;
        for (;;) {
                while (smtp_client_next(p->client, &event))
                        client_play_event(p, &event);
                struct str pending = smtp_client_pending(p->client);
                if (p->is_held || pending.n == 0)
                        return;
                play_add(&p->output, pending);
                smtp_client_sent(p->client, pending.n, p->now_ms);
        }
}

static inline void client_play_begin_with(struct client_play *p, const struct smtp_client_config *config)
{
        *p = (struct client_play){.client = malloc(sizeof *p->client)};
        CHECK(p->client != NULL);
        smtp_client_init(p->client, config, 0);
        client_play_drain(p);
}

static inline void client_play_begin(struct client_play *p, bool no_pipelining)
{
        struct smtp_client_config config = {.hello = S("c.test"), .no_pipelining = no_pipelining};
        client_play_begin_with(p, &config);
}

static inline void client_play_feed(struct client_play *p, struct str bytes, uint32_t *seed)
{
        while (bytes.n > 0) {
                size_t cap, n = play_piece(seed, bytes.n);
                char *room = smtp_client_room(p->client, &cap);
                CHECK(cap > 0);
                n = n < cap ? n : cap;
                memcpy(room, bytes.p, n);
                smtp_client_got(p->client, n, p->now_ms);
                bytes = str_skip(bytes, n);
                client_play_drain(p);
        }
}

/* "ADDRESS [size=N] [8bit] [7bit] [utf8]" */
static inline enum err client_play_mail(struct client_play *p, struct str text)
{
        struct smtp_mail_params params = {0};
        struct str from, word;
        str_cut(text, ' ', &from, &text);
        while (text.n > 0) {
                str_cut(text, ' ', &word, &text);
                params.has_size = params.has_size || str_has_prefix(word, S("size="));
                if (str_has_prefix(word, S("size=")))
                        CHECK(str_to_u64(str_skip(word, 5), UINT64_MAX, &params.size) == ERR_OK);
                params.body = str_eq(word, S("8bit"))   ? SMTP_BODY_8BITMIME
                              : str_eq(word, S("7bit")) ? SMTP_BODY_7BIT
                                                        : params.body;
                params.smtputf8 = params.smtputf8 || str_eq(word, S("utf8"));
        }
        return smtp_client_mail(p->client, from, &params);
}

static inline enum err client_play_body(struct client_play *p, struct str bytes)
{
        size_t used;
        enum err e;
        while ((e = smtp_client_body(p->client, bytes, &used)) == ERR_AGAIN) {
                bytes = str_skip(bytes, used);
                client_play_drain(p);
        }
        return e;
}

static inline enum err client_play_bdat(struct client_play *p, struct str size)
{
        uint64_t n = 0;
        CHECK(str_to_u64(size, UINT64_MAX, &n) == ERR_OK);
        return smtp_client_bdat(p->client, n);
}

/* One step of the caller: "mail ...", "rcpt ADDRESS", "data", "bdat SIZE", "body ESCAPED", "end", "rset", "quit", and of the test:
 * "hold" and "send" what is pending, "lost", "time MILLISECONDS". An err is written down as an event. */
static inline void client_play_do(struct client_play *p, struct str step)
{
        struct str what, rest;
        struct play_text text = {0};
        uint64_t ms = 0;
        enum err e = ERR_OK;
        str_cut(step, ' ', &what, &rest);
        play_unescape(&text, rest);
        if (str_eq(what, S("mail")))
                e = client_play_mail(p, play_str(&text));
        else if (str_eq(what, S("rcpt")))
                e = smtp_client_rcpt(p->client, play_str(&text));
        else if (str_eq(what, S("data")))
                e = smtp_client_data(p->client);
        else if (str_eq(what, S("bdat")))
                e = client_play_bdat(p, rest);
        else if (str_eq(what, S("body")))
                e = client_play_body(p, play_str(&text));
        else if (str_eq(what, S("end")))
                e = smtp_client_end(p->client);
        else if (str_eq(what, S("rset")))
                e = smtp_client_rset(p->client);
        else if (str_eq(what, S("quit")))
                e = smtp_client_quit(p->client);
        else if (str_eq(what, S("lost")))
                smtp_client_lost(p->client);
        else if (str_eq(what, S("time"))) {
                CHECK(str_to_u64(rest, INT32_MAX, &ms) == ERR_OK);
                p->now_ms += (int64_t)ms;
                smtp_client_tick(p->client, p->now_ms);
        } else {
                p->is_held = str_eq(what, S("hold"));
        }
        if (e != ERR_OK) {
                play_add(&p->events, what);
                play_add_c(&p->events, ": ");
                play_add_c(&p->events, err_text(e));
                play_add_c(&p->events, "\n");
        }
        client_play_drain(p);
        play_free(&text);
}

static inline void client_play_free(struct client_play *p)
{
        free(p->client);
        play_free(&p->events);
        play_free(&p->output);
}

#endif
