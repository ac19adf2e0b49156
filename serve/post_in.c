/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after the server: streamed to the spool, its header checked, kept
 * durably under a ticket before 250, and then left to handover.c. */
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_sign.h"
#include "base/base32.h"
#include "host/log.h"
#include "mail/build.h"
#include "mail/date.h"
#include "mail/message_id.h"
#include "serve/inbound_target.h"
#include "store/messages.h"

#define TICKET_BYTES 16 /* 128 random bits */
#define ID_BYTES 10 /* what names the message in Received and in replies; the ticket is nobody's business */

struct post {
        const struct inbound_envelope *envelope;
        struct store_intake *intake;
        enum err trouble;
        uint64_t size_max;
        struct inbound_header header;
        char id_text[32];
        struct str id;
        char front[LIPAP_FRONT_MAX];
};

static struct str random_text(struct host *h, char *text, size_t cap, size_t bytes)
{
        uint8_t random[TICKET_BYTES];
        struct wr w;
        host_random(h, random, bytes);
        wr_init(&w, text, cap);
        base32_encode(&w, str_of(random, bytes));
        return wr_text(&w);
}

static void release(struct post *p)
{
        inbound_header_free(&p->header);
        free(p);
}

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct lipap *node = envelope->node;
        struct post *p = calloc(1, sizeof *p);
        *state = NULL;
        if (!p)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        p->envelope = envelope;
        p->size_max = envelope->list.id != 0 ? inbound_post_max(&envelope->list) : UINT64_MAX;
        enum err e = store_intake_begin(node->store, envelope->has_size ? envelope->size : 0, &p->intake);
        if (e != ERR_OK) {
                release(p);
                return inbound_store_trouble(node, e);
        }
        p->id = random_text(node->host, p->id_text, sizeof p->id_text, ID_BYTES);
        *state = p;
        return smtp_reply_plain(354, S("go ahead, end with a dot on a line of its own"));
}

static void body(void *state, struct str bytes)
{
        struct post *p = state;
        inbound_header_got(&p->header, bytes);
        if (p->trouble == ERR_OK)
                p->trouble = store_intake_write(p->intake, bytes);
}

static void drop(void *state)
{
        struct post *p = state;
        store_intake_abort(p->intake);
        release(p);
}

/* ---- checks on the whole ---- */

static bool has_own_list_id(const struct post *p, const struct mail_header *header)
{
        char own[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 4];
        struct wr w;
        wr_init(&w, own, sizeof own);
        wr_byte(&w, '<');
        wr_str(&w, p->envelope->list.name);
        wr_byte(&w, '.');
        wr_str(&w, p->envelope->list.domain);
        wr_byte(&w, '>');
        for (size_t i = 0; i < mail_header_count(header, S("List-Id")); i++) {
                struct str value = str_trim(mail_header_nth(header, S("List-Id"), i)->body);
                if (str_has_suffix_nocase(value, wr_text(&w)))
                        return true;
        }
        return false;
}

static bool is_automatic_reply(const struct mail_header *header)
{
        const struct mail_field *f = mail_header_first(header, S("Auto-Submitted"));
        return f && str_has_prefix_nocase(str_trim(f->body), S("auto-replied")); /* RFC 3834 5 */
}

/* Room that our own fields and nec's will need, so that nec's limits never meet a message that we accepted. */
#define HEADER_MOST (MAIL_HEADER_MAX - LIPAP_FRONT_MAX - LIPAP_PREFIX_MAX)
#define FIELDS_MOST (MAIL_FIELDS_MAX - 50)

/* The same for the fields that nec's signature covers, one by one: List-Id, List-Post, Date and Message-ID may be ours. */
#define COVERED_MOST (DKIM_COVERED_MAX - 4)

/* What is wrong with the header; code 0 when nothing is. */
static struct smtp_reply check_header(const struct post *p, const struct mail_header *header)
{
        const struct mail_field *from = mail_header_first(header, S("From"));
        struct mail_mailbox authors[8];
        size_t n = 0;
        if (header->strays > 0 || header->bad_bytes > 0)
                return smtp_reply_of(554, 6, 0, S("the header has a line that is no field"));
        if (mail_header_count(header, S("From")) != 1)
                return smtp_reply_of(554, 6, 0, S("a message has exactly one From field (RFC 5322 3.6)"));
        if (mail_addresses_parse(from->body, authors, 8, &n) != ERR_OK || n == 0)
                return smtp_reply_of(554, 6, 0, S("the From field holds no address that can be read"));
        if (dkim_sign_covered(header, dkim_cover_default, dkim_cover_default_count) > COVERED_MOST)
                return smtp_reply_of(554, 6, 0, S("the header repeats fields too often"));
        if (mail_header_count(header, S("Received")) > MAIL_RECEIVED_MAX)
                return smtp_reply_of(554, 4, 6, S("too many Received fields: the message goes in a circle"));
        if (p->envelope->list.id != 0 && has_own_list_id(p, header))
                return smtp_reply_of(
                        554, 4, 6, S("it came from this list already: the message goes in a circle"));
        if (p->envelope->list.id != 0 && is_automatic_reply(header))
                return smtp_reply_of(554, 7, 1, S("a list takes no automatic replies"));
        return (struct smtp_reply){0};
}

/* ---- the fields that we put in front ---- */

static enum err write_received(struct wr *w, const struct post *p, int64_t now_ms)
{
        const struct inbound_envelope *e = p->envelope;
        struct mail_address to;
        bool has_to = mail_mailbox_parse(e->recipient, MAIL_UTF8, &to) == ERR_OK;
        struct mail_received r = {
                .helo = e->helo,
                .client = e->peer.ip,
                .by = e->node->hostname,
                .protocol = e->is_smtputf8   ? S("UTF8SMTP")
                            : e->is_extended ? S("ESMTP")
                                             : S("SMTP"),
                .id = p->id,
                .for_ = has_to ? &to : NULL,
                .unix_s = now_ms / 1000,
        };
        return mail_build_received(w, &r);
}

static enum err write_list_fields(struct wr *w, const struct store_list *list)
{
        struct mail_address post = {.local = list->name, .domain = list->domain};
        struct str description = store_list_setting(list, S("description"), S(""));
        enum err e = mail_build_list_id(w, description, list->name, list->domain);
        if (e == ERR_OK && str_eq(store_list_setting(list, S("posting"), S("")), S("announce")))
                e = mail_build_unstructured(w, S("List-Post"), S("NO")); /* RFC 2369 3.4 */
        else if (e == ERR_OK)
                e = mail_build_mailto(w, S("List-Post"), &post, S(""));
        if (e == ERR_OK)
                e = mail_build_unstructured(w, S("Precedence"), S("list"));
        return e;
}

static enum err write_front(
        const struct post *p, const struct mail_header *header, int64_t now_ms, struct wr *w)
{
        const struct inbound_envelope *e = p->envelope;
        uint8_t random[ID_BYTES];
        enum err err = write_received(w, p, now_ms);
        if (err == ERR_OK && e->list.id != 0)
                err = write_list_fields(w, &e->list);
        if (err == ERR_OK && mail_header_count(header, S("Date")) == 0)
                err = mail_build_date(w, now_ms / 1000);
        if (err == ERR_OK && mail_header_count(header, S("Message-ID")) == 0) {
                host_random(e->node->host, random, sizeof random);
                err = mail_build_message_id(w, str_of(random, sizeof random), now_ms, e->domain->name);
        }
        return err;
}

/* ---- keeping it ---- */

static void log_post(const struct post *p, const char *event, uint64_t size, const struct smtp_reply *reply)
{
        const struct inbound_envelope *e = p->envelope;
        struct log_line l;
        log_begin(&l, e->node->host, LOG_INFO, "smtp", event);
        log_str(&l, "id", p->id);
        log_ip_port(&l, "peer", &e->peer);
        log_str(&l, "from", e->sender);
        log_str(&l, "to", e->recipient);
        log_u64(&l, "size", size);
        log_u64(&l, "code", reply->code);
        if (!smtp_reply_is_positive(reply))
                log_str(&l, "text", reply->text);
        log_end(&l);
}

static struct smtp_reply keep(struct post *p, const struct mail_header *header, bool has_8bit)
{
        const struct inbound_envelope *e = p->envelope;
        struct host *h = e->node->host;
        char ticket[32], text[64];
        struct str message_id = {NULL, 0};
        const struct mail_field *id_field = mail_header_first(header, S("Message-ID"));
        int64_t row, now_ms = host_wall_ms(h);
        struct wr w;
        wr_init(&w, p->front, sizeof p->front);
        if (write_front(p, header, now_ms, &w) != ERR_OK) {
                store_intake_abort(p->intake);
                return smtp_reply_of(451, 3, 0, S("our own header fields could not be written"));
        }
        if (id_field && mail_message_id_first(id_field->body, &message_id) != ERR_OK)
                message_id = (struct str){NULL, 0};
        struct store_message_new message = {
                .ticket = random_text(h, ticket, sizeof ticket, TICKET_BYTES),
                .kind = e->list.id != 0 ? STORE_POST : STORE_FORWARD,
                .list = e->list.id,
                .domain = e->domain->name,
                .sender = e->sender,
                .message_id = message_id,
                .front = wr_text(&w),
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
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("accepted as "));
        wr_str(&w, p->id);
        struct str said;
        if (arena_copy(e->arena, wr_text(&w), &said) != ERR_OK)
                said = S("accepted");
        return smtp_reply_of(250, 0, 0, said);
}

static struct smtp_reply judge(struct post *p, uint64_t size, bool has_8bit)
{
        struct mail_header header;
        struct smtp_reply reply;
        struct mail_field *fields = NULL;
        if (p->trouble != ERR_OK) {
                reply = inbound_store_trouble(p->envelope->node, p->trouble);
                store_intake_abort(p->intake);
                return reply;
        }
        if (!p->header.is_out_of_memory)
                fields = malloc(FIELDS_MOST * sizeof *fields);
        if (size > p->size_max)
                reply = smtp_reply_of(552, 3, 4, S("larger than this list takes (max-message)"));
        else if (!fields)
                reply = smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        else if (p->header.is_too_large || p->header.n > HEADER_MOST ||
                 mail_header_index(str_of(p->header.text, p->header.n), fields, FIELDS_MOST, &header) !=
                         ERR_OK)
                reply = smtp_reply_of(552, 3, 4, S("the header is too large"));
        else
                reply = check_header(p, &header);
        if (reply.code != 0)
                store_intake_abort(p->intake);
        else
                reply = keep(p, &header, has_8bit);
        free(fields);
        return reply;
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct post *p = state;
        struct smtp_reply reply = judge(p, size, has_8bit);
        log_post(p, smtp_reply_is_positive(&reply) ? "accepted" : "refused", size, &reply);
        release(p);
        return reply;
}

const struct inbound_target post_in = {.begin = begin, .body = body, .end = end, .drop = drop};
