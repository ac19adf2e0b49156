/* SPDX-License-Identifier: ISC */
/* What ARC says of a message's chain (RFC 8617): the status, and the faults behind it. Reading a chain is
 * auth/arc_chain.h, validating it auth/arc_verify.h, sealing auth/arc_seal.h. */
#ifndef AUTH_ARC_H
#define AUTH_ARC_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim.h"
#include "base/str.h"
#include "base/wr.h"

/* The Chain Validation Status (4.4), and the value of cv= and of "arc=". */
enum arc_cv {
        ARC_NONE, /* there is no chain */
        ARC_PASS, /* it is whole: the newest set's signature and every seal are right */
        ARC_FAIL  /* it is not, and never will be again */
};

struct str arc_cv_text(enum arc_cv cv);
/* That word read, ASCII case ignored: false, and ARC_NONE, for another one. */
bool arc_cv_parse(struct str word, enum arc_cv *out);

/* i= as written (4.2.1): one or two digits. 0: not from 1 to ARC_SETS_MAX; ARC_SETS_MAX + 1 for any number above. */
size_t arc_instance_parse(struct str digits);

enum arc_fault {
        ARC_OK, /* no fault: pass or none */
        /* the structure (5.2 steps 1 and 2) */
        ARC_INSTANCE, /* a field has no i= of 1 to 50, or is so malformed that none is found: detail names the field */
        ARC_TWICE,      /* the set has two of a field: detail names it */
        ARC_INCOMPLETE, /* the set lacks a field, or is missing as a whole: detail names the field */
        ARC_ENDED,      /* the newest seal says cv=fail: the chain has ended */
        ARC_STATUS,     /* cv= of the set's seal is not what its place asks for */
        /* the signatures; `dkim` says why */
        ARC_MESSAGE_SIGNATURE, /* the newest set's ARC-Message-Signature */
        ARC_SEAL,              /* the set's ARC-Seal */
        ARC_FAULT_COUNT
};

struct arc_verdict {
        enum arc_cv cv;
        enum arc_fault fault;
        enum dkim_fault dkim; /* of ARC_MESSAGE_SIGNATURE and ARC_SEAL, else DKIM_OK */
        bool is_temporary;    /* another try later may end otherwise; for now the chain fails */
        size_t count;         /* sets: the highest instance that was found */
        size_t instance;      /* of the set at fault; 0: unknown */
        struct str detail;    /* a field's or a tag's name, or empty; borrowed from the message */
        struct str domain;    /* d= of the signature at fault, or of the newest seal; borrowed likewise */
        struct str selector;  /* s= of it */
};

/* A sentence without its full stop, for a person who wants to mend it, such as
 * "set 2, ARC-Seal of example.org: there is no key record (TXT) in DNS: s1._domainkey.example.org". */
#define ARC_REASON_MAX 1024
void arc_reason_write(struct wr *w, const struct arc_verdict *v);

#endif
