/* SPDX-License-Identifier: ISC */
#include "auth/arc_verify.h"

#include "auth/dkim_check.h"
#include "base/check.h"

static void fail(struct arc_verify *v, enum arc_fault fault, size_t instance, const struct dkim_signature *s,
        enum dkim_fault dkim, struct str detail)
{
        v->chain.verdict = (struct arc_verdict){.cv = ARC_FAIL,
                .fault = fault,
                .dkim = dkim,
                .is_temporary = dkim_fault_result(dkim) == DKIM_TEMPERROR,
                .count = v->chain.count,
                .instance = instance,
                .detail = detail,
                .domain = s->domain,
                .selector = s->selector};
}

void arc_verify_init(
        struct arc_verify *v, const struct mail_header *header, int64_t now_s, struct body_hash *body)
{
        struct str detail;
        v->header = header;
        v->body = body;
        v->now_s = now_s;
        v->count = 0;
        arc_chain_read(header, &v->chain);
        if (v->chain.verdict.cv != ARC_PASS)
                return;
        const struct mail_field *newest = v->chain.sets[v->chain.count - 1].fields[ARC_FIELD_SIGNATURE];
        enum dkim_fault fault = dkim_signature_parse(DKIM_ARC_MESSAGE, newest->raw, &v->message, &detail);
        if (fault != DKIM_OK) {
                fail(v, ARC_MESSAGE_SIGNATURE, v->chain.count, &v->message, fault, detail);
                return;
        }
        v->slot = body_hash_want(body, v->message.body_canon, v->message.body_limit);
        v->count = v->chain.count + 1;
        v->digests_err = arc_chain_digests(&v->chain, v->digests);
}

size_t arc_verify_instance(const struct arc_verify *v, size_t i)
{
        CHECK(i < v->count);
        return i == 0 ? v->chain.count : v->count - i;
}

static const struct dkim_signature *signature(const struct arc_verify *v, size_t i)
{
        return i == 0 ? &v->message : &v->chain.sets[arc_verify_instance(v, i) - 1].seal;
}

enum err arc_verify_question(const struct arc_verify *v, size_t i, struct wr *w)
{
        CHECK(i < v->count);
        return dkim_key_name(signature(v, i)->selector, signature(v, i)->domain, w);
}

static enum dkim_fault check_message(const struct arc_verify *v, const struct dkim_key *key)
{
        const struct dkim_signature *s = &v->message;
        uint8_t digest[SHA256_SIZE];
        enum dkim_fault fault = dkim_check_body(s, v->body, v->slot);
        if (fault == DKIM_OK && dkim_header_digest(v->header, s->covered, s->header_canon, s->raw, s->b_span,
                                        digest) != ERR_OK)
                fault = DKIM_LIBRARY;
        if (fault == DKIM_OK)
                fault = dkim_check_digest(s, digest, key->key);
        return fault == DKIM_OK ? dkim_check_limits(s, v->body, v->slot, v->now_s) : fault;
}

static enum dkim_fault check_seal(const struct arc_verify *v, size_t instance, const struct dkim_key *key)
{
        if (v->digests_err != ERR_OK)
                return DKIM_LIBRARY;
        return dkim_check_digest(&v->chain.sets[instance - 1].seal, v->digests[instance - 1], key->key);
}

bool arc_verify_check(struct arc_verify *v, size_t i, const struct dkim_key *key)
{
        size_t instance = arc_verify_instance(v, i);
        const struct dkim_signature *s = signature(v, i);
        enum dkim_fault fault = dkim_check_key(s, key);
        if (fault == DKIM_OK)
                fault = i == 0 ? check_message(v, key) : check_seal(v, instance, key);
        v->faults[i] = fault;
        if (fault != DKIM_OK && v->chain.verdict.cv == ARC_PASS)
                fail(v, i == 0 ? ARC_MESSAGE_SIGNATURE : ARC_SEAL, instance, s, fault, S(""));
        return fault == DKIM_OK;
}
