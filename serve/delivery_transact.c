/* SPDX-License-Identifier: ISC */
#include "serve/delivery_transact.h"

#include "serve/delivery_connect.h"
#include "serve/delivery_outcome.h"
#include "serve/stored_out.h"
#include "store/messages.h"

/* One copy on its way. */
struct copy {
        struct delivery_worker *w;
        const struct delivery_letter *letter;
        struct smtp_out_envelope envelope;
        struct smtp_reply mail, rcpt, data;
};

/* The return path of a member of a list, or of a probe: NAME-return-TOKEN@DOMAIN. Empty for what goes to no list. */
static enum err write_return_path(struct delivery_worker *w, const struct delivery_job *job,
        const struct delivery_letter *l, struct wr *path)
{
        struct token token = {
                .id = job->member, .day = (uint16_t)(host_wall_ms(w->node->host) / (24LL * 60 * 60 * 1000))};
        char name[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr full;
        if (job->member == 0)
                return ERR_OK;
        if (!l->domain || l->domain->key_count == 0)
                return ERR_NOT_FOUND;
        wr_init(&full, name, sizeof name);
        wr_str(&full, l->list_name);
        wr_byte(&full, '@');
        wr_str(&full, l->list_domain);
        wr_str(path, l->list_name);
        wr_str(path, S("-return-"));
        enum err e = token_write(
                path, &l->domain->keys[0], l->is_probe ? TOKEN_PROBE : TOKEN_RETURN, wr_text(&full), &token);
        wr_byte(path, '@');
        wr_str(path, l->list_domain);
        return e == ERR_OK ? wr_end(path) : e;
}

/* A connection that was idle may have been closed by the other side: nothing was taken yet, so a new one is opened. */
static struct delivery_outcome lost(struct delivery_worker *w, struct str what, enum err e, bool may_be_stale)
{
        bool is_stale = may_be_stale && w->is_reused && (e == ERR_CLOSED || e == ERR_EOF);
        struct delivery_outcome o = delivery_outcome_of_trouble(w, what, e);
        delivery_disconnect(w, false);
        if (is_stale)
                o.kind = DELIVERY_STALE;
        return o;
}

/* No transaction is open on the connection afterwards. */
static void begin_anew(struct delivery_worker *w)
{
        struct smtp_reply reset;
        if (smtp_out_rset(w->out, &reset) != ERR_OK || !smtp_reply_is_positive(&reset))
                delivery_disconnect(w, false);
}

/* Sender or recipient was refused, or DATA. */
static struct delivery_outcome refused(struct copy *c)
{
        struct delivery_worker *w = c->w;
        enum delivery_stage stage = !smtp_reply_is_positive(&c->mail)   ? DELIVERY_AT_MAIL
                                    : !smtp_reply_is_positive(&c->rcpt) ? DELIVERY_AT_RCPT
                                                                        : DELIVERY_AT_END;
        struct delivery_outcome o = delivery_outcome_of_reply(w, stage == DELIVERY_AT_MAIL   ? &c->mail
                                                                 : stage == DELIVERY_AT_RCPT ? &c->rcpt
                                                                                             : &c->data);
        o.stage = stage;
        if (o.kind == DELIVERY_DONE) /* DATA answered 2yz: nonsense, and nothing was sent */
                o.kind = DELIVERY_DEFER;
        if (o.code == 421 && w->is_reused) /* it has enough of this session, not of us */
                o.kind = DELIVERY_STALE;
        w->is_reused = true;
        begin_anew(w);
        return o;
}

/* The server's word on the message. One that refuses a chunk leaves the transaction undetermined (RFC 3030 2). */
static struct delivery_outcome judged(struct delivery_worker *w, const struct smtp_reply *end, bool is_chunk)
{
        struct delivery_outcome o = delivery_outcome_of_reply(w, end);
        o.stage = DELIVERY_AT_END;
        w->is_reused = true;
        if (is_chunk && o.kind != DELIVERY_DONE)
                begin_anew(w);
        return o;
}

static bool is_accepted(const struct copy *c)
{
        return smtp_reply_is_positive(&c->mail) && smtp_reply_is_positive(&c->rcpt);
}

/* Everything in one write, and one round trip.
 *   ERR_OK, or ERR_UNSUPPORTED: that cannot be, and nothing was sent */
static enum err go(struct copy *c, struct delivery_outcome *o)
{
        const struct delivery_letter *l = c->letter;
        if (!l->ends_a_line || l->bytes.n < l->size || l->size > DELIVERY_GO_MAX)
                return ERR_UNSUPPORTED;
        enum err e = smtp_out_go(c->w->out, &c->envelope, l->bytes, &c->mail, &c->rcpt, &c->data);
        if (e == ERR_UNSUPPORTED)
                return e;
        bool is_decided = c->mail.code >= 400 || c->rcpt.code >= 400;
        if (e != ERR_OK && !is_decided)
                *o = lost(c->w, S("sending the message"), e, c->mail.code == 0);
        else if (is_accepted(c) && c->data.code != 0)
                *o = judged(c->w, &c->data, true);
        else if (is_decided)
                *o = refused(c);
        else /* 421 somewhere, and nothing more */
                *o = lost(c->w, S("sending the message"), ERR_CLOSED, false);
        return ERR_OK;
}

/* ---- step by step ---- */

static enum err give_body(struct copy *c)
{
        struct store_reader *reader;
        if (c->letter->bytes.n == c->letter->size)
                return smtp_out_body(c->w->out, c->letter->bytes);
        enum err e = store_reader_open(c->w->node->store, c->letter->message, STORE_WHOLE, &reader);
        if (e != ERR_OK)
                return e;
        e = stored_out_body(c->w->out, reader);
        store_reader_close(reader);
        return e;
}

static bool takes_chunks(const struct copy *c)
{
        return smtp_out_extensions(c->w->out)->chunking && c->letter->ends_a_line;
}

static struct delivery_outcome send_message(struct copy *c)
{
        struct smtp_reply reply;
        struct delivery_worker *w = c->w;
        enum err e = takes_chunks(c) ? smtp_out_bdat(w->out, c->letter->size) : ERR_OK;
        if (e == ERR_OK)
                e = give_body(c);
        if (e == ERR_CORRUPT || e == ERR_NOT_FOUND) { /* before the end: the other side has nothing */
                struct delivery_outcome o = delivery_outcome_of_trouble(w, S("our own copy is damaged"), e);
                delivery_disconnect(w, false);
                return o;
        }
        if (e == ERR_OK)
                e = smtp_out_end(w->out, &reply);
        return e == ERR_OK ? judged(w, &reply, takes_chunks(c)) : lost(w, S("sending the message"), e, false);
}

static struct delivery_outcome step_by_step(struct copy *c)
{
        size_t accepted = 0;
        c->envelope.wants_data = !takes_chunks(c);
        enum err e = smtp_out_envelope(c->w->out, &c->envelope, &c->mail, &c->rcpt, &c->data, &accepted);
        if (e == ERR_UNSUPPORTED)
                return (struct delivery_outcome){.kind = DELIVERY_FAIL,
                        .code = 550,
                        .said = S(
                                "550 5.6.7 the other side does not take internationalised mail (SMTPUTF8)")};
        if (e != ERR_OK)
                return lost(c->w, S("opening the transaction"), e, true);
        bool may_begin = c->envelope.wants_data ? c->data.code == 354 : is_accepted(c);
        return may_begin && accepted > 0 ? send_message(c) : refused(c);
}

struct delivery_outcome delivery_transact(
        struct delivery_worker *w, const struct delivery_job *job, const struct delivery_letter *letter)
{
        char text[SMTP_PATH_MAX];
        struct wr path;
        struct delivery_outcome o;
        int64_t began_ms = host_now_ms(w->node->host);
        wr_init(&path, text, sizeof text);
        enum err e = write_return_path(w, job, letter, &path);
        if (e != ERR_OK)
                return delivery_outcome_of_trouble(w, S("making the return path"), e);
        struct copy c = {.w = w,
                .letter = letter,
                .envelope = {.from = wr_text(&path),
                        .params =
                                stored_out_params(w->out, letter->is_8bit, letter->is_smtputf8, letter->size),
                        .to = &job->address,
                        .to_n = 1}};
        if (go(&c, &o) != ERR_OK)
                o = step_by_step(&c);
        o.ms = host_now_ms(w->node->host) - began_ms;
        return o;
}
