/* SPDX-License-Identifier: ISC */
#include "auth/dkim_signature.h"

#include <string.h>

#include "auth/arc.h"
#include "auth/body_hash.h"
#include "auth/dkim_name.h"
#include "auth/tags.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/limits.h"
#include "crypto/key.h"

/* What one step of the reading has in its hands. */
struct reading {
        enum dkim_kind kind;
        struct tags tags;
        struct dkim_signature *out;
        struct str *detail;
};

static enum dkim_fault fault_at(struct reading *r, enum dkim_fault fault, struct str name)
{
        *r->detail = name;
        return fault;
}

static struct str value(const struct reading *r, struct str name)
{
        const struct tag *tag = tags_find(&r->tags, name);
        return tag ? tag->value : S("");
}

static enum dkim_fault read_list(struct reading *r, struct str text)
{
        switch (tags_parse(text, &r->tags)) {
        case ERR_OK:
                return DKIM_OK;
        case ERR_EXISTS:
                return DKIM_TAG_TWICE;
        case ERR_LIMIT:
                return DKIM_TAGS_MANY;
        default:
                return DKIM_TAG_LIST;
        }
}

/* v= first, since another version has other tags */
static enum dkim_fault check_required(struct reading *r)
{
        static const struct {
                const char *name;
                bool of[3]; /* enum dkim_kind */
        } required[] = {{"v", {true, false, false}}, {"a", {true, true, true}}, {"b", {true, true, true}},
                {"bh", {true, true, false}}, {"d", {true, true, true}}, {"h", {true, true, false}},
                {"s", {true, true, true}}, {"cv", {false, false, true}}};
        for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
                struct str name = str_of_c(required[i].name);
                if (required[i].of[r->kind] && !tags_find(&r->tags, name))
                        return fault_at(r, DKIM_TAG_MISSING, name);
                if (i == 0 && r->kind == DKIM_FIELD && !str_eq(value(r, name), S("1")))
                        return DKIM_VERSION;
        }
        return DKIM_OK;
}

/* i= and cv= of ARC (RFC 8617 4.2.1, 4.1.3) come before all, since the chain's structure hangs on them. */
static enum dkim_fault read_instance(struct reading *r)
{
        r->out->instance = arc_instance_parse(value(r, S("i")));
        r->out->cv = value(r, S("cv"));
        return DKIM_OK;
}

/* The names early, so that a report of any later fault can give them. */
static enum dkim_fault read_names(struct reading *r)
{
        struct str domain = value(r, S("d")), selector = value(r, S("s"));
        char room[DNS_NAME_MAX - 2];
        struct wr w;
        wr_init(&w, room, sizeof room);
        bool good_domain = dkim_is_name(domain), good_selector = dkim_is_name(selector);
        if (good_domain)
                r->out->domain = domain;
        if (good_selector)
                r->out->selector = selector;
        enum dkim_fault fault = check_required(r);
        if (fault != DKIM_OK)
                return fault;
        if (!good_domain)
                return fault_at(r, DKIM_TAG_VALUE, S("d"));
        if (!good_selector || dkim_key_name(selector, domain, &w) != ERR_OK)
                return fault_at(r, DKIM_TAG_VALUE, S("s"));
        return DKIM_OK;
}

static bool read_canon_word(struct str word, enum canon *out)
{
        *out = str_eq_nocase(word, S("relaxed")) ? CANON_RELAXED : CANON_SIMPLE;
        return *out == CANON_RELAXED || str_eq_nocase(word, S("simple"));
}

/* sig-c-tag: without c= simple/simple, with one word the body is simple. ARC has no word about it, and those who leave
 * c= out there sign relaxed/relaxed: so the suite of its authors has it, and dkimpy. */
static enum dkim_fault read_canon(struct reading *r)
{
        struct str header, body;
        if (!tags_find(&r->tags, S("c"))) {
                if (r->kind == DKIM_ARC_MESSAGE)
                        r->out->header_canon = r->out->body_canon = CANON_RELAXED;
                return DKIM_OK;
        }
        if (!str_cut(value(r, S("c")), '/', &header, &body))
                body = S("simple");
        if (!read_canon_word(header, &r->out->header_canon) || !read_canon_word(body, &r->out->body_canon))
                return DKIM_CANON;
        return DKIM_OK;
}

static enum dkim_fault read_query(struct reading *r)
{
        const struct tag *q = tags_find(&r->tags, S("q"));
        return !q || tags_has_item(q->value, S("dns/txt")) ? DKIM_OK : DKIM_QUERY;
}

/* dkim-quoted-printable (2.11): white space counts for nothing, and =XX for a byte. */
static bool read_quoted_printable(struct str text, struct wr *w)
{
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                if (ascii_is_wsp(c) || c == '\r' || c == '\n')
                        continue;
                if (c == '=') {
                        if (hex_decode(str_take(str_skip(text, i + 1), 2), w) != ERR_OK || text.n - i < 3)
                                return false;
                        i += 2;
                        continue;
                }
                wr_byte(w, c);
        }
        return !w->full;
}

/* i= [ Local-part ] "@" domain-name: the domain is d= or below it */
static enum dkim_fault read_identity(struct reading *r)
{
        const struct tag *tag = tags_find(&r->tags, S("i"));
        char buffer[SMTP_LOCAL_PART_MAX + 1 + SMTP_DOMAIN_MAX];
        struct wr w;
        if (!tag)
                return DKIM_OK;
        wr_init(&w, buffer, sizeof buffer);
        if (!read_quoted_printable(tag->value, &w))
                return fault_at(r, DKIM_TAG_VALUE, S("i"));
        struct str text = wr_text(&w);
        size_t at = str_find_last_byte(text, '@');
        if (at == text.n || !dkim_is_name(str_skip(text, at + 1)))
                return fault_at(r, DKIM_TAG_VALUE, S("i"));
        if (!dkim_is_within(str_skip(text, at + 1), r->out->domain))
                return DKIM_IDENTITY;
        r->out->identity = tag->value;
        r->out->identity_below = !dkim_is_within(r->out->domain, str_skip(text, at + 1));
        return DKIM_OK;
}

/* h= of ARC-Message-Signature: items may be empty, as signers write them. */
static enum dkim_fault read_arc_covered(struct reading *r)
{
        struct str covered = value(r, S("h")), rest = covered, name;
        size_t count = 0;
        while (tags_item(&rest, &name))
                if ((name.n > 0 && !dkim_is_field_name(name)) || ++count > DKIM_COVERED_MAX ||
                        str_eq_nocase(name, S("arc-seal")))
                        return fault_at(r, DKIM_TAG_VALUE, S("h"));
        r->out->covered = covered;
        return DKIM_OK;
}

/* RFC 8617 4.1.3: what a seal covers is given, and h= makes the chain fail. */
static enum dkim_fault read_no_covered(struct reading *r)
{
        return tags_find(&r->tags, S("h")) ? fault_at(r, DKIM_TAG_VALUE, S("h")) : DKIM_OK;
}

static enum dkim_fault read_covered(struct reading *r)
{
        struct str covered = value(r, S("h")), rest = covered, name;
        size_t count = 0;
        bool from = false;
        while (tags_item(&rest, &name)) {
                if (!dkim_is_field_name(name) || ++count > DKIM_COVERED_MAX)
                        return fault_at(r, DKIM_TAG_VALUE, S("h"));
                from = from || str_eq_nocase(name, S("from"));
        }
        if (!from)
                return DKIM_FROM_UNSIGNED;
        r->out->covered = covered;
        return DKIM_OK;
}

/* A number of l=, t= or x=: false for a malformed one; `*has` tells whether the tag is there. */
static bool read_number(struct reading *r, struct str name, uint64_t most, bool *has, uint64_t *out)
{
        const struct tag *tag = tags_find(&r->tags, name);
        *has = tag;
        *out = 0;
        if (!tag || str_to_u64(tag->value, most, out) == ERR_OK)
                return true;
        *r->detail = name;
        return false;
}

#define SECONDS_MAX 999999999999 /* sig-t-tag = 1*12DIGIT */

/* RFC 8617 4.1.3: a seal has no l= and no x=. */
static enum dkim_fault read_time(struct reading *r)
{
        uint64_t time;
        bool good = read_number(r, S("t"), SECONDS_MAX, &r->out->has_time, &time);
        r->out->time_s = (int64_t)time;
        return good ? DKIM_OK : DKIM_TAG_VALUE;
}

static enum dkim_fault read_numbers(struct reading *r)
{
        struct dkim_signature *out = r->out;
        uint64_t limit, time, expiry;
        bool has_limit;
        if (!read_number(r, S("l"), INT64_MAX, &has_limit, &limit) ||
                !read_number(r, S("t"), SECONDS_MAX, &out->has_time, &time) ||
                !read_number(r, S("x"), SECONDS_MAX, &out->has_expiry, &expiry))
                return DKIM_TAG_VALUE;
        if (has_limit)
                out->body_limit = limit;
        out->time_s = (int64_t)time;
        out->expiry_s = (int64_t)expiry;
        return out->has_time && out->has_expiry && expiry <= time ? DKIM_TIMES : DKIM_OK;
}

/* a=, and the two values whose form it gives: b= and bh= */
static enum dkim_fault read_algorithm(struct reading *r)
{
        static const struct {
                const char *name;
                enum dkim_algorithm algorithm;
                size_t hash;
        } known[] = {{"rsa-sha256", DKIM_RSA_SHA256, SHA256_SIZE},
                {"ed25519-sha256", DKIM_ED25519_SHA256, SHA256_SIZE}, {"rsa-sha1", DKIM_RSA_SHA1, 20}};
        char signature[RSA_SIGNATURE_MAX];
        struct wr hash, b;
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] &&
                !str_eq_nocase(value(r, S("a")), str_of_c(known[i].name)))
                i++;
        if (i == sizeof known / sizeof known[0])
                return DKIM_ALGORITHM;
        r->out->algorithm = known[i].algorithm;
        wr_init(&hash, r->out->body_hash, sizeof r->out->body_hash);
        if (r->kind != DKIM_ARC_SEAL &&
                (base64_decode(value(r, S("bh")), &hash) != ERR_OK || hash.n != known[i].hash))
                return fault_at(r, DKIM_TAG_VALUE, S("bh"));
        wr_init(&b, signature, sizeof signature);
        if (base64_decode(value(r, S("b")), &b) != ERR_OK || b.n == 0)
                return fault_at(r, DKIM_TAG_VALUE, S("b"));
        r->out->b = value(r, S("b"));
        r->out->b_span = tags_find(&r->tags, S("b"))->span;
        return known[i].algorithm == DKIM_RSA_SHA1 ? DKIM_SHA1 : DKIM_OK;
}

#define STEPS_MAX 8

enum dkim_fault dkim_signature_parse(
        enum dkim_kind kind, struct str raw, struct dkim_signature *out, struct str *detail)
{
        static enum dkim_fault (*const steps[][STEPS_MAX])(struct reading *) = {
                [DKIM_FIELD] = {read_names, read_canon, read_query, read_identity, read_covered, read_numbers,
                        read_algorithm},
                [DKIM_ARC_MESSAGE] = {read_instance, read_names, read_canon, read_query, read_arc_covered,
                        read_numbers, read_algorithm},
                [DKIM_ARC_SEAL] = {read_instance, read_names, read_no_covered, read_time, read_algorithm},
        };
        struct reading r = {.kind = kind, .out = out, .detail = detail};
        struct str name, body;
        *out = (struct dkim_signature){.raw = raw, .body_limit = BODY_HASH_ALL};
        *detail = S("");
        str_cut(raw, ':', &name, &body);
        if (str_has_suffix_nocase(body, S("\r\n")))
                body.n -= 2;
        enum dkim_fault fault = read_list(&r, body);
        for (size_t i = 0; fault == DKIM_OK && i < STEPS_MAX && steps[kind][i]; i++)
                fault = steps[kind][i](&r);
        return fault;
}

enum err dkim_key_name(struct str selector, struct str domain, struct wr *w)
{
        dkim_name_write(w, selector);
        wr_str(w, S("._domainkey."));
        dkim_name_write(w, domain);
        return wr_end(w);
}
