/* SPDX-License-Identifier: ISC */
/* What a letter must look like under each setting, and what does not pass for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/look.h"

static int64_t now_ms(void *ctx)
{
        (void)ctx;
        return 1000;
}

static void test_names(void **state)
{
        static const struct {
                const char *name;
                struct look look;
                enum ledger_dmarc dmarc;
                bool is_signed, dns_fails, renames, is_open;
        } cases[] = {
                {"signed", {.from = {NULL, 0}}, LEDGER_DMARC_PASS, true, false, false, false},
                {"not signed", {.from = {NULL, 0}}, LEDGER_DMARC_PASS, false, false, true, false},
                {"no policy", {.from = {NULL, 0}}, LEDGER_DMARC_NONE, false, false, false, false},
                {"DNS failed", {.from = {NULL, 0}}, LEDGER_DMARC_PASS, false, true, true, true},
                {"prefix", {.prefix = {"[x]", 3}}, LEDGER_DMARC_PASS, true, false, true, false},
                {"footer", {.footer = {"bye", 3}}, LEDGER_DMARC_PASS, true, false, true, false},
                {"prefix, no policy", {.prefix = {"[x]", 3}}, LEDGER_DMARC_NONE, true, false, false, false},
                {"keep", {.from = {"keep", 4}}, LEDGER_DMARC_PASS, false, true, false, false},
                {"rewrite", {.from = {"rewrite", 7}}, LEDGER_DMARC_NONE, true, true, true, false},
                {"auto", {.from = {"auto", 4}}, LEDGER_DMARC_PASS, false, false, true, false},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const struct ledger_config config = {.seed = 1, .now_ms = now_ms};
                struct ledger *l = ledger_new(&config);
                struct ledger_try is = {.from = S("ann@b.test")};
                bool is_open;
                is.truth = (struct ledger_truth){.is_told = true,
                        .dkim = true,
                        .signer = cases[i].is_signed ? S("B.test") : S("other.test"),
                        .dmarc = cases[i].dmarc};
                if (cases[i].dns_fails)
                        ledger_dns_fails(l);
                if (look_renames(&cases[i].look, l, &is, &is_open) != cases[i].renames ||
                        is_open != cases[i].is_open)
                        fail_msg("%s: not so", cases[i].name);
                ledger_free(l);
        }
}

static void test_places(void **state)
{
        static const struct look plain, footed = {.footer = {"bye", 3}};
        struct str letter = S("From: a\r\nContent-Type: text/plain\r\n\r\nhi\r\n");
        static const struct {
                const char *name, *bytes;
                bool has_footer;
                size_t at;
        } cases[] = {
                {"plain", "X: y\r\nFrom: a\r\nContent-Type: text/plain\r\n\r\nhi\r\n", false, 6},
                {"something behind", "X: y\r\nFrom: a\r\nContent-Type: text/plain\r\n\r\nhi\r\nx", false,
                        SIZE_MAX},
                {"a field between", "From: a\r\nX: y\r\nContent-Type: text/plain\r\n\r\nhi\r\n", false,
                        SIZE_MAX},
                {"footer",
                        "X: y\r\nFrom: a\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\nContent-Type: "
                        "text/plain\r\n\r\nhi\r\n\r\n--x\r\n\r\nbye",
                        true, 6},
                {"no footer", "X: y\r\nFrom: a\r\nContent-Type: text/plain\r\n\r\nhi\r\n", true, SIZE_MAX},
                {"footer in front",
                        "From: a\r\nContent-Type: multipart/mixed\r\n\r\nbye\r\nContent-Type: "
                        "text/plain\r\n\r\nhi\r\n",
                        true, SIZE_MAX},
                {"another body",
                        "From: a\r\nContent-Type: multipart/mixed\r\n\r\nContent-Type: "
                        "text/plain\r\n\r\nho\r\nbye",
                        true, SIZE_MAX},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str bytes = str_of_c(cases[i].bytes);
                size_t at = look_find(cases[i].has_footer ? &footed : &plain, bytes, letter);
                if (at != (cases[i].at == SIZE_MAX ? bytes.n : cases[i].at))
                        fail_msg("%s: at %zu", cases[i].name, at);
        }
}

static void test_replies(void **state)
{
        static const struct {
                const char *name, *setting;
                bool is_renamed;
                size_t count;
                const char *body;
                bool is_right;
        } cases[] = {
                {"none", "", false, 0, "", true},
                {"one too many", "", false, 1, "ann@b.test", false},
                {"renamed", "author", true, 1, " Ann <ann@b.test>", true},
                {"renamed, without", "author", true, 0, "", false},
                {"renamed, to the list", "author", true, 1, "l@l.test", false},
                {"to the list", "list", false, 1, "l@l.test", true},
                {"to the list, renamed", "list", true, 1, "l@l.test", true},
                {"not to the list", "list", false, 0, "", false},
                {"to both", "both", false, 1, "ann@b.test,\r\n l@l.test", true},
                {"to both, one missing", "both", true, 1, "l@l.test", false},
                {"twice", "list", false, 2, "l@l.test", false},
        };
        struct ledger_try is = {.from = S("ann@b.test")};
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct look look = {.reply_to = str_of_c(cases[i].setting)};
                const char *wrong = look_judge_reply(&look, &is, S("l@l.test"), cases[i].is_renamed,
                        cases[i].count, str_of_c(cases[i].body));
                if ((wrong == NULL) != cases[i].is_right)
                        fail_msg("%s: %s", cases[i].name, wrong ? wrong : "right");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names), cmocka_unit_test(test_places), cmocka_unit_test(test_replies)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
