/* SPDX-License-Identifier: ISC */
#include "list/rewrite.h"

#include "auth/authres.h"
#include "auth/proof.h"
#include "auth/tags.h"
#include "list/rewrite_internal.h"
#include "mail/build.h"
#include "mail/mime_wrap.h"

/* One way of writing the header. */
struct job {
        const struct rewrite_list *list;
        const struct rewrite_post *post;
        const struct mail_header *header;
        const struct mime_wrap *wrap;    /* NULL: the body stays by itself */
        bool is_done;                    /* From is rewritten */
        bool has_sender, has_precedence; /* they are left alone */
        enum rewrite_reply reply;
        struct str prefix; /* to be put in front of the subject; empty: none */
        size_t forged;
        struct wr w;
};

/* ---- which fields stay ---- */

enum fate { FATE_STAYS, FATE_GOES, FATE_INSIDE, FATE_FROM, FATE_SUBJECT, FATE_REPLY };

/* Does a signature that passed say what stands in this field, or that there is none? */
static bool is_covered(const struct evaluate *e, struct str name)
{
        for (size_t i = 0; i < e->out.dkim_count; i++)
                if (e->out.dkim[i].result == DKIM_PASS &&
                        tags_has_item(e->dkim.list[i].signature.covered, name))
                        return true;
        return false;
}

static bool is_precedence_list(const struct mail_header *header)
{
        const struct mail_field *f = mail_header_first(header, S("Precedence"));
        return mail_header_count(header, S("Precedence")) == 1 && str_eq_nocase(str_trim(f->body), S("list"));
}

static bool is_unwelcome(struct str name)
{
        static const char *const names[] = {"Return-Path", "Bcc", "Disposition-Notification-To",
                "Return-Receipt-To", "X-Confirm-Reading-To", "Errors-To", "Approve", "Approved", "X-Approve",
                "X-Approved"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (str_eq_nocase(name, str_of_c(names[i])))
                        return true;
        return str_has_prefix_nocase(name, S("List-"));
}

static enum fate fate_of(const struct job *j, const struct mail_field *f)
{
        static const struct {
                const char *name;
                enum fate fate;
        } changed[] = {{"From", FATE_FROM}, {"Subject", FATE_SUBJECT}, {"Reply-To", FATE_REPLY}};
        for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++)
                if (str_eq_nocase(f->name, str_of_c(changed[i].name)))
                        return changed[i].fate;
        if (str_eq_nocase(f->name, S("Author")))
                return j->is_done ? FATE_GOES : FATE_STAYS;
        if (j->post->is_forward)
                return FATE_STAYS;
        if (is_unwelcome(f->name))
                return FATE_GOES;
        if (str_eq_nocase(f->name, S("Sender")))
                return j->has_sender && !j->is_done ? FATE_STAYS : FATE_GOES;
        if (str_eq_nocase(f->name, S("Precedence")))
                return j->has_precedence ? FATE_STAYS : FATE_GOES;
        return j->wrap && mime_is_content_field(f->name) ? FATE_INSIDE : FATE_STAYS;
}

/* ---- writing them ---- */

static void write_raw(struct job *j, struct str raw)
{
        wr_str(&j->w, raw);
        if (!str_has_suffix_nocase(raw, S("\r\n"))) /* the last one, of a message that ends with it */
                wr_str(&j->w, S("\r\n"));
}

static enum err write_of_list(struct job *j)
{
        struct mail_address own = rewrite_address(j->list);
        struct mail_person sender = {.display = S(""), .address = own};
        enum err e = rewrite_list_fields(&j->w, j->list);
        if (e == ERR_OK && !j->has_precedence)
                e = mail_build_unstructured(&j->w, S("Precedence"), S("list"));
        if (e == ERR_OK && !j->has_sender)
                e = mail_build_persons(&j->w, S("Sender"), &sender, 1);
        return e;
}

/* What stands in front of the author's fields. */
static enum err write_added(struct job *j)
{
        enum err e = j->post->is_forward ? ERR_OK : write_of_list(j);
        if (e == ERR_OK && j->prefix.n > 0 && mail_header_count(j->header, S("Subject")) == 0)
                e = rewrite_subject_field(&j->w, j->prefix, S(""));
        if (e == ERR_OK && j->reply != REWRITE_REPLY_LEFT)
                e = rewrite_reply_field(&j->w, j->list, j->header, j->reply);
        return e;
}

static enum err write_from(struct job *j, const struct mail_field *f)
{
        if (!j->is_done) {
                write_raw(j, f->raw);
                return ERR_OK;
        }
        rewrite_renamed(&j->w, S("Author"), f->body);
        wr_str(&j->w, S("\r\n"));
        return rewrite_from_field(&j->w, j->list, f->body);
}

static enum err write_subject(struct job *j, const struct mail_field *f)
{
        if (j->prefix.n > 0 && f == mail_header_first(j->header, S("Subject")))
                return rewrite_subject_field(&j->w, j->prefix, f->body);
        write_raw(j, f->raw);
        return ERR_OK;
}

static enum err write_field(struct job *j, const struct mail_field *f)
{
        if (authres_is_forged(f, j->post->authserv_id)) {
                j->forged++;
                return ERR_OK;
        }
        switch (fate_of(j, f)) {
        case FATE_FROM:
                return write_from(j, f);
        case FATE_SUBJECT:
                return write_subject(j, f);
        case FATE_REPLY:
                if (j->reply == REWRITE_REPLY_LEFT)
                        write_raw(j, f->raw);
                return ERR_OK;
        case FATE_STAYS:
                write_raw(j, f->raw);
                return ERR_OK;
        default:
                return ERR_OK;
        }
}

/* The whole header, with the author's From or with the list's.
 *   ERR_OK, ERR_LIMIT, ERR_SYNTAX */
static enum err write_head(struct job *j, bool is_done)
{
        j->is_done = is_done;
        j->forged = j->w.n = 0;
        j->reply = rewrite_reply_of(j->list, j->header, is_done);
        enum err e = write_added(j);
        for (size_t i = 0; e == ERR_OK && i < j->header->n; i++)
                e = write_field(j, &j->header->fields[i]);
        if (j->wrap)
                mime_wrap_fields(j->wrap, &j->w, j->header, j->post->is_8bit);
        wr_str(&j->w, S("\r\n"));
        if (j->wrap)
                mime_wrap_open(j->wrap, &j->w, j->header);
        if (j->w.full || e == ERR_SPACE)
                return ERR_LIMIT;
        return e == ERR_OK ? ERR_OK : ERR_SYNTAX;
}

/* ---- may From stay? ---- */

/* The header as it will be: our front and what was written.
 *   ERR_OK, ERR_LIMIT */
static enum err index_outgoing(struct rewrite *r, const struct job *j, struct mail_header *out)
{
        struct mail_header front;
        enum err e = mail_header_index(j->post->front, r->fields, MAIL_FIELDS_MAX, &front);
        if (e == ERR_OK)
                e = mail_header_index(wr_text(&j->w), r->fields + front.n, MAIL_FIELDS_MAX - front.n, out);
        out->fields = r->fields;
        out->n += front.n;
        return e;
}

/* Need those who get it no proof of the author? Posts have one under any policy, forwards where it asks for more than reports. */
static bool is_without_policy(const struct rewrite_post *post)
{
        const struct dmarc_verdict *dmarc = &post->verdicts->out.dmarc;
        return dmarc->result == DMARC_NONE ||
               (post->is_forward && dmarc->policy_domain.n > 0 && dmarc->policy == DMARC_POLICY_NONE);
}

/* Writes the header; `r->from` says which. */
static enum err decide(struct rewrite *r, struct job *j)
{
        const struct rewrite_post *post = j->post;
        struct mail_header outgoing;
        bool is_auto = false;
        if (setting_is(j->list->settings, SETTING_FROM, S("rewrite")))
                r->from = REWRITE_DONE_BY_SETTING;
        else if (setting_is(j->list->settings, SETTING_FROM, S("keep")))
                r->from = REWRITE_KEPT_BY_SETTING;
        else if (post->is_ours)
                r->from = REWRITE_KEPT_OURS;
        else if (is_without_policy(post))
                r->from = REWRITE_KEPT_NO_POLICY;
        else
                is_auto = true;
        if (!is_auto)
                return write_head(j, rewrite_is_done(r->from));
        enum err e = ERR_OK;
        r->from = REWRITE_DONE_NO_PROOF;
        if (!j->wrap) {
                e = write_head(j, false);
                if (e == ERR_OK)
                        e = index_outgoing(r, j, &outgoing);
                if (e == ERR_OK &&
                        proof_holds(&r->proof, post->verdicts, post->keys, &outgoing, post->until_s))
                        r->from = REWRITE_KEPT_BY_PROOF;
        }
        return e == ERR_OK && rewrite_is_done(r->from) ? write_head(j, true) : e;
}

enum err rewrite_make(struct rewrite *r, const struct rewrite_list *list, const struct rewrite_post *post)
{
        struct str footer = rewrite_text(list, SETTING_FOOTER),
                   prefix = rewrite_text(list, SETTING_SUBJECT_PREFIX);
        const struct mail_field *subject = mail_header_first(post->header, S("Subject"));
        struct mime_wrap wrap;
        struct wr tail;
        struct job j = {.list = list,
                .post = post,
                .header = post->header,
                .wrap = footer.n > 0 ? &wrap : NULL,
                .has_sender = is_covered(post->verdicts, S("Sender")),
                .has_precedence =
                        is_precedence_list(post->header) || is_covered(post->verdicts, S("Precedence")),
                .prefix = subject && rewrite_subject_has(subject->body, prefix) ? S("") : prefix};
        r->head = r->tail = S("");
        r->forged = 0;
        wr_init(&j.w, r->head_room, sizeof r->head_room);
        wr_init(&tail, r->tail_room, sizeof r->tail_room);
        if (j.wrap) {
                mime_wrap_init(&wrap, str_of(post->random, sizeof post->random));
                mime_wrap_close(&wrap, &tail, footer);
        }
        if (mail_header_count(post->header, S("From")) != 1)
                return ERR_SYNTAX;
        enum err e = decide(r, &j);
        if (e != ERR_OK || tail.full)
                return e == ERR_OK ? ERR_LIMIT : e;
        r->head = wr_text(&j.w);
        r->tail = wr_text(&tail);
        r->forged = j.forged;
        return ERR_OK;
}

/* ---- words ---- */

struct str rewrite_from_text(enum rewrite_from from)
{
        static const char *const words[REWRITE_FROM_COUNT] = {
                [REWRITE_KEPT_BY_PROOF] = "proven",
                [REWRITE_KEPT_NO_POLICY] = "no-policy",
                [REWRITE_KEPT_OURS] = "ours",
                [REWRITE_KEPT_BY_SETTING] = "kept",
                [REWRITE_DONE_NO_PROOF] = "rewritten-no-proof",
                [REWRITE_DONE_BY_SETTING] = "rewritten",
        };
        return str_of_c(words[from]);
}

bool rewrite_is_done(enum rewrite_from from)
{
        return from == REWRITE_DONE_NO_PROOF || from == REWRITE_DONE_BY_SETTING;
}
