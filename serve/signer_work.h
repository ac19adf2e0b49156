/* SPDX-License-Identifier: ISC */
/* The work on one message between its end and its signatures. For serve/signer*.c only.
 *
 * It is large and mostly untouched, so that a session does not own one: it is taken when the message is complete and
 * given back when the front is written. */
#ifndef SERVE_SIGNER_WORK_H
#define SERVE_SIGNER_WORK_H

#include "auth/arc_seal.h"
#include "auth/arc_verify.h"
#include "auth/dkim_verify.h"
#include "base/arena.h"
#include "dns/known.h"
#include "serve/signer_session.h"

#define SIGNER_FRONT_FIELDS 3 /* two of DKIM and Received: what the ARC set in front of them sees */
#define SIGNER_FRONT_MAX (2 * DKIM_FIELD_MAX + ARC_SET_ROOM + 2048)
#define SIGNER_QUESTIONS_MAX (DKIM_SIGNATURES_MAX + ARC_SIGNATURES_MAX)
#define SIGNER_ANSWERS_MAX (64 * 1024) /* facts of those, and the key records that come back */
#define SIGNER_DNS_MS 20000            /* for all keys of one message */
#define SIGNER_HASH_PIECE (256 * 1024) /* of a body, between two chances for other sessions */

/* What becomes of ARC. */
enum signer_arc {
        SIGNER_ARC_NONE,    /* no field of ours says how the message arrived: nothing to seal */
        SIGNER_ARC_SEAL,    /* a set is added, with `arc_cv` */
        SIGNER_ARC_DONE,    /* the newest set is ours, right, and says the same */
        SIGNER_ARC_ENDED,   /* the chain has ended with cv=fail, or has all sets that there may be */
        SIGNER_ARC_UNKNOWN, /* the name server does not tell the keys of the chain, and will not */
};

struct signer_work {
        struct signer_session *session;
        const struct zone_keeper *keeper;
        /* The first fields are free, for what comes in front. */
        struct mail_field fields[SIGNER_FRONT_FIELDS + MAIL_FIELDS_MAX];
        struct mail_header header;

        struct dkim_verify dkim; /* signatures that may be ours; its body hash is the one of all */
        size_t slot;             /* of the digest that we sign */
        bool may_be_own[DKIM_SIGNATURES_MAX]; /* of these: it names a key of ours */
        bool has_own;                         /* one of them is right */

        bool has_results;
        struct arc_results results;
        bool is_chain_checked; /* `arc` has signatures to check; else only its chain is read */
        bool may_be_own_set;   /* the newest set names a key of ours, and has these results */
        struct arc_verify arc;
        enum signer_arc what;
        enum arc_cv arc_cv;

        struct arena arena;
        struct dns_known known;
        char answers[SIGNER_ANSWERS_MAX];
        char gathered[MAIL_HEADER_MAX + ARC_RESULTS_MAX];
        char front[SIGNER_FRONT_MAX];
};

/* Find out what the message has already: a signature of ours, a chain and its status. Hashes the body, and asks the DNS
 * where keys are needed. Lets other fibers run.
 *   ERR_OK       `has_own`, `what`, `arc_cv` and the digest of the body are known
 *   ERR_TIMEOUT  the DNS gave no answer for now
 *   ERR_CANCELLED
 * Behind this, dkim_verify_drop is due. */
MUST_USE enum err signer_judge(struct signer_work *w);

#endif
