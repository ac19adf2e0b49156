/* SPDX-License-Identifier: ISC */
/* The door of a server under load: how many sessions and messages it has at once, who gets the last places, which session
 * makes room for another, and the buffers that the sessions share. Constant work a connection, and no memory but the sessions'
 * own and a bounded number of buffers.
 *
 * From SMTPD_CROWDED_PERCENT of the places on each new connection ends one session: that one of those who wait for the client
 * and have no message under way which was least lately used, if that is SMTPD_DISMISS_AFTER_MS ago. Use is what brings a
 * message nearer: an envelope, a message, TLS; commands that move nothing are none. In the same way each new message ends the
 * one that has been coming for the longest, if that is SMTPD_SLOW_AFTER_MS or more, and each handshake a session under TLS. */
#ifndef SERVE_SMTPD_GATE_H
#define SERVE_SMTPD_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fiber/fiber.h"
#include "smtp/server.h"

/* A session's, in its own memory. All zeros: it stands nowhere and is never dismissed. */
struct smtpd_place {
        struct smtpd_place *next, **link; /* `link` points at what points here; NULL: stands nowhere */
        struct smtpd_line *line;
        struct fiber *fiber;
        int64_t used_ms; /* since when it stands there */
        bool is_secured; /* counted in smtpd_gate.secured */
        bool is_idle;    /* the session's: set while its fiber waits for the client, and could end for that */
        bool is_dismissed; /* the gate's: its wait was ended, so that it makes room */
};

/* Places, those that stand there for the longest first. */
struct smtpd_line {
        struct smtpd_place *first, **end; /* `end` means nothing while there is none */
        size_t count;
};

/* Buffers of a session, or a link to the next ones that nobody uses. */
union smtpd_buffers {
        struct smtp_server_buffers of_session;
        union smtpd_buffers *next;
};

/* Over all listeners of a server. Zero-initialised but for `most` is ready. */
struct smtpd_gate {
        size_t most;          /* sessions at once */
        size_t reserved;      /* of these, for favoured clients only; less than `most` */
        int64_t dismiss_ms;   /* 0: SMTPD_DISMISS_AFTER_MS */
        size_t messages_most; /* at once, of clients that are not favoured; 0: any number */
        size_t secured_most;  /* likewise sessions under TLS, or on the way to it */
        size_t open, secured;
        uint64_t begun;     /* sessions, over all */
        uint64_t refused;   /* connections told 421 because there was no place */
        uint64_t dismissed; /* sessions that made room */
        struct smtpd_line idle, idle_secured, messages;
        union smtpd_buffers *spare;
        size_t spare_count;
};

bool smtpd_gate_has_place(const struct smtpd_gate *g, bool is_favoured);
bool smtpd_gate_is_crowded(const struct smtpd_gate *g);
/* When crowded, end the wait of one session, if there is one that may be dismissed: fiber_expire. */
void smtpd_gate_make_room(struct smtpd_gate *g, int64_t now_ms);
/* Likewise for messages; then whether one more may begin. */
bool smtpd_gate_takes_message(struct smtpd_gate *g, int64_t now_ms);

bool smtpd_gate_takes_tls(struct smtpd_gate *g, int64_t now_ms); /* the same for sessions under TLS */

/* A session of `fiber` begins, is used, has a message under way, goes under TLS, ends. All but the first are harmless for one that stands
 * nowhere. */
void smtpd_place_enter(struct smtpd_gate *g, struct smtpd_place *p, struct fiber *fiber, int64_t now_ms);
void smtpd_place_used(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms);
void smtpd_place_in_message(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms);
void smtpd_place_secure(struct smtpd_gate *g, struct smtpd_place *p, int64_t now_ms);
void smtpd_place_leave(struct smtpd_gate *g, struct smtpd_place *p);

/* NULL when memory is out. Given back, they are kept for the next taker, or freed when enough are kept. */
union smtpd_buffers *smtpd_gate_take(struct smtpd_gate *g);
void smtpd_gate_give(struct smtpd_gate *g, union smtpd_buffers *b); /* NULL is harmless */
void smtpd_gate_drop(struct smtpd_gate *g);                         /* free those that are kept */

#endif
