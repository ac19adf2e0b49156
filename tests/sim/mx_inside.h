/* SPDX-License-Identifier: ISC */
/* What the files of a mail host share. */
#ifndef TESTS_SIM_MX_INSIDE_H
#define TESTS_SIM_MX_INSIDE_H

#include "host/sim/random.h"
#include "tests/sim/mx.h"

#define MX_RECIPIENTS_MAX 100

/* A pair of sender and recipient that was put off once. */
struct mx_grey {
        uint64_t pair;
        int64_t first_ms;
        int64_t window_ms; /* since when tries are counted, as long as nobody should come twice */
        unsigned in_window, tries;
};

/* One client: its messages in the present hour and minute, and how it behaves. */
struct mx_client {
        struct ip ip;
        int64_t hour_ms, minute_ms, crowd_ms; /* when each began */
        unsigned in_hour, in_minute;          /* messages */
        unsigned open;                        /* connections */
        unsigned turned_away, taken;          /* connections and messages, since crowd_ms */
};

enum mx_bounce_kind {
        MX_BOUNCE_FULL,
        MX_BOUNCE_LOST,
        MX_BOUNCE_FORGED,
        MX_AWAY, /* the rest is no bounce */
        MX_DELAY,
        MX_CHALLENGE
};

struct mx_bounce {
        struct mx_bounce *next;
        enum mx_bounce_kind kind;
        struct str to, about; /* the return path, and whose message it is; owned */
        int64_t due_ms;
        unsigned attempts;
};

struct mx {
        struct mx_config config; /* its domains are owned */
        struct mx_temper temper;
        struct sim_random random;
        struct mx_grey *greys;
        struct mx_client *clients;
        size_t grey_count, grey_cap, client_count, client_cap;
        int64_t soonest_ms, latest_ms; /* the pauses of pairs before their second try, */
        size_t pauses;                 /* so many */
        struct mx_bounce *bounces;     /* owned, in the order they were made */
        struct host *host;             /* of this life; NULL: down */
        struct host_listener *listener;
        struct scope scope;
        struct waitq bell, desk; /* the temperament has changed; there is a bounce */
        int status;
};

/* One connection; `tcp` is closed when this returns. */
void mx_session(struct mx *m, struct host_tcp *tcp, const struct ip *peer);

/* mx_answer.c: what the temperament makes of an envelope. The answer; NULL: no objection. */
const char *mx_answer_connection(struct mx *m, const struct ip *peer); /* then it is to be ended */
void mx_end_connection(struct mx *m, const struct ip *peer);           /* of each that had no objection */
const char *mx_answer_mail(
        struct mx *m, const struct ip *peer, unsigned messages); /* so many on this connection */
/* `count` of this transaction are taken. What was wrong with a mailbox is told to verify.h. */
const char *mx_answer_recipient(struct mx *m, struct str from, struct str to, size_t count);
void mx_count_message(struct mx *m, const struct ip *peer);
bool mx_is_among(const char *names, struct str local); /* parted by commas; `*` is everybody */

/* A message that was kept may bounce later, on every recipient; or something else comes back. */
void mx_bounce_later(struct mx *m, struct str from, struct str recipient);
void mx_bounce_run(void *arg); /* a fiber; `arg` is the mail host */
void mx_bounces_free(struct mx *m);

/* A fresh number below 100 is under `percent`. */
bool mx_chance(struct mx *m, unsigned percent);

#endif
