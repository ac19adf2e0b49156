/* SPDX-License-Identifier: ISC */
/* A message while it comes in, as far as posts (post_in.c) and commands to a list (command_in.c) are alike: its header
 * waits in memory until it is whole and is looked at; then fibers ask the DNS about the author while the body streams by.
 *
 *     arrival_begin(a, envelope, check)
 *     arrival_got(a, &bytes) ...          true once, when the header is whole; `bytes` is then what belongs to the body
 *     evaluation_body(&a->evaluation, bytes)   while a->is_evaluating
 *     arrival_header_end(a)               the message ended: true when only now the header is taken to be whole
 *     arrival_settle(a)                   waits for the verdicts
 *     arrival_drop(a) */
#ifndef SERVE_ARRIVAL_H
#define SERVE_ARRIVAL_H

#include "host/log.h"
#include "serve/evaluation.h"
#include "serve/inbound_target.h"

/* Room that our own fields and nec's will need, so that nec's limits never meet a message that we accepted. */
#define ARRIVAL_HEADER_MAX (MAIL_HEADER_MAX - LIPAP_FRONT_MAX - LIPAP_PREFIX_MAX)
#define ARRIVAL_FIELDS_MAX (MAIL_FIELDS_MAX - 50)
/* Random, what names the message in Received and in replies; a ticket is nobody's business. */
#define ARRIVAL_ID_BYTES 10

struct arrival;
/* What a kind of message asks of a header that can be read: code 0 when nothing is wrong. */
typedef struct smtp_reply arrival_check(const struct arrival *a);

/* Large, and only as much of it is touched as the message asks for. Not to be moved. */
struct arrival {
        const struct inbound_envelope *envelope; /* borrowed */
        arrival_check *check;
        struct inbound_header header;
        bool is_taken;             /* the header was looked at */
        struct smtp_reply refusal; /* found out before the end; code 0: none */
        struct mail_header index;  /* of the header, once it is taken without a refusal */
        bool is_evaluating, is_evaluated;
        struct spf_input spf;
        char id_text[32];
        struct str id;
        struct mail_field fields[ARRIVAL_FIELDS_MAX];
        struct evaluation_job evaluation;
};

void arrival_begin(struct arrival *a, const struct inbound_envelope *envelope, arrival_check *check);
/* Takes from `*bytes` what belongs to the header. */
bool arrival_got(struct arrival *a, struct str *bytes);
bool arrival_header_end(struct arrival *a);
/* The reply that refuses the message, or code 0: the verdicts are there, `is_evaluated`. */
struct smtp_reply arrival_settle(struct arrival *a);
void arrival_drop(struct arrival *a);

/* After the verdicts: the author is not proven, with the reasons. */
struct smtp_reply arrival_refuse_unproven(const struct arrival *a);

/* The header as the message has it, also when it was refused. */
static inline struct str arrival_header(const struct arrival *a)
{
        return str_of(a->header.text, a->header.n);
}

/* `bytes` random octets in base 32, in `text`. At most 16. */
struct str arrival_random(struct host *h, char *text, size_t cap, size_t bytes);

/* A line about a message that came in: "accepted" or "refused", its id, peer, envelope, size, reply and verdicts. The
 * caller adds more, and ends it. */
void arrival_log(struct log_line *l, const struct arrival *a, uint64_t size, const struct smtp_reply *reply);

#endif
