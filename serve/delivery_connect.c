/* SPDX-License-Identifier: ISC */
#include "serve/delivery_connect.h"

#include "host/log.h"
#include "serve/delivery_outcome.h"

void delivery_disconnect(struct delivery_worker *w, bool in_order)
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

/* For whoever looks at the queue: the host's zone asks for what the host does not do. */
static struct str say_no_tls(struct delivery_worker *w)
{
        struct wr text;
        wr_init(&text, w->said, sizeof w->said);
        wr_str(&text, S("the zone of "));
        wr_str(&text, w->policy.expect.name);
        wr_str(&text, S(" asks for TLS (DANE, RFC 7672), and its host fails: "));
        wr_str(&text, w->out->tls_fault[0] ? str_of_c(w->out->tls_fault) : S("it offers no TLS"));
        return wr_text(&text);
}

static enum err open_as(struct delivery_worker *w, const struct tls_policy *policy, struct smtp_reply *reply)
{
        struct lipap *node = w->node;
        const struct smtp_out_config config = {.to = w->peer,
                .connect_ms = DELIVERY_CONNECT_MS,
                .client = {.hello = node->hostname, .tls = policy->tls},
                .tls = node->tls_client,
                .expect = policy->expect};
        return smtp_out_open(w->out, node->host, &config, reply);
}

static void log_no_tls(struct delivery_worker *w, enum log_level level, const char *why)
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
static enum err open_one(struct delivery_worker *w, size_t nth, struct smtp_reply *reply)
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
static struct delivery_outcome connect_any(struct delivery_worker *w)
{
        struct delivery_outcome o = {
                .kind = DELIVERY_DEFER, .is_destination = true, .said = S("no host could be reached")};
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
                         : reply.code != 0 ? delivery_say_reply(w, &reply)
                                           : delivery_say_trouble(w, S("connecting"), e);
                o.code = reply.code;
                smtp_out_close(w->out);
                if (e == ERR_CANCELLED)
                        break;
        }
        return o;
}

struct delivery_outcome delivery_connect(struct delivery_worker *w)
{
        struct lipap *node = w->node;
        struct destination *d = w->destination;
        if (delivery_is_resting(d))
                return (struct delivery_outcome){
                        .kind = DELIVERY_DEFER, .is_destination = true, .said = str_of(d->said, d->said_n)};
        enum err e = mx_find(node->resolver, node->host, w->destination->domain, node->hostname,
                host_now_ms(node->host) + MX_LOOKUP_MS, &w->targets);
        if (e == ERR_OK)
                return connect_any(w);
        if (e == ERR_UNSUPPORTED)
                return (struct delivery_outcome){.kind = DELIVERY_FAIL,
                        .is_destination = true,
                        .code = 556,
                        .said = S("556 5.1.10 the domain takes no mail (RFC 7505)")};
        struct delivery_outcome o = delivery_outcome_of_trouble(w, S("looking up the mail hosts"), e);
        o.is_destination = true;
        return o;
}
