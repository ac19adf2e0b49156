/* SPDX-License-Identifier: ISC */
#include "serve/signer_metrics.h"

#define DAY_S 86400

static void write_mail(const struct signer *s, struct metrics *m)
{
        static const char *const reasons[SIGNER_REFUSALS] = {
                [SIGNER_OTHER] = "cannot_be_signed",
                [SIGNER_STRANGER] = "stranger",
                [SIGNER_NO_KEY] = "no_key",
                [SIGNER_NO_MEMORY] = "no_memory",
                [SIGNER_NOT_OURS] = "not_ours",
                [SIGNER_NEXT_HOP_AWAY] = "next_hop_away",
                [SIGNER_NEXT_HOP_REFUSED] = "next_hop_refused",
        };
        metrics_family(
                m, METRICS_COUNTER, "nec_messages_signed_total", "Messages signed and taken by the next hop");
        metrics_u64(m, NULL, 0, s->stats.signed_count);
        metrics_family(m, METRICS_COUNTER, "nec_refused_total", "Commands and messages answered 4yz or 5yz");
        for (size_t i = 0; i < SIGNER_REFUSALS; i++) {
                struct metrics_label label = {"reason", str_of_c(reasons[i])};
                metrics_u64(m, &label, 1, s->stats.refused[i]);
        }
        metrics_family(m, METRICS_HISTOGRAM, "nec_message_seconds",
                "From the end of a message to its answer, the next hop's time included");
        metrics_histogram(m, &s->stats.latency);
        metrics_family(m, METRICS_COUNTER, "nec_sessions_total", "SMTP sessions begun");
        metrics_u64(m, NULL, 0, s->gate.begun);
        metrics_family(m, METRICS_GAUGE, "nec_sessions", "SMTP sessions open now");
        metrics_u64(m, NULL, 0, s->gate.open);
        metrics_family(m, METRICS_GAUGE, "nec_message_memory_bytes", "Reserved for messages on their way");
        metrics_u64(m, NULL, 0, s->reserved);
        metrics_family(m, METRICS_GAUGE, "nec_message_memory_limit_bytes", "What --memory says");
        metrics_u64(m, NULL, 0, s->config.memory);
}

/* What is told of each domain. */
struct domain_view {
        struct metrics *m;
        struct metrics_label label;
        struct zone_keeper_status status;
        int64_t now_s;
};

static void put_ready(struct domain_view *v)
{
        metrics_u64(v->m, &v->label, 1, v->status.is_ready);
}

static void put_epoch(struct domain_view *v)
{
        metrics_i64(v->m, &v->label, 1, v->status.epoch);
}

static void put_next(struct domain_view *v)
{
        metrics_i64(v->m, &v->label, 1, v->status.next);
}

static void put_change(struct domain_view *v)
{
        metrics_i64(v->m, &v->label, 1, v->status.change_s);
}

static void put_expiry(struct domain_view *v)
{
        metrics_i64(v->m, &v->label, 1, v->status.expiry_s);
}

static void put_days(struct domain_view *v)
{
        int64_t left_s = v->status.is_ready ? v->status.expiry_s - v->now_s : 0;
        metrics_milli(v->m, &v->label, 1, left_s * 1000 / DAY_S);
}

static void put_read(struct domain_view *v)
{
        metrics_i64(v->m, &v->label, 1, v->status.read_s);
}

static void put_updates(struct domain_view *v)
{
        metrics_u64(v->m, &v->label, 1, v->status.updates);
}

static void put_errors(struct domain_view *v)
{
        metrics_dns_errors(v->m, &v->label, 1, &v->status.dns_errors);
}

static void write_domains(const struct signer *s, struct metrics *m)
{
        static const struct {
                enum metrics_type type;
                const char *name, *help;
                void (*put)(struct domain_view *v);
        } families[] = {
                {METRICS_GAUGE, "nec_domain_ready", "1 while something may sign for the domain", put_ready},
                {METRICS_GAUGE, "nec_key_epoch_seconds", "Epoch of the key that signs, 0: none", put_epoch},
                {METRICS_GAUGE, "nec_key_next_epoch_seconds", "Epoch that is announced, 0: none", put_next},
                {METRICS_GAUGE, "nec_key_change_timestamp_seconds",
                        "When the next epoch takes over, 0: not known", put_change},
                {METRICS_GAUGE, "nec_key_expiry_timestamp_seconds",
                        "When the key that signs and its signatures expire, 0: none signs", put_expiry},
                {METRICS_GAUGE, "nec_key_days_left", "Days until then", put_days},
                {METRICS_GAUGE, "nec_zone_read_timestamp_seconds",
                        "When the pointer in the zone was last read well, 0: never", put_read},
                {METRICS_COUNTER, "nec_zone_updates_total", "Changes of the zone that the primary confirmed",
                        put_updates},
                {METRICS_COUNTER, "nec_dns_errors_total", "Questions and updates that failed, by the answer",
                        put_errors},
        };
        int64_t now_s = host_wall_ms(s->config.host) / 1000;
        for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
                metrics_family(m, families[f].type, families[f].name, families[f].help);
                for (size_t i = 0; i < s->config.keeper_count; i++) {
                        struct domain_view v = {.m = m, .now_s = now_s};
                        v.label = (struct metrics_label){"domain", zone_keeper_domain(s->config.keepers[i])};
                        zone_keeper_status(s->config.keepers[i], &v.status);
                        families[f].put(&v);
                }
        }
}

void signer_metrics(void *ctx, struct metrics *m)
{
        const struct signer *s = ctx;
        metrics_build_info(m, "nec_build_info");
        write_mail(s, m);
        write_domains(s, m);
}

bool signer_health(void *ctx, struct wr *text)
{
        const struct signer *s = ctx;
        bool can_sign = false;
        for (size_t i = 0; i < s->config.keeper_count; i++) {
                struct zone_signing_key key;
                struct str reason = S("");
                bool is_ready = zone_keeper_key(s->config.keepers[i], &key, &reason) == ERR_OK;
                can_sign = can_sign || is_ready;
                wr_str(text, zone_keeper_domain(s->config.keepers[i]));
                wr_str(text, is_ready ? S(": ok") : S(": "));
                if (!is_ready)
                        wr_str(text, reason);
                wr_byte(text, '\n');
        }
        return can_sign;
}
