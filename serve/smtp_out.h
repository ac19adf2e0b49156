/* SPDX-License-Identifier: ISC */
/* An SMTP connection to another server, for one fiber: each call blocks until its answer is there. Over the engine of
 * smtp/client.h, with the timeouts of RFC 5321 4.5.3.2.
 *
 * Two kinds of outcome are kept apart. What the server answers, good or bad, is a reply and ERR_OK. An err is trouble
 * with the connection or with what was asked; replies then have code 0:
 *   ERR_TIMEOUT, ERR_CANCELLED   as host/host.h says
 *   ERR_REFUSED, ERR_UNREACHABLE, ERR_LIMIT   only smtp_out_open: no connection
 *   ERR_CRYPTO                   only smtp_out_open: the TLS handshake failed, `tls_fault` says why; then also
 *                                ERR_UNSUPPORTED: none of the TLSA records that are expected is usable
 *   ERR_EOF, ERR_CLOSED          the connection is gone
 *   ERR_SYNTAX                   the server broke the protocol, or the message has a bare CR, bare LF or NUL
 *   ERR_UNSUPPORTED              this cannot be said to this server: not a mailbox, or it needs 8BITMIME or SMTPUTF8,
 *                                which is not offered; nothing was sent and the session is as before
 *   ERR_SEQUENCE                    not at this point of the session
 * After an err other than the last two only smtp_out_close remains. After a reply of 421 every call gives ERR_CLOSED.
 *
 * The caller owns the struct (about 30 KiB: heap rather than stack) and must call smtp_out_close, also when open failed.
 * Texts of replies lie in it, borrowed until the next call on it other than smtp_out_close; those of smtp_out_envelope
 * until the next smtp_out_envelope. */
#ifndef SERVE_SMTP_OUT_H
#define SERVE_SMTP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "host/host.h"
#include "serve/wire.h"
#include "smtp/client.h"

struct smtp_out_config {
        struct ip_port to;
        int64_t connect_ms; /* 0: SMTP_CLIENT_CONNECT_MS */
        struct smtp_client_config
                client;           /* our EHLO name (borrowed until close), TLS, and the other timeouts */
        struct tls_context *tls;  /* a client's, for STARTTLS; NULL unless client.tls asks for it */
        struct tls_expect expect; /* of the server's certificate; borrowed for the opening */
};

struct smtp_out {
        struct host *host;
        struct wire wire; /* its tcp is NULL: closed */
        struct tls_context *tls;
        struct tls_expect expect;
        const char *tls_fault; /* why there is no TLS after ERR_CRYPTO: for a log, lives for ever; else "" */
        struct smtp_client client;
        int64_t block_ms, limit_ms; /* for one write; no call waits beyond the limit */
        enum err fault;             /* what ended the session, once it has ended */
        enum err lost;              /* how the connection went away */
        bool is_write_dead;         /* a write failed: only what the server said before is still read */
        bool is_early;              /* the server answered before the end of the message: `early` */
        struct smtp_reply early;    /* its text lies in `client` */
        size_t texts_n;
        char texts[8192]; /* of the replies of smtp_out_envelope */
};

/* Connect, wait for the greeting, say EHLO or HELO.
 *   ERR_OK      ready; `*reply` answers EHLO
 *   ERR_DENIED  the server refused the session, or TLS that must be: `*reply` says how */
MUST_USE enum err smtp_out_open(
        struct smtp_out *o, struct host *h, const struct smtp_out_config *config, struct smtp_reply *reply);

/* One command and its answer. */
MUST_USE enum err smtp_out_mail(
        struct smtp_out *o, struct str from, const struct smtp_mail_params *params, struct smtp_reply *reply);
MUST_USE enum err smtp_out_rcpt(struct smtp_out *o, struct str to, struct smtp_reply *reply);
MUST_USE enum err smtp_out_data(
        struct smtp_out *o, struct smtp_reply *reply); /* 354: smtp_out_body may follow */
MUST_USE enum err smtp_out_rset(struct smtp_out *o, struct smtp_reply *reply);
/* The whole message will follow in one chunk of `size` bytes, in the place of smtp_out_data and its answer.
 * ERR_UNSUPPORTED when the server does not offer CHUNKING. */
MUST_USE enum err smtp_out_bdat(struct smtp_out *o, uint64_t size);

/* A whole envelope in as few round trips as the server allows: MAIL, each RCPT, and DATA if `wants_data` and a
 * recipient may still be accepted. */
struct smtp_out_envelope {
        struct str from;
        struct smtp_mail_params params;
        const struct str *to;
        size_t to_n; /* at least 1 */
        bool wants_data;
};
/* `mail`, each of rcpt[0 .. to_n - 1] and `data` get the answer; code 0 where none came or nothing was asked (a 421
 * ends it, a refused sender too if the server takes no PIPELINING). data->code 354: `*accepted` (at least 1) recipients wait for the message. A refused one harms no other.
 * ERR_UNSUPPORTED only for `from` and `params`; a recipient that cannot be said gets 553 5.6.7 or 553 5.1.3 from us. */
MUST_USE enum err smtp_out_envelope(struct smtp_out *o, const struct smtp_out_envelope *envelope,
        struct smtp_reply *mail, struct smtp_reply *rcpt, struct smtp_reply *data, size_t *accepted);

/* All in one write, where the server offers PIPELINING and CHUNKING: MAIL, RCPT for the one recipient of `envelope`, and
 * `message`, which ends with CRLF, as one chunk. `mail`, `rcpt` and `end` get the answers; code 0 where none came, also with
 * an err. What is said to the end counts only if sender and recipient were accepted; if not, RSET should follow.
 *   ERR_UNSUPPORTED  also: not offered. Nothing was sent
 *   ERR_SYNTAX       also: the message is not as it must be */
MUST_USE enum err smtp_out_go(struct smtp_out *o, const struct smtp_out_envelope *envelope,
        struct str message, struct smtp_reply *mail, struct smtp_reply *rcpt, struct smtp_reply *end);

/* Bytes of the message after 354 or smtp_out_bdat: lines with CRLF; dots are doubled here. Small pieces are gathered into one write.
 * If the server answers 4yz or 5yz before the end, the rest is dropped and smtp_out_end gives that answer. */
MUST_USE enum err smtp_out_body(struct smtp_out *o, struct str bytes);
/* The final dot; `*reply` is the server's word on the message. Once the dot is sent that word is waited for a second
 * longer than cancellation, since without it the message would have to be sent again. */
MUST_USE enum err smtp_out_end(struct smtp_out *o, struct smtp_reply *reply);

/* Between transactions: is the connection as it was? One that the server has closed, or on which it has said something
 * unasked, is noticed without waiting; then only smtp_out_close remains. */
bool smtp_out_is_alive(struct smtp_out *o);

/* Say QUIT if the session allows it, wait a moment for the answer, close. */
void smtp_out_quit(struct smtp_out *o);
void smtp_out_close(struct smtp_out *o); /* at once; may be called again */

const struct smtp_extensions *smtp_out_extensions(const struct smtp_out *o);
/* The session of TLS, or NULL in the clear. */
const struct tls *smtp_out_tls(const struct smtp_out *o);

#endif
