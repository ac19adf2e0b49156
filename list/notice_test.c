/* SPDX-License-Identifier: ISC */
#include "list/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "list/notice_mail.h"
#include "list/notice_text.h"
#include "mail/header.h"
#include "mail/mime.h"

#define TOKEN "abcdefghijklmnopqrstuvwx"
#define FIELDS_MAX 32

/* One notice and what became of it. */
struct rig {
        struct setting_values values;
        bool options[MEMBER_OPTIONS];
        struct notice_mail mail;
        struct notice_made made;
        struct wr before, after, text;
        struct mail_field fields[FIELDS_MAX];
        struct mail_header header;
        char before_memory[NOTICE_BEFORE_MAX], after_memory[NOTICE_AFTER_MAX], text_memory[NOTICE_BEFORE_MAX];
};

static struct rig *rig_new(enum notice_kind kind, const char *language)
{
        struct rig *r = malloc(sizeof *r);
        assert_non_null(r);
        setting_values_init(&r->values);
        setting_values_put(&r->values, S("language"), str_of_c(language));
        memset(r->options, 0, sizeof r->options);
        r->options[OPTION_OWN_POSTS] = true;
        r->mail = (struct notice_mail){.kind = kind,
                .list = S("ptt"),
                .domain = S("mailingl.st"),
                .settings = &r->values,
                .options = r->options,
                .to = S("alice@example.org"),
                .about = S("bob@example.net"),
                .token = S(TOKEN),
                .answers = S("<asked@example.org>"),
                .now_ms = 1795400000000,
                .random = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
        wr_init(&r->before, r->before_memory, sizeof r->before_memory);
        wr_init(&r->after, r->after_memory, sizeof r->after_memory);
        return r;
}

/* Write it, index its header, read its text. */
static void rig_write(struct rig *r)
{
        assert_int_equal(notice_mail_write(&r->mail, &r->before, &r->after, &r->made), ERR_OK);
        wr_str(&r->before, wr_text(&r->after));
        assert_false(r->before.full);
        assert_int_equal(mail_header_index(wr_text(&r->before), r->fields, FIELDS_MAX, &r->header), ERR_OK);
        assert_true(r->header.has_end && r->header.strays == 0 && r->header.bad_bytes == 0);
        wr_init(&r->text, r->text_memory, sizeof r->text_memory);
        assert_int_equal(mime_text_read(wr_text(&r->before), &r->text), MIME_TEXT_PLAIN);
}

static struct str rig_field(const struct rig *r, struct str name)
{
        const struct mail_field *f = mail_header_first(&r->header, name);
        return f ? str_trim(f->body) : S("");
}

static bool has(struct str text, const char *part)
{
        return str_find(text, str_of_c(part)) < text.n;
}

static void test_names(void **state)
{
        (void)state;
        for (unsigned i = 0; i < NOTICE_KINDS; i++) {
                struct str name = notice_kind_name((enum notice_kind)i);
                assert_true(name.n > 0);
                assert_int_equal(notice_kind_of(name), i);
        }
        for (unsigned i = 0; i < NOTICE_WORDS; i++)
                assert_int_equal(notice_word_of(notice_word_name((enum notice_word)i)), i);
        assert_int_equal(notice_kind_of(S("")), NOTICE_KINDS);
        assert_int_equal(notice_kind_of(S("Welcome")), NOTICE_KINDS);
        assert_int_equal(notice_word_of(S("nothing")), NOTICE_WORDS);
        assert_int_equal(notice_needs_token(NOTICE_CONFIRM_JOIN), NOTICE_TOKEN_CONFIRM);
        assert_int_equal(notice_needs_token(NOTICE_POST_WAITS), NOTICE_TOKEN_DECIDE);
        assert_int_equal(notice_needs_token(NOTICE_HELP), NOTICE_TOKEN_NONE);
}

static void check_lines(struct str text)
{
        while (text.n > 0) {
                size_t n = str_find(text, S("\r\n"));
                assert_true(n < text.n && n <= MAIL_LINE_GOAL);
                assert_int_equal(str_find_byte(str_take(text, n), '\n'), n);
                text = str_skip(text, n + 2);
        }
}

static const char *text_of(enum notice_kind kind)
{
        switch (kind) {
        case NOTICE_CONFIRM_CHANGE:
                return "remove carol@example.org\nset posting open\n";
        case NOTICE_SETTINGS:
        case NOTICE_OPTIONS:
        case NOTICE_OUTCOME:
                return "done\tjoin\nwrong\tposting: opne\n";
        case NOTICE_SETTINGS_CHANGED:
                return "posting\tsubscribers\topen\nfooter\tnone\tA (b) c\n";
        case NOTICE_POST_REJECTED:
        case NOTICE_POST_EXPIRED:
        case NOTICE_POST_ACCEPTED:
        case NOTICE_WHY:
                return "posted@example.org";
        default:
                return "";
        }
}

static void test_every_kind(void **state)
{
        (void)state;
        static const char *const languages[] = {"en", "fr", "de"};
        static const struct str once[] = {{"From", 4}, {"To", 2}, {"Subject", 7}, {"Date", 4},
                {"Message-ID", 10}, {"Auto-Submitted", 14}, {"List-Id", 7}, {"List-Post", 9},
                {"List-Subscribe", 14}, {"List-Help", 9}, {"List-Unsubscribe", 16}, {"List-Owner", 10},
                {"MIME-Version", 12}, {"Content-Type", 12}};
        for (unsigned i = 0; i < 3 * NOTICE_KINDS; i++) {
                enum notice_kind kind = (enum notice_kind)(i / 3);
                struct rig *r = rig_new(kind, languages[i % 3]);
                r->mail.text = str_of_c(text_of(kind));
                rig_write(r);
                check_lines(wr_text(&r->before));
                for (size_t k = 0; k < sizeof once / sizeof once[0]; k++)
                        assert_int_equal(mail_header_count(&r->header, once[k]), 1);
                assert_int_equal(mail_header_count(&r->header, S("Return-Path")), 0);
                assert_true(has(wr_text(&r->text), "ptt@mailingl.st"));
                assert_int_equal(str_find_byte(wr_text(&r->text), '{'), r->text.n);
                assert_true(str_has_prefix(rig_field(r, S("Auto-Submitted")), S("auto-")));
                assert_true(str_eq(rig_field(r, S("Message-ID")), r->made.message_id));
                assert_true(str_eq(rig_field(r, S("To")), S("alice@example.org")));
                assert_false(r->made.is_8bit || r->made.is_smtputf8);
                free(r);
        }
}

static void test_addresses(void **state)
{
        (void)state;
        static const struct {
                enum notice_kind kind;
                const char *from, *reply_to, *in_reply_to;
        } cases[] = {
                {NOTICE_CONFIRM_JOIN, "ptt <ptt-request@mailingl.st>",
                        "ptt <ptt-confirm-" TOKEN "@mailingl.st>", "<asked@example.org>"},
                {NOTICE_WELCOME, "ptt <ptt-owner@mailingl.st>", "", ""},
                {NOTICE_JOIN_WAITS, "ptt <ptt-request@mailingl.st>", "ptt <ptt-owner@mailingl.st>", ""},
                {NOTICE_SETTINGS, "ptt <ptt-settings@mailingl.st>", "", "<asked@example.org>"},
                {NOTICE_OPTIONS, "ptt <ptt-options@mailingl.st>", "", "<asked@example.org>"},
                {NOTICE_POST_REJECTED, "ptt <ptt-owner@mailingl.st>", "", "<posted@example.org>"},
                {NOTICE_WHY, "ptt <ptt-why@mailingl.st>", "", "<asked@example.org>"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct rig *r = rig_new(cases[i].kind, "en");
                r->mail.text = str_of_c(text_of(cases[i].kind));
                rig_write(r);
                assert_true(str_eq(rig_field(r, S("From")), str_of_c(cases[i].from)));
                assert_true(str_eq(rig_field(r, S("Reply-To")), str_of_c(cases[i].reply_to)));
                assert_true(str_eq(rig_field(r, S("In-Reply-To")), str_of_c(cases[i].in_reply_to)));
                assert_true(str_eq(rig_field(r, S("References")), str_of_c(cases[i].in_reply_to)));
                free(r);
        }
        struct rig *r = rig_new(NOTICE_JOIN_WAITS, "fr");
        r->mail.to = S("");
        rig_write(r);
        assert_true(
                str_eq(rig_field(r, S("To")), S("=?utf-8?q?ptt_mod=C3=A9rateurs?= <ptt-owner@mailingl.st>")));
        assert_true(has(wr_text(&r->text), "\n    mailto:ptt-accept-" TOKEN "@mailingl.st?subject=accept\n"));
        assert_true(has(wr_text(&r->text), "\n    mailto:ptt-reject-" TOKEN "@mailingl.st?subject=reject\n"));
        free(r);
}

/* What is no Message-ID answers nothing; a notice about a post does not answer the moderator who decided. */
static void test_wrong_answers(void **state)
{
        (void)state;
        static const char *const answers[] = {
                "", "nonsense", "<a b@c>", "<a@b> <c@d>", "<a@b", "<a@b>\r\nBcc: c@d"};
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                struct rig *r = rig_new(NOTICE_HELP, "en");
                r->mail.answers = str_of_c(answers[i]);
                rig_write(r);
                assert_int_equal(mail_header_count(&r->header, S("In-Reply-To")), 0);
                assert_int_equal(mail_header_count(&r->header, S("References")), 0);
                assert_int_equal(mail_header_count(&r->header, S("Bcc")), 0);
                free(r);
        }
        struct rig *r = rig_new(NOTICE_POST_REJECTED, "en");
        rig_write(r);
        assert_int_equal(mail_header_count(&r->header, S("In-Reply-To")), 0);
        free(r);
}

static void test_blocks(void **state)
{
        (void)state;
        static const struct {
                enum notice_kind kind;
                const char *language, *text, *part;
        } cases[] = {
                {NOTICE_CONFIRM_CHANGE, "en", "remove a@b\nset posting open\n",
                        ":\n\n    remove a@b\n    set posting open\n\nThat"},
                {NOTICE_OUTCOME, "en", "done\tjoin\nnobody\twho\n",
                        ":\n\n> join\ndone.\n\n> who\nthis list gives it to nobody.\n\n"},
                {NOTICE_OUTCOME, "fr", "done\tjoin\n", "> join\nfait.\n"},
                {NOTICE_OUTCOME, "en", "done\t\nwhat\tis this\nalready\tx\n",
                        ":\n\ndone.\n\n> x\nit was so already, nothing has changed.\n"},
                {NOTICE_SETTINGS_CHANGED, "en", "posting\topen\tannounce\nbroken\nfooter\ta\tb\tc\n",
                        ":\n\nposting: announce (before: open)\nfooter: b c (before: a)\n\n"},
                {NOTICE_SETTINGS_CHANGED, "fr", "posting\topen\tannounce\n",
                        "posting: announce (avant: open)\n"},
                {NOTICE_SETTINGS, "en", "",
                        "\n# who may post (subscribers | open | moderated | announce)\n"
                        "posting: subscribers\n\n"},
                {NOTICE_SETTINGS, "fr", "", "\n# qui peut écrire à la liste ("},
                {NOTICE_OPTIONS, "en", "",
                        "\n# no posts are sent to you: a pause (on | off)\nnomail: off\n\n"
                        "# you get a copy of what you post yourself (on | off)\nown-posts: on\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct rig *r = rig_new(cases[i].kind, cases[i].language);
                r->mail.text = str_of_c(cases[i].text);
                rig_write(r);
                if (!has(wr_text(&r->text), cases[i].part))
                        fail_msg("%.*s", STR_ARG(wr_text(&r->text)));
                free(r);
        }
        struct rig *r = rig_new(NOTICE_SETTINGS, "en");
        rig_write(r);
        assert_true(str_has_prefix(wr_text(&r->text), S("Hello,\n\nthese are the settings")));
        free(r);
}

/* What a stranger could have chosen has no place in a confirmation. */
static void test_confirmations_carry_no_text(void **state)
{
        (void)state;
        struct rig *plain = rig_new(NOTICE_CONFIRM_JOIN, "en"), *hostile = rig_new(NOTICE_CONFIRM_JOIN, "en");
        plain->mail.about = plain->mail.text = plain->mail.answers = S("");
        hostile->mail.about = S("");
        hostile->mail.text = S("buy this at https://example.com\r\n");
        hostile->mail.answers = S("<a@b>\r\nBcc: victim@example.org");
        rig_write(plain);
        rig_write(hostile);
        assert_true(str_eq(wr_text(&plain->before), wr_text(&hostile->before)));
        free(plain);
        free(hostile);
}

/* Whatever stands in a row, no field and no line of another shape comes out. */
static void test_hostile_rows(void **state)
{
        (void)state;
        static const char *const texts[] = {"\r\nBcc: victim@example.org\r\n\r\n",
                "done\t\r\n.\r\nFrom x\r\n", "a\tb\r\tc\x01\x7f\n", "\xff\xfe\t\xc3\t\xc3\x28\n",
                "{list}\t{confirm}\t{lines}\n", "\t\t\n\t\n\n"};
        for (unsigned i = 0; i < NOTICE_KINDS * (sizeof texts / sizeof texts[0]); i++) {
                struct rig *r = rig_new((enum notice_kind)(i % NOTICE_KINDS), "fr");
                r->mail.text = str_of_c(texts[i / NOTICE_KINDS]);
                r->mail.about = r->mail.text;
                enum err e = notice_mail_write(&r->mail, &r->before, &r->after, &r->made);
                assert_true(e == ERR_OK || (e == ERR_SYNTAX && r->before.n == 0 && r->after.n == 0));
                if (e == ERR_OK) {
                        check_lines(wr_text(&r->before));
                        assert_int_equal(
                                mail_header_index(wr_text(&r->before), r->fields, FIELDS_MAX, &r->header),
                                ERR_OK);
                        assert_int_equal(mail_header_count(&r->header, S("Bcc")), 0);
                        assert_int_equal(r->header.strays + r->header.bad_bytes, 0);
                }
                free(r);
        }
}

static void test_faults(void **state)
{
        (void)state;
        static const struct {
                const char *name, *list, *to, *token;
        } cases[] = {
                {"no token", "ptt", "alice@example.org", ""},
                {"a token with a line", "ptt", "alice@example.org", "x\r\ny"},
                {"a list that is no name", "p tt", "alice@example.org", TOKEN},
                {"a list of 65 octets", "01234567890123456789012345678901234567890123456789012345678901234",
                        "alice@example.org", TOKEN},
                {"no address", "ptt", "alice", TOKEN},
                {"two addresses", "ptt", "alice@example.org, bob@example.net", TOKEN},
                {"an address with a line", "ptt", "alice@example.org\r\nBcc: x@y", TOKEN},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct rig *r = rig_new(NOTICE_CONFIRM_JOIN, "en");
                r->mail.list = str_of_c(cases[i].list);
                r->mail.to = str_of_c(cases[i].to);
                r->mail.token = str_of_c(cases[i].token);
                if (notice_mail_write(&r->mail, &r->before, &r->after, &r->made) != ERR_SYNTAX)
                        fail_msg("%s", cases[i].name);
                assert_true(r->before.n == 0 && r->after.n == 0 && r->made.message_id.n == 0);
                free(r);
        }
}

static void test_room(void **state)
{
        (void)state;
        struct rig *r = rig_new(NOTICE_POST_WAITS, "fr");
        rig_write(r);
        size_t needs = r->before.n - r->after.n, after = r->after.n;
        for (size_t cap = 0; cap <= needs; cap++) {
                wr_init(&r->before, r->before_memory, cap);
                wr_init(&r->after, r->after_memory, after);
                assert_int_equal(notice_mail_write(&r->mail, &r->before, &r->after, &r->made),
                        cap < needs ? ERR_SPACE : ERR_OK);
                assert_int_equal(r->before.n, cap < needs ? 0 : needs);
        }
        wr_init(&r->before, r->before_memory, needs);
        wr_init(&r->after, r->after_memory, after - 1);
        assert_int_equal(notice_mail_write(&r->mail, &r->before, &r->after, &r->made), ERR_SPACE);
        assert_int_equal(r->before.n + r->after.n, 0);
        free(r);
}

/* The longest texts that a row can hold fit into the room that the header promises. */
static void test_longest(void **state)
{
        (void)state;
        static const struct {
                enum notice_kind kind;
                const char *unit;
        } cases[] = {
                {NOTICE_OUTCOME, "confirm\t\n"},
                {NOTICE_SETTINGS, "too-much\tx\n"},
                {NOTICE_CONFIRM_CHANGE, "\xff\n"},
                {NOTICE_SETTINGS_CHANGED, "\t\t\n"},
                {NOTICE_SETTINGS_CHANGED, "\xc3\xa9\t\t\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct rig *r = rig_new(cases[i].kind, "fr");
                char text[NOTICE_TEXT_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                while (!w.full)
                        wr_str(&w, str_of_c(cases[i].unit));
                r->mail.text = wr_text(&w);
                rig_write(r);
                free(r);
        }
        char line[2048], memory[NOTICE_LINE_MAX];
        struct wr w;
        memset(line, '\xe9', sizeof line);
        wr_init(&w, memory, sizeof memory);
        notice_mail_line(&w, str_of(line, sizeof line));
        assert_false(w.full);
        for (size_t i = 0; i < sizeof line; i += 2)
                memcpy(line + i, "\xc3\xa9", 2);
        wr_init(&w, memory, sizeof memory);
        notice_mail_line(&w, str_of(line, sizeof line));
        assert_false(w.full);
}

static void test_streamed_lines(void **state)
{
        (void)state;
        struct rig *r = rig_new(NOTICE_MEMBERS, "en");
        assert_int_equal(notice_mail_write(&r->mail, &r->before, &r->after, &r->made), ERR_OK);
        notice_mail_line(&r->before, S("carol=x@example.org"));
        notice_mail_line(&r->before, S("d\xc3\xa9nis@example.org"));
        notice_mail_line(&r->before, S("a\r\nb\tc"));
        wr_str(&r->before, wr_text(&r->after));
        wr_init(&r->text, r->text_memory, sizeof r->text_memory);
        assert_int_equal(mime_text_read(wr_text(&r->before), &r->text), MIME_TEXT_PLAIN);
        assert_true(has(wr_text(&r->text), "\n\ncarol=x@example.org\nd\xc3\xa9nis@example.org\na  b c\n"));
        free(r);
}

static void test_attached_post(void **state)
{
        (void)state;
        static const struct {
                bool is_8bit, is_smtputf8;
                const char *type, *encoding, *post;
        } cases[] = {
                {false, false, "message/rfc822", "7bit", "Subject: x\r\n\r\nhello\r\n"},
                {true, false, "message/rfc822", "8bit", "Subject: x\r\n\r\nhell\xc3\xb6"},
                {true, true, "message/global", "8bit", "Subject: \xc3\xb6\r\n\r\n\r\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct rig *r = rig_new(NOTICE_POST_WAITS, "en");
                struct mime_entity whole, part;
                struct str text, post, none;
                char buffer[64];
                struct wr boundary;
                size_t at = 0;
                r->mail.post_is_8bit = cases[i].is_8bit;
                r->mail.post_is_smtputf8 = cases[i].is_smtputf8;
                assert_int_equal(notice_mail_write(&r->mail, &r->before, &r->after, &r->made), ERR_OK);
                wr_str(&r->before, str_of_c(cases[i].post));
                wr_str(&r->before, wr_text(&r->after));
                mime_entity_read(wr_text(&r->before), &whole);
                assert_true(mime_type_is(&whole.type, S("multipart"), S("mixed")));
                assert_true(str_eq(whole.encoding, str_of_c(cases[i].encoding)));
                wr_init(&boundary, buffer, sizeof buffer);
                assert_true(mime_parameter(&whole.type, S("boundary"), &boundary));
                assert_true(mime_part_next(whole.body, wr_text(&boundary), &at, &text));
                assert_true(mime_part_next(whole.body, wr_text(&boundary), &at, &post));
                assert_false(mime_part_next(whole.body, wr_text(&boundary), &at, &none));
                mime_entity_read(post, &part);
                assert_true(has(str_of_c(cases[i].type), "message/"));
                assert_true(str_eq(part.type.subtype, str_skip(str_of_c(cases[i].type), 8)));
                assert_true(str_eq(part.encoding, str_of_c(cases[i].encoding)));
                assert_true(str_eq(part.body, str_of_c(cases[i].post)));
                assert_int_equal(r->made.is_8bit, cases[i].is_8bit);
                assert_int_equal(r->made.is_smtputf8, cases[i].is_smtputf8);
                free(r);
        }
}

static void test_utf8_addresses(void **state)
{
        (void)state;
        struct rig *r = rig_new(NOTICE_WELCOME, "fr");
        r->mail.to = S("d\xc3\xa9nis@ex\xc3\xa4mple.org");
        r->mail.about = S("");
        rig_write(r);
        assert_true(r->made.is_smtputf8 && r->made.is_8bit);
        assert_true(has(wr_text(&r->text), "d\xc3\xa9nis@ex\xc3\xa4mple.org"));
        free(r);
        r = rig_new(NOTICE_JOIN_WAITS, "fr");
        r->mail.to = S("");
        r->mail.about = S("d\xc3\xa9nis@ex\xc3\xa4mple.org");
        rig_write(r);
        assert_false(r->made.is_smtputf8); /* it stands encoded in subject and text */
        free(r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_every_kind),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_wrong_answers),
                cmocka_unit_test(test_blocks),
                cmocka_unit_test(test_confirmations_carry_no_text),
                cmocka_unit_test(test_hostile_rows),
                cmocka_unit_test(test_faults),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_streamed_lines),
                cmocka_unit_test(test_attached_post),
                cmocka_unit_test(test_utf8_addresses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
