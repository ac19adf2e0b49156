/* SPDX-License-Identifier: ISC */
/* What a mail host makes of a message that came: which try it is a copy of, whether its bytes are those of that try with
 * nothing but fields of ours and the signer's in front, whether its signature verifies for anybody who asks DNS now,
 * and whether its recipients are members. Everything wrong is a violation in the ledger; copies are noted there. */
#ifndef TESTS_SIM_VERIFY_H
#define TESTS_SIM_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "tests/sim/health.h"
#include "tests/sim/ledger.h"
#include "tests/sim/look.h"

#define VERIFY_VIEWS_MAX 8

/* What one resolver of the world would answer now. */
enum verify_status {
        VERIFY_RECORDS, /* these TXT records; none: no such name or no such data */
        VERIFY_TROUBLE  /* no answer: the receiver would ask again later, and nothing is wrong */
};
struct verify_view {
        enum verify_status status;
        const struct str *records; /* each with its strings joined; borrowed until the next question */
        size_t count;
};
/* All different answers that resolvers could give at this moment for the TXT records at `name` ("dkim-1._domainkey.d"):
 * of each server of the zone, and of caches filled up to a TTL ago by somebody who had reason to ask. At least one, at
 * most `cap`; the copy must verify under each. */
typedef size_t verify_lookup(void *ctx, struct str name, struct verify_view *views, size_t cap);

struct verify;
struct book;
struct verify *verify_new(struct ledger *ledger, verify_lookup *lookup, void *ctx);
void verify_free(struct verify *v);
/* From now on each copy must bear the results of this server, and they must be so; `authserv` is its name. */
void verify_expect_results(struct verify *v, const char *authserv);

/* The posts of a list look so; its texts are borrowed. */
void verify_expect_look(struct verify *v, uint32_t list, const struct look *look);
/* From now on mail of the lists themselves is kept in this book. */
void verify_expect_notes(struct verify *v, struct book *book);
/* May `to` ever be sent mail with the sender `from`? */
bool verify_may_come(struct verify *v, struct str from, struct str to);

/* From now on this hears what becomes of members' mail. */
void verify_expect_health(struct verify *v, struct health *health);

/* A mail host has said for good that it takes no mail of this sender for `to`, */
void verify_refused(struct verify *v, struct str from, struct str to, enum health_fault fault);
/* or it has taken it, and sends a bounce of it: `path` is whom that goes to. */
void verify_bounced(struct verify *v, struct str path, struct str about, enum health_fault fault);

struct verify_message {
        const char *host;    /* the mail host's node */
        uint32_t connection; /* in the ledger, its dot noted */
        int64_t wall_s;      /* the mail host's clock */
        struct str from;     /* of the envelope, empty for <> */
        const struct str *to;
        size_t to_count;
        struct str bytes; /* dots undone */
};
/* A mail host has kept this message. */
void verify_received(struct verify *v, const struct verify_message *m);

/* The list or role that mail with this envelope comes from, or LEDGER_NONE; for a return path of ours, its list. */
uint32_t verify_list_of(struct verify *v, struct str from, struct str to);

/* A signed copy that came lately from a list, for those who would send it there again; empty when there is none. Borrowed
 * until the next verify_received. */
struct str verify_sample(const struct verify *v, struct str *list);

#endif
