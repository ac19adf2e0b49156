/* SPDX-License-Identifier: ISC */
/* Lists by mail: the letters to their routes that a scenario has people send, those that people answer with by habit,
 * and whether the members in the image are those that the ledger knows. */
#include "tests/sim/world_inside.h"

#include <string.h>

#include "base/check.h"

/* A text of a scenario: "|" ends a line in it, an apostrophe stands for a quotation mark. */
static struct str text_in(struct world *w, struct str value)
{
        char *text = world_text(w, "%.*s", STR_ARG(value));
        for (size_t i = 0; i < value.n; i++)
                text[i] = (char)(text[i] == '|' ? '\n' : text[i] == '\'' ? '"' : text[i]);
        return str_of(text, value.n);
}

/* NULL for an option that was left out. */
static struct str text_of(struct world *w, const struct statement *t, const char *key)
{
        struct str value;
        return statement_has(t, key, &value) ? text_in(w, value) : (struct str){NULL, 0};
}

static struct str field_of(struct world *w, struct str field)
{
        return field.n > 0 ? str_of_c(world_text(w, "%.*s\r\n", STR_ARG(field))) : S("");
}

void world_mail(struct world *w, const struct statement *t)
{
        struct machine *m = world_machine(w, statement_argument(t, 0));
        struct author_command c = {.address = statement_argument(t, 1),
                .token = statement_text(t, "token", S("")),
                .of = statement_text(t, "of", S("")),
                .about = statement_text(t, "about", S("")),
                .older = statement_number(t, "older", 0),
                .note = LEDGER_NONE,
                .from = text_of(w, t, "from"),
                .sender = text_of(w, t, "sender"),
                .subject = text_of(w, t, "subject"),
                .text = text_of(w, t, "text"),
                .front = field_of(w, text_of(w, t, "front")),
                .times = statement_number(t, "times", 1),
                .is_unsigned = str_eq(statement_text(t, "signed", S("yes")), S("no"))};
        author_command(m->author, statement_text(t, "name", S("")), &c);
}

/* ---- habits ---- */

/* Answer a note at a route of its list, if it has a token for that. */
static bool answer(struct world *w, struct machine *m, uint32_t note, const char *word)
{
        const struct book_note *is = book_note_get(w->book, note);
        size_t at = str_find_byte(is->list, '@');
        struct author_command c = {
                .address = str_of_c(world_text(w, "%.*s-%s-*%.*s", STR_ARG(str_take(is->list, at)), word,
                        STR_ARG(str_skip(is->list, at)))),
                .note = note,
                .times = 1,
                .is_later = true};
        if (book_token(w->book, note, c.address).n == 0)
                return false;
        author_command(m->author, S(""), &c);
        return true;
}

void world_told(void *world, uint32_t note)
{
        struct world *w = world;
        const struct book_note *is = book_note_get(w->book, note);
        for (size_t i = 0; i < w->machine_count && !w->is_ending; i++) {
                struct machine *m = &w->machines[i];
                struct str habit = m->author ? statement_text(m->said, "answers", S("no")) : S("no");
                if (str_eq(habit, S("no")) || !str_eq_nocase(statement_argument(m->said, 1), is->to))
                        continue;
                if (!answer(w, m, note, "confirm") && !str_eq(habit, S("confirm")))
                        (void)answer(w, m, note, str_eq(habit, S("accept")) ? "accept" : "reject");
        }
}

/* ---- members ---- */

/* The members that an image has, as lines "list address". */
bool world_has_member(const struct world *w, struct str list, struct str email)
{
        struct str lines = buffer_text(&w->members), line, in, who;
        while (lines.n > 0) {
                (void)str_cut(lines, '\n', &line, &lines);
                (void)str_cut(line, ' ', &in, &who);
                if (str_eq_nocase(in, list) && str_eq_nocase(who, email))
                        return true;
        }
        return false;
}

static void judge_list(struct world *w, uint32_t list)
{
        struct str address = ledger_list_address(w->ledger, list), who;
        for (size_t i = 0; ledger_person(w->ledger, list, i, &who); i++) {
                enum ledger_membership is = ledger_membership(w->ledger, list, who);
                bool is_there = world_has_member(w, address, who);
                if (is_there != (is >= LEDGER_QUIET) && is != LEDGER_MAYBE)
                        world_broken(w, "members", "%.*s is %s %.*s in the image, and must%s be",
                                STR_ARG(who), is_there ? "on" : "not on", STR_ARG(address),
                                is_there ? " not" : "");
        }
}

void world_judge_members(struct world *w)
{
        struct str lines = buffer_text(&w->members), line, in, who;
        for (uint32_t i = 0; i < ledger_lists(w->ledger); i++)
                if (ledger_list_kind(w->ledger, i) == LEDGER_LIST)
                        judge_list(w, i);
        while (lines.n > 0) {
                (void)str_cut(lines, '\n', &line, &lines);
                (void)str_cut(line, ' ', &in, &who);
                uint32_t list = ledger_list_find(w->ledger, in);
                if (list == LEDGER_NONE || !ledger_is_known(w->ledger, list, who))
                        world_broken(w, "members", "%.*s is on %.*s in the image, and has never asked for it",
                                STR_ARG(who), STR_ARG(in));
        }
}

static bool is_member(void *world, struct str list, struct str address)
{
        return world_has_member(world, list, address);
}

void world_judge_behaviour(struct world *w)
{
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].mx)
                        mx_judge(w->machines[i].mx);
        health_judge(w->health, is_member, w);
}

/* ---- expectations ---- */

bool world_expect_book(struct world *w, const struct statement *t)
{
        struct str what = statement_argument(t, 0), of = statement_argument(t, 1),
                   by = statement_argument(t, 2);
        uint64_t most;
        if (str_eq(what, S("told")))
                return book_count(w->book, of, by) > 0;
        if (str_eq(what, S("untold")))
                return book_count(w->book, of, by) == 0;
        if (str_eq(what, S("at-most")))
                return str_to_u64(of, INT64_MAX, &most) == ERR_OK && book_count(w->book, by, S("")) <= most;
        look_at_image(w, false, "when members are counted");
        return world_has_member(w, of, text_in(w, by)) == str_eq(what, S("member"));
}
