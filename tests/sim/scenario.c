/* SPDX-License-Identifier: ISC */
#include "tests/sim/scenario_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/quantity.h"

/* ---- words ---- */

struct str statement_argument(const struct statement *s, size_t at)
{
        return at < statement_arguments(s) ? s->words[at + 1] : S("");
}

static bool is_option(struct str word)
{
        size_t n = 0;
        while (n < word.n && (ascii_is_alpha(word.p[n]) || word.p[n] == '-'))
                n++;
        return n > 0 && n < word.n && word.p[n] == '=';
}

size_t statement_arguments(const struct statement *s)
{
        bool is_rest = s->verb == VERB_CLIENT || s->verb == VERB_SERVER;
        size_t n = 1;
        while (n < s->count && (is_rest || (s->quoted >> n & 1) != 0 || !is_option(s->words[n])))
                n++;
        return n - 1;
}

bool statement_has(const struct statement *s, const char *key, struct str *value)
{
        for (size_t i = 1 + statement_arguments(s); i < s->count; i++) {
                struct str found;
                (void)str_cut(s->words[i], '=', &found, value);
                if (str_eq(found, str_of_c(key)))
                        return true;
        }
        *value = S("");
        return false;
}

int64_t statement_argument_ms(const struct statement *s, size_t at)
{
        int64_t ms;
        return scenario_duration_parse(statement_argument(s, at), true, &ms) == ERR_OK ? ms : 0;
}

struct str statement_text(const struct statement *s, const char *key, struct str otherwise)
{
        struct str value;
        return statement_has(s, key, &value) ? value : otherwise;
}

int64_t statement_ms(const struct statement *s, const char *key, int64_t otherwise_ms)
{
        struct str value;
        int64_t ms;
        return statement_has(s, key, &value) && scenario_duration_parse(value, false, &ms) == ERR_OK
                       ? ms
                       : otherwise_ms;
}

uint64_t statement_number(const struct statement *s, const char *key, uint64_t otherwise)
{
        struct str value;
        uint64_t n;
        return statement_has(s, key, &value) && quantity_size_parse(value, &n) == ERR_OK ? n : otherwise;
}

size_t statement_members(const struct statement *s)
{
        return (size_t)statement_number(s, "times", 1);
}

void statement_member(const struct statement *s, size_t i, struct wr *out)
{
        struct str head, tail, email = statement_argument(s, 1);
        bool is_numbered = str_cut(email, '*', &head, &tail);
        wr_str(out, head);
        if (is_numbered)
                wr_u64(out, i);
        wr_str(out, tail);
}

enum err scenario_duration_parse(struct str text, bool is_signed, int64_t *out_ms)
{
        bool is_milli = str_has_suffix_nocase(text, S("ms"));
        bool is_minus = is_signed && str_has_prefix(text, S("-"));
        uint64_t milli = 0;
        *out_ms = 0;
        if (is_signed && text.n > 0 && (text.p[0] == '+' || text.p[0] == '-'))
                text = str_skip(text, 1);
        if (is_milli && str_to_u64(str_take(text, text.n - 2), INT64_MAX / 2, &milli) != ERR_OK)
                return ERR_SYNTAX;
        *out_ms = (int64_t)milli;
        if (!is_milli && quantity_duration_parse(text, out_ms) != ERR_OK)
                return ERR_SYNTAX;
        *out_ms *= (is_milli ? 1 : 1000) * (is_minus ? -1 : 1);
        return ERR_OK;
}

bool scenario_matches(struct str pattern, struct str text)
{
        struct str head, tail;
        bool is_open = str_cut(pattern, '*', &head, &tail);
        if (!is_open)
                return str_eq(pattern, text);
        if (!str_has_prefix(text, head))
                return false;
        for (text = str_skip(text, head.n);; text = str_skip(text, 1)) {
                if (scenario_matches(tail, text))
                        return true;
                if (text.n == 0)
                        return false;
        }
}

bool scenario_list_has(struct str names, struct str name)
{
        struct str one;
        while (names.n > 0) {
                (void)str_cut(names, ',', &one, &names);
                if (str_eq(one, name))
                        return true;
        }
        return false;
}

/* ---- parsing ---- */

static enum err wrong(
        const struct statement *s, struct scenario_fault *fault, const char *what, struct str word)
{
        fault->line = s->line;
        snprintf(fault->text, sizeof fault->text, "%s%s%.*s", what, word.n > 0 ? ": " : "", STR_ARG(word));
        return ERR_SYNTAX;
}

/* The next word of a line; one in quotes may be empty and have spaces. */
static enum err next_word(struct str *line, struct str *word)
{
        size_t n;
        if (str_has_prefix(*line, S("\""))) {
                n = str_find_byte(str_skip(*line, 1), '"');
                *word = str_take(str_skip(*line, 1), n);
                if (n + 2 > line->n || (n + 2 < line->n && line->p[n + 2] != ' '))
                        return ERR_SYNTAX;
                n += 2;
        } else {
                n = str_find_byte(*line, ' ');
                *word = str_take(*line, n);
                if (str_find_byte(*word, '"') < word->n)
                        return ERR_SYNTAX;
        }
        *line = str_skip(*line, n);
        while (str_has_prefix(*line, S(" ")))
                *line = str_skip(*line, 1);
        return ERR_OK;
}

static enum err split(struct str line, struct statement *s, struct scenario_fault *fault)
{
        const struct rule *rule = NULL;
        struct str rest;
        s->count = 1;
        if (line.n == 0 || line.p[0] == '#') {
                s->words[0] = line;
                return ERR_OK;
        }
        bool has_rest = str_cut(line, ' ', &s->words[0], &rest);
        rule = scenario_rule_named(s->words[0]);
        if (!rule)
                return wrong(s, fault, "unknown verb", s->words[0]);
        s->verb = rule->is;
        if (rule->is_rest) {
                s->words[1] = rest;
                s->count += has_rest;
                return ERR_OK;
        }
        while (str_has_prefix(rest, S(" ")))
                rest = str_skip(rest, 1);
        while (rest.n > 0) {
                if (s->count == SCENARIO_WORDS_MAX)
                        return wrong(s, fault, "too many words", S(""));
                s->quoted |= (uint32_t)(rest.p[0] == '"') << s->count;
                if (next_word(&rest, &s->words[s->count++]) != ERR_OK)
                        return wrong(s, fault, "a quote that does not end, or inside a word", S(""));
        }
        return ERR_OK;
}

static bool is_name(struct str s, const char *marks)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && !strchr(marks, s.p[i]))
                        return false;
        return s.n > 0;
}

static bool is_email(struct str s)
{
        struct str local, domain;
        return str_cut(s, '@', &local, &domain) && is_name(local, "-._+=*") && is_name(domain, "-.");
}

static bool are_emails(struct str s)
{
        struct str one;
        bool is_good = s.n > 0;
        while (is_good && s.n > 0) {
                (void)str_cut(s, ',', &one, &s);
                is_good = is_email(one);
        }
        return is_good;
}

static bool fits(enum kind kind, const char *choices, struct str word)
{
        uint64_t number;
        int64_t ms;
        switch (kind) {
        case NEW_NODE:
                return is_name(word, "-");
        case NEW_DOMAIN:
                return is_name(word, "-.");
        case NEW_LIST:
        case LIST:
        case EMAIL:
                return is_email(word);
        case EMAILS:
                return are_emails(word);
        case DOMAINS:
                return is_name(word, "-.,");
        case TYPE:
                return is_name(word, "");
        case COUNT:
                return str_to_u64(word, INT64_MAX, &number) == ERR_OK;
        case SIZE:
                return quantity_size_parse(word, &number) == ERR_OK;
        case DURATION:
        case SIGNED:
                return scenario_duration_parse(word, kind == SIGNED, &ms) == ERR_OK;
        case CHOICE:
                return word.n > 0 && scenario_list_has(str_of_c(choices), word);
        default:
                return true;
        }
}

static const struct slot *option_slot(const struct rule *rule, struct str key)
{
        for (size_t i = 0; i < SLOTS_MAX && rule->options[i].key; i++)
                if (str_eq(str_of_c(rule->options[i].key), key))
                        return &rule->options[i];
        return NULL;
}

static enum err check_options(
        const struct rule *rule, const struct statement *s, struct scenario_fault *fault)
{
        for (size_t i = 1 + statement_arguments(s); i < s->count; i++) {
                struct str key, value;
                const struct slot *slot =
                        str_cut(s->words[i], '=', &key, &value) ? option_slot(rule, key) : NULL;
                if (!slot)
                        return wrong(s, fault, "unknown option", s->words[i]);
                if (!fits(slot->kind, slot->choices, value))
                        return wrong(s, fault, "not a value of its option", s->words[i]);
        }
        return ERR_OK;
}

static enum err check_shape(const struct statement *s, struct scenario_fault *fault)
{
        const struct rule *rule = scenario_rule(s->verb);
        size_t n = statement_arguments(s), most = 0;
        if (rule->is_rest)
                return ERR_OK;
        for (; most < 4 && rule->arguments[most].key; most++) {
                const struct slot *slot = &rule->arguments[most];
                if (most >= n && slot->key[0] != '[')
                        return wrong(s, fault, "missing", str_of_c(slot->key));
                if (most < n && !fits(slot->kind, slot->choices, statement_argument(s, most)))
                        return wrong(s, fault, "not what should stand here", statement_argument(s, most));
        }
        return n > most ? wrong(s, fault, "one word too many", statement_argument(s, most))
                        : check_options(rule, s, fault);
}

static struct str take_line(struct str *text)
{
        struct str line;
        (void)str_cut(*text, '\n', &line, text);
        return line;
}

static enum err read_all(struct scenario *out, struct str text, size_t lines, struct scenario_fault *fault)
{
        enum err e = ERR_OK;
        for (unsigned line = 1; e == ERR_OK && line <= lines; line++) {
                struct statement *s = &out->statements[out->count++];
                s->line = line;
                e = split(take_line(&text), s, fault);
                if (e == ERR_OK && s->verb != VERB_COMMENT)
                        e = check_shape(s, fault);
        }
        return e != ERR_OK ? e : scenario_check(out, fault);
}

enum err scenario_parse(struct str text, struct scenario *out, struct scenario_fault *fault)
{
        size_t lines = text.n > 0 && text.p[text.n - 1] != '\n';
        *out = (struct scenario){0};
        *fault = (struct scenario_fault){0};
        for (size_t i = 0; i < text.n; i++)
                lines += text.p[i] == '\n';
        if (lines > SCENARIO_LINES_MAX)
                return ERR_LIMIT;
        out->text = calloc(1, text.n + 1);
        out->statements = calloc(lines + 1, sizeof *out->statements);
        if (!out->text || !out->statements) {
                scenario_free(out);
                return ERR_MEMORY;
        }
        if (text.n > 0)
                memcpy(out->text, text.p, text.n);
        enum err e = read_all(out, str_of(out->text, text.n), lines, fault);
        if (e != ERR_OK)
                scenario_free(out);
        return e;
}

void scenario_free(struct scenario *s)
{
        free(s->text);
        free(s->statements);
        *s = (struct scenario){0};
}

/* ---- names ---- */

static bool is_declared(
        const struct scenario *s, size_t before, enum kind kind, const char *verbs, struct str name)
{
        for (size_t i = 0; i < before; i++) {
                const struct statement *t = &s->statements[i];
                const struct rule *rule = scenario_rule(t->verb);
                if (rule && rule->arguments[0].kind == kind && str_eq_nocase(statement_argument(t, 0), name))
                        return !verbs || scenario_list_has(str_of_c(verbs), str_of_c(rule->verb));
        }
        return false;
}

static enum err check_nodes(const struct scenario *s, size_t at, const char *verbs, struct str names,
        struct scenario_fault *fault)
{
        while (names.n > 0) {
                struct str name;
                (void)str_cut(names, ',', &name, &names);
                if (!is_declared(s, at, NEW_NODE, verbs, name))
                        return wrong(&s->statements[at], fault, "no such node above for this", name);
        }
        return ERR_OK;
}

static enum err check_argument(const struct scenario *s, size_t at, const struct slot *slot, struct str word,
        struct scenario_fault *fault)
{
        const struct statement *t = &s->statements[at];
        struct str local, domain;
        switch (slot->kind) {
        case NEW_LIST:
                (void)str_cut(word, '@', &local, &domain);
                if (!is_declared(s, at, NEW_DOMAIN, "domain", domain))
                        return wrong(t, fault, "not declared above", domain);
                /* fallthrough */
        case NEW_NODE:
        case NEW_DOMAIN:
                return is_declared(s, at, slot->kind, NULL, word) ? wrong(t, fault, "declared twice", word)
                                                                  : ERR_OK;
        case LIST:
                return is_declared(s, at, NEW_LIST, NULL, word) ? ERR_OK
                                                                : wrong(t, fault, "not declared above", word);
        case DOMAIN:
                return is_declared(s, at, NEW_DOMAIN, NULL, word)
                               ? ERR_OK
                               : wrong(t, fault, "not declared above", word);
        case PEER:
                if (str_eq(word, S("*")))
                        return ERR_OK;
                return check_nodes(s, at, NULL, word, fault);
        case NODE:
                return check_nodes(s, at, slot->choices, word, fault);
        default:
                return ERR_OK;
        }
}

enum err scenario_check(const struct scenario *s, struct scenario_fault *fault)
{
        for (size_t i = 0; i < s->count; i++) {
                const struct statement *t = &s->statements[i];
                const struct rule *rule = scenario_rule(t->verb);
                fault->statement = i;
                for (size_t k = 0; rule && k < 4 && k < statement_arguments(t); k++)
                        if (check_argument(s, i, &rule->arguments[k], statement_argument(t, k), fault) !=
                                ERR_OK)
                                return ERR_SYNTAX;
                if (t->verb == VERB_CLIENT || t->verb == VERB_SERVER) {
                        enum verb above = i > 0 ? s->statements[i - 1].verb : VERB_COMMENT;
                        if (above != VERB_SESSION && above != VERB_CLIENT && above != VERB_SERVER)
                                return wrong(t, fault, "no session above", S(""));
                }
        }
        return ERR_OK;
}

/* ---- printing ---- */

void scenario_print(const struct scenario *s, struct wr *w)
{
        for (size_t i = 0; i < s->count; i++) {
                const struct statement *t = &s->statements[i];
                for (size_t k = 0; k < t->count; k++) {
                        struct str quote = (t->quoted >> k & 1) != 0 ? S("\"") : S("");
                        wr_str(w, k > 0 ? S(" ") : S(""));
                        wr_str(w, quote);
                        wr_str(w, t->words[k]);
                        wr_str(w, quote);
                }
                wr_byte(w, '\n');
        }
}

size_t scenario_print_size(const struct scenario *s)
{
        size_t n = 1;
        for (size_t i = 0; i < s->count; i++)
                for (size_t k = 0; k < s->statements[i].count; k++)
                        n += s->statements[i].words[k].n + 4;
        return n;
}
