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

static void count(struct lipap_stats *stats, struct delivery_counts *counts, enum delivery_verdict kind)
{
        switch (kind) {
        case DELIVERY_DONE:
                stats->delivered++;
                counts->delivered++;
                return;
        case DELIVERY_FAIL:
                stats->failed++;
                counts->failed++;
                return;
        default:
                stats->deferred++;
                counts->deferred++;
        }
}

static void log_connection(struct log_line *l, const struct delivery_worker *w)
{
        log_str(l, "destination", w->destination->name);
        if (w->peer.ip.family != 0)
                log_ip_port(l, "peer", &w->peer);
        if (w->is_open && smtp_out_tls(w->out)) {
                log_c(l, "tls", tls_version_text(smtp_out_tls(w->out)));
                log_str(l, "proof", proof_word(w->policy.expect.kind));
                if (tls_is_resumed(smtp_out_tls(w->out)))
                        log_c(l, "resumed", "yes");
        }
}

static void tell(struct lipap *node, const struct delivery_job *job, const struct delivery_outcome *o,
        const struct delivery_worker *w)
{
        static const char *const events[] = {
                [DELIVERY_DONE] = "delivered", [DELIVERY_DEFER] = "deferred", [DELIVERY_FAIL] = "failed"};
        struct delivery_counts nobodys = {0};
        struct log_line l;
        count(&node->stats, w ? &w->destination->counts : &nobodys, o->kind);
        log_begin(
                &l, node->host, o->kind == DELIVERY_DONE ? LOG_INFO : LOG_WARN, "delivery", events[o->kind]);
        log_i64(&l, "message", job->message);
        log_str(&l, "to", job->address);
        log_u64(&l, "attempt", job->attempts + 1);
        if (w)
                log_connection(&l, w);
        if (o->stage != DELIVERY_AT_START)
                log_i64(&l, "ms", o->ms);
        log_str(&l, "said", o->said);
        log_end(&l);
}

/* The pause before the next try: doubles with each, up to a bound, and then a quarter less or more by chance, so that what
 * failed together does not come back together. */
static int64_t pause_ms(struct lipap *node, unsigned attempts)
{
        int64_t pause = node->retry_first_ms;
        for (unsigned i = 0; i < attempts && pause < DELIVERY_RETRY_MOST_MS; i++)
                pause *= 2;
        if (pause > DELIVERY_RETRY_MOST_MS)
                pause = DELIVERY_RETRY_MOST_MS;
        return pause - pause / 4 + (int64_t)host_random_below(node->host, (uint64_t)pause / 2 + 1);
}

static enum err put_outcome(
        struct delivery *delivery, const struct delivery_job *job, const struct delivery_outcome *o)
{
        struct lipap *node = delivery->node;
        if (o->kind == DELIVERY_DONE)
                return store_delivery_done(node->store, job->id, host_wall_ms(node->host), o->code, o->said);
        if (o->kind == DELIVERY_FAIL)
                return bounce_judge_failed(node, &(struct bounce_judge_delivery){.id = job->id,
                                                         .message = job->message,
                                                         .member = job->member,
                                                         .code = o->code,
                                                         .said = o->said});
        return store_delivery_defer(
                node->store, job->id, delivery_clock_ms(delivery) + pause_ms(node, job->attempts), o->said);
}

/* Not found: the operator has dropped it meanwhile. */
static void log_lost(struct lipap *node, const struct delivery_job *job, enum err e)
{
        bool is_dropped = e == ERR_NOT_FOUND;
        struct log_line l;
        log_begin(&l, node->host, is_dropped ? LOG_INFO : LOG_ERROR, "delivery",
                is_dropped ? "dropped" : "outcome-lost");
        log_i64(&l, "message", job->message);
        log_str(&l, "to", job->address);
        log_err(&l, e);
        log_end(&l);
}

/* A store that is full for a moment is waited for: an outcome that is not kept is a second copy one day. Where it cannot be
 * kept at all (the disk has failed, and the program is about to end), no further copy leaves on any connection. */
void delivery_commit(struct delivery *delivery, const struct delivery_job *job,
        const struct delivery_outcome *outcome, const struct delivery_worker *w)
{
        struct lipap *node = delivery->node;
        struct delivery_outcome o = *outcome; /* others that it means something to may have more time */
        if (o.kind == DELIVERY_DEFER && delivery_clock_ms(delivery) - job->first_ms > DELIVERY_LIFE_MS)
                o.kind = DELIVERY_FAIL;
        tell(node, job, &o, w);
        enum err e = put_outcome(delivery, job, &o);
        while ((e == ERR_FULL || e == ERR_MEMORY) && fiber_sleep(node->host->sched, 1000) == ERR_OK)
                e = put_outcome(delivery, job, &o);
        if (e == ERR_OK && o.kind == DELIVERY_DONE && job->member != 0)
                bounce_judge_done(node, job->domain);
        if (e == ERR_OK)
                return;
        log_lost(node, job, e);
        if (e != ERR_NOT_FOUND)
                delivery->blind_until_ms = host_now_ms(node->host) + DELIVERY_BLIND_MS;
}
