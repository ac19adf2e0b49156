/* SPDX-License-Identifier: ISC */
/* The octets of a connection as a protocol sees them: in the clear, and after a handshake under TLS (crypto/tls.h). One
 * fiber reads and writes; each call blocks it as host/host.h says. */
#ifndef SERVE_WIRE_H
#define SERVE_WIRE_H

#include "crypto/tls.h"
#include "host/host.h"

struct wire {
        struct host *host;
        struct host_tcp *tcp; /* the caller's to close */
        struct tls *tls;      /* owned; NULL: in the clear */
};

void wire_init(struct wire *w, struct host *h, struct host_tcp *tcp);
/* Forget TLS; the connection stays. Harmless when called again. */
void wire_drop(struct wire *w);

/* Do the handshake of `tls` and go on under it; `tls` is taken over, whatever the outcome.
 *   ERR_OK
 *   ERR_DENIED   the server's certificate is not as expected          } `*why` is for a log, it lives for ever;
 *   ERR_SYNTAX   the other side does not speak TLS, or none that we do } nothing more can be said
 *   ERR_EOF, ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELLED   as host/host.h says; `*why` is "" */
MUST_USE enum err wire_secure(struct wire *w, struct tls *tls, int64_t deadline_ms, const char **why);

/* As host_tcp_read and host_tcp_write; ERR_CLOSED also when the stream of TLS is damaged. */
MUST_USE enum err wire_read(struct wire *w, void *into, size_t cap, int64_t deadline_ms, size_t *got);
MUST_USE enum err wire_write(struct wire *w, struct str bytes, int64_t deadline_ms);
/* Tell the other side that nothing more comes (close_notify, RFC 8446 6.1), as far as it listens: without that it cannot know
 * whether somebody has cut the connection. Does nothing in the clear, or where no handshake was done. */
void wire_end(struct wire *w, int64_t deadline_ms);

#endif
