/* SPDX-License-Identifier: ISC */
#include "auth/dkim_sign.h"
#include "serve/post.h"

static bool has_own_list_id(const struct arrival *a)
{
        char own[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 4];
        struct wr w;
        wr_init(&w, own, sizeof own);
        wr_byte(&w, '<');
        wr_str(&w, a->envelope->list.name);
        wr_byte(&w, '.');
        wr_str(&w, a->envelope->list.domain);
        wr_byte(&w, '>');
        for (size_t i = 0; i < mail_header_count(&a->index, S("List-Id")); i++) {
                struct str value = str_trim(mail_header_nth(&a->index, S("List-Id"), i)->body);
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

struct smtp_reply post_header_check(const struct arrival *a)
{
        const struct mail_header *header = &a->index;
        bool is_post = post_is_for_list(a->envelope);
        if (dkim_sign_covered(header, dkim_cover_default, dkim_cover_default_count) >
                DKIM_COVERED_MAX - POST_COVERED_ADDED)
                return smtp_reply_of(554, 6, 0, S("the header repeats fields too often"));
        if (mail_header_count(header, S("Received")) > MAIL_RECEIVED_MAX)
                return smtp_reply_of(554, 4, 6, S("too many Received fields: the message goes in a circle"));
        if (is_post && has_own_list_id(a))
                return smtp_reply_of(
                        554, 4, 6, S("it came from this list already: the message goes in a circle"));
        if ((is_post || post_is_for_owner(a->envelope)) && is_automatic_reply(header))
                return smtp_reply_of(554, 7, 1, S("a list takes no automatic replies"));
        return (struct smtp_reply){0};
}

/* In as few pieces as there are: most often one. */
enum err post_header_write(struct post *p)
{
        const struct arrival *a = &p->arrival;
        struct str rest = arrival_header(a);
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < a->index.n; i++) {
                const struct mail_field *field = &a->index.fields[i];
                if (!authres_is_forged(field, a->envelope->node->authserv_id))
                        continue;
                size_t before = (size_t)(field->raw.p - rest.p);
                e = store_intake_write(p->intake, str_take(rest, before));
                rest = str_skip(rest, before + field->raw.n);
                p->forged++;
        }
        return e == ERR_OK ? store_intake_write(p->intake, rest) : e;
}
