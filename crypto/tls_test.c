/* SPDX-License-Identifier: ISC */
#include "crypto/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/tls_pair.h"

static void say(struct tls *from, struct tls *to, struct str text)
{
        char got[65536];
        size_t n = 0, all = 0;
        enum err e;
        assert_int_equal(tls_write(from, text), ERR_OK);
        move(from, to, 1000);
        while ((e = tls_read(to, got + all, sizeof got - all, &n)) == ERR_OK)
                all += n;
        assert_int_equal(e, ERR_AGAIN);
        assert_int_equal(all, text.n);
        assert_memory_equal(got, text.p, text.n);
}

static const struct tls_expect nothing = {.kind = TLS_EXPECT_NOTHING};

static void talk(size_t step)
{
        static char big[50000];
        struct crypto_key *key = make_key(1);
        struct tls_context *server = make_server(key, "mx.example.org"), *client;
        struct pair p;
        enum err of_client, of_server;
        char got[16];
        size_t n;
        assert_int_equal(tls_client(S(""), &client), ERR_OK);
        assert_int_equal(tls_accept(server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(client, &nothing, &p.client), ERR_OK);
        shake(&p, step, &of_client, &of_server);
        assert_int_equal(of_client, ERR_OK);
        assert_int_equal(of_server, ERR_OK);
        assert_string_equal(tls_version_text(p.client), "TLSv1.3");
        assert_true(strlen(tls_cipher_text(p.client)) > 0);
        memset(big, 'x', sizeof big);
        say(p.client, p.server, S("EHLO x\r\n"));
        say(p.server, p.client, str_of(big, sizeof big));
        assert_false(tls_is_ended(p.server));
        tls_end(p.client);
        move(p.client, p.server, 1000);
        assert_int_equal(tls_read(p.server, got, sizeof got, &n), ERR_EOF);
        assert_true(tls_is_ended(p.server));
        drop(&p);
        tls_context_free(client);
        tls_context_free(server);
        crypto_key_free(key);
}

static void test_talk(void **state)
{
        (void)state;
        talk(100000);
        talk(7);
        talk(1);
}

/* The same key and times give the same certificate; its key's hash is what a TLSA record says. */
static void test_certificate_is_a_function_of_the_key(void **state)
{
        uint8_t one[SHA256_SIZE], two[SHA256_SIZE], spki[SHA256_SIZE];
        char der[256];
        struct wr w;
        struct crypto_key *key = make_key(1), *other = make_key(2);
        struct tls_context *a = make_server(key, "mx.example.org"), *b = make_server(key, "MX.example.org"),
                           *c = make_server(other, "mx.example.org");
        (void)state;
        assert_int_equal(tls_server_key_hash(a, one), ERR_OK);
        assert_int_equal(tls_server_key_hash(b, two), ERR_OK);
        assert_memory_equal(one, two, sizeof one);
        wr_init(&w, der, sizeof der);
        assert_int_equal(crypto_key_spki(key, &w), ERR_OK);
        assert_int_equal(sha256(wr_text(&w), spki), ERR_OK);
        assert_memory_equal(one, spki, sizeof one);
        assert_int_equal(tls_server_key_hash(c, two), ERR_OK);
        assert_memory_not_equal(one, two, sizeof one);
        assert_true(tls_server_until(a) == NOW + 36500LL * DAY);
        tls_context_free(a);
        tls_context_free(b);
        tls_context_free(c);
        crypto_key_free(key);
        crypto_key_free(other);
}

static void test_hostnames_that_are_none(void **state)
{
        static const char *const bad[] = {"", ".", "a b", "a\nb", "*.example.org", "a,b", "[192.0.2.1]"};
        struct crypto_key *key = make_key(1);
        struct tls_context *c;
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_int_equal(tls_server_self_signed(key, str_of_c(bad[i]), 0, NOW, &c), ERR_SYNTAX);
                assert_null(c);
        }
        crypto_key_free(key);
}

struct dane_case {
        const char *what;
        uint8_t usage, selector, matching;
        bool is_right;
        enum err connect, client;
};

/* RFC 7672 3.1. */
static void test_dane(void **state)
{
        static const struct dane_case cases[] = {
                {"3 1 1", 3, 1, 1, true, ERR_OK, ERR_OK},
                {"3 1 1 of another key", 3, 1, 1, false, ERR_OK, ERR_DENIED},
                {"1 1 1 is not for mail", 1, 1, 1, true, ERR_UNSUPPORTED, ERR_OK},
                {"an unknown selector", 3, 7, 1, true, ERR_UNSUPPORTED, ERR_OK},
                {"an unknown matching type", 3, 1, 9, true, ERR_UNSUPPORTED, ERR_OK},
        };
        struct crypto_key *key = make_key(1);
        struct tls_context *server = make_server(key, "other.name.example"), *client;
        uint8_t hash[SHA256_SIZE];
        (void)state;
        assert_int_equal(tls_client(S(""), &client), ERR_OK);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const struct dane_case *c = &cases[i];
                struct pair p;
                enum err of_client, of_server;
                assert_int_equal(tls_server_key_hash(server, hash), ERR_OK);
                hash[0] = (uint8_t)(hash[0] ^ !c->is_right);
                struct tls_tlsa record = {c->usage, c->selector, c->matching, str_of(hash, sizeof hash)};
                struct tls_expect expect = {
                        TLS_EXPECT_DANE, S("mx.example.org"), S("example.org"), &record, 1};
                assert_int_equal(tls_connect(client, &expect, &p.client), c->connect);
                if (c->connect != ERR_OK)
                        continue;
                assert_int_equal(tls_accept(server, &p.server), ERR_OK);
                shake(&p, 100000, &of_client, &of_server);
                if (of_client != c->client)
                        fail_msg("%s: %s", c->what, tls_fault_text(p.client));
                drop(&p);
        }
        tls_context_free(client);
        tls_context_free(server);
        crypto_key_free(key);
}

/* No root of ours leads to a certificate that signed itself. */
static void test_name_without_root(void **state)
{
        struct crypto_key *key = make_key(1);
        struct tls_context *server = make_server(key, "mx.example.org"), *client;
        struct tls_expect expect = {.kind = TLS_EXPECT_NAME, .name = S("mx.example.org")};
        struct pair p;
        enum err of_client, of_server;
        (void)state;
        assert_int_equal(tls_client(S(""), &client), ERR_OK);
        assert_int_equal(tls_accept(server, &p.server), ERR_OK);
        assert_int_equal(tls_connect(client, &expect, &p.client), ERR_OK);
        shake(&p, 100000, &of_client, &of_server);
        assert_int_equal(of_client, ERR_DENIED);
        assert_true(strlen(tls_fault_text(p.client)) > 0);
        drop(&p);
        tls_context_free(client);
        tls_context_free(server);
        crypto_key_free(key);
}

static void test_no_tls(void **state)
{
        static const char *const texts[] = {"EHLO x\r\n", "GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\xff\xff"};
        struct crypto_key *key = make_key(1);
        struct tls_context *server = make_server(key, "mx.example.org");
        (void)state;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                struct tls *t;
                assert_int_equal(tls_accept(server, &t), ERR_OK);
                assert_int_equal(tls_got(t, str_of_c(texts[i])), ERR_OK);
                assert_int_equal(tls_handshake(t), ERR_SYNTAX);
                assert_true(strlen(tls_fault_text(t)) > 0);
                tls_free(t);
        }
        tls_context_free(server);
        crypto_key_free(key);
}

/* What waits unread has a bound. */
static void test_flood(void **state)
{
        static char zeros[65536];
        struct crypto_key *key = make_key(1);
        struct tls_context *server = make_server(key, "mx.example.org");
        struct tls *t;
        enum err e = ERR_OK;
        size_t n = 0;
        (void)state;
        assert_int_equal(tls_accept(server, &t), ERR_OK);
        while ((e = tls_got(t, str_of(zeros, sizeof zeros))) == ERR_OK)
                assert_true(++n <= TLS_GOT_MAX / sizeof zeros);
        assert_int_equal(e, ERR_LIMIT);
        tls_free(t);
        tls_context_free(server);
        crypto_key_free(key);
}

static void test_pem(void **state)
{
        char pem[1024];
        struct wr w;
        struct crypto_key *key = make_key(1);
        struct tls_context *c;
        (void)state;
        wr_init(&w, pem, sizeof pem);
        assert_int_equal(crypto_key_private_pem(key, &w), ERR_OK);
        assert_int_equal(tls_server_pem(S(""), wr_text(&w), &c), ERR_SYNTAX);
        assert_int_equal(tls_server_pem(S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                                 wr_text(&w), &c),
                ERR_SYNTAX);
        assert_int_equal(tls_client(S("no certificate"), &c), ERR_SYNTAX);
        assert_null(c);
        crypto_key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_talk),
                cmocka_unit_test(test_certificate_is_a_function_of_the_key),
                cmocka_unit_test(test_hostnames_that_are_none),
                cmocka_unit_test(test_dane),
                cmocka_unit_test(test_name_without_root),
                cmocka_unit_test(test_no_tls),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_pem),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
