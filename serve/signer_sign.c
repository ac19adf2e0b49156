/* SPDX-License-Identifier: ISC */
/* The signature: which domain's, over what, and what is put in front of the message. */
#include "auth/body_hash.h"
#include "auth/dkim_sign.h"
#include "host/log.h"
#include "mail/address.h"
#include "mail/build.h"
#include "serve/signer_session.h"

#define FROM_MAILBOXES_MAX 16

static enum err say(struct smtp_reply *reply, enum err e, uint16_t code, uint16_t subject, uint16_t detail,
        struct str text)
{
        *reply = smtp_reply_of(code, subject, detail, text);
        return e;
}

static const struct zone_keeper *keeper_of(const struct signer_session *s, struct str domain)
{
        const struct signer_config *config = &s->signer->config;
        for (size_t i = 0; i < config->keeper_count; i++)
                if (str_eq_nocase(zone_keeper_domain(config->keepers[i]), domain))
                        return config->keepers[i];
        return NULL;
}

/* The From domain if it is ours (with several authors: the first one's that is), else the ticket's. */
static const struct zone_keeper *choose_keeper(const struct signer_session *s, const struct mail_field *from)
{
        struct mail_mailbox authors[FROM_MAILBOXES_MAX];
        const struct zone_keeper *keeper = NULL;
        size_t n;
        if (mail_addresses_parse(from->body, authors, FROM_MAILBOXES_MAX, &n) != ERR_OK)
                n = 0;
        for (size_t i = 0; i < n && !keeper; i++)
                keeper = keeper_of(s, authors[i].address.domain);
        return keeper ? keeper : s->ticket;
}

static enum err index_header(struct signer_session *s, struct mail_header *header, struct smtp_reply *reply)
{
        enum err e = mail_header_index(str_of(s->message, s->n), s->fields, MAIL_FIELDS_MAX, header);
        if (e != ERR_OK)
                return say(reply, e, 552, 3, 4, S("The header section is too large"));
        if (header->strays > 0 || header->bad_bytes > 0)
                return say(
                        reply, ERR_SYNTAX, 550, 6, 0, S("The header section has lines that are no fields"));
        if (mail_header_count(header, S("From")) != 1)
                return say(reply, ERR_SYNTAX, 550, 6, 0, S("There must be exactly one From field"));
        if (mail_header_count(header, S("Received")) > SIGNER_RECEIVED_MAX)
                return say(reply, ERR_LIMIT, 554, 4, 6, S("This message goes round in a loop"));
        return ERR_OK;
}

static enum err hash_body(
        const struct signer_session *s, const struct mail_header *header, uint8_t out[SHA256_SIZE])
{
        struct body_hash hash;
        body_hash_init(&hash);
        size_t slot = body_hash_want(&hash, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&hash, str_skip(str_of(s->message, s->n), header->body_at));
        body_hash_end(&hash);
        return body_hash_result(&hash, slot, out);
}

static enum err write_received(const struct signer_session *s, int64_t now_s, struct wr *w)
{
        struct mail_received received = {
                .helo = str_of(s->helo, s->helo_n),
                .client = s->peer.ip,
                .by = s->signer->config.hostname,
                .protocol = s->is_utf8       ? S("UTF8SMTP")
                            : s->is_extended ? S("ESMTP")
                                             : S("SMTP"),
                .unix_s = now_s,
        };
        return mail_build_received(w, &received);
}

/* The key is borrowed: nothing here blocks between asking for it and the end of the signature. */
static enum err write_front(struct signer_session *s, const struct mail_header *header,
        const struct zone_keeper *keeper, const struct zone_signing_key *key, struct wr *w)
{
        uint8_t digest[SHA256_SIZE];
        struct dkim_sign_params params = {
                .domain = zone_keeper_domain(keeper),
                .selector = key->selector,
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = key->time_s,
                .expiry_s = key->expiry_s,
        };
        enum err e = hash_body(s, header, digest);
        if (e == ERR_OK)
                e = dkim_sign(&params, header, digest, key->key, w);
        if (e == ERR_OK)
                e = write_received(s, key->time_s, w);
        struct wr selector;
        wr_init(&selector, s->selector, sizeof s->selector);
        wr_str(&selector, key->selector);
        s->selector_n = selector.n;
        s->signed_by = keeper;
        return e;
}

enum err signer_sign(struct signer_session *s, struct str *front, struct smtp_reply *reply)
{
        struct mail_header header;
        struct zone_signing_key key;
        struct str reason;
        struct wr w;
        *front = S("");
        enum err e = index_header(s, &header, reply);
        if (e != ERR_OK)
                return e;
        const struct zone_keeper *keeper = choose_keeper(s, mail_header_first(&header, S("From")));
        s->why = keeper ? SIGNER_NO_KEY : SIGNER_NOT_OURS;
        if (!keeper)
                return say(reply, ERR_DENIED, 550, 7, 1,
                        S("Neither the author's domain nor a ticket is of ours"));
        if (zone_keeper_key(keeper, &key, &reason) != ERR_OK) {
                wr_init(&w, s->text, sizeof s->text);
                wr_str(&w, S("No key to sign with: "));
                wr_str(&w, reason);
                return say(reply, ERR_NOT_FOUND, 451, 7, 5, wr_text(&w));
        }
        s->why = SIGNER_OTHER;
        wr_init(&w, s->front, sizeof s->front);
        e = write_front(s, &header, keeper, &key, &w);
        if (e == ERR_CRYPTO)
                return say(reply, e, 451, 3, 0, S("The signature could not be made"));
        if (e != ERR_OK)
                return say(reply, e, 554, 6, 0, S("This message cannot be signed"));
        *front = wr_text(&w);
        return ERR_OK;
}

void signer_log_signed(const struct signer_session *s, enum err e, const struct smtp_reply *reply)
{
        struct log_line l;
        bool is_taken = e == ERR_OK && smtp_reply_is_positive(reply);
        log_begin(&l, s->signer->config.host, is_taken ? LOG_INFO : LOG_WARN, "signer",
                is_taken ? "signed" : "signed-not-taken");
        log_str(&l, "domain", zone_keeper_domain(s->signed_by));
        log_str(&l, "selector", str_of(s->selector, s->selector_n));
        log_u64(&l, "size", s->n);
        log_ip_port(&l, "peer", &s->peer);
        log_ip_port(&l, "destination", &s->signer->config.destination);
        if (e == ERR_OK) {
                log_u64(&l, "code", reply->code);
                log_str(&l, "reply", reply->text);
        } else {
                log_err(&l, e);
        }
        log_end(&l);
}
