/* SPDX-License-Identifier: ISC */
/* A date that parses is written and parses to the same. Message ids are read from the same input. */
#include "base/check.h"
#include "mail/date.h"
#include "mail/message_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ids(struct str text)
{
        struct mail_message_ids r;
        struct str id, again;
        size_t sum = 0;
        mail_message_ids_init(&r, text);
        while (mail_message_ids_next(&r, &id)) {
                sum += id.n;
                CHECK(id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>');
                CHECK(mail_message_id_first(id, &again) == ERR_OK && str_eq(id, again));
        }
        CHECK(sum <= text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size);
        struct mail_date date, again;
        check_ids(text);
        if (mail_date_parse(text, &date) != ERR_OK)
                return 0;
        char out[31];
        struct wr w;
        wr_init(&w, out, sizeof out);
        mail_date_write(&w, &date);
        enum err e = mail_date_parse(wr_text(&w), &again);
        CHECK(e == ERR_OK && again.unix_s == date.unix_s && again.zone_min == date.zone_min);
        CHECK(again.zone_is_known == date.zone_is_known);
        return 0;
}
