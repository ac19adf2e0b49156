/* SPDX-License-Identifier: ISC */
/* Histories of commands and of mail that lists write, and what each must come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/book.h"
#include "tests/sim/buffer.h"

#define TOKEN "abcdefghijklmnopqrstuvwx"

struct world {
        struct ledger *l;
        struct book *b;
        uint32_t list, other;
        int64_t now_ms;
        unsigned mails;
};

static int64_t now_ms(void *ctx)
{
        return ((struct world *)ctx)->now_ms++;
}

enum { UNPROVEN, SPF, SIGNED };

struct letter_of {
        const char *from, *to, *text;
        unsigned proof;
        uint32_t note;
};

/* A command's final dot. */
static uint32_t send(struct world *w, const struct letter_of *c, uint32_t *t)
{
        struct ledger_try_new new = {.author = "ann",
                .post = S("c"),
                .sender = str_of_c(c->from),
                .from = str_of_c(c->from),
                .subject = S("hello"),
                .text = str_of_c(c->text ? c->text : ""),
                .to = str_of_c(c->to),
                .smuggles = LEDGER_NONE};
        *t = ledger_try(w->l, &new);
        struct ledger_truth truth = {
                .is_told = true, .is_proven = c->proof != UNPROVEN, .dkim = c->proof == SIGNED};
        truth.signer = str_skip(new.from, str_find_byte(new.from, '@') + 1);
        ledger_try_truth(w->l, *t, &truth);
        ledger_try_dot(w->l, *t);
        return book_command(
                w->b, &(struct book_command_new){.t = *t, .address = str_of_c(c->to), .note = c->note});
}

static void command(struct world *w, const char *from, const char *to, const char *text, unsigned proof,
        uint32_t note, unsigned code)
{
        uint32_t t, number = send(w, &(struct letter_of){from, to, text, proof, note}, &t);
        book_answer(w->b, number, code);
        if (code != 0)
                ledger_try_answer(w->l, t, code);
}

/* Mail of the list for somebody, over a connection of its own. */
static uint32_t note(struct world *w, const char *to, const char *from, const char *body, enum ledger_end end)
{
        struct buffer b = {0};
        uint32_t c = ledger_connection(w->l, "h1");
        ledger_connection_dot(w->l, c);
        ledger_connection_end(w->l, c, end);
        buffer_print(&b,
                "From: %s\r\nTo: %s\r\nSubject: x\r\nDate: now\r\nMessage-ID: <%u@l.test>\r\n"
                "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\r\n%s\r\n",
                from, to, w->mails++, body);
        book_note(w->b, c, str_of_c(to), buffer_text(&b));
        buffer_free(&b);
        return (uint32_t)book_notes(w->b) - 1;
}

static uint32_t told(struct world *w, const char *to, const char *body)
{
        return note(w, to, "<l-request@l.test>", body, LEDGER_QUIT);
}

static enum ledger_membership is(struct world *w, const char *who)
{
        return ledger_membership(w->l, w->list, str_of_c(who));
}

/* ---- joining and leaving ---- */

static void play_confirm(struct world *w)
{
        book_setting(w->b, w->list, S("subscription"), S("confirm"));
        command(w, "new@b.test", "L-Subscribe@l.test", NULL, SPF, LEDGER_NONE, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
        uint32_t n = told(w, "new@b.test", "write to l-confirm-" TOKEN "=\r\n@l.test");
        command(w, "other@b.test", "l-confirm-" TOKEN "@l.test", NULL, UNPROVEN, n, 250);
        assert_int_equal(is(w, "New@b.test"), LEDGER_IN);
        command(w, "new@b.test", "l-unsubscribe@l.test", NULL, SPF, LEDGER_NONE, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
}

static void play_moderated(struct world *w)
{
        command(w, "new@b.test", "l-subscribe@l.test", NULL, SPF, LEDGER_NONE, 250);
        uint32_t n = told(w, "new@b.test", "l-confirm-" TOKEN "@l.test");
        command(w, "new@b.test", "l-confirm-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
        n = told(w, "mod@b.test", "new@b.test: l-accept-" TOKEN "@l.test l-reject-" TOKEN "@l.test");
        command(w, "mod@b.test", "l-reject-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
        command(w, "mod@b.test", "l-accept-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_IN);
}

static void play_open(struct world *w)
{
        book_setting(w->b, w->list, S("subscription"), S("open"));
        command(w, "new@b.test", "l-request@l.test", "join", SPF, LEDGER_NONE, 550);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
        command(w, "new@b.test", "l-request@l.test", "join", SPF, LEDGER_NONE, 0);
        assert_int_equal(is(w, "new@b.test"), LEDGER_MAYBE);
        command(w, "new@b.test", "l-request@l.test", "leave", SPF, LEDGER_NONE, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_OUT);
        command(w, "new@b.test", "l-request@l.test", "join", SPF, LEDGER_NONE, 250);
        assert_int_equal(is(w, "new@b.test"), LEDGER_IN);
}

/* Two commands about one person at once: whichever was last. */
static void play_at_once(struct world *w)
{
        uint32_t t;
        uint32_t a = send(
                w, &(struct letter_of){"bob@b.test", "l-options@l.test", "nomail: on", SPF, LEDGER_NONE}, &t);
        uint32_t b =
                send(w, &(struct letter_of){"bob@b.test", "l-unsubscribe@l.test", "", SPF, LEDGER_NONE}, &t);
        book_answer(w->b, a, 250);
        book_answer(w->b, b, 250);
        assert_int_equal(is(w, "bob@b.test"), LEDGER_MAYBE);
        a = send(w, &(struct letter_of){"cat@b.test", "l-unsubscribe@l.test", "", SPF, LEDGER_NONE}, &t);
        b = send(w, &(struct letter_of){"cat@b.test", "l-unsubscribe@l.test", "", SPF, LEDGER_NONE}, &t);
        book_answer(w->b, b, 451);
        book_answer(w->b, a, 250);
        assert_int_equal(is(w, "cat@b.test"), LEDGER_OUT);
}

/* ---- moderators ---- */

static void play_changes(struct world *w)
{
        command(w, "mod@b.test", "l-remove-bob=b.test@l.test", NULL, SPF, LEDGER_NONE, 250);
        assert_int_equal(is(w, "bob@b.test"), LEDGER_IN);
        uint32_t n = told(w, "mod@b.test", "remove bob@b.test: l-confirm-" TOKEN "@l.test");
        command(w, "mod@b.test", "l-confirm-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(is(w, "bob@b.test"), LEDGER_OUT);
        command(w, "cat@b.test", "l-request@l.test", "remove bob@b.test\nremove mod@b.test", SIGNED,
                LEDGER_NONE, 250);
        command(w, "mod@b.test", "l-request@l.test", "remove cat@b.test\nban eve@b.test", SIGNED, LEDGER_NONE,
                250);
        assert_int_equal(is(w, "cat@b.test"), LEDGER_OUT);
        command(w, "mod@b.test", "l-settings@l.test", "posting: open\nother: thing", SIGNED, LEDGER_NONE,
                250);
        assert_int_equal(ledger_rule_of(w->l, w->list), LEDGER_EVERYBODY);
}

static uint32_t hold(struct world *w)
{
        struct ledger_try_new new = {.author = "eve",
                .post = S("p"),
                .sender = S("eve@b.test"),
                .to = S("l@l.test"),
                .smuggles = LEDGER_NONE};
        ledger_list_rule(w->l, w->list, LEDGER_APPROVED, false);
        uint32_t t = ledger_try(w->l, &new);
        ledger_try_truth(w->l, t, &(struct ledger_truth){.is_told = true, .is_proven = true});
        ledger_try_target(w->l, t, S("l@l.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        assert_int_equal(ledger_hold(w->l, t, w->list), LEDGER_WAITS);
        return t;
}

static uint32_t waits(struct world *w, uint32_t t)
{
        char body[200];
        (void)snprintf(body, sizeof body, "l-accept-" TOKEN "@l.test\r\nX-Try: t%u", (unsigned)t);
        return told(w, "mod@b.test", body);
}

static void copy(struct world *w, uint32_t t)
{
        uint32_t c = ledger_connection(w->l, "h1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
        ledger_connection_end(w->l, c, LEDGER_QUIT);
}

static void play_release(struct world *w)
{
        uint32_t t = hold(w), n = waits(w, t);
        assert_true(ledger_is_settled(w->l));
        command(w, "mod@b.test", "l-accept-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(ledger_hold(w->l, t, w->list), LEDGER_RELEASED);
        assert_false(ledger_is_settled(w->l));
        command(w, "mod@b.test", "l-reject-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(ledger_hold(w->l, t, w->list), LEDGER_RELEASED);
        copy(w, t);
}

static void play_reject(struct world *w)
{
        uint32_t t = hold(w), n = waits(w, t);
        command(w, "mod@b.test", "l-reject-" TOKEN "@l.test", NULL, SPF, n, 250);
        command(w, "mod@b.test", "l-accept-" TOKEN "@l.test", NULL, SPF, n, 250);
        assert_int_equal(ledger_hold(w->l, t, w->list), LEDGER_REJECTED);
        copy(w, t);
}

static void play_held_copy(struct world *w)
{
        copy(w, hold(w));
}

static void play_usurped(struct world *w)
{
        uint32_t t = hold(w), n = waits(w, t);
        command(w, "eve@b.test", "l-accept-" TOKEN "@l.test", NULL, SIGNED, n, 250);
        assert_int_equal(ledger_hold(w->l, t, w->list), LEDGER_WAITS);
}

static void play_forged(struct world *w)
{
        command(w, "bob@b.test", "l-unsubscribe@l.test", NULL, UNPROVEN, LEDGER_NONE, 250);
        assert_int_equal(is(w, "bob@b.test"), LEDGER_IN);
}

static void play_refused(struct world *w)
{
        command(w, "bob@b.test", "l-unsubscribe@l.test", NULL, UNPROVEN, LEDGER_NONE, 550);
        command(w, "eve@b.test", "l-settings@l.test", "posting: open", SIGNED, LEDGER_NONE, 550);
}

/* ---- mail ---- */

static void play_victim(struct world *w)
{
        command(w, "bob@b.test", "l-subscribe@l.test", NULL, UNPROVEN, LEDGER_NONE, 550);
        (void)told(w, "bob@b.test", "hello");
}

static void play_too_often(struct world *w)
{
        command(w, "eve@b.test", "l-help@l.test", NULL, SPF, LEDGER_NONE, 250);
        for (unsigned i = 0; i < 2; i++)
                (void)told(w, "eve@b.test", "hello");
        (void)told(w, "mod@b.test", "hello");
}

static void play_nagged(struct world *w)
{
        for (unsigned i = 0; i < 3; i++)
                command(w, "eve@b.test", "l-subscribe@l.test", NULL, SPF, LEDGER_NONE, 250);
        (void)told(w, "eve@b.test", "l-confirm-" TOKEN "@l.test");
        (void)told(w, "eve@b.test", "l-confirm-" TOKEN "@l.test");
        (void)told(w, "eve@b.test", "l-confirm-zz" TOKEN "@l.test");
}

static void play_quoted(struct world *w)
{
        command(w, "eve@b.test", "l-subscribe@l.test", NULL, SPF, LEDGER_NONE, 250);
        (void)told(w, "eve@b.test", "Dear Somebody, l-confirm-" TOKEN "@l.test");
}

static void play_strange(struct world *w)
{
        command(w, "eve@b.test", "l-help@l.test", NULL, SPF, LEDGER_NONE, 250);
        (void)note(w, "eve@b.test", "<ll@l.test>", "hello", LEDGER_QUIT);
        (void)note(w, "eve@b.test", "<l@l.test>\r\nDate: again", "hello", LEDGER_QUIT);
}

static void play_twice(struct world *w)
{
        command(w, "eve@b.test", "l-help@l.test", NULL, SPF, LEDGER_NONE, 250);
        command(w, "eve@b.test", "l-help@l.test", NULL, SPF, LEDGER_NONE, 250);
        (void)note(w, "eve@b.test", "<l@l.test>", "hello", LEDGER_RESET);
        w->mails--;
        (void)note(w, "eve@b.test", "<l@l.test>", "hello", LEDGER_QUIT);
        assert_int_equal(book_notes(w->b), 1);
        (void)note(w, "eve@b.test", "<l@l.test>", "hello", LEDGER_QUIT);
        w->mails--;
        (void)note(w, "eve@b.test", "<l@l.test>", "hello", LEDGER_QUIT);
}

static void test_histories(void **state)
{
        static const struct {
                const char *name;
                void (*play)(struct world *w);
                const char *comes_to;
        } histories[] = {
                {"confirmed", play_confirm, ""},
                {"moderated", play_moderated, ""},
                {"open", play_open, ""},
                {"two at once", play_at_once, ""},
                {"changes by a moderator", play_changes, ""},
                {"a post that is released", play_release, ""},
                {"one that is rejected", play_reject, "held "},
                {"one that nobody let out", play_held_copy, "held "},
                {"accepted by no moderator", play_usurped, "usurped "},
                {"in another's name", play_forged, "forged "},
                {"refused", play_refused, ""},
                {"mail for a victim", play_victim, "victim "},
                {"more than was asked for", play_too_often, "victim "},
                {"two confirmations", play_nagged, "nagged "},
                {"words of a stranger", play_quoted, "quoted "},
                {"not as it must be", play_strange, "notice notice "},
                {"twice", play_twice, "twice "},
        };
        (void)state;
        for (size_t i = 0; i < sizeof histories / sizeof histories[0]; i++) {
                struct world w = {.now_ms = 1000};
                const struct ledger_config config = {.seed = 1, .now_ms = now_ms, .ctx = &w};
                char words[100] = "";
                w.l = ledger_new(&config);
                w.b = book_new(w.l, NULL, NULL);
                w.list = ledger_list(w.l, S("l@l.test"), LEDGER_LIST);
                w.other = ledger_list(w.l, S("l-x@l.test"), LEDGER_LIST);
                ledger_list_rule(w.l, w.list, LEDGER_MEMBERS, false);
                ledger_moderator(w.l, w.list, S("mod@b.test"));
                ledger_member(w.l, w.list, S("bob@b.test"), LEDGER_IN);
                ledger_member(w.l, w.list, S("cat@b.test"), LEDGER_QUIET);
                histories[i].play(&w);
                for (size_t k = 0; k < ledger_violations(w.l); k++)
                        (void)snprintf(words + strlen(words), sizeof words - strlen(words), "%s ",
                                ledger_violation(w.l, k)->invariant);
                if (strcmp(words, histories[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\": %s", histories[i].name, words,
                                words[0] ? ledger_violation(w.l, 0)->story : "");
                book_free(w.b);
                ledger_free(w.l);
        }
}

static void test_tokens(void **state)
{
        struct world w = {.now_ms = 1000};
        const struct ledger_config config = {.seed = 1, .now_ms = now_ms, .ctx = &w};
        struct str token;
        (void)state;
        w.l = ledger_new(&config);
        w.b = book_new(w.l, NULL, NULL);
        w.list = ledger_list(w.l, S("l@l.test"), LEDGER_LIST);
        ledger_moderator(w.l, w.list, S("mod@b.test"));
        uint32_t first =
                told(&w, "mod@b.test", "for ann: l-accept-a" TOKEN "@l.test, l-accept-" TOKEN "=40l.test");
        uint32_t second = told(&w, "mod@b.test",
                "for bob: L-ACCEPT-zz" TOKEN "@l.test l-accept-bb=\r\ncdefghijklmnopqrstuvwx@L.TEST");
        assert_int_equal(book_find(w.b, S("l-accept-*@l.test"), S("MOD@b.test"), S(""), 0, &token), second);
        assert_true(str_eq(token, S("bbcdefghijklmnopqrstuvwx")));
        assert_int_equal(book_find(w.b, S("l-accept-*@l.test"), S(""), S("ann"), 0, &token), first);
        assert_true(str_eq(token, S(TOKEN)));
        assert_int_equal(book_find(w.b, S("l-accept-*@l.test"), S(""), S(""), 1, &token), first);
        assert_int_equal(book_find(w.b, S("l-reject-*@l.test"), S(""), S(""), 0, &token), LEDGER_NONE);
        assert_int_equal(
                book_find(w.b, S("l-accept-*@l.test"), S("ann@b.test"), S(""), 0, &token), LEDGER_NONE);
        assert_int_equal(book_count(w.b, S("*@b.test"), S("*for*")), 2);
        assert_int_equal(book_count(w.b, S("*@b.test"), S("*for bob*")), 1);
        book_free(w.b);
        ledger_free(w.l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories), cmocka_unit_test(test_tokens)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
