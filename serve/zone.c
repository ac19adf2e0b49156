/* SPDX-License-Identifier: ISC */
#include "serve/zone.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "host/log.h"
#include "serve/dns_update.h"

#define UPDATE_TIMEOUT_MS (10 * 1000)

struct held_key {
        int64_t epoch; /* 0: none */
        enum zone_kind kind;
        struct crypto_key *key;
};

struct zone_keeper {
        struct host *host;
        struct zone_keeper_config config;
        struct key_seed seed;
        struct held_key keys[ZONE_KEYS_MAX];
        struct zone zone;
        struct dns_errors errors;
        uint64_t updates;
        char update[ZONE_UPDATE_MAX];
        char answer[DNS_ANSWER_ROOM];
};

static int64_t now_s(const struct zone_keeper *k)
{
        return host_wall_ms(k->host) / 1000;
}

static void log_seed(const struct zone_keeper *k, const uint8_t id[KEY_ID_SIZE], int64_t took_ms)
{
        struct log_line l;
        char text[2 * KEY_ID_SIZE];
        struct wr w;
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(id, KEY_ID_SIZE));
        log_begin(&l, k->host, LOG_INFO, "zone", "password-stretched");
        log_str(&l, "domain", k->config.domain);
        log_str(&l, "id", wr_text(&w));
        log_i64(&l, "ms", took_ms);
        log_end(&l);
}

static enum err prepare(struct zone_keeper *k, const struct key_password *password)
{
        int64_t begin_ms = host_now_ms(k->host);
        struct zone_config config = {
                .zone = k->config.zone,
                .primary = k->config.primary.at.ip,
                .selector = k->config.selector,
                .arc_selector = k->config.arc_selector,
                .has_ed25519 = k->config.has_ed25519,
                .mode = k->config.mode,
                .is_rotation_test = k->config.is_rotation_test,
                .validity_s = k->config.validity_s,
                .overlap_s = k->config.overlap_s,
                .queue_life_s = k->config.queue_life_s,
                .ttl_s = k->config.ttl_s,
        };
        enum err e = dns_name_parse(k->config.domain, &config.domain);
        if (e == ERR_OK)
                e = key_seed_derive(password, k->config.domain, &k->seed);
        if (e == ERR_OK)
                e = key_id(&k->seed, config.id);
        if (e == ERR_OK)
                e = zone_init(&k->zone, &config);
        if (e == ERR_OK)
                log_seed(k, config.id, host_now_ms(k->host) - begin_ms);
        return e;
}

enum err zone_keeper_new(struct host *h, const struct zone_keeper_config *config, struct zone_keeper **out)
{
        *out = NULL;
        struct zone_keeper *k = calloc(1, sizeof *k);
        if (!k)
                return ERR_MEMORY;
        k->host = h;
        k->config = *config;
        k->config.password = NULL;
        enum err e = prepare(k, config->password);
        if (e == ERR_OK)
                *out = k;
        else
                zone_keeper_free(k);
        return e;
}

void zone_keeper_free(struct zone_keeper *k)
{
        if (!k)
                return;
        for (size_t i = 0; i < ZONE_KEYS_MAX; i++)
                crypto_key_free(k->keys[i].key);
        key_seed_wipe(&k->seed);
        free(k);
}

struct str zone_keeper_domain(const struct zone_keeper *k)
{
        return k->config.domain;
}

static const struct crypto_key *find_key(const struct zone_keeper *k, const struct zone_key *key)
{
        for (size_t i = 0; i < ZONE_KEYS_MAX; i++)
                if (k->keys[i].epoch == key->epoch && k->keys[i].kind == key->kind)
                        return k->keys[i].key;
        return NULL;
}

static enum err fill_key(const struct zone_keeper *k, int64_t time_s, enum zone_kind kind,
        struct zone_signing_key *out, struct zone_signing *signing)
{
        *out = (struct zone_signing_key){.time_s = time_s};
        enum err e = zone_signing(&k->zone, time_s, kind, signing);
        if (e != ERR_OK)
                return e;
        const struct zone_key *key = &k->zone.keys[signing->key];
        out->key = find_key(k, key);
        CHECK(out->key);
        out->selector = str_of(key->selector, key->selector_n);
        out->epoch = key->epoch;
        out->expiry_s = signing->expiry_s;
        return ERR_OK;
}

enum err zone_keeper_keys(const struct zone_keeper *k, struct zone_signing_set *out)
{
        struct zone_signing signing;
        int64_t time_s = now_s(k);
        *out = (struct zone_signing_set){.lack = ZONE_LACK_NONE};
        enum err e = fill_key(k, time_s, ZONE_DKIM_RSA, &out->keys[ZONE_DKIM_RSA], &signing);
        out->lack = signing.lack;
        out->reason = signing.reason;
        for (int kind = ZONE_DKIM_RSA + 1; e == ERR_OK && kind < ZONE_KINDS; kind++)
                (void)(fill_key(k, time_s, (enum zone_kind)kind, &out->keys[kind], &signing) == ERR_OK);
        return e;
}

enum err zone_keeper_key(const struct zone_keeper *k, struct zone_signing_key *out, struct str *reason)
{
        struct zone_signing signing;
        enum err e = fill_key(k, now_s(k), ZONE_DKIM_RSA, out, &signing);
        *reason = signing.reason;
        return e;
}

bool zone_keeper_vouches(const struct zone_keeper *k, struct str selector, int64_t expiry_s)
{
        return zone_vouches(&k->zone, now_s(k), selector, expiry_s);
}

void zone_keeper_status(const struct zone_keeper *k, struct zone_keeper_status *out)
{
        struct zone_signing_set set;
        *out = (struct zone_keeper_status){.is_ready = zone_keeper_keys(k, &set) == ERR_OK};
        out->lack = set.lack;
        out->epoch = set.keys[ZONE_DKIM_RSA].epoch;
        out->expiry_s = set.keys[ZONE_DKIM_RSA].expiry_s;
        if (k->zone.has_pointer) {
                out->next = k->zone.pointer.next;
                out->change_s = zone_change_s(&k->zone);
        }
        out->read_s = k->zone.read_s;
        out->dns_errors = k->errors;
        out->updates = k->updates;
}

/* Log lines. */

static const struct {
        const char *name;
        enum log_level level;
        const char *detail; /* its key; NULL: there is none */
} event_lines[ZONE_EVENTS] = {
        [ZONE_EVENT_POINTER_CREATED] = {"pointer-created", LOG_INFO, NULL},
        [ZONE_EVENT_POINTER_FOUND] = {"pointer-found", LOG_INFO, NULL},
        [ZONE_EVENT_POINTER_RESTORED] = {"pointer-restored", LOG_WARN, NULL},
        [ZONE_EVENT_TAKEN_OVER] = {"taken-over", LOG_WARN, NULL},
        [ZONE_EVENT_EPOCH_ANNOUNCED] = {"epoch-announced", LOG_INFO, NULL},
        [ZONE_EVENT_EPOCH_CHOSEN] = {"epoch-chosen", LOG_INFO, NULL},
        [ZONE_EVENT_KEY_FOUND] = {"key-found", LOG_INFO, NULL},
        [ZONE_EVENT_KEY_PUBLISHED] = {"key-published", LOG_INFO, NULL},
        [ZONE_EVENT_KEY_REPLACED] = {"key-replaced", LOG_WARN, NULL},
        [ZONE_EVENT_KEY_EMPTIED] = {"key-emptied", LOG_INFO, NULL},
        [ZONE_EVENT_KEY_REMOVED] = {"key-removed", LOG_INFO, NULL},
        [ZONE_EVENT_EPOCH_FORGOTTEN] = {"epoch-forgotten", LOG_INFO, NULL},
        [ZONE_EVENT_SERVED] = {"key-served", LOG_INFO, NULL},
        [ZONE_EVENT_NOT_SERVED] = {"key-not-served", LOG_WARN, "server"},
        [ZONE_EVENT_UNASKED] = {"server-not-asked", LOG_WARN, "server"},
        [ZONE_EVENT_READY] = {"ready", LOG_INFO, NULL},
        [ZONE_EVENT_NOT_READY] = {"not-ready", LOG_WARN, "reason"},
        [ZONE_EVENT_TROUBLE] = {"trouble", LOG_WARN, "reason"},
};

static void log_events(struct zone_keeper *k)
{
        struct zone_event event;
        struct log_line l;
        while (zone_take_event(&k->zone, &event)) {
                log_begin(&l, k->host, event_lines[event.kind].level, "zone", event_lines[event.kind].name);
                log_str(&l, "domain", k->config.domain);
                if (event.selector_n > 0)
                        log_str(&l, "selector", str_of(event.selector, event.selector_n));
                if (event_lines[event.kind].detail)
                        log_str(&l, event_lines[event.kind].detail, str_of(event.detail, event.detail_n));
                log_end(&l);
        }
}

/* What the machine asks for. Each gives ERR_OK, or ERR_CANCELLED. */

static enum err ask(struct zone_keeper *k, const struct dns_server *server, const struct zone_step *step,
        struct dns_answer *out)
{
        struct arena arena;
        arena_init(&arena, k->answer, sizeof k->answer);
        int64_t deadline_ms = host_now_ms(k->host) + DNS_QUERY_ROUNDS * DNS_QUERY_TIMEOUT_MS;
        return dns_query_server(k->host, server, &step->name, step->type, deadline_ms, &arena, out);
}

/* The primary is asked over TCP, as long as it takes connections: its answers decide what signs, and nobody beside the
 * path can put one into a connection. */
static enum err ask_primary(struct zone_keeper *k, const struct zone_step *step, struct dns_answer *out)
{
        struct dns_server over_tcp = k->config.primary;
        over_tcp.tcp_only = true;
        enum err e = ask(k, &over_tcp, step, out);
        if (e != ERR_REFUSED || k->config.primary.tcp_only)
                return e;
        return ask(k, &k->config.primary, step, out);
}

static enum err do_query(struct zone_keeper *k, const struct zone_step *step)
{
        struct dns_server server = {.at = {step->server, 53}};
        struct dns_answer answer = {0};
        enum err e = step->at_primary ? ask_primary(k, step, &answer) : ask(k, &server, step, &answer);
        if (e == ERR_CANCELLED)
                return e;
        dns_errors_add(&k->errors, e, answer.rcode, 0);
        zone_answered(&k->zone, now_s(k), e, &answer);
        return ERR_OK;
}

static enum err do_update(struct zone_keeper *k)
{
        struct dns_update update;
        struct dns_update_result r;
        uint16_t id;
        host_random(k->host, &id, sizeof id);
        dns_update_init(&update, k->update, sizeof k->update, id, &k->config.zone);
        zone_fill_update(&k->zone, &update);
        dns_update_send(k->host, &k->config.primary, k->config.tsig, &update,
                host_now_ms(k->host) + UPDATE_TIMEOUT_MS, &r);
        if (r.err == ERR_CANCELLED)
                return r.err;
        bool was_answered = r.status == DNS_UPDATE_REFUSED || r.status == DNS_UPDATE_CLAIMED;
        dns_errors_add(&k->errors, was_answered ? ERR_DENIED : r.err, r.rcode, r.tsig_error);
        k->updates += r.status == DNS_UPDATE_DONE;
        struct zone_update_result result = {
                .status = r.status == DNS_UPDATE_DONE      ? ZONE_UPDATE_DONE
                          : r.status == DNS_UPDATE_REFUSED ? ZONE_UPDATE_REFUSED
                          : r.status == DNS_UPDATE_CLAIMED ? ZONE_UPDATE_CLAIMED
                                                           : ZONE_UPDATE_LOST,
                .err = r.err,
                .rcode = r.rcode,
                .tsig_error = r.tsig_error,
                .server_time_s = r.server_time_s,
                .our_time_s = r.our_time_s,
        };
        zone_updated(&k->zone, now_s(k), &result);
        return ERR_OK;
}

static bool is_in_use(const struct zone_keeper *k, const struct held_key *held)
{
        for (size_t i = 0; i < k->zone.key_n; i++)
                if (k->zone.keys[i].epoch == held->epoch && k->zone.keys[i].kind == held->kind)
                        return true;
        return false;
}

/* A place for a key: its own of before, a free one, or that of a key which the machine does not know any more. The machine asks once for
 * each that it knows, and has no more of them than we have places. */
static struct held_key *take_place(struct zone_keeper *k, int64_t epoch, enum zone_kind kind)
{
        struct held_key *place = NULL;
        for (size_t i = 0; i < ZONE_KEYS_MAX && !place; i++)
                if (k->keys[i].epoch == epoch && k->keys[i].kind == kind)
                        place = &k->keys[i];
        for (size_t i = 0; i < ZONE_KEYS_MAX && !place; i++)
                if (!k->keys[i].key || !is_in_use(k, &k->keys[i]))
                        place = &k->keys[i];
        CHECK(place);
        crypto_key_free(place->key);
        *place = (struct held_key){0};
        return place;
}

static enum err search(
        struct zone_keeper *k, enum zone_kind kind, struct str selector, struct crypto_key **out)
{
        struct key_search search;
        *out = NULL;
        enum err e = key_search_init(&search, &k->seed, kind == ZONE_ARC_RSA ? KEY_ARC : KEY_DKIM,
                kind == ZONE_DKIM_ED25519 ? KEY_ED25519 : KEY_RSA_2048, selector);
        if (e != ERR_OK)
                return e;
        while ((e = key_search_step(&search, out)) == ERR_AGAIN) {
                fiber_yield(k->host->sched);
                if (fiber_is_cancelled(k->host->sched)) {
                        e = ERR_CANCELLED;
                        break;
                }
        }
        key_search_drop(&search);
        return e;
}

static enum err do_derive(struct zone_keeper *k, const struct zone_step *step)
{
        struct str selector = str_of(step->selector, step->selector_n);
        struct crypto_key *key;
        struct wr record;
        char text[KEY_RECORD_MAX];
        struct log_line l;
        int64_t begin_ms = host_now_ms(k->host);
        enum err e = search(k, step->kind, selector, &key);
        if (e == ERR_CANCELLED)
                return e;
        wr_init(&record, text, sizeof text);
        if (e == ERR_OK)
                e = key_record_write(key, &record);
        if (e == ERR_OK)
                *take_place(k, step->epoch, step->kind) = (struct held_key){step->epoch, step->kind, key};
        else
                crypto_key_free(key);
        log_begin(&l, k->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "zone", "key-derived");
        log_str(&l, "domain", k->config.domain);
        log_str(&l, "selector", selector);
        log_i64(&l, "ms", host_now_ms(k->host) - begin_ms);
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
        zone_derived(&k->zone, now_s(k), e == ERR_OK ? wr_text(&record) : S(""));
        return ERR_OK;
}

enum err zone_keeper_revoked(const struct zone_keeper *k)
{
        return zone_revoked(&k->zone);
}

void zone_keeper_run(void *arg)
{
        struct zone_keeper *k = arg;
        enum err e = ERR_OK;
        while (e == ERR_OK && !fiber_is_cancelled(k->host->sched)) {
                struct zone_step step;
                zone_next(&k->zone, now_s(k), &step);
                log_events(k);
                switch (step.action) {
                case ZONE_QUERY:
                        e = do_query(k, &step);
                        break;
                case ZONE_UPDATE:
                        e = do_update(k);
                        break;
                case ZONE_DERIVE:
                        e = do_derive(k, &step);
                        break;
                case ZONE_WAIT:
                        e = fiber_sleep(k->host->sched, step.wait_s * 1000);
                        break;
                case ZONE_END:
                        e = ERR_CLOSED;
                        break;
                }
                log_events(k);
        }
}
