/* SPDX-License-Identifier: ISC */
/* A client's sessions that may be resumed: a table in which the one that was not touched for longest gives way. */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "crypto/tls_internal.h"

#define NAME_MAX_SIZE 254

/* To whom a session belongs: a kind of expectation, and a name as it is sent: servers compare it octet by octet. */
static enum err owner_of(const struct tls_expect *expect, uint8_t out[SHA256_SIZE])
{
        char text[NAME_MAX_SIZE + 1];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_byte(&w, (char)expect->kind);
        wr_str(&w, expect->name);
        enum err e = wr_end(&w);
        return e == ERR_OK ? sha256(wr_text(&w), out) : e;
}

static void forget(struct tls_kept *k)
{
        SSL_SESSION_free(k->session);
        k->session = NULL;
        k->turn = 0;
}

/* The newest one of this owner, or NULL. Those that are too old are forgotten. */
static struct tls_kept *find(struct tls_context *c, const uint8_t whose[SHA256_SIZE], int64_t now_ms)
{
        struct tls_kept *found = NULL;
        for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
                struct tls_kept *k = &c->kept[i];
                if (k->session && now_ms - k->proven_ms >= TLS_RESUME_MS)
                        forget(k);
                if (k->session && memcmp(k->whose, whose, SHA256_SIZE) == 0 &&
                        (!found || k->turn > found->turn))
                        found = k;
        }
        return found;
}

/* Of one server two are kept, for two connections at a time: then its own oldest gives way, else the oldest of all. */
static struct tls_kept *place(struct tls_context *c, const uint8_t whose[SHA256_SIZE])
{
        struct tls_kept *oldest = &c->kept[0], *own = NULL;
        size_t count = 0;
        for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
                struct tls_kept *k = &c->kept[i];
                if (k->turn < oldest->turn)
                        oldest = k;
                if (!k->session || memcmp(k->whose, whose, SHA256_SIZE) != 0)
                        continue;
                count++;
                if (!own || k->turn < own->turn)
                        own = k;
        }
        return count >= 2 ? own : oldest;
}

/* What of a session is worth keeping: all but the chain of certificates, which may be a hundred times as large as the rest and
 * has been looked at. NULL: nothing, for who sends a large ticket or certificate does so to be remembered at our cost. */
static SSL_SESSION *slim(const SSL_SESSION *session)
{
        unsigned char *der = NULL;
        int n = i2d_SSL_SESSION(session, &der);
        const unsigned char *at = der;
        SSL_SESSION *copy = n > 0 && n <= TLS_SESSION_SIZE_MAX ? d2i_SSL_SESSION(NULL, &at, n) : NULL;
        OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0); /* it has secrets */
        return copy;
}

/* A server gave a session. No reference is taken over, which 0 says. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
        struct tls *t = SSL_get_app_data(ssl);
        SSL_SESSION *copy = t->may_keep && SSL_SESSION_is_resumable(session) ? slim(session) : NULL;
        if (!copy)
                return 0;
        struct tls_kept *k = place(t->context, t->whose);
        forget(k);
        k->session = copy;
        memcpy(k->whose, t->whose, SHA256_SIZE);
        k->proven_ms = SSL_session_reused(ssl) ? t->kept_ms : t->now_ms;
        k->turn = ++t->context->turns;
        return 0;
}

enum err tls_resume_init(struct tls_context *c)
{
        c->kept = calloc(TLS_SESSIONS_MAX, sizeof *c->kept);
        if (!c->kept)
                return ERR_CRYPTO;
        SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(c->ssl, on_session);
        return ERR_OK;
}

void tls_resume_drop(struct tls_context *c)
{
        for (size_t i = 0; c->kept && i < TLS_SESSIONS_MAX; i++)
                forget(&c->kept[i]);
        free(c->kept);
        c->kept = NULL;
}

enum err tls_resume_begin(struct tls *t, const struct tls_expect *expect)
{
        if (!expect->may_resume || expect->kind == TLS_EXPECT_DANE || expect->name.n == 0)
                return ERR_OK;
        enum err e = owner_of(expect, t->whose);
        if (e != ERR_OK)
                return e;
        t->may_keep = true;
        t->now_ms = expect->now_ms;
        struct tls_kept *k = find(t->context, t->whose, expect->now_ms);
        if (!k)
                return ERR_OK;
        t->kept_ms = k->proven_ms;
        bool is_used_up = SSL_SESSION_get_protocol_version(k->session) >= TLS1_3_VERSION; /* RFC 8446 C.4 */
        bool is_set = SSL_set_session(t->ssl, k->session) == 1;
        if (is_used_up || !is_set)
                forget(k);
        return is_set ? ERR_OK : ERR_CRYPTO;
}

void tls_resume_forget(struct tls *t)
{
        for (size_t i = 0; t->may_keep && i < TLS_SESSIONS_MAX; i++) {
                struct tls_kept *k = &t->context->kept[i];
                if (k->session && memcmp(k->whose, t->whose, SHA256_SIZE) == 0)
                        forget(k);
        }
}
