/* SPDX-License-Identifier: ISC */
/* The server's side of an SMTP session (RFC 5321) as an engine: bytes and time go in, events come out, the caller's
 * replies go in, bytes come out. No I/O, no allocation, no clock; the struct has no pointer into itself. Its buffers are
 * the caller's, who may take them away while a session waits for a command: thousands of idle ones are small.
 *
 * Extensions: PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING, STARTTLS, ENHANCEDSTATUSCODES, each when the configuration
 * has it.
 *
 * How to drive it:
 *
 *     smtp_server_init(&s, &config, now);
 *     smtp_server_lend(&s, &buffers, nothing);
 *     for (;;) {
 *             while (smtp_server_next(&s, &event))
 *                     ...act; answer what wants a reply with smtp_server_reply; on CLOSED stop here...
 *             ...if smtp_server_pending: write it, smtp_server_sent, look for events again...
 *             ...read into smtp_server_room until smtp_server_deadline, then smtp_server_got or smtp_server_tick...
 *     }
 *
 * The replies to a group of pipelined commands are pending together, so one write sends them.
 * After an event that wants a reply the engine is parked: it gives no further event until smtp_server_reply.
 * Each transaction that MAIL opened (its reply was 2yz) ends in exactly one END or one RESET.
 *
 * Bytes that other software might read in another way are never guessed at. A line ends with CRLF and with nothing
 * else; the message ends with CRLF "." CRLF and with nothing else. At the first bare CR, bare LF or NUL, in a command
 * or in a message, the engine answers 5yz at once, drops the transaction, reads nothing more and closes: neither the
 * rest of such a message nor what follows it can ever run as commands (SMTP smuggling). The caller should read and
 * drop for a while before closing (smtp_server_room and smtp_server_got do so), so that the answer is not lost to a
 * reset. The same happens to bytes that a client sends behind DATA before it was told 354.
 *
 * STARTTLS (RFC 3207): behind its 220, which is sent alone, comes SECURE; the caller does the handshake and says
 * smtp_server_secured, and the session begins anew, with nothing known from before. Bytes that were sent behind STARTTLS in
 * the clear end the session: nobody can tell who sent them.
 *
 * A message that comes in chunks (BDAT, RFC 3030) gives the same events as one that comes behind DATA: DATA at its first
 * chunk, whose 354 is not said, BODY, END; lines and strays are judged alike across chunks, and a last line without
 * CRLF gets one. A chunk that is refused is answered at once and dropped as it comes; it ends the transaction, so that
 * what a client has pipelined behind it is never taken for the whole message.
 *
 * Time: a command must be whole within `idle_ms`, however its bytes trickle. A session in which no message was accepted for
 * SMTP_SERVER_SESSION_MS is told 421 at its next command that belongs to no message under way, so that each command has its
 * own minutes all the same. A message has
 * SMTP_SERVER_DATA_MS and a second for each SMTP_SERVER_DATA_RATE bytes of it that came.
 *
 * A message above `message_max` is dropped as it comes, in constant memory, and refused with 552 5.3.4 at its end;
 * the session goes on. Beyond SMTP_DROP_MAX dropped bytes the engine answers and closes. */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "smtp/command.h"
#include "smtp/reply.h"

#define SMTP_SERVER_IN 16384
#define SMTP_SERVER_OUT 16384

struct smtp_server_config {
        struct str hostname;          /* in the banner and the answer to EHLO */
        struct smtp_extensions offer; /* offer.size_max is not read: it is message_max */
        uint64_t message_max;         /* bytes of one message as it counts for SIZE; 0: no limit */
        uint32_t recipients_max;      /* accepted in one transaction; 0: SMTP_RECIPIENTS_MAX */
        int64_t idle_ms;              /* for one command or one block of data; 0: SMTP_SERVER_IDLE_MS */
        int64_t greet_ms; /* before the banner; a client that speaks meanwhile is no mail server: 554 */
};

enum smtp_server_event_kind {
        SMTP_SERVER_CONNECT, /* wants a reply: 220 begins the session, 4yz and 5yz are said and close it */
        SMTP_SERVER_HELLO, /* wants a reply; to this 250, as to 220, the engine adds host name and extensions itself */
        SMTP_SERVER_MAIL, /* wants a reply: 2yz opens the transaction */
        SMTP_SERVER_RCPT, /* wants a reply: 2yz accepts this recipient; a refusal harms no other */
        SMTP_SERVER_DATA, /* wants a reply: 354 lets the message come, 4yz and 5yz leave the transaction open, unless
                           * RESET says that it ended */
        SMTP_SERVER_BODY,  /* bytes of the message: dots undone, lines end with CRLF; slices end anywhere */
        SMTP_SERVER_END,   /* the message is complete; wants a reply, which ends the transaction */
        SMTP_SERVER_RESET, /* the transaction is over without a message: forget it */
        SMTP_SERVER_STARTTLS, /* wants a reply: 220, or 454 while there is no room for it (RFC 3207 4) */
        SMTP_SERVER_SECURE, /* do the TLS handshake now, then call smtp_server_secured or smtp_server_lost */
        SMTP_SERVER_CLOSED  /* the session is over: write what is pending and close; `closed` says why */
};

enum smtp_server_reset {
        SMTP_RESET_RSET,      /* the client said so */
        SMTP_RESET_HELLO,     /* by a new EHLO or HELO (RFC 5321 4.1.4) */
        SMTP_RESET_TOO_LARGE, /* the message passed message_max */
        SMTP_RESET_CHUNK,     /* a BDAT was refused */
        SMTP_RESET_CLOSED     /* the session ends; CLOSED follows */
};

enum smtp_server_closed {
        SMTP_CLOSED_QUIT,    /* in order */
        SMTP_CLOSED_REPLY,   /* the caller's reply was 421, or no 220 to CONNECT; smtp_server_shutdown */
        SMTP_CLOSED_TIMEOUT, /* the deadline passed, or the session was too long without a message: 421 4.4.2 */
        SMTP_CLOSED_CROWDED,  /* smtp_server_dismiss: 421 4.3.2 */
        SMTP_CLOSED_ERRORS,   /* too many errors or idle commands: 421 4.7.0 */
        SMTP_CLOSED_PROTOCOL, /* bare CR or LF, NUL, bytes before 354: 5yz */
        SMTP_CLOSED_LIMIT,    /* SMTP_DROP_MAX bytes of a refused message were dropped: 552 5.3.4 */
        SMTP_CLOSED_LOST      /* smtp_server_lost: the connection went away */
};
const char *smtp_server_closed_text(enum smtp_server_closed why); /* for logs: "quit", "timeout"... */

struct smtp_server_event {
        enum smtp_server_event_kind kind;
        bool wants_reply;
        /* Slices are borrowed until smtp_server_reply, or for BODY until the next call of smtp_server_next. */
        bool is_extended;      /* HELLO: it was EHLO */
        struct str name;       /* HELLO */
        struct smtp_mail mail; /* MAIL */
        struct smtp_path rcpt; /* RCPT */
        struct str bytes;      /* BODY */
        uint64_t size;         /* END: bytes of the message that BODY gave */
        bool has_8bit;         /* END: there was a byte above 127 among them */
        enum smtp_server_reset reset;
        enum smtp_server_closed closed;
};

enum smtp_server_state {
        SMTP_SERVER_STATE_START,   /* CONNECT is to be given */
        SMTP_SERVER_STATE_COMMAND, /* reading a command line */
        SMTP_SERVER_STATE_SKIP,    /* dropping a command line that is too long */
        SMTP_SERVER_STATE_DATA,    /* reading a message */
        SMTP_SERVER_STATE_DROP,    /* reading a message that is refused for its size */
        SMTP_SERVER_STATE_CHUNK,   /* reading the octets behind BDAT */
        SMTP_SERVER_STATE_SECURE, /* 220 to STARTTLS was said: SECURE is to be given, then the caller is waited for */
        SMTP_SERVER_STATE_CLOSING, /* CLOSED is to be given */
        SMTP_SERVER_STATE_CLOSED
};

struct smtp_server_buffers {
        char in[SMTP_SERVER_IN];
        char out[SMTP_SERVER_OUT];
};

struct smtp_server {
        struct smtp_server_config config;
        struct smtp_server_buffers *buffers; /* the caller's; NULL: taken away */
        enum smtp_server_state state;
        enum smtp_server_event_kind waiting; /* when is_parked: the event that wants its reply */
        enum smtp_server_closed closed;
        enum smtp_server_reset reset;
        bool is_parked;
        bool is_greet_due;                                  /* the time before the banner is over */
        bool has_reset;                                     /* RESET is to be given before anything else */
        bool is_secured, is_securing;                       /* TLS is on; SECURE was given */
        bool is_hello_done, is_extended, is_extended_asked; /* EHLO: accepted last; asked last */
        bool in_mail, in_smtputf8;                          /* MAIL was accepted, with SMTPUTF8 */
        bool at_line_start;  /* in a message: the next unread byte begins a line */
        bool is_chunk_asked; /* the DATA event that waits is of BDAT */
        bool in_chunks;      /* of the transaction: its message has begun to come by BDAT */
        bool is_chunk_last, is_chunk_bad,
                is_chunk_empty; /* the chunk that comes: ends the message; is dropped */
        bool has_cr;            /* in a message by chunks: a CR ended the last one */
        bool has_8bit;
        uint32_t recipients;            /* accepted */
        uint32_t errors, idle_commands; /* towards SMTP_ERRORS_MAX and SMTP_COMMANDS_IDLE_MAX */
        uint32_t excess;                /* RCPT beyond recipients_max, since a message was accepted */
        uint32_t refusals;              /* replies 4yz and 5yz */
        uint64_t size;                  /* of the message so far */
        uint64_t dropped;               /* bytes of a message that is refused */
        uint64_t chunk_left;            /* octets of the chunk that are still to come */
        uint64_t data_got;              /* bytes since data_begin_ms */
        int64_t deadline_ms, session_end_ms, data_begin_ms, now_ms;
        size_t in_from, in_to; /* the unread bytes of buffers->in */
        size_t in_held;        /* of these, what the event given last borrows */
        size_t out_from, out_to;
};

/* Begin a session. What `config` points to is borrowed for its whole life. */
void smtp_server_init(struct smtp_server *s, const struct smtp_server_config *config, int64_t now_ms);

/* The buffers are borrowed from smtp_server_lend to smtp_server_rest; without them nothing is pending, there
 * is no room, and of the session nothing happens but its loss (smtp_server_lost, and its events).
 * smtp_server_may_rest: behind smtp_server_next that gave nothing: whether nothing is pending and a command is waited for, or TLS,
 * of which `*unread` is there, less than SMTP_COMMAND_LINE_MAX bytes. It is the caller's to keep and to lend again. */
void smtp_server_lend(struct smtp_server *s, struct smtp_server_buffers *buffers, struct str unread);
bool smtp_server_may_rest(const struct smtp_server *s, struct str *unread);
void smtp_server_rest(struct smtp_server *s);

/* The next event, or false: write what is pending and read on. */
bool smtp_server_next(struct smtp_server *s, struct smtp_server_event *event);
/* Answer the event that wanted a reply; the text is copied. CONNECT takes 220, DATA 354, the others 2yz, and all of
 * them 4yz and 5yz; another code (a next hop's, handed on) is said as 451 4.3.0. 421 closes the session. */
void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms);
/* After SECURE: TLS is on. The client begins with EHLO again; STARTTLS is not offered any more. */
void smtp_server_secured(struct smtp_server *s, int64_t now_ms);
/* Close from our side, at any moment: say 421 4.3.2 and give CLOSED next. */
void smtp_server_shutdown(struct smtp_server *s);
/* The same where room is needed for others: 421 4.3.2. */
void smtp_server_dismiss(struct smtp_server *s);
/* A message is under way: bytes of it are what comes next, or its next chunk. */
bool smtp_server_is_in_message(const struct smtp_server *s);
uint32_t smtp_server_refusals(const struct smtp_server *s); /* replies 4yz and 5yz so far */

/* Where to read into: borrowed until the next call on `s`; 0 bytes when the buffer is full (take events first).
 * After CLOSED, what is read there is dropped. */
char *smtp_server_room(struct smtp_server *s, size_t *cap);
void smtp_server_got(struct smtp_server *s, size_t n, int64_t now_ms);
void smtp_server_lost(struct smtp_server *s); /* the peer closed or reset the connection */

/* What is to be written, and how much of it was. */
struct str smtp_server_pending(const struct smtp_server *s);
void smtp_server_sent(struct smtp_server *s, size_t n, int64_t now_ms);

/* When smtp_server_tick is to be called; INT64_MAX while parked. A client that sends single bytes does not move the
 * deadline of a command. */
int64_t smtp_server_deadline(const struct smtp_server *s);
void smtp_server_tick(struct smtp_server *s, int64_t now_ms);

#endif
