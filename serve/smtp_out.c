/* SPDX-License-Identifier: ISC */
#include "serve/smtp_out.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"

/* For what the server may have said before it hung up, when a write failed; for its word on a message that it has,
 * when the fiber is cancelled. */
#define LAST_WORDS_MS 1000

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static enum err fail(struct smtp_out *o, enum err e)
{
        o->fault = e;
        smtp_out_close(o);
        return e;
}

/* Write what is pending. When the connection is gone, what the server said before may still be read. */
static enum err flush(struct smtp_out *o)
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
                e = is_there ? secure(o) : flush(o);
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
                return fail(o, e);
        if (event->kind != SMTP_CLIENT_CLOSED)
                return ERR_OK;
        e = fail(o, err_of_closed(o, event->closed));
        return event->reply.code > 0 ? ERR_OK : e;
}

static enum err take(struct smtp_out *o, struct smtp_reply *reply)
{
        struct smtp_client_event event;
        enum err e = judge_event(o, next_event(o, &event), &event);
        if (e == ERR_OK)
                *reply = event.reply;
        return e;
}

/* The server has the message: what it says is waited for a moment even by a fiber that is cancelled, or the message
 * would go out a second time. */
static enum err take_verdict(struct smtp_out *o, struct smtp_reply *reply)
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
        return take(o, reply);
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
        e = take(o, reply);
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

/* The state of one smtp_out_envelope. Items are MAIL, each RCPT, DATA, in this order. */
struct exchange {
        const struct smtp_out_envelope *envelope;
        struct smtp_reply *mail, *rcpt, *data;
        size_t asked;    /* items that were given, or answered by ourselves */
        size_t answered; /* items whose answer is there */
        size_t said;     /* recipients that were really given */
        size_t accepted;
};

static struct smtp_reply *item_reply(const struct exchange *x, size_t item)
{
        if (item == 0)
                return x->mail;
        return item <= x->envelope->to_n ? &x->rcpt[item - 1] : x->data;
}

static size_t items(const struct exchange *x)
{
        return 1 + x->envelope->to_n + x->envelope->wants_data;
}

/* A recipient that cannot be said harms no other: we answer in the server's place. */
static enum err ask_rcpt(struct smtp_out *o, struct exchange *x, size_t i)
{
        enum err e = smtp_client_rcpt(&o->client, x->envelope->to[i]);
        if (e == ERR_SYNTAX)
                x->rcpt[i] = smtp_reply_of(553, 1, 3, S("Not an address that SMTP can carry"));
        if (e == ERR_UNSUPPORTED)
                x->rcpt[i] = smtp_reply_of(553, 6, 7, S("The next server does not offer SMTPUTF8"));
        x->said += e == ERR_OK;
        return e == ERR_SYNTAX || e == ERR_UNSUPPORTED ? ERR_OK : e;
}

/* Give the next item.
 *   ERR_OK, ERR_AGAIN (an answer first), ERR_NOT_FOUND (nothing more is to be asked), ERR_UNSUPPORTED (the sender) */
static enum err ask_item(struct smtp_out *o, struct exchange *x)
{
        enum err e;
        bool is_refused = x->answered > 0 && !smtp_reply_is_positive(x->mail);
        if (x->asked == items(x) || (is_refused && x->answered == x->asked))
                return ERR_NOT_FOUND;
        if (x->asked == 0)
                e = smtp_client_mail(&o->client, x->envelope->from, &x->envelope->params);
        else if (x->asked <= x->envelope->to_n)
                e = ask_rcpt(o, x, x->asked - 1);
        else
                e = x->said > 0 ? smtp_client_data(&o->client) : ERR_NOT_FOUND;
        if (e == ERR_SYNTAX)
                return ERR_UNSUPPORTED;
        if (e == ERR_SEQUENCE && x->asked > 0) /* every recipient is refused by now */
                return ERR_NOT_FOUND;
        x->asked += e == ERR_OK;
        return e;
}

static enum err ask_items(struct smtp_out *o, struct exchange *x)
{
        enum err e;
        do
                e = ask_item(o, x);
        while (e == ERR_OK);
        return e;
}

/* The engine's text is gone with the next answer: keep a copy, as far as there is room. */
static struct smtp_reply keep(struct smtp_out *o, const struct smtp_reply *reply)
{
        struct smtp_reply kept = *reply;
        kept.text = str_take(reply->text, sizeof o->texts - o->texts_n);
        if (kept.text.n > 0)
                memcpy(o->texts + o->texts_n, kept.text.p, kept.text.n);
        kept.text.p = o->texts + o->texts_n;
        o->texts_n += kept.text.n;
        return kept;
}

/* Items that we answered ourselves are passed over. */
static void skip_answered(struct exchange *x)
{
        while (x->answered < x->asked && item_reply(x, x->answered)->code != 0)
                x->answered++;
}

static enum err take_item(struct smtp_out *o, struct exchange *x)
{
        struct smtp_reply reply;
        enum err e = take(o, &reply);
        if (e != ERR_OK)
                return e;
        size_t item = x->answered;
        *item_reply(x, item) = keep(o, &reply);
        x->accepted += item > 0 && item <= x->envelope->to_n && smtp_reply_is_positive(&reply) &&
                       smtp_reply_is_positive(x->mail);
        x->answered++;
        return ERR_OK;
}

enum err smtp_out_envelope(struct smtp_out *o, const struct smtp_out_envelope *envelope,
        struct smtp_reply *mail, struct smtp_reply *rcpt, struct smtp_reply *data, size_t *accepted)
{
        struct exchange x = {.envelope = envelope, .mail = mail, .rcpt = rcpt, .data = data};
        enum err e;
        *mail = *data = (struct smtp_reply){0};
        for (size_t i = 0; i < envelope->to_n; i++)
                rcpt[i] = (struct smtp_reply){0};
        *accepted = 0;
        o->texts_n = 0;
        if (o->fault != ERR_OK)
                return o->fault;
        for (;;) {
                e = ask_items(o, &x);
                if (e != ERR_AGAIN && e != ERR_NOT_FOUND)
                        return e; /* only of the first item: nothing was sent */
                skip_answered(&x);
                if (x.answered == x.asked && e == ERR_NOT_FOUND)
                        break;
                e = take_item(o, &x);
                *accepted = x.accepted;
                if (e != ERR_OK)
                        return e;
                if (o->fault != ERR_OK)
                        break; /* 421: nothing more is answered */
        }
        return ERR_OK;
}

/* The server answered before the end, or the session ended. */
static enum err take_early(struct smtp_out *o)
{
        enum err e = take(o, &o->early);
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
                        return fail(o, e); /* it cannot be ended: hang up, and the server has nothing */
                if (e != ERR_AGAIN)
                        return e;
                e = flush(o);
                if (e != ERR_OK)
                        return fail(o, e);
                if (o->is_write_dead)
                        return take_early(o);
        }
        return ERR_OK;
}

static enum err give_end(struct smtp_out *o)
{
        enum err e;
        while ((e = smtp_client_end(&o->client)) == ERR_AGAIN && !o->is_write_dead) {
                e = flush(o);
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
                fail(o, ERR_CLOSED);
                return ERR_OK;
        }
        if (o->fault != ERR_OK)
                return o->fault;
        enum err e = give_end(o);
        if (e == ERR_SEQUENCE)
                return e;
        e = e == ERR_OK ? take_verdict(o, reply) : fail(o, e);
        if (e == ERR_OK && o->is_write_dead)
                fail(o, ERR_CLOSED); /* refused before all of it was sent: an answer, and the last */
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
        fail(o, ERR_CLOSED);
        return false;
}

void smtp_out_quit(struct smtp_out *o)
{
        struct smtp_reply reply;
        if (o->fault == ERR_OK && smtp_client_quit(&o->client) == ERR_OK) {
                o->limit_ms = earlier(o->limit_ms, host_now_ms(o->host) + SMTP_CLIENT_QUIT_MS);
                enum err e = take(o, &reply);
                (void)e; /* nothing depends on the answer */
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
