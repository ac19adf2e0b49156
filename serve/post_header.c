/* SPDX-License-Identifier: ISC */
#include "auth/dkim_sign.h"
#include "serve/post.h"

/* What nec's signature covers, field by field: List-Id, List-Post, Date and Message-ID may be ours. */
#define COVERED_MOST (DKIM_COVERED_MAX - 4)

#define AUTHORS_MAX 8 /* that are counted of a From field */

static bool has_own_list_id(const struct post *p)
{
        char own[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 4];
        struct wr w;
        wr_init(&w, own, sizeof own);
        wr_byte(&w, '<');
        wr_str(&w, p->envelope->list.name);
        wr_byte(&w, '.');
        wr_str(&w, p->envelope->list.domain);
        wr_byte(&w, '>');
        for (size_t i = 0; i < mail_header_count(&p->index, S("List-Id")); i++) {
                struct str value = str_trim(mail_header_nth(&p->index, S("List-Id"), i)->body);
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

static struct smtp_reply check_fields(const struct post *p)
{
        const struct mail_header *header = &p->index;
        bool is_post = p->envelope->list.id != 0;
        if (header->strays > 0 || header->bad_bytes > 0)
                return smtp_reply_of(554, 6, 0, S("the header has a line that is no field"));
        struct smtp_reply reply = check_author(header);
        if (reply.code != 0)
                return reply;
        if (dkim_sign_covered(header, dkim_cover_default, dkim_cover_default_count) > COVERED_MOST)
                return smtp_reply_of(554, 6, 0, S("the header repeats fields too often"));
        if (mail_header_count(header, S("Received")) > MAIL_RECEIVED_MAX)
                return smtp_reply_of(554, 4, 6, S("too many Received fields: the message goes in a circle"));
        if (is_post && has_own_list_id(p))
                return smtp_reply_of(
                        554, 4, 6, S("it came from this list already: the message goes in a circle"));
        if (is_post && is_automatic_reply(header))
                return smtp_reply_of(554, 7, 1, S("a list takes no automatic replies"));
        return (struct smtp_reply){0};
}

struct smtp_reply post_header_check(struct post *p)
{
        struct str text = str_of(p->header.text, p->header.n);
        if (p->header.is_out_of_memory)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        if (p->header.is_too_large || text.n > POST_HEADER_MAX ||
                mail_header_index(text, p->fields, POST_FIELDS_MAX, &p->index) != ERR_OK)
                return smtp_reply_of(552, 3, 4, S("the header is too large"));
        return check_fields(p);
}

/* In as few pieces as there are: most often one. */
enum err post_header_write(struct post *p)
{
        struct str rest = str_of(p->header.text, p->header.n);
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < p->index.n; i++) {
                const struct mail_field *field = &p->index.fields[i];
                if (!authres_is_forged(field, p->envelope->node->authserv_id))
                        continue;
                size_t before = (size_t)(field->raw.p - rest.p);
                e = store_intake_write(p->intake, str_take(rest, before));
                rest = str_skip(rest, before + field->raw.n);
                p->forged++;
        }
        return e == ERR_OK ? store_intake_write(p->intake, rest) : e;
}
