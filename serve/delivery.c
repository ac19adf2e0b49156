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
        free(d);
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
        if (d->workers == 0 && !d->first)
                destination_forget(d);
        bell_ring(&delivery->bell);
        bell_ring(&delivery->node->delivery_bell); /* a job may have come meanwhile, here or where no worker was left */
}

/* One connection for a few jobs, more for many. */
static void staff(struct destination *d)
{
        struct delivery *delivery = d->delivery;
        size_t wanted = 1 + d->waiting / 8;
        if (wanted > DELIVERY_WORKERS_EACH)
                wanted = DELIVERY_WORKERS_EACH;
        while (d->first && d->workers < wanted && delivery->workers < DELIVERY_WORKERS_MAX) {
                d->workers++;
                delivery->workers++;
                if (scope_spawn(delivery->scope, "delivery", delivery_worker_run, d) == ERR_OK)
                        continue;
                d->workers--;
                delivery->workers--;
                return;
        }
}

static void staff_all(struct delivery *delivery)
{
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                for (struct destination *d = delivery->buckets[i]; d; d = d->next)
                        staff(d);
}

/* ---- jobs ---- */

static struct delivery_job *job_new(const struct store_delivery *row)
{
        struct delivery_job *job = calloc(1, sizeof *job + row->address.n + row->domain.n);
        if (!job)
                return NULL;
        *job = (struct delivery_job){.id = row->id,
                .message = row->message,
                .list = row->list,
                .member = row->member,
                .attempts = row->attempts,
                .first_ms = row->first_ms};
        memcpy(job->text, row->address.p, row->address.n);
        memcpy(job->text + row->address.n, row->domain.p, row->domain.n);
        job->address = str_of(job->text, row->address.n);
        job->domain = str_of(job->text + row->address.n, row->domain.n);
        return job;
}

static enum err add(struct delivery *delivery, const struct store_delivery *row)
{
        struct destination *d = destination_get(delivery, row->domain);
        struct delivery_job *job = d ? job_new(row) : NULL;
        if (!job) {
                if (d && d->workers == 0 && !d->first)
                        destination_forget(d);
                return store_delivery_return(
                        delivery->node->store, row->id, host_wall_ms(delivery->node->host));
        }
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
        int64_t now = host_wall_ms(delivery->node->host);
        enum err e = ERR_OK;
        *count = 0;
        for (int source = 0; source < 2 && e == ERR_OK && room > 0; source++) {
                size_t limit = room < FILL_ROWS ? room : FILL_ROWS;
                arena_reset(arena);
                e = source == 0 ? store_delivery_due(store, now, limit, arena, &rows, &n)
                                : store_post_fill(store, now, limit, arena, &rows, &n);
                for (size_t i = 0; e == ERR_OK && i < n; i++)
                        e = add(delivery, &rows[i]);
                *count += n;
                room -= n;
        }
        return e;
}

/* ---- the manager ---- */

static enum err wait_for_work(struct delivery *delivery, uint64_t ended, uint64_t rung)
{
        struct lipap *node = delivery->node;
        struct sched *sched = node->host->sched;
        int64_t due_ms, now = host_wall_ms(node->host), until = FIBER_NEVER;
        enum err e;
        if (room_for_jobs(delivery) == 0)
                return bell_wait(&delivery->bell, sched, ended, FIBER_NEVER);
        e = store_delivery_next_due(node->store, &due_ms);
        if (e != ERR_OK)
                return e;
        if (due_ms != INT64_MAX) /* at least each minute: the wall clock may jump */
                until = host_now_ms(node->host) + (due_ms <= now                 ? 0
                                                          : due_ms - now < 60000 ? due_ms - now
                                                                                 : 60000);
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
                e = fill(delivery, arena, &count);
                staff_all(delivery);
                if (e == ERR_OK && count == 0)
                        e = wait_for_work(delivery, ended, rung);
                if (e == ERR_OK || e == ERR_CANCELLED || e == ERR_CLOSED)
                        continue;
                log_trouble(delivery, e);
                e = e == ERR_IO ? e : fiber_sleep(node->host->sched, STORE_PAUSE_MS);
        }
}

/* Jobs that no worker took, when delivery ends. */
static void give_back(struct delivery *delivery)
{
        struct lipap *node = delivery->node;
        fiber_shield(node->host->sched, true);
        for (size_t i = 0; i < DESTINATION_BUCKETS; i++)
                while (delivery->buckets[i]) {
                        struct destination *d = delivery->buckets[i];
                        for (struct delivery_job *job = delivery_job_take(d); job;
                                job = delivery_job_take(d)) {
                                enum err e =
                                        store_delivery_return(node->store, job->id, host_wall_ms(node->host));
                                if (e != ERR_OK)
                                        log_trouble(delivery, e); /* the next start finds it in flight */
                                delivery_job_end(delivery, job);
                        }
                        destination_forget(d);
                }
        fiber_shield(node->host->sched, false);
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
                scope_open(&workers, node->host->sched, FIBER_NEVER);
                manage(delivery, &arena);
                scope_cancel(&workers);
                (void)scope_join(&workers);
                give_back(delivery);
        }
        free(memory);
        free(delivery);
}
