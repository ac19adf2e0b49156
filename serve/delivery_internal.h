/* SPDX-License-Identifier: ISC */
/* What delivery.c (manager: queue and destinations) and the workers (delivery_worker.h) share. */
#ifndef SERVE_DELIVERY_INTERNAL_H
#define SERVE_DELIVERY_INTERNAL_H

#include <stdbool.h>

#include "serve/lipap.h"
#include "store/delivery.h"

#define DESTINATION_BUCKETS 256

/* One delivery in flight; texts lie behind the struct. */
struct delivery_job {
        struct delivery_job *next;
        int64_t id, message, list, member;
        unsigned attempts;
        int64_t first_ms;
        int64_t since_ms; /* monotonic: when it came into memory */
        struct str address, domain;
        char text[];
};

/* A domain for which jobs wait, towards which a connection is open, or which failed a moment ago. */
struct destination {
        struct destination *next; /* in its bucket */
        struct delivery *delivery;
        struct delivery_job *first, *last; /* waiting for a worker */
        size_t waiting, workers;
        size_t connected;   /* of the workers, those with a connection */
        size_t most;        /* workers that it may have: one until that has a connection */
        int64_t opening_ms; /* monotonic: since when the last of them tries to get one */
        int64_t rest_until_ms; /* monotonic: it failed as a whole, `said` so, and is not tried before; 0: it did not */
        size_t said_n;
        char said[STORE_REPLY_MAX];
        struct bell bell; /* a job was added */
        struct str domain;
        char text[];
};

struct delivery {
        struct lipap *node;
        struct scope *scope; /* of the workers */
        size_t jobs, workers;
        size_t stuck, resting; /* destinations: as last counted, and those whose rest is not over */
        size_t hungry; /* destinations with jobs and no place for a worker, as last counted, less who gave way */
        int64_t clock_ms; /* of the queue: what is to be added to the monotonic clock */
        struct bell bell; /* a job ended */
        struct destination *buckets[DESTINATION_BUCKETS];
};

/* The queue's time, in Unix milliseconds: the wall clock as it was at the start, moved on by the one that never jumps.
 * So a clock that is set neither holds the queue up nor makes all of it due. */
int64_t delivery_clock_ms(const struct delivery *delivery);

/* The next job that waits at `d`, or NULL. It is the caller's, to be ended by delivery_job_end or put back in front. */
struct delivery_job *delivery_job_take(struct destination *d);
void delivery_job_put_back(struct destination *d, struct delivery_job *job);
void delivery_job_end(struct delivery *delivery, struct delivery_job *job);
/* A worker of `d` has a connection, or no longer. */
void delivery_connected(struct destination *d);
void delivery_disconnected(struct destination *d);
/* `d` failed as a whole: let it rest as long as the shortest pause before another try. */
void delivery_rest(struct destination *d, struct str said);
bool delivery_is_resting(const struct destination *d);
/* A worker leaves; a destination without jobs, workers and rest is forgotten. */
void delivery_worker_leave(struct destination *d);

/* A fiber's function; `arg` is a struct destination that counts this worker already. */
void delivery_worker_run(void *arg);

#endif
