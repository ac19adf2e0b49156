/* SPDX-License-Identifier: ISC */
/* One session of the signing hop. For serve/signer*.c only. */
#ifndef SERVE_SIGNER_SESSION_H
#define SERVE_SIGNER_SESSION_H

#include "mail/header.h"
#include "serve/signer.h"
#include "serve/smtp_out.h"

#define SIGNER_REFUSAL_MS 5000                   /* for the one line that a refused peer is told */
#define SIGNER_CONNECT_MS (10 * 1000)            /* the next hop is a neighbour */
#define SIGNER_BUFFER_MIN (64 * 1024)            /* first buffer of a message that did not say its size */
#define SIGNER_FRONT_MAX (DKIM_FIELD_MAX + 2048) /* what we put in front of a message */
#define SIGNER_FRONT_USUAL 4096                  /* the same as SIZE= counts it */
#define SIGNER_RECEIVED_MAX \
        (MAIL_RECEIVED_MAX + 1) /* the list server in front of us takes so many, and has added one */

struct signer_session {
        struct signer *signer;
        struct ip_port peer;
        bool is_extended; /* EHLO */
        size_t helo_n;
        char helo[SMTP_DOMAIN_MAX];

        struct smtp_out out;
        bool is_open;            /* `out` is ready for a transaction, or in one */
        enum signer_refusal why; /* of the refusal that is being made, for the metrics */

        /* The transaction. */
        bool is_utf8;
        const struct zone_keeper *ticket; /* of the first `_signed.` recipient of ours that was accepted */
        char *message;
        size_t n, cap;
        enum err fault; /* while the message came: ERR_FULL beyond the budget, ERR_MEMORY */

        const struct zone_keeper *signed_by; /* and with which selector: for the log */
        size_t selector_n;
        char selector[DNS_LABEL_MAX];
        struct mail_field fields[MAIL_FIELDS_MAX];
        char front[SIGNER_FRONT_MAX];
        char text[SMTP_REPLY_TEXT_MAX]; /* of a reply of ours */
};

/* Serve until the session is over. */
void signer_session_run(struct signer_session *s, struct host_tcp *tcp);

/* Write Received and DKIM-Signature for the message of the session.
 *   ERR_OK      `*front` is borrowed from the session
 *   else        `*reply` says what the client is to be told */
MUST_USE enum err signer_sign(struct signer_session *s, struct str *front, struct smtp_reply *reply);
/* One line about a signed message and what the next hop said to it. */
void signer_log_signed(const struct signer_session *s, enum err e, const struct smtp_reply *reply);

#endif
