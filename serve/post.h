/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after the server, while it comes in: what post_in.c (its life),
 * post_header.c (its header) and post_front.c (the fields put in front of it) share. */
#ifndef SERVE_POST_H
#define SERVE_POST_H

#include "auth/authres.h"
#include "auth/authres_make.h"
#include "serve/evaluation.h"
#include "serve/inbound_target.h"
#include "store/messages.h"

/* Room that our own fields and nec's will need, so that nec's limits never meet a message that we accepted. */
#define POST_HEADER_MAX (MAIL_HEADER_MAX - LIPAP_FRONT_MAX - LIPAP_PREFIX_MAX)
#define POST_FIELDS_MAX (MAIL_FIELDS_MAX - 50)

#define POST_ID_BYTES \
        10 /* random, what names the message in Received and in replies; the ticket is nobody's business */
#define POST_RESULTS_ROOM ((3 + DKIM_SIGNATURES_MAX) * AUTHRES_MAKE_ROOM)

/* One block of memory a message, of which only as much is touched as the message asks for. */
struct post {
        struct post *next_spare; /* while no message has it */
        const struct inbound_envelope *envelope;
        struct store_intake *intake;
        enum err trouble; /* of the intake */
        uint64_t size_max;
        struct inbound_header header;
        bool is_header_taken;
        struct smtp_reply refusal; /* found out before the end; code 0: none */
        struct mail_header index;  /* of the header, once it is taken without a refusal */
        size_t forged;             /* fields that were left out */
        bool is_evaluating, is_evaluated;
        struct spf_input spf;
        char id_text[32];
        struct str id;
        struct mail_field fields[POST_FIELDS_MAX];
        struct evaluation_job evaluation;
        struct authres results;
        char results_room[POST_RESULTS_ROOM];
        char front[LIPAP_FRONT_MAX];
};

/* Index the whole header section and look at it.
 *   code 0 when nothing is wrong with it, and `p->index` is there; else the reply to the final dot */
struct smtp_reply post_header_check(struct post *p);
/* The header as it came, to the intake, without results that claim to be ours (RFC 8601 5): those are counted in
 * `p->forged`. */
MUST_USE enum err post_header_write(struct post *p);

/* What stands in front of the message from now on: Received, our Authentication-Results, the list's fields, and Date and
 * Message-ID where they are missing. The evaluation is done.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err post_front_write(struct post *p, int64_t now_ms, struct wr *w);

#endif
