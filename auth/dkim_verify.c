/* SPDX-License-Identifier: ISC */
#include "auth/dkim_verify.h"

#include <string.h>

#include "auth/dkim_check.h"
#include "auth/tags.h"
#include "base/check.h"

static struct dkim_verdict verdict(enum dkim_fault fault, struct str detail)
{
        return (struct dkim_verdict){.result = dkim_fault_result(fault), .fault = fault, .detail = detail};
}

void dkim_verify_init(struct dkim_verify *v, const struct mail_header *header, int64_t now_s)
{
        v->header = header;
        v->now_s = now_s;
        v->count = 0;
        v->ignored = 0;
        body_hash_init(&v->body);
        for (size_t i = 0; i < header->n; i++) {
                struct str detail;
                if (!str_eq_nocase(header->fields[i].name, S("DKIM-Signature")))
                        continue;
                if (v->count == DKIM_SIGNATURES_MAX) {
                        v->ignored++;
                        continue;
                }
                struct dkim_signature *s = &v->list[v->count].signature;
                enum dkim_fault fault = dkim_signature_parse(DKIM_FIELD, header->fields[i].raw, s, &detail);
                v->list[v->count].early = verdict(fault, detail);
                v->list[v->count].fits = false;
                v->list[v->count].is_judged = false;
                if (fault == DKIM_OK)
                        v->list[v->count].slot = body_hash_want(&v->body, s->body_canon, s->body_limit);
                v->count++;
        }
}

void dkim_verify_body(struct dkim_verify *v, struct str bytes)
{
        body_hash_write(&v->body, bytes);
}

void dkim_verify_body_end(struct dkim_verify *v)
{
        body_hash_end(&v->body);
}

enum err dkim_verify_question(const struct dkim_verify *v, size_t i, struct wr *w)
{
        CHECK(i < v->count);
        if (v->list[i].early.fault != DKIM_OK)
                return ERR_NOT_FOUND;
        return dkim_key_name(v->list[i].signature.selector, v->list[i].signature.domain, w);
}

static enum dkim_fault check_header(struct dkim_verify *v, size_t i, const struct crypto_key *key)
{
        const struct dkim_signature *s = &v->list[i].signature;
        uint8_t digest[SHA256_SIZE];
        if (dkim_header_digest(v->header, s->covered, s->header_canon, s->raw, s->b_span, digest) != ERR_OK)
                return DKIM_LIBRARY;
        if (v->list[i].is_judged)
                return memcmp(v->list[i].digest, digest, SHA256_SIZE) == 0 ? DKIM_OK : DKIM_SIGNATURE;
        enum dkim_fault fault = dkim_check_digest(s, digest, key);
        v->list[i].fits = fault == DKIM_OK;
        memcpy(v->list[i].digest, digest, SHA256_SIZE);
        return fault;
}

void dkim_verify_judged(struct dkim_verify *v, size_t i, const struct dkim_verify *before)
{
        CHECK(i < v->count && i < before->count);
        v->list[i].is_judged = before->list[i].fits && v->list[i].early.fault == DKIM_OK &&
                               str_eq(v->list[i].signature.b, before->list[i].signature.b);
        if (v->list[i].is_judged)
                memcpy(v->list[i].digest, before->list[i].digest, SHA256_SIZE);
}

/* For a signature that does not fit: a name that h= has more than once, and the header as often, was oversigned, and
 * somebody added one. Received and the like may stand there so rightly, which is why this only colours a failure. */
static struct str added_field(const struct mail_header *header, struct str covered)
{
        struct str rest = covered, name;
        while (tags_item(&rest, &name)) {
                struct str again = covered, other;
                size_t times = 0;
                while (tags_item(&again, &other))
                        times += str_eq_nocase(name, other);
                if (times > 1 && mail_header_count(header, name) >= times &&
                        !str_eq_nocase(name, S("Received")))
                        return name;
        }
        return S("");
}

struct dkim_verdict dkim_verify_verdict(struct dkim_verify *v, size_t i, const struct dkim_key *key)
{
        CHECK(i < v->count);
        const struct dkim_signature *s = &v->list[i].signature;
        if (v->list[i].early.fault != DKIM_OK)
                return v->list[i].early;
        CHECK(key);
        enum dkim_fault fault = dkim_check_key(s, key);
        struct str detail = S("");
        if (fault == DKIM_OK)
                fault = dkim_check_body(s, &v->body, v->list[i].slot);
        if (fault == DKIM_OK)
                fault = check_header(v, i, key->key);
        if (fault == DKIM_SIGNATURE)
                detail = added_field(v->header, s->covered);
        if (detail.n > 0)
                fault = DKIM_FIELD_ADDED;
        if (fault == DKIM_OK)
                fault = dkim_check_limits(s, &v->body, v->list[i].slot, v->now_s);
        struct dkim_verdict out = verdict(fault, detail);
        out.testing = key->testing;
        return out;
}

void dkim_verify_drop(struct dkim_verify *v)
{
        body_hash_drop(&v->body);
}
