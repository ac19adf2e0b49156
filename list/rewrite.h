/* SPDX-License-Identifier: ISC */
/* What a post looks like when it goes out: the fields of the list, whatever its settings change, and the proof that the
 * author's name may stay. Pure: no I/O, no allocation, no clock.
 *
 * The body is never touched: as it comes it goes to the spool, from the first byte behind the empty line to the last one. All that
 * is decided stands around it, and is decided in one call at the final dot, when the verdicts are there:
 *
 *     header end     keep the header and its index; write none of it
 *     body chunks    write them as they come (and give them to the evaluation, as ever)
 *     final dot      write the front (Received, Authentication-Results, and Date and Message-ID where they are missing),
 *                    no fields of the list; then
 *                    rewrite_make(&r, &list, &post)  ERR_OK:
 *                      store_intake_write(i, r.tail)      behind the body; most often empty
 *                      store_intake_head(i, r.head)       in front of the body: the whole header but the front, with its
 *                                                         empty line, and the opening of a part when the body is wrapped
 *                      store_intake_commit with .front    the same bytes as post.front
 *
 * With default settings head is the list's fields and then the author's header as it came, without what must not go on.
 *
 * In front of the author's fields stand List-Id, List-Post, List-Help, List-Subscribe, List-Unsubscribe, List-Owner
 * (RFC 2369, RFC 2919), Precedence: list, and Sender: the list. Precedence and Sender are left alone when a signature that
 * passed covers them; a rewritten From takes the author's Sender away all the same. Beside a rewritten From there is ours, too,
 * unless such a signature covered the author's: whom the list transmits for is the author, whom Author names (RFC 5322 3.6.2,
 * RFC 9057).
 * Taken away are: what claims to be our own results (RFC 8601 5), all List- fields, for a message has one of each
 * (RFC 2369 4, RFC 2919 3), Sender and Precedence when ours take their place, Return-Path (RFC 5321 4.4), Bcc, and what makes
 * each member's program answer or obey: Disposition-Notification-To, Return-Receipt-To, X-Confirm-Reading-To, Errors-To,
 * Approve, Approved, X-Approve and X-Approved. All others, signatures and seals among them, stay where and as they are.
 *
 * `subject-prefix` stands once, behind a first "Re:", in front of the octets that the author wrote. `footer` makes
 * the message multipart/mixed: the author's entity, its Content- fields on it, is the first part octet for octet, however
 * it is signed or encrypted inside, and the footer the second. `reply-to` list or both: Reply-To is replaced; else it is
 * left alone.
 *
 * `from`: keep and rewrite do so. auto proves, then rewrites: the author's From stays when
 *   - no DMARC policy applies to the author's domain, or
 *   - the author's domain is ours, so that our signer signs for it, or
 *   - a signature passes on the very octets that go out, by our own verifier, for a domain that is aligned with the
 *     author's, and still will at `until_s`.
 * What goes to people of ours (`is_forward`, of NAME-owner) is proven and rewritten likewise, to that address, but only where
 * the author's domain asks to refuse or put aside what it cannot prove; else its fields stay as they came, and none of a list's
 * is added.
 * A body that was wrapped is not hashed again: its first line is a new one, so that only l=0 could still fit, which is
 * no pass. When From is rewritten it is "Author Name via NAME" at the list's address, what it was stands in Author (RFC 9057),
 * and in Reply-To unless there is one or `reply-to` says otherwise. */
#ifndef LIST_REWRITE_H
#define LIST_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/evaluate.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"
#include "list/setting.h"
#include "mail/header.h"

struct rewrite_list {
        struct str name, domain;               /* in lower case */
        const struct setting_values *settings; /* in force */
};

/* List-Id, List-Post (NO for announce), List-Help, List-Subscribe, List-Unsubscribe and List-Owner: of posts, and of what
 * the list itself writes.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err rewrite_list_fields(struct wr *w, const struct rewrite_list *list);

#define REWRITE_RANDOM 16 /* octets, for a boundary that no body has */

struct rewrite_post {
        const struct evaluate *verdicts; /* settled; of the message as it came */
        struct dkim_keys *keys;          /* that settled them */
        const struct mail_header
                *header;        /* as it came: no strays, no bad bytes, one From field that can be read */
        struct str front;       /* the fields that will stand in front */
        struct str authserv_id; /* ours */
        bool is_ours;           /* the author's domain is one of those that our signer signs for */
        bool is_8bit;           /* the body has octets beyond ASCII */
        bool is_forward; /* to people of ours, with all settings as by default: `list` names the address */
        int64_t until_s; /* until when a signature must hold: now and what a member's server may take to look */
        uint8_t random[REWRITE_RANDOM];
};

/* Why From stays or not, for logs and traces. */
enum rewrite_from {
        REWRITE_KEPT_BY_PROOF, /* the author's signature still passes */
        REWRITE_KEPT_NO_POLICY,
        REWRITE_KEPT_OURS,
        REWRITE_KEPT_BY_SETTING,
        REWRITE_DONE_NO_PROOF, /* no aligned signature passes on what goes out */
        REWRITE_DONE_BY_SETTING,
        REWRITE_FROM_COUNT
};
struct str rewrite_from_text(enum rewrite_from from); /* a word: "proven", "no-policy", ... */
bool rewrite_is_done(enum rewrite_from from);

/* Large: it belongs into the memory of a message, and only as much of it is touched as the message asks for. Not to be
 * moved while its slices are used. */
struct rewrite {
        struct str head, tail; /* borrowed from this struct */
        enum rewrite_from from;
        size_t forged; /* fields taken away since they claimed to be our own results */
        /* for the call */
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct dkim_verify proof;
        char tail_room[REWRITE_TAIL_MAX];
        char head_room[REWRITE_HEAD_MAX];
};

/*   ERR_OK      head, tail and from are filled
 *   ERR_LIMIT   the header would be larger than REWRITE_HEAD_MAX, or have more fields than MAIL_FIELDS_MAX: 552 5.3.4
 *   ERR_SYNTAX  a setting cannot be written into a header (setting_check would have refused it)
 * On errors head and tail are empty. */
MUST_USE enum err rewrite_make(
        struct rewrite *r, const struct rewrite_list *list, const struct rewrite_post *post);

#endif
