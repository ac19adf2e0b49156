/* SPDX-License-Identifier: ISC */
#include "auth/arc.h"

#include "auth/dkim_name.h"
#include "base/check.h"
#include "base/limits.h"

#define TEXT(literal)                           \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }

static const struct str statuses[] = {
        [ARC_NONE] = TEXT("none"), [ARC_PASS] = TEXT("pass"), [ARC_FAIL] = TEXT("fail")};

struct str arc_cv_text(enum arc_cv cv)
{
        CHECK((size_t)cv < sizeof statuses / sizeof statuses[0]);
        return statuses[cv];
}

bool arc_cv_parse(struct str word, enum arc_cv *out)
{
        *out = ARC_NONE;
        for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
                if (!str_eq_nocase(word, statuses[i]))
                        continue;
                *out = (enum arc_cv)i;
                return true;
        }
        return false;
}

size_t arc_instance_parse(struct str digits)
{
        uint64_t n;
        enum err e = str_to_u64(digits, ARC_SETS_MAX, &n);
        return e == ERR_LIMIT ? ARC_SETS_MAX + 1 : (size_t)n;
}

static const struct str texts[ARC_FAULT_COUNT] = {
        [ARC_OK] = TEXT("the chain is right"),
        [ARC_INSTANCE] = TEXT("a field has no instance (i=) from 1 to 50"),
        [ARC_TWICE] = TEXT("there are two of a field"),
        [ARC_INCOMPLETE] = TEXT("a field is missing"),
        [ARC_ENDED] = TEXT("the sealer found the chain broken (cv=fail)"),
        [ARC_STATUS] = TEXT(
                "the status of the seal (cv=) is not \"none\" for the first set and \"pass\" for others"),
        [ARC_MESSAGE_SIGNATURE] = TEXT("ARC-Message-Signature"),
        [ARC_SEAL] = TEXT("ARC-Seal"),
};

void arc_reason_write(struct wr *w, const struct arc_verdict *v)
{
        bool is_signature = v->fault == ARC_MESSAGE_SIGNATURE || v->fault == ARC_SEAL;
        if (v->cv == ARC_NONE) {
                wr_str(w, S("there is no chain"));
                return;
        }
        if (v->fault != ARC_OK && v->instance > 0) {
                wr_str(w, S("set "));
                wr_u64(w, v->instance);
                wr_str(w, is_signature ? S(", ") : S(": "));
        }
        wr_str(w, texts[v->fault]);
        if (is_signature) {
                wr_str(w, v->domain.n > 0 ? S(" of ") : S(""));
                dkim_name_write(w, v->domain);
                wr_str(w, S(": "));
                dkim_reason_write(w, v->dkim, v->detail, v->selector, v->domain);
        } else if (v->detail.n > 0) {
                wr_str(w, S(": "));
                wr_str(w, v->detail);
        }
}
