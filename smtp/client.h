/* SPDX-License-Identifier: ISC */
/* The client's side of an SMTP session (RFC 5321) as an engine: commands, bytes and time go in; bytes, replies and a
 * deadline come out. No I/O, no allocation, no clock; the struct has no pointer into itself.
 *
 * The greeting and EHLO (with HELO as the fall-back) are the engine's own; then READY or CLOSED comes. From there each
 * command is the caller's: several may be queued before their replies where the server offers PIPELINING, and each
 * gets exactly one REPLY event, in order, or CLOSED comes instead of the rest.
 *
 * The server is not believed: a reply to a command that was not yet sent, codes that differ within one reply, bare CR
 * or LF, lines and replies without end all close the session (SMTP_CLIENT_PROTOCOL), and nothing counts as delivered
 * without 2yz after the final dot was handed over. 421 closes, wherever it comes.
 *
 * What is sent is checked: mailboxes by their grammar; a message must have lines that end with CRLF and no other CR or
 * LF, and no NUL. Dots are doubled by line, wherever the caller cuts its slices. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "smtp/command.h"
#include "smtp/reply.h"

#define SMTP_CLIENT_IN 2048
#define SMTP_CLIENT_OUT 16384
#define SMTP_CLIENT_QUEUE_MAX 128 /* commands sent and not yet answered */

/* STARTTLS (RFC 3207) is the engine's own exchange too: SECURE comes when the caller is to do the handshake. */
enum smtp_client_tls {
        SMTP_CLIENT_TLS_NEVER,
        SMTP_CLIENT_TLS_MAY, /* when it is offered; a server that then refuses is spoken to in the clear */
        SMTP_CLIENT_TLS_MUST /* SMTP_CLIENT_CLEAR when it is not offered, or refused */
};

struct smtp_client_config {
        struct str hello;   /* our name for EHLO, as smtp_hello_parse takes it; borrowed for the session */
        bool no_pipelining; /* never queue, even when it is offered */
        enum smtp_client_tls tls;
        /* 0: the values of RFC 5321 4.5.3.2 in base/limits.h */
        int64_t greeting_ms, command_ms, data_ms, block_ms, end_ms;
};

enum smtp_client_command {
        SMTP_CLIENT_GREETING, /* not a command: the server speaks first */
        SMTP_CLIENT_EHLO,
        SMTP_CLIENT_HELO,
        SMTP_CLIENT_STARTTLS,
        SMTP_CLIENT_MAIL,
        SMTP_CLIENT_RCPT,
        SMTP_CLIENT_DATA,
        SMTP_CLIENT_END, /* the final dot */
        SMTP_CLIENT_RSET,
        SMTP_CLIENT_QUIT
};

enum smtp_client_event_kind {
        SMTP_CLIENT_READY,  /* `reply` is the answer to EHLO or HELO; smtp_client_extensions is known */
        SMTP_CLIENT_REPLY,  /* the answer to `command` */
        SMTP_CLIENT_SECURE, /* do the TLS handshake now, then call smtp_client_secured or smtp_client_lost */
        SMTP_CLIENT_CLOSED /* nothing more can be sent; `closed` says why, `reply` what the server said last of it */
};

enum smtp_client_closed {
        SMTP_CLIENT_QUITTED,  /* QUIT was answered */
        SMTP_CLIENT_REFUSED,  /* greeting or HELO refused: `reply` has the refusal */
        SMTP_CLIENT_421,      /* the server closes: `reply` is its 421 */
        SMTP_CLIENT_TIMEOUT,  /* the deadline passed */
        SMTP_CLIENT_PROTOCOL, /* the server broke the protocol */
        SMTP_CLIENT_EARLY,    /* refused before the end of the message: REPLY to END came just before */
        SMTP_CLIENT_CLEAR,    /* TLS must be, and cannot: `reply` is the refusal, or the answer to EHLO */
        SMTP_CLIENT_LOST      /* smtp_client_lost: the connection went away */
};
const char *smtp_client_closed_text(enum smtp_client_closed why);

struct smtp_client_event {
        enum smtp_client_event_kind kind;
        enum smtp_client_command command; /* REPLY; CLOSED: the command that was waited for, if any */
        enum smtp_client_closed closed;
        struct smtp_reply reply; /* borrowed until the next call of smtp_client_next; code 0: none */
};

enum smtp_client_state {
        SMTP_CLIENT_STATE_HELLO, /* greeting, EHLO, HELO: the engine's own exchange */
        SMTP_CLIENT_STATE_IDLE,  /* a transaction may begin */
        SMTP_CLIENT_STATE_MAIL,  /* MAIL was queued: RCPT, DATA or RSET may follow */
        SMTP_CLIENT_STATE_DATA,  /* DATA was queued: nothing until its reply */
        SMTP_CLIENT_STATE_BODY,  /* 354 came, or BDAT was queued: body and end */
        SMTP_CLIENT_STATE_QUIT,  /* QUIT was queued: nothing more */
        SMTP_CLIENT_STATE_CLOSING,
        SMTP_CLIENT_STATE_CLOSED
};

struct smtp_client_queued {
        enum smtp_client_command command;
        uint64_t end; /* position behind the command in all bytes ever queued for sending */
};

enum smtp_client_line { /* where in a line of the message the caller stands */
        SMTP_CLIENT_LINE_START,
        SMTP_CLIENT_LINE_MIDDLE,
        SMTP_CLIENT_LINE_CR,    /* a CR was given; it is sent with its LF */
        SMTP_CLIENT_LINE_BROKEN /* there was a stray CR, LF or NUL */
};

struct smtp_client {
        struct smtp_client_config config;
        enum smtp_client_state state;
        enum smtp_client_closed closed;
        struct smtp_extensions extensions;
        enum smtp_client_command closed_command;
        bool is_reply_kept;           /* `gather` holds the reply that CLOSED tells */
        bool is_early;                /* the reply being gathered came before the end of the message */
        bool is_mail_accepted;        /* the last MAIL that was answered */
        bool is_secured, is_securing; /* TLS is on; SECURE was given */
        bool is_clear;                /* STARTTLS was refused: not again */
        bool is_lone_dot;             /* DATA is answered by the reply to a dot that the engine sent */
        bool is_chunk;                /* the message goes out behind BDAT */
        uint64_t chunk_left;          /* bytes of it that the caller has yet to give */
        uint32_t recipients;          /* accepted since that MAIL */
        enum smtp_client_line line;
        size_t queue_from, queue_n;
        uint64_t queued, sent; /* bytes, over the whole session */
        int64_t deadline_ms, now_ms;
        size_t in_from, in_to;
        size_t out_from, out_to;
        struct smtp_client_queued queue[SMTP_CLIENT_QUEUE_MAX];
        struct smtp_reply_gather gather;
        char in[SMTP_CLIENT_IN];
        char out[SMTP_CLIENT_OUT];
};

void smtp_client_init(struct smtp_client *c, const struct smtp_client_config *config, int64_t now_ms);

/* The next event, or false: write what is pending and read on. Take all events before giving commands. */
bool smtp_client_next(struct smtp_client *c, struct smtp_client_event *event);

/* Commands. Each:
 *   ERR_OK     queued; its REPLY will come
 *   ERR_AGAIN  not now: an answer is still to come and nothing may be queued behind it (no PIPELINING, DATA), or the
 *              buffer or queue is full. Write, read, take events, call again.
 *   ERR_SEQUENCE  it does not fit the state: MAIL within a transaction, RCPT or DATA outside, DATA when every recipient
 *              has been refused, anything after QUIT or CLOSED
 * and as said at each. `from` and `to` are mailboxes without brackets; an empty `from` is the null path. */
/*   ERR_UNSUPPORTED  8BITMIME or SMTPUTF8 is needed and not offered (RFC 6152 3, RFC 6531 3.2); SIZE= is left out then
 *   ERR_SYNTAX       `from` is not a mailbox */
MUST_USE enum err smtp_client_mail(
        struct smtp_client *c, struct str from, const struct smtp_mail_params *params);
/*   ERR_SYNTAX       `to` is not a mailbox
 *   ERR_UNSUPPORTED  `to` needs SMTPUTF8 and it is not offered */
MUST_USE enum err smtp_client_rcpt(struct smtp_client *c, struct str to);
/* 354 in its REPLY lets the message begin. When no recipient was accepted and the server says 354 all the same, the
 * engine sends the lone dot that RFC 2920 3.1 asks for, and the answer to that is the REPLY to DATA. */
MUST_USE enum err smtp_client_data(struct smtp_client *c);
MUST_USE enum err smtp_client_rset(
        struct smtp_client *c); /* also ends a transaction in which DATA was refused */
MUST_USE enum err smtp_client_quit(struct smtp_client *c);

/* The whole message in one chunk (RFC 3030 2) of `size` bytes, in the place of DATA. It may begin at once: so many bytes by
 * smtp_client_body, sent as they are, and smtp_client_end. With PIPELINING it may follow the envelope before its answers
 * are there; then what is said to its end counts only if a recipient was accepted. A refusal leaves the server's transaction
 * undetermined: RSET or QUIT should follow.
 *   ERR_UNSUPPORTED  CHUNKING is not offered */
MUST_USE enum err smtp_client_bdat(struct smtp_client *c, uint64_t size);

/* Bytes of the message; `*used` of them were taken.
 *   ERR_OK      all were
 *   ERR_AGAIN   the buffer is full: write and call again with the rest
 *   ERR_SYNTAX  a bare CR, bare LF or NUL: nothing from it on was taken, and the message cannot be ended any more;
 *               close the connection, and the server has nothing
 *   ERR_SEQUENCE   not after 354 or BDAT, more than BDAT said, or the session was closed meanwhile */
MUST_USE enum err smtp_client_body(struct smtp_client *c, struct str bytes, size_t *used);
/* The final dot, with a CRLF before it if the message lacks one; or the end of the chunk, which must be complete and
 * end with CRLF. Its REPLY is the server's word on the message.
 *   ERR_OK, ERR_AGAIN, ERR_SEQUENCE (the chunk lacks bytes), ERR_SYNTAX (the message ended with CR, or its chunk
 *   without CRLF) */
MUST_USE enum err smtp_client_end(struct smtp_client *c);

/* After SECURE: TLS is on. The engine says EHLO again, and nothing is known from before. */
void smtp_client_secured(struct smtp_client *c, int64_t now_ms);

/* Known after READY. */
const struct smtp_extensions *smtp_client_extensions(const struct smtp_client *c);
size_t smtp_client_waiting(const struct smtp_client *c); /* commands whose REPLY is still to come */

char *smtp_client_room(
        struct smtp_client *c, size_t *cap); /* where to read into, until the next call on `c` */
void smtp_client_got(struct smtp_client *c, size_t n, int64_t now_ms);
void smtp_client_lost(struct smtp_client *c); /* the connection went away */
struct str smtp_client_pending(const struct smtp_client *c);
void smtp_client_sent(struct smtp_client *c, size_t n, int64_t now_ms);

/* When smtp_client_tick is to be called: the time for the reply to the oldest command that was sent whole, counted from
 * its sending or from the reply before it; INT64_MAX when there is none. A write has `block_ms`, which is the caller's
 * to watch. */
int64_t smtp_client_deadline(const struct smtp_client *c);
void smtp_client_tick(struct smtp_client *c, int64_t now_ms);

#endif
