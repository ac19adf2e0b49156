/* SPDX-License-Identifier: ISC */
#include "auth/arc_seal.h"

#include "auth/dkim_name.h"
#include "auth/dkim_write.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/check.h"

/* The new set on its way. */
struct sealing {
        const struct arc_seal_params *params;
        const struct mail_header *header;
        const struct arc_chain *chain;
        struct str body_hash; /* base64 */
        size_t goal;
        size_t instance;
        enum arc_cv cv;
};

/* 5.1.1, and what the chain of this very message allows */
static enum arc_cv status(const struct arc_chain *c, enum arc_cv given)
{
        if (c->verdict.cv == ARC_FAIL)
                return ARC_FAIL;
        if (c->count == 0)
                return ARC_NONE;
        return given == ARC_NONE ? ARC_FAIL : given;
}

static bool is_forbidden(struct str name)
{
        return str_eq_nocase(name, S("Authentication-Results")) ||
               str_eq_nocase(name, arc_field_name(ARC_FIELD_RESULTS)) ||
               str_eq_nocase(name, arc_field_name(ARC_FIELD_SIGNATURE)) ||
               str_eq_nocase(name, arc_field_name(ARC_FIELD_SEAL));
}

/* Text on lines that each continue the field: white space behind every CRLF, and more than that on the line. */
static bool is_field_body(struct str s)
{
        while (s.n > 0) {
                size_t end = str_find(s, S("\r\n"));
                struct str line = str_take(s, end);
                if (str_trim(line).n == 0)
                        return false;
                for (size_t i = 0; i < line.n; i++)
                        if (ascii_is_control(line.p[i]) && line.p[i] != '\t')
                                return false;
                if (end < s.n && (s.n - end < 3 || !ascii_is_wsp(s.p[end + 2])))
                        return false;
                s = str_skip(s, end + 2);
        }
        return true;
}

static enum err check(const struct arc_seal_params *p, const struct arc_chain *c)
{
        enum err e = dkim_write_check(p->domain, p->seal.selector, p->seal.key);
        if (e == ERR_OK)
                e = dkim_write_check(p->domain, p->message.selector, p->message.key);
        if (e != ERR_OK)
                return e;
        for (size_t i = 0; i < p->cover_count; i++)
                if (!dkim_is_field_name(p->cover[i].name) || is_forbidden(p->cover[i].name))
                        return ERR_SYNTAX;
        CHECK(p->line_goal == 0 || (p->line_goal >= MAIL_LINE_GOAL && p->line_goal <= MAIL_LINE_MAX));
        if (p->cover_count == 0 || p->results.n == 0 || !is_field_body(p->results))
                return ERR_SYNTAX;
        if (c->is_ended)
                return ERR_SEQUENCE;
        return c->is_over || c->count == ARC_SETS_MAX ? ERR_LIMIT : ERR_OK;
}

/* A field begins, its tags in alphabetical order: a=, and b= with a signature that may yet be zeros.
 *   the value of b= */
static struct str put_start(
        struct dkim_write *f, enum arc_field field, const struct crypto_key *key, struct str signature)
{
        dkim_write_name(f, arc_field_name(field));
        dkim_write_tag(f, S("a"), dkim_write_algorithm(key));
        dkim_write_open(f, S("b"));
        size_t start = f->w->n;
        dkim_write_base64(f, signature);
        return str_skip(wr_text(f->w), start);
}

static void put_end(struct dkim_write *f, const struct sealing *s, const struct arc_signer *signer)
{
        dkim_write_number(f, S("i"), (int64_t)s->instance);
        dkim_write_tag(f, S("s"), signer->selector);
        dkim_write_number(f, S("t"), s->params->time_s);
}

static void put_seal(const struct sealing *s, struct wr *w, struct str signature, struct str *b)
{
        struct dkim_write f = {w, s->goal, 0, false};
        *b = put_start(&f, ARC_FIELD_SEAL, s->params->seal.key, signature);
        dkim_write_tag(&f, S("cv"), arc_cv_text(s->cv));
        dkim_write_tag(&f, S("d"), s->params->domain);
        put_end(&f, s, &s->params->seal);
        wr_str(w, S("\r\n"));
}

static bool is_among(const struct dkim_cover *cover, size_t count, struct str name)
{
        for (size_t i = 0; i < count; i++)
                if (str_eq_nocase(cover[i].name, name))
                        return true;
        return false;
}

static void put_covered(
        const struct sealing *s, struct dkim_write *f, struct str name, size_t more, size_t *count)
{
        char text[MAIL_LINE_GOAL];
        struct wr low;
        wr_init(&low, text, sizeof text);
        wr_lower(&low, name);
        dkim_write_covered(f, wr_text(&low), mail_header_count(s->header, name) + more, count);
}

/* h= in lower case; each name as often as it occurs, and oversigned ones once more.
 *   how many names there are */
static size_t put_h(const struct sealing *s, struct dkim_write *f, struct str *value)
{
        const struct dkim_cover *cover = s->params->cover;
        size_t count = 0;
        dkim_write_open(f, S("h"));
        size_t start = f->w->n;
        for (size_t i = 0; i < s->params->cover_count; i++)
                if (!is_among(cover, i, cover[i].name))
                        put_covered(s, f, cover[i].name, cover[i].over, &count);
        if (!is_among(cover, s->params->cover_count, S("DKIM-Signature")))
                put_covered(s, f, S("DKIM-Signature"), 0, &count);
        *value = str_skip(wr_text(f->w), start);
        return count;
}

static enum err put_message(
        const struct sealing *s, struct wr *w, struct str signature, struct str *b, struct str *covered)
{
        struct dkim_write f = {w, s->goal, 0, false};
        *b = put_start(&f, ARC_FIELD_SIGNATURE, s->params->message.key, signature);
        dkim_write_tag(&f, S("bh"), s->body_hash);
        dkim_write_tag(&f, S("c"), S("relaxed/relaxed"));
        dkim_write_tag(&f, S("d"), s->params->domain);
        size_t count = put_h(s, &f, covered);
        put_end(&f, s, &s->params->message);
        dkim_write_number(&f, S("x"), s->params->expiry_s);
        wr_str(w, S("\r\n"));
        return count > DKIM_COVERED_MAX ? ERR_LIMIT : wr_end(w);
}

/* A signature in its first form is as many zeros, so that the field is folded as it will be. */
#define SIGNATURE_MAX (DKIM_KEY_BITS_MAX / 8)

/*   ERR_OK, ERR_LIMIT, ERR_SPACE, ERR_CRYPTO; the field is `*field` */
static enum err add_message(const struct sealing *s, struct wr *w, struct str *field)
{
        char signature[SIGNATURE_MAX] = {0};
        const struct crypto_key *key = s->params->message.key;
        uint8_t digest[SHA256_SIZE];
        struct str b, covered;
        struct wr bytes;
        size_t start = w->n;
        wr_init(&bytes, signature, sizeof signature);
        enum err e = put_message(s, w, str_of(signature, dkim_write_size(key)), &b, &covered);
        *field = str_skip(wr_text(w), start);
        if (e == ERR_OK)
                e = dkim_header_digest(s->header, covered, CANON_RELAXED, *field, b, digest);
        if (e == ERR_OK)
                e = dkim_write_sign(key, digest, &bytes);
        if (e != ERR_OK)
                return e;
        w->n = start;
        return put_message(s, w, wr_text(&bytes), &b, &covered);
}

static void put_results(const struct sealing *s, struct wr *w)
{
        wr_str(w, arc_field_name(ARC_FIELD_RESULTS));
        wr_str(w, S(": i="));
        wr_u64(w, s->instance);
        wr_str(w, S("; "));
        wr_str(w, str_trim(s->params->results));
        wr_str(w, S("\r\n"));
}

/* What the new seal covers: the sets before it, unless the chain fails (5.1.2), and the rest of its own. */
static enum err digest_seal(const struct sealing *s, struct str results, struct str message, struct str seal,
        struct str b, uint8_t out[SHA256_SIZE])
{
        struct dkim_hash hash;
        dkim_hash_init(&hash);
        for (size_t i = 0; s->cv != ARC_FAIL && i < s->chain->count; i++)
                for (size_t k = 0; k < ARC_FIELDS; k++)
                        dkim_hash_field(&hash, s->chain->sets[i].fields[k]->raw);
        dkim_hash_field(&hash, results);
        dkim_hash_field(&hash, message);
        enum err e = dkim_hash_sealed(&hash, seal, b, out);
        dkim_hash_drop(&hash);
        return e;
}

static enum err add_set(const struct sealing *s, struct wr *w)
{
        char signature[SIGNATURE_MAX] = {0};
        const struct crypto_key *key = s->params->seal.key;
        uint8_t digest[SHA256_SIZE];
        struct str message, b;
        struct wr bytes, again;
        size_t start = w->n;
        wr_init(&bytes, signature, sizeof signature);
        put_seal(s, w, str_of(signature, dkim_write_size(key)), &b);
        struct str seal = str_skip(wr_text(w), start);
        enum err e = add_message(s, w, &message);
        size_t results = w->n;
        put_results(s, w);
        if (e == ERR_OK)
                e = wr_end(w);
        if (e == ERR_OK)
                e = digest_seal(s, str_skip(wr_text(w), results), message, seal, b, digest);
        if (e == ERR_OK)
                e = dkim_write_sign(key, digest, &bytes);
        if (e != ERR_OK)
                return e;
        wr_init(&again, w->p + start, seal.n);
        put_seal(s, &again, wr_text(&bytes), &b);
        CHECK(again.n == seal.n);
        return wr_end(&again);
}

enum err arc_seal(const struct arc_seal_params *params, const struct mail_header *header,
        const struct arc_chain *chain, const uint8_t body_digest[SHA256_SIZE], struct wr *w)
{
        char hash[(SHA256_SIZE + 2) / 3 * 4];
        struct wr b;
        enum err e = check(params, chain);
        if (e != ERR_OK)
                return e;
        wr_init(&b, hash, sizeof hash);
        base64_encode(&b, str_of(body_digest, SHA256_SIZE));
        struct sealing s = {.params = params,
                .header = header,
                .chain = chain,
                .body_hash = wr_text(&b),
                .goal = params->line_goal > 0 ? params->line_goal : MAIL_LINE_GOAL,
                .instance = chain->count + 1,
                .cv = status(chain, params->cv)};
        return add_set(&s, w);
}
