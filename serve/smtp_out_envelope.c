/* SPDX-License-Identifier: ISC */
/* Whole envelopes: as few round trips as the server allows. */
#include <string.h>

#include "serve/smtp_out_parts.h"

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
        enum err e = smtp_out_take(o, &reply);
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

/* ---- all in one go ---- */

/* As much of the message as the connection takes. */
static enum err give_message(struct smtp_out *o, struct str message)
{
        while (!o->is_write_dead) {
                size_t used;
                enum err e = smtp_client_body(&o->client, message, &used);
                message = str_skip(message, used);
                if (e == ERR_OK)
                        return smtp_out_give_end(o);
                if (e == ERR_AGAIN)
                        e = smtp_out_flush(o);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

/* The answers to the envelope, and the word on the message, whatever was said before. */
static enum err take_answers(struct smtp_out *o, struct smtp_reply *const replies[3])
{
        for (size_t i = 0; i < 3 && o->fault == ERR_OK; i++) {
                struct smtp_reply reply;
                enum err e = smtp_out_take_verdict(o, &reply);
                if (e != ERR_OK)
                        return e;
                *replies[i] = keep(o, &reply);
        }
        if (o->is_write_dead)
                smtp_out_fail(o, ERR_CLOSED); /* an answer, and the last */
        return ERR_OK;
}

/* Nothing was sent: what the server says unasked ends the session, and only 421 is an answer. */
static enum err take_first(struct smtp_out *o, struct smtp_reply *mail)
{
        struct smtp_reply reply;
        enum err e = smtp_out_take(o, &reply);
        if (e == ERR_OK)
                *mail = keep(o, &reply);
        return e;
}

static bool can_go(struct smtp_out *o, const struct smtp_out_envelope *envelope)
{
        const struct smtp_extensions *offered = smtp_out_extensions(o);
        struct smtp_path to;
        return offered->pipelining && offered->chunking &&
               smtp_mailbox_parse(envelope->to[0], &to) == ERR_OK &&
               (!to.needs_smtputf8 || offered->smtputf8);
}

enum err smtp_out_go(struct smtp_out *o, const struct smtp_out_envelope *envelope, struct str message,
        struct smtp_reply *mail, struct smtp_reply *rcpt, struct smtp_reply *end)
{
        *mail = *rcpt = *end = (struct smtp_reply){0};
        o->texts_n = 0;
        if (o->fault != ERR_OK)
                return o->fault;
        if (!can_go(o, envelope))
                return ERR_UNSUPPORTED;
        enum err e = smtp_client_mail(&o->client, envelope->from, &envelope->params);
        if (e == ERR_SYNTAX || e == ERR_UNSUPPORTED)
                return ERR_UNSUPPORTED;
        if (e == ERR_AGAIN) /* the server spoke unasked, and that comes first */
                return take_first(o, mail);
        if (e == ERR_OK)
                e = smtp_client_rcpt(&o->client, envelope->to[0]);
        if (e == ERR_OK)
                e = smtp_client_bdat(&o->client, message.n);
        if (e == ERR_OK)
                e = give_message(o, message);
        if (e != ERR_OK) /* it cannot be ended: hang up, and the server has nothing */
                return smtp_out_fail(o, e == ERR_AGAIN ? ERR_SYNTAX : e);
        return take_answers(o, (struct smtp_reply *const[]){mail, rcpt, end});
}
