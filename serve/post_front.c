/* SPDX-License-Identifier: ISC */
#include "mail/build.h"
#include "serve/post.h"

/* RFC 3848, RFC 6531 4.3. */
static struct str protocol_of(const struct inbound_envelope *e)
{
        if (e->is_smtputf8)
                return e->is_secured ? S("UTF8SMTPS") : S("UTF8SMTP");
        if (e->is_extended)
                return e->is_secured ? S("ESMTPS") : S("ESMTP");
        return S("SMTP");
}

static enum err write_received(struct wr *w, const struct post *p, int64_t now_ms)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        struct mail_address to;
        bool has_to = mail_mailbox_parse(e->recipient, MAIL_UTF8, &to) == ERR_OK;
        struct mail_received r = {
                .helo = e->helo,
                .client = e->peer.ip,
                .by = e->node->hostname,
                .protocol = protocol_of(e),
                .id = p->arrival.id,
                .for_ = has_to ? &to : NULL,
                .unix_s = now_ms / 1000,
        };
        return mail_build_received(w, &r);
}

/* A chain that could not be validated for want of an answer is left out: nec validates it then, instead of sealing a
 * failure for ever. */
static bool add_arc(struct authres *a, struct wr *room, const struct arc_verdict *v)
{
        char text[ARC_REASON_MAX];
        struct wr reason;
        wr_init(&reason, text, sizeof text);
        if (v->is_temporary)
                return true;
        if (v->cv == ARC_FAIL)
                arc_reason_write(&reason, v);
        return authres_add_plain(a, room, S("arc"), arc_cv_text(v->cv), wr_text(&reason));
}

static enum err write_results(struct wr *w, struct post *p)
{
        const struct evaluate *e = &p->arrival.evaluation.evaluate;
        struct authres *a = &p->results;
        struct wr room;
        wr_init(&room, p->results_room, sizeof p->results_room);
        a->id = p->arrival.envelope->node->authserv_id;
        a->version = 1;
        a->count = a->property_count = 0;
        bool is_good = authres_add_spf(a, &room, &p->arrival.spf, &e->out.spf);
        for (size_t i = 0; is_good && i < e->out.dkim_count; i++)
                is_good = authres_add_dkim(a, &room, &e->dkim.list[i].signature, &e->out.dkim[i]);
        if (is_good && e->out.dkim_count == 0)
                is_good = authres_add_plain(a, &room, S("dkim"), dkim_result_text(DKIM_NONE), S(""));
        is_good = is_good && authres_add_dmarc(a, &room, &e->out.dmarc) && add_arc(a, &room, &e->out.arc);
        return is_good ? authres_write(w, S("Authentication-Results"), 0, a) : ERR_SPACE;
}

enum err post_front_write(struct post *p, struct wr *w)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        uint8_t random[ARRIVAL_ID_BYTES];
        int64_t now_ms = p->now_ms;
        enum err err = write_received(w, p, now_ms);
        if (err == ERR_OK)
                err = write_results(w, p);
        if (err == ERR_OK && mail_header_count(&p->arrival.index, S("Date")) == 0)
                err = mail_build_date(w, now_ms / 1000);
        if (err == ERR_OK && mail_header_count(&p->arrival.index, S("Message-ID")) == 0) {
                host_random(e->node->host, random, sizeof random);
                err = mail_build_message_id(w, str_of(random, sizeof random), now_ms, e->domain->name);
        }
        return err;
}
