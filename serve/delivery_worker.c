/* SPDX-License-Identifier: ISC */
/* One worker: a connection to one destination, and one transaction after the other on it. */
#include "serve/delivery_worker.h"

#include <stdlib.h>

#include "serve/delivery_address.h"
#include "serve/delivery_connect.h"
#include "serve/delivery_outcome.h"
#include "serve/delivery_transact.h"

#define LOOK 64 /* jobs in the line that may be passed over for one that fits the connection */

/* ---- one job ---- */

static struct delivery_outcome try_connected(struct delivery_worker *w, const struct delivery_job *job)
{
        struct delivery_letters *letters = &w->destination->delivery->letters;
        struct delivery_letter *letter;
        enum err e = delivery_letter_open(letters, w->node, job->message, &letter);
        if (e != ERR_OK)
                return delivery_outcome_of_trouble(w, S("reading our own copy"), e);
        struct delivery_outcome o = delivery_transact(w, job, letter);
        delivery_letter_close(letters, letter);
        return o;
}

/* No connection now: but there are others, or there was one a moment ago, which the peer may still count (Exim says 421 until
 * it has cleared up behind the last one). */
static bool is_about_connections(const struct destination *d, const struct delivery_outcome *o)
{
        bool is_fresh =
                o->code == 421 && delivery_pace_is_fresh(&d->pace, host_now_ms(d->delivery->node->host));
        return o->kind == DELIVERY_DEFER && o->is_destination && (d->connected > 0 || is_fresh);
}

static bool is_blind(const struct delivery *delivery)
{
        return host_now_ms(delivery->node->host) < delivery->blind_until_ms;
}

static struct delivery_outcome try_job(struct delivery_worker *w, const struct delivery_job *job)
{
        struct destination *d = w->destination;
        if (w->is_open && !delivery_serves(w, job))
                delivery_disconnect(w, true);
        if (w->is_open && w->has_idled && !smtp_out_is_alive(w->out))
                delivery_disconnect(w, false);
        w->has_idled = false;
        if (!w->is_open && delivery_is_resting(d))
                return (struct delivery_outcome){
                        .kind = DELIVERY_DEFER, .is_destination = true, .said = str_of(d->said, d->said_n)};
        if (!w->is_open) {
                struct delivery_outcome o = delivery_connect(w, job);
                if (!w->is_open && is_about_connections(d, &o))
                        o.kind = DELIVERY_CROWDED;
                if (!w->is_open)
                        return o;
        }
        w->tried++;
        if (is_blind(d->delivery)) /* since the connection was asked for */
                return (struct delivery_outcome){
                        .kind = DELIVERY_DEFER, .said = S("outcomes cannot be kept")};
        return try_connected(w, job);
}

/* 421, and no other session goes on. Before a recipient was named that is about us; after that it may be about this one
 * message, and the sessions to come tell. */
static bool is_dismissed(const struct delivery_worker *w, const struct delivery_outcome *o)
{
        const struct destination *d = w->destination;
        bool is_about_us = o->stage == DELIVERY_AT_MAIL || delivery_pace_is_dismissed(&d->pace);
        bool is_alone = d->connected == (w->is_open ? 1 : 0);
        return o->kind == DELIVERY_DEFER && o->code == 421 && o->stage != DELIVERY_AT_START && is_alone &&
               is_about_us;
}

/* What it tells of the peer. */
static void keep_pace(struct delivery_worker *w, const struct delivery_outcome *o)
{
        struct destination *d = w->destination;
        struct delivery_pace *p = &d->pace;
        int64_t now_ms = host_now_ms(w->node->host);
        unsigned connected = (unsigned)d->connected;
        if (o->kind == DELIVERY_DONE) {
                w->taken++;
                delivery_pace_taken(p, connected, o->ms, now_ms);
        } else if (o->kind == DELIVERY_CROWDED) {
                delivery_pace_crowded(p, connected, now_ms);
        } else if (o->kind == DELIVERY_STALE || o->code == 421) {
                delivery_pace_session(p, connected, w->taken, o->kind != DELIVERY_STALE, now_ms);
        } else if (o->kind == DELIVERY_DEFER && o->stage == DELIVERY_AT_MAIL) {
                delivery_pace_session(p, connected, w->taken, true, now_ms);
        } else if (o->kind == DELIVERY_DEFER && o->stage != DELIVERY_AT_START) {
                delivery_pace_refused(p, connected, now_ms);
        } else if (o->kind == DELIVERY_DEFER && !w->is_open) {
                delivery_pace_troubled(p, connected, now_ms);
        }
}

/* Does the session end here? */
static bool has_enough(const struct delivery_worker *w, const struct delivery_outcome *o)
{
        return o->code == 421 || (o->kind == DELIVERY_DEFER && o->stage == DELIVERY_AT_MAIL) ||
               !delivery_pace_session_goes_on(&w->destination->pace, w->taken);
}

/* ---- what it means for others ---- */

static bool is_of_domain(const void *ctx, const struct delivery_job *job)
{
        const struct str *domain = ctx;
        return str_eq(job->domain, *domain);
}

/* The whole destination failed, or all of it for one domain (NULL: for all): so did all that waits for it. Nobody else is
 * asked in vain. */
static void commit_waiting(
        struct delivery_worker *w, const struct delivery_outcome *o, const struct str *domain)
{
        struct destination *d = w->destination;
        while (!fiber_is_cancelled(w->node->host->sched)) {
                struct delivery_job *job =
                        domain ? delivery_line_take_fit(&d->line, SIZE_MAX, is_of_domain, domain)
                               : delivery_line_take(&d->line);
                if (!job)
                        return;
                delivery_commit(d->delivery, job, o, w);
                delivery_job_end(d->delivery, job);
        }
}

static void spread(
        struct delivery_worker *w, const struct delivery_job *job, const struct delivery_outcome *o)
{
        struct destination *d = w->destination;
        if (o->is_destination) {
                if (o->kind == DELIVERY_DEFER && !delivery_is_resting(d))
                        delivery_rest(d, o->said);
                commit_waiting(w, o, NULL);
        } else if (o->is_domain) {
                delivery_route_rest(d->delivery, job->domain, o);
                commit_waiting(w, o, &job->domain);
        }
}

/* One job to its outcome, which is committed before this returns. When the fiber is cancelled in the middle and the
 * outcome is not known, the job stays in flight, until delivery_run gives back all that is.
 * False: it is others' now, and this worker is one too many. */
static bool do_job(struct delivery_worker *w, struct delivery_job *job)
{
        struct destination *d = w->destination;
        w->peer = w->is_open ? w->peer : (struct ip_port){0};
        struct delivery_outcome o = try_job(w, job);
        keep_pace(w, &o);
        if (o.kind == DELIVERY_STALE) {
                delivery_disconnect(w, false);
                o = try_job(w, job); /* the new connection is not reused, so it cannot be stale again */
                keep_pace(w, &o);
        }
        if (o.kind == DELIVERY_CROWDED) {
                delivery_destination_put_back(d, job);
                return false;
        }
        o.is_destination = o.is_destination || is_dismissed(w, &o);
        bool is_cancelled = fiber_is_cancelled(w->node->host->sched);
        if (!is_cancelled || o.kind == DELIVERY_DONE || o.kind == DELIVERY_FAIL)
                delivery_commit(d->delivery, job, &o, w);
        if (is_blind(d->delivery))
                delivery_disconnect(w, false);
        if (w->is_open && has_enough(w, &o)) /* now that the outcome is on disk: QUIT would say that it is */
                delivery_disconnect(w, o.code != 421);
        if (!is_cancelled)
                spread(w, job, &o);
        delivery_job_end(d->delivery, job);
        return true;
}

/* ---- the loop ---- */

static bool fits(const void *ctx, const struct delivery_job *job)
{
        return delivery_serves(ctx, job);
}

/* One that the connection serves, if there is one near; what is urgent comes before that. */
static struct delivery_job *take_job(struct delivery_worker *w)
{
        struct destination *d = w->destination;
        struct delivery_job *job = NULL;
        if (host_now_ms(w->node->host) < d->pace.resume_ms)
                return NULL;
        if (w->is_open && !d->line.last_urgent)
                job = delivery_line_take_fit(&d->line, LOOK, fits, w);
        return job ? job : delivery_line_take(&d->line);
}

/* The next job, waited for a moment while the connection is good, unless another destination needs the place. */
static struct delivery_job *next_job(struct delivery_worker *w)
{
        struct destination *d = w->destination;
        struct sched *sched = w->node->host->sched;
        int64_t until = host_now_ms(w->node->host) + DELIVERY_LINGER_MS;
        for (;;) {
                uint64_t rung = d->bell.rung;
                if (is_blind(d->delivery) && fiber_sleep_until(sched, d->delivery->blind_until_ms) != ERR_OK)
                        return NULL;
                if (fiber_is_cancelled(sched) || d->connected > d->pace.allowed)
                        return NULL;
                if (w->is_open && delivery_address_is_wanted(w->address, w->tried))
                        return NULL;
                struct delivery_job *job = take_job(w);
                if (job || !w->is_open)
                        return job;
                if (delivery_address_is_wanted(w->address, DELIVERY_ADDRESS_TURN))
                        return NULL;
                if (d->delivery->hungry > 0) {
                        d->delivery->hungry--;
                        return NULL;
                }
                w->has_idled = true;
                if (bell_wait(&d->bell, sched, rung, until) != ERR_OK)
                        return NULL;
        }
}

void delivery_worker_run(void *arg)
{
        struct destination *d = arg;
        struct delivery_worker *w = calloc(1, sizeof *w);
        struct smtp_out *out = calloc(1, sizeof *out);
        if (w && out) {
                w->destination = d;
                w->node = d->delivery->node;
                w->out = out;
                arena_init(&w->arena, w->memory, sizeof w->memory);
                struct delivery_job *job = next_job(w);
                while (job && do_job(w, job))
                        job = next_job(w);
                delivery_disconnect(w, !fiber_is_cancelled(w->node->host->sched));
        }
        if (!w || !out)
                (void)(fiber_sleep(d->delivery->node->host->sched, 1000) ==
                        ERR_OK); /* memory may come back */
        free(out);
        free(w);
        delivery_worker_leave(d);
}
