/* SPDX-License-Identifier: ISC */
/* What delivery.c (manager: queue and destinations) and delivery_worker.c (connections and transactions) share. */
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
        struct str address, domain;
        char text[];
};

/* A domain for which jobs wait, or towards which a connection is open. */
struct destination {
        struct destination *next; /* in its bucket */
        struct delivery *delivery;
        struct delivery_job *first, *last; /* waiting for a worker */
        size_t waiting, workers;
        struct bell bell; /* a job was added */
        struct str domain;
        char text[];
};

struct delivery {
        struct lipap *node;
        struct scope *scope; /* of the workers */
        size_t jobs, workers;
        struct bell bell; /* a job ended */
        struct destination *buckets[DESTINATION_BUCKETS];
};

/* The next job that waits at `d`, or NULL. It is the caller's, to be ended by delivery_job_end. */
struct delivery_job *delivery_job_take(struct destination *d);
void delivery_job_end(struct delivery *delivery, struct delivery_job *job);
/* A worker leaves; a destination without jobs and workers is forgotten. */
void delivery_worker_leave(struct destination *d);

/* A fiber's function; `arg` is a struct destination that counts this worker already. */
void delivery_worker_run(void *arg);

#endif
