/* SPDX-License-Identifier: ISC */
/* SMTP sessions of a server on fibers: one fiber drives one smtp/server.h engine over one connection, and a listener
 * keeps a bounded number of them. The handler's functions run on the session's fiber and may block. */
#ifndef SERVE_SMTPD_H
#define SERVE_SMTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "crypto/tls.h"
#include "host/host.h"
#include "serve/smtpd_gate.h"
#include "smtp/server.h"

struct smtpd_message {
        uint64_t size; /* bytes that `body` was given */
        bool has_8bit;
};

/* What a session asks. Each reply's text is borrowed and copied before another fiber runs; what is given to a
 * function is borrowed for its duration. A reply of 421 closes the session. After `mail` was answered 2yz, exactly one
 * `end` or one `reset` follows. NULL stands for the plain positive answer, or for nothing to do; `mail`, `rcpt`,
 * `body` and `end` must be there. */
struct smtpd_handler {
        struct smtp_reply (*connect)(
                void *ctx); /* 220 (our host name is put in front), or a refusal that ends it */
        struct smtp_reply (*hello)(void *ctx, bool is_extended, struct str name);
        struct smtp_reply (*mail)(void *ctx, const struct smtp_mail *mail);
        struct smtp_reply (*rcpt)(void *ctx, const struct smtp_path *to);
        struct smtp_reply (*data)(void *ctx); /* 354, or a refusal */
        /* Bytes of the message in order, lines with CRLF, dots undone. Trouble is remembered and told by `end`. */
        void (*body)(void *ctx, struct str bytes);
        struct smtp_reply (*end)(void *ctx, const struct smtpd_message *message);
        void (*reset)(void *ctx, enum smtp_server_reset why);
        /* STARTTLS, which is offered when the configuration says so: what we prove ourselves with, borrowed until the
         * session ends; NULL ends the session. */
        struct tls_context *(*secure)(void *ctx);
        /* How the handshake ended: TLS is on and EHLO comes again, or `fault` says why not and the session is over. */
        void (*secured)(void *ctx, const struct tls *tls, const char *fault);
        /* What was answered to `asked`, which is over: for metrics. */
        void (*replied)(void *ctx, enum smtp_server_event_kind asked, const struct smtp_reply *reply);
};

struct smtpd_config {
        struct smtp_server_config server;
        struct smtpd_gate *gate;
        bool is_favoured; /* never makes room for others */
        int64_t tarpit_ms; /* before each refusal beyond SMTP_TARPIT_FREE, unless the gate is crowded; 0: none */
};

/* Drive one session on the calling fiber until it is over; `tcp` stays the caller's to close. When the fiber is
 * cancelled the peer is told 421 4.3.2 (SMTP_CLOSED_REPLY). Replies leave in one write a group of pipelined commands, and before the next
 * command is looked at when they end a message. After a final refusal the rest that the peer sends is read and dropped
 * for a while, so that a reset does not overtake it. While a command is waited for, the session holds no buffers but what it
 * has of that command, and its fiber a page of stack. Without memory the peer is told 421 4.3.0 and `handler` nothing.
 * Gives how the session ended. */
enum smtp_server_closed smtpd_run(struct host *h, struct host_tcp *tcp, const struct smtpd_config *config,
        const struct smtpd_handler *handler, void *ctx);

struct smtpd_listen_config {
        struct host *host;
        struct host_listener *listener; /* stays the caller's */
        struct smtpd_gate *gate;
        /* One connection, on a fiber of its own: set up a session and call smtpd_run. `tcp` is closed afterwards. */
        void (*session)(void *ctx, struct host_tcp *tcp, const struct ip_port *peer);
        /* Whether the reserved places are for this one too; NULL: for everybody. */
        bool (*is_favoured)(void *ctx, const struct ip_port *peer);
        void *ctx;
};

/* Accept until the fiber is cancelled or the listener closed; wait for all sessions to end. A connection for which the
 * gate has no place is told 421 4.3.2 and closed; a crowded gate makes room for the next one.
 *   ERR_CANCELLED, ERR_TIMEOUT, ERR_CLOSED: why accepting ended */
enum err smtpd_listen(const struct smtpd_listen_config *config);

#endif
