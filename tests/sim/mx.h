/* SPDX-License-Identifier: ISC */
/* Receiving mail hosts: a node each, with a temperament that may change while it runs. The SMTP server here is its own,
 * not the product's: it is strict about what it is sent (`protocol` in the ledger) and free in what it answers.
 * What it keeps it shows to verify.h at once, and to nobody later. Greylists and such outlive the node's lives. */
#ifndef TESTS_SIM_MX_H
#define TESTS_SIM_MX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "host/host.h"
#include "tests/sim/ledger.h"
#include "tests/sim/verify.h"

/* All zeros: takes everything at once. Chances are in percent. */
struct mx_temper {
        int64_t greylist_ms; /* 450 for a new pair of sender's address and recipient, until this has passed */
        unsigned per_connection; /* messages, then 421 4.7.0 */
        unsigned per_hour;       /* messages of one client's address, then 421 4.7.28 */
        unsigned per_minute;     /* likewise, then 451 4.7.1 */
        unsigned connections;    /* of one client's address at once, then 421 4.7.0 to the next */
        unsigned storm;          /* chance of 4yz at any command */
        char refused_users[96];  /* local parts, parted by commas: 550 5.1.1; "*": everybody */
        char full_users[96];     /* likewise: 552 5.2.2 */
        char lost_users[96];     /* likewise: their mail is kept, and then a bounce says 5.1.1 */
        bool is_blocking;        /* 550 5.7.1 to everybody, for the sender's bad name */
        int64_t banner_ms;       /* before 220 */
        unsigned read_rate;      /* bytes a second that are read; 0: all */
        unsigned drop_before;    /* chance of ending the connection at the final dot, with nothing kept */
        unsigned drop_after;     /* the same with the message kept */
        unsigned close_after;    /* chance of closing after 250 to the final dot */
        unsigned recipients;     /* of one transaction, then 452 4.5.3 */
        bool is_refusing;        /* nobody listens */
        bool no_pipelining, no_chunking, no_ehlo;
        unsigned bounce;  /* chance of a bounce (RFC 3464) for a message that was kept: the mailbox is full */
        unsigned chatter; /* chance of what is no bounce: somebody is away, a delay, a challenge */
        unsigned forged;  /* chance of a bounce to a return path that nobody has made */
        int64_t bounce_ms; /* how long after all of these come; 0: 1 to 60 minutes */
};

/* Set one trait by its word as scenarios write it:
 *   greylist=5m per-connection=10 per-hour=100 per-minute=5 connections=2 storm=20 refused-users=a,b full-users=a lost-users=b
 *   blocks=yes banner-delay=30s read-rate=1000 drop-before=5 drop-after=5 close-after=50 recipients=1 refuse=yes
 *   pipelining=no chunking=no ehlo=no bounce=10 chatter=10 forged-bounces=5 bounce-delay=1h
 *   ERR_OK, ERR_NOT_FOUND (no such trait), ERR_SYNTAX (not its value) */
MUST_USE enum err mx_temper_put(struct mx_temper *t, struct str trait, struct str value);
/* The traits that are not as in a temper of zeros, as above, parted by spaces. */
void mx_temper_write(const struct mx_temper *t, struct wr *w);

struct mx_config {
        const char *name;      /* of the node; as long-lived as the mail host */
        struct ip_port at;     /* where it listens */
        struct ip_port server; /* where bounces go: the return paths' mail host; family 0: none are sent */
        struct str domains;    /* parted by commas: others get 550 5.7.1; empty: all */
        struct ledger *ledger;
        struct verify *verify;
        uint64_t seed;
        int64_t retry_ms; /* that clients wait before a second try, about; 0: nobody is blamed for haste */
        struct mx_temper temper;
};

struct mx;
struct mx *mx_new(const struct mx_config *config);
void mx_free(struct mx *m);

/* Change its temperament: holds from the next command on, for open connections too; is_refusing from the next
 * connection on. */
void mx_temper_set(struct mx *m, const struct mx_temper *temper);
const struct mx_temper *mx_temper_get(const struct mx *m);

/* The node's main: serves until the node is asked to stop; gives 0, or 1 when it cannot listen. `arg` is the mail host. */
int mx_run(struct host *h, void *arg);

/* Bounces that still have to be sent, and other mail of that kind. */
size_t mx_bounces(const struct mx *m);

/* At the end: have clients been polite in all? What can be seen before is told to the ledger at once (`polite`). */
void mx_judge(struct mx *m);

#endif
