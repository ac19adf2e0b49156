/* SPDX-License-Identifier: ISC */
#include "auth/evaluate.h"

#include "base/check.h"

void evaluate_init(struct evaluate *e, const struct spf_input *in, const struct mail_header *header,
        struct dns_known *known)
{
        e->spf = *in;
        e->known = known;
        e->is_asked = e->is_spf_done = e->is_signed_done = false;
        e->out = (struct evaluation){0};
        dkim_verify_init(&e->dkim, header, in->now_s);
        arc_verify_init(&e->arc, header, in->now_s, &e->dkim.body);
        dmarc_author_find(header, &e->out.author);
}

void evaluate_body(struct evaluate *e, struct str bytes)
{
        dkim_verify_body(&e->dkim, bytes);
}

void evaluate_body_end(struct evaluate *e)
{
        dkim_verify_body_end(&e->dkim);
}

void evaluate_drop(struct evaluate *e)
{
        dkim_verify_drop(&e->dkim);
}

/* A question of DKIM or ARC in `name`; ERR_NOT_FOUND when no key is needed. */
static enum err dkim_question(const struct evaluate *e, size_t i, char name[DNS_NAME_MAX], struct str *out)
{
        struct wr w;
        wr_init(&w, name, DNS_NAME_MAX);
        enum err err = dkim_verify_question(&e->dkim, i, &w);
        *out = wr_text(&w);
        return err;
}

static void arc_question(const struct evaluate *e, size_t i, char name[DNS_NAME_MAX], struct str *out)
{
        struct wr w;
        wr_init(&w, name, DNS_NAME_MAX);
        CHECK(arc_verify_question(&e->arc, i, &w) == ERR_OK);
        *out = wr_text(&w);
}

/* What the author's domain publishes is wanted whatever the signatures turn out to be. */
static enum err ask_dmarc(struct evaluate *e)
{
        struct dmarc_input in = {.author = &e->out.author};
        struct dmarc_verdict ignored;
        return dmarc_check(&in, e->known, &ignored);
}

enum err evaluate_ask(struct evaluate *e)
{
        char room[DNS_NAME_MAX];
        struct str name;
        if (e->is_asked)
                return ERR_OK;
        for (size_t i = 0; i < e->dkim.count; i++)
                if (dkim_question(e, i, room, &name) == ERR_OK)
                        dkim_keys_ask(e->known, name);
        for (size_t i = 0; i < e->arc.count; i++) {
                arc_question(e, i, room, &name);
                dkim_keys_ask(e->known, name);
        }
        enum err dmarc = ask_dmarc(e);
        if (!e->is_spf_done)
                e->is_spf_done = spf_check(&e->spf, e->known, &e->out.spf) == ERR_OK;
        e->is_asked = dmarc == ERR_OK && e->is_spf_done && e->known->wanted == 0;
        return e->is_asked ? ERR_OK : ERR_AGAIN;
}

static void check_dkim(struct evaluate *e, struct dkim_keys *keys)
{
        char room[DNS_NAME_MAX];
        struct str name;
        e->out.dkim_count = e->dkim.count;
        for (size_t i = 0; i < e->dkim.count; i++) {
                const struct dkim_key *key = NULL;
                if (dkim_question(e, i, room, &name) == ERR_OK) {
                        key = dkim_keys_find(keys, e->known, name);
                        CHECK(key);
                }
                e->out.dkim[i] = dkim_verify_verdict(&e->dkim, i, key);
        }
}

/* The first fault ends it: an attacker's fifty sets cost no more than they must. */
static void check_arc(struct evaluate *e, struct dkim_keys *keys)
{
        bool good = true;
        for (size_t i = 0; good && i < e->arc.count; i++) {
                char room[DNS_NAME_MAX];
                struct str name;
                arc_question(e, i, room, &name);
                const struct dkim_key *key = dkim_keys_find(keys, e->known, name);
                CHECK(key);
                good = arc_verify_check(&e->arc, i, key);
        }
        e->out.arc = e->arc.chain.verdict;
}

/* A key in testing gives its domain no credit (RFC 6376 3.6.1). */
static struct dmarc_identifier dkim_identifier(const struct evaluate *e, size_t i)
{
        const struct dkim_verdict *v = &e->out.dkim[i];
        struct dmarc_identifier id = {
                .by = DMARC_BY_DKIM, .state = DMARC_ID_OTHER, .domain = e->dkim.list[i].signature.domain};
        if (v->result == DKIM_PASS && !v->testing)
                id.state = DMARC_ID_PASSED;
        else if (v->result == DKIM_TEMPERROR)
                id.state = DMARC_ID_TROUBLE;
        return id;
}

static struct dmarc_identifier spf_identifier(const struct evaluate *e)
{
        const struct spf_verdict *v = &e->out.spf;
        struct dmarc_identifier id = {.by = DMARC_BY_SPF, .state = DMARC_ID_OTHER, .domain = v->domain};
        if (v->result == SPF_PASS)
                id.state = DMARC_ID_PASSED;
        else if (v->result == SPF_TEMPERROR)
                id.state = DMARC_ID_TROUBLE;
        return id;
}

enum err evaluate_finish(struct evaluate *e, struct dkim_keys *keys)
{
        struct dmarc_identifier *identifiers = e->out.identifiers;
        if (!e->is_signed_done && evaluate_ask(e) != ERR_OK)
                return ERR_AGAIN;
        if (!e->is_signed_done) {
                check_dkim(e, keys);
                check_arc(e, keys);
                e->is_signed_done = true;
        }
        identifiers[0] = spf_identifier(e);
        for (size_t i = 0; i < e->out.dkim_count; i++)
                identifiers[1 + i] = dkim_identifier(e, i);
        struct dmarc_input in = {.author = &e->out.author,
                .identifiers = identifiers,
                .identifier_count = 1 + e->out.dkim_count};
        return dmarc_check(&in, e->known, &e->out.dmarc);
}
