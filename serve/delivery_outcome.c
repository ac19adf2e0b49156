/* SPDX-License-Identifier: ISC */
#include "serve/delivery_outcome.h"

#include "host/log.h"
#include "serve/bounce_judge.h"

struct str delivery_say_reply(struct delivery_worker *w, const struct smtp_reply *reply)
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

struct str delivery_say_trouble(struct delivery_worker *w, struct str what, enum err e)
{
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        wr_str(&text, what);
        wr_str(&text, S(": "));
        wr_str(&text, str_of_c(err_text(e)));
        return wr_text(&text);
}

struct delivery_outcome delivery_outcome_of_reply(struct delivery_worker *w, const struct smtp_reply *reply)
{
        struct delivery_outcome o = {.code = reply->code, .said = delivery_say_reply(w, reply)};
        o.kind = smtp_reply_is_positive(reply)    ? DELIVERY_DONE
                 : smtp_reply_is_permanent(reply) ? DELIVERY_FAIL
                                                  : DELIVERY_DEFER;
        o.is_destination = reply->code == 421 && w->destination->connected <= 1;
        return o;
}

struct delivery_outcome delivery_outcome_of_trouble(struct delivery_worker *w, struct str what, enum err e)
{
        return (struct delivery_outcome){.kind = DELIVERY_DEFER, .said = delivery_say_trouble(w, what, e)};
}

/* What the host has proven itself by. */
static struct str proof_word(enum tls_expect_kind kind)
{
        return kind == TLS_EXPECT_DANE ? S("dane") : kind == TLS_EXPECT_NAME ? S("sts") : S("none");
}

static void log_outcome(
        struct delivery_worker *w, const struct delivery_job *job, const struct delivery_outcome *o)
{
        static const char *const events[] = {
                [DELIVERY_DONE] = "delivered", [DELIVERY_DEFER] = "deferred", [DELIVERY_FAIL] = "failed"};
        struct lipap_stats *stats = &w->node->stats;
        struct log_line l;
        *(o->kind == DELIVERY_DONE         ? &stats->delivered
                : o->kind == DELIVERY_FAIL ? &stats->failed
                                           : &stats->deferred) += 1;
        log_begin(&l, w->node->host, o->kind == DELIVERY_DONE ? LOG_INFO : LOG_WARN, "delivery",
                events[o->kind]);
        log_i64(&l, "message", job->message);
        log_str(&l, "to", job->address);
        log_u64(&l, "attempt", job->attempts + 1);
        if (w->peer.ip.family != 0)
                log_ip_port(&l, "peer", &w->peer);
        if (w->is_open && smtp_out_tls(w->out)) {
                log_c(&l, "tls", tls_version_text(smtp_out_tls(w->out)));
                log_str(&l, "proof", proof_word(w->policy.expect.kind));
                if (tls_is_resumed(smtp_out_tls(w->out)))
                        log_c(&l, "resumed", "yes");
        }
        log_str(&l, "said", o->said);
        log_end(&l);
}

/* The pause before the next try: doubles with each, up to a bound, with a quarter of jitter. */
static int64_t pause_ms(struct delivery_worker *w, unsigned attempts)
{
        int64_t pause = w->node->retry_first_ms;
        for (unsigned i = 0; i < attempts && pause < DELIVERY_RETRY_MOST_MS; i++)
                pause *= 2;
        if (pause > DELIVERY_RETRY_MOST_MS)
                pause = DELIVERY_RETRY_MOST_MS;
        return pause + (int64_t)host_random_below(w->node->host, (uint64_t)pause / 4 + 1);
}

static enum err put_outcome(
        struct delivery_worker *w, const struct delivery_job *job, const struct delivery_outcome *o)
{
        struct store *store = w->node->store;
        int64_t now = delivery_clock_ms(w->destination->delivery);
        if (o->kind == DELIVERY_DONE)
                return store_delivery_done(store, job->id, host_wall_ms(w->node->host), o->code, o->said);
        if (o->kind == DELIVERY_FAIL)
                return bounce_judge_failed(w->node, &(struct bounce_judge_delivery){.id = job->id,
                                                            .message = job->message,
                                                            .member = job->member,
                                                            .code = o->code,
                                                            .said = o->said});
        return store_delivery_defer(store, job->id, now + pause_ms(w, job->attempts), o->said);
}

/* A store that is full for a moment is waited for: an outcome that is not kept is a second copy one day. */
void delivery_commit(struct delivery_worker *w, const struct delivery_job *job, struct delivery_outcome *o)
{
        if (o->kind == DELIVERY_DEFER &&
                delivery_clock_ms(w->destination->delivery) - job->first_ms > DELIVERY_LIFE_MS)
                o->kind = DELIVERY_FAIL;
        log_outcome(w, job, o);
        enum err e = put_outcome(w, job, o);
        while ((e == ERR_FULL || e == ERR_MEMORY) && fiber_sleep(w->node->host->sched, 1000) == ERR_OK)
                e = put_outcome(w, job, o);
        if (e == ERR_OK && o->kind == DELIVERY_DONE && job->member != 0)
                bounce_judge_done(w->node, job->domain);
        if (e != ERR_OK) { /* not found: the operator has dropped it meanwhile */
                struct log_line l;
                log_begin(&l, w->node->host, e == ERR_NOT_FOUND ? LOG_INFO : LOG_ERROR, "delivery",
                        e == ERR_NOT_FOUND ? "dropped" : "outcome-lost");
                log_i64(&l, "message", job->message);
                log_str(&l, "to", job->address);
                log_err(&l, e);
                log_end(&l);
        }
}
