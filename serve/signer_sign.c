/* SPDX-License-Identifier: ISC */
/* The signatures: which domain's, over what, and what is put in front of the message. */
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "mail/address.h"
#include "mail/build.h"
#include "serve/signer_work.h"

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

static enum err index_header(struct signer_work *w, struct smtp_reply *reply)
{
        const struct signer_session *s = w->session;
        const struct mail_header *header = &w->header;
        enum err e = mail_header_index(
                str_of(s->message, s->n), w->fields + SIGNER_FRONT_FIELDS, MAIL_FIELDS_MAX, &w->header);
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

static enum err write_dkim(const struct signer_work *w, const struct zone_signing_key *key,
        const uint8_t digest[SHA256_SIZE], struct wr *out)
{
        struct dkim_sign_params params = {
                .domain = zone_keeper_domain(w->keeper),
                .selector = key->selector,
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = key->time_s,
                .expiry_s = key->expiry_s,
        };
        return dkim_sign(&params, &w->header, digest, key->key, out);
}

/* RSA first: some verifiers look at the first signature only. Without the second key, or a message that is signed
 * already, as many as there can be. */
static enum err write_signatures(struct signer_work *w, const struct zone_signing_set *set,
        const uint8_t digest[SHA256_SIZE], struct wr *out)
{
        struct signer_done *done = &w->session->done;
        const struct zone_signing_key *rsa = &set->keys[ZONE_DKIM_RSA],
                                      *second = &set->keys[ZONE_DKIM_ED25519];
        done->dkim = w->has_own ? S("own") : second->key ? S("rsa+ed25519") : S("rsa");
        if (w->has_own)
                return ERR_OK;
        enum err e = write_dkim(w, rsa, digest, out);
        return e == ERR_OK && second->key ? write_dkim(w, second, digest, out) : e;
}

/* The fields that were just written stand in front of the header from now on. */
static void add_to_header(struct signer_work *w, struct str front)
{
        struct mail_field fields[SIGNER_FRONT_FIELDS];
        size_t at = 0, n = 0;
        while (n < SIGNER_FRONT_FIELDS && mail_item_next(front, &at, &fields[n]) == MAIL_ITEM_FIELD)
                n++;
        memcpy(w->fields + SIGNER_FRONT_FIELDS - n, fields, n * sizeof fields[0]);
        w->header.fields -= n;
        w->header.n += n;
}

/* The set covers the signatures below it, so it comes last and stands first: `out` gets it in front of `front`. */
static enum err write_arc(struct signer_work *w, const struct zone_signing_set *set,
        const uint8_t digest[SHA256_SIZE], struct wr *out)
{
        static const struct str words[] = {[SIGNER_ARC_NONE] = {"none", 4},
                [SIGNER_ARC_SEAL] = {"no-key", 6},
                [SIGNER_ARC_DONE] = {"own", 3},
                [SIGNER_ARC_ENDED] = {"ended", 5},
                [SIGNER_ARC_UNKNOWN] = {"unknown", 7}};
        const struct zone_signing_key *key = &set->keys[ZONE_ARC_RSA];
        struct signer_done *done = &w->session->done;
        struct arc_seal_params params = {
                .domain = zone_keeper_domain(w->keeper),
                .seal = {key->selector, key->key},
                .message = {key->selector, key->key},
                .results = w->results.payload,
                .cv = w->arc_cv,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = key->time_s,
                .expiry_s = key->expiry_s,
        };
        done->arc = words[w->what];
        done->instance = 0;
        if (w->what != SIGNER_ARC_SEAL || !key->key)
                return ERR_OK;
        size_t start = out->n;
        enum err e = arc_seal(&params, &w->header, &w->arc.chain, digest, out);
        if (e == ERR_LIMIT || e == ERR_SYNTAX) { /* the message is fit to be signed, if not to be sealed */
                out->n = start;
                done->arc = S("unfit");
                return ERR_OK;
        }
        done->arc = S("sealed");
        done->instance = w->arc.chain.count + 1;
        return e;
}

/* Everything that stands in front of the message: first what was made last. */
static enum err write_front(struct signer_work *w, const struct zone_signing_set *set, struct str *front)
{
        uint8_t digest[SHA256_SIZE];
        struct wr out;
        wr_init(&out, w->front + ARC_SET_ROOM, sizeof w->front - ARC_SET_ROOM);
        enum err e = body_hash_result(&w->dkim.body, w->slot, digest);
        if (e == ERR_OK)
                e = write_signatures(w, set, digest, &out);
        if (e == ERR_OK)
                e = write_received(w->session, set->keys[ZONE_DKIM_RSA].time_s, &out);
        if (e != ERR_OK)
                return e;
        struct str below = wr_text(&out);
        add_to_header(w, below);
        wr_init(&out, w->front, ARC_SET_ROOM);
        e = write_arc(w, set, digest, &out);
        memmove(w->front + out.n, below.p, below.n);
        *front = str_of(w->front, out.n + below.n);
        return e;
}

/* The front moves behind the message, so that the work can be given back. */
static enum err keep_front(
        struct signer_session *s, struct str front, struct str *out, struct smtp_reply *reply)
{
        size_t need = s->n + front.n;
        s->why = SIGNER_NO_MEMORY;
        if (need > s->cap && !signer_reserve(s, need))
                return say(reply, s->fault, 452, 3, 1, S("No room for this message now, try again later"));
        s->why = SIGNER_OTHER;
        memcpy(s->message + s->n, front.p, front.n);
        *out = str_of(s->message + s->n, front.n);
        return ERR_OK;
}

static void note_done(struct signer_work *w, const struct zone_signing_set *set)
{
        struct signer_done *done = &w->session->done;
        struct wr selector;
        wr_init(&selector, done->selector, sizeof done->selector);
        wr_str(&selector, set->keys[ZONE_DKIM_RSA].selector);
        done->selector_n = selector.n;
        done->keeper = w->keeper;
}

static enum err find_keys(struct signer_work *w, struct zone_signing_set *set, struct smtp_reply *reply)
{
        struct signer_session *s = w->session;
        struct wr text;
        if (zone_keeper_keys(w->keeper, set) == ERR_OK)
                return ERR_OK;
        s->why = SIGNER_NO_KEY;
        wr_init(&text, s->text, sizeof s->text);
        wr_str(&text, S("No key to sign with: "));
        wr_str(&text, set->reason);
        return say(reply, ERR_NOT_FOUND, 451, 7, 5, wr_text(&text));
}

/* Keys are borrowed until other fibers run, so they are asked for again when all else is known: nothing blocks from
 * there to the last signature. */
static enum err sign(struct signer_work *w, struct str *front, struct smtp_reply *reply)
{
        struct zone_signing_set set;
        struct str written;
        enum err e = find_keys(w, &set, reply);
        if (e != ERR_OK)
                return e;
        e = signer_judge(w);
        if (e == ERR_TIMEOUT)
                return say(reply, e, 451, 4, 3, S("The keys of earlier ARC sets cannot be looked up now"));
        if (e != ERR_OK)
                return say(reply, e, 451, 3, 0, S("The signature could not be made"));
        e = find_keys(w, &set, reply);
        if (e != ERR_OK)
                return e;
        e = write_front(w, &set, &written);
        if (e == ERR_CRYPTO)
                return say(reply, e, 451, 3, 0, S("The signature could not be made"));
        if (e != ERR_OK)
                return say(reply, e, 554, 6, 0, S("This message cannot be signed"));
        note_done(w, &set);
        return keep_front(w->session, written, front, reply);
}

static enum err judge_and_sign(struct signer_work *w, struct str *front, struct smtp_reply *reply)
{
        enum err e = index_header(w, reply);
        if (e != ERR_OK)
                return e;
        w->keeper = choose_keeper(w->session, mail_header_first(&w->header, S("From")));
        if (!w->keeper) {
                w->session->why = SIGNER_NOT_OURS;
                return say(reply, ERR_DENIED, 550, 7, 1,
                        S("Neither the author's domain nor a ticket is of ours"));
        }
        body_hash_init(&w->dkim.body); /* so that it can be dropped at any point */
        e = sign(w, front, reply);
        dkim_verify_drop(&w->dkim);
        return e;
}

enum err signer_sign(struct signer_session *s, struct str *front, struct smtp_reply *reply)
{
        struct signer_work *w = s->signer->spare;
        *front = S("");
        s->why = SIGNER_OTHER;
        if (!w)
                w = malloc(sizeof *w);
        if (!w)
                return say(reply, ERR_MEMORY, 452, 3, 1, S("No room for this message now, try again later"));
        s->signer->spare = NULL;
        w->session = s;
        enum err e = judge_and_sign(w, front, reply);
        free(s->signer->spare);
        s->signer->spare = w;
        return e;
}

void signer_log_signed(const struct signer_session *s, enum err e, const struct smtp_reply *reply)
{
        struct log_line l;
        bool is_taken = e == ERR_OK && smtp_reply_is_positive(reply);
        log_begin(&l, s->signer->config.host, is_taken ? LOG_INFO : LOG_WARN, "signer",
                is_taken ? "signed" : "signed-not-taken");
        log_str(&l, "domain", zone_keeper_domain(s->done.keeper));
        log_str(&l, "selector", str_of(s->done.selector, s->done.selector_n));
        log_str(&l, "dkim", s->done.dkim);
        log_str(&l, "arc", s->done.arc);
        if (s->done.instance > 0)
                log_u64(&l, "set", s->done.instance);
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
