/* SPDX-License-Identifier: ISC */
#include "auth/arc_chain.h"

#include "base/ascii.h"
#include "base/check.h"
#include "mail/lex.h"

struct str arc_field_name(enum arc_field f)
{
        switch (f) {
        case ARC_FIELD_RESULTS:
                return S("ARC-Authentication-Results");
        case ARC_FIELD_SIGNATURE:
                return S("ARC-Message-Signature");
        case ARC_FIELD_SEAL:
                return S("ARC-Seal");
        case ARC_FIELDS:
                break;
        }
        CHECK(false);
}

/* arc-info = instance [CFWS] ";" authres-payload
 * instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position */
size_t arc_results_instance(struct str body, struct str *payload)
{
        size_t digits = 0;
        *payload = S("");
        body = str_skip(body, mail_cfws_size(body, NULL));
        if (!str_has_prefix(body, S("i")))
                return 0;
        body = str_skip(body, 1);
        body = str_skip(body, mail_cfws_size(body, NULL));
        if (!str_has_prefix(body, S("=")))
                return 0;
        body = str_skip(body, 1);
        body = str_skip(body, mail_cfws_size(body, NULL));
        while (digits < body.n && ascii_is_digit(body.p[digits]))
                digits++;
        struct str position = str_take(body, digits);
        body = str_skip(body, digits);
        body = str_skip(body, mail_cfws_size(body, NULL));
        if (!str_has_prefix(body, S(";")))
                return 0;
        *payload = str_skip(body, 1);
        return arc_instance_parse(position);
}

/* The first fault that is told of stays. */
static void fail(struct arc_chain *c, enum arc_fault fault, size_t instance, struct str detail)
{
        if (c->verdict.cv == ARC_FAIL)
                return;
        c->verdict.cv = ARC_FAIL;
        c->verdict.fault = fault;
        c->verdict.instance = instance;
        c->verdict.detail = detail;
}

/* What one field says of itself. */
struct reading {
        const struct mail_field *field;
        enum arc_field kind;
        size_t instance;
        enum dkim_fault fault;
        struct str detail;
        struct dkim_signature signature;
};

static bool read_field(const struct mail_field *field, struct reading *out)
{
        struct str payload;
        out->field = field;
        for (int i = 0; i < ARC_FIELDS; i++) {
                out->kind = (enum arc_field)i;
                if (!str_eq_nocase(field->name, arc_field_name(out->kind)))
                        continue;
                if (out->kind == ARC_FIELD_RESULTS) {
                        out->instance = arc_results_instance(field->body, &payload);
                        return true;
                }
                out->fault =
                        dkim_signature_parse(out->kind == ARC_FIELD_SEAL ? DKIM_ARC_SEAL : DKIM_ARC_MESSAGE,
                                field->raw, &out->signature, &out->detail);
                out->instance = out->signature.instance;
                return true;
        }
        return false;
}

/* Faults of places and numbers are told at once; a seal's own fault waits for the structure. */
static void place(struct arc_chain *c, const struct reading *r)
{
        struct str name = arc_field_name(r->kind);
        if (r->instance == 0 || r->instance > ARC_SETS_MAX) {
                c->is_over = c->is_over || r->instance > 0;
                fail(c, ARC_INSTANCE, 0, name);
                return;
        }
        struct arc_set *set = &c->sets[r->instance - 1];
        while (c->count < r->instance)
                c->sets[c->count++] = (struct arc_set){0};
        if (set->fields[r->kind]) {
                set->twice = name;
                return;
        }
        set->fields[r->kind] = r->field;
        if (r->kind != ARC_FIELD_SEAL)
                return;
        set->seal = r->signature;
        set->seal_fault = r->fault;
        set->seal_detail = r->detail;
}

static void check_set(struct arc_chain *c, size_t instance)
{
        const struct arc_set *set = &c->sets[instance - 1];
        if (set->twice.n > 0)
                fail(c, ARC_TWICE, instance, set->twice);
        for (int i = 0; i < ARC_FIELDS; i++)
                if (!set->fields[i])
                        fail(c, ARC_INCOMPLETE, instance, arc_field_name((enum arc_field)i));
}

/* A seal that cannot be right whatever its key is: malformed, or with a status that its place forbids (5.2 step 3 C). */
static void check_seal(struct arc_chain *c, size_t instance)
{
        const struct arc_set *set = &c->sets[instance - 1];
        enum arc_cv cv, wanted = instance == 1 ? ARC_NONE : ARC_PASS;
        if (set->seal_fault != DKIM_OK && c->verdict.cv != ARC_FAIL) {
                fail(c, ARC_SEAL, instance, set->seal_detail);
                c->verdict.dkim = set->seal_fault;
                c->verdict.domain = set->seal.domain;
                c->verdict.selector = set->seal.selector;
        }
        if (!arc_cv_parse(set->seal.cv, &cv) || cv != wanted)
                fail(c, ARC_STATUS, instance, S(""));
}

void arc_chain_read(const struct mail_header *header, struct arc_chain *out)
{
        enum arc_cv newest;
        bool any = false;
        out->count = 0;
        out->is_ended = out->is_over = false;
        out->verdict = (struct arc_verdict){0};
        for (size_t i = 0; i < header->n; i++) {
                struct reading r = {0};
                if (!read_field(&header->fields[i], &r))
                        continue;
                any = true;
                place(out, &r);
        }
        out->verdict.count = out->count;
        if (out->count > 0) {
                const struct arc_set *last = &out->sets[out->count - 1];
                out->verdict.domain = last->seal.domain;
                out->verdict.selector = last->seal.selector;
                out->is_ended = arc_cv_parse(last->seal.cv, &newest) && newest == ARC_FAIL;
                if (out->is_ended)
                        fail(out, ARC_ENDED, out->count, S(""));
        }
        for (size_t i = 1; i <= out->count; i++)
                check_set(out, i);
        for (size_t i = out->count; i > 0; i--)
                check_seal(out, i);
        if (any && out->verdict.cv != ARC_FAIL)
                out->verdict.cv = ARC_PASS;
}

enum err arc_chain_digests(const struct arc_chain *c, uint8_t out[ARC_SETS_MAX][SHA256_SIZE])
{
        struct dkim_hash all;
        enum err e = ERR_OK;
        CHECK(c->verdict.cv == ARC_PASS);
        dkim_hash_init(&all);
        for (size_t i = 0; i < c->count; i++) {
                const struct arc_set *set = &c->sets[i];
                dkim_hash_field(&all, set->fields[ARC_FIELD_RESULTS]->raw);
                dkim_hash_field(&all, set->fields[ARC_FIELD_SIGNATURE]->raw);
                if (dkim_hash_sealed(&all, set->seal.raw, set->seal.b_span, out[i]) != ERR_OK)
                        e = ERR_CRYPTO;
                dkim_hash_field(&all, set->fields[ARC_FIELD_SEAL]->raw);
        }
        dkim_hash_drop(&all);
        return e;
}
