/* SPDX-License-Identifier: ISC */
#include "serve/sts.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "crypto/sha256.h"
#include "dns/code.h"
#include "host/log.h"
#include "serve/sts_fetch.h"
#include "store/sts.h"

#define DOMAIN_MAX 245 /* so that "mta-sts.DOMAIN" is still a name */

/* A fetch under way: on the stack of the fiber that does it. */
struct running {
        struct running *next;
        struct str domain;
        struct waitq waiters;
};

/* A domain whose policy could not be had. */
struct failed {
        uint8_t domain[SHA256_SIZE];
        int64_t until_ms; /* 0: no such domain */
};

struct sts {
        struct sts_config config;
        struct running *running;
        struct semaphore places; /* for fetches */
        struct sts_stats stats;
        struct failed failed[STS_FAILED_MAX];
};

/* One look at a domain. */
struct look {
        struct sts *sts;
        struct str domain;    /* in lower case */
        struct arena *arena;  /* of the answer and the row */
        struct store_sts row; /* what is kept; without a policy, there is none */
        struct str id;        /* that the domain's record tells; empty: none */
        struct sts_policy policy;
        char *room; /* for one that is fetched, STS_KEPT_MAX octets */
};

struct sts *sts_new(const struct sts_config *config)
{
        struct sts *s = calloc(1, sizeof *s);
        if (!s)
                return NULL;
        s->config = *config;
        s->places.left = STS_FETCHES_MAX;
        return s;
}

void sts_free(struct sts *s)
{
        free(s);
}

struct sts_stats sts_stats(const struct sts *s)
{
        return s->stats;
}

/* ---- fetches that failed ---- */

static bool has_failed(const struct sts *s, const uint8_t domain[SHA256_SIZE])
{
        int64_t now_ms = host_now_ms(s->config.host);
        for (size_t i = 0; i < STS_FAILED_MAX; i++)
                if (s->failed[i].until_ms > now_ms && memcmp(s->failed[i].domain, domain, SHA256_SIZE) == 0)
                        return true;
        return false;
}

/* In the place of the one whose time is over first. */
static void remember_failed(struct sts *s, const uint8_t domain[SHA256_SIZE])
{
        struct failed *oldest = &s->failed[0];
        for (size_t i = 1; i < STS_FAILED_MAX; i++)
                if (s->failed[i].until_ms < oldest->until_ms)
                        oldest = &s->failed[i];
        memcpy(oldest->domain, domain, SHA256_SIZE);
        oldest->until_ms = host_now_ms(s->config.host) + STS_RETRY_MS;
}

/* ---- what is known ---- */

/* A name as the policies of domains are kept: lower case, letters, digits, hyphens, underscores. */
static bool take_domain(struct str text, char *room, size_t cap, struct str *out)
{
        struct dns_name name;
        struct wr lower;
        *out = (struct str){NULL, 0};
        if (text.n > DOMAIN_MAX || dns_name_parse(text, &name) != ERR_OK || dns_name_is_root(&name))
                return false;
        wr_init(&lower, room, cap);
        wr_lower(&lower, text.p[text.n - 1] == '.' ? str_take(text, text.n - 1) : text);
        *out = wr_text(&lower);
        for (size_t i = 0; i < out->n; i++)
                if (!ascii_is_alnum(out->p[i]) && out->p[i] != '-' && out->p[i] != '.' && out->p[i] != '_')
                        return false;
        return wr_end(&lower) == ERR_OK;
}

/* The policy that is kept, if there is one that still holds.
 *   ERR_OK, or the errors of the store */
static enum err take_kept(struct look *l)
{
        struct sts *s = l->sts;
        enum err e =
                store_sts_get(s->config.store, l->domain, host_wall_ms(s->config.host), l->arena, &l->row);
        l->policy = (struct sts_policy){.mode = STS_NONE};
        if (e == ERR_OK && sts_policy_parse(l->row.policy, &l->policy) != ERR_OK)
                e = ERR_NOT_FOUND; /* as another version wrote it */
        if (e == ERR_NOT_FOUND)
                l->row = (struct store_sts){.domain = {NULL, 0}};
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The id at _mta-sts.DOMAIN. Whatever trouble there is with it, it is not there: then what is kept counts (RFC 8461 5.1).
 *   ERR_OK, ERR_CANCELLED */
static enum err take_id(struct look *l)
{
        const struct sts_config *c = &l->sts->config;
        struct dns_name name;
        struct dns_answer answer;
        l->id = (struct str){NULL, 0};
        if (dns_name_parse(l->domain, &name) != ERR_OK ||
                dns_name_join(S("_mta-sts"), &name, &name) != ERR_OK)
                return ERR_OK;
        enum err e = resolver_lookup(
                c->resolver, &name, DNS_TYPE_TXT, host_now_ms(c->host) + MX_LOOKUP_MS, l->arena, &answer);
        if (e != ERR_OK || answer.status != DNS_FOUND)
                return e == ERR_CANCELLED ? e : ERR_OK;
        struct str *texts = arena_alloc(l->arena, answer.count * sizeof *texts);
        for (size_t i = 0; texts && i < answer.count; i++)
                texts[i] = answer.values[i].text;
        if (!texts || sts_record_find(texts, answer.count, &l->id) != ERR_OK)
                l->id = (struct str){NULL, 0};
        return ERR_OK;
}

/* Without a policy the record says whether there is one (3.1). What is kept is fetched anew when the record tells another id,
 * and after a day also without a record: who suppresses that is not to make the policy end in time (3.3, 10.2). */
static bool wants_fetch(const struct look *l)
{
        int64_t age_ms = host_wall_ms(l->sts->config.host) - l->row.fetched_ms;
        bool has_id = l->id.n > 0;
        if (l->row.policy.n == 0)
                return has_id;
        return (has_id && !str_eq(l->row.id, l->id)) || age_ms < 0 || age_ms >= STS_REFRESH_MS;
}

/* Under which the policy is kept: the record's; where there is none, the one that it had. */
static struct str id_of(const struct look *l)
{
        return l->id.n > 0 ? l->id : l->row.id;
}

/* ---- fetching ---- */

static void log_fetch(const struct look *l, const struct sts_fetched *f, enum err e)
{
        static const char *const modes[] = {
                [STS_NONE] = "none", [STS_TESTING] = "testing", [STS_ENFORCE] = "enforce"};
        struct log_line line;
        log_begin(&line, l->sts->config.host, e == ERR_OK ? LOG_INFO : LOG_WARN, "tls",
                e == ERR_OK ? "sts-policy" : "sts-failed");
        log_str(&line, "domain", l->domain);
        if (e == ERR_OK) {
                log_str(&line, "id", id_of(l));
                log_c(&line, "mode", modes[f->policy.mode]);
                log_i64(&line, "max-age", f->policy.max_age_s);
        } else {
                log_c(&line, "why", f->why);
                if (http_client_status(&f->http) > 0)
                        log_u64(&line, "status", http_client_status(&f->http));
                log_err(&line, e);
                log_c(&line, "kept", l->row.policy.n > 0 ? modes[l->policy.mode] : "none");
        }
        log_end(&line);
}

/* Keep what was fetched; for a while also what is to be kept for no time, or each connection would cost a fetch: how often
 * they fetch is the senders' to bound (3.3). A disk that is full is no reason to go without it now. */
static enum err keep(struct look *l, const struct sts_fetched *f)
{
        struct sts *s = l->sts;
        int64_t now_ms = host_wall_ms(s->config.host);
        int64_t life_ms = f->policy.max_age_s > 0 ? f->policy.max_age_s * 1000 : STS_RETRY_MS;
        struct wr text;
        wr_init(&text, l->room, STS_KEPT_MAX);
        sts_policy_write(&text, &f->policy);
        const struct store_sts row = {l->domain, id_of(l), wr_text(&text), now_ms, now_ms + life_ms};
        enum err e = store_sts_put(s->config.store, &row, now_ms);
        if (e != ERR_OK) {
                struct log_line line;
                log_begin(&line, s->config.host, LOG_WARN, "tls", "sts-not-kept");
                log_str(&line, "domain", l->domain);
                log_err(&line, e);
                log_end(&line);
        }
        return sts_policy_parse(wr_text(&text), &l->policy); /* its slices lie in the arena now */
}

static enum err fetch_now(struct look *l, const uint8_t domain[SHA256_SIZE])
{
        struct sts *s = l->sts;
        struct sts_fetched *f = malloc(sizeof *f);
        if (!f)
                return ERR_MEMORY;
        f->http.status = 0; /* none was asked yet */
        enum err e = sts_fetch(&s->config, l->domain, f);
        if (e == ERR_OK) {
                s->stats.fetched++;
                log_fetch(l, f, e);
                e = keep(l, f);
        } else if (e != ERR_CANCELLED) {
                s->stats.failed++;
                log_fetch(l, f, e);
                remember_failed(s, domain);
                e = take_kept(l); /* which counts, or nothing does; another fetch may have ended meanwhile */
        }
        free(f);
        return e;
}

static enum err fetch(struct look *l, const uint8_t domain[SHA256_SIZE])
{
        struct sts *s = l->sts;
        int64_t place_ms = s->config.place_ms > 0 ? s->config.place_ms : STS_FETCH_MS;
        int64_t until_ms = host_now_ms(s->config.host) + place_ms;
        enum err e = semaphore_take(&s->places, s->config.host->sched, until_ms);
        if (e == ERR_TIMEOUT) { /* others let their servers stall: what is kept counts, or nothing does */
                s->stats.failed++;
                remember_failed(s, domain);
                return ERR_OK;
        }
        if (e != ERR_OK)
                return e;
        e = fetch_now(l, domain);
        semaphore_give(&s->places);
        return e;
}

/* Fetch, while others who want the same wait. */
static enum err lead(struct look *l, const uint8_t domain[SHA256_SIZE])
{
        struct sts *s = l->sts;
        struct running self = {.next = s->running, .domain = l->domain};
        s->running = &self;
        enum err e = fetch(l, domain);
        struct running **at = &s->running;
        while (*at != &self)
                at = &(*at)->next;
        *at = self.next;
        waitq_wake_all(&self.waiters);
        return e;
}

static struct running *find_running(const struct sts *s, struct str domain)
{
        struct running *r = s->running;
        while (r && !str_eq(r->domain, domain))
                r = r->next;
        return r;
}

/* The policy of the domain, as far as there is one. Who waited for another's fetch looks anew at what came of it. */
static enum err find(struct look *l)
{
        struct sts *s = l->sts;
        uint8_t domain[SHA256_SIZE];
        enum err e = sha256(l->domain, domain);
        while (e == ERR_OK) {
                arena_reset(l->arena);
                l->room = arena_alloc(l->arena, STS_KEPT_MAX);
                e = l->room ? take_kept(l) : ERR_MEMORY;
                if (e == ERR_OK)
                        e = take_id(l);
                if (e != ERR_OK || !wants_fetch(l) || has_failed(s, domain))
                        return e;
                struct running *other = find_running(s, l->domain);
                if (!other)
                        return lead(l, domain);
                e = waitq_wait(&other->waiters, s->config.host->sched, FIBER_NEVER);
        }
        return e;
}

enum err sts_find(struct sts *s, struct str domain, struct str host, struct sts_verdict *out)
{
        const size_t room = STS_ANSWER_ROOM + 4 * STS_KEPT_MAX;
        char text[DOMAIN_MAX + 1];
        struct arena arena;
        struct look l = {.sts = s, .arena = &arena};
        *out = (struct sts_verdict){.mode = STS_NONE};
        if (!take_domain(domain, text, sizeof text, &l.domain))
                return ERR_OK;
        char *memory = malloc(room);
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, room);
        enum err e = find(&l);
        if (e == ERR_OK) {
                out->mode = l.policy.mode;
                out->is_listed = l.policy.mode != STS_NONE && sts_policy_lists(&l.policy, host);
        }
        free(memory);
        return e;
}
