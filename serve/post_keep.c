/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "list/why.h"
#include "mail/address.h"
#include "mail/message_id.h"
#include "serve/post.h"

#define TICKET_BYTES 16 /* 128 random bits */

/* ---- what goes out ---- */

static struct smtp_reply too_large(void)
{
        return smtp_reply_of(552, 3, 4, S("the header is too large"));
}

static struct smtp_reply no_front(void)
{
        return smtp_reply_of(451, 3, 0, S("our own header fields could not be written"));
}

/* Room for one rewriting, which is large and needed for a moment: one is kept for the next post. */
static struct rewrite *take_room(struct lipap *node)
{
        struct rewrite *room = node->spare_rewrite;
        node->spare_rewrite = NULL;
        return room ? room : malloc(sizeof *room);
}

static void give_room(struct lipap *node, struct rewrite *room)
{
        if (node->spare_rewrite)
                free(room);
        else
                node->spare_rewrite = room;
}

/* What was made goes into the intake. */
static enum err write_made(struct post *p, const struct rewrite *made)
{
        enum err err = ERR_OK;
        p->is_rewritten = true;
        p->from = made->from;
        p->forged = made->forged;
        if (made->tail.n > 0)
                err = store_intake_write(p->intake, made->tail);
        return err == ERR_OK ? store_intake_head(p->intake, made->head) : err;
}

/* The address that it came to: NAME or NAME-owner. */
static struct str local_of(const struct inbound_envelope *e, char room[SMTP_LOCAL_PART_MAX])
{
        struct wr w;
        wr_init(&w, room, SMTP_LOCAL_PART_MAX);
        wr_str(&w, e->list.name);
        wr_str(&w, post_is_for_owner(e) ? S("-owner") : S(""));
        return wr_text(&w);
}

/* The header as it goes out, and the bytes behind the body: code 0 when they are in the intake. */
static struct smtp_reply write_around(struct post *p, struct str front)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        const struct evaluate *verdicts = &p->arrival.evaluation.evaluate;
        char local[SMTP_LOCAL_PART_MAX];
        const struct rewrite_list list = {
                .name = local_of(e, local), .domain = e->list.domain, .settings = &p->settings};
        struct rewrite_post post = {.verdicts = verdicts,
                .keys = &e->node->evaluations.keys,
                .header = &p->arrival.index,
                .front = front,
                .authserv_id = e->node->authserv_id,
                .is_ours = lipap_domain_find(e->node, verdicts->out.author.address.domain) != NULL,
                .is_8bit = p->has_8bit,
                .is_forward = post_is_for_owner(e),
                .until_s = (p->now_ms + DELIVERY_LIFE_MS) / 1000};
        host_random(e->node->host, post.random, sizeof post.random);
        struct rewrite *room = take_room(e->node);
        if (!room)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        struct smtp_reply reply = {0};
        enum err err = rewrite_make(room, &list, &post);
        if (err != ERR_OK) {
                reply = err == ERR_LIMIT ? too_large() : no_front();
        } else {
                err = write_made(p, room);
                if (err != ERR_OK)
                        reply = inbound_store_trouble(e->node, err);
        }
        give_room(e->node, room);
        return reply;
}

/* ---- who gets no copy ---- */

static void skip_address(struct post *p, const struct mail_address *address)
{
        char text[MAIL_ADDRESS_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        mail_address_write(&w, address);
        if (wr_end(&w) == ERR_OK &&
                arena_copy(p->arrival.envelope->arena, wr_text(&w), &p->skip[p->skip_count]) == ERR_OK)
                p->skip_count++;
}

static void skip_named(struct post *p, struct str field_name)
{
        const struct mail_header *header = &p->arrival.index;
        for (size_t nth = 0; nth < mail_header_count(header, field_name); nth++) {
                struct mail_addresses list;
                struct mail_mailbox named;
                mail_addresses_init(&list, mail_header_nth(header, field_name, nth)->body);
                while (p->skip_count < POST_SKIP_MAX && mail_addresses_next(&list, &named) == ERR_OK)
                        skip_address(p, &named.address);
        }
}

/* ---- keeping it ---- */

static struct str write_trace(struct post *p)
{
        const struct why_arrival arrival = {.evaluate = &p->arrival.evaluation.evaluate,
                .posting = p->settings.v[SETTING_POSTING],
                .author = p->author,
                .answer = p->answer,
                .text = p->why};
        struct wr w;
        wr_init(&w, p->trace, sizeof p->trace);
        why_trace_write(&w, &arrival);
        why_line_write(&w, S("from"), rewrite_from_text(p->from));
        return wr_text(&w);
}

static struct store_message_new message_of(struct post *p, struct str ticket, struct str front)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        bool is_post = post_is_for_list(e);
        return (struct store_message_new){
                .ticket = ticket,
                .kind = is_post ? STORE_POST : STORE_FORWARD,
                .list = is_post ? e->list.id : 0,
                .domain = e->domain->name,
                .sender = e->sender,
                .message_id = p->act.message_id,
                .front = front,
                .is_8bit = p->has_8bit,
                .is_smtputf8 = e->is_smtputf8,
                .received_ms = p->now_ms,
                .recipients = e->forward,
                .recipient_count = e->forward_count,
        };
}

/* Kept until the moderators decide, unless too many are. */
static enum err hold(struct post *p, struct store_message_new *message)
{
        enum err e = act_facts(&p->act, &(struct decide_wanted){0}, &p->facts);
        if (e != ERR_OK)
                return e;
        decide_hold(&p->facts, &p->decision);
        if (p->decision.reply.code != 250)
                return ERR_OK;
        message->waits = true;
        e = store_intake_add(p->intake, message, &p->act.message);
        return e == ERR_OK ? act_carry_out(&p->act, &p->decision) : e;
}

struct keeping {
        struct post *p;
        struct store_message_new message;
};

/* The author's rights as they are now, and the row. */
static enum err keep_post(struct store *s, void *ctx)
{
        struct keeping *k = ctx;
        struct post *p = k->p;
        enum err e = post_judge(p);
        (void)s;
        if (e != ERR_OK || p->answer.code != 250)
                return e;
        k->message.skip = p->skip;
        k->message.skip_count = p->skip_count;
        k->message.trace = write_trace(p);
        return p->is_held ? hold(p, &k->message) : store_intake_add(p->intake, &k->message, &p->act.message);
}

static struct smtp_reply accepted(const struct post *p)
{
        char text[64];
        struct str said;
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("accepted as "));
        wr_str(&w, p->arrival.id);
        if (arena_copy(p->arrival.envelope->arena, wr_text(&w), &said) != ERR_OK)
                said = S("accepted");
        return smtp_reply_of(250, 0, 0, said);
}

static struct smtp_reply settle(struct post *p)
{
        struct lipap *node = p->arrival.envelope->node;
        const struct decide_reply *r = &p->decision.reply;
        if (p->answer.code != 250)
                return post_refusal(p);
        if (!p->is_held) {
                bell_ring(&node->handover_bell);
                return accepted(p);
        }
        act_ring(&p->act);
        node->stats.held += r->code == 250;
        return smtp_reply_of((uint16_t)r->code, (uint16_t)r->subject, (uint16_t)r->detail, r->text);
}

/* Everything but the row is on disk before the change begins. */
static struct smtp_reply keep_for_list(struct post *p, struct str ticket, struct str front)
{
        struct lipap *node = p->arrival.envelope->node;
        struct keeping k = {.p = p};
        enum err e = post_judge(p); /* what is refused now costs no disk */
        if (e != ERR_OK)
                return inbound_store_trouble(node, e);
        if (p->answer.code != 250)
                return post_refusal(p);
        struct smtp_reply reply = write_around(p, front);
        if (reply.code != 0)
                return reply;
        k.message = message_of(p, ticket, front);
        e = store_intake_sync(p->intake);
        if (e == ERR_OK)
                e = store_together(node->store, keep_post, &k);
        if (e == ERR_NOT_FOUND)
                return smtp_reply_of(550, 1, 1, S("no such list or address here"));
        return e == ERR_OK ? settle(p) : inbound_store_trouble(node, e);
}

/* To people of ours: the admin takes anyone's mail, the moderators of a list only that of proven authors. */
static struct smtp_reply keep_for_people(struct post *p, struct str ticket, struct str front)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        struct wr w;
        int64_t id;
        wr_init(&w, p->why_text, sizeof p->why_text);
        if (post_is_for_owner(e))
                p->answer = posting_demand_proof(&p->arrival.evaluation.evaluate, &w);
        p->why = wr_text(&w);
        if (p->answer.code != 250)
                return post_refusal(p);
        if (post_is_for_owner(e)) {
                struct smtp_reply reply = write_around(p, front);
                if (reply.code != 0)
                        return reply;
        }
        struct store_message_new message = message_of(p, ticket, front);
        enum err err = store_intake_commit(p->intake, &message, &id);
        p->intake = NULL;
        if (err != ERR_OK)
                return inbound_store_trouble(e->node, err);
        bell_ring(&e->node->handover_bell);
        return accepted(p);
}

static void prepare(struct post *p)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        const struct mail_field *id = mail_header_first(&p->arrival.index, S("Message-ID"));
        struct wr author;
        p->now_ms = host_wall_ms(e->node->host);
        p->answer = (struct posting_answer){.code = 250};
        p->skip_count = 0;
        p->skips_own = false;
        wr_init(&author, p->author_text, sizeof p->author_text);
        posting_author_write(&author, &p->arrival.evaluation.evaluate);
        p->act = (struct act){.node = e->node,
                .arena = e->arena,
                .list = e->list.id,
                .now_ms = p->now_ms,
                .proof = DECIDE_PROVEN,
                .author = wr_text(&author)};
        if (id && mail_message_id_first(id->body, &p->act.message_id) != ERR_OK)
                p->act.message_id = S("");
        setting_values_init(&p->settings);
        for (size_t i = 0; post_is_for_list(e) && i < e->list.setting_count; i++)
                setting_values_put(&p->settings, e->list.settings[i].name, e->list.settings[i].value);
        if (post_is_for_list(e) && setting_is(&p->settings, SETTING_DUPLICATES, S("skip"))) {
                skip_named(p, S("To"));
                skip_named(p, S("Cc"));
        }
}

struct smtp_reply post_keep(struct post *p)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        char text[32];
        struct str ticket = arrival_random(e->node->host, text, sizeof text, TICKET_BYTES);
        struct smtp_reply reply = no_front();
        struct wr front;
        prepare(p);
        wr_init(&front, p->front, sizeof p->front);
        if (post_front_write(p, &front) == ERR_OK)
                reply = post_is_for_list(e) ? keep_for_list(p, ticket, wr_text(&front))
                                            : keep_for_people(p, ticket, wr_text(&front));
        store_intake_abort(p->intake);
        p->intake = NULL;
        return reply;
}
