/* SPDX-License-Identifier: ISC */
/* TSIG: transaction signatures with a shared key (RFC 8945), HMAC with SHA-256, SHA-384 or SHA-512.
 * Pure: no I/O, no allocation, no clock. Single messages only, no streams of them. */
#ifndef DNS_TSIG_H
#define DNS_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "crypto/hmac.h"
#include "dns/name.h"

#define TSIG_ROOM \
        (DNS_NAME_MAX + 10 + 13 + 16 + HMAC_SIZE_MAX + 6) /* what a signature adds to a message at most */
#define TSIG_OTHER_MAX 6                                  /* octets of other data that we write: a time */

struct tsig_key {
        struct dns_name name;
        enum hmac_hash hash;
        uint8_t secret[TSIG_SECRET_MAX];
        size_t secret_n;
};

/* "name:algorithm:base64", algorithm SHA256, SHA384 or SHA512 in either case.
 *   ERR_OK
 *   ERR_SYNTAX       a part is missing or malformed, or the secret is empty
 *   ERR_UNSUPPORTED  another algorithm
 *   ERR_LIMIT        a secret above TSIG_SECRET_MAX bytes      (`*out` is zeros on errors) */
MUST_USE enum err tsig_key_parse(struct str text, struct tsig_key *out);
/* The zone that a key's name points to: what follows its label `_update`, as in `k._update.example.org`.
 *   ERR_OK, or ERR_NOT_FOUND without that label or with nothing behind it */
MUST_USE enum err tsig_key_zone(const struct tsig_key *key, struct dns_name *out);
void tsig_key_wipe(struct tsig_key *key);

struct tsig_mac {
        uint8_t b[HMAC_SIZE_MAX];
        size_t n;
};

/* The fields of a TSIG record that go into its digest (4.3.3). */
struct tsig_fields {
        uint64_t time_s; /* 48 bits */
        uint16_t fudge_s;
        uint16_t error;
        struct str other;
};

/* The MAC of a message that has no TSIG record (its id the original one), over the MAC of the request before it when
 * that is not empty (a response's), the message and the fields (4.3).
 *   ERR_OK, ERR_SYNTAX (shorter than a header), or ERR_CRYPTO */
MUST_USE enum err tsig_digest(const struct tsig_key *key, struct str request_mac, struct str message,
        const struct tsig_fields *fields, struct tsig_mac *out);

/* Append a TSIG record to the message of `n` bytes in `buffer` and count it in the header.
 *   ERR_OK      `*signed_message` is the whole, borrowed from `buffer`; `*mac` is to be kept for the answer
 *   ERR_SPACE   fewer than TSIG_ROOM bytes (or fewer than this key needs) are left
 *   ERR_SYNTAX  shorter than a header, or it has no room for one more record
 *   ERR_CRYPTO */
struct tsig_input {
        void *buffer;
        size_t n;
        size_t cap;
        struct str request_mac; /* empty for a request */
        struct tsig_fields fields;
};
MUST_USE enum err tsig_sign(const struct tsig_key *key, const struct tsig_input *in,
        struct str *signed_message, struct tsig_mac *mac);

/* The verdict on a message that should be signed with `key`, in the order of RFC 8945 5.2. Only TSIG_GOOD and
 * TSIG_BADTIME say that somebody with the key signed this; only TSIG_GOOD lets the message be believed. */
enum tsig_verdict {
        TSIG_GOOD,
        TSIG_ABSENT,    /* no TSIG record */
        TSIG_UNSIGNED,  /* a TSIG record with an empty MAC: how a server says BADKEY or BADSIG (5.3.2) */
        TSIG_MALFORMED, /* the message or its TSIG record (5.2: FORMERR), TSIG not last, or twice */
        TSIG_BADKEY,    /* another key name or algorithm */
        TSIG_BADSIG,
        TSIG_BADTIME, /* the MAC is right, but time signed is further than fudge from our clock */
        TSIG_BADTRUNC, /* the MAC is right as far as it goes, but shorter than the whole: we ask for all of it */
};

struct tsig_result {
        enum tsig_verdict verdict;
        bool is_signed;  /* the MAC was right; else what follows is only claimed */
        uint64_t time_s; /* time signed */
        uint16_t fudge_s;
        uint16_t error;         /* the TSIG error field: a dns_rcode */
        uint64_t server_time_s; /* with error BADTIME: the server's clock from other data (5.2.3); else 0 */
        struct tsig_mac mac;    /* the message's own, for an answer to it */
};

/* Verify a message; `request_mac` is empty for a request, and that of our request for a response.
 *   ERR_OK with a verdict, or ERR_CRYPTO when the library failed */
MUST_USE enum err tsig_verify(const struct tsig_key *key, struct str message, struct str request_mac,
        uint64_t now_s, struct tsig_result *out);

#endif
