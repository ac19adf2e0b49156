/* SPDX-License-Identifier: ISC */
/* What a mail host's temperament makes of a client and of its envelopes; and whether the client heeds what it was told. */
#include "base/ascii.h"
#include "base/siphash.h"
#include "tests/sim/buffer.h"
#include "tests/sim/mx_inside.h"

#define MINUTE_MS (60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define CROWD_MS (10 * MINUTE_MS)
#define TURNED_AWAY_MAX 10 /* in such a time, and one for each two messages that were taken */
#define PAUSES_MIN 20      /* second tries, before anybody is blamed for having no jitter */

static struct mx_client *client_of(struct mx *m, const struct ip *peer)
{
        size_t i = 0;
        while (i < m->client_count && !ip_eq(&m->clients[i].ip, peer))
                i++;
        if (i == m->client_count) {
                m->clients = array_grow(m->clients, m->client_count++, &m->client_cap, sizeof *m->clients);
                m->clients[i] = (struct mx_client){.ip = *peer};
        }
        return &m->clients[i];
}

/* A counter begins again when its time is over. */
static void renew(struct mx *m, int64_t *began_ms, int64_t length_ms, unsigned *counter)
{
        int64_t now = host_now_ms(m->host);
        if (now - *began_ms < length_ms)
                return;
        *began_ms = now;
        *counter = 0;
}

static struct mx_client *client_now(struct mx *m, const struct ip *peer)
{
        struct mx_client *c = client_of(m, peer);
        renew(m, &c->hour_ms, HOUR_MS, &c->in_hour);
        renew(m, &c->minute_ms, MINUTE_MS, &c->in_minute);
        if (host_now_ms(m->host) - c->crowd_ms >= CROWD_MS) {
                c->crowd_ms = host_now_ms(m->host);
                c->turned_away = c->taken = 0;
        }
        return c;
}

const char *mx_answer_connection(struct mx *m, const struct ip *peer)
{
        struct mx_client *c = client_now(m, peer);
        if (m->temper.connections == 0 || c->open < m->temper.connections) {
                c->open++;
                return NULL;
        }
        if (++c->turned_away == TURNED_AWAY_MAX + c->taken / 2 && m->config.retry_ms > 0)
                ledger_violate(m->config.ledger, "polite",
                        "%s has turned its client away %u times in ten minutes, who may have %u connections",
                        m->config.name, c->turned_away, m->temper.connections);
        return "421 4.7.0 too many connections";
}

void mx_end_connection(struct mx *m, const struct ip *peer)
{
        client_of(m, peer)->open--;
}

const char *mx_answer_mail(struct mx *m, const struct ip *peer, unsigned messages)
{
        const struct mx_temper *t = &m->temper;
        const struct mx_client *c = client_now(m, peer);
        if (t->per_connection > 0 && messages >= t->per_connection)
                return "421 4.7.0 enough for one connection";
        if (t->per_hour > 0 && c->in_hour >= t->per_hour)
                return "421 4.7.28 enough for one hour";
        if (t->per_minute > 0 && c->in_minute >= t->per_minute)
                return "451 4.7.1 slow down";
        return NULL;
}

void mx_count_message(struct mx *m, const struct ip *peer)
{
        struct mx_client *c = client_now(m, peer);
        c->in_hour++;
        c->in_minute++;
        c->taken++;
}

/* ---- greylists ---- */

/* How soon nobody should come again: a client's pauses may vary by a quarter. */
static int64_t patience_ms(const struct mx *m)
{
        return m->config.retry_ms * 7 / 10;
}

/* How long a pair waited before its second try; of many, no two should wait alike. */
static void note_pause(struct mx *m, const struct mx_grey *g)
{
        int64_t pause_ms = host_now_ms(m->host) - g->first_ms;
        if (g->tries != 2 || pause_ms < patience_ms(m) || pause_ms >= 2 * m->config.retry_ms)
                return;
        m->soonest_ms = m->pauses == 0 || pause_ms < m->soonest_ms ? pause_ms : m->soonest_ms;
        m->latest_ms = pause_ms > m->latest_ms ? pause_ms : m->latest_ms;
        m->pauses++;
}

/* A try that is put off. Several posts may wait for the pair: each of them may come once in such a time. */
static void judge_haste(struct mx *m, struct mx_grey *g, struct str from, struct str to)
{
        int64_t now = host_now_ms(m->host);
        uint32_t list = verify_list_of(m->config.verify, from, to);
        if (now - g->window_ms >= patience_ms(m)) {
                g->window_ms = now;
                g->in_window = 0;
        }
        if (++g->in_window > 1 && from.n > 0 && list != LEDGER_NONE &&
                ledger_fault_ms(m->config.ledger) < g->window_ms &&
                g->in_window > ledger_lacking(m->config.ledger, list, to) + 1)
                ledger_violate(m->config.ledger, "polite",
                        "%s put mail for %.*s off, and was asked for it %u times within %lld s",
                        m->config.name, STR_ARG(to), g->in_window, (long long)((now - g->window_ms) / 1000));
}

/* Is it too early for this pair of sender and recipient? */
static bool is_grey(struct mx *m, struct str from, struct str to)
{
        static const uint8_t key[SIPHASH_KEY_SIZE];
        int64_t now = host_now_ms(m->host);
        uint64_t pair = siphash(key, from) ^ 3 * siphash(key, to);
        if (m->temper.greylist_ms == 0)
                return false;
        for (size_t i = 0; i < m->grey_count; i++) {
                struct mx_grey *g = &m->greys[i];
                if (g->pair != pair)
                        continue;
                bool is_early = now - g->first_ms < m->temper.greylist_ms;
                g->tries++;
                note_pause(m, g);
                if (m->config.retry_ms > 0 && is_early)
                        judge_haste(m, g, from, to);
                return is_early;
        }
        m->greys = array_grow(m->greys, m->grey_count, &m->grey_cap, sizeof *m->greys);
        m->greys[m->grey_count++] = (struct mx_grey){pair, now, now, 1, 1};
        return true;
}

void mx_judge(struct mx *m)
{
        if (m->pauses >= PAUSES_MIN && m->latest_ms - m->soonest_ms < m->config.retry_ms / 10)
                ledger_violate(m->config.ledger, "polite",
                        "%s was asked again %zu times, each after %lld to %lld s: no jitter", m->config.name,
                        m->pauses, (long long)(m->soonest_ms / 1000), (long long)(m->latest_ms / 1000));
}

/* ---- recipients ---- */

bool mx_is_among(const char *list, struct str local)
{
        struct str names = str_of_c(list);
        while (names.n > 0) {
                struct str one;
                (void)str_cut(names, ',', &one, &names);
                if (str_eq_nocase(str_trim(one), local) || str_eq(str_trim(one), S("*")))
                        return true;
        }
        return false;
}

static bool is_served(const struct mx *m, struct str domain)
{
        struct str domains = m->config.domains, one;
        while (domains.n > 0) {
                (void)str_cut(domains, ',', &one, &domains);
                if (str_eq_nocase(str_trim(one), domain))
                        return true;
        }
        return m->config.domains.n == 0;
}

static const char *refuse(
        struct mx *m, struct str from, struct str to, enum health_fault fault, const char *line)
{
        verify_refused(m->config.verify, from, to, fault);
        return line;
}

const char *mx_answer_recipient(struct mx *m, struct str from, struct str to, size_t count)
{
        const struct mx_temper *t = &m->temper;
        struct str local, domain;
        (void)str_cut(to, '@', &local, &domain);
        if (!is_served(m, domain))
                return refuse(m, from, to, HEALTH_OURS, "550 5.7.1 not served here");
        if (t->is_blocking)
                return refuse(m, from, to, HEALTH_OURS, "550 5.7.1 blocked for your bad reputation");
        if (mx_is_among(t->refused_users, local))
                return refuse(m, from, to, HEALTH_DEAD, "550 5.1.1 nobody of that name");
        if (mx_is_among(t->full_users, local))
                return refuse(m, from, to, HEALTH_FULL, "552 5.2.2 the mailbox is full");
        if (is_grey(m, from, to))
                return "450 4.2.0 greylisted, come again";
        if ((t->recipients > 0 && count >= t->recipients) || count == MX_RECIPIENTS_MAX)
                return "452 4.5.3 too many recipients";
        return NULL;
}
