/* SPDX-License-Identifier: ISC */
#include "auth/authres_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define ROOM (4 * AUTHRES_MAKE_ROOM)

static struct dns_name name(const char *text)
{
        struct dns_name out;
        assert_int_equal(dns_name_parse(str_of_c(text), &out), ERR_OK);
        return out;
}

static void expect(const struct authres *a, struct str want)
{
        char out[2048];
        struct wr w;
        wr_init(&w, out, sizeof out);
        assert_int_equal(authres_write(&w, S("Authentication-Results"), 0, a), ERR_OK);
        if (!str_eq(wr_text(&w), want))
                fail_msg("%.*s", STR_ARG(wr_text(&w)));
}

static const struct spf_input spf_in = {.ip = {4, {85, 209, 118, 131}},
        .sender = {"reynir@data.coop", 16},
        .receiver = {"mx.mailingl.st", 14}};
static const struct spf_verdict spf_pass = {.result = SPF_PASS, .domain = {"data.coop", 9}};
static const struct dkim_signature signature = {
        .domain = {"data.coop", 9}, .selector = {"dkim", 4}, .b = {"Ys\r\n 39tJ agAAAA==", 18}};

/* As the article about mailing lists shows them. */
static void test_all_passed(void **state)
{
        (void)state;
        char room[ROOM];
        struct authres a = {.id = S("mailingl.st")};
        struct wr w;
        struct dkim_verdict dkim = {.result = DKIM_PASS};
        struct dmarc_verdict dmarc = {.result = DMARC_PASS,
                .author = name("data.coop"),
                .policy_domain = name("data.coop"),
                .record = {.p = DMARC_POLICY_REJECT, .sp = DMARC_POLICY_REJECT, .np = DMARC_POLICY_REJECT}};
        wr_init(&w, room, sizeof room);
        assert_true(authres_add_spf(&a, &w, &spf_in, &spf_pass));
        assert_true(authres_add_dkim(&a, &w, &signature, &dkim));
        assert_true(authres_add_dmarc(&a, &w, &dmarc));
        assert_true(authres_add_plain(&a, &w, S("arc"), S("none"), S("")));
        expect(&a, S("Authentication-Results: mailingl.st;\r\n"
                     " spf=pass (mailingl.st: domain of reynir@data.coop designates 85.209.118.131\r\n"
                     " as permitted sender) smtp.mailfrom=@data.coop;\r\n"
                     " dkim=pass header.i=@data.coop header.s=dkim header.b=Ys39tJag;\r\n"
                     " dmarc=pass (p=REJECT sp=REJECT) header.from=data.coop;\r\n"
                     " arc=none\r\n"));
}

static void test_all_failed(void **state)
{
        (void)state;
        char room[ROOM];
        struct authres a = {.id = S("m")};
        struct wr w;
        struct spf_input in = spf_in;
        struct spf_verdict spf = {.result = SPF_FAIL, .is_helo = true, .domain = S("helo(\r\nx")};
        struct dkim_verdict dkim = {.result = DKIM_PERMERROR, .fault = DKIM_TAG_MISSING, .detail = S("bh")};
        struct dkim_signature bare = {.identity = S("a b@c")};
        struct dmarc_verdict none = {.fault = DMARC_NO_RECORD, .name = name("a.b"), .author = name("a.b")};
        struct dmarc_verdict trouble = {.result = DMARC_TEMPERROR,
                .fault = DMARC_TROUBLE,
                .name = name("_dmarc.b"),
                .author = name("a.b"),
                .policy_domain = name("b"),
                .record = {.sp = DMARC_POLICY_QUARANTINE, .np = DMARC_POLICY_REJECT, .testing = true}};
        struct dmarc_verdict author = {.result = DMARC_PERMERROR, .fault = DMARC_FROM_SEVERAL};
        in.sender = S("");
        wr_init(&w, room, sizeof room);
        assert_true(authres_add_spf(&a, &w, &in, &spf));
        assert_true(authres_add_dkim(&a, &w, &bare, &dkim));
        assert_true(authres_add_dmarc(&a, &w, &none));
        assert_true(authres_add_dmarc(&a, &w, &trouble));
        assert_true(authres_add_dmarc(&a, &w, &author));
        assert_true(authres_add_plain(&a, &w, S("arc"), S("fail"), S("set 2) is\r\nbroken")));
        expect(&a, S("Authentication-Results: m;\r\n"
                     " spf=fail (m: domain of helo\\(??x does not designate 85.209.118.131 as\r\n"
                     " permitted sender) smtp.helo=\"helo(??x\";\r\n"
                     " dkim=permerror (the signature lacks a required tag: bh);\r\n"
                     " dmarc=none (a.b: no DMARC record for this domain or those above it)\r\n"
                     " header.from=a.b;\r\n"
                     " dmarc=temperror (p=NONE sp=QUARANTINE np=REJECT t=y; _dmarc.b: DNS gave no\r\n"
                     " answer about this name) header.from=a.b;\r\n"
                     " dmarc=permerror (the From field has addresses of several domains);\r\n"
                     " arc=fail (set 2\\) is??broken)\r\n"));
}

static void test_what_does_not_fit_is_not_added(void **state)
{
        (void)state;
        char room[AUTHRES_MAKE_ROOM];
        struct dkim_verdict dkim = {.result = DKIM_PASS};
        struct authres a = {.id = S("m")};
        struct wr w;
        wr_init(&w, room, sizeof room);
        assert_true(authres_add_spf(&a, &w, &spf_in, &spf_pass));
        size_t needed = w.n;
        for (size_t cap = 0; cap < needed; cap++) {
                a = (struct authres){.id = S("m")};
                wr_init(&w, room, cap);
                assert_false(authres_add_spf(&a, &w, &spf_in, &spf_pass));
                assert_true(a.count == 0 && a.property_count == 0);
        }
        a.property_count = AUTHRES_PROPERTIES_MAX - 1; /* one of three fits */
        wr_init(&w, room, sizeof room);
        assert_false(authres_add_dkim(&a, &w, &signature, &dkim));
        assert_true(a.count == 0 && a.property_count == AUTHRES_PROPERTIES_MAX - 1 && w.n == 0);
        a.count = AUTHRES_RESULTS_MAX;
        assert_false(authres_add_dkim(&a, &w, &signature, &dkim));
        assert_int_equal(a.count, AUTHRES_RESULTS_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_passed),
                cmocka_unit_test(test_all_failed),
                cmocka_unit_test(test_what_does_not_fit_is_not_added),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
