/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "list/judge.h"

static const struct {
        const char *name;
        unsigned code;
        const char *said;
        enum judge_class want;
} cases[] = {
        {"gmail, unknown", 550,
                "550 5.1.1 The email account that you tried to reach does not exist. Please try "
                "double-checking the "
                "recipient's email address for typos or unnecessary spaces. For more information, go to "
                "https://support.google.com/mail/?p=NoSuchUser - gsmtp",
                JUDGE_ADDRESS},
        {"gmail, disabled", 550, "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp",
                JUDGE_ADDRESS},
        {"gmail, full", 552, "552 5.2.2 The recipient's inbox is out of storage space. - gsmtp", JUDGE_FULL},
        {"gmail, full for five days", 452, "452 4.2.2 The recipient's inbox is out of storage space.",
                JUDGE_FULL},
        {"gmail, too much of it", 550,
                "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
                "additional "
                "messages from being delivered.",
                JUDGE_POLICY},
        {"gmail, DMARC", 550,
                "550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC "
                "policy.",
                JUDGE_POLICY},
        {"gmail, reputation", 550,
                "550 5.7.1 Our system has detected that this message is likely unsolicited mail.",
                JUDGE_POLICY},
        {"microsoft, unknown", 550,
                "550 5.4.1 Recipient address rejected: Access denied. "
                "[AM0EUR02FT041.eop-EUR02.prod.protection.outlook.com]",
                JUDGE_ADDRESS},
        {"microsoft, unknown here", 550,
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
                JUDGE_ADDRESS},
        {"microsoft, consumers", 550,
                "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", JUDGE_ADDRESS},
        {"microsoft, banned", 550, "550 5.7.511 Access denied, banned sender[192.0.2.1].", JUDGE_POLICY},
        {"microsoft, block list", 550,
                "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your "
                "Internet service "
                "provider since part of their network is on our block list (S3150).",
                JUDGE_POLICY},
        {"microsoft, full", 554, "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
                JUDGE_FULL},
        {"microsoft, its own loop", 554, "554 5.4.14 Hop count exceeded - possible mail loop", JUDGE_SYSTEM},
        {"yahoo, policy", 554, "554 5.7.9 Message not accepted for policy reasons.", JUDGE_POLICY},
        {"yahoo, unknown", 554,
                "554 delivery error: dd This user doesn't have a yahoo.com account (nobody@yahoo.com) [0] - "
                "mta4001",
                JUDGE_ADDRESS},
        {"yahoo, full", 552, "552 1 Requested mail action aborted, mailbox full", JUDGE_FULL},
        {"postfix, unknown", 550,
                "550 5.1.1 <spam@example.org>: Recipient address rejected: User unknown in virtual mailbox "
                "table",
                JUDGE_ADDRESS},
        {"postfix, relay", 554, "554 5.7.1 <a@example.org>: Relay access denied", JUDGE_SYSTEM},
        {"postfix, reverse name", 550,
                "550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
                JUDGE_POLICY},
        {"exim, unknown", 550, "550 Unrouteable address", JUDGE_ADDRESS},
        {"exim, relay", 550, "550 relay not permitted", JUDGE_SYSTEM},
        {"exim, a rule without words of its own", 550, "550 Administrative prohibition", JUDGE_POLICY},
        {"exim, our sender", 550, "550 Sender verify failed", JUDGE_POLICY},
        {"cpanel, our name", 550, "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
                JUDGE_POLICY},
        {"opensmtpd, unknown virtual user", 524,
                "524 5.2.4 Mailing list expansion problem: <nobody@example.org>", JUDGE_ADDRESS},
        {"opensmtpd, unknown", 550, "550 Invalid recipient: <nobody@example.org>", JUDGE_ADDRESS},
        {"spamhaus, whatever status", 550,
                "550 5.1.1 rejected, see https://www.spamhaus.org/query/ip/192.0.2.1", JUDGE_POLICY},
        {"spamhaus, no status", 554,
                "554 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                JUDGE_POLICY},
        {"null MX", 556, "556 5.1.10 the domain takes no mail (RFC 7505)", JUDGE_ADDRESS},
        {"unknown domain", 550, "550 5.1.2 no such domain", JUDGE_ADDRESS},
        {"moved", 550, "550 5.1.6 the mailbox has moved", JUDGE_ADDRESS},
        {"our sender", 550, "550 5.1.8 <a@b>: Sender address rejected: Domain not found", JUDGE_POLICY},
        {"our sender, other status", 550, "550 5.1.0 <a@b>: sender rejected: bad domain", JUDGE_POLICY},
        {"our sender, no status", 550, "550 Sender address rejected: Domain not found", JUDGE_POLICY},
        {"our sender's domain", 550, "550 Sender domain does not exist", JUDGE_POLICY},
        {"our sender's domain, sendmail", 553, "553 <a@b>... Domain of sender address a@b does not exist",
                JUDGE_POLICY},
        {"block lists", 550, "550 192.0.2.1 was found in one or more DNSBLs", JUDGE_POLICY},
        {"no code at all", 0, "no host could be reached", JUDGE_SYSTEM},
        {"nothing", 0, "", JUDGE_SYSTEM},
        {"greylisted for five days", 450, "450 4.2.0 Greylisted, come back later", JUDGE_POLICY},
        {"busy for five days", 451, "451 4.3.0 try again", JUDGE_SYSTEM},
        {"temporary unknown user", 450, "450 4.1.1 User unknown, for now", JUDGE_SYSTEM},
        {"too large", 552, "552 5.3.4 message size exceeds fixed limit", JUDGE_MESSAGE},
        {"too large, no status", 552, "552 Message size exceeds maximum permitted", JUDGE_MESSAGE},
        {"too large for it", 550, "550 5.2.3 larger than this mailbox takes", JUDGE_MESSAGE},
        {"no SMTPUTF8", 550, "550 5.6.7 no internationalised mail", JUDGE_MESSAGE},
        {"protocol", 503, "503 5.5.1 bad sequence of commands", JUDGE_MESSAGE},
        {"protocol, no status", 501, "501 syntax error", JUDGE_MESSAGE},
        {"bare 550", 550, "550", JUDGE_ADDRESS},
        {"bare 552", 552, "552 sorry", JUDGE_FULL},
        {"bare 554", 554, "554 Transaction failed", JUDGE_SYSTEM},
        {"554, unknown", 554, "554 No such user here", JUDGE_ADDRESS},
        {"5.0.0, unknown", 550, "550 5.0.0 <a@b.example>... User unknown", JUDGE_ADDRESS},
        {"5.0.0, full", 550, "550 5.0.0 Over quota", JUDGE_FULL},
        {"mixed lines", 550, "550-5.1.1 gone", JUDGE_ADDRESS},
        {"bounce, status in front", 0, "5.1.1 550 User unknown", JUDGE_ADDRESS},
        {"bounce, status that says nothing", 0, "5.0.0 550 5.7.1 no", JUDGE_POLICY},
        {"bounce, code in front", 0, "550 5.2.2 mailbox full", JUDGE_FULL},
        {"bounce, text alone", 0, "5.0.0 unknown user", JUDGE_ADDRESS},
        {"bounce, type in front", 0, "smtp; 550 5.1.1 unknown", JUDGE_ADDRESS},
        {"bounce, delay", 0, "4.4.1 connection timed out", JUDGE_SYSTEM},
        {"a name is no word", 550, "550 5.1.1 <dkim-spam@policy.example> unknown", JUDGE_ADDRESS},
        {"a part is no word", 550, "550 5.1.1 spfx antispammers' mailbox does not exist", JUDGE_ADDRESS},
        {"a version is no status", 550, "550 5.7.1.2 gone", JUDGE_ADDRESS},
        {"digits without end", 550, "550 5.1.11111 gone", JUDGE_ADDRESS},
};

static void test_classes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str said = str_of_c(cases[i].said);
                char *exact = malloc(said.n + 1);
                assert_non_null(exact);
                char *end = exact + 1; /* so that one octet too far in front is seen, too */
                memcpy(end, said.p, said.n);
                enum judge_class got = judge_class_of(cases[i].code, str_of(end, said.n));
                if (got != cases[i].want)
                        fail_msg("%s: %.*s", cases[i].name, (int)judge_class_name(got).n,
                                judge_class_name(got).p);
                for (size_t n = 0; n < said.n; n++)
                        assert_true(judge_class_of(cases[i].code, str_of(end, n)) < JUDGE_CLASSES);
                free(exact);
        }
}

/* What is kept of a bounce, whose code is known to its text alone, is judged like an answer. */
static void test_code_in_text(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                if (cases[i].code != 0)
                        assert_int_equal(judge_class_of(0, str_of_c(cases[i].said)), cases[i].want);
}

static void test_names(void **state)
{
        (void)state;
        int counting = 0;
        for (int i = 0; i < JUDGE_CLASSES; i++) {
                assert_true(judge_class_name((enum judge_class)i).n > 0);
                counting += judge_class_counts((enum judge_class)i);
        }
        assert_int_equal(counting, 3);
        assert_false(judge_class_counts(JUDGE_POLICY) || judge_class_counts(JUDGE_MESSAGE));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_classes),
                cmocka_unit_test(test_code_in_text),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
