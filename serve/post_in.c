/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after the server: its header waits in memory until it is whole, then goes
 * to the spool without what claims to be ours, and the body streams behind it, while fibers ask the DNS about the author.
 * At the final dot the verdicts decide whether it is kept, durably and under a ticket before 250, and then left to
 * handover.c. */
#include <stdlib.h>

#include "host/log.h"
#include "list/posting.h"
#include "mail/message_id.h"
#include "serve/post.h"

#define TICKET_BYTES 16 /* 128 random bits */

/* Blocks are used again: the kernel would clear the pages of a fresh one. */
static struct post *take(struct lipap *node)
{
        struct post *p = node->spare_posts;
        if (!p)
                return malloc(sizeof *p);
        node->spare_posts = p->next_spare;
        node->spare_post_count--;
        return p;
}

static void give_back(struct lipap *node, struct post *p)
{
        if (node->spare_post_count == LIPAP_SPARE_POSTS_MAX) {
                free(p);
                return;
        }
        p->next_spare = node->spare_posts;
        node->spare_posts = p;
        node->spare_post_count++;
}

void post_in_forget(struct lipap *node)
{
        while (node->spare_posts)
                free(take(node));
}

static void release(struct post *p)
{
        arrival_drop(&p->arrival);
        give_back(p->arrival.envelope->node, p);
}

static void init(struct post *p, const struct inbound_envelope *envelope)
{
        p->intake = NULL;
        p->trouble = ERR_OK;
        p->size_max = envelope->list.id != 0 ? inbound_post_max(&envelope->list) : UINT64_MAX;
        p->forged = 0;
        arrival_begin(&p->arrival, envelope, post_header_check);
}

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct lipap *node = envelope->node;
        struct post *p = take(node);
        *state = NULL;
        if (!p)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        init(p, envelope);
        enum err e = store_intake_begin(node->store, envelope->has_size ? envelope->size : 0, &p->intake);
        if (e != ERR_OK) {
                release(p);
                return inbound_store_trouble(node, e);
        }
        *state = p;
        return smtp_reply_plain(354, S("go ahead, end with a dot on a line of its own"));
}

static void keep_header(struct post *p)
{
        if (p->arrival.is_evaluating)
                p->trouble = post_header_write(p);
}

static void body(void *state, struct str bytes)
{
        struct post *p = state;
        if (arrival_got(&p->arrival, &bytes))
                keep_header(p);
        if (bytes.n == 0 || !p->arrival.is_evaluating || p->trouble != ERR_OK)
                return;
        evaluation_body(&p->arrival.evaluation, bytes);
        p->trouble = store_intake_write(p->intake, bytes);
}

static void drop(void *state)
{
        struct post *p = state;
        store_intake_abort(p->intake);
        release(p);
}

/* ---- who wrote it ---- */

static enum err is_moderator(const struct inbound_envelope *e, struct str author, bool *out)
{
        struct str *moderators;
        size_t count;
        enum err err = store_moderators(e->node->store, e->list.id, e->arena, &moderators, &count);
        *out = false;
        for (size_t i = 0; err == ERR_OK && i < count; i++)
                *out = *out || str_eq_nocase(moderators[i], author);
        return err;
}

/* What the author is to the list, as far as its rule asks. */
static enum err look_up(const struct post *p, enum posting_rule rule, struct posting_author *out)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        struct store_member member;
        char text[MAIL_ADDRESS_MAX];
        struct wr author;
        wr_init(&author, text, sizeof text);
        posting_author_write(&author, &p->arrival.evaluation.evaluate);
        if (rule == POSTING_OPEN)
                return ERR_OK;
        if (rule != POSTING_SUBSCRIBERS)
                return is_moderator(e, wr_text(&author), &out->is_moderator);
        enum err err = store_member_find(e->node->store, e->list.id, wr_text(&author), e->arena, &member);
        out->is_member = err == ERR_OK;
        return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The list's rule against the proven author: code 0 when the message may be posted. */
static struct smtp_reply judge_author(const struct post *p)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        const struct evaluate *verdicts = &p->arrival.evaluation.evaluate;
        enum posting_rule rule =
                posting_rule_of(store_list_setting(&e->list, S("posting"), S("subscribers")));
        struct posting_author author = {0};
        char text[POSTING_TEXT_MAX];
        struct str why;
        struct wr w;
        if (posting_proof(verdicts) == POSTING_PROVEN) {
                enum err err = look_up(p, rule, &author);
                if (err != ERR_OK)
                        return inbound_store_trouble(e->node, err);
        }
        wr_init(&w, text, sizeof text);
        struct posting_answer answer = posting_judge(verdicts, rule, author, &w);
        if (answer.code == 250)
                return (struct smtp_reply){0};
        if (arena_copy(e->arena, wr_text(&w), &why) != ERR_OK)
                why = S("the author may not post to this list");
        return smtp_reply_of((uint16_t)answer.code, (uint16_t)answer.subject, (uint16_t)answer.detail, why);
}

/* ---- keeping it ---- */

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

/* Uses up the intake. */
static struct smtp_reply keep(struct post *p, bool has_8bit)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        struct host *h = e->node->host;
        char ticket[32];
        struct str message_id = {NULL, 0};
        const struct mail_field *id_field = mail_header_first(&p->arrival.index, S("Message-ID"));
        int64_t row, now_ms = host_wall_ms(h);
        struct wr front;
        wr_init(&front, p->front, sizeof p->front);
        if (post_front_write(p, now_ms, &front) != ERR_OK) {
                store_intake_abort(p->intake);
                return smtp_reply_of(451, 3, 0, S("our own header fields could not be written"));
        }
        if (id_field && mail_message_id_first(id_field->body, &message_id) != ERR_OK)
                message_id = (struct str){NULL, 0};
        struct store_message_new message = {
                .ticket = arrival_random(h, ticket, sizeof ticket, TICKET_BYTES),
                .kind = e->list.id != 0 ? STORE_POST : STORE_FORWARD,
                .list = e->list.id,
                .domain = e->domain->name,
                .sender = e->sender,
                .message_id = message_id,
                .front = wr_text(&front),
                .is_8bit = has_8bit,
                .is_smtputf8 = e->is_smtputf8,
                .received_ms = now_ms,
                .recipients = e->forward,
                .recipient_count = e->forward_count,
        };
        enum err err = store_intake_commit(p->intake, &message, &row);
        if (err != ERR_OK)
                return inbound_store_trouble(e->node, err);
        bell_ring(&e->node->handover_bell);
        return accepted(p);
}

/* Why it is not to be kept; code 0 when it is. */
static struct smtp_reply refuse(struct post *p, uint64_t size)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        if (p->trouble == ERR_OK && size <= p->size_max && arrival_header_end(&p->arrival))
                keep_header(p);
        if (p->trouble != ERR_OK)
                return inbound_store_trouble(e->node, p->trouble);
        if (size > p->size_max)
                return smtp_reply_of(552, 3, 4, S("larger than this list takes (max-message)"));
        struct smtp_reply reply = arrival_settle(&p->arrival);
        return reply.code == 0 && e->list.id != 0 ? judge_author(p) : reply;
}

static void log_post(const struct post *p, uint64_t size, const struct smtp_reply *reply)
{
        struct log_line l;
        arrival_log(&l, &p->arrival, size, reply);
        if (p->forged > 0)
                log_u64(&l, "forged-results", p->forged);
        log_end(&l);
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct post *p = state;
        struct smtp_reply reply = refuse(p, size);
        if (reply.code != 0)
                store_intake_abort(p->intake);
        else
                reply = keep(p, has_8bit);
        log_post(p, size, &reply);
        release(p);
        return reply;
}

const struct inbound_target post_in = {.begin = begin, .body = body, .end = end, .drop = drop};
