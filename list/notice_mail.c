/* SPDX-License-Identifier: ISC */
/* The header of a notice, and its parts. */
#include "list/notice_mail.h"

#include "base/ascii.h"
#include "base/base32.h"
#include "base/limits.h"
#include "list/notice_text.h"
#include "list/rewrite.h"
#include "mail/build.h"
#include "mail/message_id.h"

#define SUBJECT_MAX 1024

static enum err build_own(
        struct notice_writing *g, struct wr *w, struct str name, struct str display, enum route_kind route)
{
        char buffer[NOTICE_ADDRESS_MAX];
        struct wr text;
        struct mail_person person = {.display = display};
        wr_init(&text, buffer, sizeof buffer);
        enum err e = notice_address(g->mail, route, &text, &person.address);
        return e == ERR_OK ? mail_build_persons(w, name, &person, 1) : e;
}

static enum err build_to(struct notice_writing *g, struct wr *w)
{
        char buffer[LIST_NAME_MAX + 32];
        struct wr display;
        struct mail_person person = {0};
        if (g->mail->to.n > 0) {
                if (mail_mailbox_parse(g->mail->to, MAIL_UTF8, &person.address) != ERR_OK)
                        return ERR_SYNTAX;
                return mail_build_persons(w, S("To"), &person, 1);
        }
        wr_init(&display, buffer, sizeof buffer);
        wr_str(&display, g->mail->list);
        wr_byte(&display, ' ');
        wr_str(&display, str_of_c(g->phrases->moderators));
        return build_own(g, w, S("To"), wr_text(&display), ROUTE_OWNER);
}

static enum err build_subject(struct notice_writing *g, struct wr *w, struct str subject)
{
        char buffer[SUBJECT_MAX];
        struct wr text;
        struct str piece;
        enum notice_word word;
        wr_init(&text, buffer, sizeof buffer);
        while (notice_piece_take(&subject, &piece, &word) == ERR_OK)
                if (word == NOTICE_WORDS)
                        wr_str(&text, piece);
                else
                        notice_word_write(g, word, &text);
        return mail_build_unstructured(w, S("Subject"), wr_text(&text));
}

/* The mail that this one answers. Notices about a post hold its Message-ID, without brackets, as their text. */
static struct str answered(const struct notice_writing *g, struct wr *w)
{
        bool is_post = g->mail->kind == NOTICE_POST_REJECTED || g->mail->kind == NOTICE_POST_EXPIRED ||
                       g->mail->kind == NOTICE_POST_ACCEPTED;
        if (is_post && g->mail->text.n > 0) {
                wr_byte(w, '<');
                wr_str(w, g->mail->text);
                wr_byte(w, '>');
        } else if (!is_post && g->traits->is_answer) {
                wr_str(w, g->mail->answers);
        }
        return !w->full && mail_message_id_is_valid(wr_text(w)) ? wr_text(w) : S("");
}

/* In-Reply-To and References (RFC 5322 3.6.4, RFC 3834 3.1.6); an id that is too long for a line has no answer. */
static void build_answers(struct notice_writing *g, struct wr *w)
{
        static const struct str names[] = {{"In-Reply-To", 11}, {"References", 10}};
        char buffer[MAIL_LINE_MAX];
        struct wr text;
        struct mail_build b;
        wr_init(&text, buffer, sizeof buffer - 32);
        struct str id = answered(g, &text);
        for (size_t i = 0; id.n > 0 && i < sizeof names / sizeof names[0]; i++) {
                mail_build_begin(&b, w, names[i]);
                mail_build_word(&b, id);
                if (mail_build_end(&b) != ERR_OK)
                        return;
        }
}

static enum err build_message_id(struct notice_writing *g, struct wr *w, struct str *id)
{
        size_t begin = w->n;
        enum err e = mail_build_message_id(
                w, str_of(g->mail->random, NOTICE_RANDOM_SIZE), g->mail->now_ms, g->mail->domain);
        struct str field = str_skip(wr_text(w), begin);
        *id = str_trim(str_skip(field, str_find_byte(field, '<')));
        return e;
}

static enum err build_header(struct notice_writing *g, struct wr *w, struct str subject, struct str *id)
{
        const struct notice_mail *m = g->mail;
        enum err e = build_own(g, w, S("From"), m->list, g->traits->from);
        if (e == ERR_OK && g->traits->reply_to != ROUTE_NONE)
                e = build_own(g, w, S("Reply-To"), m->list, g->traits->reply_to);
        if (e == ERR_OK)
                e = build_to(g, w);
        if (e == ERR_OK)
                e = build_subject(g, w, subject);
        if (e == ERR_OK)
                e = mail_build_date(w, m->now_ms / 1000);
        if (e == ERR_OK)
                e = build_message_id(g, w, id);
        if (e != ERR_OK)
                return e;
        build_answers(g, w);
        wr_str(w, g->traits->is_answer ? S("Auto-Submitted: auto-replied\r\n")
                                       : S("Auto-Submitted: auto-generated\r\n")); /* RFC 3834 5 */
        e = rewrite_list_fields(w, &(struct rewrite_list){m->list, m->domain, m->settings});
        wr_str(w, S("MIME-Version: 1.0\r\n"));
        return e;
}

/* ---- parts ---- */

static void write_text_fields(const struct notice_writing *g, struct wr *w)
{
        wr_str(w, S("Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n"
                    "Content-Language: "));
        wr_str(w, str_of_c(g->phrases->language));
        wr_str(w, S("\r\n\r\n"));
}

/* RFC 2046 5.2.1, RFC 6532 3.7: a message inside is not encoded. */
static struct str transfer_of(const struct notice_mail *m)
{
        return m->post_is_8bit || m->post_is_smtputf8 ? S("8bit\r\n") : S("7bit\r\n");
}

static void write_delimiter(const struct notice_mail *m, struct wr *w)
{
        wr_str(w, S("--"));
        base32_encode(w, str_of(m->random, NOTICE_RANDOM_SIZE));
}

static void write_post_frame(struct notice_writing *g, struct str text, struct wr *before, struct wr *after)
{
        const struct notice_mail *m = g->mail;
        wr_str(before, S("Content-Type: multipart/mixed; boundary="));
        base32_encode(before, str_of(m->random, NOTICE_RANDOM_SIZE));
        wr_str(before, S("\r\nContent-Transfer-Encoding: "));
        wr_str(before, transfer_of(m));
        wr_str(before, S("\r\n"));
        write_delimiter(m, before);
        wr_str(before, S("\r\n"));
        write_text_fields(g, before);
        notice_text_put(g, text, before, after);
        wr_str(before, S("\r\n"));
        write_delimiter(m, before);
        wr_str(before, m->post_is_smtputf8 ? S("\r\nContent-Type: message/global\r\n")
                                           : S("\r\nContent-Type: message/rfc822\r\n"));
        wr_str(before, S("Content-Disposition: inline\r\nContent-Transfer-Encoding: "));
        wr_str(before, transfer_of(m));
        wr_str(before, S("\r\n"));
        wr_str(after, S("\r\n"));
        write_delimiter(m, after);
        wr_str(after, S("--\r\n"));
}

static bool is_ascii(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (ascii_is_8bit(s.p[i]))
                        return false;
        return true;
}

enum err notice_mail_write(
        const struct notice_mail *mail, struct wr *before, struct wr *after, struct notice_made *made)
{
        struct notice_writing g = {.mail = mail, .traits = notice_traits_of(mail->kind)};
        const struct wr undo_before = *before, undo_after = *after;
        struct str subject, text, id;
        g.phrases = notice_phrases_of(mail->settings->v[SETTING_LANGUAGE]);
        *made = (struct notice_made){0};
        notice_template_split(
                mail->template.n > 0 ? mail->template : str_of_c(g.phrases->templates[mail->kind]), &subject,
                &text);
        bool lacks_token = g.traits->token != NOTICE_TOKEN_NONE && mail->token.n == 0;
        enum err e = lacks_token ? ERR_SYNTAX : build_header(&g, before, subject, &id);
        if (e == ERR_OK && mail->kind == NOTICE_POST_WAITS) {
                write_post_frame(&g, text, before, after);
        } else if (e == ERR_OK) {
                write_text_fields(&g, before);
                notice_text_put(&g, text, before, after);
        }
        if (e == ERR_OK && (before->full || after->full))
                e = ERR_SPACE;
        if (e != ERR_OK) {
                *before = undo_before;
                *after = undo_after;
                return e == ERR_SPACE ? e : ERR_SYNTAX;
        }
        made->message_id = id;
        made->is_smtputf8 = mail->post_is_smtputf8 || !is_ascii(mail->to) || !is_ascii(mail->list) ||
                            !is_ascii(mail->domain);
        made->is_8bit = made->is_smtputf8 || mail->post_is_8bit;
        return ERR_OK;
}
