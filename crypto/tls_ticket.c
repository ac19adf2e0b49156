/* SPDX-License-Identifier: ISC */
/* A server's tickets (RFC 5077 4, RFC 8446 4.6.1): the session itself, under keys that only this process knows and that change. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/bytes.h"
#include "crypto/tls_internal.h"

/* What OpenSSL is told. */
#define FAILED (-1)
#define NO_TICKET 0
#define FITS 1
#define FITS_AND_WANTS_ANOTHER 2

enum err tls_server_rotate(struct tls_context *c)
{
        struct tls_ticket_key fresh = {.is_set = true};
        if (RAND_bytes(fresh.name, sizeof fresh.name) != 1 ||
                RAND_priv_bytes(fresh.aes, sizeof fresh.aes) != 1 ||
                RAND_priv_bytes(fresh.hmac, sizeof fresh.hmac) != 1)
                return ERR_CRYPTO;
        c->tickets[1] = c->tickets[0];
        c->tickets[0] = fresh;
        crypto_wipe(&fresh, sizeof fresh);
        return ERR_OK;
}

/* Give both machines the key. */
static bool use(
        struct tls_ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypts)
{
        char sha256[] = "SHA256";
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof key->hmac),
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                OSSL_PARAM_construct_end()};
        return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv, encrypts) == 1 &&
               EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
        EVP_MAC_CTX *mac, int encrypts)
{
        const struct tls *t = SSL_get_app_data(ssl);
        struct tls_ticket_key *keys = t->context->tickets;
        if (encrypts) {
                memcpy(name, keys[0].name, sizeof keys[0].name);
                bool is_good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
                               use(&keys[0], iv, cipher, mac, encrypts);
                return is_good ? FITS : FAILED;
        }
        /* A client of TLS 1.3 has used its ticket up (RFC 8446 C.4). */
        bool is_used_up = SSL_version(ssl) >= TLS1_3_VERSION;
        for (size_t i = 0; i < 2; i++)
                if (keys[i].is_set && memcmp(name, keys[i].name, sizeof keys[i].name) == 0) {
                        if (!use(&keys[i], iv, cipher, mac, encrypts))
                                return FAILED;
                        return i > 0 || is_used_up ? FITS_AND_WANTS_ANOTHER : FITS;
                }
        return NO_TICKET;
}

enum err tls_ticket_init(struct tls_context *c)
{
        SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
        if (SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ssl, on_ticket) != 1)
                return ERR_CRYPTO;
        return tls_server_rotate(c);
}
