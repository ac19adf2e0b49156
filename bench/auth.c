/* SPDX-License-Identifier: ISC */
/* How many messages can be signed, verified or sealed in a second of CPU time, and how many times the cryptography alone
 * that this takes: row each-cpu-second.
 *
 *   auth sign KEY.pem MESSAGE SECONDS
 *   auth verify KEY.pem MESSAGE SECONDS      the key of the signature, which is parsed once
 *   auth seal KEY.pem MESSAGE SECONDS
 *   auth bound1 KEY.pem MESSAGE SECONDS      one SHA-256 of the whole message and one RSA signature, by OpenSSL alone
 *   auth bound2 KEY.pem MESSAGE SECONDS      the same with two signatures
 *   auth bound-verify KEY.pem MESSAGE SECONDS   with one verification instead */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/dkim_verify.h"
#include "bench/letter.h"

struct job {
        struct letter letter;
        struct dkim_key public_key;
        struct dkim_verify verify;
        struct arc_chain chain;
        char results[8192];
        /* of the bounds */
        EVP_PKEY *pkey;
        EVP_PKEY_CTX *signer, *verifier;
        unsigned char signature[RSA_SIGNATURE_MAX];
        size_t signature_n;
        unsigned signatures;
};

static void digest_body(struct letter *l, uint8_t out[SHA256_SIZE])
{
        struct body_hash body;
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, letter_body(l));
        body_hash_end(&body);
        bench_need(body_hash_result(&body, slot, out), "the body's digest");
}

static void sign(void *arg)
{
        struct job *j = arg;
        uint8_t digest[SHA256_SIZE];
        letter_index(&j->letter);
        digest_body(&j->letter, digest);
        letter_sign(&j->letter, digest);
}

static void verify(void *arg)
{
        struct job *j = arg;
        letter_index(&j->letter);
        dkim_verify_init(&j->verify, &j->letter.header, LETTER_NOW_S);
        dkim_verify_body(&j->verify, letter_body(&j->letter));
        dkim_verify_body_end(&j->verify);
        if (j->verify.count != 1 || dkim_verify_verdict(&j->verify, 0, &j->public_key).result != DKIM_PASS)
                bench_fail("verify", "the message has not one signature that is right");
        dkim_verify_drop(&j->verify);
}

static void seal(void *arg)
{
        struct job *j = arg;
        uint8_t digest[SHA256_SIZE];
        struct arc_results results;
        struct wr w;
        letter_index(&j->letter);
        wr_init(&w, j->results, sizeof j->results);
        bench_need(arc_results_gather(&j->letter.header, LETTER_DOMAIN, &w, &results), "results");
        arc_chain_read(&j->letter.header, &j->chain);
        digest_body(&j->letter, digest);
        letter_seal(&j->letter, digest, &j->chain, results.cv, results.payload);
}

static void bound_need(int result)
{
        if (result != 1)
                bench_fail("OpenSSL", "has failed");
}

static void bound_hash(struct job *j, unsigned char digest[SHA256_SIZE])
{
        bound_need(EVP_Digest(j->letter.text.p, j->letter.text.n, digest, NULL, EVP_sha256(), NULL));
}

static void bound_sign(void *arg)
{
        struct job *j = arg;
        unsigned char digest[SHA256_SIZE];
        bound_hash(j, digest);
        for (unsigned i = 0; i < j->signatures; i++) {
                j->signature_n = sizeof j->signature;
                bound_need(EVP_PKEY_sign(j->signer, j->signature, &j->signature_n, digest, sizeof digest));
        }
}

static void bound_verify(void *arg)
{
        struct job *j = arg;
        unsigned char digest[SHA256_SIZE];
        bound_hash(j, digest);
        bound_need(EVP_PKEY_verify(j->verifier, j->signature, j->signature_n, digest, sizeof digest));
}

static EVP_PKEY_CTX *bound_context(struct job *j, int (*init)(EVP_PKEY_CTX *))
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(j->pkey, NULL);
        bound_need(init(ctx));
        bound_need(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING));
        bound_need(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()));
        return ctx;
}

static void bound_open(struct job *j, const char *path, unsigned signatures)
{
        FILE *f = fopen(path, "rb");
        if (f == NULL || (j->pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL)) == NULL)
                bench_fail(path, "is no key");
        (void)fclose(f);
        j->signer = bound_context(j, EVP_PKEY_sign_init);
        j->verifier = bound_context(j, EVP_PKEY_verify_init);
        j->signatures = signatures;
        bound_sign(j);
}

static void bound_close(struct job *j)
{
        EVP_PKEY_CTX_free(j->signer);
        EVP_PKEY_CTX_free(j->verifier);
        EVP_PKEY_free(j->pkey);
}

static void open_public(struct job *j)
{
        char record[1024];
        struct wr w;
        wr_init(&w, record, sizeof record);
        bench_need(dkim_key_record_write(j->letter.key, &w), "the key record");
        struct str text = wr_text(&w);
        dkim_key_from_records(&text, 1, &j->public_key);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                void (*work)(void *arg);
                unsigned signatures;
        } parts[] = {{"sign", sign, 0}, {"verify", verify, 0}, {"seal", seal, 0}, {"bound1", bound_sign, 1},
                {"bound2", bound_sign, 2}, {"bound-verify", bound_verify, 1}};
        static struct job j;
        if (argc != 5)
                bench_fail(argv[0], "PART KEY.pem MESSAGE SECONDS");
        letter_read(&j.letter, argv[2], argv[3]);
        open_public(&j);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
                if (strcmp(argv[1], parts[i].name) != 0)
                        continue;
                if (parts[i].signatures > 0)
                        bound_open(&j, argv[2], parts[i].signatures);
                bench_rate(parts[i].work, &j, bench_seconds(argv[4]));
                bound_close(&j);
                dkim_key_drop(&j.public_key);
                crypto_key_free(j.letter.key);
                return 0;
        }
        bench_fail(argv[1], "no such part");
}
