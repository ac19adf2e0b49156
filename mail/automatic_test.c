/* SPDX-License-Identifier: ISC */
#include "mail/automatic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define FIELDS_MAX 8

static void test_automatic(void **state)
{
        (void)state;
        static const struct {
                const char *name, *sender, *header;
                bool is_automatic;
        } cases[] = {
                {"a person", "alice@example.org", "From: Alice <alice@example.org>\r\nSubject: join\r\n",
                        false},
                {"the null sender", "", "From: alice@example.org\r\n", true},
                {"a mailer's sender", "MAILER-DAEMON@example.org", "From: alice@example.org\r\n", true},
                {"a list's sender", "ptt-bounces@example.org", "From: alice@example.org\r\n", true},
                {"an owner's sender", "owner-ptt@example.org", "From: alice@example.org\r\n", true},
                {"a mailer's author", "alice@example.org", "From: <mailer-daemon@example.org>\r\n", true},
                {"nobody's author", "alice@example.org", "From: \"Shop\" <No-Reply@example.org>\r\n", true},
                {"a service's author", "alice@example.org", "From: ptt-request@example.org\r\n", true},
                {"a person called Owner", "a.owner@example.org", "From: a.owner@example.org\r\n", false},
                {"auto-replied", "alice@example.org", "Auto-Submitted: auto-replied\r\n", true},
                {"auto-generated, with a comment", "alice@example.org",
                        "auto-submitted: (x) auto-generated; a=b\r\n", true},
                {"not automatic", "alice@example.org", "Auto-Submitted: No (really)\r\n", false},
                {"automatic without a word", "alice@example.org", "Auto-Submitted:\r\n", true},
                {"bulk", "alice@example.org", "Precedence: bulk\r\n", true},
                {"junk", "alice@example.org", "Precedence: JUNK\r\n", true},
                {"of a list", "alice@example.org", "Precedence: list\r\n", true},
                {"another precedence", "alice@example.org", "Precedence: first-class\r\n", false},
                {"a list's post", "alice@example.org", "List-Id: <ptt.example.org>\r\n", true},
                {"a report", "alice@example.org", "Content-Type: multipart/report; report-type=x\r\n", true},
                {"no report", "alice@example.org", "Content-Type: multipart/mixed; boundary=report\r\n",
                        false},
                {"no type", "alice@example.org", "Content-Type: nonsense\r\n", false},
                {"nothing", "alice@example.org", "", false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct mail_field fields[FIELDS_MAX];
                struct mail_header h;
                assert_int_equal(
                        mail_header_index(str_of_c(cases[i].header), fields, FIELDS_MAX, &h), ERR_OK);
                if (mail_is_automatic(str_of_c(cases[i].sender), &h) != cases[i].is_automatic)
                        fail_msg("%s", cases[i].name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_automatic)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
