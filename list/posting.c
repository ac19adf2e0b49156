/* SPDX-License-Identifier: ISC */
#include "list/posting.h"

#include "auth/dkim_name.h"
#include "base/ascii.h"
#include "base/check.h"

#define LINE_MAX 300       /* of one line of a refusal: what is longer loses its end */
#define SIGNATURES 3       /* that a refusal speaks of */
#define RECORD_MAX 80      /* octets of a policy record that it shows */
#define ADMINISTRATIVE 1   /* X.7.1 (RFC 3463) */
#define DKIM_NOT_PASSED 20 /* X.7.20 (RFC 7372), and so on */
#define SPF_NOT_PASSED 23
#define SPF_HAS_FAULT 24
#define SEVERAL_NOT_PASSED 26

static const struct {
        const char *word, *may, *is_none;
} rules[POSTING_RULES] = {
        [POSTING_SUBSCRIBERS] = {"subscribers", "only subscribers may post to this list",
                " is no subscriber"},
        [POSTING_OPEN] = {"open", "anyone who is proven to be the author may post to this list", ""},
        [POSTING_MODERATED] = {"moderated", "moderators look at what others post to this list", ""},
        [POSTING_ANNOUNCE] = {"announce", "only moderators may post to this list", " is no moderator"},
};

enum posting_rule posting_rule_of(struct str value)
{
        for (size_t i = 0; i < POSTING_RULES; i++)
                if (str_eq(value, str_of_c(rules[i].word)))
                        return (enum posting_rule)i;
        return POSTING_ANNOUNCE;
}

/* ---- is the author proven? ---- */

static bool is_authors(const struct evaluate *e, struct str domain)
{
        struct dns_name name;
        return dmarc_name_of(domain, &name) && dns_name_eq(&name, &e->out.author.domain);
}

/* What the identifiers of exactly the author's domain come to, and in `*is_open` whether another one could still count
 * once DMARC's policy were known. */
static enum posting_proof exact_proof(const struct evaluate *e, bool *is_open)
{
        enum posting_proof proof = POSTING_UNPROVEN;
        *is_open = false;
        for (size_t i = 0; i <= e->out.dkim_count; i++) {
                const struct dmarc_identifier *id = &e->out.identifiers[i];
                if (id->state == DMARC_ID_OTHER)
                        continue;
                *is_open = true;
                if (!is_authors(e, id->domain))
                        continue;
                if (id->state == DMARC_ID_PASSED)
                        return POSTING_PROVEN;
                proof = POSTING_UNKNOWN;
        }
        return proof;
}

enum posting_proof posting_proof(const struct evaluate *e)
{
        bool is_open;
        if (e->out.author.fault != DMARC_OK)
                return POSTING_NOBODY;
        if (e->out.dmarc.result == DMARC_PASS)
                return POSTING_PROVEN;
        enum posting_proof exact = exact_proof(e, &is_open);
        if (exact == POSTING_UNPROVEN && is_open && e->out.dmarc.result == DMARC_TEMPERROR)
                return POSTING_UNKNOWN;
        return exact;
}

void posting_author_write(struct wr *w, const struct evaluate *e)
{
        if (e->out.author.fault == DMARC_OK)
                mail_address_write(w, &e->out.author.address);
}

/* ---- why not ---- */

/* A line of the answer, from texts that may be a stranger's. */
struct line {
        struct wr w;
        char text[2 * DKIM_REASON_MAX];
};

static struct wr *line_begin(struct line *l)
{
        wr_init(&l->w, l->text, sizeof l->text);
        return &l->w;
}

static void line_end(struct line *l, struct wr *w)
{
        struct str text = str_take(wr_text(&l->w), LINE_MAX);
        if (w->n > 0)
                wr_byte(w, '\n');
        for (size_t i = 0; i < text.n; i++)
                wr_byte(w, text.p[i] == ' ' || ascii_is_graph(text.p[i]) ? text.p[i] : '?');
}

/* Why the author matters: what it is about, the rule's word, and what it says. */
struct reason {
        struct str about, rule, says;
};

static struct reason reason_of(enum posting_rule rule)
{
        CHECK((size_t)rule < POSTING_RULES);
        return (struct reason){S("posting: "), str_of_c(rules[rule].word), str_of_c(rules[rule].may)};
}

static void write_rule(struct wr *w, struct reason why, const struct evaluate *e, struct str author_is)
{
        struct line l;
        struct wr *text = line_begin(&l);
        wr_str(text, why.about);
        wr_str(text, why.rule);
        wr_str(text, S(": "));
        wr_str(text, why.says);
        if (e->out.author.fault == DMARC_OK) {
                wr_str(text, S("; "));
                posting_author_write(text, e);
                wr_str(text, author_is);
        }
        line_end(&l, w);
}

static void write_dmarc(struct wr *w, const struct evaluate *e)
{
        const struct dmarc_verdict *v = &e->out.dmarc;
        struct line l;
        struct wr *text = line_begin(&l);
        wr_str(text, S("DMARC "));
        wr_str(text, dmarc_result_text(v->result));
        wr_str(text, S(": "));
        dmarc_reason_write(text, v);
        if (v->policy_domain.n > 0) {
                wr_str(text, S("; _dmarc."));
                dns_name_write(text, &v->policy_domain);
                wr_str(text, S(" says "));
                wr_str(text, str_take(v->record_text, RECORD_MAX));
        } else if (v->result == DMARC_NONE) {
                wr_str(text, S("; then SPF or DKIM has to pass for exactly this domain"));
        }
        line_end(&l, w);
}

static void write_spf(struct wr *w, const struct evaluate *e)
{
        const struct spf_verdict *v = &e->out.spf;
        struct line l;
        struct wr *text = line_begin(&l);
        wr_str(text, S("SPF "));
        wr_str(text, spf_result_text(v->result));
        if (v->domain.n > 0) {
                wr_str(text, v->is_helo ? S(" of HELO ") : S(" of MAIL FROM @"));
                wr_str(text, v->domain);
        }
        wr_str(text, S(": "));
        spf_reason_write(text, v);
        if (v->result == SPF_PASS)
                wr_str(text, S("; that is not the author's domain"));
        line_end(&l, w);
}

static void write_signature(struct wr *w, const struct evaluate *e, size_t i)
{
        const struct dkim_verdict *v = &e->out.dkim[i];
        const struct dkim_signature *s = &e->dkim.list[i].signature;
        struct line l;
        struct wr *text = line_begin(&l);
        wr_str(text, S("DKIM "));
        wr_str(text, dkim_result_text(v->result));
        if (s->domain.n > 0) {
                wr_str(text, S(" of d="));
                dkim_name_write(text, s->domain);
        }
        wr_str(text, S(": "));
        if (v->fault != DKIM_OK)
                dkim_reason_write(text, v->fault, v->detail, s->selector, s->domain);
        else
                wr_str(text, v->testing ? S("its key is for tests only (t=y)")
                                        : S("that is not the author's domain"));
        line_end(&l, w);
}

/* Those of the author's domain first. */
static void write_signatures(struct wr *w, const struct evaluate *e)
{
        size_t written = 0;
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < e->out.dkim_count && written < SIGNATURES; i++)
                        if (is_authors(e, e->dkim.list[i].signature.domain) == (pass == 0)) {
                                write_signature(w, e, i);
                                written++;
                        }
        if (written == 0) {
                struct line l;
                wr_str(line_begin(&l), S("DKIM none: the message has no signature"));
                line_end(&l, w);
        }
}

/* The check that explains it alone. Without a policy SPF and DKIM are asked only of the author's own domain, and one
 * that says nothing there explains nothing. */
static unsigned detail_of(const struct evaluate *e)
{
        const struct spf_verdict *spf = &e->out.spf;
        bool has_spf = spf->result != SPF_NONE && is_authors(e, spf->domain), has_dkim = false;
        if (e->out.dmarc.result != DMARC_NONE)
                return SEVERAL_NOT_PASSED;
        for (size_t i = 0; i < e->out.dkim_count; i++)
                has_dkim = has_dkim || is_authors(e, e->dkim.list[i].signature.domain);
        if (has_spf == has_dkim)
                return ADMINISTRATIVE;
        if (has_dkim)
                return DKIM_NOT_PASSED;
        return spf->result == SPF_TEMPERROR || spf->result == SPF_PERMERROR ? SPF_HAS_FAULT : SPF_NOT_PASSED;
}

static struct posting_answer answer_of(unsigned code, unsigned subject, unsigned detail)
{
        return (struct posting_answer){.code = code, .subject = subject, .detail = detail};
}

static struct posting_answer refuse_unproven(
        const struct evaluate *e, struct reason why, enum posting_proof proof, struct wr *w)
{
        bool is_unknown = proof == POSTING_UNKNOWN;
        write_rule(w, why, e,
                is_unknown ? S(" cannot be proven to be the author now, try again later")
                           : S(" is not proven to be the author"));
        write_dmarc(w, e);
        if (proof == POSTING_NOBODY)
                return answer_of(550, 7, ADMINISTRATIVE);
        write_spf(w, e);
        write_signatures(w, e);
        return answer_of(is_unknown ? 451 : 550, 7, detail_of(e));
}

/* ---- what the rule says of a proven author ---- */

enum way { POST_GOES, POST_WAITS, POST_REFUSED };

static enum way way_of(enum posting_rule rule, struct posting_author author)
{
        const enum way way = author.is_new && !author.is_moderator ? POST_WAITS : POST_GOES;
        switch (rule) {
        case POSTING_OPEN:
                return way;
        case POSTING_SUBSCRIBERS:
                return author.is_member ? way : POST_REFUSED;
        case POSTING_MODERATED:
                return author.is_moderator ? POST_GOES : POST_WAITS;
        default:
                return author.is_moderator ? POST_GOES : POST_REFUSED;
        }
}

struct posting_answer posting_judge(
        const struct evaluate *e, enum posting_rule rule, struct posting_author author, struct wr *w)
{
        enum posting_proof proof = posting_proof(e);
        struct posting_answer answer = answer_of(250, 0, 0);
        struct reason why = reason_of(rule);
        if (proof != POSTING_PROVEN)
                return refuse_unproven(e, why, proof, w);
        enum way way = author.is_banned ? POST_REFUSED : way_of(rule, author);
        answer.is_held = way == POST_WAITS;
        if (way != POST_REFUSED)
                return answer;
        write_rule(
                w, why, e, author.is_banned ? S(" is banned from this list") : str_of_c(rules[rule].is_none));
        return answer_of(550, 7, ADMINISTRATIVE);
}

struct posting_answer posting_demand_proof(const struct evaluate *e, struct wr *w)
{
        enum posting_proof proof = posting_proof(e);
        struct reason why = {
                S(""), S("commands"), S("only who is proven to be the author is obeyed and answered")};
        return proof == POSTING_PROVEN ? answer_of(250, 0, 0) : refuse_unproven(e, why, proof, w);
}
