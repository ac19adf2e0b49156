/* SPDX-License-Identifier: ISC */
/* Results that are so, and all sorts that are not. */
#include "tests/sim/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define ABOVE "Received: from x by mx\r\n\t(y); today\r\n"
#define BELOW "List-Id: <l.list.test>\r\n"
#define FIELD(results) ABOVE "Authentication-Results: list.test" results "\r\n" BELOW
#define SPF "; spf=pass (list.test: a; b) smtp.mailfrom=@author.test"
#define DKIM "; dkim=pass header.i=@author.test header.s=ann"
#define SEALED(set) "ARC-Authentication-Results: " set "\r\n" FIELD(SPF DKIM DMARC)
#define DMARC "; dmarc=pass (p=REJECT) header.from=author.test"

enum { BY_SPF = 1, BY_DKIM = 2, POLICY = 4, UNPROVEN = 8, MAY_FAIL = 16 };

static void test_results(void **state)
{
        static const struct {
                const char *name, *front;
                unsigned truth;
                bool is_so;
        } cases[] = {
                {"all", FIELD(SPF DKIM DMARC), 7, true},
                {"folded", FIELD(";\r\n\tspf=pass\r\n\tsmtp.mailfrom=@author.test" DKIM DMARC), 7, true},
                {"none", FIELD("; spf=none; dkim=none; dmarc=none"), UNPROVEN, true},
                {"fails", FIELD("; spf=softfail; dkim=fail; dmarc=fail"), POLICY | UNPROVEN, true},
                {"two signatures", FIELD(SPF "; dkim=pass header.i=@other.test" DKIM DMARC), 7, true},
                {"a quoted id", ABOVE "Authentication-Results: \"list.test\"" SPF DKIM DMARC "\r\n", 7, true},
                {"no field", ABOVE BELOW, 7, false},
                {"two fields", FIELD(SPF DKIM DMARC) FIELD(SPF DKIM DMARC), 7, false},
                {"another id", ABOVE "Authentication-Results: mx.test" SPF DKIM DMARC "\r\n", 7, false},
                {"in another place", "Authentication-Results: list.test" SPF DKIM DMARC "\r\n" ABOVE, 7,
                        false},
                {"no spf", FIELD(DKIM DMARC), 7, false},
                {"spf twice", FIELD(SPF SPF DKIM DMARC), 7, false},
                {"no dkim", FIELD(SPF DMARC), 7, false},
                {"no dmarc", FIELD(SPF DKIM), 7, false},
                {"spf fails", FIELD("; spf=fail" DKIM DMARC), 7, false},
                {"spf of another", FIELD("; spf=pass smtp.mailfrom=@other.test" DKIM DMARC), 7, false},
                {"dkim of another", FIELD(SPF "; dkim=pass header.i=@other.test" DMARC), 7, false},
                {"dkim fails", FIELD(SPF "; dkim=fail header.i=@author.test" DMARC), 7, false},
                {"dmarc fails", FIELD(SPF DKIM "; dmarc=fail header.from=author.test"), 7, false},
                {"in a comment", FIELD("; spf=fail (; spf=pass @author.test)" DKIM DMARC), 7, false},
                {"quoted", FIELD("; spf=fail reason=\"; spf=pass @author.test\"" DKIM DMARC), 7, false},
                {"spf passes wrongly", FIELD(SPF DKIM DMARC), BY_DKIM | POLICY, false},
                {"dkim passes wrongly", FIELD(SPF DKIM DMARC), BY_SPF | POLICY, false},
                {"dmarc passes wrongly", FIELD(SPF DKIM DMARC), 7 | UNPROVEN, false},
                {"dmarc without a policy", FIELD(SPF DKIM DMARC), BY_SPF | BY_DKIM, false},
                {"no policy", FIELD(SPF DKIM "; dmarc=none"), BY_SPF | BY_DKIM, true},
                {"a failure without a policy", FIELD(SPF DKIM "; dmarc=fail"), BY_SPF | BY_DKIM, false},
                {"a policy without a result", FIELD("; spf=fail; dkim=fail; dmarc=none"), POLICY | UNPROVEN,
                        false},
                {"two authors", FIELD("; spf=fail; dkim=fail; dmarc=permerror"), POLICY | UNPROVEN, true},
                {"no answer", FIELD("; spf=temperror" DKIM DMARC), 7, false},
                {"no answer in trouble", FIELD("; spf=temperror" DKIM DMARC), 7 | MAY_FAIL, true},
                {"failure in trouble", FIELD("; spf=fail" DKIM DMARC), 7 | MAY_FAIL, false},
                {"no policy in trouble", FIELD(SPF DKIM "; dmarc=temperror"), 3 | MAY_FAIL, true},
                {"sealed",
                        SEALED("i=1; list.test" SPF DKIM
                               "; dmarc=pass\r\n\t(p=REJECT)header.from=author.test"),
                        7, true},
                {"sealed less", SEALED("i=1; list.test" SPF DKIM), 7, false},
                {"sealed more", SEALED("i=1; list.test" SPF DKIM DMARC "; arc=pass"), 7, false},
                {"sealed by another", SEALED("i=1; mx.test" SPF DKIM DMARC), 7, false},
                {"a second set", SEALED("i=2; list.test" SPF DKIM DMARC), 7, false},
                {"Pass is no pass", FIELD(SPF "; dkim=Pass header.i=@author.test" DMARC), 7, false},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                unsigned is = cases[i].truth;
                struct ledger_try try = {.sender = S("ann@author.test"),
                        .from = S("ann@author.test"),
                        .truth = {.is_told = true,
                                .spf = (is & BY_SPF) != 0,
                                .dkim = (is & BY_DKIM) != 0,
                                .is_proven = (is & UNPROVEN) == 0,
                                .dmarc = (is & POLICY) == 0     ? LEDGER_DMARC_NONE
                                         : (is & UNPROVEN) == 0 ? LEDGER_DMARC_PASS
                                                                : LEDGER_DMARC_FAIL,
                                .signer = S("author.test")}};
                const char *wrong =
                        results_judge(str_of_c(cases[i].front), S("list.test"), &try, (is & MAY_FAIL) != 0);
                if (cases[i].is_so != (wrong == NULL))
                        fail_msg("%s: %s", cases[i].name, wrong ? wrong : "no fault");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_results)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
