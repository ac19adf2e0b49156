/* SPDX-License-Identifier: ISC */
#include "serve/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "serve/dns_cache.h"

#define FLIGHT_BUCKETS 256

/* One question on its way, in a fiber of its own, so that it goes on when who asked first gives up. Once nobody waits for
 * it any more, no further server is asked: whoever comes and goes must not hold the queries that others wait for. */
struct flight {
        struct resolver *resolver;
        struct flight *next; /* in its bucket */
        struct dns_name name;
        uint16_t type;
        size_t holders; /* its fiber while running, and each that waits */
        bool is_done;
        struct waitq waiters;
        enum err err;
        struct dns_answer answer; /* its values stand in `memory` */
        void *memory;
};

struct resolver {
        struct host *h;
        struct dns_server servers[RESOLVER_SERVERS_MAX];
        size_t server_count;
        int64_t timeout_ms;
        unsigned rounds;
        struct scope scope;
        struct semaphore slots;
        size_t flying; /* flights whose fiber has not ended */
        struct dns_sockets sockets;
        struct dns_cache *cache;
        struct flight *flights[FLIGHT_BUCKETS];
        uint8_t flight_key[SIPHASH_KEY_SIZE];
        void *scratch; /* DNS_ANSWER_ROOM bytes; used only between two blocking calls */
        size_t inside; /* fibers in resolver_lookup */
        struct resolver_stats stats;
};

struct resolver *resolver_new(struct host *h, const struct resolver_config *config)
{
        uint8_t key[SIPHASH_KEY_SIZE];
        CHECK(config->server_count > 0 && config->server_count <= RESOLVER_SERVERS_MAX &&
                config->rounds <= 8);
        struct resolver *r = calloc(1, sizeof *r);
        if (!r)
                return NULL;
        host_random(h, key, sizeof key);
        r->cache = dns_cache_new(config->cache_entries ? config->cache_entries : DNS_CACHE_ENTRIES_MAX,
                config->cache_bytes ? config->cache_bytes : DNS_CACHE_BYTES_MAX, key);
        r->scratch = malloc(DNS_ANSWER_ROOM);
        if (!r->cache || !r->scratch) {
                dns_cache_free(r->cache);
                free(r->scratch);
                free(r);
                return NULL;
        }
        r->h = h;
        memcpy(r->servers, config->servers, config->server_count * sizeof r->servers[0]);
        r->server_count = config->server_count;
        r->timeout_ms = config->timeout_ms ? config->timeout_ms : DNS_QUERY_TIMEOUT_MS;
        r->rounds = config->rounds ? config->rounds : DNS_QUERY_ROUNDS;
        r->slots.left = DNS_QUERIES_MAX;
        host_random(h, r->flight_key, sizeof r->flight_key);
        scope_open(&r->scope, h->sched, FIBER_NEVER);
        return r;
}

void resolver_free(struct resolver *r)
{
        scope_cancel(&r->scope);
        (void)scope_join(&r->scope);
        CHECK(r->inside == 0);
        dns_sockets_close(r->h, &r->sockets);
        dns_cache_free(r->cache);
        free(r->scratch);
        free(r);
}

static struct flight **flight_bucket(struct resolver *r, const struct dns_name *name, uint16_t type)
{
        char key[DNS_NAME_MAX + 2];
        struct wr w;
        wr_init(&w, key, sizeof key);
        dns_name_write_canonical(&w, name);
        wr_be16(&w, type);
        return &r->flights[siphash(r->flight_key, wr_text(&w)) % FLIGHT_BUCKETS];
}

static struct flight *flight_find(struct resolver *r, const struct dns_name *name, uint16_t type)
{
        struct flight *f = *flight_bucket(r, name, type);
        while (f && (f->type != type || !dns_name_eq(&f->name, name)))
                f = f->next;
        return f;
}

static void flight_unlink(struct flight *f)
{
        struct flight **at = flight_bucket(f->resolver, &f->name, f->type);
        while (*at != f)
                at = &(*at)->next;
        *at = f->next;
}

static void flight_release(struct flight *f)
{
        if (--f->holders > 0)
                return;
        free(f->memory);
        free(f);
}

/* Move an answer out of the scratch memory into the flight's own. */
static enum err flight_keep(struct flight *f, const struct dns_answer *answer)
{
        struct arena arena;
        size_t size = dns_answer_size(answer);
        f->memory = malloc(size);
        if (!f->memory)
                return ERR_MEMORY;
        arena_init(&arena, f->memory, size);
        return dns_answer_copy(answer, &arena, &f->answer);
}

/* One try at one server, in its time; `*out` has its values in the scratch memory.
 *   ERR_OK; ERR_LIMIT of the answer, never of sockets; or what makes us ask the next server */
static enum err ask_server(struct resolver *r, const struct dns_server *server, const struct dns_query *query,
        int64_t timeout_ms, struct dns_answer *out)
{
        struct arena arena;
        struct dns_reply reply;
        int64_t until_ms = host_now_ms(r->h) + timeout_ms;
        *out = (struct dns_answer){.type = query->type, .name = *query->name};
        r->stats.queries++;
        enum err e = dns_exchange_query(r->h, server, query, until_ms, &reply);
        if (e != ERR_OK) {
                dns_errors_add(&r->stats.errors, e, 0, 0);
                return e == ERR_LIMIT ? ERR_MEMORY : e;
        }
        arena_init(&arena, r->scratch, DNS_ANSWER_ROOM);
        e = dns_answer_read(reply.message, query->name, query->type, &arena, out);
        dns_errors_add(&r->stats.errors, e == ERR_LIMIT ? ERR_SYNTAX : e, out->rcode, 0);
        dns_reply_free(&reply);
        out->is_secure = out->is_secure && server->is_trusted;
        return e;
}

/* Is there no use in asking another server? */
static bool is_final(enum err e)
{
        return e == ERR_OK || e == ERR_LIMIT || e == ERR_CANCELLED;
}

/* Did the server say something, so that asking it again would give the same? */
static bool is_reply(enum err e)
{
        return e == ERR_DENIED || e == ERR_SYNTAX;
}

/* Does nobody but its own fiber hold the flight? */
static bool is_abandoned(const struct flight *f)
{
        return f->holders == 1;
}

/* Ask the servers in turn, for so many rounds, each twice as patient as the one before it, until one gives an answer, or
 * all of them have replied with none, or nobody waits any more. What a server said (ERR_DENIED and its rcode) is told
 * rather than another's silence. */
static enum err ask_servers(const struct flight *f, const struct dns_query *query, struct dns_answer *out)
{
        struct resolver *r = f->resolver;
        enum err failure = ERR_TIMEOUT;
        uint16_t rcode = DNS_RCODE_NOERROR;
        size_t replies = 0;
        for (unsigned round = 0; round < r->rounds && replies < r->server_count; round++) {
                replies = 0;
                for (size_t i = 0; i < r->server_count; i++) {
                        if (is_abandoned(f))
                                return ERR_CANCELLED;
                        enum err e = ask_server(r, &r->servers[i], query, r->timeout_ms << round, out);
                        if (is_final(e))
                                return e;
                        if (e == ERR_DENIED)
                                rcode = out->rcode;
                        failure = e;
                        replies += is_reply(e);
                }
        }
        out->rcode = rcode;
        return rcode != DNS_RCODE_NOERROR ? ERR_DENIED : failure;
}

static uint32_t least(uint32_t a, uint32_t b)
{
        return a < b ? a : b;
}

/* Follow aliases from answer to answer; what holds of the last one holds of all only if it held of each. */
static enum err resolve(struct resolver *r, const struct flight *f, struct dns_answer *out)
{
        struct dns_name name = f->name;
        struct dns_query query = {.name = &name,
                .type = f->type,
                .recursion_desired = true,
                .dnssec = true,
                .sockets = &r->sockets};
        uint32_t ttl_s = UINT32_MAX;
        bool is_secure = true, is_cacheable = true;
        for (size_t i = 0; i <= DNS_CNAME_MAX; i++) {
                enum err e = ask_servers(f, &query, out);
                if (e != ERR_OK)
                        return e;
                out->ttl_s = ttl_s = least(ttl_s, out->ttl_s);
                out->is_secure = is_secure = is_secure && out->is_secure;
                out->is_cacheable = is_cacheable = is_cacheable && out->is_cacheable;
                if (out->status != DNS_ALIAS)
                        return ERR_OK;
                name = out->name;
        }
        return ERR_LIMIT;
}

static void flight_fly(struct flight *f)
{
        struct resolver *r = f->resolver;
        struct dns_answer answer = {.type = f->type, .name = f->name};
        f->err = semaphore_take(&r->slots, r->h->sched, FIBER_NEVER);
        if (f->err != ERR_OK)
                return;
        f->err = resolve(r, f, &answer);
        semaphore_give(&r->slots);
        f->answer.rcode = answer.rcode;
        if (f->err == ERR_OK)
                f->err = flight_keep(f, &answer);
        if (f->err == ERR_OK)
                dns_cache_put(r->cache, &f->name, &f->answer, host_now_ms(r->h));
}

static void flight_main(void *arg)
{
        struct flight *f = arg;
        flight_fly(f);
        f->resolver->flying--;
        flight_unlink(f);
        f->is_done = true;
        waitq_wake_all(&f->waiters);
        flight_release(f);
}

static enum err flight_start(
        struct resolver *r, const struct dns_name *name, uint16_t type, struct flight **out)
{
        struct flight *f = calloc(1, sizeof *f);
        if (!f)
                return ERR_MEMORY;
        *f = (struct flight){.resolver = r, .name = *name, .type = type, .holders = 1};
        enum err e = scope_spawn(&r->scope, "resolver", flight_main, f);
        if (e != ERR_OK) {
                free(f);
                return e;
        }
        struct flight **at = flight_bucket(r, name, type);
        f->next = *at;
        *at = f;
        *out = f;
        r->flying++;
        return ERR_OK;
}

/* Is there an answer in the cache? Its values are borrowed until another fiber runs. */
static bool remember(
        struct resolver *r, const struct dns_name *name, uint16_t type, struct dns_answer *answer)
{
        uint32_t left_s;
        const struct dns_answer *known = dns_cache_get(r->cache, name, type, host_now_ms(r->h), &left_s);
        if (!known)
                return false;
        r->stats.lookups++;
        r->stats.hits++;
        *answer = *known;
        answer->ttl_s = left_s;
        return true;
}

/* How every question begins.
 *   ERR_OK     `*answer` is from the cache, its values borrowed until another fiber runs
 *   ERR_AGAIN  `*flight` will bring it: held until flight_land
 *   or what flight_start says */
static enum err find(struct resolver *r, const struct dns_name *name, uint16_t type,
        struct dns_answer *answer, struct flight **flight)
{
        if (remember(r, name, type, answer))
                return ERR_OK;
        r->stats.lookups++;
        *flight = flight_find(r, name, type);
        enum err e = ERR_OK;
        if (*flight)
                r->stats.shared++;
        else
                e = flight_start(r, name, type, flight);
        if (e != ERR_OK)
                return e;
        (*flight)->holders++;
        return ERR_AGAIN;
}

/* Wait for a flight that is held.
 *   what came of it, its answer borrowed until it is released; or ERR_TIMEOUT, ERR_CANCELLED */
static enum err flight_wait(struct flight *f, int64_t deadline_ms)
{
        enum err e = ERR_OK;
        while (e == ERR_OK && !f->is_done)
                e = waitq_wait(&f->waiters, f->resolver->h->sched, deadline_ms);
        return f->is_done ? f->err : e;
}

static enum err lookup(struct resolver *r, const struct dns_name *name, uint16_t type, int64_t deadline_ms,
        struct arena *arena, struct dns_answer *out)
{
        struct dns_answer known;
        struct flight *f;
        enum err e = find(r, name, type, &known, &f);
        if (e == ERR_OK) {
                e = dns_answer_copy(&known, arena, out);
                out->ttl_s = known.ttl_s;
                return e;
        }
        if (e != ERR_AGAIN)
                return e;
        e = flight_wait(f, deadline_ms);
        if (f->is_done)
                out->rcode = f->answer.rcode;
        if (e == ERR_OK)
                e = dns_answer_copy(&f->answer, arena, out);
        flight_release(f);
        return e;
}

enum err resolver_lookup(struct resolver *r, const struct dns_name *name, uint16_t type, int64_t deadline_ms,
        struct arena *arena, struct dns_answer *out)
{
        *out = (struct dns_answer){.type = type, .name = *name};
        r->inside++;
        enum err e = lookup(r, name, type, deadline_ms, arena, out);
        r->inside--;
        if (e != ERR_OK)
                out->count = 0;
        return e;
}

/* A question of resolver_answer on its way. */
struct asked {
        struct dns_fact *fact;
        struct flight *flight;
};

/* Wait for it and give the answer.
 *   ERR_OK, or ERR_CANCELLED: not given */
static enum err settle(const struct asked *a, struct dns_known *known, int64_t deadline_ms)
{
        enum err e = flight_wait(a->flight, deadline_ms);
        bool is_given = a->flight->is_done || e != ERR_CANCELLED;
        if (is_given)
                dns_known_give(known, a->fact, e, &a->flight->answer);
        flight_release(a->flight);
        return is_given ? ERR_OK : ERR_CANCELLED;
}

/* A question begins: its answer is given at once, or it stands in `*a`.
 *   whether it does */
static bool begin(struct resolver *r, struct dns_fact *fact, struct dns_known *known, struct asked *a)
{
        struct dns_answer answer;
        *a = (struct asked){.fact = fact};
        enum err e = find(r, &fact->name, fact->type, &answer, &a->flight);
        if (e != ERR_AGAIN)
                dns_known_give(known, fact, e, &answer);
        return e == ERR_AGAIN;
}

/* A few who ask what nobody answers must not take all queries there are: once half of these are taken, each has but some
 * at one time, and there is room for others. */
static size_t at_once(const struct resolver *r)
{
        return r->flying < DNS_QUERIES_MAX / 2 ? RESOLVER_AT_ONCE : RESOLVER_AT_ONCE_CROWDED;
}

static enum err answer_all(struct resolver *r, struct dns_known *known, int64_t deadline_ms)
{
        struct asked ring[RESOLVER_AT_ONCE];
        size_t begun = 0, settled = 0;
        enum err e = ERR_OK;
        for (struct dns_fact *f = dns_known_wanted(known, NULL); f && e == ERR_OK;
                f = dns_known_wanted(known, f)) {
                while (e == ERR_OK && begun - settled >= at_once(r))
                        e = settle(&ring[settled++ % RESOLVER_AT_ONCE], known, deadline_ms);
                if (e == ERR_OK && begin(r, f, known, &ring[begun % RESOLVER_AT_ONCE]))
                        begun++;
        }
        while (settled < begun) {
                enum err one = settle(&ring[settled++ % RESOLVER_AT_ONCE], known, deadline_ms);
                e = e == ERR_OK ? one : e;
        }
        return e;
}

enum err resolver_answer(struct resolver *r, struct dns_known *known, int64_t deadline_ms)
{
        r->inside++;
        enum err e = answer_all(r, known, deadline_ms);
        r->inside--;
        return e;
}

bool resolver_answer_remembered(struct resolver *r, struct dns_known *known)
{
        struct dns_answer answer;
        for (struct dns_fact *f = NULL; (f = dns_known_wanted(known, f));)
                if (remember(r, &f->name, f->type, &answer))
                        dns_known_give(known, f, ERR_OK, &answer);
        return known->wanted == 0;
}

void resolver_stats(const struct resolver *r, struct resolver_stats *out)
{
        *out = r->stats;
        out->entries = dns_cache_entries(r->cache);
        out->bytes = dns_cache_bytes(r->cache);
        out->evicted = dns_cache_evicted(r->cache);
}

void resolver_flush(struct resolver *r)
{
        dns_cache_clear(r->cache);
}
