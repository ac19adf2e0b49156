/* SPDX-License-Identifier: ISC */
/* What TLS sessions share: versions, certificates, keys, roots. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/bytes.h"
#include "crypto/key_internal.h"
#include "crypto/tls_internal.h"

#define HOSTNAME_MAX 253
#define SERIAL_SIZE 16
#define DNS_LABEL_SIZE_MAX 63
#define COMMON_NAME_MAX 64 /* RFC 5280 A.1, ub-common-name */

enum err tls_context_fail(struct tls_context **c, enum err e)
{
        tls_context_free(*c);
        *c = NULL;
        ERR_clear_error();
        return e;
}

enum err tls_context_new(const SSL_METHOD *method, struct tls_context **out)
{
        struct tls_context *c = calloc(1, sizeof *c);
        *out = c;
        if (c) {
                c->users = 1;
                c->ssl = SSL_CTX_new(method);
        }
        if (!c || !c->ssl || SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION) != 1)
                return tls_context_fail(out, ERR_CRYPTO);
        SSL_CTX_set_options(
                c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
        return ERR_OK;
}

void tls_context_free(struct tls_context *c)
{
        if (!c || --c->users > 0)
                return;
        tls_resume_drop(c);
        SSL_CTX_free(c->ssl);
        crypto_wipe(c->tickets, sizeof c->tickets);
        free(c);
}

/* ---- servers ---- */

static enum err server_new(struct tls_context **out)
{
        enum err e = tls_context_new(TLS_server_method(), out);
        if (e == ERR_OK)
                e = tls_ticket_init(*out);
        return e;
}

/* ---- a certificate of our own making ---- */

static enum err set_name(X509 *x, struct str hostname)
{
        char text[HOSTNAME_MAX + 1];
        X509_NAME *name = X509_get_subject_name(x);
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_lower(&w, hostname);
        if (wr_end(&w) != ERR_OK || w.n == 0)
                return ERR_SYNTAX;
        /* The name that counts is the alternative one (RFC 6125 6.4.4); the other is for people. */
        struct str common = w.n <= COMMON_NAME_MAX ? wr_text(&w) : S("mail server");
        if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, (const unsigned char *)common.p,
                    (int)common.n, -1, 0) != 1 ||
                X509_set_issuer_name(x, name) != 1)
                return ERR_CRYPTO;
        GENERAL_NAMES *names = GENERAL_NAMES_new();
        GENERAL_NAME *one = GENERAL_NAME_new();
        ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
        bool is_good = names && one && dns && ASN1_STRING_set(dns, w.p, (int)w.n) == 1 &&
                       sk_GENERAL_NAME_push(names, one) > 0;
        if (is_good) {
                GENERAL_NAME_set0_value(one, GEN_DNS, dns);
                is_good = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
                GENERAL_NAMES_free(names);
                return is_good ? ERR_OK : ERR_CRYPTO;
        }
        ASN1_IA5STRING_free(dns);
        GENERAL_NAME_free(one);
        sk_GENERAL_NAME_free(names);
        return ERR_CRYPTO;
}

/* Letters, digits, hyphens and dots: what follows would be another name to somebody. */
static bool is_hostname(struct str s)
{
        if (s.n == 0 || s.n > HOSTNAME_MAX || s.p[0] == '.')
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                bool is_fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '-' || c == '.' || c == '_';
                if (!is_fit)
                        return false;
        }
        return true;
}

/* From the public key, so that it is the same each time and different for each key. */
static bool set_serial(X509 *x, const struct crypto_key *key)
{
        uint8_t der[1024], digest[SHA256_SIZE];
        struct wr w;
        wr_init(&w, der, sizeof der);
        if (crypto_key_spki(key, &w) != ERR_OK || sha256(wr_text(&w), digest) != ERR_OK)
                return false;
        digest[0] = (uint8_t)((digest[0] & 0x7f) | 0x40); /* positive (RFC 5280 4.1.2.2) */
        BIGNUM *n = BN_bin2bn(digest, SERIAL_SIZE, NULL);
        bool is_good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
        BN_free(n);
        return is_good;
}

static enum err fill(
        X509 *x, const struct crypto_key *key, struct str hostname, int64_t from_s, int64_t until_s)
{
        if (X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x, key) ||
                !ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) ||
                !ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until_s) || X509_set_pubkey(x, key->pkey) != 1)
                return ERR_CRYPTO;
        enum err e = set_name(x, hostname);
        if (e != ERR_OK)
                return e;
        const EVP_MD *md = key->kind == CRYPTO_KEY_RSA ? EVP_sha256() : NULL;
        return X509_sign(x, key->pkey, md) > 0 ? ERR_OK : ERR_CRYPTO;
}

enum err tls_server_self_signed(const struct crypto_key *key, struct str hostname, int64_t from_s,
        int64_t until_s, struct tls_context **out)
{
        *out = NULL;
        if (!is_hostname(hostname))
                return ERR_SYNTAX;
        enum err e = server_new(out);
        if (e != ERR_OK)
                return tls_context_fail(out, e);
        X509 *x = X509_new();
        e = x ? fill(x, key, hostname, from_s, until_s) : ERR_CRYPTO;
        if (e == ERR_OK && (SSL_CTX_use_certificate((*out)->ssl, x) != 1 ||
                                   SSL_CTX_use_PrivateKey((*out)->ssl, key->pkey) != 1))
                e = ERR_CRYPTO;
        X509_free(x);
        return e == ERR_OK ? ERR_OK : tls_context_fail(out, e);
}

/* ---- PEM ---- */

static int no_password(char *into, int size, int for_writing, void *ctx)
{
        (void)into;
        (void)size;
        (void)for_writing;
        (void)ctx;
        return 0;
}

/* The next certificate; NULL behind the last, or when what follows cannot be read: then `*e` tells. */
static X509 *next_certificate(BIO *bio, enum err *e)
{
        X509 *x = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (!x && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
                *e = ERR_SYNTAX;
        ERR_clear_error();
        return x;
}

static enum err use_chain(struct tls_context *c, BIO *bio)
{
        enum err e = ERR_OK;
        X509 *x = next_certificate(bio, &e);
        if (!x)
                return ERR_SYNTAX;
        if (SSL_CTX_use_certificate(c->ssl, x) != 1)
                e = ERR_CRYPTO;
        X509_free(x);
        for (size_t n = 1; e == ERR_OK && (x = next_certificate(bio, &e)) != NULL; n++) {
                if (n == TLS_CHAIN_MAX)
                        e = ERR_LIMIT;
                else if (SSL_CTX_add1_chain_cert(c->ssl, x) != 1)
                        e = ERR_CRYPTO;
                X509_free(x);
        }
        return e;
}

static enum err use_key(struct tls_context *c, BIO *bio)
{
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
        if (!key)
                return ERR_SYNTAX;
        enum err e = ERR_OK;
        if (X509_check_private_key(SSL_CTX_get0_certificate(c->ssl), key) != 1)
                e = ERR_MISMATCH;
        else if (SSL_CTX_use_PrivateKey(c->ssl, key) != 1)
                e = ERR_CRYPTO;
        EVP_PKEY_free(key);
        return e;
}

/* Give `use` the text to read. */
static enum err with_text(
        struct tls_context *c, struct str pem, enum err (*use)(struct tls_context *c, BIO *bio))
{
        if (pem.n > TLS_PEM_MAX)
                return ERR_LIMIT;
        BIO *bio = BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)pem.n);
        enum err e = bio ? use(c, bio) : ERR_CRYPTO;
        BIO_free(bio);
        return e;
}

enum err tls_server_pem(struct str certificates, struct str key, struct tls_context **out)
{
        enum err e = server_new(out);
        if (e == ERR_OK)
                e = with_text(*out, certificates, use_chain);
        if (e == ERR_OK)
                e = with_text(*out, key, use_key);
        ERR_clear_error();
        return e == ERR_OK ? ERR_OK : tls_context_fail(out, e);
}

static enum err use_roots(struct tls_context *c, BIO *bio)
{
        X509_STORE *store = SSL_CTX_get_cert_store(c->ssl);
        enum err e = ERR_OK;
        X509 *x;
        while (e == ERR_OK && (x = next_certificate(bio, &e)) != NULL) {
                if (X509_STORE_add_cert(store, x) != 1)
                        e = ERR_CRYPTO;
                c->has_roots = true;
                X509_free(x);
        }
        return e == ERR_OK && !c->has_roots ? ERR_SYNTAX : e;
}

enum err tls_client(struct str roots, struct tls_context **out)
{
        enum err e = tls_context_new(TLS_client_method(), out);
        if (e == ERR_OK && roots.n > 0)
                e = with_text(*out, roots, use_roots);
        if (e == ERR_OK && SSL_CTX_dane_enable((*out)->ssl) != 1)
                e = ERR_CRYPTO;
        if (e == ERR_OK)
                e = tls_resume_init(*out);
        return e == ERR_OK ? ERR_OK : tls_context_fail(out, e);
}

bool tls_client_has_roots(const struct tls_context *c)
{
        return c->has_roots;
}

/* ---- what the zone says of it ---- */

enum err tls_server_key_hash(const struct tls_context *c, uint8_t out[SHA256_SIZE])
{
        unsigned char *der = NULL;
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(SSL_CTX_get0_certificate(c->ssl)), &der);
        enum err e = n > 0 ? sha256(str_of(der, (size_t)n), out) : ERR_CRYPTO;
        OPENSSL_free(der);
        return e;
}

int64_t tls_server_until(const struct tls_context *c)
{
        int days, seconds;
        ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
        bool is_good = zero && ASN1_TIME_diff(&days, &seconds, zero,
                                       X509_get0_notAfter(SSL_CTX_get0_certificate(c->ssl))) == 1;
        ASN1_TIME_free(zero);
        return is_good ? (int64_t)days * 86400 + seconds : 0;
}
