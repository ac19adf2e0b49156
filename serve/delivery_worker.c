/* SPDX-License-Identifier: ISC */
/* One worker: a connection to one destination, and one transaction after the other on it. */
#include "serve/delivery_worker.h"

#include <stdlib.h>

#include "serve/delivery_connect.h"
#include "serve/delivery_outcome.h"
#include "serve/delivery_transact.h"

static struct delivery_outcome try_job(struct delivery_worker *w, const struct delivery_job *job)
{
        if (!w->is_open) {
                struct delivery_outcome o = delivery_connect(w);
                if (!w->is_open && o.kind == DELIVERY_DEFER && w->destination->connected > 0)
                        o.kind = DELIVERY_CROWDED;
                if (!w->is_open)
                        return o;
        }
        return delivery_transact(w, job);
}

/* The whole destination failed: so did all that waits for it. Nobody else is asked in vain. */
static void commit_waiting(struct delivery_worker *w, const struct delivery_outcome *o)
{
        struct delivery_job *job;
        while (!fiber_is_cancelled(w->node->host->sched) && (job = delivery_job_take(w->destination))) {
                struct delivery_outcome same = *o;
                delivery_commit(w, job, &same);
                delivery_job_end(w->destination->delivery, job);
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
        if (o.kind == DELIVERY_STALE) {
                delivery_disconnect(w, false);
                o = try_job(w, job); /* the new connection is not reused, so it cannot be stale again */
        }
        if (o.kind == DELIVERY_CROWDED) {
                d->most = d->connected;
                delivery_job_put_back(d, job);
                return false;
        }
        if (o.code == 421)
                delivery_disconnect(w, false);
        bool is_cancelled = fiber_is_cancelled(w->node->host->sched);
        if (!is_cancelled || o.kind == DELIVERY_DONE || o.kind == DELIVERY_FAIL)
                delivery_commit(w, job, &o);
        if (!is_cancelled && o.is_destination) {
                if (o.kind == DELIVERY_DEFER && !delivery_is_resting(d))
                        delivery_rest(d, o.said);
                commit_waiting(w, &o);
        }
        delivery_job_end(d->delivery, job);
        return true;
}

/* The next job, waited for a moment while the connection is good, unless another destination needs the place. */
static struct delivery_job *next_job(struct delivery_worker *w)
{
        struct destination *d = w->destination;
        struct sched *sched = w->node->host->sched;
        int64_t until = host_now_ms(w->node->host) + DELIVERY_LINGER_MS;
        for (;;) {
                uint64_t rung = d->bell.rung;
                if (fiber_is_cancelled(sched))
                        return NULL;
                struct delivery_job *job = delivery_job_take(d);
                if (job || !w->is_open)
                        return job;
                if (d->delivery->hungry > 0) {
                        d->delivery->hungry--;
                        return NULL;
                }
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
