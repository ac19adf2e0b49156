/* SPDX-License-Identifier: ISC */
/* Connections as the network sees them: two ends, and a pipe each way. For net.c and wire.c.
 * A pipe holds bytes in a ring: those before `read` are gone, up to `arrived` the receiver may read them, up to
 * `written` they are on their way. Marks say when the next of them arrive, and whether the end or a reset follows. */
#ifndef HOST_SIM_WIRE_H
#define HOST_SIM_WIRE_H

#include "host/sim/inside.h"

enum {
        MARKS = 8,      /* arrivals on their way; bursts beyond that come together with the last */
        MARKS_DATA = 6, /* the others are kept free for an end and a reset */
};

struct mark {
        int64_t at_ms;
        uint64_t to; /* bytes before this one have arrived then */
        enum { MARK_DATA, MARK_END, MARK_RESET } kind;
};

struct pipe {
        struct conn *conn;
        struct link *link; /* NULL: towards nobody */
        char *ring;
        size_t cap; /* a power of two, or 0 */
        uint64_t read, arrived, written;
        struct mark marks[MARKS];
        unsigned mark_n;
        int64_t last_ms;    /* nothing overtakes what arrives then */
        struct event event; /* the first mark, or its next try */
        int64_t pause_ms,
                lost_ms; /* the pause before that try, and since when there is no way; 0: there is */
        uint64_t cut_at; /* 0: not cut */
        enum sim_cut cut_how;
};

struct end {
        struct conn *conn;
        struct sim_node *node; /* NULL: an address of nobody */
        struct ip_port at;
        struct host_tcp *handle; /* of the process; NULL: not accepted yet, or given back */
        bool is_closed;          /* no process reads or writes here */
        bool is_ended;           /* the peer's end has arrived */
        bool is_reset;
        bool is_lost; /* the machine has lost its power since: nothing is sent again from here */
        struct waiter *reader, *writer;
        struct end *next, **link; /* in the node, while not closed */
};

enum conn_state { CONN_OPENING, CONN_OPEN, CONN_FAILED };

struct conn {
        struct sim *sim;
        uint64_t id;
        struct end ends[2];   /* 0 is who connected */
        struct pipe pipes[2]; /* [i] carries what ends[i] writes */
        bool is_silent;       /* nothing passes any more */
        enum conn_state state;
        enum err outcome;     /* of the handshake */
        struct event opening; /* its next try */
        unsigned tries;
        struct conn *waiting; /* the next in the listener's backlog */
        struct conn *next, **link;
};

struct host_listener {
        struct sim_node *node;
        struct ip_port at;
        struct conn *backlog, **backlog_end;
        size_t backlog_n;
        struct waiter *acceptor;
        struct host_listener *next, **link; /* in the node; `link` is NULL once it was killed */
};

struct host_tcp {
        struct conn *conn;
        unsigned side;
};

/* wire.c */
struct conn *conn_new(struct sim_node *node, const struct ip *source, const struct ip_port *to);
void conn_sweep(struct conn *c); /* free it when nobody holds it and nothing is on its way */
void end_open(struct end *e);    /* into its node's list */
void end_close(struct end *e);   /* and out of it */
size_t pipe_room(const struct conn *c, unsigned side);
void pipe_write(struct conn *c, unsigned side, const char *from, size_t n); /* `n` is at most its room */
size_t pipe_read(struct pipe *p, char *into, size_t cap);
void pipe_send_end(struct conn *c, unsigned side);
/* Instead of what is on its way, or behind it. */
void pipe_send_reset(struct conn *c, unsigned side, bool is_behind);
void pipe_drop(struct conn *c, unsigned side); /* what is on its way is lost */
void conn_plan_cuts(struct conn *c);           /* once it is open */

#endif
