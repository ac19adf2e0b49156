/* SPDX-License-Identifier: ISC */
/* The items of any text are the text; the index, the finder of the end and a split of the input agree. */
#include "base/check.h"
#include "mail/header.h"

#define FIELDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_items(struct str text, const struct mail_header *h)
{
        struct mail_field f;
        size_t at = 0, fields = 0, strays = 0, before;
        enum mail_item item;
        do {
                before = at;
                item = mail_item_next(text, &at, &f);
                fields += item == MAIL_ITEM_FIELD;
                strays += item == MAIL_ITEM_STRAY;
                if (item == MAIL_ITEM_FIELD || item == MAIL_ITEM_STRAY)
                        CHECK(f.raw.n > 0 && f.raw.p == text.p + before && at == before + f.raw.n);
                CHECK((item == MAIL_ITEM_FIELD) == (f.name.n > 0));
        } while (item == MAIL_ITEM_FIELD || item == MAIL_ITEM_STRAY);
        CHECK(fields == h->n && strays == h->strays && at == h->body_at);
        CHECK((item == MAIL_ITEM_END) == h->has_end);
}

static void check_end(struct str text, size_t split, const struct mail_header *h)
{
        struct mail_header_end e;
        size_t used, more = 0;
        mail_header_end_init(&e);
        enum err err = mail_header_end_got(&e, str_take(text, split), &used);
        if (err == ERR_AGAIN)
                err = mail_header_end_got(&e, str_skip(text, split), &more);
        CHECK(err == (h->has_end ? ERR_OK : ERR_AGAIN) && used + more == h->body_at);
}

static void check_unfolded(struct str body)
{
        char out[4096];
        struct wr w;
        wr_init(&w, out, sizeof out);
        mail_unfold(&w, body);
        CHECK(w.full || w.n <= body.n);
        CHECK(str_find_byte(wr_text(&w), '\r') == w.n && str_find_byte(wr_text(&w), '\n') == w.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct mail_field fields[FIELDS];
        struct mail_header h;
        struct str text = str_of(data, size);
        enum err e = mail_header_index(text, fields, FIELDS, &h);
        for (size_t i = 0; i < h.n; i++) {
                check_unfolded(fields[i].body);
                CHECK(mail_header_count(&h, fields[i].name) > 0);
                CHECK(str_eq_nocase(mail_header_first(&h, fields[i].name)->name, fields[i].name));
        }
        if (e == ERR_OK) {
                check_items(text, &h);
                check_end(text, size > 0 ? data[0] % size : 0, &h);
        }
        return 0;
}
