/* SPDX-License-Identifier: ISC */
/* What the ledger and the book must know of lists, roles and members before anything happens. */
#include "tests/sim/world_inside.h"

#include "base/limits.h"

/* Those of a list stand behind a role. */
static void put_moderators(struct world *w, const struct statement *t, uint32_t role)
{
        struct str moderator, names = statement_text(t, "moderator", S(WORLD_MODERATOR));
        while (names.n > 0) {
                (void)str_cut(names, ',', &moderator, &names);
                ledger_member(w->ledger, role, moderator, LEDGER_IN);
                world_refuse_homeless(w, moderator);
        }
}

static void put_roles(struct world *w, struct str domain)
{
        static const char *const names[] = {"postmaster", "abuse"};
        struct str admin;
        for (size_t k = 0; k < 2; k++) {
                const char *address = world_text(w, "%s@%.*s", names[k], STR_ARG(domain));
                uint32_t role = ledger_list(w->ledger, str_of_c(address), LEDGER_ROLE);
                if (statement_has(w->lipap->said, "admin", &admin)) {
                        ledger_member(w->ledger, role, admin, LEDGER_IN);
                        world_refuse_homeless(w, admin);
                        continue;
                }
                for (size_t i = 0; i < w->s->count; i++) {
                        const struct statement *t = &w->s->statements[i];
                        struct str name, at;
                        (void)str_cut(statement_argument(t, 0), '@', &name, &at);
                        if (t->verb == VERB_LIST && str_eq_nocase(at, domain))
                                put_moderators(w, t, role);
                }
        }
}

static void put_list(struct world *w, const struct statement *t)
{
        struct str ignored, posting = statement_text(t, "posting", S("subscribers"));
        uint32_t list = ledger_list(w->ledger, statement_argument(t, 0), LEDGER_LIST);
        struct str moderator, moderators = statement_text(t, "moderator", S(WORLD_MODERATOR)), name, domain;
        enum ledger_rule rule = str_eq(posting, S("subscribers")) ? LEDGER_MEMBERS
                                : str_eq(posting, S("open"))      ? LEDGER_EVERYBODY
                                : str_eq(posting, S("moderated")) ? LEDGER_APPROVED
                                                                  : LEDGER_MODERATORS;
        bool is_bounded = statement_has(t, "max-message", &ignored) ||
                          statement_has(w->lipap->said, "max-message", &ignored);
        ledger_list_rule(w->ledger, list, rule, is_bounded);
        while (moderators.n > 0) {
                (void)str_cut(moderators, ',', &moderator, &moderators);
                ledger_moderator(w->ledger, list, moderator);
        }
        struct look look = {.from = statement_text(t, "from", S("")),
                .reply_to = statement_text(t, "reply-to", S("")),
                .prefix = statement_text(t, "subject-prefix", S("")),
                .footer = statement_text(t, "footer", S(""))};
        verify_expect_look(w->verify, list, &look);
        ledger_list_skips(w->ledger, list, str_eq(statement_text(t, "duplicates", S("send")), S("skip")));
        book_setting(w->book, list, S("subscription"), statement_text(t, "subscription", S("moderated")));
        book_setting(w->book, list, S("first-post"), statement_text(t, "first-post", S("free")));
        (void)str_cut(statement_argument(t, 0), '@', &name, &domain);
        const char *owner = world_text(w, "%.*s-owner@%.*s", STR_ARG(name), STR_ARG(domain));
        uint32_t role = ledger_list(w->ledger, str_of_c(owner), LEDGER_ROLE);
        ledger_list_rule(w->ledger, role, LEDGER_EVERYBODY, is_bounded);
        put_moderators(w, t, role);
}

void world_refuse_homeless(struct world *w, struct str email)
{
        struct str local, domain;
        (void)str_cut(email, '@', &local, &domain);
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].mx &&
                        scenario_list_has(statement_argument(w->machines[i].said, 1), domain))
                        return;
        ledger_refusal(w->ledger, email);
}

static void put_members(struct world *w, const struct statement *t)
{
        uint32_t list = ledger_list(w->ledger, statement_argument(t, 0), LEDGER_LIST);
        for (size_t i = 0; i < statement_members(t); i++) {
                char room[SMTP_PATH_MAX];
                struct wr who;
                wr_init(&who, room, sizeof room);
                statement_member(t, i, &who);
                ledger_member(w->ledger, list, wr_text(&who), LEDGER_IN);
                world_refuse_homeless(w, wr_text(&who));
        }
}

void world_fill_ledger(struct world *w)
{
        for (size_t i = 0; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                if (t->verb == VERB_LIST)
                        put_list(w, t);
                if (t->verb == VERB_MEMBER)
                        put_members(w, t);
                if (t->verb == VERB_DOMAIN)
                        put_roles(w, statement_argument(t, 0));
        }
}
