/* SPDX-License-Identifier: ISC */
/* Whatever text is given, one field comes out, with no line over the limit, and the text can be read back from it. */
#include <stdlib.h>

#include "base/check.h"
#include "base/limits.h"
#include "mail/build.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct str text)
{
        while (text.n > 0) {
                size_t n = str_find(text, S("\r\n"));
                CHECK(n < text.n && n <= MAIL_LINE_GOAL && str_trim(str_take(text, n)).n > 0);
                text = str_skip(text, n + 2);
        }
}

/* What the decoder makes of dirt is clean; so is all that it makes of what was built. */
static void check_text(struct str dirty)
{
        char *memory = malloc(TEXT_MAX * 16);
        CHECK(memory);
        struct wr clean, field, back;
        struct mail_field f;
        size_t at = 0;
        wr_init(&clean, memory, TEXT_MAX * 4);
        wr_init(&field, memory + TEXT_MAX * 4, TEXT_MAX * 8);
        wr_init(&back, memory + TEXT_MAX * 12, TEXT_MAX * 4);
        mail_text_decode(&clean, dirty);
        struct str text = str_trim(wr_text(&clean));
        enum err e = mail_build_unstructured(&field, S("Subject"), text);
        if (e == ERR_OK && !clean.full) {
                check_lines(wr_text(&field));
                CHECK(mail_item_next(wr_text(&field), &at, &f) == MAIL_ITEM_FIELD && at == field.n);
                mail_text_decode(&back, str_trim(f.body));
                CHECK(back.full || str_eq(wr_text(&back), text));
        }
        CHECK(e == ERR_OK || e == ERR_SPACE);
        free(memory);
}

/* Raw text never makes a second field. */
static void check_raw(struct str dirty)
{
        char memory[TEXT_MAX * 4];
        struct wr w;
        struct mail_build b;
        struct mail_field f;
        size_t at = 0;
        wr_init(&w, memory, sizeof memory);
        mail_build_begin(&b, &w, S("X"));
        mail_build_text(&b, str_take(dirty, dirty.n / 2));
        mail_build_phrase(&b, str_skip(dirty, dirty.n / 2));
        mail_build_parameter(&b, S("p"), dirty);
        enum err e = mail_build_end(&b);
        CHECK(e == ERR_OK || w.n == 0);
        CHECK(e != ERR_OK || (mail_item_next(wr_text(&w), &at, &f) == MAIL_ITEM_FIELD && at == w.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_take(str_of(data, size), TEXT_MAX);
        check_text(text);
        check_raw(text);
        return 0;
}
