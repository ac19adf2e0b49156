/* SPDX-License-Identifier: ISC */
/* One worker: a connection to one destination, and one transaction after the other on it. */
#include <stdlib.h>

#include "host/log.h"
#include "serve/delivery_internal.h"
#include "serve/mx.h"
#include "serve/smtp_out.h"
#include "serve/stored_out.h"
#include "serve/tls_policy.h"
#include "store/lists.h"
#include "store/messages.h"

#define WORKER_ARENA 16384

struct worker {
        struct destination *destination;
        struct lipap *node;
        struct smtp_out *out;
        bool is_open;
        bool is_reused; /* a transaction was done on this connection: it may be stale */
        struct ip_port peer;
        struct mx_targets targets;
        struct tls_policy policy; /* of the connection */
        struct arena arena;
        char memory[WORKER_ARENA];
        char said[SMTP_REPLY_TEXT_MAX]; /* what became of the present job, as text */
};

/* What became of a job. */
enum outcome_kind {
        OUTCOME_DONE,
        OUTCOME_DEFER,
        OUTCOME_FAIL,
        OUTCOME_STALE,  /* the connection had been used before and ended here: to be tried over another one */
        OUTCOME_CROWDED /* no connection, but others to this destination are open: it is theirs */
};
struct outcome {
        enum outcome_kind kind;
        bool is_destination; /* the whole destination is to be left alone for now */
        unsigned code;
        struct str said;
};

/* ---- telling ---- */

static struct str say_reply(struct worker *w, const struct smtp_reply *reply)
{
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        wr_u64(&text, reply->code);
        wr_byte(&text, ' ');
        if (reply->enhanced.class != 0) {
                smtp_enhanced_write(&text, &reply->enhanced);
                wr_byte(&text, ' ');
        }
        wr_str(&text, str_take(reply->text, 2048));
        return wr_text(&text);
}

static struct str say_trouble(struct worker *w, struct str what, enum err e)
{
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        wr_str(&text, what);
        wr_str(&text, S(": "));
        wr_str(&text, str_of_c(err_text(e)));
        return wr_text(&text);
}

/* For whoever looks at the queue: the host's zone asks for what the host does not do. */
static struct str say_no_tls(struct worker *w)
{
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        wr_str(&text, S("the zone of "));
        wr_str(&text, w->policy.expect.name);
        wr_str(&text, S(" asks for TLS (DANE, RFC 7672), and its host fails: "));
        wr_str(&text, w->out->tls_fault[0] ? str_of_c(w->out->tls_fault) : S("it offers no TLS"));
        return wr_text(&text);
}

static void log_outcome(struct worker *w, const struct delivery_job *job, const struct outcome *o)
{
        static const char *const events[] = {
                [OUTCOME_DONE] = "delivered", [OUTCOME_DEFER] = "deferred", [OUTCOME_FAIL] = "failed"};
        struct lipap_stats *stats = &w->node->stats;
        struct log_line l;
        *(o->kind == OUTCOME_DONE         ? &stats->delivered
                : o->kind == OUTCOME_FAIL ? &stats->failed
                                          : &stats->deferred) += 1;
        log_begin(&l, w->node->host, o->kind == OUTCOME_DONE ? LOG_INFO : LOG_WARN, "delivery",
                events[o->kind]);
        log_i64(&l, "message", job->message);
        log_str(&l, "to", job->address);
        log_u64(&l, "attempt", job->attempts + 1);
        if (w->peer.ip.family != 0)
                log_ip_port(&l, "peer", &w->peer);
        if (w->is_open && smtp_out_tls(w->out)) {
                log_c(&l, "tls", tls_version_text(smtp_out_tls(w->out)));
                log_c(&l, "proof", w->policy.expect.kind == TLS_EXPECT_DANE ? "dane" : "none");
        }
        log_str(&l, "said", o->said);
        log_end(&l);
}

static struct outcome outcome_of_reply(struct worker *w, const struct smtp_reply *reply)
{
        struct outcome o = {.code = reply->code, .said = say_reply(w, reply)};
        o.kind = smtp_reply_is_positive(reply)    ? OUTCOME_DONE
                 : smtp_reply_is_permanent(reply) ? OUTCOME_FAIL
                                                  : OUTCOME_DEFER;
        o.is_destination = reply->code == 421 && w->destination->connected <= 1;
        return o;
}

static struct outcome defer(struct worker *w, struct str what, enum err e)
{
        return (struct outcome){.kind = OUTCOME_DEFER, .said = say_trouble(w, what, e)};
}

/* ---- connecting ---- */

static void close_connection(struct worker *w, bool in_order)
{
        if (!w->is_open)
                return;
        if (in_order)
                smtp_out_quit(w->out);
        smtp_out_close(w->out);
        w->is_open = false;
        w->is_reused = false;
        delivery_disconnected(w->destination);
}

static enum err open_as(struct worker *w, const struct tls_policy *policy, struct smtp_reply *reply)
{
        struct lipap *node = w->node;
        const struct smtp_out_config config = {.to = w->peer,
                .connect_ms = DELIVERY_CONNECT_MS,
                .client = {.hello = node->hostname, .tls = policy->tls},
                .tls = node->tls_client,
                .expect = policy->expect};
        return smtp_out_open(w->out, node->host, &config, reply);
}

static void log_no_tls(struct worker *w, enum log_level level, const char *why)
{
        struct log_line l;
        log_begin(&l, w->node->host, level, "delivery", "tls-failed");
        log_ip_port(&l, "peer", &w->peer);
        log_str(&l, "domain", w->destination->domain);
        log_c(&l, "why", why);
        log_end(&l);
        w->node->stats.tls_out_failed++;
}

/* Open a connection to a target. Where nobody vouches for the host, TLS that fails is no reason to keep the mail: the same host
 * is tried in the clear (RFC 7435 3). Where its zone says what it has to prove, nothing is sent without. */
static enum err open_one(struct worker *w, size_t nth, struct smtp_reply *reply)
{
        struct lipap *node = w->node;
        struct tls_policy *policy = &w->policy;
        *reply = (struct smtp_reply){0};
        arena_reset(&w->arena);
        enum err e = tls_policy_find(node->resolver, &w->targets, nth, w->destination->domain,
                host_now_ms(node->host) + MX_LOOKUP_MS, &w->arena, policy);
        if (e != ERR_OK) {
                log_no_tls(w, LOG_WARN, "no answer about TLSA records");
                return e;
        }
        bool is_open_to_all = policy->tls == SMTP_CLIENT_TLS_MAY;
        e = open_as(w, policy, reply);
        if (e ==
                ERR_UNSUPPORTED) { /* none of the records is usable: TLS, with whoever is there (RFC 7672 2.2) */
                policy->expect.kind = TLS_EXPECT_NOTHING;
                smtp_out_close(w->out);
                e = open_as(w, policy, reply);
        }
        if (e == ERR_CRYPTO) {
                log_no_tls(w, is_open_to_all ? LOG_INFO : LOG_WARN, w->out->tls_fault);
                if (is_open_to_all) {
                        smtp_out_close(w->out);
                        policy->tls = SMTP_CLIENT_TLS_NEVER;
                        e = open_as(w, policy, reply);
                }
        }
        if (e == ERR_OK) {
                bool is_dane = policy->expect.kind == TLS_EXPECT_DANE;
                *(is_dane                      ? &node->stats.dane_out
                        : smtp_out_tls(w->out) ? &node->stats.tls_out
                                               : &node->stats.clear_out) += 1;
        }
        return e;
}

/* Try each address in turn; a host that refuses the session gives way to the next (RFC 5321 5.1). */
static struct outcome connect_any(struct worker *w)
{
        struct outcome o = {
                .kind = OUTCOME_DEFER, .is_destination = true, .said = S("no host could be reached")};
        int64_t end_ms = host_now_ms(w->node->host) + DELIVERY_OPEN_MS;
        for (size_t i = 0; i < w->targets.count && host_now_ms(w->node->host) < end_ms; i++) {
                struct smtp_reply reply;
                w->peer = w->targets.at[i];
                w->peer.port = w->node->delivery_port;
                enum err e = open_one(w, i, &reply);
                w->is_open = e == ERR_OK;
                if (w->is_open) {
                        delivery_connected(w->destination);
                        break;
                }
                bool is_denied =
                        w->policy.tls == SMTP_CLIENT_TLS_MUST && (e == ERR_CRYPTO || e == ERR_DENIED);
                o.said = is_denied         ? say_no_tls(w)
                         : reply.code != 0 ? say_reply(w, &reply)
                                           : say_trouble(w, S("connecting"), e);
                o.code = reply.code;
                smtp_out_close(w->out);
                if (e == ERR_CANCELLED)
                        break;
        }
        return o;
}

static struct outcome open_connection(struct worker *w)
{
        struct lipap *node = w->node;
        struct destination *d = w->destination;
        if (delivery_is_resting(d))
                return (struct outcome){
                        .kind = OUTCOME_DEFER, .is_destination = true, .said = str_of(d->said, d->said_n)};
        enum err e = mx_find(node->resolver, node->host, w->destination->domain, node->hostname,
                host_now_ms(node->host) + MX_LOOKUP_MS, &w->targets);
        if (e == ERR_OK)
                return connect_any(w);
        if (e == ERR_UNSUPPORTED)
                return (struct outcome){.kind = OUTCOME_FAIL,
                        .is_destination = true,
                        .code = 556,
                        .said = S("556 5.1.10 the domain takes no mail (RFC 7505)")};
        struct outcome o = defer(w, S("looking up the mail hosts"), e);
        o.is_destination = true;
        return o;
}

/* ---- one transaction ---- */

/* The return path of a member of a list: NAME-return-TOKEN@DOMAIN. Empty for what goes to no list. */
static enum err write_return_path(
        struct worker *w, const struct delivery_job *job, const struct store_message *m, struct wr *path)
{
        const struct lipap_domain *domain = lipap_domain_find(w->node, m->domain);
        struct token token = {
                .id = job->member, .day = (uint16_t)(host_wall_ms(w->node->host) / (24LL * 60 * 60 * 1000))};
        struct store_list list;
        char name[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr full;
        if (job->member == 0)
                return ERR_OK;
        if (!domain || domain->key_count == 0)
                return ERR_NOT_FOUND;
        enum err e = store_list_get(w->node->store, job->list, &w->arena, &list);
        if (e != ERR_OK)
                return e;
        wr_init(&full, name, sizeof name);
        wr_str(&full, list.name);
        wr_byte(&full, '@');
        wr_str(&full, list.domain);
        wr_str(path, list.name);
        wr_str(path, S("-return-"));
        e = token_write(path, &domain->keys[0], TOKEN_RETURN, wr_text(&full), &token);
        wr_byte(path, '@');
        wr_str(path, list.domain);
        return e == ERR_OK ? wr_end(path) : e;
}

/* A connection that was idle may have been closed by the other side: nothing was sent yet, so a new one is opened. */
static struct outcome lost(struct worker *w, struct str what, enum err e, bool may_be_stale)
{
        bool is_stale = may_be_stale && w->is_reused && (e == ERR_CLOSED || e == ERR_EOF);
        struct outcome o = defer(w, what, e);
        close_connection(w, false);
        if (is_stale)
                o.kind = OUTCOME_STALE;
        return o;
}

static struct outcome send_message(struct worker *w, struct store_reader *reader)
{
        struct smtp_reply reply;
        enum err e = stored_out_body(w->out, reader);
        if (e == ERR_CORRUPT) { /* before the dot: the other side has nothing */
                struct outcome o = defer(w, S("our own copy is damaged"), e);
                close_connection(w, false);
                return o;
        }
        if (e == ERR_OK)
                e = smtp_out_end(w->out, &reply);
        if (e != ERR_OK)
                return lost(w, S("sending the message"), e, false);
        struct outcome o = outcome_of_reply(w, &reply);
        w->is_reused = true;
        return o;
}

static struct outcome transact(struct worker *w, const struct delivery_job *job,
        const struct store_message *m, struct store_reader *reader)
{
        char text[SMTP_PATH_MAX];
        struct wr path;
        struct smtp_reply mail, rcpt, data, reset;
        size_t accepted = 0;
        wr_init(&path, text, sizeof text);
        enum err e = write_return_path(w, job, m, &path);
        if (e != ERR_OK)
                return defer(w, S("making the return path"), e);
        struct smtp_out_envelope envelope = {
                .from = wr_text(&path),
                .params = stored_out_params(w->out, m, reader),
                .to = &job->address,
                .to_n = 1,
                .wants_data = true,
        };
        e = smtp_out_envelope(w->out, &envelope, &mail, &rcpt, &data, &accepted);
        if (e == ERR_UNSUPPORTED)
                return (struct outcome){.kind = OUTCOME_FAIL,
                        .code = 550,
                        .said = S(
                                "550 5.6.7 the other side does not take internationalised mail (SMTPUTF8)")};
        if (e != ERR_OK)
                return lost(w, S("opening the transaction"), e, true);
        if (data.code == 354 && accepted > 0)
                return send_message(w, reader);
        struct outcome o = outcome_of_reply(w, !smtp_reply_is_positive(&mail)   ? &mail
                                               : !smtp_reply_is_positive(&rcpt) ? &rcpt
                                                                                : &data);
        if (o.kind == OUTCOME_DONE) /* DATA answered 2yz: nonsense, and nothing was sent */
                o.kind = OUTCOME_DEFER;
        if (o.code == 421 && w->is_reused) /* it has enough of this session, not of us */
                o.kind = OUTCOME_STALE;
        w->is_reused = true;
        if (smtp_out_rset(w->out, &reset) != ERR_OK || !smtp_reply_is_positive(&reset))
                close_connection(w, false);
        return o;
}

static struct outcome try_job(struct worker *w, const struct delivery_job *job)
{
        struct store_message m;
        struct store_reader *reader;
        struct outcome o;
        if (!w->is_open) {
                o = open_connection(w);
                if (!w->is_open && o.kind == OUTCOME_DEFER && w->destination->connected > 0)
                        o.kind = OUTCOME_CROWDED;
                if (!w->is_open)
                        return o;
        }
        arena_reset(&w->arena);
        enum err e = store_message_get(w->node->store, job->message, &w->arena, &m);
        if (e == ERR_OK)
                e = store_reader_open(w->node->store, job->message, STORE_WHOLE, &reader);
        if (e != ERR_OK)
                return defer(w, S("reading our own copy"), e);
        o = transact(w, job, &m, reader);
        store_reader_close(reader);
        return o;
}

/* ---- outcomes into the store ---- */

/* The pause before the next try: doubles with each, up to a bound, with a quarter of jitter. */
static int64_t pause_ms(struct worker *w, unsigned attempts)
{
        int64_t pause = w->node->retry_first_ms;
        for (unsigned i = 0; i < attempts && pause < DELIVERY_RETRY_MOST_MS; i++)
                pause *= 2;
        if (pause > DELIVERY_RETRY_MOST_MS)
                pause = DELIVERY_RETRY_MOST_MS;
        return pause + (int64_t)host_random_below(w->node->host, (uint64_t)pause / 4 + 1);
}

static enum err put_outcome(struct worker *w, const struct delivery_job *job, const struct outcome *o)
{
        struct store *store = w->node->store;
        int64_t now = delivery_clock_ms(w->destination->delivery);
        if (o->kind == OUTCOME_DONE)
                return store_delivery_done(store, job->id, host_wall_ms(w->node->host), o->code, o->said);
        if (o->kind == OUTCOME_FAIL)
                return store_delivery_fail(store, job->id, host_wall_ms(w->node->host), o->code, o->said);
        return store_delivery_defer(store, job->id, now + pause_ms(w, job->attempts), o->said);
}

/* A store that is full for a moment is waited for: an outcome that is not kept is a second copy one day. */
static void commit(struct worker *w, const struct delivery_job *job, struct outcome *o)
{
        if (o->kind == OUTCOME_DEFER &&
                delivery_clock_ms(w->destination->delivery) - job->first_ms > DELIVERY_LIFE_MS)
                o->kind = OUTCOME_FAIL;
        log_outcome(w, job, o);
        enum err e = put_outcome(w, job, o);
        while ((e == ERR_FULL || e == ERR_MEMORY) && fiber_sleep(w->node->host->sched, 1000) == ERR_OK)
                e = put_outcome(w, job, o);
        if (e != ERR_OK) {
                struct log_line l;
                log_begin(&l, w->node->host, LOG_ERROR, "delivery", "outcome-lost");
                log_i64(&l, "message", job->message);
                log_str(&l, "to", job->address);
                log_err(&l, e);
                log_end(&l);
        }
}

/* The whole destination failed: so did all that waits for it. Nobody else is asked in vain. */
static void commit_waiting(struct worker *w, const struct outcome *o)
{
        struct delivery_job *job;
        while (!fiber_is_cancelled(w->node->host->sched) && (job = delivery_job_take(w->destination))) {
                struct outcome same = *o;
                commit(w, job, &same);
                delivery_job_end(w->destination->delivery, job);
        }
}

/* One job to its outcome, which is committed before this returns. When the fiber is cancelled in the middle and the
 * outcome is not known, the job stays in flight, until delivery_run gives back all that is.
 * False: it is others' now, and this worker is one too many. */
static bool do_job(struct worker *w, struct delivery_job *job)
{
        struct destination *d = w->destination;
        w->peer = w->is_open ? w->peer : (struct ip_port){0};
        struct outcome o = try_job(w, job);
        if (o.kind == OUTCOME_STALE) {
                close_connection(w, false);
                o = try_job(w, job); /* the new connection is not reused, so it cannot be stale again */
        }
        if (o.kind == OUTCOME_CROWDED) {
                d->most = d->connected;
                delivery_job_put_back(d, job);
                return false;
        }
        if (o.code == 421)
                close_connection(w, false);
        bool is_cancelled = fiber_is_cancelled(w->node->host->sched);
        if (!is_cancelled || o.kind == OUTCOME_DONE || o.kind == OUTCOME_FAIL)
                commit(w, job, &o);
        if (!is_cancelled && o.is_destination) {
                if (o.kind == OUTCOME_DEFER && !delivery_is_resting(d))
                        delivery_rest(d, o.said);
                commit_waiting(w, &o);
        }
        delivery_job_end(d->delivery, job);
        return true;
}

/* The next job, waited for a moment while the connection is good, unless another destination needs the place. */
static struct delivery_job *next_job(struct worker *w)
{
        struct destination *d = w->destination;
        struct sched *sched = w->node->host->sched;
        int64_t until = host_now_ms(w->node->host) + DELIVERY_LINGER_MS;
        for (;;) {
                uint64_t rung = d->bell.rung;
                if (fiber_is_cancelled(sched))
                        return NULL;
                struct delivery_job *job = delivery_job_take(d);
                if (job || !w->is_open)
                        return job;
                if (d->delivery->hungry > 0) {
                        d->delivery->hungry--;
                        return NULL;
                }
                if (bell_wait(&d->bell, sched, rung, until) != ERR_OK)
                        return NULL;
        }
}

void delivery_worker_run(void *arg)
{
        struct destination *d = arg;
        struct worker *w = calloc(1, sizeof *w);
        struct smtp_out *out = calloc(1, sizeof *out);
        if (w && out) {
                w->destination = d;
                w->node = d->delivery->node;
                w->out = out;
                arena_init(&w->arena, w->memory, sizeof w->memory);
                struct delivery_job *job = next_job(w);
                while (job && do_job(w, job))
                        job = next_job(w);
                close_connection(w, !fiber_is_cancelled(w->node->host->sched));
        }
        if (!w || !out)
                (void)(fiber_sleep(d->delivery->node->host->sched, 1000) ==
                        ERR_OK); /* memory may come back */
        free(out);
        free(w);
        delivery_worker_leave(d);
}
