/* SPDX-License-Identifier: ISC */
/* What the manager of deliveries (delivery.c), its routes (delivery_route.c), its destinations (delivery_destination.c) and
 * the workers (delivery_worker.h) share.
 *
 * A job waits at the route of its domain until it is known where that leads, then at a destination: the set of mail hosts
 * that the route found. Domains with the same hosts share a destination, and so its pace and its rests, and its connections as far as
 * they want the same of them (delivery_connect.h). */
#ifndef SERVE_DELIVERY_INTERNAL_H
#define SERVE_DELIVERY_INTERNAL_H

#include <stdbool.h>

#include "serve/delivery_letter.h"
#include "serve/delivery_line.h"
#include "serve/delivery_pace.h"
#include "serve/lipap.h"
#include "serve/mx.h"
#include "serve/tls_result.h"
#include "store/delivery.h"

#define DELIVERY_BUCKETS 1024
#define DELIVERY_NULL_MX S("556 5.1.10 the domain takes no mail (RFC 7505)")

/* What became of a job. */
enum delivery_verdict {
        DELIVERY_DONE,
        DELIVERY_DEFER,
        DELIVERY_FAIL,
        DELIVERY_STALE, /* the connection had been used before and ended here: to be tried over another one */
        DELIVERY_CROWDED /* no connection, but others to these hosts are open: it is theirs, or that of one to come */
};
/* Where in a transaction it was decided. */
enum delivery_stage { DELIVERY_AT_START, DELIVERY_AT_MAIL, DELIVERY_AT_RCPT, DELIVERY_AT_END };
struct delivery_outcome {
        enum delivery_verdict kind;
        enum delivery_stage stage;
        bool is_destination; /* the whole destination is to be left alone for now */
        bool is_domain;      /* the same for the job's domain */
        unsigned code;       /* of the reply; 0: there was none */
        int64_t ms;          /* the transaction's time */
        struct str said;     /* borrowed from the worker or route until its next word, or for ever */
};

/* Since a destination is known: for those who watch. */
struct delivery_counts {
        uint64_t delivered, deferred, failed;
        uint64_t connections;
        uint64_t tls[TLS_RESULTS];
};

/* A set of mail hosts for which jobs wait, towards which a connection is open, to which a route leads, or which failed a
 * moment ago. */
struct destination {
        struct destination *next; /* in its bucket */
        struct delivery *delivery;
        struct delivery_line line; /* waiting for a worker */
        size_t workers;
        size_t connected; /* of the workers, those with a connection */
        size_t routes;    /* that lead here */
        struct delivery_pace pace;
        int64_t opening_ms; /* monotonic: since when the last of them tries to get one */
        int64_t used_ms;    /* monotonic: when it was last given a job */
        int64_t rest_until_ms; /* monotonic: it failed as a whole, `said` so, and is not tried before; 0: it did not */
        unsigned rests; /* one after the other, without a connection in between */
        size_t said_n;
        char said[STORE_REPLY_MAX];
        struct bell bell; /* a job was added */
        struct delivery_counts counts;
        uint8_t key[MX_KEY_SIZE];
        struct str name; /* of its first host, or the address: for people */
        char text[];
};

/* The way from a domain to its destination, known for as long as the DNS says, in bounds; who waits at the destination by then is
 * not sent back to have it looked up again. */
struct delivery_route {
        struct delivery_route *next; /* in its bucket */
        struct delivery_route *next_unasked;
        struct delivery *delivery;
        struct delivery_line line;  /* until it is known where it leads */
        bool is_unasked;            /* its turn to be looked up has yet to come */
        bool is_asking;             /* a fiber looks it up, and tells its jobs what came of it */
        size_t jobs;                /* that came here and are not over: they look at what was found last */
        bool is_shareable;          /* the domain asks nothing of the hosts (delivery_connect.h) */
        uint8_t order[MX_KEY_SIZE]; /* in which it prefers them (mx_order) */
        int64_t until_ms;           /* monotonic: what is known holds so long */
        struct destination *destination; /* NULL: it leads nowhere for now, as `failed` says */
        struct delivery_outcome failed;
        char said[256];
        struct str domain;
        char text[];
};

struct delivery_address;

struct delivery {
        struct lipap *node;
        struct scope *scope; /* of the workers and of those who look up routes */
        size_t jobs, workers;
        size_t asking;          /* routes that are looked up */
        int64_t blind_until_ms; /* monotonic: an outcome could not be kept, so nothing more is sent for a while */
        size_t stuck, resting; /* destinations: as last counted, and those whose rest is not over */
        size_t hungry; /* destinations with jobs and no place for a worker, as last counted, less who gave way */
        int64_t clock_ms; /* of the queue: what is to be added to the monotonic clock */
        struct bell bell; /* a job ended */
        struct delivery_letters letters;
        size_t route_count;
        struct delivery_route *unasked, *last_unasked;
        struct delivery_route *routes[DELIVERY_BUCKETS];
        struct destination *destinations[DELIVERY_BUCKETS];
        size_t address_count;
        struct delivery_address *addresses[DELIVERY_BUCKETS]; /* delivery_address.h */
};

/* The queue's time, in Unix milliseconds: the wall clock as it was at the start, moved on by the one that never jumps.
 * So a clock that is set neither holds the queue up nor makes all of it due. */
int64_t delivery_clock_ms(const struct delivery *delivery);
int64_t delivery_now_ms(const struct delivery *delivery); /* the monotonic clock */

/* delivery.c: a job that was taken out of its line is over. */
void delivery_job_end(struct delivery *delivery, struct delivery_job *job);

/* delivery_route.c. The route of a domain, made when there is none; NULL: no memory. A job comes to it, and goes on by
 * itself from there. */
struct delivery_route *delivery_route_get(struct delivery *delivery, struct str domain);
void delivery_route_add(struct delivery_route *route, struct delivery_job *job);
/* What was known of it is no longer so. */
void delivery_route_forget(struct delivery *delivery, struct str domain);
/* It leads nowhere for a while: what comes has the outcome `o`. */
void delivery_route_rest(struct delivery *delivery, struct str domain, const struct delivery_outcome *o);
void delivery_routes_look_after(struct delivery *delivery); /* those that nobody needs go away */
void delivery_routes_look_anew(struct delivery *delivery);  /* nothing that was found holds any longer */
/* After the destinations, whose jobs know their routes. */
void delivery_routes_end(struct delivery *delivery);

/* delivery_destination.c. The destination of `key`, made when there is none; NULL: no memory. */
struct destination *delivery_destination_get(
        struct delivery *delivery, const uint8_t key[MX_KEY_SIZE], struct str name);
void delivery_destination_add(struct destination *d, struct delivery_job *job);
/* The next job that waits at `d`, or NULL. It is the caller's, to be ended by delivery_job_end or put back in front. */
void delivery_destination_put_back(struct destination *d, struct delivery_job *job);
/* A worker of `d` has a connection, or no longer. */
void delivery_connected(struct destination *d);
void delivery_disconnected(struct destination *d);
/* `d` failed as a whole: let it rest, longer each time (but never so long as the pause of a job that failed with it). */
void delivery_rest(struct destination *d, struct str said);
bool delivery_is_resting(const struct destination *d);
void delivery_end_rests(struct delivery *delivery);
/* A worker leaves. */
void delivery_worker_leave(struct destination *d);
/* Does what came first into `line` still wait after some time? */
bool delivery_is_slow(const struct delivery *delivery, const struct delivery_line *line);
/* Count the stuck, forget those that nobody needs, give workers to the others. */
void delivery_destinations_look_after(struct delivery *delivery);
void delivery_destinations_end(struct delivery *delivery);

/* delivery_worker.c: a fiber's function; `arg` is a struct destination that counts this worker already. */
void delivery_worker_run(void *arg);

/* The bucket of some bytes in the tables above. */
size_t delivery_bucket(struct str bytes);

#endif
