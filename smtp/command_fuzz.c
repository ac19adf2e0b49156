/* SPDX-License-Identifier: ISC */
/* Command lines of any bytes: what parses lies inside the line, and a mailbox that was accepted is accepted again. */
#include <stdlib.h>

#include "base/check.h"
#include "smtp/command.h"
#include "smtp/xtext.h"

static void check_inside(struct str part, struct str whole)
{
        CHECK(part.n == 0 ||
                (part.p >= whole.p && part.n <= whole.n && part.p <= whole.p + (whole.n - part.n)));
}

static void check_path(enum err e, struct str line, const struct smtp_path *path, struct str rest)
{
        static const struct smtp_extensions all = {.size = true, .mime_8bit = true, .smtputf8 = true};
        struct smtp_path again;
        struct smtp_mail_params params;
        if (e != ERR_OK) {
                CHECK(path->mailbox.n == 0);
                return;
        }
        check_inside(path->mailbox, line);
        check_inside(rest, line);
        CHECK(smtp_mailbox_parse(path->mailbox, &again) == ERR_OK);
        CHECK(again.local.p == path->local.p && again.local.n == path->local.n);
        CHECK(again.domain.n == path->domain.n && again.needs_smtputf8 == path->needs_smtputf8);
        e = smtp_mail_params_parse(rest, &all, &params);
        CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_UNSUPPORTED);
        CHECK(smtp_rcpt_params_parse(rest) != ERR_OK || rest.n == 0);
}

static void check_bdat(struct str arguments)
{
        char text[64];
        struct wr w;
        uint64_t size, again;
        bool is_last, is_last_again;
        if (smtp_bdat_parse(arguments, &size, &is_last) != ERR_OK)
                return;
        wr_init(&w, text, sizeof text);
        wr_u64(&w, size);
        wr_str(&w, is_last ? S(" LAST") : S(""));
        CHECK(smtp_bdat_parse(wr_text(&w), &again, &is_last_again) == ERR_OK);
        CHECK(size == again && is_last == is_last_again);
}

static void check_xtext(struct str line)
{
        char *text = malloc(line.n * 3 + 1), *back = malloc(line.n + 1);
        struct wr w, r;
        CHECK(text && back);
        wr_init(&w, text, line.n * 3);
        smtp_xtext_encode(&w, line);
        wr_init(&r, back, line.n);
        CHECK(smtp_xtext_decode(wr_text(&w), &r) == ERR_OK && str_eq(wr_text(&r), line));
        wr_init(&r, back, line.n);
        enum err e = smtp_xtext_decode(line, &r);
        CHECK(e == ERR_OK || e == ERR_SYNTAX);
        free(text);
        free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str line = str_of(data, size), arguments, name, rest;
        struct smtp_path path;
        enum smtp_verb verb = smtp_command_split(line, &arguments);
        check_inside(arguments, line);
        CHECK(verb < SMTP_VERB_COUNT);
        if (smtp_hello_parse(arguments, &name) == ERR_OK)
                check_inside(name, line);
        check_path(smtp_reverse_path_parse(arguments, &path, &rest), line, &path, rest);
        check_path(smtp_forward_path_parse(arguments, &path, &rest), line, &path, rest);
        check_bdat(arguments);
        check_xtext(line);
        return 0;
}
