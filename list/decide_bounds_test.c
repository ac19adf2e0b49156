/* SPDX-License-Identifier: ISC */
/* Mails that ask for more than there is room for, and what is said about a mail as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "list/decide_world.h"

struct tally {
        size_t done, kept, too_much;
        size_t told; /* lines of the mail about all of them */
};

static void count(
        void *ctx, const struct command *command, const struct decide_facts *f, const struct decision *d)
{
        struct tally *t = ctx;
        (void)f;
        t->done += command && d->outcome == OUTCOME_DONE;
        t->kept += command && d->outcome == OUTCOME_CONFIRM;
        t->too_much += command && d->outcome == OUTCOME_TOO_MUCH;
        for (size_t i = 0; i < d->count; i++) {
                const struct decide_action *a = &d->actions[i];
                if (a->kind != DECIDE_TELL ||
                        (a->notice != NOTICE_SETTINGS_CHANGED && a->notice != NOTICE_CONFIRM_CHANGE))
                        continue;
                for (size_t k = 0; k < a->text.n; k++)
                        t->told += a->text.p[k] == '\n';
        }
}

/* A mail that changes the footer 63 times. */
static struct tally change_often(enum decide_proof proof)
{
        static struct world w;
        static char text[COMMANDS_MAX * (SETTING_TEXT_MAX + 20)];
        struct tally tally = {0};
        struct wr lines;
        memset(&w, 0, sizeof w);
        world_person(&w, S("mod@m.example"))->is_moderator = true;
        wr_init(&lines, text, sizeof text);
        for (size_t i = 0; i + 1 < COMMANDS_MAX; i++) {
                wr_str(&lines, S("footer: "));
                for (size_t k = 0; k < SETTING_TEXT_MAX; k++)
                        wr_byte(&lines, (char)('0' + i));
                wr_byte(&lines, '\n');
        }
        assert_int_equal(wr_end(&lines), ERR_OK);
        const struct world_mail m = {.route = ROUTE_SETTINGS,
                .author = S("mod@m.example"),
                .proof = proof,
                .subject = S(""),
                .text = wr_text(&lines)};
        assert_int_equal(world_mail(&w, &m, count, &tally).code, 250);
        return tally;
}

/* A change of which there would be no room to tell is not made. */
static void test_more_than_fits(void **state)
{
        (void)state;
        struct tally strong = change_often(DECIDE_STRONG), weak = change_often(DECIDE_PROVEN);
        assert_true(strong.done > 10 && strong.too_much > 10 && strong.kept == 0);
        assert_int_equal(strong.done + strong.too_much, COMMANDS_MAX - 1);
        assert_int_equal(strong.told, strong.done);
        assert_true(weak.kept > 10 && weak.too_much > 10 && weak.done == 0);
        assert_int_equal(weak.kept + weak.too_much, COMMANDS_MAX - 1);
        assert_int_equal(weak.told, weak.kept);
}

static struct str said_to(const char *text)
{
        static struct world w;
        struct tally tally = {0};
        memset(&w, 0, sizeof w);
        const struct world_mail m = {.route = ROUTE_REQUEST,
                .author = S("ann@a.example"),
                .proof = DECIDE_PROVEN,
                .subject = S(""),
                .text = str_of_c(text)};
        return world_mail(&w, &m, count, &tally).text;
}

static void test_what_is_said_in_the_session(void **state)
{
        (void)state;
        assert_true(str_eq(said_to("help\n"), S("the answer comes by mail")));
        assert_true(str_eq(said_to("who\n"), S("only subscribers of this list may do this")));
        assert_true(
                str_eq(said_to("who\nban x@x.example\n"), S("only subscribers of this list may do this")));
        assert_true(str_eq(said_to("who\nhelp\n"), S("what became of each comes by mail")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_more_than_fits),
                cmocka_unit_test(test_what_is_said_in_the_session),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
