/* SPDX-License-Identifier: ISC */
/* Templates, ours and an owner's, and answers to our own mail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "list/notice_mail.h"
#include "list/notice_text.h"
#include "mail/mime.h"

static void test_check(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum notice_kind kind;
                const char *template;
                enum err err;
                size_t line;
        } cases[] = {
                {"smallest", NOTICE_WELCOME, "Subject: a\n\nb", ERR_OK, 3},
                {"CRLF", NOTICE_WELCOME, "subject: a\r\n\r\nb {list}\r\n", ERR_OK, 3},
                {"words", NOTICE_WELCOME, "Subject: {name}\n\n{list}{address} {description}\n", ERR_OK, 3},
                {"nothing", NOTICE_WELCOME, "", ERR_SYNTAX, 0},
                {"no subject", NOTICE_WELCOME, "Hello\n\nb\n", ERR_SYNTAX, 1},
                {"an empty subject", NOTICE_WELCOME, "Subject: \n\nb\n", ERR_SYNTAX, 1},
                {"a subject of several lines", NOTICE_SETTINGS, "Subject: {values}\n\nb\n", ERR_SYNTAX, 1},
                {"no empty line", NOTICE_WELCOME, "Subject: a\nb\n", ERR_SYNTAX, 2},
                {"no text", NOTICE_WELCOME, "Subject: a\n\n \n", ERR_SYNTAX, 3},
                {"a control", NOTICE_WELCOME, "Subject: a\n\na\x01\n", ERR_SYNTAX, 3},
                {"a NUL's twin, a lone CR", NOTICE_WELCOME, "Subject: a\n\na\rb\n", ERR_SYNTAX, 3},
                {"ill-formed UTF-8", NOTICE_WELCOME, "Subject: \xe9\n\nb\n", ERR_SYNTAX, 1},
                {"an open brace", NOTICE_WELCOME, "Subject: a\n\nb {list\n", ERR_SYNTAX, 3},
                {"no word", NOTICE_WELCOME, "Subject: a\n\nb\n{lists}\n", ERR_UNSUPPORTED, 4},
                {"no word, empty", NOTICE_WELCOME, "Subject: a\n\n{}\n", ERR_UNSUPPORTED, 3},
                {"a word of another kind", NOTICE_WELCOME, "Subject: a\n\n{accept}\n", ERR_UNSUPPORTED, 3},
                {"a word of another kind in the subject", NOTICE_HELP, "Subject: {address}\n\na\n",
                        ERR_UNSUPPORTED, 1},
                {"a block beside text", NOTICE_OUTCOME, "Subject: a\n\nb {outcomes}\n", ERR_SYNTAX, 3},
                {"a block twice", NOTICE_OUTCOME, "Subject: a\n\n{outcomes}\n{outcomes}\n", ERR_SYNTAX, 4},
                {"a block, indented", NOTICE_OUTCOME, "Subject: a\n\n  {outcomes} \n", ERR_OK, 3},
                {"the link is missing", NOTICE_CONFIRM_JOIN, "Subject: {confirm}\n\na\n", ERR_NOT_FOUND, 3},
                {"the link is there", NOTICE_CONFIRM_JOIN, "Subject: a\n\n{confirm}\n", ERR_OK, 3},
                {"one link is missing", NOTICE_JOIN_WAITS, "Subject: a\n\n{address} {accept}\n",
                        ERR_NOT_FOUND, 3},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                size_t line = 77;
                enum err e = notice_template_check(cases[i].kind, str_of_c(cases[i].template), &line);
                if (e != cases[i].err || line != cases[i].line)
                        fail_msg("%s: %d, line %zu", cases[i].name, e, line);
        }
}

static void test_check_length(void **state)
{
        (void)state;
        char *text = malloc(NOTICE_TEMPLATE_MAX + 1);
        size_t line;
        assert_non_null(text);
        memset(text, 'a', NOTICE_TEMPLATE_MAX + 1);
        memcpy(text, "Subject: a\n\n", 12);
        assert_int_equal(
                notice_template_check(NOTICE_WELCOME, str_of(text, NOTICE_TEMPLATE_MAX), &line), ERR_OK);
        assert_int_equal(notice_template_check(NOTICE_WELCOME, str_of(text, NOTICE_TEMPLATE_MAX + 1), &line),
                ERR_LIMIT);
        free(text);
}

static void test_pieces(void **state)
{
        (void)state;
        struct str line = S("a {list}{x} {y"), piece;
        enum notice_word word;
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_OK);
        assert_true(str_eq(piece, S("a ")) && word == NOTICE_WORDS);
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_OK);
        assert_true(piece.n == 0 && word == WORD_LIST);
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_UNSUPPORTED);
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_OK);
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_SYNTAX);
        line = S("");
        assert_int_equal(notice_piece_take(&line, &piece, &word), ERR_EOF);
}

static void test_languages(void **state)
{
        (void)state;
        assert_ptr_equal(notice_phrases_of(S("fr")), &notice_french);
        assert_ptr_equal(notice_phrases_of(S("en")), &notice_english);
        assert_ptr_equal(notice_phrases_of(S("de")), &notice_english);
        const struct notice_phrases *both[] = {&notice_english, &notice_french};
        for (size_t i = 0; i < 2; i++)
                for (unsigned k = 0; k < NOTICE_KINDS; k++) {
                        size_t line;
                        const char *template = both[i]->templates[k];
                        assert_non_null(template);
                        if (notice_template_check((enum notice_kind)k, str_of_c(template), &line) != ERR_OK)
                                fail_msg("%s: line %zu", template, line);
                }
}

static bool has(const char *text, const char *part)
{
        return str_find(str_of_c(text), str_of_c(part)) < str_of_c(text).n;
}

/* The same words stand in both languages, so that no link is missing from one of them. */
static void test_languages_say_the_same(void **state)
{
        (void)state;
        for (unsigned k = 0; k < NOTICE_KINDS; k++)
                for (unsigned w = 0; w < NOTICE_WORDS; w++) {
                        char buffer[32];
                        struct wr word;
                        wr_init(&word, buffer, sizeof buffer);
                        wr_byte(&word, '{');
                        wr_str(&word, notice_word_name((enum notice_word)w));
                        wr_str(&word, S("}"));
                        wr_byte(&word, 0);
                        if (has(notice_english.templates[k], buffer) !=
                                has(notice_french.templates[k], buffer))
                                fail_msg("%s in kind %u", buffer, k);
                }
}

struct room {
        struct setting_values values;
        struct notice_mail mail;
        char before[NOTICE_BEFORE_MAX], after[NOTICE_AFTER_MAX], text[NOTICE_BEFORE_MAX],
                quoted[NOTICE_BEFORE_MAX], arena[NOTICE_BEFORE_MAX];
};

static struct room *room_new(enum notice_kind kind, const char *language)
{
        static const bool options[MEMBER_OPTIONS] = {[OPTION_OWN_POSTS] = true};
        struct room *r = malloc(sizeof *r);
        assert_non_null(r);
        setting_values_init(&r->values);
        setting_values_put(&r->values, S("language"), str_of_c(language));
        r->mail = (struct notice_mail){.kind = kind,
                .list = S("ptt"),
                .domain = S("mailingl.st"),
                .settings = &r->values,
                .options = options,
                .to = S("alice@example.org"),
                .token = S("x")};
        return r;
}

static struct str write_text(struct room *r)
{
        struct wr before, after, text;
        struct notice_made made;
        wr_init(&before, r->before, sizeof r->before);
        wr_init(&after, r->after, sizeof r->after);
        wr_init(&text, r->text, sizeof r->text);
        assert_int_equal(notice_mail_write(&r->mail, &before, &after, &made), ERR_OK);
        wr_str(&before, wr_text(&after));
        assert_int_equal(mime_text_read(wr_text(&before), &text), MIME_TEXT_PLAIN);
        return wr_text(&text);
}

static void test_owners_template(void **state)
{
        (void)state;
        struct room *r = room_new(NOTICE_WELCOME, "de");
        setting_values_put(&r->values, S("description"), S("Gärten"));
        r->mail.template =
                S("Subject: Willkommen bei {name}\r\n\r\n{address}: {description}, {days}\r\n{owner}\r\n");
        struct str text = write_text(r);
        assert_true(str_eq(text, S("alice@example.org: Gärten, 7\nptt-owner@mailingl.st\n")));
        assert_true(str_find(str_of_c(r->before), S("Subject: Willkommen bei ptt\r\n")) < sizeof r->before);
        free(r);
}

/* Nothing of what is put into a template is read as a template. */
static void test_no_second_reading(void **state)
{
        (void)state;
        struct room *r = room_new(NOTICE_WELCOME, "en");
        setting_values_put(&r->values, S("description"), S("{owner}{lines}"));
        r->mail.template = S("Subject: {description}\n\n{description}\n");
        assert_true(str_eq(write_text(r), S("{owner}{lines}\n")));
        free(r);
}

/* An owner's template may ask for more than fits: that is told, and nothing is written. */
static void test_template_that_grows(void **state)
{
        (void)state;
        struct room *r = room_new(NOTICE_WELCOME, "en");
        char *template = malloc(NOTICE_TEMPLATE_MAX);
        struct wr w, before, after;
        struct notice_made made;
        size_t line;
        assert_non_null(template);
        wr_init(&w, template, NOTICE_TEMPLATE_MAX);
        wr_str(&w, S("Subject: a\n\n"));
        for (size_t left = (NOTICE_TEMPLATE_MAX - w.n) / 10; left > 0; left--)
                wr_str(&w, S("{address}\n"));
        char address[250];
        memset(address, 'a', sizeof address);
        r->mail.about = str_of(address, sizeof address);
        r->mail.template = wr_text(&w);
        assert_int_equal(notice_template_check(NOTICE_WELCOME, r->mail.template, &line), ERR_OK);
        wr_init(&before, r->before, sizeof r->before);
        wr_init(&after, r->after, sizeof r->after);
        assert_int_equal(notice_mail_write(&r->mail, &before, &after, &made), ERR_SPACE);
        assert_int_equal(before.n + after.n, 0);
        free(template);
        free(r);
}

static void test_paths(void **state)
{
        (void)state;
        struct room *r = room_new(NOTICE_CONFIRM_JOIN, "fr");
        char path[256];
        struct wr w;
        wr_init(&w, path, sizeof path);
        assert_true(notice_template_path(&r->mail, 0, &w));
        assert_true(str_eq(wr_text(&w), S("templates/ptt@mailingl.st/confirm-join.fr.txt")));
        wr_init(&w, path, sizeof path);
        assert_true(notice_template_path(&r->mail, 1, &w));
        assert_true(str_eq(wr_text(&w), S("templates/confirm-join.fr.txt")));
        assert_false(notice_template_path(&r->mail, 2, &w));
        free(r);
}

static struct str quote(struct room *r, struct str text)
{
        struct wr w;
        struct str line;
        wr_init(&w, r->quoted, sizeof r->quoted);
        wr_str(&w, S("On Monday you wrote:\n"));
        while (notice_line_take(&text, &line)) {
                wr_str(&w, S("> "));
                wr_str(&w, line);
                wr_byte(&w, '\n');
        }
        assert_false(w.full);
        return wr_text(&w);
}

/* Our mail, answered with all of it quoted and nothing written, changes nothing. */
static void test_quoted_answers(void **state)
{
        (void)state;
        static const struct {
                enum notice_kind kind;
                enum route_kind route;
        } cases[] = {{NOTICE_SETTINGS, ROUTE_SETTINGS}, {NOTICE_OPTIONS, ROUTE_OPTIONS}};
        for (unsigned i = 0; i < 4; i++) {
                struct room *r = room_new(cases[i / 2].kind, i % 2 == 0 ? "en" : "fr");
                struct commands commands;
                struct arena arena;
                arena_init(&arena, r->arena, sizeof r->arena);
                setting_values_put(&r->values, S("footer"), S("posting: open"));
                r->mail.text = S("wrong\tposting: opne\ndone\tnomail: on\n");
                struct command_input in = {
                        .route = cases[i / 2].route, .in_force = &r->values, .text = quote(r, write_text(r))};
                assert_int_equal(commands_read(&in, &arena, &commands), ERR_OK);
                for (size_t k = 0; k < commands.count; k++) {
                        const struct command *c = &commands.list[k];
                        bool same = c->kind == COMMAND_OPTION && c->on == r->mail.options[c->option];
                        if (c->kind != COMMAND_SHOW_SETTINGS && c->kind != COMMAND_SHOW_OPTIONS && !same)
                                fail_msg("case %u: \"%.*s\"", i, STR_ARG(c->line));
                }
                free(r);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_length),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_languages),
                cmocka_unit_test(test_languages_say_the_same),
                cmocka_unit_test(test_owners_template),
                cmocka_unit_test(test_no_second_reading),
                cmocka_unit_test(test_template_that_grows),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_quoted_answers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
