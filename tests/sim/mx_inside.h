/* SPDX-License-Identifier: ISC */
/* What mx.c, mx_session.c and mx_bounce.c share. */
#ifndef TESTS_SIM_MX_INSIDE_H
#define TESTS_SIM_MX_INSIDE_H

#include "host/sim/random.h"
#include "tests/sim/mx.h"

/* A pair of sender and recipient that was put off once. */
struct mx_grey {
        uint64_t pair;
        int64_t first_ms;
};

/* Messages of one client in the present hour. */
struct mx_client {
        struct ip ip;
        int64_t hour_ms;
        unsigned messages;
};

struct mx_bounce {
        struct mx_bounce *next;
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
        struct mx_bounce *bounces; /* owned, in the order they were made */
        struct host *host;         /* of this life; NULL: down */
        struct host_listener *listener;
        struct scope scope;
        struct waitq bell, desk; /* the temperament has changed; there is a bounce */
        int status;
};

/* One connection; `tcp` is closed when this returns. */
void mx_session(struct mx *m, struct host_tcp *tcp, const struct ip *peer);

/* A message that was kept may bounce later, on every recipient. */
void mx_bounce_later(struct mx *m, struct str from, struct str recipient);
void mx_bounce_run(void *arg); /* a fiber; `arg` is the mail host */
void mx_bounces_free(struct mx *m);

/* A fresh number below 100 is under `percent`. */
bool mx_chance(struct mx *m, unsigned percent);

#endif
