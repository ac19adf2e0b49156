/* SPDX-License-Identifier: ISC */
/* The speaking side of an SMTP connection, by hand: whatever bytes one likes to send, and replies read as they come.
 * Not the product's client: what that would never send can be sent here. One fiber's; the caller owns the struct and
 * must call talk_close. */
#ifndef TESTS_SIM_TALK_H
#define TESTS_SIM_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "host/host.h"
#include "host/sim/random.h"

struct talk {
        struct host *host;
        struct host_tcp *tcp;       /* NULL: closed */
        int64_t patience_ms;        /* for one reply or one write; 10 minutes, as made */
        struct sim_random *dribble; /* NULL: bytes go at once; else a few at a time, with pauses drawn here */
        enum err fault;             /* what ended it */
        bool has_pipelining, has_size, has_8bit, has_chunking; /* as EHLO was answered last */
        bool is_malformed;                                     /* a reply broke RFC 5321 4.2 */
        size_t n;
        char in[4096];
        char text[512]; /* of the last line of the last reply, ended by NUL */
};

/* Connect and read the greeting.
 *   its code, or 0: no connection, or none that speaks */
unsigned talk_open(struct talk *t, struct host *h, const struct ip_port *to, struct sim_random *dribble);
/* Send bytes. ERR_OK, or the connection is lost. */
enum err talk_send(struct talk *t, struct str bytes);
enum err talk_print(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Read one reply: its code, or 0 when none comes. */
unsigned talk_reply(struct talk *t);
/* A command (without CRLF) and its reply. */
unsigned talk_ask(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* EHLO, and HELO when that is refused. */
unsigned talk_hello(struct talk *t, const char *name);
/* The bytes of a message, dots doubled, and the final dot, with a CRLF before it if there is none. */
enum err talk_message(struct talk *t, struct str message);
/* Without the final dot. */
enum err talk_body(struct talk *t, struct str message);
void talk_quit(struct talk *t);  /* QUIT, its reply, and close */
void talk_close(struct talk *t); /* at once; may be called again */

#endif
