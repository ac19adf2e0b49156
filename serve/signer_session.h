/* SPDX-License-Identifier: ISC */
/* One session of the signing hop. For serve/signer*.c only. */
#ifndef SERVE_SIGNER_SESSION_H
#define SERVE_SIGNER_SESSION_H

#include "serve/signer.h"
#include "serve/signer_hop.h"

#define SIGNER_REFUSAL_MS 5000        /* for the one line that a refused peer is told */
#define SIGNER_BUFFER_MIN (64 * 1024) /* first buffer of a message that did not say its size */
#define SIGNER_FRONT_USUAL 8192       /* what we put in front of a message, as SIZE= counts it */
#define SIGNER_RECEIVED_MAX \
        (MAIL_RECEIVED_MAX + 1) /* the list server in front of us takes so many, and has added one */

/* What was done with a message, for the log. */
struct signer_done {
        const struct zone_keeper *keeper;
        struct str dkim, arc; /* words of ours, such as "rsa+ed25519", "pass" */
        size_t instance;      /* of our ARC set, or 0 */
        size_t selector_n;
        char selector[DNS_LABEL_MAX]; /* of the DKIM-Signature by RSA */
};

struct signer_session {
        struct signer *signer;
        struct ip_port peer;
        bool is_extended; /* EHLO */
        size_t helo_n;
        char helo[SMTP_DOMAIN_MAX];

        struct signer_hop *hop;  /* held within a transaction, else NULL */
        enum signer_refusal why; /* of the refusal that is being made, for the metrics */

        /* The transaction. */
        bool is_utf8;
        const struct zone_keeper *ticket; /* of the first `_signed.` recipient of ours that was accepted */
        char *message;
        size_t n, cap;
        enum err fault; /* while the message came: ERR_FULL beyond the budget, ERR_MEMORY */

        struct signer_done done;        /* what was signed */
        char text[SMTP_REPLY_TEXT_MAX]; /* of a reply of ours */
};

/* Serve until the session is over. */
void signer_session_run(struct signer_session *s, struct host_tcp *tcp);

/* Make the fields that are to stand in front of the message of the session: an ARC set, DKIM-Signature, Received. They
 * lie behind the message in its buffer, so the budget has them. May ask the DNS and let other fibers run.
 *   ERR_OK      `*front` is borrowed until the message is forgotten
 *   else        `*reply` says what the client is to be told */
MUST_USE enum err signer_sign(struct signer_session *s, struct str *front, struct smtp_reply *reply);
/* Make room for `cap` bytes of message and front.
 *   true, or false with `s->fault` set: ERR_FULL beyond the budget, ERR_MEMORY */
bool signer_reserve(struct signer_session *s, uint64_t cap);
/* One line about a signed message and what the next hop said to it. */
void signer_log_signed(const struct signer_session *s, enum err e, const struct smtp_reply *reply);

#endif
