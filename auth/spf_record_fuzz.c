/* SPDX-License-Identifier: ISC */
/* A record: what is accepted is made of its terms, and each macro-string in it expands. */
#include <stdint.h>

#include "auth/spf_macro.h"
#include "auth/spf_record.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(struct str text)
{
        static const struct spf_macros values = {.sender = {"a-b@x.example", 13},
                .local = {"a-b", 3},
                .sender_domain = {"x.example", 9},
                .domain = {"y.example", 9},
                .ip = {.family = 6},
                .validated = {"unknown", 7},
                .helo = {"", 0}};
        char room[512];
        struct wr w;
        wr_init(&w, room, sizeof room);
        spf_macro_expand(text, &values, &w);
        for (size_t i = 0; i < w.n; i++)
                CHECK(room[i] >= ' ' && room[i] < 127);
}

static void check(const struct spf_term *t, struct str text)
{
        CHECK(str_eq(t->text, text) && t->bits4 <= 32 && t->bits6 <= 128);
        CHECK((t->kind != SPF_TERM_IP4 && t->kind != SPF_TERM_IP6) ||
                t->ip.family == (t->kind == SPF_TERM_IP4 ? 4 : 6));
        if (t->kind != SPF_TERM_IP4 && t->kind != SPF_TERM_IP6)
                expand(t->domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str terms, text;
        struct spf_record record;
        struct spf_term term;
        struct str all = str_of(data, size);
        if (!spf_record_is(all, &terms))
                return 0;
        struct ip client = ip_v4(192, 0, 2, 7);
        bool is_good = spf_record_parse(terms, &client, &record) == SPF_OK;
        CHECK(record.count <= SPF_TERMS_MAX);
        while (spf_record_next(&terms, &text)) {
                enum spf_fault fault = spf_term_parse(text, &term);
                CHECK(!is_good || fault == SPF_OK);
                if (fault == SPF_OK)
                        check(&term, text);
                if (!is_good && fault != SPF_OK)
                        break;
        }
        return 0;
}
