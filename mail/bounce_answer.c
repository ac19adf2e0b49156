/* SPDX-License-Identifier: ISC */
/* Answers that no mail system wrote: of vacation programs, of filters that demand something first, of people. What their
 * words are is theirs alone, and often that of bounces ("write to the following address"); their header tells them. */
#include "base/ascii.h"
#include "mail/bounce.h"
#include "mail/header.h"
#include "mail/mime.h"

/* In From, as address or name: who reports failures of delivery. */
static const struct str reporters[] = {{"mailer-daemon", 13}, {"mailer daemon", 13}, {"postmaster", 10},
        {"mdaemon", 7}, {"mail delivery", 13}, {"delivery subsystem", 18}, {"mail system", 11},
        {"system administrator", 20}, {"mail administrator", 18}, {"microsoft exchange", 18}};

static bool has_word(struct str text, struct str word)
{
        for (size_t at = 0; at + word.n <= text.n; at++)
                if (str_eq_nocase(str_take(str_skip(text, at), word.n), word))
                        return true;
        return false;
}

static bool is_reporter(struct str from)
{
        for (size_t i = 0; i < sizeof reporters / sizeof reporters[0]; i++)
                if (has_word(from, reporters[i]))
                        return true;
        return false;
}

/* "no", perhaps with something behind it. */
static bool is_no(struct str body)
{
        struct str s = str_trim(body);
        return str_has_prefix_nocase(s, S("no")) && (s.n == 2 || !ascii_is_alpha(s.p[2]));
}

/* A report of something else than a delivery: that a mail was read (RFC 8098), or complained about (RFC 5965). */
static bool is_other_report(const struct mail_field *f)
{
        char room[32];
        struct mime_type type;
        struct wr kind;
        wr_init(&kind, room, sizeof room);
        return str_eq_nocase(f->name, S("Content-Type")) && mime_type_parse(f->body, &type) == ERR_OK &&
               mime_type_is(&type, S("multipart"), S("report")) &&
               mime_parameter(&type, S("report-type"), &kind) && wr_end(&kind) == ERR_OK &&
               !str_eq_nocase(wr_text(&kind), S("delivery-status"));
}

/* What only answers have, whoever writes them. */
static bool is_of_answers(const struct mail_field *f)
{
        return str_eq_nocase(f->name, S("X-Autoreply")) || str_eq_nocase(f->name, S("X-Autorespond")) ||
               (str_eq_nocase(f->name, S("Auto-Submitted")) && has_word(f->body, S("vacation"))) ||
               (str_eq_nocase(f->name, S("Precedence")) && has_word(f->body, S("auto_reply")));
}

/* What bounces may have, too, but then they say who reports (RFC 3834 3.1.7, 3.1.8). */
static bool is_of_answers_or_reports(const struct mail_field *f)
{
        return (str_eq_nocase(f->name, S("Auto-Submitted")) && !is_no(f->body)) ||
               (str_eq_nocase(f->name, S("Precedence")) && has_word(f->body, S("junk"))) ||
               str_eq_nocase(f->name, S("X-Auto-Response-Suppress")) ||
               str_eq_nocase(f->name, S("In-Reply-To")) || is_other_report(f);
}

bool bounce_is_answer(struct str message)
{
        struct mail_field f;
        bool has_author = false, has_reporter = false, may_be = false;
        for (size_t at = 0;;) {
                enum mail_item item = mail_item_next(message, &at, &f);
                if (item == MAIL_ITEM_END || item == MAIL_ITEM_EOF)
                        return has_author && !has_reporter && may_be;
                if (item != MAIL_ITEM_FIELD)
                        continue;
                if (is_of_answers(&f))
                        return true;
                bool is_author = str_eq_nocase(f.name, S("From"));
                has_author = has_author || is_author;
                has_reporter = has_reporter || (is_author && is_reporter(f.body));
                may_be = may_be || is_of_answers_or_reports(&f);
        }
}
