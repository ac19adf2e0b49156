/* SPDX-License-Identifier: ISC */
#include "serve/smtp_out.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "serve/smtp_out_parts.h"

/* For what the server may have said before it hung up, when a write failed; for its word on a message that it has,
 * when the fiber is cancelled. */
#define LAST_WORDS_MS 1000

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

enum err smtp_out_fail(struct smtp_out *o, enum err e)
{
        o->fault = e;
        smtp_out_close(o);
        return e;
}

enum err smtp_out_flush(struct smtp_out *o)
{
        struct str pending = smtp_client_pending(&o->client);
        if (pending.n == 0 || o->is_write_dead)
                return ERR_OK;
        int64_t now_ms = host_now_ms(o->host);
        enum err e = wire_write(&o->wire, pending, earlier(now_ms + o->block_ms, o->limit_ms));
        if (e == ERR_CLOSED) {
                o->is_write_dead = true;
                o->limit_ms = earlier(o->limit_ms, now_ms + LAST_WORDS_MS);
                return ERR_OK;
        }
        if (e == ERR_OK)
                smtp_client_sent(&o->client, pending.n, host_now_ms(o->host));
        return e;
}

static enum err read_more(struct smtp_out *o)
{
        size_t cap, got = 0;
        char *room = smtp_client_room(&o->client, &cap);
        int64_t deadline_ms = earlier(smtp_client_deadline(&o->client), o->limit_ms);
        enum err e = wire_read(&o->wire, room, cap, deadline_ms, &got);
        if (e == ERR_OK)
                smtp_client_got(&o->client, got, host_now_ms(o->host));
        if (o->is_write_dead && e == ERR_TIMEOUT)
                e = ERR_CLOSED;
        if (e == ERR_EOF || e == ERR_CLOSED) {
                o->lost = e;
                smtp_client_lost(&o->client);
                return ERR_OK; /* CLOSED tells */
        }
        return e;
}

/* The handshake has the time of one command.
 *   ERR_OK, ERR_TIMEOUT, ERR_CANCELLED, ERR_CRYPTO, ERR_UNSUPPORTED */
static enum err secure(struct smtp_out *o)
{
        struct tls *tls = NULL;
        int64_t limit_ms = earlier(host_now_ms(o->host) + SMTP_CLIENT_COMMAND_MS, o->limit_ms);
        enum err e = o->tls ? tls_connect(o->tls, &o->expect, &tls) : ERR_CRYPTO;
        if (e == ERR_UNSUPPORTED)
                return e;
        if (e != ERR_OK) {
                o->tls_fault = "no session of TLS could be made";
                return ERR_CRYPTO;
        }
        e = wire_secure(&o->wire, tls, limit_ms, &o->tls_fault);
        if (e == ERR_OK) {
                smtp_client_secured(&o->client, host_now_ms(o->host));
                return ERR_OK;
        }
        if (e == ERR_TIMEOUT || e == ERR_CANCELLED)
                return e;
        if (o->tls_fault[0] == '\0')
                o->tls_fault = "the server hung up";
        return ERR_CRYPTO;
}

/* Write and read until an event is there.
 *   ERR_OK, ERR_TIMEOUT, ERR_CANCELLED, ERR_CRYPTO */
static enum err next_event(struct smtp_out *o, struct smtp_client_event *event)
{
        enum err e = ERR_OK;
        while (e == ERR_OK) {
                bool is_there = smtp_client_next(&o->client, event);
                if (is_there && event->kind != SMTP_CLIENT_SECURE)
                        return ERR_OK;
                e = is_there ? secure(o) : smtp_out_flush(o);
                if (e == ERR_OK && !is_there)
                        e = read_more(o);
        }
        return e;
}

static enum err err_of_closed(const struct smtp_out *o, enum smtp_client_closed why)
{
        switch (why) {
        case SMTP_CLIENT_PROTOCOL:
                return ERR_SYNTAX;
        case SMTP_CLIENT_TIMEOUT:
                return ERR_TIMEOUT;
        case SMTP_CLIENT_LOST:
                return o->lost;
        default:
                return ERR_CLOSED;
        }
}

/* An event came, or `e` instead of one. One that ends the session is an answer all the same; later calls get
 * ERR_CLOSED.
 *   ERR_OK, or what ended the session */
static enum err judge_event(struct smtp_out *o, enum err e, struct smtp_client_event *event)
{
        if (e != ERR_OK)
                return smtp_out_fail(o, e);
        if (event->kind != SMTP_CLIENT_CLOSED)
                return ERR_OK;
        e = smtp_out_fail(o, err_of_closed(o, event->closed));
        return event->reply.code > 0 ? ERR_OK : e;
}

enum err smtp_out_take(struct smtp_out *o, struct smtp_reply *reply)
{
        struct smtp_client_event event;
        enum err e = judge_event(o, next_event(o, &event), &event);
        if (e == ERR_OK)
                *reply = event.reply;
        return e;
}

enum err smtp_out_take_verdict(struct smtp_out *o, struct smtp_reply *reply)
{
        struct smtp_client_event event;
        enum err e = next_event(o, &event);
        if (e == ERR_CANCELLED && smtp_client_pending(&o->client).n == 0) {
                o->limit_ms = earlier(o->limit_ms, host_now_ms(o->host) + LAST_WORDS_MS);
                fiber_shield(o->host->sched, true);
                e = next_event(o, &event);
                fiber_shield(o->host->sched, false);
        }
        e = judge_event(o, e, &event);
        if (e == ERR_OK)
                *reply = event.reply;
        return e;
}

/* One command was given, with `e`; now its answer. */
static enum err answer(struct smtp_out *o, enum err e, struct smtp_reply *reply)
{
        *reply = (struct smtp_reply){0};
        if (o->fault != ERR_OK)
                return o->fault;
        if (e != ERR_OK && e != ERR_AGAIN) /* ERR_AGAIN: the server spoke unasked, and that comes first */
                return e == ERR_SYNTAX ? ERR_UNSUPPORTED : e;
        return smtp_out_take(o, reply);
}

static int64_t or_default(int64_t ms, int64_t value)
{
        return ms > 0 ? ms : value;
}

enum err smtp_out_open(
        struct smtp_out *o, struct host *h, const struct smtp_out_config *config, struct smtp_reply *reply)
{
        memset(o, 0, offsetof(struct smtp_out, client));
        o->host = h;
        o->block_ms = or_default(config->client.block_ms, SMTP_CLIENT_BLOCK_MS);
        o->limit_ms = FIBER_NEVER;
        o->fault = o->lost = ERR_OK;
        o->is_write_dead = o->is_early = false;
        o->tls = config->tls;
        o->expect = config->expect;
        o->tls_fault = "";
        o->texts_n = 0;
        *reply = (struct smtp_reply){0};
        int64_t connect_ms = or_default(config->connect_ms, SMTP_CLIENT_CONNECT_MS);
        struct host_tcp *tcp = NULL;
        enum err e = host_connect(h, &config->to, host_now_ms(h) + connect_ms, &tcp);
        wire_init(&o->wire, h, e == ERR_OK ? tcp : NULL);
        smtp_client_init(&o->client, &config->client, host_now_ms(h));
        if (e != ERR_OK) {
                o->fault = e;
                return e;
        }
        e = smtp_out_take(o, reply);
        return e == ERR_OK && o->fault != ERR_OK ? ERR_DENIED : e;
}

enum err smtp_out_mail(
        struct smtp_out *o, struct str from, const struct smtp_mail_params *params, struct smtp_reply *reply)
{
        return answer(o, smtp_client_mail(&o->client, from, params), reply);
}

enum err smtp_out_rcpt(struct smtp_out *o, struct str to, struct smtp_reply *reply)
{
        return answer(o, smtp_client_rcpt(&o->client, to), reply);
}

enum err smtp_out_data(struct smtp_out *o, struct smtp_reply *reply)
{
        return answer(o, smtp_client_data(&o->client), reply);
}

enum err smtp_out_rset(struct smtp_out *o, struct smtp_reply *reply)
{
        return answer(o, smtp_client_rset(&o->client), reply);
}

/* The server answered before the end, or the session ended. */
static enum err take_early(struct smtp_out *o)
{
        enum err e = smtp_out_take(o, &o->early);
        o->is_early = e == ERR_OK;
        return e;
}

enum err smtp_out_bdat(struct smtp_out *o, uint64_t size)
{
        if (o->fault != ERR_OK)
                return o->fault;
        enum err e = smtp_client_bdat(&o->client, size);
        return e == ERR_AGAIN ? take_early(o) : e; /* the server spoke unasked */
}

enum err smtp_out_body(struct smtp_out *o, struct str bytes)
{
        while (!o->is_early) {
                size_t used;
                if (o->fault != ERR_OK)
                        return o->fault;
                enum err e = smtp_client_body(&o->client, bytes, &used);
                bytes = str_skip(bytes, used);
                if (e == ERR_SYNTAX)
                        return smtp_out_fail(
                                o, e); /* it cannot be ended: hang up, and the server has nothing */
                if (e != ERR_AGAIN)
                        return e;
                e = smtp_out_flush(o);
                if (e != ERR_OK)
                        return smtp_out_fail(o, e);
                if (o->is_write_dead)
                        return take_early(o);
        }
        return ERR_OK;
}

enum err smtp_out_give_end(struct smtp_out *o)
{
        enum err e;
        while ((e = smtp_client_end(&o->client)) == ERR_AGAIN && !o->is_write_dead) {
                e = smtp_out_flush(o);
                if (e != ERR_OK)
                        return e;
        }
        return e == ERR_AGAIN ? ERR_OK : e;
}

enum err smtp_out_end(struct smtp_out *o, struct smtp_reply *reply)
{
        *reply = (struct smtp_reply){0};
        if (o->is_early) {
                *reply = o->early;
                o->is_early = false;
                smtp_out_fail(o, ERR_CLOSED);
                return ERR_OK;
        }
        if (o->fault != ERR_OK)
                return o->fault;
        enum err e = smtp_out_give_end(o);
        if (e == ERR_SEQUENCE)
                return e;
        e = e == ERR_OK ? smtp_out_take_verdict(o, reply) : smtp_out_fail(o, e);
        if (e == ERR_OK && o->is_write_dead)
                smtp_out_fail(o, ERR_CLOSED); /* refused before all of it was sent: an answer, and the last */
        return e;
}

bool smtp_out_is_alive(struct smtp_out *o)
{
        size_t cap, got = 0;
        if (o->fault != ERR_OK)
                return false;
        char *room = smtp_client_room(&o->client, &cap);
        bool is_read = cap == SMTP_CLIENT_IN; /* nothing came with the last answer that was no part of it */
        if (is_read && wire_read(&o->wire, room, cap, host_now_ms(o->host), &got) == ERR_TIMEOUT)
                return true;
        smtp_out_fail(o, ERR_CLOSED);
        return false;
}

void smtp_out_quit(struct smtp_out *o)
{
        struct smtp_client_event event;
        if (o->fault == ERR_OK && smtp_client_quit(&o->client) == ERR_OK) {
                o->limit_ms = earlier(o->limit_ms, host_now_ms(o->host) + SMTP_CLIENT_QUIT_MS);
                enum err e = next_event(o, &event);
                (void)e; /* nothing depends on the answer */
                wire_end(&o->wire, host_now_ms(o->host) + LAST_WORDS_MS);
        }
        smtp_out_close(o);
}

void smtp_out_close(struct smtp_out *o)
{
        wire_drop(&o->wire);
        if (o->wire.tcp)
                host_tcp_close(o->host, o->wire.tcp);
        o->wire.tcp = NULL;
        if (o->fault == ERR_OK)
                o->fault = ERR_CLOSED;
}

const struct smtp_extensions *smtp_out_extensions(const struct smtp_out *o)
{
        return smtp_client_extensions(&o->client);
}

const struct tls *smtp_out_tls(const struct smtp_out *o)
{
        return o->wire.tls;
}
