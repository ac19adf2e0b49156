/* SPDX-License-Identifier: ISC */
/* Sender, HELO name, then a macro-string: what is allowed in a narrow place is allowed in each wider one, and what is
 * valid expands, all of it when there is room. */
#include <stdint.h>

#include "auth/spf_macro.h"
#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(struct str text, const struct spf_macros *values)
{
        char room[SPF_EXPANSION_MAX], small[16];
        struct wr w, s;
        wr_init(&w, room, sizeof room);
        wr_init(&s, small, sizeof small);
        spf_macro_expand(text, values, &w);
        spf_macro_expand(text, values, &s);
        CHECK(w.full || s.full == (w.n > sizeof small));
        CHECK(w.full || s.full || str_eq(wr_text(&w), wr_text(&s)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size);
        struct spf_macros values = {.domain = S("y.example"), .validated = S("unknown"), .now_s = 1700000000};
        str_cut(text, '\n', &values.sender, &text);
        str_cut(text, '\n', &values.helo, &text);
        if (!str_cut(values.sender, '@', &values.local, &values.sender_domain))
                values.sender_domain = values.helo;
        values.ip = size % 2 ? ip_v4(192, 0, 2, 3) : (struct ip){.family = 6, .b = {0x20, 1, 0xd, 0xb8}};
        bool domain = spf_macro_is_valid(text, SPF_MACRO_DOMAIN),
             modifier = spf_macro_is_valid(text, SPF_MACRO_MODIFIER),
             explanation = spf_macro_is_valid(text, SPF_MACRO_EXPLANATION);
        CHECK(!domain || modifier);
        CHECK(!modifier || explanation);
        CHECK(!spf_macro_is_domain(text) || domain);
        if (explanation)
                expand(text, &values);
        return 0;
}
