/* SPDX-License-Identifier: ISC */
#include "auth/dmarc.h"

#include "base/check.h"

struct str dmarc_result_text(enum dmarc_result r)
{
        static const struct str texts[DMARC_RESULT_COUNT] = {
                [DMARC_NONE] = {"none", 4},
                [DMARC_PASS] = {"pass", 4},
                [DMARC_FAIL] = {"fail", 4},
                [DMARC_TEMPERROR] = {"temperror", 9},
                [DMARC_PERMERROR] = {"permerror", 9},
        };
        CHECK(r < DMARC_RESULT_COUNT);
        return texts[r];
}

struct str dmarc_policy_text(enum dmarc_policy p)
{
        return p == DMARC_POLICY_REJECT       ? S("reject")
               : p == DMARC_POLICY_QUARANTINE ? S("quarantine")
                                              : S("none");
}

static const struct {
        const char *text;
        enum dmarc_result result;
} faults[DMARC_FAULT_COUNT] = {
        [DMARC_OK] = {"an identifier that passed is aligned with the author's domain", DMARC_PASS},
        [DMARC_FROM_NONE] = {"the message has no author in a From field", DMARC_PERMERROR},
        [DMARC_FROM_TWICE] = {"the message has several From fields", DMARC_PERMERROR},
        [DMARC_FROM_SYNTAX] = {"the From field is malformed", DMARC_PERMERROR},
        [DMARC_FROM_SEVERAL] = {"the From field has addresses of several domains", DMARC_PERMERROR},
        [DMARC_FROM_DOMAIN] = {"the author's domain is none that the DNS can have", DMARC_PERMERROR},
        [DMARC_NO_RECORD] = {"no DMARC record for this domain or those above it", DMARC_NONE},
        [DMARC_BAD_RECORD] = {"the DMARC record has no valid policy", DMARC_NONE},
        [DMARC_TROUBLE] = {"DNS gave no answer about this name", DMARC_TEMPERROR},
        [DMARC_TROUBLE_BELOW] = {"SPF or DKIM of an aligned domain could not be verified now",
                DMARC_TEMPERROR},
        [DMARC_QUESTIONS] = {"too many questions to the DNS for one message", DMARC_TEMPERROR},
        [DMARC_NOT_ALIGNED] = {"what passed SPF or DKIM are other domains", DMARC_FAIL},
        [DMARC_NOTHING_PASSED] = {"neither SPF nor DKIM passed", DMARC_FAIL},
};

struct str dmarc_fault_text(enum dmarc_fault f)
{
        CHECK(f < DMARC_FAULT_COUNT);
        return str_of_c(faults[f].text);
}

enum dmarc_result dmarc_fault_result(enum dmarc_fault f)
{
        CHECK(f < DMARC_FAULT_COUNT);
        return faults[f].result;
}

void dmarc_reason_write(struct wr *w, const struct dmarc_verdict *v)
{
        if (v->name.n > 0) {
                dns_name_write(w, &v->name);
                wr_str(w, S(": "));
        }
        wr_str(w, dmarc_fault_text(v->fault));
}
