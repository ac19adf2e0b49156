/* SPDX-License-Identifier: ISC */
#include "auth/received_spf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"
#include "mail/header.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static const struct {
        const char *body;
        struct received_spf want;
} right[] = {
        {" pass", {.result = SPF_PASS}},
        {" None (why)", {.result = SPF_NONE, .comment = {"why", 3}}},
        {" pass (a: domain of b@c designates 192.0.2.1 as permitted sender)\r\n receiver=a; "
         "client-ip=192.0.2.1;\r\n"
         " envelope-from=\"b@c\"; helo=d; identity=mailfrom; mechanism=\"ip4:192.0.2.1\";",
                {.result = SPF_PASS,
                        .comment = {"a: domain of b@c designates 192.0.2.1 as permitted sender", 57},
                        .receiver = {"a", 1},
                        .client_ip = {"192.0.2.1", 9},
                        .envelope_from = {"b@c", 3},
                        .helo = {"d", 1},
                        .identity = {"mailfrom", 8},
                        .mechanism = {"ip4:192.0.2.1", 13}}},
        {" softfail client-ip=2001:db8::1; envelope-from=b@c; x.y-z=1; helo=e; helo=f",
                {.result = SPF_SOFTFAIL,
                        .client_ip = {"2001:db8::1", 11},
                        .envelope_from = {"b@c", 3},
                        .helo = {"e", 1}}},
        {" permerror problem=\"what \\\"now\\\"\" receiver = a",
                {.result = SPF_PERMERROR, .problem = {"what \"now\"", 10}, .receiver = {"a", 1}}},
};

static enum err parse(struct str text, char *room, struct received_spf *out)
{
        struct wr w;
        wr_init(&w, room, text.n);
        return received_spf_parse(text, &w, out);
}

static bool is_same(const struct received_spf *a, const struct received_spf *b)
{
        return a->result == b->result && str_eq(a->comment, b->comment) && str_eq(a->receiver, b->receiver) &&
               str_eq(a->client_ip, b->client_ip) && str_eq(a->envelope_from, b->envelope_from) &&
               str_eq(a->helo, b->helo) && str_eq(a->identity, b->identity) &&
               str_eq(a->mechanism, b->mechanism) && str_eq(a->problem, b->problem);
}

static void test_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(right); i++) {
                struct received_spf r;
                char room[512];
                struct str whole = str_of_c(right[i].body);
                for (size_t n = 0; n <= whole.n; n++) {
                        struct str body = exact(str_take(whole, n));
                        enum err e = parse(body, room, &r);
                        assert_true(
                                e == ERR_OK || (e == ERR_SYNTAX && is_same(&r, &(struct received_spf){0})));
                        if (n == whole.n && (e != ERR_OK || !is_same(&r, &right[i].want)))
                                fail_msg("%s", right[i].body);
                        exact_free(body);
                }
        }
}

static void test_refused(void **state)
{
        (void)state;
        static const char *const cases[] = {"", " ", " passed", " (pass)", " pass (open", " pass x",
                " pass x=\"open", " pass =y", " pass x.=y", " pass; helo=a", " pass x=(y", " pass)",
                " pass\n helo=a"};
        for (size_t i = 0; i < CASES(cases); i++) {
                struct received_spf r;
                char room[64];
                struct str body = exact(str_of_c(cases[i]));
                if (parse(body, room, &r) != ERR_SYNTAX)
                        fail_msg("%s", cases[i]);
                exact_free(body);
        }
        struct received_spf r;
        struct wr w;
        wr_init(&w, NULL, 0);
        assert_int_equal(received_spf_parse(S("pass helo=\"\\a\""), &w, &r), ERR_SPACE);
}

static struct spf_input input(void)
{
        return (struct spf_input){.ip = ip_v4(192, 0, 2, 1),
                .sender = S("someone@example.org"),
                .helo = S("mx.example.org"),
                .receiver = S("mail.example")};
}

static void make(const struct spf_input *in, const struct spf_verdict *v, struct str want)
{
        char room[RECEIVED_SPF_ROOM], out[8192], again_room[8192];
        struct received_spf r, again;
        struct mail_field field;
        struct wr w;
        size_t at = 0;
        wr_init(&w, room, sizeof room);
        assert_int_equal(received_spf_make(in, v, &w, &r), ERR_OK);
        wr_init(&w, out, sizeof out);
        assert_int_equal(received_spf_write(&w, &r), ERR_OK);
        if (want.n > 0 && !str_eq(wr_text(&w), want))
                fail_msg("%.*s", STR_ARG(wr_text(&w)));
        assert_int_equal(mail_item_next(wr_text(&w), &at, &field), MAIL_ITEM_FIELD);
        assert_int_equal(at, w.n);
        assert_int_equal(parse(field.body, again_room, &again), ERR_OK);
        assert_true(again.result == r.result && str_eq(again.envelope_from, r.envelope_from));
        assert_true(str_eq(again.helo, r.helo) && str_eq(again.mechanism, r.mechanism));
}

static void test_made(void **state)
{
        (void)state;
        struct spf_input in = input();
        struct spf_verdict v = {
                .result = SPF_PASS, .domain = S("example.org"), .term = S("ip4:192.0.2.0/24")};
        make(&in, &v,
                S("Received-SPF: pass (mail.example: domain of someone@example.org designates\r\n"
                  " 192.0.2.1 as permitted sender) receiver=mail.example; client-ip=192.0.2.1;\r\n"
                  " envelope-from=\"someone@example.org\"; helo=mx.example.org; identity=mailfrom;\r\n"
                  " mechanism=\"ip4:192.0.2.0/24\"\r\n"));
        v = (struct spf_verdict){.result = SPF_NEUTRAL, .is_helo = true, .domain = S("mx.example.org")};
        in.sender = S("");
        in.receiver = S("");
        assert_int_equal(ip_parse(S("::ffff:192.0.2.7"), &in.ip), ERR_OK);
        make(&in, &v,
                S("Received-SPF: neutral (domain of mx.example.org neither permits nor denies\r\n"
                  " 192.0.2.7) client-ip=192.0.2.7; helo=mx.example.org; identity=helo;\r\n"
                  " mechanism=default\r\n"));
        v = (struct spf_verdict){.result = SPF_TEMPERROR, .fault = SPF_TROUBLE, .domain = S("example.org")};
        make(&in, &v, S(""));
        for (enum spf_result r = SPF_NONE; r < SPF_RESULT_COUNT; r++) {
                v.result = r;
                make(&in, &v, S(""));
        }
}

/* Whatever a client calls itself, the field can be written. */
static void test_hostile_texts(void **state)
{
        (void)state;
        char many[2000];
        static const char *const texts[] = {
                "(", ")", "\\", "\"", "\r\nBcc: victim@example.org", "\xff", "\xc3\xa9", "\0"};
        for (size_t i = 0; i < CASES(texts); i++) {
                struct str piece = i + 1 < CASES(texts) ? str_of_c(texts[i]) : S("\0");
                struct wr w;
                wr_init(&w, many, sizeof many);
                while (!w.full)
                        wr_str(&w, piece);
                struct spf_input in = {.ip = ip_v4(192, 0, 2, 1),
                        .sender = wr_text(&w),
                        .helo = wr_text(&w),
                        .receiver = wr_text(&w)};
                struct spf_verdict v = {
                        .result = SPF_FAIL, .domain = in.helo, .term = in.helo, .is_helo = i % 2};
                make(&in, &v, S(""));
        }
}

static void test_no_room(void **state)
{
        (void)state;
        char room[RECEIVED_SPF_ROOM], out[512];
        struct spf_input in = input();
        struct spf_verdict v = {.result = SPF_FAIL, .domain = S("example.org"), .term = S("-all")};
        struct received_spf r;
        struct wr w;
        size_t needed;
        wr_init(&w, room, sizeof room);
        assert_int_equal(received_spf_make(&in, &v, &w, &r), ERR_OK);
        needed = w.n;
        for (size_t cap = 0; cap < needed; cap++) {
                wr_init(&w, room, cap);
                assert_int_equal(received_spf_make(&in, &v, &w, &r), ERR_SPACE);
                assert_int_equal(r.comment.n, 0);
        }
        wr_init(&w, room, needed);
        assert_int_equal(received_spf_make(&in, &v, &w, &r), ERR_OK);
        struct wr o;
        wr_init(&o, out, sizeof out);
        assert_int_equal(received_spf_write(&o, &r), ERR_OK);
        needed = o.n;
        for (size_t cap = 0; cap < needed; cap++) {
                wr_init(&o, out, cap);
                assert_int_equal(received_spf_write(&o, &r), ERR_SPACE);
                assert_int_equal(o.n, 0);
        }
        wr_init(&o, out, sizeof out);
        r.comment = S("a) b");
        assert_int_equal(received_spf_write(&o, &r), ERR_SYNTAX);
        r.comment = S("");
        r.helo = S("a\r\nb");
        assert_int_equal(received_spf_write(&o, &r), ERR_SYNTAX);
        assert_int_equal(o.n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_made),
                cmocka_unit_test(test_hostile_texts),
                cmocka_unit_test(test_no_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
