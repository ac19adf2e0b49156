/* SPDX-License-Identifier: ISC */
/* Sessions that are resumed, and those that must not be. */
#include "crypto/tls_pair.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/key_internal.h"
#include "crypto/tls_internal.h"

struct world {
        struct crypto_key *key;
        struct tls_context *server, *client;
        char pem[2048]; /* the server's certificate, which is the client's root */
        uint8_t hash[SHA256_SIZE];
        int64_t now_ms;
};

static void begin(struct world *w)
{
        *w = (struct world){.key = make_key(1), .now_ms = 1000};
        w->server = make_server(w->key, "mx.example.org");
        BIO *bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_X509(bio, SSL_CTX_get0_certificate(w->server->ssl)), 1);
        int n = BIO_read(bio, w->pem, sizeof w->pem);
        assert_true(n > 0);
        BIO_free(bio);
        assert_int_equal(tls_client(str_of(w->pem, (size_t)n), &w->client), ERR_OK);
        assert_int_equal(tls_server_key_hash(w->server, w->hash), ERR_OK);
}

static void end(struct world *w)
{
        tls_context_free(w->server);
        tls_context_free(w->client);
        crypto_key_free(w->key);
}

/* A session, to its end; the server's tickets are read on the way. Was it resumed? Both sides say the same. */
static bool meet(struct world *w, enum tls_expect_kind kind, const char *name)
{
        const struct tls_tlsa record = {3, 1, 1, str_of(w->hash, sizeof w->hash)};
        const struct tls_expect expect = {.kind = kind,
                .name = str_of_c(name),
                .tlsa = &record,
                .tlsa_count = 1,
                .may_resume = true,
                .now_ms = w->now_ms};
        struct pair p;
        enum err client, server;
        char got[16];
        size_t n;
        assert_int_equal(tls_accept(w->server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(w->client, &expect, &p.client), ERR_OK);
        shake(&p, 100000, &client, &server);
        assert_int_equal(client, ERR_OK);
        assert_int_equal(server, ERR_OK);
        assert_int_equal(tls_write(p.server, S("250 ok\r\n")), ERR_OK);
        move(p.server, p.client, 100000);
        assert_int_equal(tls_read(p.client, got, sizeof got, &n), ERR_OK);
        assert_true(str_eq(str_of(got, n), S("250 ok\r\n")));
        bool is_resumed = tls_is_resumed(p.client);
        assert_int_equal(tls_is_resumed(p.server), is_resumed);
        drop(&p);
        return is_resumed;
}

#define MX "mx.example.org"

static void test_again_and_again(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        for (int i = 0; i < 5; i++)
                assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

/* Tickets of TLS 1.2 serve more than once. */
static void test_tls_1_2(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_int_equal(SSL_CTX_set_max_proto_version(w.client->ssl, TLS1_2_VERSION), 1);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        for (int i = 0; i < 5; i++)
                assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

/* RFC 8446 C.4: a server that gives no new ticket is met with each once. */
static void test_each_ticket_once(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX)); /* two tickets */
        assert_int_equal(SSL_CTX_set_num_tickets(w.server->ssl, 0), 1);
        assert_true(meet(&w, TLS_EXPECT_NOTHING, MX));
        assert_true(meet(&w, TLS_EXPECT_NOTHING, MX));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX));
        end(&w);
}

/* What was never proven does not become proof, and the other way round. */
static void test_never_across_kinds(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX));
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_false(meet(&w, TLS_EXPECT_DANE, MX));
        assert_false(meet(&w, TLS_EXPECT_DANE, MX));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, "other.example.org"));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, ""));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, ""));
        assert_true(meet(&w, TLS_EXPECT_NOTHING, MX));
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

static void test_only_if_asked_for(void **state)
{
        const struct tls_expect expect = {.kind = TLS_EXPECT_NAME, .name = S(MX)};
        struct world w;
        struct pair p;
        enum err client, server;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_int_equal(tls_accept(w.server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(w.client, &expect, &p.client), ERR_OK);
        shake(&p, 100000, &client, &server);
        assert_false(tls_is_resumed(p.client));
        drop(&p);
        end(&w);
}

/* However often it was resumed meanwhile, the server proves itself anew when its time is over. */
static void test_too_old(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        w.now_ms += TLS_RESUME_MS / 2;
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        w.now_ms += TLS_RESUME_MS / 2;
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

static void test_keys_that_rotate(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_int_equal(tls_server_rotate(w.server), ERR_OK);
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        assert_int_equal(tls_server_rotate(w.server), ERR_OK);
        assert_int_equal(tls_server_rotate(w.server), ERR_OK);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_true(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

/* The server that was not met for longest is forgotten. */
static void test_bounded(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        for (int i = 0; i <= TLS_SESSIONS_MAX / 2; i++) { /* each leaves two */
                char name[32];
                (void)snprintf(name, sizeof name, "n%d.example.org", i);
                assert_false(meet(&w, TLS_EXPECT_NOTHING, name));
        }
        assert_true(meet(&w, TLS_EXPECT_NOTHING, "n1.example.org"));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, "n0.example.org"));
        end(&w);
}

/* A certificate of the server's key with `size` octets more than it needs. */
static X509 *fat_certificate(const struct world *w, size_t size)
{
        X509 *x = X509_dup(SSL_CTX_get0_certificate(w->server->ssl));
        ASN1_OCTET_STRING *fat = ASN1_OCTET_STRING_new();
        char *zeros = calloc(1, size);
        assert_true(x && fat && zeros);
        assert_int_equal(ASN1_OCTET_STRING_set(fat, (unsigned char *)zeros, (int)size), 1);
        X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, fat);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        assert_true(X509_sign(x, w->key->pkey, NULL) > 0);
        X509_EXTENSION_free(e);
        ASN1_OCTET_STRING_free(fat);
        free(zeros);
        return x;
}

/* A server cannot make us keep tens of kilobytes of it: of its chain nothing stays, and for a certificate that is as large the
 * session does not. */
static void test_small_whatever_the_server_sends(void **state)
{
        const struct tls_expect expect = {
                .kind = TLS_EXPECT_NOTHING, .name = S(MX), .may_resume = true, .now_ms = 1000};
        struct world w;
        struct pair p;
        enum err client, server;
        (void)state;
        begin(&w);
        X509 *fat = fat_certificate(&w, 60000);
        assert_int_equal(SSL_CTX_add1_chain_cert(w.server->ssl, fat), 1);
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX));
        assert_int_equal(tls_accept(w.server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(w.client, &expect, &p.client), ERR_OK);
        shake(&p, 100000, &client, &server);
        assert_true(tls_is_resumed(p.client));
        assert_true(sk_X509_num(SSL_get_peer_cert_chain(p.client->ssl)) <= 0);
        drop(&p);
        assert_int_equal(SSL_CTX_clear_chain_certs(w.server->ssl), 1);
        assert_int_equal(SSL_CTX_use_certificate(w.server->ssl, fat), 1);
        assert_false(meet(&w, TLS_EXPECT_NOTHING, "fat.example.org"));
        assert_false(meet(&w, TLS_EXPECT_NOTHING, "fat.example.org"));
        X509_free(fat);
        end(&w);
}

/* A server with another key behind the same name does not know the ticket, and is asked for its certificate. */
static void test_another_server(void **state)
{
        struct world w;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX));
        struct crypto_key *key = make_key(2);
        struct tls_context *other = make_server(key, MX), *first = w.server;
        w.server = other;
        assert_false(meet(&w, TLS_EXPECT_NOTHING, MX));
        w.server = first;
        tls_context_free(other);
        crypto_key_free(key);
        end(&w);
}

/* A handshake that fails takes with it what is kept of that server. */
static void test_failed(void **state)
{
        const struct tls_expect expect = {
                .kind = TLS_EXPECT_NAME, .name = S(MX), .may_resume = true, .now_ms = 1000};
        struct world w;
        struct tls *t;
        (void)state;
        begin(&w);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        assert_int_equal(tls_connect(w.client, &expect, &t), ERR_OK);
        assert_int_equal(tls_handshake(t), ERR_AGAIN);
        assert_int_equal(tls_got(t, S("500 what?\r\n")), ERR_OK);
        assert_int_equal(tls_handshake(t), ERR_SYNTAX);
        tls_free(t);
        assert_false(meet(&w, TLS_EXPECT_NAME, MX));
        end(&w);
}

/* A key that is renewed frees its context under open sessions. */
static void test_sessions_keep_what_they_need(void **state)
{
        struct world w;
        struct pair p;
        enum err client, server;
        const struct tls_expect expect = {
                .kind = TLS_EXPECT_NAME, .name = S(MX), .may_resume = true, .now_ms = 1000};
        (void)state;
        begin(&w);
        assert_int_equal(tls_accept(w.server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(w.client, &expect, &p.client), ERR_OK);
        end(&w);
        shake(&p, 100000, &client, &server);
        assert_int_equal(client, ERR_OK);
        assert_int_equal(server, ERR_OK);
        drop(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_again_and_again),
                cmocka_unit_test(test_tls_1_2),
                cmocka_unit_test(test_each_ticket_once),
                cmocka_unit_test(test_never_across_kinds),
                cmocka_unit_test(test_only_if_asked_for),
                cmocka_unit_test(test_too_old),
                cmocka_unit_test(test_keys_that_rotate),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_small_whatever_the_server_sends),
                cmocka_unit_test(test_another_server),
                cmocka_unit_test(test_failed),
                cmocka_unit_test(test_sessions_keep_what_they_need),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
