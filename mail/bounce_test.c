/* SPDX-License-Identifier: ISC */
#include "mail/bounce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define FROM "From: MAILER-DAEMON@mx.example.net\r\n"
#define PLAIN FROM "Content-Type: text/plain\r\n\r\n"
#define PERSON "From: Ann <ann@b.example>\r\n"
#define MOVED "\r\nI have left. Please use the following address:\r\nme@b.example\r\n"
#define REPORT(fields)                                                                         \
        FROM "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" \
             "--b\r\n\r\nwords\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"        \
             "Reporting-MTA: dns; mx.example.net\r\n\r\n" fields                               \
             "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a post\r\n\r\n"          \
             "<friend@example.org>:\r\n--b--\r\n"

struct a_case {
        const char *what, *message;
        enum bounce_kind kind;
        const char *addresses, *status,
                *said; /* addresses with a space behind each; of the first: status and reason */
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct bounce_work work;

static void read_exact(struct str message, struct bounce *b)
{
        bounce_read(message, &work, b);
}

static void check(const struct a_case *c)
{
        struct bounce b;
        char text[1024];
        struct wr w;
        struct str message = exact(str_of_c(c->message));
        read_exact(message, &b);
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < b.count; i++) {
                wr_str(&w, b.list[i].address);
                wr_byte(&w, ' ');
        }
        if (!str_eq(wr_text(&w), str_of_c(c->addresses)))
                fail_msg("%s: \"%.*s\"", c->what, STR_ARG(wr_text(&w)));
        for (size_t i = 0; i < b.count; i++)
                assert_int_equal(b.list[i].kind, c->kind);
        if (c->status && !str_eq(b.list[0].status, str_of_c(c->status)))
                fail_msg("%s: status \"%.*s\"", c->what, STR_ARG(b.list[0].status));
        if (c->said && !str_eq(b.list[0].said, str_of_c(c->said)))
                fail_msg("%s: said \"%.*s\"", c->what, STR_ARG(b.list[0].said));
        exact_free(message);
}

static const struct a_case reports[] = {
        {"a failure",
                REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                       "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"),
                BOUNCE_PERMANENT, "a@b.example ", "5.1.1", "550 5.1.1 no such user"},
        {"the original recipient is the one that we know",
                REPORT("Original-Recipient: rfc822;a@b.example\r\nFinal-Recipient: rfc822;inner@x.example\r\n"
                       "Action: failed\r\nStatus: 5.0.0 (full)\r\n"),
                BOUNCE_PERMANENT, "a@b.example ", "5.0.0", "5.0.0 (full)"},
        {"an original recipient that is no address",
                REPORT("Original-Recipient: rfc822;;unknown\r\nFinal-Recipient: rfc822;a@b.example\r\n"
                       "Action: failed\r\nStatus: 550\r\n"),
                BOUNCE_PERMANENT, "a@b.example ", "", "550"},
        {"a delay", REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"),
                BOUNCE_TEMPORARY, "a@b.example ", "4.4.1", NULL},
        {"two, one delivered",
                REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
                       "Final-Recipient: rfc822; c@b.example\r\nAction: Failed\r\nStatus: 5.2.2\r\n"),
                BOUNCE_PERMANENT, "c@b.example ", "5.2.2", NULL},
        {"relayed and expanded are no failures",
                REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: relayed\r\n\r\n"
                       "Final-Recipient: rfc822; c@b.example\r\nAction: expanded\r\n"),
                BOUNCE_NONE, "", NULL, NULL},
        {"groups parted by a line of blanks",
                REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n \r\n"
                       "Final-Recipient: rfc822; c@b.example\r\nAction: failed\r\n"),
                BOUNCE_PERMANENT, "a@b.example c@b.example ", NULL, NULL},
        {"RFC 6533: an address beyond ASCII",
                REPORT("Final-Recipient: utf-8; j\xc3\xb8ran@b.example\r\nAction: failed\r\nStatus: "
                       "5.6.7\r\n"),
                BOUNCE_PERMANENT, "j\xc3\xb8ran@b.example ", "5.6.7", NULL},
        {"the reason of a bare status is in the text (OpenSMTPD)",
                FROM "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi!\r\n\r\n"
                     "c@b.example: 550 5.1.1 no\r\nA@b.example: 550 5.7.1 your mail looks bad\r\n\r\n"
                     "a@b.example: 550 5.1.1 later\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                     "Reporting-MTA: dns; mx\r\n\r\n"
                     "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.0.0\r\n--b--\r\n",
                BOUNCE_PERMANENT, "a@b.example ", "5.0.0", "550 5.7.1 your mail looks bad"},
        {"a reason in the report is not looked for in the text",
                FROM "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
                     "a@b.example: 550 5.7.1 your mail looks bad\r\n--b\r\n"
                     "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n"
                     "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n--b--\r\n",
                BOUNCE_PERMANENT, "a@b.example ", "5.1.1", "550 5.1.1 no"},
        {"no reason is what does not look like a reply",
                FROM "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na@b.example: 5500 no\r\n"
                     "a@b.example: 55\r\na@b.example.org: 550 no\r\na@b.example 550 no\r\n--b\r\n"
                     "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n"
                     "Action: failed\r\nStatus: 5.0.0\r\n--b--\r\n",
                BOUNCE_PERMANENT, "a@b.example ", "5.0.0", "5.0.0"},
        {"RFC 6533: characters of an address that are written by their numbers",
                REPORT("Final-Recipient: utf-8; j\\x{F6}rg\\x{1F600}@b.example\r\nAction: failed\r\n"),
                BOUNCE_PERMANENT, "j\xc3\xb6rg\xf0\x9f\x98\x80@b.example ", NULL, NULL},
        {"numbers that are none",
                REPORT("Final-Recipient: utf-8; j\\x{}\\x{F6@b.example\r\nAction: failed\r\n"), BOUNCE_NONE,
                "", NULL, NULL},
        {"RFC 6533: an encoded report",
                FROM
                "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
                "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                "RmluYWwtUmVjaXBpZW50OiB1dGYtODsgw6lAYi5leGFtcGxlDQpBY3Rpb246IGZhaWxlZA0KU3Rh\r\n"
                "dHVzOiA1LjEuMQ0K\r\n--b--\r\n",
                BOUNCE_PERMANENT, "\xc3\xa9@b.example ", "5.1.1", NULL},
        {"and as quoted-printable",
                FROM "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
                     "Content-Type: message/global-delivery-status\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                     "Final-Recipient: utf-8; =C3=A9@b.example\r\nAction: failed\r\n--b--\r\n",
                BOUNCE_PERMANENT, "\xc3\xa9@b.example ", NULL, NULL},
        {"a report inside of a returned message is not ours",
                FROM
                "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
                "Content-Type: message/delivery-status\r\n\r\n"
                "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n--o--\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"a type of address that is no mail",
                REPORT("Final-Recipient: x400; /G=a/S=b/\r\nAction: failed\r\nStatus: 5.1.1\r\n"),
                BOUNCE_NONE, "", NULL, NULL},
        {"the same address twice counts once",
                REPORT("Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n"
                       "Final-Recipient: rfc822; A@B.example\r\nAction: failed\r\n"),
                BOUNCE_PERMANENT, "a@b.example ", NULL, NULL},
};

static const struct a_case texts[] = {
        {"qmail", PLAIN "Hi. This is qmail.\r\n\r\n<a@b.example>:\r\nno mailbox here\r\n", BOUNCE_PERMANENT,
                "a@b.example ", "", "<a@b.example>:"},
        {"Postfix before DSN", PLAIN "<a@b.example>: host mx said: 550\r\n    unknown\r\n", BOUNCE_PERMANENT,
                "a@b.example ", NULL, NULL},
        {"Exim",
                PLAIN "The following address(es)\r\nfailed:\r\n\r\n  a@b.example:\r\n    550 no\r\n  "
                      "c@b.example\r\n",
                BOUNCE_PERMANENT, "a@b.example c@b.example ", NULL, NULL},
        {"a delay", PLAIN "has not yet been delivered to the following addresses:\r\n\r\n  a@b.example\r\n",
                BOUNCE_TEMPORARY, "a@b.example ", NULL, NULL},
        {"what was returned is not looked at",
                PLAIN "Recipient: [SMTP:a@b.example]\r\n\r\n--- Below this line is a copy of the message.\r\n"
                      "<c@b.example>:\r\n",
                BOUNCE_PERMANENT, "a@b.example ", NULL, NULL},
        {"an address that was shortened", PLAIN "The following address failed:\r\n\r\n  abc...@b.example\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"a name of the reporter's domain", PLAIN "could not be delivered to:\r\n\tscreenname\r\n",
                BOUNCE_PERMANENT, "screenname@mx.example.net ", NULL, NULL},
        {"no heading, no shape", PLAIN "Write to\r\nhelp@b.example\r\nfor more.\r\n", BOUNCE_NONE, "", NULL,
                NULL},
        {"a vacation notice",
                FROM "Auto-Submitted: auto-replied\r\n\r\nI am on vacation, write to\r\nother@b.example\r\n"
                     "Your message could not be delivered to\r\nme@b.example\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"out of office", PLAIN "I'm out of the office until Monday.\r\nthe.boss@b.example helps you.\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"a challenge",
                PLAIN "Your message to:\r\n  a@b.example\r\nwaits. Please confirm that you sent it by "
                      "replying to this\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"an answer of a member", PLAIN "Hello,\r\n\r\nplease unsubscribe me.\r\nme@b.example\r\n",
                BOUNCE_NONE, "", NULL, NULL},
        {"Gmail's vacation notice",
                PERSON "Auto-Submitted: auto-replied\r\nIn-Reply-To: <1@l.test>\r\nPrecedence: "
                       "bulk\r\nX-Autoreply: yes\r\n" MOVED,
                BOUNCE_NONE, "", NULL, NULL},
        {"Outlook's",
                PERSON "Subject: Automatic reply: hello\r\nX-Auto-Response-Suppress: All\r\n"
                       "auto-submitted: auto-generated\r\n" MOVED,
                BOUNCE_NONE, "", NULL, NULL},
        {"Exim's", PERSON "Auto-Submitted: auto-replied\r\n" MOVED, BOUNCE_NONE, "", NULL, NULL},
        {"qmail's", PERSON "X-Autoreply: yes\r\n" MOVED, BOUNCE_NONE, "", NULL, NULL},
        {"vacation(1)'s", PERSON "Precedence: junk\r\n" MOVED, BOUNCE_NONE, "", NULL, NULL},
        {"Sieve's", "From: postmaster@b.example\r\nAuto-Submitted: auto-replied (vacation)\r\n" MOVED,
                BOUNCE_NONE, "", NULL, NULL},
        {"cPanel's", PERSON "X-Autorespond: hello\r\n" MOVED, BOUNCE_NONE, "", NULL, NULL},
        {"a person's answer", PERSON "In-Reply-To: <1@l.test>\r\n" MOVED, BOUNCE_NONE, "", NULL, NULL},
        {"not read",
                PERSON "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n"
                       "\r\n--b\r\n" MOVED,
                BOUNCE_NONE, "", NULL, NULL},
        {"a complaint",
                PERSON "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n"
                       "\r\n--b\r\n" MOVED,
                BOUNCE_NONE, "", NULL, NULL},
        {"a report of somebody who says that no person wrote it",
                "From: Mail Delivery System <a@mx.example.net>\r\nAuto-Submitted: auto-replied\r\n" MOVED,
                BOUNCE_PERMANENT, "me@b.example ", NULL, NULL},
        {"a report of somebody without a name", PERSON "Auto-Submitted: no\r\n" MOVED, BOUNCE_PERMANENT,
                "me@b.example ", NULL, NULL},
        {"only a beginning", FROM, BOUNCE_NONE, "", NULL, NULL},
        {"nothing", "", BOUNCE_NONE, "", NULL, NULL},
};

static void test_reports(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
                check(&reports[i]);
}

static void test_texts(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                check(&texts[i]);
}

/* Nothing is read beyond the end of what came. */
static void test_every_prefix(void **state)
{
        struct bounce b;
        (void)state;
        for (size_t i = 0; i < COUNT(reports) + 3; i++) {
                struct str whole =
                        str_of_c(i < COUNT(reports) ? reports[i].message : texts[i - COUNT(reports)].message);
                for (size_t n = 0; n <= whole.n; n++) {
                        struct str part = exact(str_take(whole, n));
                        read_exact(part, &b);
                        exact_free(part);
                }
        }
}

/* More recipients than there is room for are left out, and parts in parts end. */
static void test_too_many(void **state)
{
        static char text[64 * 1024];
        struct bounce b;
        struct wr w;
        (void)state;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("Content-Type: message/delivery-status\r\n\r\n"));
        for (size_t i = 0; i < 3 * BOUNCE_RECIPIENTS_MAX; i++) {
                wr_str(&w, S("Final-Recipient: rfc822; m"));
                wr_u64(&w, i);
                wr_str(&w, S("@b.example\r\nAction: failed\r\n\r\n"));
        }
        read_exact(wr_text(&w), &b);
        assert_int_equal(b.count, BOUNCE_RECIPIENTS_MAX);
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < 1000; i++)
                wr_str(&w, S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"));
        read_exact(wr_text(&w), &b);
        assert_int_equal(b.count, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reports),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_too_many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
