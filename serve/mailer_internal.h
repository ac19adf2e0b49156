/* SPDX-License-Identifier: ISC */
/* What mailer.c (notices and their rows), mailer_text.c and mailer_judge.c (what is streamed into their mail) share. */
#ifndef SERVE_MAILER_INTERNAL_H
#define SERVE_MAILER_INTERNAL_H

#include "list/notice_mail.h"
#include "serve/lipap.h"
#include "serve/notice_data.h"
#include "store/lists.h"
#include "store/messages.h"
#include "store/notices.h"

#define MAILER_ARENA (256 * 1024)
#define MAILER_CHUNK (16 * 1024)

struct mailer {
        struct lipap *node;
        struct arena arena; /* of one notice */
        char memory[MAILER_ARENA];
        char before[NOTICE_BEFORE_MAX], after[NOTICE_AFTER_MAX];
        char chunk[MAILER_CHUNK];
        char line[NOTICE_LINE_MAX];
};

/* One notice on its way to be a message. */
struct letter {
        const struct store_notice *notice;
        struct notice_data data;
        struct store_list list;
        struct setting_values settings;
        struct store_request request; /* id 0: it is about none, or that has ended */
        struct store_message post;    /* that waits with it; id 0: none */
        int64_t probed;               /* the member to whom it is a probe, or 0 */
        const struct str *recipients;
        size_t recipient_count;
        struct notice_mail mail;
        char token[TOKEN_TEXT_SIZE];
        bool options[MEMBER_OPTIONS];
};

/* Write what stands between the two parts of the mail.
 *   ERR_OK, or trouble of the store; ERR_NOT_FOUND: the post that it shows is gone */
MUST_USE enum err mailer_stream(struct mailer *m, const struct letter *l, struct store_intake *intake);
/* Its parts in mailer_judge.c: NOTICE_DIGEST, and the bounce of NOTICE_REMOVED_OWNER. */
MUST_USE enum err mailer_digest(struct mailer *m, const struct letter *l, struct store_intake *intake);
MUST_USE enum err mailer_bounce(struct mailer *m, const struct letter *l, struct store_intake *intake);
/* Text, line by line; a CR at the end of a line is none of it. */
MUST_USE enum err mailer_lines(struct mailer *m, struct store_intake *intake, struct str text);

#endif
