/* SPDX-License-Identifier: ISC */
/* Every route, role, proof and state together: what is answered, and that nobody gets beyond his rights. */
#include "list/decide_rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "list/decide_world.h"

#define AUTHOR "ann@a.example"
#define OTHER "bob@b.example"

enum role { STRANGER, MEMBER, MODERATOR, BANNED, BANNED_MEMBER, ROLES };

/* A mail to each route that asks for all it may, with the answer for each role: for a proven author, and with an aligned
 * signature where that makes a difference. Settings are the standard ones; OTHER is a member. */
static const struct {
        enum route_kind route;
        const char *text;
        unsigned proven[ROLES], strong[ROLES];
} answers[] = {
        {ROUTE_SUBSCRIBE, "", {250, 250, 250, 550, 550}, {250, 250, 250, 550, 550}},
        {ROUTE_UNSUBSCRIBE, "", {250, 250, 250, 250, 250}, {250, 250, 250, 250, 250}},
        {ROUTE_SUBSCRIBERS, "", {550, 250, 250, 550, 250}, {550, 250, 250, 550, 250}},
        {ROUTE_SETTINGS, "", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_SETTINGS, "posting: open\n", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_SETTINGS, "posting: x\n", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_OPTIONS, "", {550, 250, 550, 550, 250}, {550, 250, 550, 550, 250}},
        {ROUTE_OPTIONS, "nomail: on\n", {550, 250, 550, 550, 250}, {550, 250, 550, 550, 250}},
        {ROUTE_HELP, "", {250, 250, 250, 250, 250}, {250, 250, 250, 250, 250}},
        {ROUTE_REQUEST, "remove " OTHER "\n", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_REQUEST, "ban x@x.example\n", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_REQUEST, "leave " OTHER "\n", {550, 550, 550, 550, 550}, {550, 550, 550, 550, 550}},
        {ROUTE_REQUEST, "what\n", {250, 250, 250, 250, 250}, {250, 250, 250, 250, 250}},
        {ROUTE_WHY, "<x@y.example>", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_REMOVE, "", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_CONFIRM, "", {550, 550, 550, 550, 550}, {550, 550, 550, 550, 550}},
        {ROUTE_ACCEPT, "", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
        {ROUTE_REJECT, "", {550, 550, 250, 550, 550}, {550, 550, 250, 550, 550}},
};

static void set_role(struct world *w, enum role role)
{
        struct world_person *p = world_person(w, S(AUTHOR));
        p->is_member = role == MEMBER || role == BANNED_MEMBER;
        p->is_moderator = role == MODERATOR;
        p->is_banned = role == BANNED || role == BANNED_MEMBER;
}

static struct world *world_new(enum role role)
{
        static struct world w;
        memset(&w, 0, sizeof w);
        w.now_ms = 1000 * WORLD_DAY_MS;
        set_role(&w, role);
        world_person(&w, S(OTHER))->is_member = true;
        return &w;
}

struct seen {
        const struct world *world;
        size_t actions, strong; /* of these, those that need more than SPF */
};

static void watch(
        void *ctx, const struct command *command, const struct decide_facts *f, const struct decision *d)
{
        struct seen *seen = ctx;
        const bool is_confirmed =
                seen->world->run.actor_size > 0 && (!command || command->kind != COMMAND_CONFIRM);
        rights_check(&(struct rights){.command = command, .f = f, .d = d, .is_confirmed = is_confirmed});
        seen->actions += d->count;
        for (size_t i = 0; i < d->count; i++) {
                enum decide_action_kind kind = d->actions[i].kind;
                seen->strong += kind == DECIDE_SET_SETTING || kind == DECIDE_BAN || kind == DECIDE_UNBAN ||
                                (kind == DECIDE_REMOVE_MEMBER && command->kind == COMMAND_REMOVE);
        }
}

static unsigned send(struct world *w, enum route_kind route, const char *text, enum decide_proof proof,
        int64_t token, struct seen *seen)
{
        *seen = (struct seen){.world = w};
        const struct world_mail m = {.route = route,
                .author = S(AUTHOR),
                .proof = proof,
                .token = token,
                .user = S("bob=b.example"),
                .subject = S(""),
                .text = str_of_c(text)};
        return world_mail(w, &m, watch, seen).code;
}

static void test_every_route_role_and_proof(void **state)
{
        (void)state;
        struct seen seen;
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
                for (enum role role = 0; role < ROLES; role++) {
                        const enum route_kind route = answers[i].route;
                        const char *text = answers[i].text;
                        assert_int_equal(send(world_new(role), route, text, DECIDE_UNPROVEN, 0, &seen), 550);
                        assert_int_equal(seen.actions, 0);
                        assert_int_equal(send(world_new(role), route, text, DECIDE_PROVEN, 0, &seen),
                                answers[i].proven[role]);
                        assert_int_equal(seen.strong, 0);
                        assert_int_equal(send(world_new(role), route, text, DECIDE_STRONG, 0, &seen),
                                answers[i].strong[role]);
                }
}

/* Requests of every purpose and age, for the author or another, under every way to subscribe. */
static void test_every_token_state_and_right(void **state)
{
        (void)state;
        static const char *const ways[] = {"", "confirm", "open", "closed"};
        size_t cases = 0, done = 0;
        struct seen seen;
        for (unsigned i = 0; i < 3 * ROLES * 4 * 2 * 3 * 4; i++) {
                const enum route_kind routes[] = {ROUTE_CONFIRM, ROUTE_ACCEPT, ROUTE_REJECT};
                unsigned n = i;
                const enum route_kind route = routes[n % 3];
                const enum role role = (n /= 3) % ROLES;
                const enum request_purpose purpose = 1 + (n /= ROLES) % 4;
                const struct str who = (n /= 4) % 2 ? S(OTHER) : S(AUTHOR);
                const enum decide_proof proof = (n /= 2) % 3;
                const char *way = ways[(n /= 3) % 4];
                for (int days = 0; days < 9; days += 4) {
                        struct world *w = world_new(role);
                        memcpy(w->values[SETTING_SUBSCRIPTION], way, strlen(way));
                        (void)world_add_request(w, purpose, who, S("ban x@x.example\n"));
                        w->now_ms += days * WORLD_DAY_MS;
                        const unsigned code = send(w, route, "", proof, 1, &seen);
                        const bool is_of_route =
                                (route == ROUTE_CONFIRM) ==
                                (purpose == REQUEST_JOIN_CONFIRM || purpose == REQUEST_CHANGE_CONFIRM);
                        if (!is_of_route || days > 7)
                                assert_int_equal(code, 550);
                        if (!is_of_route || days > 7)
                                assert_int_equal(seen.actions, 0);
                        cases++;
                        done += code == 250;
                }
        }
        assert_int_equal(cases, 3 * ROLES * 4 * 2 * 3 * 4 * 3);
        assert_true(done > cases / 20 && done < cases / 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_route_role_and_proof),
                cmocka_unit_test(test_every_token_state_and_right),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
