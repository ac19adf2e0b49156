/* SPDX-License-Identifier: ISC */
/* blaze dkim gen */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/blaze.h"
#include "app/blaze_key.h"
#include "auth/dkim_key.h"
#include "crypto/bytes.h"
#include "host/linux/linux.h"

#define KEY_TEXT_MAX 8192

static const struct option_spec specs[] = {
        {"algorithm", 'a', "ALG", false, "rsa (default) or ed25519"},
        {"bits", 'b', "BITS", false, "size of an RSA key, default 2048"},
        {"seed", 0, "BASE64", false,
                "derive the key from these bytes (16 or more, random) instead of drawing one"},
        {"record", 'r', "FILE", false,
                "write the key record for DNS here; - prints it instead of the private key"},
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

/* Write `text` to the file `path`. */
static bool save(struct str path, struct str text)
{
        char name[4096];
        if (path.n >= sizeof name)
                errno = ENAMETOOLONG;
        FILE *f = NULL;
        if (path.n < sizeof name) {
                memcpy(name, path.p, path.n);
                name[path.n] = '\0';
                f = fopen(name, "wb");
        }
        bool good = f && fwrite(text.p, 1, text.n, f) == text.n;
        int why = errno;
        if (f && fclose(f) != 0)
                good = false;
        if (!good)
                blaze_fail("%.*s: %s", STR_ARG(path), strerror(why));
        return good;
}

static bool write_public(const struct crypto_key *key, struct str path)
{
        char text[KEY_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (crypto_key_public_pem(key, &w) == ERR_OK)
                return save(path, wr_text(&w));
        blaze_fail("The public key cannot be written");
        return false;
}

static bool write_record(const struct crypto_key *key, struct str path)
{
        char text[KEY_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (dkim_key_record_write(key, &w) != ERR_OK) {
                blaze_fail("The key record cannot be written");
                return false;
        }
        wr_byte(&w, '\n');
        if (!str_eq(path, S("-")))
                return save(path, wr_text(&w));
        fwrite(text, 1, w.n, stdout);
        return true;
}

static bool print_private(const struct crypto_key *key)
{
        char text[KEY_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        enum err e = crypto_key_private_pem(key, &w);
        if (e == ERR_OK)
                fwrite(text, 1, w.n, stdout);
        else
                blaze_fail("The private key cannot be written");
        crypto_wipe(text, sizeof text);
        return e == ERR_OK;
}

static bool draw_seed(uint8_t *seed, size_t n)
{
        struct host *h = linux_host_new(NULL);
        if (!h) {
                blaze_fail("Out of memory");
                return false;
        }
        host_random(h, seed, n);
        linux_host_free(h);
        return true;
}

static int run(const struct options *o)
{
        char buffer[BLAZE_SEED_MAX];
        uint8_t drawn[48] = {0};
        struct str text, record, seed = str_of(drawn, sizeof drawn);
        bool ed25519;
        size_t bits;
        if (!blaze_key_algorithm(o, &ed25519, &bits))
                return EXIT_BLAZE;
        if (options_value(o, "seed", &text) ? !blaze_key_seed(text, buffer, sizeof buffer, &seed)
                                            : !draw_seed(drawn, sizeof drawn))
                return EXIT_BLAZE;
        struct crypto_key *key = blaze_key_from_seed(seed, ed25519, bits);
        crypto_wipe(drawn, sizeof drawn);
        crypto_wipe(buffer, sizeof buffer);
        bool good = key;
        bool has_record = options_value(o, "record", &record);
        if (good && o->arguments_count > 0)
                good = write_public(key, o->arguments[0]);
        if (good && has_record)
                good = write_record(key, record);
        if (good && !(has_record && str_eq(record, S("-"))))
                good = print_private(key);
        crypto_key_free(key);
        return good ? 0 : EXIT_BLAZE;
}

const struct blaze_command blaze_dkim_gen = {
        .group = "dkim",
        .verb = "gen",
        .arguments = "[PUB.pem]",
        .arguments_max = 1,
        .about = "Make a key pair: prints the private key in PEM, for `blaze dkim sign -p`, and writes the "
                 "public one to\n"
                 "PUB.pem. With --seed nothing is drawn: the key follows from the seed alone, so `blaze dkim "
                 "sign --seed`\n"
                 "needs no file. The seed's bytes are the entropy of an HMAC_DRBG with SHA-256 (NIST SP "
                 "800-90A) without\n"
                 "nonce or personalisation. RSA: each request of BITS/2 bits, with the top two bits and the "
                 "lowest set, is\n"
                 "a candidate; the first two primes that fit FIPS 186-5 A.1.3 make the key, with e = 65537. "
                 "Ed25519: the\n"
                 "first 32 bytes are the private key (RFC 8032 5.1.5).\n",
        .specs = specs,
        .run = run,
};
