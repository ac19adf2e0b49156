/* SPDX-License-Identifier: ISC */
#include "auth/dkim.h"

#include "auth/dkim_name.h"
#include "base/check.h"

struct str dkim_result_text(enum dkim_result r)
{
        switch (r) {
        case DKIM_NONE:
                return S("none");
        case DKIM_PASS:
                return S("pass");
        case DKIM_EXPIRED:
        case DKIM_POLICY:
                return S("policy");
        case DKIM_FAIL:
                return S("fail");
        case DKIM_TEMPERROR:
                return S("temperror");
        case DKIM_PERMERROR:
                return S("permerror");
        }
        CHECK(false);
}

#define TEXT(literal)                           \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }

static const struct {
        enum dkim_result result;
        struct str text;
} faults[DKIM_FAULT_COUNT] = {
        [DKIM_OK] = {DKIM_PASS, TEXT("the signature is right")},
        [DKIM_TAG_LIST] = {DKIM_PERMERROR, TEXT("the signature field is not a list of tags")},
        [DKIM_TAG_TWICE] = {DKIM_PERMERROR, TEXT("a tag of the signature stands twice")},
        [DKIM_TAGS_MANY] = {DKIM_PERMERROR, TEXT("the signature has too many tags")},
        [DKIM_VERSION] = {DKIM_PERMERROR, TEXT("the version of the signature (v=) is not 1")},
        [DKIM_TAG_MISSING] = {DKIM_PERMERROR, TEXT("the signature lacks a required tag")},
        [DKIM_TAG_VALUE] = {DKIM_PERMERROR, TEXT("a tag of the signature has a malformed value")},
        [DKIM_ALGORITHM] = {DKIM_PERMERROR, TEXT("the signature's algorithm (a=) is unknown")},
        [DKIM_SHA1] = {DKIM_PERMERROR,
                TEXT("the signature's algorithm is rsa-sha1, which RFC 8301 forbids: sign with rsa-sha256")},
        [DKIM_CANON] = {DKIM_PERMERROR, TEXT("the signature's canonicalization (c=) is unknown")},
        [DKIM_QUERY] = {DKIM_PERMERROR, TEXT("the signature's query methods (q=) leave out dns/txt")},
        [DKIM_FROM_UNSIGNED] = {DKIM_PERMERROR, TEXT("the signature does not cover the From field")},
        [DKIM_IDENTITY] = {DKIM_PERMERROR, TEXT("the identity (i=) is not within the signing domain (d=)")},
        [DKIM_TIMES] = {DKIM_PERMERROR, TEXT("the signature ends (x=) before it begins (t=)")},
        [DKIM_FUTURE] = {DKIM_POLICY,
                TEXT("the signature was made in the future (t=): a clock is wrong, the signer's or ours")},
        [DKIM_KEY_NONE] = {DKIM_PERMERROR, TEXT("there is no key record (TXT) in DNS")},
        [DKIM_KEY_SEVERAL] = {DKIM_PERMERROR,
                TEXT("there are several key records (TXT) under one name in DNS: leave one of them")},
        [DKIM_KEY_TROUBLE] = {DKIM_TEMPERROR, TEXT("DNS gave no answer for the key record")},
        [DKIM_KEY_RECORD] = {DKIM_PERMERROR, TEXT("the key record is malformed")},
        [DKIM_KEY_VERSION] = {DKIM_PERMERROR, TEXT("the version of the key record (v=) is not DKIM1")},
        [DKIM_KEY_TYPE] = {DKIM_PERMERROR, TEXT("the type of the key (k=) is unknown")},
        [DKIM_KEY_REVOKED] = {DKIM_PERMERROR, TEXT("the key was revoked (p= is empty)")},
        [DKIM_KEY_HASH] = {DKIM_PERMERROR, TEXT("the key record does not allow sha256 (h=)")},
        [DKIM_KEY_SERVICE] = {DKIM_PERMERROR, TEXT("the key record is not for e-mail (s=)")},
        [DKIM_KEY_DATA] = {DKIM_PERMERROR, TEXT("the key record holds no key of its type (p=)")},
        [DKIM_KEY_SHORT] = {DKIM_PERMERROR,
                TEXT("the RSA key has less than 1024 bits, which RFC 8301 forbids")},
        [DKIM_KEY_LONG] = {DKIM_PERMERROR, TEXT("the RSA key has more than 4096 bits")},
        [DKIM_KEY_MISMATCH] = {DKIM_PERMERROR,
                TEXT("the key is of another type (k=) than the signature's algorithm (a=)")},
        [DKIM_KEY_STRICT] = {DKIM_PERMERROR,
                TEXT("the key (t=s) is not for a subdomain, and the identity (i=) lies in one")},
        [DKIM_BODY] = {DKIM_FAIL, TEXT("the body was changed after signing (bh=)")},
        [DKIM_BODY_SHORT] = {DKIM_FAIL, TEXT("the body is shorter than when it was signed (l=)")},
        [DKIM_BODY_PARTIAL] = {DKIM_POLICY, TEXT("the signature does not cover the end of the body (l=)")},
        [DKIM_SIGNATURE] = {DKIM_FAIL,
                TEXT("a covered header field was changed after signing, or the key is another one")},
        [DKIM_FIELD_ADDED] = {DKIM_FAIL, TEXT("the header was changed after signing, perhaps by adding a "
                                              "field that was to stay alone")},
        [DKIM_PAST] = {DKIM_EXPIRED, TEXT("the signature has expired (x=)")},
        [DKIM_LIBRARY] = {DKIM_TEMPERROR, TEXT("the cryptographic library failed")},
};

struct str dkim_fault_text(enum dkim_fault f)
{
        CHECK((size_t)f < DKIM_FAULT_COUNT);
        return faults[f].text;
}

enum dkim_result dkim_fault_result(enum dkim_fault f)
{
        CHECK((size_t)f < DKIM_FAULT_COUNT);
        return faults[f].result;
}

void dkim_reason_write(
        struct wr *w, enum dkim_fault fault, struct str detail, struct str selector, struct str domain)
{
        wr_str(w, dkim_fault_text(fault));
        if (fault >= DKIM_KEY_NONE && fault <= DKIM_KEY_STRICT) {
                wr_str(w, S(": "));
                dkim_name_write(w, selector);
                wr_str(w, S("._domainkey."));
                dkim_name_write(w, domain);
        } else if (detail.n > 0) {
                wr_str(w, S(": "));
                wr_str(w, detail);
        }
}
