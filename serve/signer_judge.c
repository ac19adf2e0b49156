/* SPDX-License-Identifier: ISC */
/* What a message has already: signatures of ours (they are not made twice), and a chain of ARC sets, whose status at
 * arrival its receiver has written down, or which is validated as it stands. */
#include "serve/resolver.h"
#include "serve/signer_work.h"

/* By a key of ours that is in the zone now, for long enough. A resolver may remember a key that was revoked since. */
static bool is_ours(const struct signer_work *w, const struct dkim_signature *s)
{
        return str_eq_nocase(s->domain, zone_keeper_domain(w->keeper)) &&
               zone_keeper_vouches(w->keeper, s->selector, s->has_expiry ? s->expiry_s : INT64_MAX);
}

static bool names_our_key(const struct signer_work *w, const struct mail_field *field)
{
        struct dkim_signature s;
        struct str detail;
        return str_eq_nocase(field->name, S("DKIM-Signature")) &&
               dkim_signature_parse(DKIM_FIELD, field->raw, &s, &detail) == DKIM_OK && is_ours(w, &s);
}

/* Signatures are only looked into when one names a key of ours. */
static void begin_dkim(struct signer_work *w, int64_t now_s)
{
        static const struct mail_header nothing;
        bool has_any = false;
        for (size_t i = 0; i < w->header.n && !has_any; i++)
                has_any = names_our_key(w, &w->header.fields[i]);
        dkim_verify_init(&w->dkim, has_any ? &w->header : &nothing, now_s);
        for (size_t i = 0; i < w->dkim.count; i++)
                w->may_be_own[i] =
                        w->dkim.list[i].early.fault == DKIM_OK && is_ours(w, &w->dkim.list[i].signature);
        w->slot = body_hash_want(&w->dkim.body, CANON_RELAXED, BODY_HASH_ALL);
}

/* The newest set is one that we have made of these very results. */
static bool is_own_set(const struct signer_work *w)
{
        struct str payload;
        const struct arc_chain *c = &w->arc.chain;
        if (c->verdict.cv != ARC_PASS || c->count == 0)
                return false;
        const struct arc_set *newest = &c->sets[c->count - 1];
        (void)arc_results_instance(newest->fields[ARC_FIELD_RESULTS]->body, &payload);
        return is_ours(w, &newest->seal) && str_eq(str_trim(payload), str_trim(w->results.payload));
}

/* Without a result of arc= that we can believe in, or when it may be our own set, the chain is validated as it stands. */
static void begin_arc(struct signer_work *w, int64_t now_s)
{
        struct wr room;
        wr_init(&room, w->gathered, sizeof w->gathered);
        w->has_results = arc_results_gather(&w->header, w->session->signer->config.authserv_id, &room,
                                 &w->results) == ERR_OK;
        arc_chain_read(&w->header, &w->arc.chain);
        w->may_be_own_set = w->has_results && is_own_set(w);
        w->is_chain_checked = w->has_results && (!w->results.has_cv || w->may_be_own_set);
        if (!w->is_chain_checked)
                return;
        arc_verify_init(&w->arc, &w->header, now_s, &w->dkim.body);
}

/* A large body does not keep the other sessions waiting. */
static void hash_body(struct signer_work *w)
{
        struct signer_session *s = w->session;
        struct str rest = str_skip(str_of(s->message, s->n), w->header.body_at);
        for (;;) {
                dkim_verify_body(&w->dkim, str_take(rest, SIGNER_HASH_PIECE));
                rest = str_skip(rest, SIGNER_HASH_PIECE);
                if (rest.n == 0)
                        break;
                fiber_yield(s->signer->config.host->sched);
        }
        dkim_verify_body_end(&w->dkim);
}

static struct str dkim_name(const struct signer_work *w, size_t i, char room[DNS_NAME_MAX])
{
        struct wr name;
        wr_init(&name, room, DNS_NAME_MAX);
        return dkim_verify_question(&w->dkim, i, &name) == ERR_OK ? wr_text(&name) : S("");
}

static struct str arc_name(const struct signer_work *w, size_t i, char room[DNS_NAME_MAX])
{
        struct wr name;
        wr_init(&name, room, DNS_NAME_MAX);
        return arc_verify_question(&w->arc, i, &name) == ERR_OK ? wr_text(&name) : S("");
}

static void want_keys(struct signer_work *w)
{
        char room[DNS_NAME_MAX];
        for (size_t i = 0; i < w->dkim.count; i++)
                if (w->may_be_own[i])
                        dkim_keys_ask(&w->known, dkim_name(w, i, room));
        for (size_t i = 0; w->is_chain_checked && i < w->arc.count; i++)
                dkim_keys_ask(&w->known, arc_name(w, i, room));
}

/* All at once; what is not told in time is trouble.
 *   ERR_OK, ERR_CANCELLED */
static enum err ask_keys(struct signer_work *w)
{
        const struct signer_config *config = &w->session->signer->config;
        return resolver_answer(config->resolver, &w->known, host_now_ms(config->host) + SIGNER_DNS_MS);
}

static bool has_own_signature(struct signer_work *w)
{
        char room[DNS_NAME_MAX];
        struct dkim_keys *keys = &w->session->signer->keys;
        for (size_t i = 0; i < w->dkim.count; i++) {
                if (!w->may_be_own[i])
                        continue;
                const struct dkim_key *key = dkim_keys_find(keys, &w->known, dkim_name(w, i, room));
                if (key && dkim_verify_verdict(&w->dkim, i, key).result == DKIM_PASS)
                        return true;
        }
        return false;
}

static void check_chain(struct signer_work *w)
{
        char room[DNS_NAME_MAX];
        bool good = true;
        for (size_t i = 0; good && i < w->arc.count; i++) {
                const struct dkim_key *key =
                        dkim_keys_find(&w->session->signer->keys, &w->known, arc_name(w, i, room));
                good = key && arc_verify_check(&w->arc, i, key);
        }
}

/* Is there nothing to wait for? A name server that answers and does not tell will not tell later either. */
static bool is_hopeless(const struct dns_known *known)
{
        for (const struct dns_fact *f = known->first; f; f = f->next)
                if (f->err == ERR_DENIED || f->err == ERR_LIMIT || f->err == ERR_SYNTAX ||
                        f->err == ERR_MEMORY)
                        return true;
        return false;
}

/*   ERR_OK, ERR_TIMEOUT */
static enum err settle_arc(struct signer_work *w)
{
        const struct arc_chain *chain = &w->arc.chain;
        w->what = SIGNER_ARC_NONE;
        if (!w->has_results)
                return ERR_OK;
        if (w->is_chain_checked)
                check_chain(w);
        w->what = SIGNER_ARC_SEAL;
        w->arc_cv = w->results.has_cv ? w->results.cv : chain->verdict.cv;
        if (chain->is_ended || chain->is_over || chain->count == ARC_SETS_MAX)
                w->what = SIGNER_ARC_ENDED;
        else if (w->may_be_own_set && chain->verdict.cv == ARC_PASS)
                w->what = SIGNER_ARC_DONE;
        else if (!w->results.has_cv && chain->verdict.is_temporary)
                w->what = SIGNER_ARC_UNKNOWN;
        if (w->results.has_cv) /* what the signatures are like by now says nothing of the arrival */
                arc_chain_read(&w->header, &w->arc.chain);
        return w->what == SIGNER_ARC_UNKNOWN && !is_hopeless(&w->known) ? ERR_TIMEOUT : ERR_OK;
}

enum err signer_judge(struct signer_work *w)
{
        int64_t now_s = host_wall_ms(w->session->signer->config.host) / 1000;
        arena_init(&w->arena, w->answers, sizeof w->answers);
        dns_known_init(&w->known, &w->arena, SIGNER_QUESTIONS_MAX);
        begin_dkim(w, now_s);
        begin_arc(w, now_s);
        want_keys(w);
        hash_body(w);
        enum err e = ask_keys(w);
        if (e != ERR_OK)
                return e;
        w->has_own = has_own_signature(w);
        return settle_arc(w);
}
