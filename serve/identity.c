/* SPDX-License-Identifier: ISC */
#include "serve/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "dns/update.h"
#include "host/log.h"
#include "serve/dns_update.h"

#define TLSA_SIZE (3 + SHA256_SIZE)
#define UPDATE_SIZE (2048 + TSIG_ROOM)
#define SELECTOR_MAX 32
#define LOOK_MS (60LL * 60 * 1000)
#define LOOK_AGAIN_MS (60LL * 1000) /* after trouble */
#define ASK_MS 20000

static int64_t now_s(const struct identity *id)
{
        return host_wall_ms(id->host) / 1000;
}

enum err identity_init(
        struct identity *id, struct host *h, struct str hostname, const struct key_password *password)
{
        id->host = h;
        id->hostname = hostname;
        return key_seed_derive(password, hostname, &id->seed);
}

void identity_drop(struct identity *id)
{
        tls_context_free(id->context);
        id->context = NULL;
        key_seed_wipe(&id->seed);
}

static void log_event(const struct identity *id, enum log_level level, const char *event, enum err e)
{
        struct log_line l;
        log_begin(&l, id->host, level, "tls", event);
        log_str(&l, "hostname", id->hostname);
        if (id->epoch > 0)
                log_i64(&l, "epoch", id->epoch);
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
}

/* The same key, valid as long? Then it is the one that is in use. */
static bool is_same(const struct tls_context *a, const struct tls_context *b)
{
        uint8_t one[SHA256_SIZE], two[SHA256_SIZE];
        return tls_server_until(a) == tls_server_until(b) && tls_server_key_hash(a, one) == ERR_OK &&
               tls_server_key_hash(b, two) == ERR_OK && memcmp(one, two, SHA256_SIZE) == 0;
}

enum err identity_give(struct identity *id, struct host *h, struct str certificates, struct str key)
{
        struct tls_context *context;
        id->host = h;
        id->is_given = true;
        enum err e = tls_server_pem(certificates, key, &context);
        if (e != ERR_OK)
                return e;
        if (id->context && is_same(id->context, context)) {
                tls_context_free(context);
                return ERR_OK;
        }
        bool is_new = id->context != NULL;
        tls_context_free(id->context);
        id->context = context;
        if (is_new)
                log_event(id, LOG_INFO, "certificate", ERR_OK);
        return ERR_OK;
}

/* ---- keys ---- */

static enum err find_key(struct identity *id, int64_t epoch, struct crypto_key **out)
{
        char text[SELECTOR_MAX];
        struct key_search search;
        struct wr selector;
        *out = NULL;
        wr_init(&selector, text, sizeof text);
        wr_str(&selector, S("tls-"));
        wr_u64(&selector, (uint64_t)epoch);
        enum err e = key_search_init(&search, &id->seed, KEY_TLS, KEY_RSA_2048, wr_text(&selector));
        if (e != ERR_OK)
                return e;
        while ((e = key_search_step(&search, out)) == ERR_AGAIN) {
                fiber_yield(id->host->sched);
                if (fiber_is_cancelled(id->host->sched)) {
                        e = ERR_CANCELLED;
                        break;
                }
        }
        key_search_drop(&search);
        return e;
}

/* The context and the TLSA hash of the key of a period. */
static enum err make_context(
        struct identity *id, int64_t epoch, struct tls_context **out, uint8_t hash[SHA256_SIZE])
{
        struct crypto_key *key;
        *out = NULL;
        enum err e = find_key(id, epoch, &key);
        if (e == ERR_OK)
                e = tls_server_self_signed(
                        key, id->hostname, epoch - TLS_SLACK_S, epoch + TLS_PERIOD_S + TLS_SLACK_S, out);
        if (e == ERR_OK)
                e = tls_server_key_hash(*out, hash);
        crypto_key_free(key);
        return e;
}

/* The keys of the period in which we are. Sessions that have begun keep the old one. */
static enum err renew(struct identity *id)
{
        int64_t epoch = now_s(id) / TLS_PERIOD_S * TLS_PERIOD_S;
        struct tls_context *context, *next;
        uint8_t hashes[IDENTITY_KEYS][SHA256_SIZE];
        if (id->context && id->epoch == epoch)
                return ERR_OK;
        enum err e = make_context(id, epoch, &context, hashes[0]);
        if (e == ERR_OK) {
                e = make_context(id, epoch + TLS_PERIOD_S, &next, hashes[1]);
                tls_context_free(next);
        }
        if (e != ERR_OK) {
                tls_context_free(context);
                return e;
        }
        tls_context_free(id->context);
        id->context = context;
        id->epoch = epoch;
        id->is_published = false;
        memcpy(id->hashes, hashes, sizeof hashes);
        log_event(id, LOG_INFO, "key", ERR_OK);
        return ERR_OK;
}

/* ---- records ---- */

/* _25._tcp.HOST (RFC 7672 2.1.3) */
static enum err record_name(const struct identity *id, struct dns_name *out)
{
        char text[SMTP_DOMAIN_MAX + 16];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("_25._tcp."));
        wr_str(&w, id->hostname);
        return wr_end(&w) == ERR_OK ? dns_name_parse(wr_text(&w), out) : ERR_LIMIT;
}

static void record_data(const struct identity *id, size_t nth, uint8_t out[TLSA_SIZE])
{
        const uint8_t head[] = {3, 1, 1};
        memcpy(out, head, sizeof head);
        memcpy(out + sizeof head, id->hashes[nth], SHA256_SIZE);
}

static bool has_record(const struct dns_answer *answer, const uint8_t data[TLSA_SIZE])
{
        for (size_t i = 0; i < answer->count; i++)
                if (str_eq(answer->values[i].wire, str_of(data, TLSA_SIZE)))
                        return true;
        return false;
}

/* Is the RRset exactly ours? */
static enum err look(struct identity *id, const struct dns_name *name, bool *is_right)
{
        char *memory = malloc(DNS_ANSWER_ROOM);
        struct dns_answer answer = {0};
        struct arena arena;
        uint8_t data[TLSA_SIZE];
        *is_right = false;
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, DNS_ANSWER_ROOM);
        enum err e = dns_query_server(
                id->host, &id->primary, name, DNS_TYPE_TLSA, host_now_ms(id->host) + ASK_MS, &arena, &answer);
        if (e == ERR_OK && answer.status == DNS_FOUND) {
                *is_right = answer.count == IDENTITY_KEYS;
                for (size_t i = 0; i < IDENTITY_KEYS; i++) {
                        record_data(id, i, data);
                        *is_right = *is_right && has_record(&answer, data);
                }
        }
        if (e != ERR_CANCELLED)
                dns_errors_add(&id->errors, e, answer.rcode, 0);
        free(memory);
        return e;
}

/* The whole RRset is ours to say: what else stands there would have senders expect a key that we do not have. */
static enum err put(struct identity *id, const struct dns_name *name)
{
        uint8_t data[TLSA_SIZE], *memory = malloc(UPDATE_SIZE);
        struct dns_update_result r;
        struct dns_update update;
        uint16_t message_id;
        if (!memory)
                return ERR_MEMORY;
        host_random(id->host, &message_id, sizeof message_id);
        dns_update_init(&update, memory, UPDATE_SIZE, message_id, &id->zone);
        dns_update_delete_rrset(&update, name, DNS_TYPE_TLSA);
        for (size_t i = 0; i < IDENTITY_KEYS; i++) {
                record_data(id, i, data);
                const struct dns_update_record record = {
                        name, DNS_TYPE_TLSA, TLSA_TTL_S, str_of(data, sizeof data)};
                dns_update_add(&update, &record);
        }
        dns_update_send(id->host, &id->primary, id->tsig, &update, host_now_ms(id->host) + ASK_MS, &r);
        free(memory);
        if (r.status == DNS_UPDATE_DONE) {
                id->updates++;
                return ERR_OK;
        }
        dns_errors_add(&id->errors, r.err != ERR_OK ? r.err : ERR_DENIED, r.rcode, r.tsig_error);
        return r.err != ERR_OK ? r.err : ERR_DENIED;
}

static enum err publish(struct identity *id)
{
        struct dns_name name;
        bool is_right;
        enum err e = record_name(id, &name);
        if (e == ERR_OK)
                e = look(id, &name, &is_right);
        if (e != ERR_OK || is_right) {
                id->is_published = e == ERR_OK;
                return e;
        }
        e = put(id, &name);
        id->is_published = e == ERR_OK;
        if (e == ERR_OK)
                log_event(id, LOG_INFO, "tlsa-published", ERR_OK);
        return e;
}

/* New keys for tickets, when an hour has passed since `*last_ms`. */
static void rotate(const struct identity *id, int64_t *last_ms)
{
        int64_t now_ms = host_now_ms(id->host);
        if (now_ms - *last_ms < LOOK_MS || !id->context)
                return;
        *last_ms = now_ms;
        if (tls_server_rotate(id->context) != ERR_OK)
                log_event(id, LOG_WARN, "tickets-failed", ERR_CRYPTO);
}

/* Do what is to be done now. `*what` names what failed. */
static enum err look_after(struct identity *id, const char **what)
{
        enum err e;
        *what = "certificate-refused";
        if (id->is_given)
                return id->give_again ? id->give_again(id, id->ctx) : ERR_OK;
        *what = "key-failed";
        e = renew(id);
        if (e != ERR_OK || !id->tsig)
                return e;
        *what = "tlsa-failed";
        return publish(id);
}

/* Until the next look: an hour, or the end of the period of a key of our own. */
static int64_t pause_ms(const struct identity *id)
{
        int64_t left_ms = (id->epoch + TLS_PERIOD_S - now_s(id)) * 1000 + 1;
        return !id->is_given && left_ms > 0 && left_ms < LOOK_MS ? left_ms : LOOK_MS;
}

void identity_run(void *arg)
{
        struct identity *id = arg;
        int64_t rotated_ms = host_now_ms(id->host), pause = id->is_given ? LOOK_MS : 0;
        while (fiber_sleep(id->host->sched, pause) == ERR_OK) {
                const char *what;
                enum err e = look_after(id, &what);
                if (e == ERR_CANCELLED)
                        return;
                if (e != ERR_OK)
                        log_event(id, LOG_WARN, what, e);
                rotate(id, &rotated_ms);
                pause = e != ERR_OK && !id->is_given ? LOOK_AGAIN_MS : pause_ms(id);
        }
}
