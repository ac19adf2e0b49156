/* SPDX-License-Identifier: ISC */
/* What is parsed is written, and what is written parses to the same: parse(encode(v)) = v, in both grammars. */
#include "base/check.h"
#include "base/limits.h"
#include "mail/address.h"
#include "mail/build.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct mail_address *a)
{
        char text[2 * SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX], key[sizeof text];
        struct wr w, folded;
        struct mail_address again;
        CHECK(a->local.n > 0 && a->local.n <= SMTP_LOCAL_PART_MAX);
        CHECK(a->local.n + 1 + a->domain.n <= MAIL_ADDRESS_MAX);
        wr_init(&w, text, sizeof text);
        wr_init(&folded, key, sizeof key);
        mail_address_write(&w, a);
        mail_address_write_folded(&folded, a);
        CHECK(!w.full && str_eq_nocase(wr_text(&w), wr_text(&folded)));
        enum err e = mail_mailbox_parse(wr_text(&w), MAIL_UTF8, &again);
        CHECK(e == ERR_OK && mail_address_eq(a, &again) && mail_address_eq_folded(a, &again));
}

/* A display name survives its way into a field and back. */
static void check_mailbox(const struct mail_mailbox *m)
{
        char name[512], back[512], field[4096];
        struct wr plain, w, again;
        struct mail_field f;
        struct mail_mailbox parsed;
        size_t at = 0;
        wr_init(&plain, name, sizeof name);
        mail_phrase_decode(&plain, m->display);
        struct mail_person person = {str_trim(wr_text(&plain)), m->address};
        if (plain.full)
                return;
        wr_init(&w, field, sizeof field);
        enum err e = mail_build_persons(&w, S("To"), &person, 1);
        CHECK(e == ERR_OK && mail_item_next(wr_text(&w), &at, &f) == MAIL_ITEM_FIELD && at == w.n);
        e = mail_address_parse(f.body, &parsed);
        CHECK(e == ERR_OK && mail_address_eq(&parsed.address, &m->address));
        wr_init(&again, back, sizeof back);
        mail_phrase_decode(&again, parsed.display);
        CHECK(str_eq(wr_text(&again), person.display));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size);
        struct mail_address a;
        struct mail_mailbox m;
        struct mail_addresses r;
        size_t used;
        if (mail_mailbox_scan(text, MAIL_ASCII, &a, &used) == ERR_OK) {
                CHECK(used <= size);
                check_address(&a);
                CHECK(mail_mailbox_parse(str_take(text, used), MAIL_UTF8, &a) == ERR_OK);
        }
        mail_addresses_init(&r, text);
        while (mail_addresses_next(&r, &m) == ERR_OK) {
                check_address(&m.address);
                check_mailbox(&m);
        }
        CHECK(m.address.local.n == 0);
        return 0;
}
