/* SPDX-License-Identifier: ISC */
/* Reply lines of any bytes; and what was gathered, written and parsed again, is the same reply. */
#include <stdlib.h>

#include "base/check.h"
#include "smtp/reply.h"

static struct smtp_reply gather(struct smtp_reply_gather *g, struct str in, enum err *e)
{
        struct smtp_reply_line line;
        size_t used;
        smtp_reply_gather_init(g);
        do {
                *e = smtp_reply_line_parse(in, &line, &used);
                CHECK(used <= in.n && (*e == ERR_OK) == (used > 0));
                in = str_skip(in, used);
                if (*e == ERR_OK)
                        *e = smtp_reply_gather_line(g, &line);
                else if (*e == ERR_AGAIN)
                        *e = ERR_EOF;
        } while (*e == ERR_AGAIN);
        return smtp_reply_gathered(g);
}

static bool is_writable(struct str text)
{
        size_t line = 0;
        for (size_t i = 0; i < text.n; i++) {
                if (text.p[i] < 32 && text.p[i] != '\n' && text.p[i] != '\t')
                        return false;
                line = text.p[i] == '\n' ? 0 : line + 1;
                if (line > 400 || text.p[i] == 127)
                        return false;
        }
        return text.n < 1000 && (text.n == 0 || text.p[text.n - 1] != '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct smtp_reply_gather *a = malloc(sizeof *a), *b = malloc(sizeof *b);
        char *wire = malloc(SMTP_REPLY_WRITTEN_MAX);
        enum err e;
        struct wr w;
        CHECK(a && b && wire);
        struct smtp_reply first = gather(a, str_of(data, size), &e);
        if (e == ERR_OK) {
                wr_init(&w, wire, SMTP_REPLY_WRITTEN_MAX);
                smtp_reply_write(&w, &first, true);
                CHECK(wr_end(&w) == ERR_OK);
                struct smtp_reply again = gather(b, wr_text(&w), &e);
                CHECK(e == ERR_OK && again.code == first.code);
                /* a text that begins like an enhanced code, behind none, is read as one: only then may they differ */
                if (is_writable(first.text) && first.enhanced.class > 0) {
                        CHECK(again.enhanced.detail == first.enhanced.detail);
                        CHECK(str_eq(again.text, first.text));
                }
        }
        free(a);
        free(b);
        free(wire);
        return 0;
}
