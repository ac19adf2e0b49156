/* SPDX-License-Identifier: ISC */
/* What came of a delivery: put into words, told to the log and the statistics, kept in the store. */
#ifndef SERVE_DELIVERY_OUTCOME_H
#define SERVE_DELIVERY_OUTCOME_H

#include "serve/delivery_worker.h"

/* The server's reply, or trouble of our own, as text; borrowed from the worker until its next word. */
struct str delivery_say_reply(struct delivery_worker *w, const struct smtp_reply *reply);
struct str delivery_say_trouble(struct delivery_worker *w, struct str what, enum err e);

/* 2yz, 4yz and 5yz as done, deferred and failed. */
struct delivery_outcome delivery_outcome_of_reply(struct delivery_worker *w, const struct smtp_reply *reply);
/* Deferred for trouble that is no reply. */
struct delivery_outcome delivery_outcome_of_trouble(struct delivery_worker *w, struct str what, enum err e);

/* Log it, count it, and wait until it is on disk. What is deferred for too long fails. `w` is NULL when no host was spoken
 * to. */
void delivery_commit(struct delivery *delivery, const struct delivery_job *job,
        const struct delivery_outcome *outcome, const struct delivery_worker *w);

#endif
