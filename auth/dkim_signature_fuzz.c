/* SPDX-License-Identifier: ISC */
/* The value of a DKIM-Signature field: what parses is within bounds, and its digest can be taken. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/body_hash.h"
#include "auth/dkim_name.h"
#include "auth/dkim_signature.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct str part, struct str whole)
{
        return part.p >= whole.p && part.n <= whole.n && (size_t)(part.p - whole.p) <= whole.n - part.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char name[] = "DKIM-Signature:";
        size_t n = sizeof name - 1 + size;
        char *text = calloc(1, n), key_name[DNS_NAME_MAX];
        struct dkim_signature s;
        struct mail_header header = {0};
        struct str detail, raw = str_of(text, n);
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        CHECK(text);
        memcpy(text, name, sizeof name - 1);
        if (size > 0)
                memcpy(text + sizeof name - 1, data, size);
        enum dkim_fault fault = dkim_signature_parse(DKIM_FIELD, raw, &s, &detail);
        CHECK((fault == DKIM_TAG_VALUE || fault == DKIM_TAG_MISSING) == (detail.n > 0));
        CHECK(s.domain.n == 0 || dkim_is_name(s.domain));
        if (fault == DKIM_OK) {
                CHECK(is_inside(s.b_span, raw) && is_inside(s.b, s.b_span) && is_inside(s.covered, raw));
                wr_init(&w, key_name, sizeof key_name);
                CHECK(dkim_key_name(s.selector, s.domain, &w) == ERR_OK);
                CHECK(dkim_is_ascii_name(wr_text(&w)));
                CHECK(dkim_is_within(s.domain, s.domain) && dkim_is_within(wr_text(&w), s.domain));
                CHECK(dkim_header_digest(&header, s.covered, s.header_canon, raw, s.b_span, digest) ==
                        ERR_OK);
        }
        free(text);
        return 0;
}
