/* SPDX-License-Identifier: ISC */
/* Decisions (list/decide.h) with the store: the facts that they need are read, and their actions carried out. Everything
 * here is called inside store_together, so that facts and actions are one change; the bells ring when it is on disk. */
#ifndef SERVE_ACT_H
#define SERVE_ACT_H

#include "list/decide.h"
#include "serve/lipap.h"
#include "store/lists.h"
#include "store/requests.h"

struct act {
        struct lipap *node;
        struct arena *arena; /* of the transaction; facts live here */
        int64_t list;
        int64_t now_ms;
        /* Of the mail, if there is one: */
        enum decide_proof proof;
        struct str author;     /* empty: nobody */
        struct str message_id; /* with its brackets; empty: none */
        int64_t request;       /* that its token names, or 0 */
        bool is_token_fresh;
        int64_t message;    /* the post that is held, for DECIDE_ADD_REQUEST */
        bool tells_if_room; /* on a full disk the rest is done, and nobody told */
        /* What it led to: */
        bool has_told, has_released;
};

/* The facts for a step about `wanted`.
 *   ERR_OK, ERR_NOT_FOUND (the list is gone), or trouble of the store */
MUST_USE enum err act_facts(struct act *a, const struct decide_wanted *wanted, struct decide_facts *out);
/* Carry out all actions, in their order. What is so already is no fault: a member who is one stays one.
 *   ERR_OK, or trouble of the store: then the transaction is to be given up */
MUST_USE enum err act_carry_out(struct act *a, const struct decision *d);
/* The transaction is on disk: wake those who have work by it. */
void act_ring(const struct act *a);

/* "ID", without the brackets that a Message-ID has. */
struct str act_bare_id(struct str message_id);

#endif
