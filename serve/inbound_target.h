/* SPDX-License-Identifier: ISC */
/* Targets: the kinds of message that lipap takes in, each behind the same four calls. inbound.c decides which at RCPT;
 * post_in.c, command_in.c, admin_in.c, signed_in.c and bounce_in.c are the kinds. */
#ifndef SERVE_INBOUND_TARGET_H
#define SERVE_INBOUND_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "list/route.h"
#include "mail/address.h"
#include "mail/header.h"
#include "serve/lipap.h"
#include "smtp/reply.h"
#include "smtp/server.h"
#include "store/lists.h"

/* What the session knows when a message begins; borrowed until the transaction is over. */
struct inbound_envelope {
        struct lipap *node;
        struct ip_port peer;
        struct str helo;
        bool is_extended;  /* EHLO */
        bool is_secured;   /* TLS */
        struct str sender; /* "local@domain" as written, empty for <> */
        bool has_size, is_8bit, is_smtputf8;
        uint64_t size;        /* as declared */
        struct str recipient; /* as written, the first that named the target */
        const struct lipap_domain *domain;
        struct store_list list;    /* id 0: none */
        enum route_kind route;     /* of the list */
        const struct str *forward; /* recipients, when it goes to people of ours */
        size_t forward_count;
        struct str object;   /* of the route: a token, or whom to remove; as written */
        int64_t member;      /* whose return path it is, for a bounce */
        bool is_probe;       /* of a probe that was sent to the member */
        struct token token;  /* of a command that has one */
        struct str ticket;   /* for a signed copy */
        struct arena *arena; /* of the transaction */
};

/* A kind of target. `begin` answers DATA: 354 with a state to pass on, or a refusal. Then `body` is given the bytes, and
 * one of `end` (the message is complete; its reply is final) and `drop` (it will never be) ends the state. Replies'
 * texts are literals or live in the arena of the transaction. */
struct inbound_target {
        struct smtp_reply (*begin)(const struct inbound_envelope *envelope, void **state);
        void (*body)(void *state, struct str bytes);
        struct smtp_reply (*end)(void *state, uint64_t size, bool has_8bit);
        void (*drop)(void *state);
};

extern const struct inbound_target post_in;    /* to the members of a list, or to people of ours */
extern const struct inbound_target command_in; /* asks a list for something */
extern const struct inbound_target admin_in;   /* the admin's commands */
extern const struct inbound_target signed_in;  /* nec's copy of a message of ours */
extern const struct inbound_target bounce_in;  /* to the return path of a member */
void post_in_forget(struct lipap *node);       /* free its spare memory */

/* The answer for trouble with our own store: 452 when space may come back, 421 when the disk failed, else 451. */
struct smtp_reply inbound_store_trouble(struct lipap *node, enum err e);

/* The most bytes that a post to `list` may have: its setting max-message, or UINT64_MAX. */
uint64_t inbound_post_max(const struct store_list *list);

/* The header section of a message that streams in, kept in memory up to MAIL_HEADER_MAX. Zero-initialised is ready.
 * inbound_header_got gives how many of the bytes belong to it: all of them until it is complete, and after a fault. */
struct inbound_header {
        char *text; /* owned */
        size_t n, cap;
        struct mail_header_end end;
        bool is_started, is_complete, is_too_large, is_out_of_memory;
};
size_t inbound_header_got(struct inbound_header *h, struct str bytes);
void inbound_header_free(struct inbound_header *h);

#endif
