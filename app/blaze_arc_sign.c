/* SPDX-License-Identifier: ISC */
/* blaze arc sign */
#include <stdio.h>
#include <stdlib.h>

#include "app/blaze.h"
#include "app/blaze_arc.h"
#include "app/blaze_key.h"
#include "app/blaze_output.h"
#include "app/blaze_sign.h"
#include "auth/arc_seal.h"

static const struct option_spec specs[] = {
        {"domain", 'h', "DOMAIN", false, "the domain that seals"},
        {"seal-selector", 0, "SEL", false, "the selector of ARC-Seal"},
        {"signature-selector", 0, "SEL", false, "the selector of ARC-Message-Signature"},
        {"private-key", 'p', "KEY.pem", false, "the private key, RSA or Ed25519"},
        {"seed", 0, "BASE64", false, "derive the key from these bytes, as `blaze dkim gen` does"},
        {"signature-key", 0, "KEY.pem", false, "the private key of ARC-Message-Signature, if it is another"},
        {"algorithm", 'a', "ALG", false,
                "rsa or ed25519: of the key that --seed gives; with -p: to be sure of it"},
        {"bits", 'b', "BITS", false, "size of the RSA key that --seed gives, default 2048"},
        {"authserv-id", 0, "ID", false, "whose Authentication-Results are sealed, default DOMAIN"},
        {"field", 'f', "FIELD", true, "cover this field, present or absent, and none but these"},
        {"time", 't', "SECONDS", false, "Unix time of the signatures (t=), default now"},
        {"expire", 'x', "DURATION", false, "for how long ARC-Message-Signature is valid (x=), such as 30d"},
        BLAZE_OUTPUT_OPTION,
        BLAZE_NAMESERVER_OPTION,
        BLAZE_NEWLINE_OPTION,
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

/* All that one run holds. */
struct run {
        const struct options *o;
        struct str id;
        struct blaze_message message;
        struct blaze_dns dns;
        struct body_hash body;
        struct arc_verify verify;
        struct arc_seal_params params;
        struct dkim_cover cover[OPTIONS_MAX];
        char names[3][DNS_NAME_MAX]; /* those of `params`, in A-labels */
        char results[MAIL_HEADER_MAX + ARC_RESULTS_MAX];
        char set[ARC_SET_ROOM];
};

static bool complain(const struct run *r, enum err e)
{
        switch (e) {
        case ERR_OK:
                return true;
        case ERR_NOT_FOUND:
                blaze_fail("The message has no Authentication-Results of %.*s", STR_ARG(r->id));
                break;
        case ERR_SYNTAX:
                blaze_fail("The domain, a selector or a field to cover is not a name, or may not be covered");
                break;
        case ERR_SEQUENCE:
                blaze_fail("The chain has ended: nothing may be added");
                break;
        case ERR_LIMIT:
                blaze_fail("The chain has %d sets, or there are too many fields to cover", ARC_SETS_MAX);
                break;
        case ERR_UNSUPPORTED:
                blaze_fail("An RSA key must have %d to %d bits", DKIM_KEY_BITS_MIN, DKIM_KEY_BITS_MAX);
                break;
        default:
                blaze_fail("The message cannot be sealed: %s", err_text(e));
        }
        return false;
}

/* What the results say of the chain; when they say nothing, what is found now. */
static enum arc_cv status(struct run *r, const struct arc_results *results)
{
        if (results->has_cv)
                return results->cv;
        blaze_arc_check(&r->verify, &r->dns);
        return r->verify.chain.verdict.cv;
}

static bool seal(struct run *r)
{
        struct arc_results results;
        uint8_t digest[SHA256_SIZE];
        struct wr w, set;
        wr_init(&w, r->results, sizeof r->results);
        wr_init(&set, r->set, sizeof r->set);
        if (!complain(r, arc_results_gather(&r->message.header, r->id, &w, &results)))
                return false;
        body_hash_init(&r->body);
        size_t slot = body_hash_want(&r->body, CANON_RELAXED, BODY_HASH_ALL);
        arc_verify_init(&r->verify, &r->message.header, blaze_now_s(), &r->body);
        if (!blaze_sign_body(&r->message, &r->body) || !complain(r, body_hash_result(&r->body, slot, digest)))
                return false;
        r->params.results = results.payload;
        r->params.cv = status(r, &results);
        return complain(r, arc_seal(&r->params, &r->message.header, &r->verify.chain, digest, &set)) &&
               blaze_output_write(r->o, &r->message, wr_text(&set));
}

static bool read_names(struct run *r)
{
        struct arc_seal_params *p = &r->params;
        const char *missing = NULL;
        if (!options_value(r->o, "signature-selector", &p->message.selector))
                missing = "A selector is missing: --signature-selector SEL";
        if (!options_value(r->o, "seal-selector", &p->seal.selector))
                missing = "A selector is missing: --seal-selector SEL";
        if (!options_value(r->o, "domain", &p->domain))
                missing = "A domain is missing: -h DOMAIN";
        if (!options_value(r->o, "authserv-id", &r->id))
                r->id = p->domain;
        p->cover = r->cover;
        p->cover_count = blaze_sign_cover(r->o, r->cover);
        if (p->cover_count == 0) {
                p->cover = dkim_cover_default;
                p->cover_count = dkim_cover_default_count;
        }
        if (missing) {
                blaze_fail("%s", missing);
                return false;
        }
        return blaze_sign_name(&p->message.selector, r->names[0]) &&
               blaze_sign_name(&p->seal.selector, r->names[1]) && blaze_sign_name(&p->domain, r->names[2]);
}

static int run_with(struct run *r, struct crypto_key *key, struct crypto_key *other)
{
        int status = EXIT_BLAZE;
        r->params.seal.key = key;
        r->params.message.key = other ? other : key;
        if (blaze_dns_init(&r->dns, r->o)) {
                if (blaze_sign_open(&r->message, r->o) && seal(r))
                        status = 0;
                blaze_message_close(&r->message);
        }
        blaze_dns_drop(&r->dns);
        return status;
}

static int run(const struct options *o)
{
        struct run *r = calloc(1, sizeof *r);
        struct crypto_key *key = NULL, *other = NULL;
        struct str path;
        int status = EXIT_BLAZE;
        if (!r)
                return blaze_fail("Out of memory");
        r->o = o;
        bool good = read_names(r) && blaze_sign_times(o, &r->params.time_s, &r->params.expiry_s);
        if (good)
                key = blaze_sign_key(o);
        if (key && options_value(o, "signature-key", &path)) {
                other = blaze_key_from_file(path);
                good = other;
        }
        if (good && key)
                status = run_with(r, key, other);
        crypto_key_free(other);
        crypto_key_free(key);
        free(r);
        return status;
}

const struct blaze_command blaze_arc_sign = {
        .group = "arc",
        .verb = "sign",
        .arguments =
                "-h DOMAIN --seal-selector SEL --signature-selector SEL [-p KEY.pem | --seed BASE64] [FILE]",
        .arguments_max = 1,
        .about = "Add an ARC set to a message from FILE or standard input: writes its three fields and then "
                 "the "
                 "message as it\n"
                 "was. Sealed are all Authentication-Results of ID as they stand; the status (cv=) is their "
                 "arc= "
                 "result. Without\n"
                 "one the chain of the message is validated, which asks the DNS.\n",
        .specs = specs,
        .run = run,
};
