/* SPDX-License-Identifier: ISC */
/* blaze dkim sign */
#include "app/blaze.h"
#include "app/blaze_key.h"
#include "app/blaze_message.h"
#include "app/blaze_output.h"
#include "auth/body_hash.h"
#include "auth/dkim_sign.h"
#include "base/quantity.h"
#include "base/time_text.h"
#include "crypto/bytes.h"

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

static bool read_times(const struct options *o, struct dkim_sign_params *p)
{
        struct str text;
        uint64_t seconds = 0;
        int64_t valid_s;
        p->time_s = blaze_now_s();
        p->expiry_s = 0;
        if (options_value(o, "time", &text)) {
                if (str_to_u64(text, TIME_UNIX_MAX, &seconds) != ERR_OK || seconds == 0) {
                        blaze_fail("Not a Unix time: %.*s", STR_ARG(text));
                        return false;
                }
                p->time_s = (int64_t)seconds;
        }
        if (!options_value(o, "expire", &text))
                return true;
        if (quantity_duration_parse(text, &valid_s) != ERR_OK || valid_s == 0) {
                blaze_fail("Not a duration: %.*s", STR_ARG(text));
                return false;
        }
        p->expiry_s = p->time_s + valid_s;
        return true;
}

/* The fields to cover: those of -f, oversigned, or what an author's signer covers. */
static void read_cover(const struct options *o, struct dkim_cover *chosen, struct dkim_sign_params *p)
{
        struct str name;
        p->cover = dkim_cover_author;
        p->cover_count = dkim_cover_author_count;
        for (size_t i = 0; options_nth(o, "field", i, &name); i++) {
                chosen[i] = (struct dkim_cover){name, true};
                p->cover = chosen;
                p->cover_count = i + 1;
        }
}

static struct crypto_key *read_key(const struct options *o)
{
        struct str path, text, seed;
        char buffer[BLAZE_SEED_MAX];
        bool ed25519, has_path = options_value(o, "private-key", &path),
                      has_seed = options_value(o, "seed", &text);
        size_t bits;
        struct crypto_key *key = NULL;
        if (!blaze_key_algorithm(o, &ed25519, &bits))
                return NULL;
        if (has_path == has_seed) {
                blaze_fail(has_path ? "Either -p or --seed, not both"
                                    : "A private key is missing: -p KEY.pem or --seed BASE64");
                return NULL;
        }
        if (has_seed) {
                if (blaze_key_seed(text, buffer, sizeof buffer, &seed))
                        key = blaze_key_from_seed(seed, ed25519, bits);
                crypto_wipe(buffer, sizeof buffer);
                return key;
        }
        key = blaze_key_from_file(path);
        if (key && options_has(o, "algorithm") && ed25519 != (crypto_key_kind(key) == CRYPTO_KEY_ED25519)) {
                blaze_fail("%.*s: the key is not of the algorithm asked for", STR_ARG(path));
                crypto_key_free(key);
                key = NULL;
        }
        return key;
}

static bool digest_body(struct blaze_message *m, enum canon canon, uint8_t out[SHA256_SIZE])
{
        struct body_hash hash;
        struct str bytes;
        enum err e;
        body_hash_init(&hash);
        size_t slot = body_hash_want(&hash, canon, BODY_HASH_ALL);
        while ((e = blaze_message_body(m, &bytes)) == ERR_OK)
                body_hash_write(&hash, bytes);
        body_hash_end(&hash);
        if (e == ERR_EOF)
                e = body_hash_result(&hash, slot, out);
        if (e != ERR_OK)
                blaze_fail("The message cannot be read: %s", err_text(e));
        return e == ERR_OK;
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

static bool sign(const struct options *o, const struct dkim_sign_params *p, const struct crypto_key *key)
{
        struct blaze_message m;
        char field[DKIM_FIELD_MAX];
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        wr_init(&w, field, sizeof field);
        bool good = blaze_message_open(&m, o, true);
        if (good && m.header.strays > 0) {
                blaze_fail("The header has a line that is no field: %.*s",
                        STR_ARG(str_trim(str_take(m.header.stray, 60))));
                good = false;
        }
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
        if (!options_value(o, "selector", &p.selector))
                return blaze_fail("A selector is missing: -s SEL");
        if (!options_value(o, "domain", &p.domain))
                return blaze_fail("A domain is missing: -h DOMAIN");
        if (!read_canon(o, &p) || !read_times(o, &p))
                return EXIT_BLAZE;
        read_cover(o, chosen, &p);
        struct crypto_key *key = read_key(o);
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
