/* SPDX-License-Identifier: ISC */
/* What verify.c and verify_signature.c share. */
#ifndef TESTS_SIM_VERIFY_INSIDE_H
#define TESTS_SIM_VERIFY_INSIDE_H

#include "auth/dkim_verify.h"
#include "base/limits.h"
#include "tests/sim/buffer.h"
#include "tests/sim/verify.h"

#define VERIFY_LETTERS 16 /* kept: copies of one letter come in a row */
#define VERIFY_KEYS 16    /* parsed: parsing costs more than verifying */

/* A letter that copies of are coming, and the last fields in front of it that were verified: members get the same
 * bytes, so the next copy needs no arithmetic as long as DNS says the same. */
struct known {
        uint32_t try, list;
        struct str letter;       /* owned; as it arrives, */
        struct str renamed;      /* or may arrive, with another From; owned */
        struct buffer front;     /* verified; empty: none yet */
        struct buffer names;     /* of the keys that were asked for, each ended by LF */
        struct buffer dns;       /* what was answered, as `put_views` writes it */
        int64_t from_s, until_s; /* when that holds */
};

struct cached_key {
        struct str record; /* owned */
        struct dkim_key key;
};

struct verify {
        struct ledger *ledger;
        verify_lookup *lookup;
        void *ctx;
        const char *authserv;  /* NULL: nothing is expected */
        struct book *book;     /* or NULL */
        struct health *health; /* likewise */
        struct look *looks;    /* by list; of those behind all is standard */
        size_t look_count;
        struct known known[VERIFY_LETTERS];
        struct cached_key keys[VERIFY_KEYS];
        size_t key_count; /* ever parsed */
        struct buffer sample, dns;
        uint32_t sample_list;
        struct dkim_verify dkim;
        struct mail_field fields[MAIL_FIELDS_MAX];
};

/* Is there a signature of `domain` that is right? If not, `*why` is what is wrong with the last one. What was asked for and
 * answered is kept in `k`. */
bool verify_is_signed(struct verify *v, struct known *k, const struct verify_message *m, struct str domain,
        enum dkim_fault *why);
/* Would the arithmetic be the same as last time? */
bool verify_is_as_before(
        struct verify *v, const struct known *k, const struct verify_message *m, struct str front);

#endif
