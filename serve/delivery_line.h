/* SPDX-License-Identifier: ISC */
/* Deliveries that wait for a turn. Urgent ones stand in front: what a person waits for (confirmations, forwards) is not to
 * stand behind a post to all members of a large list. Zeros are an empty line. */
#ifndef SERVE_DELIVERY_LINE_H
#define SERVE_DELIVERY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/delivery.h"

struct delivery_route;

/* One delivery in flight; texts lie behind the struct. */
struct delivery_job {
        struct delivery_job *next;
        int64_t id, message, list, member;
        unsigned attempts;
        int64_t first_ms;             /* of the queue's clock */
        int64_t since_ms;             /* monotonic: when it came into memory */
        bool is_urgent;               /* to no member of a list */
        struct delivery_route *route; /* of its domain; NULL until it comes there */
        struct str address, domain;
        char text[];
};

/* A copy on the heap; the end is free(). NULL: no memory. */
struct delivery_job *delivery_job_new(const struct store_delivery *row, int64_t since_ms);

struct delivery_line {
        struct delivery_job *first, *last;
        struct delivery_job *last_urgent; /* or NULL */
        size_t count;
};

/* Behind those of its kind; in front of them for one that had its turn already. */
void delivery_line_add(struct delivery_line *line, struct delivery_job *job);
void delivery_line_put_back(struct delivery_line *line, struct delivery_job *job);
struct delivery_job *delivery_line_take(struct delivery_line *line); /* the first, or NULL */
/* The first that `fits`, among the first `look` ones, or NULL. */
struct delivery_job *delivery_line_take_fit(struct delivery_line *line, size_t look,
        bool (*fits)(const void *ctx, const struct delivery_job *job), const void *ctx);
/* All behind the first `keep` (at least 1), as a chain in any order that begins with what is returned; their count is taken off.
 * `*chain_end` is its last. NULL: there are none, or all of these are urgent. */
struct delivery_job *delivery_line_cut(
        struct delivery_line *line, size_t keep, struct delivery_job **chain_end);

#endif
