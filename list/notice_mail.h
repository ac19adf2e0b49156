/* SPDX-License-Identifier: ISC */
/* A notice (list/notice.h) as a message: header and text in the list's language, from a built-in template or one that the
 * owner of the image put there. Pure: no I/O, no clock, no allocation; time and random octets come from the caller.
 *
 * The text is quoted-printable UTF-8, so that only an attached post can need 8BITMIME or SMTPUTF8. The message is made in two
 * parts, with room for what the caller streams between them:
 *     before
 *     NOTICE_POST_WAITS: the held post, byte for byte;
 *     NOTICE_MEMBERS, NOTICE_WHY: any number of lines, each by notice_mail_line; nothing for other kinds
 *     after
 * It goes out with the null sender (RFC 3834 3.3) and says Auto-Submitted; what is automatic itself is never answered
 * (mail/automatic.h), which is for the caller to see to before there is a notice. */
#ifndef LIST_NOTICE_MAIL_H
#define LIST_NOTICE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "list/command.h"
#include "list/notice.h"
#include "list/setting.h"

#define NOTICE_RANDOM_SIZE 16
#define NOTICE_TEMPLATE_MAX (16 * 1024) /* octets of an owner's template */
#define NOTICE_BEFORE_MAX (256 * 1024)  /* room that a built-in template never exceeds */
#define NOTICE_AFTER_MAX (64 * 1024)
#define NOTICE_LINE_MAX 8192 /* room for one streamed line of up to 2048 octets */

struct notice_mail {
        enum notice_kind kind;
        struct str list, domain;               /* "ptt", "mailingl.st" */
        const struct setting_values *settings; /* of the list, in force; for language and description too */
        const bool *options; /* NOTICE_OPTIONS: MEMBER_OPTIONS of them, the member's; else NULL */
        struct str to;       /* "local@domain"; empty: the list's moderators */
        struct str about;    /* as list/notice.h */
        struct str text;     /* as list/notice.h */
        struct str token;    /* list/token.h; for kinds with notice_needs_token */
        struct str
                answers; /* Message-ID, with brackets, of the mail by `to` that this answers; if empty or wrong: none */
        struct str template; /* the owner's, which notice_template_check let through; empty: the built-in one */
        bool post_is_8bit;   /* NOTICE_POST_WAITS: the attached post has 8-bit octets */
        bool post_is_smtputf8; /* NOTICE_POST_WAITS: its header has UTF-8 (RFC 6532) */
        int64_t now_ms;
        uint8_t random[NOTICE_RANDOM_SIZE];
};

/* What goes into the row of the message. */
struct notice_made {
        struct str message_id; /* with brackets; borrowed from `before` */
        bool is_8bit, is_smtputf8;
};

/* What serves the token: an answer to NAME-confirm-TOKEN, or a decision at NAME-accept-TOKEN. */
enum notice_token { NOTICE_TOKEN_NONE, NOTICE_TOKEN_CONFIRM, NOTICE_TOKEN_DECIDE };
enum notice_token notice_needs_token(enum notice_kind kind);

/*   ERR_OK
 *   ERR_SYNTAX  `to`, or an address of the list, is no address, or `token` is not there and is needed
 *   ERR_SPACE   `before` or `after` is too small; with a template of the owner's, try the built-in one
 * On errors nothing stands in `before` and `after`. */
MUST_USE enum err notice_mail_write(
        const struct notice_mail *mail, struct wr *before, struct wr *after, struct notice_made *made);
/* A line of a streamed text, UTF-8, encoded as `before` said. Control characters become spaces. */
void notice_mail_line(struct wr *w, struct str line);

/* Where an owner's template may lie in the image: number `nth` (from 0) of the places to look at, the list's own first, in
 * the language of the list. False: no more.  "templates/NAME@DOMAIN/KIND.LANG.txt", "templates/KIND.LANG.txt" */
bool notice_template_path(const struct notice_mail *mail, size_t nth, struct wr *w);
/* May it be used? "Subject: ..." is its first line, then comes an empty one, then the text; "{word}" stands for what
 * docs/lists.md says. Lines end with LF or CRLF. `*line` is where the fault is, from 1.
 *   ERR_OK
 *   ERR_SYNTAX       no subject, no text, a control character, ill-formed UTF-8 or a "{" that begins no word
 *   ERR_UNSUPPORTED  a word that this kind does not have
 *   ERR_NOT_FOUND    a word is missing without which the mail is of no use, such as {accept}; `*line` is the last
 *   ERR_LIMIT        longer than NOTICE_TEMPLATE_MAX */
MUST_USE enum err notice_template_check(enum notice_kind kind, struct str template, size_t *line);

#endif
