/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after the server, while it comes in: what post_in.c (its life),
 * post_header.c (its header) and post_front.c (the fields put in front of it) share. */
#ifndef SERVE_POST_H
#define SERVE_POST_H

#include "auth/authres.h"
#include "auth/authres_make.h"
#include "serve/arrival.h"
#include "store/messages.h"

#define POST_RESULTS_ROOM ((3 + DKIM_SIGNATURES_MAX) * AUTHRES_MAKE_ROOM)

/* One block of memory a message, of which only as much is touched as the message asks for. */
struct post {
        struct post *next_spare; /* while no message has it */
        struct store_intake *intake;
        enum err trouble; /* of the intake */
        uint64_t size_max;
        size_t forged; /* fields that were left out */
        struct arrival arrival;
        struct authres results;
        char results_room[POST_RESULTS_ROOM];
        char front[LIPAP_FRONT_MAX];
};

/* What a post asks of a header. */
arrival_check post_header_check;
/* The header as it came, to the intake, without results that claim to be ours (RFC 8601 5): those are counted in
 * `p->forged`. */
MUST_USE enum err post_header_write(struct post *p);

/* What stands in front of the message from now on: Received, our Authentication-Results, the list's fields, and Date and
 * Message-ID where they are missing. The evaluation is done.
 *   ERR_OK, or an outcome of mail_build_end */
MUST_USE enum err post_front_write(struct post *p, int64_t now_ms, struct wr *w);

#endif
