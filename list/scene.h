/* SPDX-License-Identifier: ISC */
/* For tests: a scene is played on a list in memory, line by line:
 *
 *     WHO PROOF ROUTE [NUMBER or USER=DOMAIN] [stale] [| SUBJECT [| TEXT]]   a mail
 *     hold WHO                                  a post that is to be held
 *     expire NUMBER                             a request is looked at for its age
 *     member | moderator | nomoderator | ban WHO, set NAME VALUE, waits PURPOSE WHO, +HOURSh, crowd DOMAIN LIST, held N
 *
 * and each line's decisions are compared as text: "CODE OUTCOME: action; action" a step, then the actions of the end. */
#ifndef LIST_SCENE_H
#define LIST_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "list/decide_world.h"

struct line {
        const char *does, *expect;
};

static const char *const purpose_words[REQUEST_PURPOSES] = {
        "", "join-confirm", "join-decide", "change-confirm", "post"};

struct scene {
        struct world world;
        struct wr w; /* what was decided */
        char text[4096];
};

/* ---- decisions as text ---- */

/* On one line; of outcomes their words alone. */
static inline void write_text(struct wr *w, enum notice_kind kind, struct str text)
{
        struct str line;
        enum outcome o;
        bool is_first = true;
        if (text.n == 0)
                return;
        wr_str(w, S(" ["));
        if (kind == NOTICE_OUTCOME || kind == NOTICE_SETTINGS || kind == NOTICE_OPTIONS) {
                while (outcome_line_read(&text, &o, &line) == ERR_OK) {
                        if (!is_first)
                                wr_byte(w, ',');
                        wr_str(w, outcome_word(o));
                        is_first = false;
                }
        }
        for (size_t i = 0; i < text.n; i++)
                wr_byte(w, text.p[i] == '\n' ? '/' : text.p[i] == '\t' ? ' ' : text.p[i]);
        wr_byte(w, ']');
}

static inline void write_request(struct wr *w, int64_t request)
{
        if (request == DECIDE_NEW_REQUEST)
                wr_str(w, S(" #new"));
        if (request > 0) {
                wr_str(w, S(" #"));
                wr_u64(w, (uint64_t)request);
        }
}

static inline void write_tell(struct wr *w, const struct decide_action *a)
{
        wr_byte(w, ' ');
        wr_str(w, notice_kind_name(a->notice));
        wr_byte(w, ' ');
        wr_str(w, a->address.n > 0 ? a->address : S("moderators"));
        write_request(w, a->request);
        if (a->about.n > 0 && !str_eq(a->about, a->address)) {
                wr_str(w, S(" about "));
                wr_str(w, a->about);
        }
        write_text(w, a->notice, a->text);
}

static inline void write_ask(struct wr *w, const struct decide_action *a)
{
        wr_byte(w, ' ');
        wr_str(w, str_of_c(purpose_words[a->purpose]));
        wr_byte(w, ' ');
        wr_str(w, a->address);
        if (a->data.n > 0)
                wr_str(w, S(" \""));
        for (size_t i = 0; i < a->data.n; i++)
                wr_byte(w, a->data.p[i] == '\n' ? '/' : a->data.p[i]);
        if (a->data.n > 0)
                wr_byte(w, '"');
}

static inline void write_action(struct wr *w, const struct decide_action *a)
{
        static const char *const kinds[] = {
                "add", "remove", "set", "option", "ban", "unban", "ask", "end", "release", "drop", "tell"};
        wr_str(w, str_of_c(kinds[a->kind]));
        switch (a->kind) {
        case DECIDE_TELL:
                write_tell(w, a);
                return;
        case DECIDE_ADD_REQUEST:
                write_ask(w, a);
                return;
        case DECIDE_SET_SETTING:
                wr_byte(w, ' ');
                wr_str(w, str_of_c(settings[a->setting].name));
                wr_byte(w, ' ');
                wr_str(w, a->value.n > 0 ? a->value : S("standard"));
                return;
        case DECIDE_END_REQUEST:
        case DECIDE_RELEASE_POST:
        case DECIDE_DROP_POST:
                write_request(w, a->request);
                return;
        default:
                wr_byte(w, ' ');
                wr_str(w, a->address);
        }
        if (a->kind == DECIDE_SET_OPTION) {
                wr_byte(w, ' ');
                wr_str(w, a->option == OPTION_APPROVED ? S("approved") : member_option_name(a->option));
                wr_str(w, a->on ? S(" on") : S(" off"));
        }
}

static inline void write_actions(struct wr *w, const struct decision *d)
{
        for (size_t i = 0; i < d->count; i++) {
                wr_str(w, i > 0 ? S("; ") : S(""));
                write_action(w, &d->actions[i]);
        }
}

static inline void write_decision(
        void *ctx, const struct command *command, const struct decide_facts *f, const struct decision *d)
{
        struct wr *w = ctx;
        (void)f;
        if (!command && d->count == 0)
                return;
        if (w->n > 0)
                wr_str(w, S("; "));
        if (command) {
                wr_u64(w, d->reply.code);
                wr_byte(w, ' ');
                wr_str(w, outcome_word(d->outcome));
                wr_str(w, d->count > 0 ? S(": ") : S(":"));
        }
        write_actions(w, d);
}

/* ---- lines ---- */

static inline struct str word_next(struct str *rest)
{
        struct str word;
        *rest = str_trim(*rest);
        (void)str_cut(*rest, ' ', &word, rest);
        return word;
}

static inline uint64_t number_next(struct str *rest)
{
        uint64_t n;
        CHECK(str_to_u64(word_next(rest), UINT64_MAX, &n) == ERR_OK);
        return n;
}

static inline enum route_kind route_of(struct str word)
{
        for (enum route_kind kind = 0; kind < ROUTE_KINDS; kind++)
                if (route_word(kind).n > 0 && str_eq(route_word(kind), word))
                        return kind;
        return ROUTE_NONE;
}

static inline void do_mail(struct scene *s, struct str author, struct str proof, struct str rest)
{
        struct str head, subject, text;
        (void)str_cut(rest, '|', &head, &rest);
        (void)str_cut(rest, '|', &subject, &text);
        struct world_mail m = {.author = author, .subject = str_trim(subject), .text = text, .user = S("")};
        m.proof = str_eq(proof, S("strong"))   ? DECIDE_STRONG
                  : str_eq(proof, S("proven")) ? DECIDE_PROVEN
                                               : DECIDE_UNPROVEN;
        m.route = route_of(word_next(&head));
        CHECK(route_is_command(m.route));
        if (m.route == ROUTE_REMOVE)
                m.user = word_next(&head);
        if (m.route == ROUTE_CONFIRM || m.route == ROUTE_ACCEPT || m.route == ROUTE_REJECT)
                m.token = (int64_t)number_next(&head);
        m.is_token_stale = str_eq(word_next(&head), S("stale"));
        (void)world_mail(&s->world, &m, write_decision, &s->w);
}

static inline void do_hold(struct scene *s, struct str author)
{
        static struct decision d;
        struct decide_facts f;
        world_facts(&s->world, &(struct world_mail){.proof = DECIDE_PROVEN},
                &(struct decide_wanted){.actor = author}, &f);
        decide_hold(&f, &d);
        write_decision(&s->w, &(struct command){.kind = COMMAND_WRONG}, &f, &d);
        world_carry_out(&s->world, &d);
}

static inline void do_expire(struct scene *s, int64_t request)
{
        static struct decision d;
        struct decide_facts f;
        world_facts(&s->world, &(struct world_mail){.token = request},
                &(struct decide_wanted){.of_request = true}, &f);
        decide_expired(&f, &d);
        write_decision(&s->w, &(struct command){.kind = COMMAND_WRONG}, &f, &d);
        world_carry_out(&s->world, &d);
}

static inline bool do_people(struct world *w, struct str verb, struct str rest)
{
        if (str_eq(verb, S("member")))
                world_person(w, str_trim(rest))->is_member = true;
        else if (str_eq(verb, S("moderator")))
                world_person(w, str_trim(rest))->is_moderator = true;
        else if (str_eq(verb, S("nomoderator")))
                world_person(w, str_trim(rest))->is_moderator = false;
        else if (str_eq(verb, S("ban")))
                world_person(w, str_trim(rest))->is_banned = true;
        else
                return false;
        return true;
}

static inline bool do_state(struct world *w, struct str verb, struct str rest)
{
        if (verb.p[0] == '+') {
                struct str hours = str_take(str_skip(verb, 1), verb.n - 2);
                w->now_ms += (int64_t)number_next(&hours) * 60 * 60 * 1000;
        } else if (str_eq(verb, S("crowd"))) {
                w->crowd_of_domain = number_next(&rest);
                w->crowd_of_list = number_next(&rest);
        } else if (str_eq(verb, S("held"))) {
                w->held = number_next(&rest);
        } else if (str_eq(verb, S("set"))) {
                const struct setting *setting = setting_find(word_next(&rest));
                CHECK(setting);
                struct decide_action a = {.kind = DECIDE_SET_SETTING,
                        .setting = (enum setting_id)(setting - settings),
                        .value = rest};
                world_act(w, &a);
        } else if (str_eq(verb, S("waits"))) {
                struct str purpose = word_next(&rest);
                for (unsigned i = 1; i < REQUEST_PURPOSES; i++)
                        if (str_eq(purpose, str_of_c(purpose_words[i])))
                                (void)world_add_request(w, (enum request_purpose)i, str_trim(rest), S(""));
        } else {
                return false;
        }
        return true;
}

static inline void do_line(struct scene *s, struct str does)
{
        struct str rest = does, verb = word_next(&rest);
        if (str_eq(verb, S("hold")))
                do_hold(s, str_trim(rest));
        else if (str_eq(verb, S("expire")))
                do_expire(s, (int64_t)number_next(&rest));
        else if (!do_people(&s->world, verb, rest) && !do_state(&s->world, verb, rest)) {
                struct str proof = word_next(&rest);
                do_mail(s, verb, proof, rest);
        }
}

static inline void play(const char *name, const struct line *lines)
{
        static struct scene s;
        memset(&s, 0, sizeof s);
        s.world.now_ms = 1000 * WORLD_DAY_MS;
        for (size_t i = 0; lines[i].does; i++) {
                wr_init(&s.w, s.text, sizeof s.text - 1);
                do_line(&s, str_of_c(lines[i].does));
                CHECK(wr_end(&s.w) == ERR_OK);
                s.text[s.w.n] = '\0';
                if (strcmp(s.text, lines[i].expect) != 0)
                        print_error("%s: %s\n", name, lines[i].does);
                assert_string_equal(s.text, lines[i].expect);
        }
}

#endif
