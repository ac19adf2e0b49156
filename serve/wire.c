/* SPDX-License-Identifier: ISC */
#include "serve/wire.h"

#define PIECE 4096        /* octets read from the connection at a time */
#define WRITE_PIECE 16384 /* octets encrypted before they are sent: one record's worth (RFC 8446 5.1) */

void wire_init(struct wire *w, struct host *h, struct host_tcp *tcp)
{
        *w = (struct wire){.host = h, .tcp = tcp};
}

void wire_drop(struct wire *w)
{
        tls_free(w->tls);
        w->tls = NULL;
}

/* Send what TLS has to say. */
static enum err push(struct wire *w, int64_t deadline_ms)
{
        struct str pending = tls_pending(w->tls);
        if (pending.n == 0)
                return ERR_OK;
        enum err e = host_tcp_write(w->host, w->tcp, pending, deadline_ms);
        tls_sent(w->tls, pending.n);
        return e;
}

/* Give TLS what the peer sends next. */
static enum err pull(struct wire *w, int64_t deadline_ms)
{
        char piece[PIECE];
        size_t got;
        enum err e = host_tcp_read(w->host, w->tcp, piece, sizeof piece, deadline_ms, &got);
        if (e == ERR_OK && tls_got(w->tls, str_of(piece, got)) != ERR_OK)
                e = ERR_CLOSED;
        return e;
}

enum err wire_secure(struct wire *w, struct tls *tls, int64_t deadline_ms, const char **why)
{
        enum err e;
        wire_drop(w);
        w->tls = tls;
        *why = "";
        while ((e = tls_handshake(tls)) == ERR_AGAIN) {
                e = push(w, deadline_ms);
                if (e == ERR_OK)
                        e = pull(w, deadline_ms);
                if (e != ERR_OK)
                        return e;
        }
        enum err sent =
                push(w, deadline_ms); /* the last of our handshake, or an alert that tells the peer why */
        if (e == ERR_OK)
                return sent;
        *why = tls_fault_text(tls);
        return e == ERR_DENIED ? ERR_DENIED : ERR_SYNTAX;
}

enum err wire_read(struct wire *w, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        enum err e;
        if (!w->tls)
                return host_tcp_read(w->host, w->tcp, into, cap, deadline_ms, got);
        while ((e = tls_read(w->tls, into, cap, got)) == ERR_AGAIN) {
                e = push(w, deadline_ms);
                if (e == ERR_OK)
                        e = pull(w, deadline_ms);
                if (e != ERR_OK)
                        return e;
        }
        return e == ERR_SYNTAX ? ERR_CLOSED : e;
}

enum err wire_write(struct wire *w, struct str bytes, int64_t deadline_ms)
{
        enum err e = ERR_OK;
        if (!w->tls)
                return host_tcp_write(w->host, w->tcp, bytes, deadline_ms);
        while (e == ERR_OK && bytes.n > 0) {
                struct str piece = str_take(bytes, WRITE_PIECE);
                e = tls_write(w->tls, piece) == ERR_OK ? push(w, deadline_ms) : ERR_CLOSED;
                bytes = str_skip(bytes, piece.n);
        }
        return e;
}

void wire_end(struct wire *w, int64_t deadline_ms)
{
        if (!w->tls)
                return;
        tls_end(w->tls);
        enum err e = push(w, deadline_ms);
        (void)e; /* who has gone cannot be told */
}
