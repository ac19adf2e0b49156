/* SPDX-License-Identifier: ISC */
/* The session: commands to and from the next hop, and the buffer of the message. */
#include "serve/signer_session.h"

#include <stdlib.h>
#include <string.h>

#include "host/log.h"

/* The next hop. */

static void hop_close(struct signer_session *s)
{
        signer_hop_drop(s->hop);
        s->hop = NULL;
}

/* No transaction is open on it any more. */
static void hop_give(struct signer_session *s)
{
        if (s->hop)
                signer_hop_give(&s->signer->hops, s->hop);
        s->hop = NULL;
}

/* End the next hop's transaction; a connection on which it cannot be ended is fit for nothing more. */
static void hop_reset(struct signer_session *s)
{
        struct smtp_reply reply;
        if (s->hop && smtp_out_rset(&s->hop->out, &reply) == ERR_OK && smtp_reply_is_positive(&reply))
                hop_give(s);
        hop_close(s);
}

/* Our words for trouble with the next hop; it is closed then, but for ERR_UNSUPPORTED, which harms nothing. */
static struct smtp_reply hop_trouble(struct signer_session *s, enum err e)
{
        struct log_line l;
        struct wr w;
        if (e == ERR_UNSUPPORTED)
                return smtp_reply_of(553, 1, 3, S("The next hop cannot be asked for this address"));
        s->why = SIGNER_NEXT_HOP_AWAY;
        log_begin(&l, s->signer->config.host, LOG_WARN, "signer", "next-hop-failed");
        log_ip_port(&l, "destination", &s->signer->config.destination);
        log_err(&l, e);
        log_end(&l);
        hop_close(s);
        wr_init(&w, s->text, sizeof s->text);
        wr_str(&w, S("The next hop fails: "));
        wr_str(&w, str_of_c(err_text(e)));
        return smtp_reply_of(451, 4, 1, wr_text(&w));
}

/* The next hop's words, copied. 421 is about its connection with us, not about ours with the client. */
static struct smtp_reply hop_words(struct signer_session *s, enum err e, const struct smtp_reply *reply)
{
        if (e != ERR_OK)
                return hop_trouble(s, e);
        s->why = SIGNER_NEXT_HOP_REFUSED;
        struct smtp_reply words = *reply;
        struct wr w;
        wr_init(&w, s->text, sizeof s->text);
        wr_str(&w, str_take(reply->text, sizeof s->text));
        words.text = wr_text(&w);
        if (words.code == 421) {
                words.code = 451;
                hop_close(s);
        }
        return words;
}

/* The budget of messages. */

bool signer_reserve(struct signer_session *s, uint64_t cap)
{
        struct signer *g = s->signer;
        uint64_t more = cap - s->cap;
        if (cap > SIZE_MAX / 2 || more > g->config.memory - g->reserved) {
                s->fault = ERR_FULL;
                return false;
        }
        char *grown = realloc(s->message, (size_t)cap);
        if (!grown) {
                s->fault = ERR_MEMORY;
                return false;
        }
        s->message = grown;
        s->cap = (size_t)cap;
        g->reserved += more;
        return true;
}

static void forget(struct signer_session *s)
{
        s->signer->reserved -= s->cap;
        free(s->message);
        s->message = NULL;
        s->n = s->cap = 0;
        s->fault = ERR_OK;
        s->ticket = NULL;
}

static struct smtp_reply reply_full(struct signer_session *s)
{
        s->why = SIGNER_NO_MEMORY;
        return smtp_reply_of(452, 3, 1, S("No room for this message now, try again later"));
}

/* Some key is there: else a whole message would come for nothing. */
static bool has_key(const struct signer_session *s, struct str *reason)
{
        const struct signer_config *config = &s->signer->config;
        struct zone_signing_key key;
        bool found = false;
        *reason = S("no domain");
        for (size_t i = 0; i < config->keeper_count && !found; i++)
                found = zone_keeper_key(config->keepers[i], &key, reason) == ERR_OK;
        return found;
}

/* What the session asks. */

static struct smtp_reply on_hello(void *ctx, bool is_extended, struct str name)
{
        struct signer_session *s = ctx;
        struct wr w;
        s->is_extended = is_extended;
        wr_init(&w, s->helo, sizeof s->helo);
        wr_str(&w, name);
        s->helo_n = w.n;
        return smtp_reply_plain(250, S(""));
}

/* A connection that was left idle may be gone: then once more on a new one. */
static struct smtp_reply hop_mail(struct signer_session *s, const struct smtp_mail *mail)
{
        struct smtp_mail_params params = mail->params;
        struct smtp_reply reply = {0};
        if (params.has_size)
                params.size += SIGNER_FRONT_USUAL;
        enum err e = signer_hop_take(&s->signer->hops, &s->hop);
        if (e == ERR_OK)
                e = smtp_out_mail(&s->hop->out, mail->from.mailbox, &params, &reply);
        if (s->hop && (e == ERR_CLOSED || e == ERR_EOF || (e == ERR_OK && reply.code == 421))) {
                hop_close(s);
                e = signer_hop_open(&s->signer->hops, &s->hop);
                if (e == ERR_OK)
                        e = smtp_out_mail(&s->hop->out, mail->from.mailbox, &params, &reply);
        }
        if (e == ERR_UNSUPPORTED)
                return smtp_reply_of(451, 3, 5, S("The next hop no longer offers what this message needs"));
        return hop_words(s, e, &reply);
}

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        struct signer_session *s = ctx;
        struct str reason;
        struct wr w;
        forget(s);
        hop_reset(s); /* its answer to the last MAIL may have been a 2yz that no client is told */
        s->is_utf8 = mail->params.smtputf8;
        if (!has_key(s, &reason)) {
                s->why = SIGNER_NO_KEY;
                wr_init(&w, s->text, sizeof s->text);
                wr_str(&w, S("No key to sign with: "));
                wr_str(&w, reason);
                return smtp_reply_of(451, 7, 5, wr_text(&w));
        }
        uint64_t size = mail->params.has_size ? mail->params.size : 0;
        if (!signer_reserve(s, size > SIGNER_BUFFER_MIN ? size : SIGNER_BUFFER_MIN)) {
                forget(s);
                return reply_full(s);
        }
        struct smtp_reply reply = hop_mail(s, mail);
        if (!smtp_reply_is_positive(&reply)) {
                hop_give(s);
                forget(s);
        }
        return reply;
}

/* The keeper of `domain` when `local` is a ticket for it. */
static const struct zone_keeper *ticket_of(const struct signer_session *s, const struct smtp_path *to)
{
        const struct signer_config *config = &s->signer->config;
        if (!str_has_prefix_nocase(to->local, S("_signed.")))
                return NULL;
        for (size_t i = 0; i < config->keeper_count; i++)
                if (str_eq_nocase(zone_keeper_domain(config->keepers[i]), to->domain))
                        return config->keepers[i];
        return NULL;
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        struct signer_session *s = ctx;
        struct smtp_reply reply;
        if (!s->hop) /* lost since MAIL */
                return hop_trouble(s, ERR_CLOSED);
        enum err e = smtp_out_rcpt(&s->hop->out, to->mailbox, &reply);
        reply = hop_words(s, e, &reply);
        if (smtp_reply_is_positive(&reply) && !s->ticket)
                s->ticket = ticket_of(s, to);
        return reply;
}

static void on_body(void *ctx, struct str bytes)
{
        struct signer_session *s = ctx;
        if (s->fault != ERR_OK)
                return;
        if (bytes.n > s->cap - s->n) {
                uint64_t need = (uint64_t)s->n + bytes.n, twice = 2 * (uint64_t)s->cap;
                if (!signer_reserve(s, need > twice ? need : twice) &&
                        (s->fault != ERR_FULL || !signer_reserve(s, need)))
                        return;
                s->fault = ERR_OK;
        }
        memcpy(s->message + s->n, bytes.p, bytes.n);
        s->n += bytes.n;
}

/* By BDAT where it is offered, which saves a round trip. */
static enum err hand_on(struct signer_session *s, struct str front, struct smtp_reply *reply)
{
        struct smtp_out *out = &s->hop->out;
        bool is_chunk = smtp_out_extensions(out)->chunking;
        enum err e = is_chunk ? smtp_out_bdat(out, (uint64_t)front.n + s->n) : smtp_out_data(out, reply);
        if (e == ERR_OK && !is_chunk && reply->code != 354)
                return e;
        if (e == ERR_OK)
                e = smtp_out_body(out, front);
        if (e == ERR_OK)
                e = smtp_out_body(out, str_of(s->message, s->n));
        if (e == ERR_OK)
                e = smtp_out_end(out, reply);
        return e;
}

/* A refusal in our own words ends the next hop's transaction too. */
static struct smtp_reply refuse(struct signer_session *s, const struct smtp_reply *reply)
{
        struct log_line l;
        log_begin(&l, s->signer->config.host, LOG_WARN, "signer", "refused");
        log_ip_port(&l, "peer", &s->peer);
        log_u64(&l, "code", reply->code);
        log_str(&l, "reason", reply->text);
        log_end(&l);
        hop_reset(s);
        return *reply;
}

static struct smtp_reply sign_and_hand_on(struct signer_session *s)
{
        struct str front;
        struct smtp_reply reply;
        if (s->fault != ERR_OK) {
                reply = reply_full(s);
                return refuse(s, &reply);
        }
        if (!s->hop)
                return hop_trouble(s, ERR_CLOSED);
        if (signer_sign(s, &front, &reply) != ERR_OK)
                return refuse(s, &reply);
        enum err e = hand_on(s, front, &reply);
        signer_log_signed(s, e, &reply);
        struct smtp_reply words = hop_words(s, e, &reply);
        if (smtp_reply_is_positive(&words))
                hop_give(s);
        else
                hop_reset(s); /* if it was DATA that was refused, the transaction is still open */
        return words;
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct signer_session *s = ctx;
        (void)message;
        struct host *h = s->signer->config.host;
        int64_t begin_ms = host_now_ms(h);
        struct smtp_reply reply = sign_and_hand_on(s);
        histogram_add(&s->signer->stats.latency, host_now_ms(h) - begin_ms);
        forget(s);
        return reply;
}

static void on_reset(void *ctx, enum smtp_server_reset why)
{
        struct signer_session *s = ctx;
        (void)why;
        forget(s);
        hop_reset(s);
}

static void on_replied(void *ctx, enum smtp_server_event_kind asked, const struct smtp_reply *reply)
{
        struct signer_session *s = ctx;
        struct signer_stats *stats = &s->signer->stats;
        if (reply->code >= 400)
                stats->refused[s->why]++;
        else if (asked == SMTP_SERVER_END)
                stats->signed_count++;
        s->why = SIGNER_OTHER;
}

static const struct smtpd_handler handler = {
        .hello = on_hello,
        .mail = on_mail,
        .rcpt = on_rcpt,
        .body = on_body,
        .end = on_end,
        .reset = on_reset,
        .replied = on_replied,
};

/* Only what the next hop offers, and what a message may have without it. */
static struct smtp_server_config engine_config(const struct signer_session *s)
{
        const struct signer_config *config = &s->signer->config;
        struct smtp_server_config c = {.hostname = config->hostname, .message_max = config->memory};
        c.offer = (struct smtp_extensions){.pipelining = true, .size = true, .enhanced = true};
        if (!s->hop)
                return c;
        const struct smtp_extensions *hop = smtp_out_extensions(&s->hop->out);
        c.offer.mime_8bit = hop->mime_8bit;
        c.offer.smtputf8 = hop->smtputf8;
        c.offer.chunking = hop->chunking;
        if (hop->size_max > SIGNER_FRONT_USUAL && hop->size_max - SIGNER_FRONT_USUAL < c.message_max)
                c.message_max = hop->size_max - SIGNER_FRONT_USUAL;
        return c;
}

void signer_session_run(struct signer_session *s, struct host_tcp *tcp)
{
        enum err e = signer_hop_take(&s->signer->hops, &s->hop);
        if (e != ERR_OK)
                (void)hop_trouble(s, e);
        const struct smtpd_config config = {.server = engine_config(s), .gate = &s->signer->gate};
        hop_give(s);
        (void)smtpd_run(s->signer->config.host, tcp, &config, &handler, s);
        forget(s);
        hop_close(s);
}
