/* SPDX-License-Identifier: ISC */
#include "list/why.h"

#include "auth/arc.h"
#include "auth/dkim.h"
#include "auth/dkim_name.h"
#include "auth/field.h"
#include "base/check.h"
#include "base/time_text.h"
#include "list/said.h"

#define WORD_MAX 640  /* of what stands before the colon: a time and an address at most */
#define TEXT_MAX 1024 /* of what one line says */
#define REASON_MAX (2 * DKIM_REASON_MAX + 64)

/* ---- lines ---- */

void why_line_write(struct wr *w, struct str word, struct str text)
{
        char buffer[WHY_LINE_MAX];
        struct wr line;
        wr_init(&line, buffer, sizeof buffer);
        field_write_clean(&line, word, WORD_MAX);
        wr_str(&line, S(": "));
        field_write_clean(&line, str_trim(str_take(text, str_find_byte(text, '\n'))), TEXT_MAX);
        wr_byte(&line, '\n');
        CHECK(!line.full);
        wr_str(w, wr_text(&line));
}

/* What one line says, piece by piece. */
struct saying {
        struct wr w;
        char text[REASON_MAX];
};

static struct wr *begin(struct saying *s)
{
        wr_init(&s->w, s->text, sizeof s->text);
        return &s->w;
}

static void say(struct saying *s, struct wr *w, const char *word)
{
        why_line_write(w, str_of_c(word), wr_text(&s->w));
}

/* ---- the trace ---- */

static void write_author(struct wr *w, const struct evaluate *e)
{
        static const char *const proofs[] = {[POSTING_PROVEN] = "proven",
                [POSTING_UNKNOWN] = "not known to be proven",
                [POSTING_UNPROVEN] = "not proven",
                [POSTING_NOBODY] = "nobody"};
        struct saying s;
        posting_author_write(begin(&s), e);
        wr_str(&s.w, s.w.n > 0 ? S(", ") : S(""));
        wr_str(&s.w, str_of_c(proofs[posting_proof(e)]));
        say(&s, w, "author");
}

static void write_spf(struct wr *w, const struct evaluate *e)
{
        struct saying s;
        wr_str(begin(&s), spf_result_text(e->out.spf.result));
        wr_str(&s.w, S(" for "));
        wr_str(&s.w, e->out.spf.domain.n > 0 ? str_take(e->out.spf.domain, TEXT_MAX / 2) : S("nobody"));
        if (e->out.spf.result != SPF_PASS) {
                wr_str(&s.w, S(", "));
                spf_reason_write(&s.w, &e->out.spf);
        }
        say(&s, w, "spf");
}

static void write_dkim(struct wr *w, const struct evaluate *e)
{
        struct saying s;
        for (size_t i = 0; i < e->out.dkim_count; i++) {
                const struct dkim_verdict *v = &e->out.dkim[i];
                const struct dkim_signature *signature = &e->dkim.list[i].signature;
                wr_str(begin(&s), dkim_result_text(v->result));
                wr_str(&s.w, S(" for "));
                dkim_name_write(&s.w, signature->domain);
                wr_str(&s.w, S(", selector "));
                dkim_name_write(&s.w, signature->selector);
                if (v->fault != DKIM_OK) {
                        wr_str(&s.w, S(", "));
                        dkim_reason_write(&s.w, v->fault, v->detail, signature->selector, signature->domain);
                }
                say(&s, w, "dkim");
        }
        if (e->out.dkim_count == 0)
                why_line_write(w, S("dkim"), S("none"));
}

static void write_dmarc(struct wr *w, const struct evaluate *e)
{
        const struct dmarc_verdict *v = &e->out.dmarc;
        struct saying s;
        wr_str(begin(&s), dmarc_result_text(v->result));
        if (v->policy_domain.n > 0) {
                wr_str(&s.w, S(", "));
                dns_name_write(&s.w, &v->policy_domain);
                wr_str(&s.w, S(" asks for "));
                wr_str(&s.w, dmarc_policy_text(v->policy));
        }
        if (v->result != DMARC_PASS) {
                wr_str(&s.w, S(", "));
                dmarc_reason_write(&s.w, v);
        }
        say(&s, w, "dmarc");
}

static void write_arc(struct wr *w, const struct evaluate *e)
{
        const struct arc_verdict *v = &e->out.arc;
        struct saying s;
        wr_str(begin(&s), arc_cv_text(v->cv));
        if (v->cv == ARC_FAIL) {
                wr_str(&s.w, S(", "));
                arc_reason_write(&s.w, v);
        }
        say(&s, w, "arc");
}

static void write_rule(struct wr *w, const struct why_arrival *a)
{
        struct saying s;
        wr_str(begin(&s), S("posting "));
        wr_str(&s.w, str_take(a->posting, TEXT_MAX / 2));
        wr_str(&s.w, a->author.is_member ? S(", the author is a member") : S(", the author is no member"));
        if (a->author.is_moderator)
                wr_str(&s.w, S(" and a moderator"));
        if (a->author.is_banned)
                wr_str(&s.w, S(" and banned"));
        if (a->author.is_new)
                wr_str(&s.w, S(" whose first post waits"));
        say(&s, w, "rule");
}

static void write_answer(struct wr *w, const struct why_arrival *a)
{
        struct saying s;
        wr_u64(begin(&s), a->answer.code);
        if (a->answer.code == 250) {
                wr_str(&s.w, a->answer.is_held ? S(" held for the moderators") : S(" accepted"));
        } else {
                wr_byte(&s.w, ' ');
                wr_u64(&s.w, a->answer.code / 100);
                wr_byte(&s.w, '.');
                wr_u64(&s.w, a->answer.subject);
                wr_byte(&s.w, '.');
                wr_u64(&s.w, a->answer.detail);
                wr_byte(&s.w, ' ');
                wr_str(&s.w, str_take(a->text, TEXT_MAX));
        }
        say(&s, w, "answer");
}

void why_trace_write(struct wr *w, const struct why_arrival *arrival)
{
        write_author(w, arrival->evaluate);
        write_rule(w, arrival);
        write_answer(w, arrival);
        write_dmarc(w, arrival->evaluate);
        write_spf(w, arrival->evaluate);
        write_dkim(w, arrival->evaluate);
        write_arc(w, arrival->evaluate);
}

/* ---- what is told ---- */

void why_head_write(struct wr *w, const struct why_message *message)
{
        struct saying s;
        struct str trace = message->trace, line, word, text;
        why_line_write(w, S("message"), message->message_id);
        why_line_write(w, S("list"), message->list);
        time_write_rfc3339(begin(&s), message->received_ms);
        say(&s, w, "received");
        why_line_write(w, S("envelope"), message->sender.n > 0 ? message->sender : S("<>"));
        while (trace.n > 0) {
                (void)str_cut(trace, '\n', &line, &trace);
                if (str_cut(line, ':', &word, &text))
                        why_line_write(w, word, str_trim(text));
        }
        why_line_write(w, S("state"), message->state);
        wr_u64(begin(&s), message->left);
        say(&s, w, "left");
}

void why_result_write(struct wr *w, const struct why_result *result)
{
        struct saying s, word;
        time_write_rfc3339(begin(&word), result->time_ms);
        wr_str(&word.w, result->is_delivered ? S(" delivered ") : S(" not delivered "));
        field_write_clean(&word.w, result->address, TEXT_MAX / 2);
        begin(&s);
        said_write_coded(&s.w, result->code, result->reply, TEXT_MAX);
        why_line_write(w, wr_text(&word.w), s.w.n > 0 ? wr_text(&s.w) : S("no answer"));
}
