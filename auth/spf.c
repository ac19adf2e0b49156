/* SPDX-License-Identifier: ISC */
#include "auth/spf.h"

#include "base/ascii.h"
#include "base/check.h"

#define TEXT(literal)                           \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }

static const struct str words[SPF_RESULT_COUNT] = {
        [SPF_NONE] = TEXT("none"),
        [SPF_NEUTRAL] = TEXT("neutral"),
        [SPF_PASS] = TEXT("pass"),
        [SPF_FAIL] = TEXT("fail"),
        [SPF_SOFTFAIL] = TEXT("softfail"),
        [SPF_TEMPERROR] = TEXT("temperror"),
        [SPF_PERMERROR] = TEXT("permerror"),
};

struct str spf_result_text(enum spf_result r)
{
        CHECK((size_t)r < SPF_RESULT_COUNT);
        return words[r];
}

bool spf_result_parse(struct str word, enum spf_result *out)
{
        for (size_t i = 0; i < SPF_RESULT_COUNT; i++) {
                *out = (enum spf_result)i;
                if (str_eq_nocase(word, words[i]))
                        return true;
        }
        *out = SPF_NONE;
        return false;
}

static const struct str decided[SPF_RESULT_COUNT] = {
        [SPF_NEUTRAL] = TEXT("the SPF record says nothing of this client"),
        [SPF_PASS] = TEXT("the SPF record allows this client"),
        [SPF_FAIL] = TEXT("the SPF record forbids this client"),
        [SPF_SOFTFAIL] = TEXT("the SPF record does not allow this client"),
};

static const struct str faults[SPF_FAULT_COUNT] = {
        [SPF_NO_DOMAIN] = TEXT("the sender has no domain that could have an SPF record"),
        [SPF_NO_NAME] = TEXT("there is no such domain in DNS"),
        [SPF_NO_RECORD] = TEXT("there is no SPF record (TXT) in DNS"),
        [SPF_TROUBLE] = TEXT("DNS gave no answer"),
        [SPF_RECORDS] = TEXT("there are several SPF records (TXT) in DNS: leave one of them"),
        [SPF_SYNTAX] = TEXT("a term of the SPF record is malformed"),
        [SPF_MECHANISM] = TEXT("the SPF record has an unknown mechanism"),
        [SPF_MODIFIER_TWICE] = TEXT("the SPF record has redirect= or exp= twice"),
        [SPF_TARGET] = TEXT("the SPF record names a domain that has none"),
        [SPF_LOOKUPS] = TEXT("the SPF record needs more than 10 DNS lookups"),
        [SPF_VOIDS] = TEXT("more than 2 DNS lookups of the SPF record find nothing"),
        [SPF_HOSTS] = TEXT("the SPF record names a domain with more than 10 mail exchangers"),
        [SPF_QUESTIONS] = TEXT("the SPF record needs more DNS questions than are asked for one message"),
};

static void write_printable(struct wr *w, struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                wr_byte(w, s.p[i] == ' ' || ascii_is_graph(s.p[i]) ? s.p[i] : '?');
}

void spf_reason_write(struct wr *w, const struct spf_verdict *v)
{
        CHECK((size_t)v->fault < SPF_FAULT_COUNT && (size_t)v->result < SPF_RESULT_COUNT);
        if (v->name.n > 0) {
                dns_name_write(w, &v->name);
                wr_str(w, S(": "));
        }
        wr_str(w, v->fault == SPF_OK ? decided[v->result] : faults[v->fault]);
        if (v->term.n > 0) {
                wr_str(w, S(": "));
                write_printable(w, str_take(v->term, DNS_NAME_TEXT_MAX));
        }
}
