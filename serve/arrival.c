/* SPDX-License-Identifier: ISC */
#include "serve/arrival.h"

#include "base/base32.h"
#include "base/check.h"
#include "list/posting.h"

#define AUTHORS_MAX 8 /* that are counted of a From field */
#define RANDOM_MAX 16

struct str arrival_random(struct host *h, char *text, size_t cap, size_t bytes)
{
        uint8_t random[RANDOM_MAX];
        struct wr w;
        CHECK(bytes <= sizeof random);
        host_random(h, random, bytes);
        wr_init(&w, text, cap);
        base32_encode(&w, str_of(random, bytes));
        return wr_text(&w);
}

void arrival_begin(struct arrival *a, const struct inbound_envelope *envelope, arrival_check *check)
{
        struct host *h = envelope->node->host;
        a->envelope = envelope;
        a->check = check;
        a->header = (struct inbound_header){0};
        a->is_taken = a->is_evaluating = a->is_evaluated = false;
        a->refusal = (struct smtp_reply){0};
        a->index = (struct mail_header){0};
        a->spf = (struct spf_input){.ip = envelope->peer.ip,
                .sender = envelope->sender,
                .helo = envelope->helo,
                .receiver = envelope->node->hostname,
                .now_s = host_wall_ms(h) / 1000};
        a->id = arrival_random(h, a->id_text, sizeof a->id_text, ARRIVAL_ID_BYTES);
}

/* ---- the header ---- */

static struct smtp_reply check_author(const struct mail_header *header)
{
        struct mail_mailbox authors[AUTHORS_MAX];
        size_t n = 0;
        if (mail_header_count(header, S("From")) != 1)
                return smtp_reply_of(554, 6, 0, S("a message has exactly one From field (RFC 5322 3.6)"));
        const struct mail_field *from = mail_header_first(header, S("From"));
        if (mail_addresses_parse(from->body, authors, AUTHORS_MAX, &n) != ERR_OK || n == 0)
                return smtp_reply_of(554, 6, 0, S("the From field holds no address that can be read"));
        return (struct smtp_reply){0};
}

static struct smtp_reply check_header(struct arrival *a)
{
        struct str text = arrival_header(a);
        struct mail_header *header = &a->index;
        if (a->header.is_out_of_memory)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        if (a->header.is_too_large || text.n > ARRIVAL_HEADER_MAX ||
                mail_header_index(text, a->fields, ARRIVAL_FIELDS_MAX, header) != ERR_OK)
                return smtp_reply_of(552, 3, 4, S("the header is too large"));
        if (header->strays > 0 || header->bad_bytes > 0)
                return smtp_reply_of(554, 6, 0, S("the header has a line that is no field"));
        struct smtp_reply reply = check_author(header);
        return reply.code != 0 ? reply : a->check(a);
}

/* The header is whole. */
static void take_header(struct arrival *a)
{
        a->is_taken = true;
        a->refusal = check_header(a);
        if (a->refusal.code != 0)
                return;
        evaluation_begin(&a->evaluation, &a->envelope->node->evaluations, &a->spf, &a->index);
        a->is_evaluating = true;
}

bool arrival_got(struct arrival *a, struct str *bytes)
{
        if (a->is_taken)
                return false;
        *bytes = str_skip(*bytes, inbound_header_got(&a->header, *bytes));
        if (a->header.is_complete)
                take_header(a);
        return a->is_taken;
}

bool arrival_header_end(struct arrival *a)
{
        if (a->is_taken)
                return false;
        take_header(a); /* there is no body */
        return true;
}

static void count_verdicts(struct lipap_stats *stats, const struct evaluate *e)
{
        stats->spf[e->out.spf.result]++;
        stats->dmarc[e->out.dmarc.result]++;
        stats->arc[e->out.arc.cv]++;
        for (size_t i = 0; i < e->out.dkim_count; i++)
                stats->dkim[e->out.dkim[i].result]++;
        if (e->out.dkim_count == 0)
                stats->dkim[DKIM_NONE]++;
}

struct smtp_reply arrival_settle(struct arrival *a)
{
        if (a->refusal.code != 0)
                return a->refusal;
        if (evaluation_end(&a->evaluation) != ERR_OK)
                return smtp_reply_of(421, 3, 2, S("shutting down, try again later"));
        a->is_evaluated = true;
        count_verdicts(&a->envelope->node->stats, &a->evaluation.evaluate);
        return (struct smtp_reply){0};
}

void arrival_drop(struct arrival *a)
{
        if (a->is_evaluating)
                evaluation_drop(&a->evaluation);
        inbound_header_free(&a->header);
}

/* ---- telling about it ---- */

struct smtp_reply arrival_refuse_unproven(const struct arrival *a)
{
        char text[POSTING_TEXT_MAX];
        struct str why;
        struct wr w;
        wr_init(&w, text, sizeof text);
        struct posting_answer answer = posting_demand_proof(&a->evaluation.evaluate, &w);
        if (arena_copy(a->envelope->arena, wr_text(&w), &why) != ERR_OK)
                why = S("the author is not proven");
        return smtp_reply_of((uint16_t)answer.code, (uint16_t)answer.subject, (uint16_t)answer.detail, why);
}

static void log_verdicts(struct log_line *l, const struct evaluate *e)
{
        char words[DKIM_SIGNATURES_MAX * 16], author[MAIL_ADDRESS_MAX];
        struct wr w;
        wr_init(&w, author, sizeof author);
        posting_author_write(&w, e);
        log_str(l, "author", wr_text(&w));
        log_str(l, "spf", spf_result_text(e->out.spf.result));
        wr_init(&w, words, sizeof words);
        for (size_t i = 0; i < e->out.dkim_count; i++) {
                wr_str(&w, i > 0 ? S(",") : S(""));
                wr_str(&w, dkim_result_text(e->out.dkim[i].result));
        }
        log_str(l, "dkim", w.n > 0 ? wr_text(&w) : dkim_result_text(DKIM_NONE));
        log_str(l, "dmarc", dmarc_result_text(e->out.dmarc.result));
        log_str(l, "arc", arc_cv_text(e->out.arc.cv));
}

void arrival_log(struct log_line *l, const struct arrival *a, uint64_t size, const struct smtp_reply *reply)
{
        const struct inbound_envelope *e = a->envelope;
        bool is_accepted = smtp_reply_is_positive(reply);
        log_begin(l, e->node->host, LOG_INFO, "smtp", is_accepted ? "accepted" : "refused");
        log_str(l, "id", a->id);
        log_ip_port(l, "peer", &e->peer);
        log_str(l, "from", e->sender);
        log_str(l, "to", e->recipient);
        log_u64(l, "size", size);
        log_u64(l, "code", reply->code);
        if (a->is_evaluated)
                log_verdicts(l, &a->evaluation.evaluate);
        if (!is_accepted)
                log_str(l, "text", reply->text);
}
