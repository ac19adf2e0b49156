/* SPDX-License-Identifier: ISC */
/* Whatever stands in a row, and whatever template an owner writes: a notice is one sound message, or nothing. The input is
 * parts with NUL between them: a kind's number, template, about, text, to, answers, language, list. */
#include <stdlib.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "list/notice_mail.h"
#include "mail/header.h"
#include "mail/mime.h"

#define FIELDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str take_part(struct str *input)
{
        struct str part;
        (void)str_cut(*input, 0, &part, input);
        return part;
}

static void check_message(struct str message, const struct notice_made *made)
{
        struct mail_field fields[FIELDS_MAX];
        struct mail_header h;
        CHECK(mail_header_index(message, fields, FIELDS_MAX, &h) == ERR_OK);
        CHECK(h.has_end && h.strays == 0 && h.bad_bytes == 0);
        CHECK(mail_header_count(&h, S("From")) == 1 && mail_header_count(&h, S("Subject")) == 1);
        CHECK(mail_header_count(&h, S("Content-Type")) == 1 && mail_header_count(&h, S("Bcc")) == 0);
        CHECK(made->message_id.n > 2);
        for (struct str rest = message, line; str_cut(rest, '\n', &line, &rest);) {
                CHECK(line.n <= MAIL_LINE_MAX + 1 && line.p[line.n - 1] == '\r');
                CHECK(str_find_byte(line, '\r') == line.n - 1 && str_find_byte(line, 0) == line.n);
        }
        CHECK(message.p[message.n - 1] == '\n');
}

static void check_write(const struct notice_mail *mail)
{
        size_t cap = NOTICE_BEFORE_MAX + NOTICE_AFTER_MAX;
        char *before_memory = malloc(cap), *after_memory = malloc(NOTICE_AFTER_MAX);
        struct wr before, after;
        struct notice_made made;
        CHECK(before_memory && after_memory);
        wr_init(&before, before_memory, NOTICE_BEFORE_MAX);
        wr_init(&after, after_memory, NOTICE_AFTER_MAX);
        enum err e = notice_mail_write(mail, &before, &after, &made);
        if (e == ERR_OK) {
                before.cap = cap;
                wr_str(&before, wr_text(&after));
                check_message(wr_text(&before), &made);
        } else {
                CHECK((e == ERR_SPACE && mail->template.n > 0) || e == ERR_SYNTAX);
                CHECK(before.n == 0 && after.n == 0);
        }
        free(before_memory);
        free(after_memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const bool options[MEMBER_OPTIONS] = {true};
        struct str input = str_of(data, size), kind = take_part(&input);
        struct setting_values values;
        size_t line;
        struct notice_mail mail = {
                .domain = S("mailingl.st"), .settings = &values, .options = options, .token = S("token")};
        mail.kind = (enum notice_kind)((kind.n > 0 ? (uint8_t)kind.p[0] : 0) % NOTICE_KINDS);
        mail.template = take_part(&input);
        mail.about = str_take(take_part(&input), MAIL_ADDRESS_MAX);
        mail.text = str_take(take_part(&input), NOTICE_TEXT_MAX);
        mail.to = take_part(&input);
        mail.answers = take_part(&input);
        setting_values_init(&values);
        setting_values_put(&values, S("language"), take_part(&input));
        mail.list = take_part(&input);
        if (notice_template_check(mail.kind, mail.template, &line) == ERR_OK)
                check_write(&mail);
        mail.template = S("");
        check_write(&mail);
        return 0;
}
