/* SPDX-License-Identifier: ISC */
/* What rewrite.c (the order of things), rewrite_fields.c (the list's fields), rewrite_author.c (From, Author, Reply-To) and
 * rewrite_subject.c share. */
#ifndef LIST_REWRITE_INTERNAL_H
#define LIST_REWRITE_INTERNAL_H

#include "list/rewrite.h"
#include "mail/address.h"

/* A setting's text; empty for "none". */
struct str rewrite_text(const struct rewrite_list *list, enum setting_id id);
/* NAME@DOMAIN */
struct mail_address rewrite_address(const struct rewrite_list *list);
/* Another name for the field with this body, whose octets stay as they are. Without its CRLF. */
void rewrite_renamed(struct wr *w, struct str name, struct str body);

/* `From: "Author Name via NAME" <NAME@DOMAIN>`; `body` is that of the author's.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err rewrite_from_field(struct wr *w, const struct rewrite_list *list, struct str body);

/* What becomes of Reply-To. */
enum rewrite_reply {
        REWRITE_REPLY_LEFT,
        REWRITE_REPLY_AUTHOR, /* the author's From */
        REWRITE_REPLY_LIST,
        REWRITE_REPLY_BOTH /* the author's Reply-To or From, and the list */
};
enum rewrite_reply rewrite_reply_of(
        const struct rewrite_list *list, const struct mail_header *header, bool is_from_done);
/* Not for REWRITE_REPLY_LEFT.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err rewrite_reply_field(struct wr *w, const struct rewrite_list *list,
        const struct mail_header *header, enum rewrite_reply reply);

/* Is the prefix there already, with nothing or a blank before it? */
bool rewrite_subject_has(struct str body, struct str prefix);
/* `body` is the author's; empty when there is no such field.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err rewrite_subject_field(struct wr *w, struct str prefix, struct str body);

#endif
