/* SPDX-License-Identifier: ISC */
/* Routes: from the domain of a recipient to the destination that serves it. Looked up by fibers of their own, a bounded
 * number at a time. */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "serve/delivery_connect.h"
#include "serve/delivery_outcome.h"

static struct delivery_route **bucket_of(struct delivery *delivery, struct str domain)
{
        return &delivery->routes[delivery_bucket(domain)];
}

static struct delivery_route *find(struct delivery *delivery, struct str domain)
{
        struct delivery_route *r = *bucket_of(delivery, domain);
        while (r && !str_eq(r->domain, domain))
                r = r->next;
        return r;
}

struct delivery_route *delivery_route_get(struct delivery *delivery, struct str domain)
{
        struct delivery_route **bucket = bucket_of(delivery, domain), *r = find(delivery, domain);
        if (r)
                return r;
        r = calloc(1, sizeof *r + domain.n);
        if (!r)
                return NULL;
        memcpy(r->text, domain.p, domain.n);
        r->domain = str_of(r->text, domain.n);
        r->delivery = delivery;
        r->next = *bucket;
        *bucket = r;
        delivery->route_count++;
        return r;
}

/* ---- what a look-up finds ---- */

static void lead_to(struct delivery_route *r, struct destination *d)
{
        if (d)
                d->routes++;
        if (r->destination)
                r->destination->routes--; /* the next look at all forgets it, if it is not needed */
        r->destination = d;
}

static void lead_nowhere(struct delivery_route *r, const struct delivery_outcome *o)
{
        int64_t hold_ms =
                r->delivery->node->retry_first_ms * 3 / 4; /* the least pause of a job, with its jitter */
        struct str said = str_take(o->said, sizeof r->said);
        lead_to(r, NULL);
        memmove(r->said, said.p, said.n);
        r->failed =
                (struct delivery_outcome){.kind = o->kind, .code = o->code, .said = str_of(r->said, said.n)};
        r->until_ms = delivery_now_ms(r->delivery) + hold_ms;
}

/* It leads nowhere: what that means for each job, and how long it holds. */
static void not_found(struct delivery_route *r, enum err e)
{
        char text[sizeof r->said];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("looking up the mail hosts: "));
        wr_str(&w, str_of_c(err_text(e)));
        if (e == ERR_UNSUPPORTED)
                lead_nowhere(r, &(struct delivery_outcome){
                                        .kind = DELIVERY_FAIL, .code = 556, .said = DELIVERY_NULL_MX});
        else
                lead_nowhere(r, &(struct delivery_outcome){.kind = DELIVERY_DEFER, .said = wr_text(&w)});
}

static struct str name_of(const struct mx_targets *targets, char *text, size_t cap)
{
        struct wr w;
        wr_init(&w, text, cap);
        if (targets->host_count > 0)
                dns_name_write(&w, &targets->first);
        else
                ip_write(&w, &targets->at[0].ip);
        return wr_text(&w);
}

static void found(struct delivery_route *r, const struct mx_targets *targets, bool is_shareable)
{
        struct delivery *delivery = r->delivery;
        char text[DNS_NAME_TEXT_MAX];
        uint8_t key[MX_KEY_SIZE];
        int64_t hold_ms = 1000LL * targets->ttl_s;
        struct destination *d = NULL;
        if (mx_key(targets, key) == ERR_OK && mx_order(targets, r->order) == ERR_OK)
                d = delivery_destination_get(delivery, key, name_of(targets, text, sizeof text));
        if (!d) {
                not_found(r, ERR_MEMORY);
                return;
        }
        lead_to(r, d);
        r->is_shareable = is_shareable;
        if (hold_ms > DELIVERY_ROUTE_MOST_MS)
                hold_ms = DELIVERY_ROUTE_MOST_MS;
        if (hold_ms < DELIVERY_ROUTE_LEAST_MS)
                hold_ms = DELIVERY_ROUTE_LEAST_MS;
        r->until_ms = delivery_now_ms(delivery) + hold_ms;
}

/*   ERR_OK: `r` is up to date; ERR_CANCELLED */
static enum err look_up(struct delivery_route *r)
{
        struct lipap *node = r->delivery->node;
        struct mx_targets *targets = malloc(sizeof *targets);
        enum err e = ERR_MEMORY;
        if (targets)
                e = delivery_find_hosts(node, r->domain, targets);
        if (e == ERR_OK)
                found(r, targets, delivery_is_shareable(node, r->domain, targets));
        free(targets);
        if (e == ERR_CANCELLED)
                return e;
        if (e != ERR_OK)
                not_found(r, e);
        return ERR_OK;
}

static bool is_known(const struct delivery_route *r)
{
        return delivery_now_ms(r->delivery) < r->until_ms;
}

/* ---- looking up ---- */

static void ask_next(struct delivery *delivery);

static void run(void *arg)
{
        struct delivery_route *r = arg;
        struct delivery *delivery = r->delivery;
        struct sched *sched = delivery->node->host->sched;
        enum err e = ERR_OK;
        while (e == ERR_OK && r->line.count > 0 && !fiber_is_cancelled(sched)) {
                if (!is_known(r)) {
                        e = look_up(r);
                        continue;
                }
                struct delivery_job *job = delivery_line_take(&r->line);
                if (r->destination) {
                        delivery_destination_add(r->destination, job);
                        continue;
                }
                delivery_commit(delivery, job, &r->failed, NULL);
                delivery_job_end(delivery, job);
        }
        r->is_asking = false;
        delivery->asking--;
        ask_next(delivery);
}

static bool ask(struct delivery_route *r)
{
        struct delivery *delivery = r->delivery;
        size_t most = DELIVERY_ASKING_MAX + (r->line.last_urgent ? DELIVERY_ASKING_URGENT : 0);
        if (delivery->asking >= most || scope_spawn(delivery->scope, "route", run, r) != ERR_OK)
                return false;
        r->is_asking = true;
        delivery->asking++;
        return true;
}

/* The first of those that wait for it. */
static void ask_next(struct delivery *delivery)
{
        struct delivery_route *r;
        while ((r = delivery->unasked)) {
                if (!r->is_asking && r->line.count > 0 && !ask(r))
                        return;
                delivery->unasked = r->next_unasked;
                if (!delivery->unasked)
                        delivery->last_unasked = NULL;
                r->is_unasked = false;
        }
}

static void wait_to_ask(struct delivery_route *r)
{
        struct delivery *delivery = r->delivery;
        r->is_unasked = true;
        r->next_unasked = NULL;
        if (delivery->last_unasked)
                delivery->last_unasked->next_unasked = r;
        else
                delivery->unasked = r;
        delivery->last_unasked = r;
}

void delivery_route_add(struct delivery_route *r, struct delivery_job *job)
{
        job->route = r;
        r->jobs++;
        if (r->line.count == 0 && r->destination && is_known(r)) {
                delivery_destination_add(r->destination, job);
                return;
        }
        delivery_line_add(&r->line, job);
        if (!r->is_asking && !ask(r) && !r->is_unasked)
                wait_to_ask(r);
}

void delivery_route_forget(struct delivery *delivery, struct str domain)
{
        struct delivery_route *r = find(delivery, domain);
        if (r)
                r->until_ms = 0;
}

void delivery_route_rest(struct delivery *delivery, struct str domain, const struct delivery_outcome *o)
{
        struct delivery_route *r = find(delivery, domain);
        if (r)
                lead_nowhere(r, o);
}

void delivery_routes_look_after(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct delivery_route **at = &delivery->routes[i], *r; (r = *at);) {
                        bool is_busy = r->is_asking || r->is_unasked || r->jobs > 0;
                        if (is_busy || (is_known(r) && delivery->route_count <= DELIVERY_ROUTES_MAX)) {
                                at = &r->next;
                                continue;
                        }
                        *at = r->next;
                        lead_to(r, NULL);
                        delivery->route_count--;
                        free(r);
                }
        ask_next(delivery); /* where no fiber could be had before */
}

void delivery_routes_look_anew(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct delivery_route *r = delivery->routes[i]; r; r = r->next)
                        r->until_ms = 0;
}

void delivery_routes_end(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct delivery_route *r = delivery->routes[i], *next; r; r = next) {
                        next = r->next;
                        for (struct delivery_job *job; (job = delivery_line_take(&r->line));)
                                delivery_job_end(delivery, job);
                        free(r);
                }
}
