/* SPDX-License-Identifier: ISC */
#include "serve/delivery_address.h"

#include <stdlib.h>

#include "base/check.h"

#define MORE_MS (60 * 1000)  /* between two tries of one place more */
#define FRESH_MS (60 * 1000) /* an address may count so long what has ended */
#define DOUBTS_MAX 20        /* connections refused while others have yet to hear whether they are welcome */

static struct delivery_address *get(struct delivery *delivery, const struct ip *ip)
{
        struct delivery_address **bucket =
                &delivery->addresses[delivery_bucket(str_of((const char *)ip->b, sizeof ip->b))];
        for (struct delivery_address *a = *bucket; a; a = a->next)
                if (ip_eq(&a->ip, ip))
                        return a;
        struct delivery_address *a = calloc(1, sizeof *a);
        if (!a)
                return NULL;
        a->ip = *ip;
        a->places = DELIVERY_WORKERS_EACH;
        a->served_ms = -FRESH_MS;
        a->next = *bucket;
        *bucket = a;
        delivery->address_count++;
        return a;
}

/* ---- places ---- */

enum err delivery_address_enter(struct delivery *delivery, const struct ip *ip, struct delivery_address **out)
{
        struct sched *sched = delivery->node->host->sched;
        struct delivery_address *a = get(delivery, ip);
        int64_t until = delivery_now_ms(delivery) + DELIVERY_ADDRESS_WAIT_MS;
        enum err e = ERR_OK;
        if (!a)
                return ERR_MEMORY;
        unsigned before = a->waiting++; /* who comes later does not overtake those */
        while (e == ERR_OK && a->taken + before >= a->places) {
                before = 0;
                e = bell_wait(&a->bell, sched, a->bell.rung, until);
        }
        a->waiting--;
        if (e != ERR_OK)
                return e;
        a->taken++;
        *out = a;
        return ERR_OK;
}

void delivery_address_opened(struct delivery *delivery, struct delivery_address *a)
{
        int64_t now_ms = delivery_now_ms(delivery);
        a->open++;
        a->refused = 0;
        if (a->places >= DELIVERY_WORKERS_EACH || now_ms < a->more_ms)
                return;
        a->places++;
        a->more_ms = now_ms + MORE_MS;
        bell_ring(&a->bell);
}

bool delivery_address_is_crowded(struct delivery *delivery, struct delivery_address *a)
{
        int64_t now_ms = delivery_now_ms(delivery);
        unsigned others = a->taken - 1;
        bool is_fresh = now_ms - a->served_ms < FRESH_MS;
        bool may_be = others > 0 && ++a->refused <= DOUBTS_MAX;
        if (a->open == 0 && !is_fresh && !may_be)
                return false;
        if (others < a->places)
                a->places = others > 0 ? others : 1;
        a->more_ms = now_ms + MORE_MS;
        return true;
}

void delivery_address_leave(
        struct delivery *delivery, struct delivery_address *a, bool was_open, bool was_served)
{
        CHECK(a->taken > 0 && a->open >= was_open);
        a->taken--;
        a->open -= was_open;
        if (was_served)
                a->served_ms = delivery_now_ms(delivery);
        bell_ring(&a->bell);
}

bool delivery_address_is_wanted(const struct delivery_address *a, unsigned tried)
{
        return a->waiting > 0 && tried >= DELIVERY_ADDRESS_TURN;
}

/* ---- the table ---- */

static bool is_needed(const struct delivery *delivery, const struct delivery_address *a)
{
        int64_t now_ms = delivery_now_ms(delivery);
        bool tells = now_ms - a->served_ms < FRESH_MS ||
                     (a->places < DELIVERY_WORKERS_EACH && now_ms < a->more_ms);
        return a->taken > 0 || a->waiting > 0 || (tells && delivery->address_count <= DELIVERY_ADDRESSES_MAX);
}

static void forget_unneeded(struct delivery *delivery, struct delivery_address **at)
{
        for (struct delivery_address *a; (a = *at);) {
                if (is_needed(delivery, a)) {
                        at = &a->next;
                        continue;
                }
                *at = a->next;
                delivery->address_count--;
                free(a);
        }
}

void delivery_addresses_look_after(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                forget_unneeded(delivery, &delivery->addresses[i]);
}

void delivery_addresses_end(struct delivery *delivery)
{
        for (size_t i = 0; i < DELIVERY_BUCKETS; i++)
                for (struct delivery_address *a = delivery->addresses[i], *next; a; a = next) {
                        next = a->next;
                        free(a);
                }
}
