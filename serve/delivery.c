/* SPDX-License-Identifier: ISC */
#include "serve/delivery.h"

#include <stdlib.h>

#include "base/check.h"
#include "host/log.h"
#include "serve/delivery_address.h"
#include "serve/delivery_internal.h"

#define FILL_ARENA (256 * 1024)
#define FILL_ROWS 128 /* rows of one call fit the arena: an address and a domain each, at most 600 bytes */
#define STORE_PAUSE_MS 5000
#define TICK_MS 1000 /* while there are jobs, destinations are looked at so often */

int64_t delivery_now_ms(const struct delivery *delivery)
{
        return host_now_ms(delivery->node->host);
}

int64_t delivery_clock_ms(const struct delivery *delivery)
{
        return delivery->clock_ms + delivery_now_ms(delivery);
}

/* ---- jobs ---- */

void delivery_job_end(struct delivery *delivery, struct delivery_job *job)
{
        CHECK(delivery->jobs > 0 && job->route && job->route->jobs > 0);
        job->route->jobs--;
        free(job);
        delivery->jobs--;
        bell_ring(&delivery->bell);
}

/* Not now: it comes back, and that counts as no try. A store that is full for a moment is waited for: nobody else would
 * look after its row before the next start. */
static enum err send_back(struct delivery *delivery, int64_t id, int64_t pause_ms)
{
        struct lipap *node = delivery->node;
        int64_t jitter_ms = (int64_t)host_random_below(node->host, (uint64_t)pause_ms / 4 + 1);
        int64_t when_ms = delivery_clock_ms(delivery) + pause_ms + jitter_ms;
        enum err e = store_delivery_return(node->store, id, when_ms);
        while ((e == ERR_FULL || e == ERR_MEMORY) && fiber_sleep(node->host->sched, 1000) == ERR_OK)
                e = store_delivery_return(node->store, id, when_ms);
        return e == ERR_NOT_FOUND ? ERR_OK : e; /* the operator has dropped it */
}

/* Is there no room for another job in `line`, which does not move? */
static bool is_too_long(const struct delivery *delivery, const struct delivery_line *line)
{
        return delivery->jobs > DELIVERY_JOBS_MAX / 2 && line->count >= DELIVERY_SLOW_JOBS &&
               delivery_is_slow(delivery, line);
}

static enum err add(struct delivery *delivery, const struct store_delivery *row)
{
        struct delivery_route *r = delivery_route_get(delivery, row->domain);
        bool is_too_many = r && (is_too_long(delivery, &r->line) ||
                                        (r->destination && is_too_long(delivery, &r->destination->line)));
        bool may_wait = is_too_many && row->member != 0;
        struct delivery_job *job = r && !may_wait ? delivery_job_new(row, delivery_now_ms(delivery)) : NULL;
        if (!job) /* a route without jobs is forgotten in time */
                return send_back(delivery, row->id, may_wait ? DELIVERY_SLOW_PAUSE_MS : STORE_PAUSE_MS);
        delivery->jobs++;
        delivery_route_add(r, job);
        return ERR_OK;
}

/* Room is filled in batches, or each job that ends would cost a query. */
static size_t room_for_jobs(const struct delivery *delivery)
{
        size_t room = delivery->jobs < DELIVERY_JOBS_MAX ? DELIVERY_JOBS_MAX - delivery->jobs : 0;
        return room < DELIVERY_JOBS_MAX / 8 ? 0 : room;
}

/* What is urgent has room of its own. */
static size_t room_for_urgent(const struct delivery *delivery)
{
        size_t most = DELIVERY_JOBS_MAX + DELIVERY_URGENT_JOBS;
        return delivery->jobs < most ? most - delivery->jobs : 0;
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

enum { FROM_URGENT, FROM_DUE, FROM_POSTS, SOURCES };

static enum err take_from(struct delivery *delivery, int source, size_t limit, struct arena *arena,
        struct store_delivery **rows, size_t *n)
{
        struct store *store = delivery->node->store;
        int64_t now = delivery_clock_ms(delivery);
        if (source == FROM_URGENT)
                return store_delivery_urgent(store, now, limit, arena, rows, n);
        return source == FROM_DUE ? store_delivery_due(store, now, limit, arena, rows, n)
                                  : store_post_fill(store, now, limit, arena, rows, n);
}

/* The operator wants all tried now. */
static void try_all(struct delivery *delivery)
{
        delivery->node->has_flushed = false;
        delivery_end_rests(delivery);
        delivery_routes_look_anew(delivery);
}

/* Take what is due and what posts still have to give, as far as there is room. */
static enum err fill(struct delivery *delivery, struct arena *arena, size_t *count)
{
        enum err e = ERR_OK;
        *count = 0;
        for (int source = 0; source < SOURCES && e == ERR_OK; source++) {
                size_t room = source == FROM_URGENT ? room_for_urgent(delivery) : room_for_jobs(delivery);
                size_t n = 0;
                struct store_delivery *rows;
                if (room == 0)
                        continue;
                arena_reset(arena);
                e = take_from(delivery, source, least(room, FILL_ROWS), arena, &rows, &n);
                if (delivery->node->has_flushed) /* meanwhile: some may be due by that */
                        try_all(delivery);
                for (size_t i = 0; i < n; i++) {
                        enum err added =
                                add(delivery, &rows[i]); /* each is in flight, and is to be looked after */
                        e = e == ERR_OK ? added : e;
                }
                *count += n;
        }
        return e;
}

static void take_surplus_of(
        struct delivery *delivery, struct delivery_line *line, struct delivery_job **surplus)
{
        struct delivery_job *end, *cut = NULL;
        if (line->count > DELIVERY_SLOW_JOBS && delivery_is_slow(delivery, line))
                cut = delivery_line_cut(line, DELIVERY_SLOW_JOBS, &end);
        if (!cut)
                return;
        end->next = *surplus;
        *surplus = cut;
}

/* All but the first few jobs of what is slow, taken out of their lines. */
static struct delivery_job *take_surplus(struct delivery *delivery)
{
        struct delivery_job *surplus = NULL;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++) {
                for (struct destination *d = delivery->destinations[i]; d; d = d->next)
                        take_surplus_of(delivery, &d->line, &surplus);
                for (struct delivery_route *r = delivery->routes[i]; r; r = r->next)
                        take_surplus_of(delivery, &r->line, &surplus);
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
        int64_t tick = delivery_now_ms(delivery) + TICK_MS, due_ms, until = FIBER_NEVER;
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
                        try_all(delivery);
                e = fill(delivery, arena, &count);
                delivery_routes_look_after(delivery);
                delivery_destinations_look_after(delivery);
                delivery_addresses_look_after(delivery);
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
        delivery_destinations_end(delivery);
        delivery_routes_end(delivery);
        delivery_addresses_end(delivery);
        delivery_letters_end(&delivery->letters);
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
                node->delivery = delivery;
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
                node->delivery = NULL;
        }
        free(memory);
        free(delivery);
}
