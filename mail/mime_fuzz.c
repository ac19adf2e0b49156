/* SPDX-License-Identifier: ISC */
/* Whatever comes, the text is well-formed UTF-8 without controls; quoted-printable gives back what it was made of. */
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mail/mime.h"
#include "mail/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str message)
{
        size_t cap = 3 * message.n + 64;
        char *memory = malloc(cap);
        struct wr w;
        CHECK(memory);
        wr_init(&w, memory, cap);
        enum mime_text found = mime_text_read(message, &w);
        struct str text = wr_text(&w);
        CHECK(utf8_is_valid(text) && (found != MIME_TEXT_NONE || text.n == 0));
        for (size_t i = 0; i < text.n; i++)
                CHECK(!ascii_is_control(text.p[i]) || text.p[i] == '\n' || text.p[i] == '\t');
        CHECK(text.n == 0 || w.full || text.p[text.n - 1] == '\n');
        free(memory);
}

/* All octets but line ends, behind a line end of its own. */
static void check_quoted(struct str octets)
{
        size_t cap = 4 * octets.n + 64;
        char *memory = malloc(cap), *line = malloc(octets.n + 1);
        struct wr w;
        struct mail_quoted_out out;
        struct mail_transfer_in in;
        size_t n = 0;
        CHECK(memory && line);
        for (size_t i = 0; i < octets.n; i++)
                if (octets.p[i] != '\r' && octets.p[i] != '\n')
                        line[n++] = octets.p[i];
        wr_init(&w, memory, cap);
        mail_quoted_out_init(&out, &w);
        mail_quoted_out_write(&out, str_of(line, n / 2));
        mail_quoted_out_write(&out, str_of(line + n / 2, n - n / 2));
        mail_quoted_out_write(&out, S("\n"));
        CHECK(!w.full);
        mail_transfer_in_init(&in, MAIL_TRANSFER_QUOTED, wr_text(&w));
        for (size_t i = 0; i < n; i++)
                CHECK(mail_transfer_in_next(&in) == (uint8_t)line[i]);
        CHECK(mail_transfer_in_next(&in) == '\r' && mail_transfer_in_next(&in) == '\n' &&
                mail_transfer_in_next(&in) == -1);
        free(line);
        free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_text(str_of(data, size));
        check_quoted(str_of(data, size));
        return 0;
}
