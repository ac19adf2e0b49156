/* SPDX-License-Identifier: ISC */
#include "auth/proof.h"

/* Signatures are looked at only if they can count: the others need no RSA operation. */
static bool counted_at_arrival(const struct evaluate *e, size_t i)
{
        return e->out.identifiers[1 + i].state == DMARC_ID_PASSED;
}

static bool passes(struct dkim_verify *v, size_t i, const struct evaluate *e, struct dkim_keys *keys)
{
        char room[DNS_NAME_MAX];
        struct wr name;
        wr_init(&name, room, sizeof room);
        if (!counted_at_arrival(e, i) || dkim_verify_question(v, i, &name) != ERR_OK)
                return false;
        dkim_verify_judged(v, i, &e->dkim);
        const struct dkim_key *key = dkim_keys_find(keys, e->known, wr_text(&name));
        return key && dkim_verify_verdict(v, i, key).result == DKIM_PASS;
}

static bool is_authors(const struct evaluate *e, struct str domain)
{
        struct dns_name name;
        return dmarc_name_of(domain, &name) && dns_name_eq(&name, &e->out.author.domain);
}

static bool is_aligned(const struct evaluate *e, const struct dmarc_identifier *ids, size_t count)
{
        struct dmarc_input in = {.author = &e->out.author, .identifiers = ids, .identifier_count = count};
        struct dmarc_verdict verdict;
        for (size_t i = 0; i < count; i++)
                if (is_authors(e, ids[i].domain))
                        return true;
        return dmarc_check(&in, e->known, &verdict) == ERR_OK && verdict.result == DMARC_PASS;
}

bool proof_holds(struct dkim_verify *room, const struct evaluate *e, struct dkim_keys *keys,
        const struct mail_header *header, int64_t until_s)
{
        struct dmarc_identifier ids[DKIM_SIGNATURES_MAX];
        size_t count = 0;
        if (e->out.author.fault != DMARC_OK)
                return false;
        dkim_verify_init(room, header, until_s);
        if (room->count == e->dkim.count && body_hash_lend(&room->body, &e->dkim.body) == ERR_OK)
                for (size_t i = 0; i < room->count; i++)
                        if (passes(room, i, e, keys))
                                ids[count++] = e->out.identifiers[1 + i];
        dkim_verify_drop(room);
        return count > 0 && is_aligned(e, ids, count);
}
