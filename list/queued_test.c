/* SPDX-License-Identifier: ISC */
#include "list/queued.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct queued_message post = {.id = 12,
        .list = {"ptt", 3},
        .domain = {"mailingl.st", 11},
        .sender = {"a@b.test", 8},
        .message_id = {"<1@x>", 5},
        .received_ms = 1000,
        .size = 77};
#define HEAD "12 ptt@mailingl.st  since 1970-01-01T00:00:01.000Z  from <a@b.test>  <1@x>  77 octets\n    "

static void test_messages(void **state)
{
        static const struct {
                const char *want, *word;
                enum queued_state state;
                bool is_held;
                const char *trouble;
        } cases[] = {
                {"waits for a moderator\n", "moderator", QUEUED_FOR_MODERATOR, false, ""},
                {"waits for the signer\n", "signer", QUEUED_FOR_SIGNER, false, ""},
                {"waits for the signer, last trouble \"451\"\n", "signer", QUEUED_FOR_SIGNER, false,
                        "451 \n"},
                {"held by the operator; waits for the signer\n", "held", QUEUED_FOR_SIGNER, true, ""},
                {"3 not begun, 2 in flight or put off\n", "delivery", QUEUED_FOR_DELIVERY, false, "451 old"},
                {"held by the operator; 3 not begun, 2 in flight or put off\n", "held", QUEUED_FOR_DELIVERY,
                        true, ""},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct queued_message m = post;
                char text[QUEUED_LINE_MAX];
                struct wr w;
                m.state = cases[i].state;
                m.is_held = cases[i].is_held;
                m.trouble = str_of_c(cases[i].trouble);
                m.left = 3;
                m.waiting = 2;
                wr_init(&w, text, sizeof text);
                queued_message_write(&w, &m);
                assert_true(str_has_prefix(wr_text(&w), S(HEAD)));
                assert_true(str_eq(str_skip(wr_text(&w), sizeof HEAD - 1), str_of_c(cases[i].want)));
                assert_true(str_eq(queued_reason(&m), str_of_c(cases[i].word)));
        }
}

static void test_deliveries(void **state)
{
        static const struct {
                struct queued_delivery d;
                const char *want;
        } cases[] = {
                {{.address = {"a@b", 3}}, "a@b  tries 0  next at once\n"},
                {{.address = {"a@b", 3}, .attempts = 2, .in_flight = true, .reply = {"450 x", 5}},
                        "a@b  tries 2  in flight  \"450 x\"\n"},
                {{.address = {"a@b", 3}, .attempts = 2, .next_ms = 1000, .reply = {"x\r\ny", 4}},
                        "a@b  tries 2  next 1970-01-01T00:00:01.000Z  \"x y\"\n"},
                {{.address = {"a@b", 3}, .attempts = 2, .next_ms = 1000, .is_held = true},
                        "a@b  tries 2  held\n"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[QUEUED_LINE_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                queued_delivery_write(&w, &cases[i].d);
                text[w.n] = 0;
                assert_string_equal(text, cases[i].want);
        }
}

static void test_destinations(void **state)
{
        struct queued_destination d = {.domain = S("one.test"), .count = 7};
        char text[QUEUED_LINE_MAX];
        struct wr w;
        (void)state;
        wr_init(&w, text, sizeof text);
        queued_destination_write(&w, &d);
        d.reply = S("421 4.7.0 slow");
        d.attempts = 3;
        d.next_ms = 1000;
        queued_destination_write(&w, &d);
        assert_true(str_eq(wr_text(&w),
                S("7 for one.test  tries up to 0  next at once  no reply yet\n"
                  "7 for one.test  tries up to 3  next 1970-01-01T00:00:01.000Z  \"421 4.7.0 slow\"\n")));
}

/* The longest that strangers can send has room; in less room nothing is written. */
static void test_bounds(void **state)
{
        static char big[5000];
        struct str s = str_of(big, sizeof big);
        struct queued_message m = {.list = s,
                .domain = s,
                .sender = s,
                .message_id = s,
                .trouble = s,
                .state = QUEUED_FOR_SIGNER};
        struct queued_delivery d = {.address = s, .reply = s};
        struct queued_destination t = {.domain = s, .reply = s};
        char text[QUEUED_LINE_MAX];
        const size_t rooms[] = {0, 1, 10, 100, 500, sizeof text};
        (void)state;
        memset(big, 0x9b, sizeof big);
        for (size_t i = 0; i < 3 * sizeof rooms / sizeof rooms[0]; i++) {
                size_t room = rooms[i / 3];
                struct wr w;
                wr_init(&w, text, room);
                if (i % 3 == 0)
                        queued_message_write(&w, &m);
                else if (i % 3 == 1)
                        queued_delivery_write(&w, &d);
                else
                        queued_destination_write(&w, &t);
                assert_true(room == sizeof text ? w.n > 600 : w.n == 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_deliveries),
                cmocka_unit_test(test_destinations),
                cmocka_unit_test(test_bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
