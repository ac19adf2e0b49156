/* SPDX-License-Identifier: ISC */
#include "tests/sim/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/signed_rig.h"

static void show(struct signed_rig *r, struct str bytes, const char *from, const char *to, int64_t wall_s)
{
        struct str recipient = str_of_c(to);
        uint32_t c = ledger_connection(r->ledger, "mx1");
        ledger_connection_dot(r->ledger, c);
        verify_received(r->verify, &(struct verify_message){.host = "mx1",
                                           .connection = c,
                                           .wall_s = wall_s,
                                           .from = str_of_c(from),
                                           .to = &recipient,
                                           .to_count = 1,
                                           .bytes = bytes});
        ledger_connection_end(r->ledger, c, LEDGER_QUIT);
}

/* The words of all violations so far. */
static const char *words(struct signed_rig *r)
{
        static char text[200];
        text[0] = 0;
        for (size_t i = 0; i < ledger_violations(r->ledger); i++)
                (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                        ledger_violation(r->ledger, i)->invariant);
        return text;
}

#define ROLE_FRONT "Received: from x by mx.list.test; Sun, 22 Nov 2026 12:00:00 +0000\r\n"

static void test_copies(void **state)
{
        static const struct {
                const char *name;
                enum letter_shape shape;
                struct rig_copy how;
                const char *to, *from, *recipient, *comes_to; /* NULL: as it should be */
                int64_t after_s;
        } cases[] = {
                {"plain", LETTER_PLAIN, {0}, .comes_to = ""},
                {"8bit", LETTER_8BIT, {0}, .comes_to = ""},
                {"no end", LETTER_NO_END, {0}, .comes_to = ""},
                {"bare", LETTER_BARE,
                        {.front = "Received: x\r\nList-Id: <l.list.test>\r\nDate: Sun, 22 Nov 2026 12:00:00 "
                                  "+0000\r\n"
                                  "Message-ID: <a@list.test>\r\n"},
                        .comes_to = ""},
                {"any case", LETTER_PLAIN, {0}, .from = "L-RETURN-ABCDEFGHIJKLMNOPQRSTUVWX@list.TEST",
                        .recipient = "BOB@b.test", .comes_to = ""},
                {"a second Date", LETTER_PLAIN,
                        {.front = "Received: x\r\nList-Id: <l.list.test>\r\nDate: Sun, 22 Nov 2026 12:00:00 "
                                  "+0000\r\n"},
                        .comes_to = "altered"},
                {"a strange field", LETTER_PLAIN, {.front = "List-Id: <l.list.test>\r\nX-Spam: no\r\n"},
                        .comes_to = "altered"},
                {"no field", LETTER_PLAIN, {.front = "List-Id: <l.list.test>\r\nhello\r\n"},
                        .comes_to = "altered"},
                {"no List-Id", LETTER_PLAIN, {.front = "Received: x\r\n"}, .comes_to = "altered"},
                {"two List-Ids", LETTER_PLAIN,
                        {.front = "List-Id: <l.list.test>\r\nList-Id: <l.list.test>\r\n"},
                        .comes_to = "altered"},
                {"another List-Id", LETTER_PLAIN, {.front = "List-Id: <l2.list.test>\r\n"},
                        .comes_to = "altered"},
                {"unsigned", LETTER_PLAIN, {.is_unsigned = true}, .comes_to = "unverified"},
                {"another's signature", LETTER_PLAIN, {.domain = "other.test"}, .comes_to = "unverified"},
                {"a parent's signature", LETTER_PLAIN, {.domain = "test"}, .comes_to = "unverified"},
                {"expired", LETTER_PLAIN, {.expiry_s = RIG_NOW_S + 10}, .after_s = 11,
                        .comes_to = "unverified"},
                {"not expired", LETTER_PLAIN, {.expiry_s = RIG_NOW_S + 10}, .after_s = 10, .comes_to = ""},
                {"from the future", LETTER_PLAIN, {0}, .after_s = -7200, .comes_to = "unverified"},
                {"to a stranger", LETTER_PLAIN, {0}, .recipient = "eve@evil.test", .comes_to = "relayed"},
                {"from a stranger", LETTER_PLAIN, {0}, .from = "eve@evil.test", .comes_to = "relayed"},
                {"from the author", LETTER_PLAIN, {0}, .from = "ann@author.test", .comes_to = "relayed"},
                {"from the list itself", LETTER_PLAIN, {0}, .from = "l@list.test", .comes_to = "relayed"},
                {"a token that is short", LETTER_PLAIN, {0},
                        .from = "l-return-abcdefghijklmnopqrstuvw@list.test", .comes_to = "relayed"},
                {"a token that is none", LETTER_PLAIN, {0},
                        .from = "l-return-0bcdefghijklmnopqrstuvwx@list.test", .comes_to = "relayed"},
                {"another list", LETTER_PLAIN, {0}, .from = "m-return-abcdefghijklmnopqrstuvwx@list.test",
                        .comes_to = "relayed"},
                {"null sender", LETTER_PLAIN, {0}, .from = "", .comes_to = "relayed"},
                {"role", LETTER_PLAIN, {.front = ROLE_FRONT}, .to = "postmaster@list.test", .from = "",
                        .recipient = "boss@b.test", .comes_to = ""},
                {"role with List-Id", LETTER_PLAIN, {0}, .to = "postmaster@list.test", .from = "",
                        .recipient = "boss@b.test", .comes_to = "altered"},
                {"role from a list", LETTER_PLAIN, {.front = ROLE_FRONT}, .to = "postmaster@list.test",
                        .recipient = "boss@b.test", .comes_to = "relayed altered"},
                {"role to a member", LETTER_PLAIN, {.front = ROLE_FRONT}, .to = "postmaster@list.test",
                        .from = "", .comes_to = "relayed"},
        };
        struct signed_rig r;
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                rig_init(&r, KEY_ED25519, NULL);
                uint32_t t =
                        rig_try(&r, cases[i].shape, 500, str_of_c(cases[i].to ? cases[i].to : "l@list.test"));
                struct buffer b = rig_make(&r, t, &cases[i].how);
                show(&r, buffer_text(&b), cases[i].from ? cases[i].from : RIG_PATH,
                        cases[i].recipient ? cases[i].recipient : "bob@b.test", RIG_NOW_S + cases[i].after_s);
                if (strcmp(words(&r), cases[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\": %s", cases[i].name, words(&r),
                                ledger_violations(r.ledger) > 0 ? ledger_violation(r.ledger, 0)->story : "");
                buffer_free(&b);
                rig_free(&r);
        }
}

/* Any byte of a copy that is another one is noticed; of Received, which no signature covers, there is none. */
static void test_every_byte(void **state)
{
        struct signed_rig r;
        (void)state;
        rig_init(&r, KEY_ED25519, NULL);
        uint32_t t = rig_try(&r, LETTER_PLAIN, 1, S("l@list.test"));
        struct buffer b = rig_make(&r, t,
                &(struct rig_copy){
                        .front = "List-Id: A list <l.list.test>\r\nList-Post: <mailto:l@list.test>\r\n"});
        for (size_t i = 0; i < b.n; i++) {
                size_t before = ledger_violations(r.ledger);
                b.p[i] ^= 1;
                show(&r, buffer_text(&b), RIG_PATH, "bob@b.test", RIG_NOW_S);
                b.p[i] ^= 1;
                if (ledger_violations(r.ledger) == before)
                        fail_msg("byte %zu of %zu: \"%.*s\"", i, b.n, (int)(b.n - i < 20 ? b.n - i : 20),
                                b.p + i);
        }
        buffer_free(&b);
        rig_free(&r);
}

/* What DNS says to different people. */
static void test_views(void **state)
{
        struct signed_rig r;
        struct str both[2], revoked = S("v=DKIM1; k=ed25519; p=");
        (void)state;
        rig_init(&r, KEY_ED25519, NULL);
        both[0] = r.record;
        both[1] = r.other_record;
        const struct verify_view right = {VERIFY_RECORDS, &r.record, 1}, none = {VERIFY_RECORDS, NULL, 0},
                                 wrong = {VERIFY_RECORDS, &r.other_record, 1},
                                 two = {VERIFY_RECORDS, both, 2}, trouble = {VERIFY_TROUBLE, NULL, 0},
                                 gone = {VERIFY_RECORDS, &revoked, 1};
        const struct {
                const char *name;
                struct verify_view views[3];
                size_t count;
                const char *comes_to;
        } cases[] = {
                {"all see it", {right, right, right}, 3, ""},
                {"one server has it not yet", {right, none, right}, 3, "unverified"},
                {"one has another", {right, right, wrong}, 3, "unverified"},
                {"one has two", {two}, 1, "unverified"},
                {"one gives no answer", {right, trouble}, 2, ""},
                {"none gives an answer", {trouble}, 1, ""},
                {"it is revoked", {right, gone}, 2, "unverified"},
                {"nobody has it", {none}, 1, "unverified"},
        };
        rig_free(&r);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                rig_init(&r, KEY_ED25519, NULL);
                uint32_t t = rig_try(&r, LETTER_PLAIN, 100, S("l@list.test"));
                struct buffer b = rig_make(&r, t, &(struct rig_copy){0});
                /* First as it should be, so that it is known to verify; then as the case has it. */
                show(&r, buffer_text(&b), RIG_PATH, "cat@b.test", RIG_NOW_S);
                memcpy(r.views, cases[i].views, sizeof cases[i].views);
                r.view_count = cases[i].count;
                show(&r, buffer_text(&b), RIG_PATH, "bob@b.test", RIG_NOW_S);
                if (strcmp(words(&r), cases[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\"", cases[i].name, words(&r));
                buffer_free(&b);
                rig_free(&r);
        }
}

/* Copies of several letters in turn, more than are remembered: each is looked at with DNS as it is then. */
static void test_many(void **state)
{
        struct signed_rig r;
        char address[40];
        (void)state;
        rig_init(&r, KEY_RSA_2048, NULL);
        for (unsigned i = 0; i < 50; i++) {
                (void)snprintf(address, sizeof address, "m%u@b.test", i);
                ledger_member(r.ledger, r.list, str_of_c(address), LEDGER_IN);
        }
        for (unsigned k = 0; k < 20; k++) {
                uint32_t t = rig_try(&r, (enum letter_shape)(k % 2), 100 * k, S("l@list.test"));
                struct buffer b = rig_make(&r, t, &(struct rig_copy){0});
                for (unsigned i = 0; i < 50; i++) {
                        (void)snprintf(address, sizeof address, "m%u@b.test", i);
                        show(&r, buffer_text(&b), RIG_PATH, address, RIG_NOW_S + i);
                }
                buffer_free(&b);
        }
        assert_string_equal(words(&r), "");
        assert_int_equal(ledger_copies(r.ledger), 1000);
        assert_int_equal(r.questions, 1000);
        rig_free(&r);
}

static void test_sample(void **state)
{
        struct signed_rig r;
        struct str list;
        (void)state;
        rig_init(&r, KEY_ED25519, NULL);
        assert_int_equal(verify_sample(r.verify, &list).n, 0);
        uint32_t t = rig_try(&r, LETTER_PLAIN, 100, S("l@list.test"));
        struct buffer b = rig_make(&r, t, &(struct rig_copy){0});
        show(&r, buffer_text(&b), RIG_PATH, "bob@b.test", RIG_NOW_S);
        assert_true(str_eq(verify_sample(r.verify, &list), buffer_text(&b)));
        assert_true(str_eq(list, S("l@list.test")));
        buffer_free(&b);
        rig_free(&r);
}

/* A message of nobody is a violation, and no more than that. */
static void test_strange_messages(void **state)
{
        static const char *const messages[] = {"", "\r\n", "x", "X-Try: t1\r\n\r\n",
                "X-Try: t99\r\n\r\nhello\r\n", "X-Try: t4294967295\r\n\r\n", "A: b\r\n\r\nX-Try: t0\r\n",
                "X-Try: t0"};
        struct signed_rig r;
        (void)state;
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
                rig_init(&r, KEY_ED25519, NULL);
                (void)rig_try(&r, LETTER_PLAIN, 100, S("l@list.test"));
                struct str exact = str_copy(str_of_c(messages[i]));
                show(&r, exact, RIG_PATH, "bob@b.test", RIG_NOW_S);
                assert_true(ledger_violations(r.ledger) > 0);
                str_free(exact);
                rig_free(&r);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_views),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_sample),
                cmocka_unit_test(test_strange_messages),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
