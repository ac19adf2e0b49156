/* SPDX-License-Identifier: ISC */
/* Which names of a certificate count where a root of ours leads to it. */
#include "crypto/tls_pair.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/key_internal.h"
#include "crypto/tls_internal.h"

#define MX "mx.example.org"

struct a_case {
        const char *what, *common, *alternative; /* NULL: there is none */
        enum err client;
};

/* A certificate with these names that signed itself, and a client to which it is a root. */
static X509 *make_certificate(const struct crypto_key *key, const struct a_case *c)
{
        X509 *x = X509_new();
        assert_non_null(x);
        assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
        assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), 0));
        assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), NOW + 36500LL * DAY));
        assert_int_equal(X509_set_pubkey(x, key->pkey), 1);
        X509_NAME *name = X509_get_subject_name(x);
        assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                 (const unsigned char *)c->common, -1, -1, 0),
                1);
        assert_int_equal(X509_set_issuer_name(x, name), 1);
        if (c->alternative) {
                X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, c->alternative);
                assert_non_null(e);
                assert_int_equal(X509_add_ext(x, e, -1), 1);
                X509_EXTENSION_free(e);
        }
        assert_true(X509_sign(x, key->pkey, NULL) > 0);
        return x;
}

static struct tls_context *make_client(X509 *root)
{
        char pem[4096];
        struct tls_context *client;
        BIO *bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_X509(bio, root), 1);
        int n = BIO_read(bio, pem, sizeof pem);
        assert_true(n > 0);
        BIO_free(bio);
        assert_int_equal(tls_client(str_of(pem, (size_t)n), &client), ERR_OK);
        return client;
}

/* RFC 8461 3.3 and 4.2 want a DNS-ID: the common name is for people. */
static void test_names(void **state)
{
        static const struct a_case cases[] = {
                {"the name", "x", "DNS:" MX, ERR_OK},
                {"among others", "x", "DNS:a.example,DNS:" MX, ERR_OK},
                {"an asterisk for its first label", "x", "DNS:*.example.org", ERR_OK},
                {"another name", MX, "DNS:mx.example.net", ERR_DENIED},
                {"a common name alone", MX, NULL, ERR_DENIED},
                {"a common name beside another kind of name", MX, "email:a@example.org", ERR_DENIED},
        };
        const struct tls_expect expect = {.kind = TLS_EXPECT_NAME, .name = S(MX)};
        struct crypto_key *key = make_key(1);
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct tls_context *server = make_server(key, "other.example.org");
                X509 *x = make_certificate(key, &cases[i]);
                struct tls_context *client = make_client(x);
                struct pair p;
                enum err of_client, of_server;
                assert_int_equal(SSL_CTX_use_certificate(server->ssl, x), 1);
                assert_int_equal(tls_accept(server, &p.server), ERR_OK);
                assert_int_equal(tls_connect(client, &expect, &p.client), ERR_OK);
                shake(&p, 100000, &of_client, &of_server);
                if (of_client != cases[i].client)
                        fail_msg("%s: %s, %s", cases[i].what, err_text(of_client), tls_fault_text(p.client));
                drop(&p);
                tls_context_free(client);
                tls_context_free(server);
                X509_free(x);
        }
        crypto_key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
