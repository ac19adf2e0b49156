/* SPDX-License-Identifier: ISC */
/* Destinations: their table, their staff, their rests. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "serve/delivery_internal.h"

#define JOBS_EACH 8 /* for a connection beside the first */
#define BUSY_MS 400

static int64_t now_ms(const struct destination *d)
{
        return delivery_now_ms(d->delivery);
}

size_t delivery_bucket(struct str bytes)
{
        uint32_t hash = 2166136261U; /* FNV-1a */
        for (size_t i = 0; i < bytes.n; i++)
                hash = (hash ^ (uint8_t)bytes.p[i]) * 16777619U;
        return hash % DELIVERY_BUCKETS;
}

static struct destination **bucket_of(struct delivery *delivery, const uint8_t key[MX_KEY_SIZE])
{
        return &delivery->destinations[delivery_bucket(str_of((const char *)key, MX_KEY_SIZE))];
}

struct destination *delivery_destination_get(
        struct delivery *delivery, const uint8_t key[MX_KEY_SIZE], struct str name)
{
        struct destination **bucket = bucket_of(delivery, key);
        for (struct destination *d = *bucket; d; d = d->next)
                if (memcmp(d->key, key, MX_KEY_SIZE) == 0)
                        return d;
        struct destination *d = calloc(1, sizeof *d + name.n);
        if (!d)
                return NULL;
        if (name.n > 0)
                memcpy(d->text, name.p, name.n);
        d->name = str_of(d->text, name.n);
        memcpy(d->key, key, MX_KEY_SIZE);
        d->delivery = delivery;
        d->used_ms = delivery_now_ms(delivery);
        delivery_pace_init(&d->pace);
        d->next = *bucket;
        *bucket = d;
        return d;
}

static void forget(struct destination *d)
{
        struct destination **at = bucket_of(d->delivery, d->key);
        while (*at != d)
                at = &(*at)->next;
        *at = d->next;
        d->delivery->resting -= d->rest_until_ms != 0;
        free(d);
}

static bool is_needed(const struct destination *d)
{
        return d->workers > 0 || d->line.count > 0 || d->routes > 0 || delivery_is_resting(d);
}

/* ---- rests ---- */

void delivery_rest(struct destination *d, struct str said)
{
        struct delivery *delivery = d->delivery;
        int64_t rest = delivery->node->retry_first_ms * 3 / 4; /* the least pause of a job, with its jitter */
        if (d->rest_until_ms == 0 && delivery->resting == DELIVERY_RESTS_MAX)
                return;
        for (unsigned i = 0; i < d->rests && rest < DELIVERY_REST_MOST_MS; i++)
                rest *= 2;
        d->rests++;
        delivery->resting += d->rest_until_ms == 0;
        d->rest_until_ms = now_ms(d) + (rest < DELIVERY_REST_MOST_MS ? rest : DELIVERY_REST_MOST_MS);
        d->said_n = said.n < sizeof d->said ? said.n : sizeof d->said;
        memmove(d->said, said.p, d->said_n); /* it may be what was said before */
}

bool delivery_is_resting(const struct destination *d)
{
        return d->rest_until_ms > now_ms(d);
}

void delivery_end_rests(struct delivery *delivery)
{
        delivery->resting = 0;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct destination *d = delivery->destinations[i]; d; d = d->next)
                        d->rest_until_ms = 0;
}

/* Its place is for others again. */
static void end_rest(struct destination *d)
{
        if (d->rest_until_ms == 0 || delivery_is_resting(d))
                return;
        d->rest_until_ms = 0;
        d->delivery->resting--;
}

/* ---- staff ---- */

bool delivery_is_slow(const struct delivery *delivery, const struct delivery_line *line)
{
        return line->first && line->first->since_ms + DELIVERY_SLOW_MS < delivery_now_ms(delivery);
}

/* Is its only worker trying to get a connection for some time already? */
static bool is_stuck(const struct destination *d)
{
        return d->workers > 0 && d->connected == 0 && d->opening_ms + DELIVERY_SLOW_MS < now_ms(d);
}

/* How many workers it may have: one until that has a connection; then as many as its pace allows, and one more when what
 * is urgent does not get its turn over these. */
static size_t workers_most(const struct destination *d)
{
        bool is_late = d->line.last_urgent && delivery_is_slow(d->delivery, &d->line);
        if (d->connected == 0)
                return 1;
        return d->pace.allowed + (is_late && now_ms(d) >= d->pace.grow_ms);
}

/* One connection for a few jobs, more for many, but not more than what waits now keeps busy for a while: a host that answers
 * at once gets it all over a few. */
static size_t workers_wanted(const struct destination *d)
{
        size_t by_count = d->line.count / JOBS_EACH, by_time = d->line.count;
        if (d->pace.reply_16ms > 0)
                by_time = d->line.count * (size_t)d->pace.reply_16ms / (16 * BUSY_MS);
        return 1 + (by_time < by_count ? by_time : by_count);
}

static void staff(struct destination *d)
{
        struct delivery *delivery = d->delivery;
        size_t wanted = workers_wanted(d), own_most = workers_most(d);
        size_t places = delivery->node->delivery_workers;
        size_t most = (places > 0 ? places : DELIVERY_WORKERS_MAX) + delivery->stuck +
                      (d->line.last_urgent && d->workers == 0 ? DELIVERY_WORKERS_URGENT : 0);
        if (wanted > own_most)
                wanted = own_most;
        if (now_ms(d) < d->pace.resume_ms)
                return;
        while (d->line.count > 0 && d->workers < wanted && delivery->workers < most) {
                if (d->workers == 0)
                        d->opening_ms = now_ms(d);
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
        d->connected++;
        d->counts.connections++;
        d->rests = 0;
        staff(d);
}

void delivery_disconnected(struct destination *d)
{
        CHECK(d->connected > 0);
        d->connected--;
        d->opening_ms = now_ms(d);
}

void delivery_destination_add(struct destination *d, struct delivery_job *job)
{
        d->used_ms = now_ms(d);
        delivery_line_add(&d->line, job);
        bell_ring(&d->bell);
        staff(d);
}

void delivery_destination_put_back(struct destination *d, struct delivery_job *job)
{
        delivery_line_put_back(&d->line, job);
        bell_ring(&d->bell);
}

void delivery_worker_leave(struct destination *d)
{
        struct delivery *delivery = d->delivery;
        d->workers--;
        delivery->workers--;
        if (!is_needed(d))
                forget(d);
        bell_ring(&delivery->bell);
        /* a job may have come meanwhile, here or where no worker was left */
        bell_ring(&delivery->node->delivery_bell);
}

/* Where all places are taken, workers that only wait for more at their destination give way. */
static void feed_hungry(struct delivery *delivery)
{
        delivery->hungry = 0;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct destination *d = delivery->destinations[i]; d; d = d->next)
                        delivery->hungry +=
                                d->line.count > 0 && d->workers == 0 && now_ms(d) >= d->pace.resume_ms;
        for (size_t i = 0; delivery->hungry > 0 && i < DELIVERY_BUCKETS; i++)
                for (struct destination *d = delivery->destinations[i]; d; d = d->next)
                        if (d->workers > 0 && d->line.count == 0)
                                bell_ring(&d->bell);
}

void delivery_destinations_look_after(struct delivery *delivery)
{
        size_t stuck = 0;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct destination *d = delivery->destinations[i], *next; d; d = next) {
                        next = d->next;
                        end_rest(d);
                        stuck += is_stuck(d);
                        if (!is_needed(d))
                                forget(d);
                }
        delivery->stuck = stuck < DELIVERY_STUCK_MAX ? stuck : DELIVERY_STUCK_MAX;
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct destination *d = delivery->destinations[i]; d; d = d->next)
                        staff(d);
        feed_hungry(delivery);
}

void delivery_destinations_end(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                while (delivery->destinations[i]) {
                        struct destination *d = delivery->destinations[i];
                        for (struct delivery_job *job; (job = delivery_line_take(&d->line));)
                                delivery_job_end(delivery, job);
                        forget(d);
                }
}
