/* SPDX-License-Identifier: ISC */
#include "serve/delivery_transact.h"

#include "serve/delivery_connect.h"
#include "serve/delivery_outcome.h"
#include "serve/stored_out.h"
#include "store/lists.h"
#include "store/messages.h"

/* The return path of a member of a list, or of a probe: NAME-return-TOKEN@DOMAIN. Empty for what goes to no list. */
static enum err write_return_path(struct delivery_worker *w, const struct delivery_job *job,
        const struct store_message *m, struct wr *path)
{
        const struct lipap_domain *domain = lipap_domain_find(w->node, m->domain);
        struct token token = {
                .id = job->member, .day = (uint16_t)(host_wall_ms(w->node->host) / (24LL * 60 * 60 * 1000))};
        struct store_list list;
        char name[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr full;
        if (job->member == 0)
                return ERR_OK;
        if (!domain || domain->key_count == 0)
                return ERR_NOT_FOUND;
        enum err e = store_list_get(w->node->store, job->list, &w->arena, &list);
        if (e != ERR_OK)
                return e;
        wr_init(&full, name, sizeof name);
        wr_str(&full, list.name);
        wr_byte(&full, '@');
        wr_str(&full, list.domain);
        wr_str(path, list.name);
        wr_str(path, S("-return-"));
        e = token_write(
                path, &domain->keys[0], m->probe != 0 ? TOKEN_PROBE : TOKEN_RETURN, wr_text(&full), &token);
        wr_byte(path, '@');
        wr_str(path, list.domain);
        return e == ERR_OK ? wr_end(path) : e;
}

/* A connection that was idle may have been closed by the other side: nothing was sent yet, so a new one is opened. */
static struct delivery_outcome lost(struct delivery_worker *w, struct str what, enum err e, bool may_be_stale)
{
        bool is_stale = may_be_stale && w->is_reused && (e == ERR_CLOSED || e == ERR_EOF);
        struct delivery_outcome o = delivery_outcome_of_trouble(w, what, e);
        delivery_disconnect(w, false);
        if (is_stale)
                o.kind = DELIVERY_STALE;
        return o;
}

static struct delivery_outcome send_message(struct delivery_worker *w, struct store_reader *reader)
{
        struct smtp_reply reply;
        enum err e = stored_out_body(w->out, reader);
        if (e == ERR_CORRUPT) { /* before the dot: the other side has nothing */
                struct delivery_outcome o = delivery_outcome_of_trouble(w, S("our own copy is damaged"), e);
                delivery_disconnect(w, false);
                return o;
        }
        if (e == ERR_OK)
                e = smtp_out_end(w->out, &reply);
        if (e != ERR_OK)
                return lost(w, S("sending the message"), e, false);
        struct delivery_outcome o = delivery_outcome_of_reply(w, &reply);
        w->is_reused = true;
        return o;
}

static struct delivery_outcome run(struct delivery_worker *w, const struct delivery_job *job,
        const struct store_message *m, struct store_reader *reader)
{
        char text[SMTP_PATH_MAX];
        struct wr path;
        struct smtp_reply mail, rcpt, data, reset;
        size_t accepted = 0;
        wr_init(&path, text, sizeof text);
        enum err e = write_return_path(w, job, m, &path);
        if (e != ERR_OK)
                return delivery_outcome_of_trouble(w, S("making the return path"), e);
        struct smtp_out_envelope envelope = {
                .from = wr_text(&path),
                .params = stored_out_params(w->out, m, reader),
                .to = &job->address,
                .to_n = 1,
                .wants_data = true,
        };
        e = smtp_out_envelope(w->out, &envelope, &mail, &rcpt, &data, &accepted);
        if (e == ERR_UNSUPPORTED)
                return (struct delivery_outcome){.kind = DELIVERY_FAIL,
                        .code = 550,
                        .said = S(
                                "550 5.6.7 the other side does not take internationalised mail (SMTPUTF8)")};
        if (e != ERR_OK)
                return lost(w, S("opening the transaction"), e, true);
        if (data.code == 354 && accepted > 0)
                return send_message(w, reader);
        struct delivery_outcome o = delivery_outcome_of_reply(w, !smtp_reply_is_positive(&mail)   ? &mail
                                                                 : !smtp_reply_is_positive(&rcpt) ? &rcpt
                                                                                                  : &data);
        if (o.kind == DELIVERY_DONE) /* DATA answered 2yz: nonsense, and nothing was sent */
                o.kind = DELIVERY_DEFER;
        if (o.code == 421 && w->is_reused) /* it has enough of this session, not of us */
                o.kind = DELIVERY_STALE;
        w->is_reused = true;
        if (smtp_out_rset(w->out, &reset) != ERR_OK || !smtp_reply_is_positive(&reset))
                delivery_disconnect(w, false);
        return o;
}

struct delivery_outcome delivery_transact(struct delivery_worker *w, const struct delivery_job *job)
{
        struct store_message m;
        struct store_reader *reader;
        struct delivery_outcome o;
        arena_reset(&w->arena);
        enum err e = store_message_get(w->node->store, job->message, &w->arena, &m);
        if (e == ERR_OK)
                e = store_reader_open(w->node->store, job->message, STORE_WHOLE, &reader);
        if (e != ERR_OK)
                return delivery_outcome_of_trouble(w, S("reading our own copy"), e);
        o = run(w, job, &m, reader);
        store_reader_close(reader);
        return o;
}
