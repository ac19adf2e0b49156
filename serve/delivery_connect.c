/* SPDX-License-Identifier: ISC */
#include "serve/delivery_connect.h"

#include <string.h>

#include "base/check.h"
#include "host/log.h"
#include "serve/delivery_address.h"
#include "serve/delivery_outcome.h"

#define UNLISTED "the policy does not name it"
#define NO_TLS "it offers no TLS"

/* What is asked of a relay is asked of it for all domains. */
static bool has_relay(const struct lipap *node)
{
        return node->relay.n > 0;
}

void delivery_disconnect(struct delivery_worker *w, bool in_order)
{
        if (!w->is_open)
                return;
        if (in_order)
                smtp_out_quit(w->out);
        smtp_out_close(w->out);
        w->is_open = false;
        w->is_reused = false;
        delivery_address_leave(w->destination->delivery, w->address, true, w->taken > 0);
        w->address = NULL;
        delivery_disconnected(w->destination);
}

/* ---- telling ---- */

/* For whoever looks at the queue: what the host was asked to prove, by whom, and what is wrong. */
static struct str say_no_tls(struct delivery_worker *w, const char *why)
{
        const struct tls_policy *policy = &w->policy;
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        if (policy->rule == TLS_RULE_STS) {
                wr_str(&text, S("the policy of "));
                wr_str(&text, w->domain);
                wr_str(&text, S(" asks for TLS and proof (MTA-STS, RFC 8461), and its host "));
        } else {
                wr_str(&text, S("the zone of "));
        }
        wr_str(&text, policy->expect.name);
        if (policy->rule != TLS_RULE_STS)
                wr_str(&text, S(" asks for TLS (DANE, RFC 7672), and its host"));
        wr_str(&text, S(" fails: "));
        wr_str(&text, str_of_c(why));
        return wr_text(&text);
}

static void log_tls(struct delivery_worker *w, enum log_level level, const char *event, const char *why)
{
        struct log_line l;
        log_begin(&l, w->node->host, level, "delivery", event);
        log_ip_port(&l, "peer", &w->peer);
        log_str(&l, "domain", w->domain);
        log_c(&l, "why", why);
        log_end(&l);
}

static void count(struct delivery_worker *w, enum tls_result result)
{
        w->tls_result = result;
        w->node->stats.tls_results[result]++;
        w->destination->counts.tls[result]++;
}

/* ---- one address ---- */

/* A try to open a connection to one address. */
struct attempt {
        struct smtp_reply reply;
        const char
                *no_tls; /* why there is no TLS, or not the right one; NULL: that is not what it failed for */
        const char *tested; /* the same for a policy that only tests, and lets it pass */
};

static enum err open_as(struct delivery_worker *w, struct attempt *a)
{
        struct lipap *node = w->node;
        const struct smtp_out_config config = {.to = w->peer,
                .connect_ms = DELIVERY_CONNECT_MS,
                .client = {.hello = node->hostname, .tls = w->policy.tls},
                .tls = node->tls_client,
                .expect = w->policy.expect};
        a->no_tls = NULL;
        smtp_out_close(w->out);
        enum err e = smtp_out_open(w->out, node->host, &config, &a->reply);
        if (e == ERR_CRYPTO)
                a->no_tls = w->out->tls_fault;
        else if (e == ERR_DENIED && smtp_reply_is_positive(&a->reply))
                a->no_tls = NO_TLS;
        else if (e == ERR_DENIED && smtp_out_extensions(w->out)->starttls)
                a->no_tls = "it refuses TLS";
        return e;
}

/* Who has to have a say cannot be asked, or says that this host is none. */
static enum err give_up(struct delivery_worker *w, struct attempt *a, enum err e, const char *why)
{
        bool is_sts = w->policy.rule == TLS_RULE_STS;
        if (e == ERR_CANCELLED)
                return e;
        a->no_tls = why;
        log_tls(w, LOG_WARN, "tls-failed", why);
        count(w, is_sts ? TLS_RESULT_STS_FAILED : TLS_RESULT_DANE_FAILED);
        return e;
}

/* Under the policy that was found with `e`. */
static enum err open_under(struct delivery_worker *w, enum err e, struct attempt *a)
{
        bool is_sts = w->policy.rule == TLS_RULE_STS;
        if (e != ERR_OK)
                return give_up(w, a, e,
                        is_sts ? "the policy could not be looked at" : "no answer about TLSA records");
        if (is_sts && w->policy.is_unlisted)
                return give_up(w, a, ERR_DENIED, UNLISTED);
        return open_as(w, a);
}

/* Where nobody insists, TLS that fails is no reason to keep the mail: the same host is tried with less, and in the end in the
 * clear (RFC 7435 3). */
static enum err open_with_less(struct delivery_worker *w, enum err e, struct attempt *a)
{
        struct tls_policy *policy = &w->policy;
        if (e == ERR_CRYPTO && policy->rule == TLS_RULE_STS_TESTING &&
                policy->expect.kind == TLS_EXPECT_NAME) {
                a->tested = a->no_tls;
                policy->expect.kind = TLS_EXPECT_NOTHING;
                e = open_as(w, a);
        }
        if (e == ERR_CRYPTO) {
                log_tls(w, LOG_INFO, "tls-failed", a->no_tls);
                policy->tls = SMTP_CLIENT_TLS_NEVER;
                e = open_as(w, a);
        }
        return e;
}

static enum tls_result result_of_open(const struct delivery_worker *w)
{
        const struct tls_policy *policy = &w->policy;
        bool is_secured = smtp_out_tls(w->out) != NULL;
        if (policy->rule == TLS_RULE_DANE)
                return TLS_RESULT_DANE;
        if (is_secured && policy->expect.kind == TLS_EXPECT_NAME)
                return TLS_RESULT_STS;
        if (policy->rule == TLS_RULE_STS_TESTING)
                return TLS_RESULT_STS_TESTING_FAILED;
        if (is_secured)
                return TLS_RESULT_OPEN;
        return policy->tls == SMTP_CLIENT_TLS_NEVER ? TLS_RESULT_FALLBACK : TLS_RESULT_CLEAR;
}

static void note_open(struct delivery_worker *w, const struct attempt *a)
{
        enum tls_result result = result_of_open(w);
        count(w, result);
        if (result == TLS_RESULT_STS_TESTING_FAILED)
                log_tls(w, LOG_WARN, "sts-testing-failed",
                        w->policy.is_unlisted ? UNLISTED
                        : a->tested           ? a->tested
                                              : NO_TLS);
}

static enum err open_one(struct delivery_worker *w, size_t nth, struct attempt *a)
{
        struct lipap *node = w->node;
        struct tls_policy *policy = &w->policy;
        const struct tls_policy_question q = {.resolver = node->resolver,
                .sts = has_relay(node) ? NULL : node->sts,
                .targets = &w->targets,
                .nth = nth,
                .domain = has_relay(node) ? node->relay : w->domain,
                .port = w->peer.port,
                .now_ms = host_now_ms(node->host),
                .deadline_ms = host_now_ms(node->host) + MX_LOOKUP_MS,
                .arena = &w->arena};
        *a = (struct attempt){.no_tls = NULL};
        w->tls_result = TLS_RESULT_NONE;
        arena_reset(&w->arena);
        enum err e = open_under(w, tls_policy_find(&q, policy), a);
        if (e == ERR_UNSUPPORTED && policy->rule == TLS_RULE_DANE)
                e = open_under(w, tls_policy_without_dane(&q, policy), a);
        bool has_to = policy->tls == SMTP_CLIENT_TLS_MUST;
        if (!has_to)
                e = open_with_less(w, e, a);
        if (e == ERR_OK)
                note_open(w, a);
        else if (has_to && a->no_tls && w->tls_result == TLS_RESULT_NONE)
                (void)give_up(w, a, e, a->no_tls);
        return e;
}

/* ---- a destination ---- */

/* In a place of its own. `*is_crowded`: there was none, or the host says so. */
static enum err open_in_place(struct delivery_worker *w, size_t nth, struct attempt *a, bool *is_crowded)
{
        struct delivery *delivery = w->destination->delivery;
        *a = (struct attempt){.no_tls = NULL};
        enum err e = delivery_address_enter(delivery, &w->peer.ip, &w->address);
        *is_crowded = e == ERR_TIMEOUT;
        if (e != ERR_OK)
                return e;
        e = open_one(w, nth, a);
        if (e == ERR_OK) {
                delivery_address_opened(delivery, w->address);
                return ERR_OK;
        }
        *is_crowded = !a->no_tls && a->reply.code == 421 && delivery_address_is_crowded(delivery, w->address);
        delivery_address_leave(delivery, w->address, false, false);
        w->address = NULL;
        return e;
}

/* Try each address in turn; a host that refuses the session gives way to the next (RFC 5321 5.1). */
static struct delivery_outcome connect_any(struct delivery_worker *w)
{
        struct delivery_outcome o = {
                .kind = DELIVERY_DEFER, .is_destination = true, .said = S("no host could be reached")};
        int64_t end_ms = host_now_ms(w->node->host) + DELIVERY_OPEN_MS;
        for (size_t i = 0; i < w->targets.count && host_now_ms(w->node->host) < end_ms; i++) {
                struct attempt a;
                bool is_crowded;
                w->peer = w->targets.at[i];
                w->peer.port = w->node->delivery_port;
                enum err e = open_in_place(w, i, &a, &is_crowded);
                w->is_open = e == ERR_OK;
                if (w->is_open) {
                        delivery_connected(w->destination);
                        break;
                }
                if (is_crowded)
                        o.kind = DELIVERY_CROWDED;
                o.is_domain = o.is_domain ||
                              (a.no_tls && !has_relay(w->node)); /* others ask less of the same hosts */
                o.is_destination = !o.is_domain;
                o.said = a.no_tls            ? say_no_tls(w, a.no_tls)
                         : a.reply.code != 0 ? delivery_say_reply(w, &a.reply)
                                             : delivery_say_trouble(w, S("connecting"), e);
                o.code = a.no_tls ? 0 : a.reply.code;
                smtp_out_close(w->out);
                if (e == ERR_CANCELLED)
                        break;
        }
        return o;
}

/* May what was opened for this domain serve others? Only where the hosts are those of the destination, and where nobody
 * asked for anything of them. */
static bool is_shared(struct delivery_worker *w, const struct delivery_job *job)
{
        uint8_t key[MX_KEY_SIZE];
        bool is_known = mx_key(&w->targets, key) == ERR_OK && mx_order(&w->targets, w->order) == ERR_OK;
        bool is_same = is_known && memcmp(key, w->destination->key, sizeof key) == 0;
        if (!is_same)
                delivery_route_forget(w->destination->delivery, job->domain); /* the domain has moved */
        return is_same && job->route->is_shareable && (w->policy.rule == TLS_RULE_NONE || has_relay(w->node));
}

enum err delivery_find_hosts(struct lipap *node, struct str domain, struct mx_targets *out)
{
        int64_t deadline_ms = host_now_ms(node->host) + MX_LOOKUP_MS;
        if (has_relay(node))
                return mx_find_host(node->resolver, node->host, node->relay, deadline_ms, out);
        return mx_find(node->resolver, node->host, domain, node->hostname, deadline_ms, out);
}

struct delivery_outcome delivery_connect(struct delivery_worker *w, const struct delivery_job *job)
{
        struct lipap *node = w->node;
        struct delivery_outcome o;
        CHECK(!w->is_open && job->domain.n <= sizeof w->domain_text);
        memcpy(w->domain_text, job->domain.p, job->domain.n);
        w->domain = str_of(w->domain_text, job->domain.n);
        w->taken = w->tried = 0;
        enum err e = delivery_find_hosts(node, w->domain, &w->targets);
        if (e == ERR_OK) {
                o = connect_any(w);
                w->is_shared = w->is_open && is_shared(w, job);
                return o;
        }
        o = delivery_outcome_of_trouble(w, S("looking up the mail hosts"), e);
        if (e == ERR_UNSUPPORTED)
                o = (struct delivery_outcome){.kind = DELIVERY_FAIL, .code = 556, .said = DELIVERY_NULL_MX};
        o.is_domain = !has_relay(node);
        o.is_destination = !o.is_domain;
        return o;
}

/* Does a domain of that route let any connection do, of those that another one with its order opened? */
static bool does_any(const struct delivery_worker *w, const struct delivery_route *r)
{
        return r->is_shareable && memcmp(r->order, w->order, sizeof w->order) == 0;
}

bool delivery_serves(const struct delivery_worker *w, const struct delivery_job *job)
{
        return w->is_open && (str_eq(w->domain, job->domain) || (w->is_shared && does_any(w, job->route)));
}

/* Does the domain have a policy of MTA-STS? */
static bool has_sts(struct lipap *node, struct str domain, const struct mx_targets *targets)
{
        struct sts_verdict verdict;
        char text[DNS_NAME_TEXT_MAX];
        struct wr host;
        if (!node->sts || targets->host_count == 0)
                return false;
        wr_init(&host, text, sizeof text);
        dns_name_write(&host, &targets->hosts[0].name);
        return sts_find(node->sts, domain, wr_text(&host), &verdict) != ERR_OK || verdict.mode != STS_NONE;
}

/* Where DNSSEC vouches for the way to a host, its TLSA records may ask for something in the name of the domain. */
bool delivery_is_shareable(struct lipap *node, struct str domain, const struct mx_targets *targets)
{
        if (has_relay(node))
                return true; /* what it has to prove, it has to prove for all */
        for (size_t i = 0; i < targets->host_count; i++)
                if (targets->hosts[i].is_secure)
                        return false;
        return !has_sts(node, domain, targets);
}
