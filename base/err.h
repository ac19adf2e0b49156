/* SPDX-License-Identifier: ISC */
/* The one error type of the tree. A verdict (an SPF result, a DKIM result) is not an error and never stands here.
 * The peer's fault and the world's fault return an err; our own fault is a CHECK (base/check.h). */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

enum err {
        ERR_OK = 0,
        ERR_AGAIN,     /* more input is needed, or nothing is ready yet */
        ERR_SYNTAX,    /* the bytes do not follow their grammar */
        ERR_LIMIT,     /* a ceiling of base/limits.h was reached */
        ERR_SPACE,     /* the output buffer is too small */
        ERR_MEMORY,    /* an arena or the heap is exhausted */
        ERR_NOT_FOUND, /* no such thing */
        ERR_EXISTS,    /* it is there already */
        ERR_SEQUENCE,  /* not now: the call does not fit the state (a peer's command out of sequence, say) */
        ERR_UNSUPPORTED, /* well formed, but not something that we do */
        ERR_DENIED,      /* refused by policy, by a signature or by a server's answer */
        ERR_MISMATCH,    /* compared, and different */
        ERR_TIMEOUT,     /* the deadline passed */
        ERR_CANCELLED,   /* the scope of this fiber was cancelled */
        ERR_EOF,         /* the stream ended in order */
        ERR_CLOSED,      /* the connection is lost, or our own end is closed */
        ERR_REFUSED,     /* nobody listens there */
        ERR_UNREACHABLE, /* no way to that address */
        ERR_BUSY,        /* in use by somebody else */
        ERR_FULL,        /* the disk or its share for this purpose is full; freeing space may cure it */
        ERR_IO,          /* the disk or the platform failed; final for that device */
        ERR_CORRUPT,     /* stored data is damaged */
        ERR_CRYPTO,      /* the cryptographic library failed, which is not the same as a wrong signature */
        ERR_COUNT
};

/* A short lower-case phrase for logs and messages, such as "timed out". */
const char *err_text(enum err e);

#endif
