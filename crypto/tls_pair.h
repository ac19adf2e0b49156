/* SPDX-License-Identifier: ISC */
/* For tests: a client and a server of TLS that talk to each other through memory. */
#ifndef CRYPTO_TLS_PAIR_H
#define CRYPTO_TLS_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "crypto/key.h"
#include "crypto/tls.h"

#define DAY 86400
#define NOW 1795000000 /* the library looks at the clock: certificates here are valid for a century */

/* A key that signs quickly; the seed is of no importance. */
static inline struct crypto_key *make_key(uint8_t seed)
{
        uint8_t bytes[ED25519_SEED_SIZE];
        struct crypto_key *key;
        memset(bytes, seed, sizeof bytes);
        assert_int_equal(crypto_key_ed25519_private(bytes, &key), ERR_OK);
        return key;
}

static inline struct tls_context *make_server(const struct crypto_key *key, const char *name)
{
        struct tls_context *c;
        assert_int_equal(tls_server_self_signed(key, str_of_c(name), 0, NOW + 36500LL * DAY, &c), ERR_OK);
        return c;
}

struct pair {
        struct tls *client, *server;
};

static inline void move(struct tls *from, struct tls *to, size_t step)
{
        struct str pending;
        while ((pending = tls_pending(from)).n > 0) {
                struct str part = str_take(pending, step);
                assert_int_equal(tls_got(to, part), ERR_OK);
                tls_sent(from, part.n);
                if (step == 1)
                        return;
        }
}

/* Octets go to and fro until both are done or one has failed. */
static inline void shake(struct pair *p, size_t step, enum err *client, enum err *server)
{
        *client = *server = ERR_AGAIN;
        for (size_t round = 0; round < 100000 && (*client == ERR_AGAIN || *server == ERR_AGAIN); round++) {
                if (*client == ERR_AGAIN)
                        *client = tls_handshake(p->client);
                move(p->client, p->server, step);
                if (*server == ERR_AGAIN)
                        *server = tls_handshake(p->server);
                move(p->server, p->client, step);
                if ((*client != ERR_OK && *client != ERR_AGAIN) ||
                        (*server != ERR_OK && *server != ERR_AGAIN))
                        break;
        }
        while (step == 1 && (tls_pending(p->client).n > 0 || tls_pending(p->server).n > 0)) {
                move(p->client, p->server, step);
                move(p->server, p->client, step);
        }
}

static inline void drop(struct pair *p)
{
        tls_free(p->client);
        tls_free(p->server);
}

#endif
