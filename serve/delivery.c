/* SPDX-License-Identifier: ISC */
#include "serve/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "host/log.h"
#include "serve/delivery_internal.h"

#define FILL_ARENA (256 * 1024)
#define FILL_ROWS 128 /* rows of one call fit the arena: an address and a domain each, at most 600 bytes */
#define STORE_PAUSE_MS 5000
#define TICK_MS 1000 /* while there are jobs, destinations are looked at so often */

static int64_t now_ms(const struct delivery *delivery)
{
        return host_now_ms(delivery->node->host);
}

int64_t delivery_clock_ms(const struct delivery *delivery)
{
        return delivery->clock_ms + now_ms(delivery);
}

/* ---- destinations ---- */

static size_t bucket_of(struct str domain)
{
        uint32_t hash = 2166136261U; /* FNV-1a */
        for (size_t i = 0; i < domain.n; i++)
                hash = (hash ^ (uint8_t)domain.p[i]) * 16777619U;
        return hash % DESTINATION_BUCKETS;
}

static struct destination *destination_get(struct delivery *delivery, struct str domain)
{
        struct destination **bucket = &delivery->buckets[bucket_of(domain)];
        for (struct destination *d = *bucket; d; d = d->next)
                if (str_eq(d->domain, domain))
                        return d;
        struct destination *d = calloc(1, sizeof *d + domain.n);
        if (!d)
                return NULL;
        memcpy(d->text, domain.p, domain.n);
        d->domain = str_of(d->text, domain.n);
        d->delivery = delivery;
        d->most = 1;
        d->next = *bucket;
        *bucket = d;
        return d;
}

static void destination_forget(struct destination *d)
{
        struct destination **at = &d->delivery->buckets[bucket_of(d->domain)];
        while (*at != d)
                at = &(*at)->next;
        *at = d->next;
        d->delivery->resting -= d->rest_until_ms != 0;
        free(d);
}

void delivery_rest(struct destination *d, struct str said)
{
        struct delivery *delivery = d->delivery;
        if (d->rest_until_ms == 0 && delivery->resting == DELIVERY_RESTS_MAX)
                return;
        delivery->resting += d->rest_until_ms == 0;
        d->rest_until_ms = now_ms(delivery) + delivery->node->retry_first_ms;
        d->said_n = said.n < sizeof d->said ? said.n : sizeof d->said;
        memmove(d->said, said.p, d->said_n); /* it may be what was said before */
}

/* The operator wants all tried now. */
static void end_rests(struct delivery *delivery)
{
        delivery->node->has_flushed = false;
        delivery->resting = 0;
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next)
                        d->rest_until_ms = 0;
}

bool delivery_is_resting(const struct destination *d)
{
        return d->rest_until_ms > now_ms(d->delivery);
}

/* Is what came first for it still waiting after some time? */
static bool is_slow(const struct destination *d)
{
        return d->first && d->first->since_ms + DELIVERY_SLOW_MS < now_ms(d->delivery);
}

/* Is its only worker trying to get a connection for some time already? */
static bool is_stuck(const struct destination *d)
{
        return d->workers > 0 && d->connected == 0 && d->opening_ms + DELIVERY_SLOW_MS < now_ms(d->delivery);
}

struct delivery_job *delivery_job_take(struct destination *d)
{
        struct delivery_job *job = d->first;
        if (!job)
                return NULL;
        d->first = job->next;
        if (!d->first)
                d->last = NULL;
        d->waiting--;
        return job;
}

void delivery_job_put_back(struct destination *d, struct delivery_job *job)
{
        job->next = d->first;
        d->first = job;
        if (!d->last)
                d->last = job;
        d->waiting++;
        bell_ring(&d->bell);
}

void delivery_job_end(struct delivery *delivery, struct delivery_job *job)
{
        free(job);
        CHECK(delivery->jobs > 0);
        delivery->jobs--;
        bell_ring(&delivery->bell);
}

void delivery_worker_leave(struct destination *d)
{
        struct delivery *delivery = d->delivery;
        d->workers--;
        delivery->workers--;
        if (d->workers == 0 && !d->first && !delivery_is_resting(d))
                destination_forget(d);
        bell_ring(&delivery->bell);
        bell_ring(
                &delivery->node
                         ->delivery_bell); /* a job may have come meanwhile, here or where no worker was left */
}

/* One connection for a few jobs, more for many. */
static void staff(struct destination *d)
{
        struct delivery *delivery = d->delivery;
        size_t wanted = 1 + d->waiting / 8, most = DELIVERY_WORKERS_MAX + delivery->stuck;
        if (wanted > d->most)
                wanted = d->most;
        while (d->first && d->workers < wanted && delivery->workers < most) {
                if (d->workers == 0)
                        d->opening_ms = now_ms(delivery);
                d->workers++;
                delivery->workers++;
                if (scope_spawn(delivery->scope, "delivery", delivery_worker_run, d) == ERR_OK)
                        continue;
                d->workers--;
                delivery->workers--;
                return;
        }
}

void delivery_connected(struct destination *d)
{
        if (d->connected++ == 0)
                d->most = DELIVERY_WORKERS_EACH;
        staff(d);
}

void delivery_disconnected(struct destination *d)
{
        d->connected--;
        d->opening_ms = now_ms(d->delivery);
}

/* Where all places are taken, workers that only wait for more at their destination give way. */
static void feed_hungry(struct delivery *delivery)
{
        delivery->hungry = 0;
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next)
                        delivery->hungry += d->first && d->workers == 0;
        for (size_t i = 0; delivery->hungry > 0 && i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next)
                        if (d->workers > 0 && !d->first)
                                bell_ring(&d->bell);
}

/* Count the stuck, forget those whose rest is over, give workers to the others. */
static void look_after_all(struct delivery *delivery)
{
        size_t stuck = 0;
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i], *next; d; d = next) {
                        next = d->next;
                        stuck += is_stuck(d);
                        if (d->workers == 0 && !d->first && !delivery_is_resting(d))
                                destination_forget(d);
                }
        delivery->stuck = stuck < DELIVERY_STUCK_MAX ? stuck : DELIVERY_STUCK_MAX;
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next)
                        staff(d);
        feed_hungry(delivery);
}

/* ---- jobs ---- */

static struct delivery_job *job_new(const struct store_delivery *row, int64_t since_ms)
{
        struct delivery_job *job = calloc(1, sizeof *job + row->address.n + row->domain.n);
        if (!job)
                return NULL;
        *job = (struct delivery_job){.id = row->id,
                .message = row->message,
                .list = row->list,
                .member = row->member,
                .attempts = row->attempts,
                .first_ms = row->first_ms,
                .since_ms = since_ms};
        memcpy(job->text, row->address.p, row->address.n);
        memcpy(job->text + row->address.n, row->domain.p, row->domain.n);
        job->address = str_of(job->text, row->address.n);
        job->domain = str_of(job->text + row->address.n, row->domain.n);
        return job;
}

/* Not now: it comes back, and that counts as no try. */
static enum err send_back(struct delivery *delivery, int64_t id, int64_t pause_ms)
{
        int64_t jitter_ms = (int64_t)host_random_below(delivery->node->host, (uint64_t)pause_ms / 4 + 1);
        enum err e = store_delivery_return(
                delivery->node->store, id, delivery_clock_ms(delivery) + pause_ms + jitter_ms);
        return e == ERR_NOT_FOUND ? ERR_OK : e; /* the operator has dropped it */
}

static enum err add(struct delivery *delivery, const struct store_delivery *row)
{
        struct destination *d = destination_get(delivery, row->domain);
        bool is_too_many =
                d && is_slow(d) && d->waiting >= DELIVERY_SLOW_JOBS && delivery->jobs > DELIVERY_JOBS_MAX / 2;
        struct delivery_job *job = d && !is_too_many ? job_new(row, now_ms(delivery)) : NULL;
        if (!job) /* a destination without jobs is forgotten at the next look */
                return send_back(delivery, row->id, is_too_many ? DELIVERY_SLOW_PAUSE_MS : STORE_PAUSE_MS);
        if (d->last)
                d->last->next = job;
        else
                d->first = job;
        d->last = job;
        d->waiting++;
        delivery->jobs++;
        bell_ring(&d->bell);
        staff(d);
        return ERR_OK;
}

/* Room is filled in batches, or each job that ends would cost a query. */
static size_t room_for_jobs(const struct delivery *delivery)
{
        size_t room = DELIVERY_JOBS_MAX - delivery->jobs;
        return room < DELIVERY_JOBS_MAX / 4 ? 0 : room;
}

/* Take what is due and what posts still have to give, as far as there is room. */
static enum err fill(struct delivery *delivery, struct arena *arena, size_t *count)
{
        struct store *store = delivery->node->store;
        size_t room = room_for_jobs(delivery), n = 0;
        struct store_delivery *rows;
        int64_t now = delivery_clock_ms(delivery);
        enum err e = ERR_OK;
        *count = 0;
        for (int source = 0; source < 2 && e == ERR_OK && room > 0; source++) {
                size_t limit = room < FILL_ROWS ? room : FILL_ROWS;
                arena_reset(arena);
                e = source == 0 ? store_delivery_due(store, now, limit, arena, &rows, &n)
                                : store_post_fill(store, now, limit, arena, &rows, &n);
                for (size_t i = 0; i < n; i++) {
                        enum err added =
                                add(delivery, &rows[i]); /* each is in flight, and is to be looked after */
                        e = e == ERR_OK ? added : e;
                }
                *count += n;
                room -= n;
        }
        return e;
}

/* All but the first few jobs of slow destinations, taken out of their lines. */
static struct delivery_job *take_surplus(struct delivery *delivery)
{
        struct delivery_job *surplus = NULL;
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next) {
                        struct delivery_job *last = d->first;
                        if (!is_slow(d) || d->waiting <= DELIVERY_SLOW_JOBS)
                                continue;
                        for (size_t n = 1; n < DELIVERY_SLOW_JOBS; n++)
                                last = last->next;
                        d->last->next = surplus;
                        surplus = last->next;
                        last->next = NULL;
                        d->last = last;
                        d->waiting = DELIVERY_SLOW_JOBS;
                }
        return surplus;
}

/* Nothing more fits: what waits for slow destinations makes room for the others. */
static enum err make_room(struct delivery *delivery)
{
        struct delivery_job *job = take_surplus(delivery), *next;
        enum err e = ERR_OK;
        for (; job; job = next) {
                bool is_over = fiber_is_cancelled(delivery->node->host->sched); /* all goes back anyway */
                enum err sent = is_over ? ERR_OK : send_back(delivery, job->id, DELIVERY_SLOW_PAUSE_MS);
                next = job->next;
                e = e == ERR_OK ? sent : e;
                delivery_job_end(delivery, job);
        }
        return e;
}

/* ---- the manager ---- */

static enum err wait_for_work(struct delivery *delivery, uint64_t ended, uint64_t rung)
{
        struct lipap *node = delivery->node;
        struct sched *sched = node->host->sched;
        int64_t tick = now_ms(delivery) + TICK_MS, due_ms, until = FIBER_NEVER;
        enum err e;
        if (room_for_jobs(delivery) == 0) {
                e = bell_wait(&delivery->bell, sched, ended, tick);
                return e == ERR_OK || e == ERR_TIMEOUT ? make_room(delivery) : e;
        }
        e = store_delivery_next_due(node->store, &due_ms);
        if (e != ERR_OK)
                return e;
        if (due_ms != INT64_MAX)
                until = due_ms - delivery->clock_ms;
        if (delivery->jobs > 0 && tick < until)
                until = tick;
        e = bell_wait(&node->delivery_bell, sched, rung, until);
        return e == ERR_TIMEOUT ? ERR_OK : e;
}

static void log_trouble(struct delivery *delivery, enum err e)
{
        struct log_line l;
        log_begin(&l, delivery->node->host, LOG_ERROR, "delivery", "store-trouble");
        log_err(&l, e);
        log_end(&l);
}

static void manage(struct delivery *delivery, struct arena *arena)
{
        struct lipap *node = delivery->node;
        enum err e = ERR_OK;
        while (e == ERR_OK) {
                uint64_t rung = node->delivery_bell.rung, ended = delivery->bell.rung;
                size_t count = 0;
                if (node->has_flushed)
                        end_rests(delivery);
                e = fill(delivery, arena, &count);
                look_after_all(delivery);
                if (e == ERR_OK && count == 0)
                        e = wait_for_work(delivery, ended, rung);
                if (e == ERR_OK || e == ERR_CANCELLED || e == ERR_CLOSED)
                        continue;
                log_trouble(delivery, e);
                e = e == ERR_IO ? e : fiber_sleep(node->host->sched, STORE_PAUSE_MS);
        }
}

/* The end of delivery: what no worker took, and what was taken without a result that could be kept. */
static void give_back(struct delivery *delivery)
{
        enum err e = store_delivery_return_all(delivery->node->store);
        if (e != ERR_OK)
                log_trouble(delivery, e); /* the next start finds it in flight */
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                while (delivery->buckets[i]) {
                        struct destination *d = delivery->buckets[i];
                        for (struct delivery_job *job = delivery_job_take(d); job; job = delivery_job_take(d))
                                delivery_job_end(delivery, job);
                        destination_forget(d);
                }
}

/* No pause is longer than this: what is due later was queued under another clock. */
static enum err start_clock(struct delivery *delivery)
{
        struct host *h = delivery->node->host;
        delivery->clock_ms = host_wall_ms(h) - host_now_ms(h);
        return store_delivery_hasten(
                delivery->node->store, delivery_clock_ms(delivery) + DELIVERY_RETRY_MOST_MS * 5LL / 4);
}

void delivery_run(void *arg)
{
        struct lipap *node = arg;
        struct delivery *delivery = calloc(1, sizeof *delivery);
        char *memory = malloc(FILL_ARENA);
        struct arena arena;
        struct scope workers;
        if (delivery && memory) {
                delivery->node = node;
                delivery->scope = &workers;
                arena_init(&arena, memory, FILL_ARENA);
                enum err e = start_clock(delivery);
                if (e != ERR_OK)
                        log_trouble(delivery, e); /* some may be late */
                scope_open(&workers, node->host->sched, FIBER_NEVER);
                manage(delivery, &arena);
                scope_cancel(&workers);
                (void)scope_join(&workers);
                give_back(delivery);
        }
        free(memory);
        free(delivery);
}
