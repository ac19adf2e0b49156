/* SPDX-License-Identifier: ISC */
/* blaze dkim sign */
#include "app/blaze.h"
#include "app/blaze_output.h"
#include "app/blaze_sign.h"
#include "auth/body_hash.h"
#include "auth/dkim_sign.h"

static const struct option_spec specs[] = {
        {"selector", 's', "SEL", false, "the selector: the key is published at SEL._domainkey.DOMAIN"},
        {"domain", 'h', "DOMAIN", false, "the domain that signs"},
        {"private-key", 'p', "KEY.pem", false, "the private key, RSA or Ed25519"},
        {"seed", 0, "BASE64", false, "derive the key from these bytes, as `blaze dkim gen` does"},
        {"algorithm", 'a', "ALG", false,
                "rsa or ed25519: of the key that --seed gives; with -p: to be sure of it"},
        {"bits", 'b', "BITS", false, "size of the RSA key that --seed gives, default 2048"},
        {"canonicalization", 'c', "CANON", false,
                "HEADER/BODY or HEADER, each simple or relaxed; default relaxed/relaxed"},
        {"field", 'f', "FIELD", true, "cover this field, present or absent, and none but these and From"},
        {"time", 't', "SECONDS", false, "Unix time of the signature (t=), default now"},
        {"expire", 'x', "DURATION", false, "for how long the signature is valid (x=), such as 30d"},
        BLAZE_OUTPUT_OPTION,
        BLAZE_NEWLINE_OPTION,
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static bool read_canon_word(struct str word, enum canon *out)
{
        *out = str_eq_nocase(word, S("relaxed")) ? CANON_RELAXED : CANON_SIMPLE;
        return *out == CANON_RELAXED || str_eq_nocase(word, S("simple"));
}

/* As in c=: with one word the body is simple (RFC 6376 3.5). */
static bool read_canon(const struct options *o, struct dkim_sign_params *p)
{
        struct str text, header, body;
        p->header_canon = p->body_canon = CANON_RELAXED;
        if (!options_value(o, "canonicalization", &text))
                return true;
        if (!str_cut(text, '/', &header, &body))
                body = S("simple");
        if (read_canon_word(header, &p->header_canon) && read_canon_word(body, &p->body_canon))
                return true;
        blaze_fail("Unknown canonicalization: %.*s", STR_ARG(text));
        return false;
}

static bool complain(enum err e)
{
        switch (e) {
        case ERR_OK:
                return true;
        case ERR_SYNTAX:
                blaze_fail("The domain, the selector or a field to cover is not a name");
                break;
        case ERR_NOT_FOUND:
                blaze_fail("The message has no From field");
                break;
        case ERR_UNSUPPORTED:
                blaze_fail("An RSA key must have %d to %d bits", DKIM_KEY_BITS_MIN, DKIM_KEY_BITS_MAX);
                break;
        default:
                blaze_fail("The message cannot be signed: %s", err_text(e));
        }
        return false;
}

static bool digest_body(struct blaze_message *m, enum canon canon, uint8_t out[SHA256_SIZE])
{
        struct body_hash hash;
        body_hash_init(&hash);
        size_t slot = body_hash_want(&hash, canon, BODY_HASH_ALL);
        if (!blaze_sign_body(m, &hash))
                return false;
        enum err e = body_hash_result(&hash, slot, out);
        if (e != ERR_OK)
                blaze_fail("The message cannot be signed: %s", err_text(e));
        return e == ERR_OK;
}

static bool sign(const struct options *o, const struct dkim_sign_params *p, const struct crypto_key *key)
{
        struct blaze_message m;
        char field[DKIM_FIELD_MAX];
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        wr_init(&w, field, sizeof field);
        bool good = blaze_sign_open(&m, o);
        good = good && digest_body(&m, p->body_canon, digest);
        good = good && complain(dkim_sign(p, &m.header, digest, key, &w));
        good = good && blaze_output_write(o, &m, wr_text(&w));
        blaze_message_close(&m);
        return good;
}

static int run(const struct options *o)
{
        struct dkim_sign_params p = {0};
        struct dkim_cover chosen[OPTIONS_MAX];
        char selector[DNS_NAME_MAX], domain[DNS_NAME_MAX];
        if (!options_value(o, "selector", &p.selector))
                return blaze_fail("A selector is missing: -s SEL");
        if (!options_value(o, "domain", &p.domain))
                return blaze_fail("A domain is missing: -h DOMAIN");
        if (!blaze_sign_name(&p.selector, selector) || !blaze_sign_name(&p.domain, domain))
                return EXIT_BLAZE;
        if (!read_canon(o, &p) || !blaze_sign_times(o, &p.time_s, &p.expiry_s))
                return EXIT_BLAZE;
        p.cover_count = blaze_sign_cover(o, chosen);
        p.cover = chosen;
        if (p.cover_count == 0) {
                p.cover = dkim_cover_author;
                p.cover_count = dkim_cover_author_count;
        }
        struct crypto_key *key = blaze_sign_key(o);
        if (!key)
                return EXIT_BLAZE;
        bool good = sign(o, &p, key);
        crypto_key_free(key);
        return good ? 0 : EXIT_BLAZE;
}

const struct blaze_command blaze_dkim_sign = {
        .group = "dkim",
        .verb = "sign",
        .arguments = "-s SEL -h DOMAIN [-p KEY.pem | --seed BASE64] [FILE]",
        .arguments_max = 1,
        .about = "Sign a message from FILE or standard input: writes a DKIM-Signature field and then the "
                 "message as it was.\n"
                 "Covered are From, To, Cc, Subject, Date, Reply-To, MIME-Version and the Content fields, so "
                 "that none can\n"
                 "be added either, and what there is of Message-ID, In-Reply-To, References, Sender and the "
                 "List fields.\n"
                 "The body is covered whole. How a key follows from --seed is told by `blaze dkim gen "
                 "--help`.\n",
        .specs = specs,
        .run = run,
};
