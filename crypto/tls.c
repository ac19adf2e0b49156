/* SPDX-License-Identifier: ISC */
/* TLS sessions. */
#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/tls_internal.h"

#define NAME_MAX_SIZE 254

/* RFC 7218 2.1 */
#define USAGE_DANE_TA 2
#define USAGE_DANE_EE 3

void tls_free(struct tls *t)
{
        if (t) {
                /* A session without a fault may be resumed, also when the connection just ended: RFC 8446 6.1 asks for no more. */
                if (t->ssl && t->fault[0] == '\0')
                        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
                SSL_free(t->ssl); /* with its BIOs */
                tls_context_free(t->context);
        }
        free(t);
        ERR_clear_error();
}

/* A session of `c` whose octets wait in memory. */
static enum err session_new(struct tls_context *c, struct tls **out)
{
        struct tls *t = calloc(1, sizeof *t);
        *out = t;
        if (t) {
                t->fault = "";
                t->ssl = SSL_new(c->ssl);
                t->context = c;
                c->users++;
        }
        BIO *in = BIO_new(BIO_s_mem()), *wire = BIO_new(BIO_s_mem());
        if (!t || !t->ssl || !in || !wire) {
                BIO_free(in);
                BIO_free(wire);
                tls_free(t);
                *out = NULL;
                return ERR_CRYPTO;
        }
        BIO_set_mem_eof_return(in, -1); /* empty is "not yet", the connection's end is told by its owner */
        BIO_set_mem_eof_return(wire, -1);
        SSL_set_bio(t->ssl, in, wire);
        SSL_set_app_data(t->ssl, t);
        t->in = in;
        t->out = wire;
        return ERR_OK;
}

enum err tls_accept(struct tls_context *server, struct tls **out)
{
        enum err e = session_new(server, out);
        if (e == ERR_OK)
                SSL_set_accept_state((*out)->ssl);
        return e;
}

/* ---- what a client expects ---- */

/* A name for the library: without NUL, terminated by one. */
static enum err name_of(struct str s, char text[NAME_MAX_SIZE])
{
        struct wr w;
        if (s.n == 0 || str_find_byte(s, '\0') < s.n)
                return ERR_SYNTAX;
        wr_init(&w, text, NAME_MAX_SIZE);
        wr_str(&w, s);
        wr_byte(&w, '\0');
        return wr_end(&w) == ERR_OK ? ERR_OK : ERR_SYNTAX;
}

/* RFC 7672 3.1: only DANE-TA and DANE-EE; 3.1.1: names are not looked at with DANE-EE. */
static enum err expect_dane(struct tls *t, const struct tls_expect *expect, const char *name)
{
        size_t usable = 0;
        if (SSL_dane_enable(t->ssl, name) <= 0)
                return ERR_CRYPTO;
        SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
        for (size_t i = 0; i < expect->tlsa_count && i < TLS_TLSA_MAX; i++) {
                const struct tls_tlsa *r = &expect->tlsa[i];
                if (r->usage != USAGE_DANE_TA && r->usage != USAGE_DANE_EE)
                        continue;
                int added = SSL_dane_tlsa_add(t->ssl, r->usage, r->selector, r->matching,
                        (const unsigned char *)r->data.p, r->data.n);
                if (added < 0)
                        return ERR_CRYPTO;
                usable += added > 0;
        }
        if (usable == 0)
                return ERR_UNSUPPORTED;
        char other[NAME_MAX_SIZE];
        if (expect->other.n > 0 &&
                (name_of(expect->other, other) != ERR_OK || SSL_add1_host(t->ssl, other) != 1))
                return ERR_CRYPTO;
        return ERR_OK;
}

static enum err expect_some(struct tls *t, const struct tls_expect *expect)
{
        char name[NAME_MAX_SIZE];
        enum err e = name_of(expect->name, name);
        if (e != ERR_OK)
                return expect->kind == TLS_EXPECT_NOTHING && expect->name.n == 0 ? ERR_OK : e;
        if (SSL_set_tlsext_host_name(t->ssl, name) != 1)
                return ERR_CRYPTO;
        /* RFC 8461 3.3, 4.2: a DNS-ID; RFC 7672 3.2.3 takes the common name of a certificate without one. */
        unsigned never_common = expect->kind == TLS_EXPECT_NAME ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0;
        SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | never_common);
        if (expect->kind == TLS_EXPECT_NOTHING)
                return ERR_OK;
        SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
        if (expect->kind == TLS_EXPECT_DANE)
                return expect_dane(t, expect, name);
        return SSL_set1_host(t->ssl, name) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err tls_connect(struct tls_context *client, const struct tls_expect *expect, struct tls **out)
{
        enum err e = session_new(client, out);
        if (e == ERR_OK) {
                SSL_set_connect_state((*out)->ssl);
                e = expect_some(*out, expect);
        }
        if (e == ERR_OK)
                e = tls_resume_begin(*out, expect);
        ERR_clear_error();
        if (e != ERR_OK) {
                tls_free(*out);
                *out = NULL;
        }
        return e;
}

/* ---- octets of the connection ---- */

enum err tls_got(struct tls *t, struct str bytes)
{
        if (bytes.n > TLS_GOT_MAX || BIO_ctrl_pending(t->in) > TLS_GOT_MAX - bytes.n)
                return ERR_LIMIT;
        if (bytes.n > 0 && BIO_write(t->in, bytes.p, (int)bytes.n) != (int)bytes.n)
                return ERR_CRYPTO;
        return ERR_OK;
}

struct str tls_pending(struct tls *t)
{
        char *p = NULL;
        long n = BIO_get_mem_data(t->out, &p);
        return str_of(p, n > 0 ? (size_t)n : 0);
}

void tls_sent(struct tls *t, size_t n)
{
        char dropped[4096];
        if (n == BIO_ctrl_pending(t->out)) {
                (void)BIO_reset(t->out);
                return;
        }
        while (n > 0) {
                int got = BIO_read(t->out, dropped, (int)(n < sizeof dropped ? n : sizeof dropped));
                if (got <= 0)
                        return;
                n -= (size_t)got;
        }
}

/* ---- the session ---- */

/* The library has said no. A certificate that was refused has a reason of its own. */
static enum err fault(struct tls *t)
{
        unsigned long code = ERR_peek_error();
        long verdict = SSL_get_verify_result(t->ssl);
        bool is_certificate = ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
        const char *text =
                is_certificate ? X509_verify_cert_error_string(verdict) : ERR_reason_error_string(code);
        t->fault = text ? text : "the peer ended the session";
        ERR_clear_error();
        return is_certificate ? ERR_DENIED : ERR_SYNTAX;
}

/* What a call that gave `result` means. */
static enum err outcome(struct tls *t, int result)
{
        switch (SSL_get_error(t->ssl, result)) {
        case SSL_ERROR_NONE:
                return ERR_OK;
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                ERR_clear_error();
                return ERR_AGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return ERR_EOF;
        default:
                return fault(t);
        }
}

enum err tls_handshake(struct tls *t)
{
        ERR_clear_error();
        enum err e = outcome(t, SSL_do_handshake(t->ssl));
        if (e != ERR_OK && e != ERR_AGAIN)
                tls_resume_forget(t);
        return e;
}

enum err tls_read(struct tls *t, void *into, size_t cap, size_t *got)
{
        *got = 0;
        ERR_clear_error();
        int n = SSL_read(t->ssl, into, cap > INT_MAX ? INT_MAX : (int)cap);
        if (n > 0) {
                *got = (size_t)n;
                return ERR_OK;
        }
        return outcome(t, n);
}

enum err tls_write(struct tls *t, struct str bytes)
{
        while (bytes.n > 0) {
                ERR_clear_error();
                int n = SSL_write(t->ssl, bytes.p, bytes.n > INT_MAX ? INT_MAX : (int)bytes.n);
                if (n <= 0) /* memory takes all: nothing to wait for */
                        return outcome(t, n) == ERR_SYNTAX ? ERR_SYNTAX : ERR_CRYPTO;
                bytes = str_skip(bytes, (size_t)n);
        }
        return ERR_OK;
}

void tls_end(struct tls *t)
{
        if (SSL_is_init_finished(t->ssl))
                (void)SSL_shutdown(t->ssl);
        ERR_clear_error();
}

bool tls_is_ended(const struct tls *t)
{
        return (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

const char *tls_version_text(const struct tls *t)
{
        return SSL_get_version(t->ssl);
}

const char *tls_cipher_text(const struct tls *t)
{
        const char *name = SSL_get_cipher_name(t->ssl);
        return name ? name : "";
}

bool tls_is_resumed(const struct tls *t)
{
        return SSL_session_reused(t->ssl) == 1;
}

const char *tls_fault_text(const struct tls *t)
{
        return t->fault;
}
