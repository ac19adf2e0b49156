/* SPDX-License-Identifier: ISC */
#include "serve/lipap_metrics.h"

#include "serve/delivery_metrics.h"
#include "store/delivery.h"

/* A family of one value without labels. */
static void one(struct metrics *m, enum metrics_type type, const char *name, const char *help, uint64_t value)
{
        metrics_family(m, type, name, help);
        metrics_u64(m, NULL, 0, value);
}

static void write_intake(const struct lipap *node, struct metrics *m)
{
        one(m, METRICS_COUNTER, "lipap_sessions_total", "SMTP sessions begun", node->gate.begun);
        one(m, METRICS_COUNTER, "lipap_sessions_refused_total",
                "Connections closed because too many were open", node->gate.refused);
        one(m, METRICS_COUNTER, "lipap_sessions_dismissed_total", "Idle sessions that made room for others",
                node->gate.dismissed);
        one(m, METRICS_GAUGE, "lipap_sessions", "SMTP sessions open now", node->gate.open);
        one(m, METRICS_GAUGE, "lipap_sessions_max", "SMTP sessions that may be open", node->gate.most);
        one(m, METRICS_COUNTER, "lipap_messages_accepted_total",
                "Messages answered 250: posts, commands, signed copies, bounces", node->stats.accepted);
        metrics_family(m, METRICS_COUNTER, "lipap_refused_total",
                "Commands and messages answered 4yz or 5yz, by reply code");
        for (unsigned i = 0; i < LIPAP_REFUSALS; i++) {
                char text[3];
                struct wr w;
                if (node->stats.refused[i] == 0)
                        continue;
                wr_init(&w, text, sizeof text);
                wr_u64(&w, 400 + i);
                metrics_u64(m, &(struct metrics_label){"code", wr_text(&w)}, 1, node->stats.refused[i]);
        }
}

static void verdict_row(struct metrics *m, struct str check, struct str result, uint64_t count)
{
        const struct metrics_label labels[] = {{"check", check}, {"result", result}};
        metrics_u64(m, labels, 2, count);
}

static void write_verdicts(const struct lipap *node, struct metrics *m)
{
        const struct lipap_stats *s = &node->stats;
        metrics_family(m, METRICS_COUNTER, "lipap_verdicts_total",
                "What was found about messages that came in; of DKIM, about each signature");
        for (unsigned r = 0; r < SPF_RESULT_COUNT; r++)
                verdict_row(m, S("spf"), spf_result_text((enum spf_result)r), s->spf[r]);
        for (unsigned r = 0; r <= DKIM_PERMERROR; r++)
                if (r != DKIM_EXPIRED) /* its word is that of DKIM_POLICY */
                        verdict_row(m, S("dkim"), dkim_result_text((enum dkim_result)r),
                                s->dkim[r] + (r == DKIM_POLICY ? s->dkim[DKIM_EXPIRED] : 0));
        for (unsigned r = 0; r < DMARC_RESULT_COUNT; r++)
                verdict_row(m, S("dmarc"), dmarc_result_text((enum dmarc_result)r), s->dmarc[r]);
        for (unsigned r = 0; r <= ARC_FAIL; r++)
                verdict_row(m, S("arc"), arc_cv_text((enum arc_cv)r), s->arc[r]);
}

static void tls_row(struct metrics *m, struct str direction, struct str outcome, uint64_t count)
{
        const struct metrics_label labels[] = {{"direction", direction}, {"outcome", outcome}};
        metrics_u64(m, labels, 2, count);
}

static void write_tls(const struct lipap *node, struct metrics *m)
{
        const struct lipap_stats *s = &node->stats;
        metrics_family(m, METRICS_COUNTER, "lipap_tls_total",
                "Sessions under TLS, handshakes that failed, and connections to hosts without TLS");
        tls_row(m, S("in"), S("tls"), s->tls_in);
        tls_row(m, S("in"), S("failed"), s->tls_in_failed);
        for (enum tls_result r = TLS_RESULT_NONE + 1; r < TLS_RESULTS; r++)
                tls_row(m, S("out"), tls_result_word(r), s->tls_results[r]);
        struct sts_stats sts = node->sts ? sts_stats(node->sts) : (struct sts_stats){0};
        metrics_family(m, METRICS_COUNTER, "lipap_sts_fetches_total",
                "Policies of MTA-STS that were fetched, and those that could not be");
        metrics_u64(m, &(struct metrics_label){"outcome", S("fetched")}, 1, sts.fetched);
        metrics_u64(m, &(struct metrics_label){"outcome", S("failed")}, 1, sts.failed);
        one(m, METRICS_COUNTER, "lipap_tlsa_updates_total",
                "Changes of our TLSA records that the primary confirmed", node->identity.updates);
}

/* What lists were asked for, and what became of it. */
static void write_lists(const struct lipap *node, struct metrics *m)
{
        metrics_family(m, METRICS_COUNTER, "lipap_commands_total",
                "Mail that a list obeyed or answered, by the word of its address");
        for (unsigned kind = 0; kind < ROUTE_KINDS; kind++)
                if (route_is_command((enum route_kind)kind))
                        metrics_u64(m, &(struct metrics_label){"route", route_word((enum route_kind)kind)}, 1,
                                node->stats.commands[kind]);
        one(m, METRICS_COUNTER, "lipap_posts_held_total", "Posts kept until a moderator decides",
                node->stats.held);
        one(m, METRICS_COUNTER, "lipap_requests_expired_total", "Requests that nobody answered in time",
                node->stats.expired);
        one(m, METRICS_COUNTER, "lipap_members_bounced_total", "Members removed because their mail came back",
                node->stats.bounced_out);
        one(m, METRICS_COUNTER, "lipap_notices_written_total", "Mail that lists wrote themselves",
                node->stats.written);
}

static void write_ways(const struct lipap *node, struct metrics *m)
{
        const struct {
                struct str outcome;
                uint64_t count;
        } outcomes[] = {{S("delivered"), node->stats.delivered}, {S("deferred"), node->stats.deferred},
                {S("failed"), node->stats.failed}};
        one(m, METRICS_COUNTER, "lipap_handovers_total", "Messages that a signer took and brought back",
                node->stats.handed_over);
        one(m, METRICS_COUNTER, "lipap_handover_failures_total", "Tries to hand a message over that failed",
                node->stats.not_signed);
        metrics_family(m, METRICS_COUNTER, "lipap_deliveries_total", "Tries of deliveries to one recipient");
        for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
                metrics_u64(m, &(struct metrics_label){"outcome", outcomes[i].outcome}, 1, outcomes[i].count);
}

static void write_queue(const struct lipap *node, struct metrics *m)
{
        struct store_backlog backlog;
        struct store_space space = store_space(node->store);
        one(m, METRICS_GAUGE, "lipap_spool_used_bytes", "Spool space in messages", space.used);
        one(m, METRICS_GAUGE, "lipap_spool_reserved_bytes", "Spool space for messages being received",
                space.reserved);
        one(m, METRICS_GAUGE, "lipap_spool_limit_bytes", "The most that the spool may take", space.share);
        if (store_backlog(node->store, &backlog) != ERR_OK)
                return; /* what is not known is not told */
        int64_t age_ms = backlog.oldest_ms > 0 ? host_wall_ms(node->host) - backlog.oldest_ms : 0;
        one(m, METRICS_GAUGE, "lipap_queue_unsigned_messages",
                "Messages to be handed to a signer, counted up to 10000", backlog.open);
        one(m, METRICS_GAUGE, "lipap_queue_messages", "Messages that are not done, counted up to 10000",
                backlog.messages);
        one(m, METRICS_GAUGE, "lipap_queue_deliveries",
                "Deliveries that wait for another try, counted up to 10000", backlog.waiting);
        one(m, METRICS_GAUGE, "lipap_posts_held", "Posts that wait for a moderator, counted up to 10000",
                backlog.held);
        one(m, METRICS_GAUGE, "lipap_requests_waiting",
                "Requests that wait for an answer, counted up to 10000", backlog.requests);
        one(m, METRICS_GAUGE, "lipap_notices_waiting", "Mail to be written, counted up to 10000",
                backlog.notices);
        metrics_family(m, METRICS_GAUGE, "lipap_queue_oldest_seconds", "Age of the oldest message not done");
        metrics_milli(m, NULL, 0, age_ms > 0 ? age_ms : 0);
}

static void write_alarms(const struct lipap *node, struct metrics *m)
{
        metrics_family(m, METRICS_GAUGE, "lipap_alarm", "1 while it holds: what needs a person");
        for (unsigned i = 0; i < ALARMS; i++)
                metrics_u64(
                        m, &(struct metrics_label){"name", alarm_name((enum alarm)i)}, 1, node->alarms[i]);
}

static void write_dns(const struct lipap *node, struct metrics *m)
{
        struct resolver_stats stats;
        resolver_stats(node->resolver, &stats);
        one(m, METRICS_COUNTER, "lipap_dns_lookups_total", "Questions asked by the program", stats.lookups);
        one(m, METRICS_COUNTER, "lipap_dns_cache_hits_total", "Of these, answered from the cache",
                stats.hits);
        one(m, METRICS_COUNTER, "lipap_dns_queries_total", "Queries sent to a resolver", stats.queries);
        metrics_family(m, METRICS_COUNTER, "lipap_dns_errors_total", "Queries that failed, by the answer");
        metrics_dns_errors(m, NULL, 0, &stats.errors);
}

void lipap_metrics(void *ctx, struct metrics *m)
{
        const struct lipap *node = ctx;
        metrics_build_info(m, "lipap_build_info");
        write_intake(node, m);
        write_verdicts(node, m);
        write_lists(node, m);
        write_ways(node, m);
        delivery_metrics(node, m);
        write_tls(node, m);
        write_queue(node, m);
        write_alarms(node, m);
        write_dns(node, m);
}

bool lipap_health(void *ctx, struct wr *text)
{
        const struct lipap *node = ctx;
        bool is_broken = store_is_broken(node->store);
        wr_str(text, is_broken ? S("the disk has failed: nothing is accepted any more\n") : S("ok\n"));
        return !is_broken;
}
