/* SPDX-License-Identifier: ISC */
/* For tests: people who write to the routes of lists, and the mailer and the janitor beside the SMTP side. */
#ifndef SERVE_LIST_WORLD_H
#define SERVE_LIST_WORLD_H

#include "serve/inbound_signed.h"

#include "serve/janitor.h"
#include "serve/mailer.h"
#include "store/notices.h"
#include "store/requests.h"

/* ptt: author@example.org is its member, owner@strict.test its moderator. Settings are name and value in turn. */
static inline int64_t new_list(struct rig *r, const char *name, const char *const *pairs)
{
        const struct str moderator = S("owner@strict.test"), members[] = {S("author@example.org")};
        struct store_setting list_settings[8];
        struct store_list_new list = {.name = str_of_c(name),
                .domain = S("mailingl.st"),
                .settings = list_settings,
                .moderators = &moderator,
                .moderator_count = 1,
                .members = members,
                .member_count = 1};
        int64_t id;
        for (; pairs && *pairs; pairs += 2)
                list_settings[list.setting_count++] =
                        (struct store_setting){str_of_c(pairs[0]), str_of_c(pairs[1])};
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
        return id;
}

/* A mail of `from`, whom SPF proves when it is someone@example.org, to LOCAL@mailingl.st. */
static inline void write_to(struct rig *r, const char *from, const char *local, const char *subject,
        const char *text, const char *want)
{
        char message[8192], to[200];
        (void)snprintf(message, sizeof message,
                "From: %s\r\nMessage-ID: <m1@example.org>\r\nSubject: %s\r\n\r\n%s\r\n", from, subject, text);
        (void)snprintf(to, sizeof to, "%s@mailingl.st", local);
        deliver(r, &r->stranger_at, from, to, str_of_c(message), want);
}

/* The same, signed by the author's domain, strict.test. */
static inline void write_signed(struct rig *r, const char *from, const char *local, const char *subject,
        const char *text, const char *want)
{
        char message[8192], room[12000], to[200];
        (void)snprintf(message, sizeof message,
                "From: %s\r\nTo: <%s@mailingl.st>\r\nMessage-ID: <m2@strict.test>\r\nSubject: "
                "%s\r\n\r\n%s\r\n",
                from, local, subject, text);
        (void)snprintf(to, sizeof to, "%s@mailingl.st", local);
        deliver(r, &r->stranger_at, from, to, signed_by("strict.test", message, room, sizeof room), want);
}

static inline size_t notices(struct rig *r)
{
        struct store_notice *list;
        size_t count;
        arena_reset(&r->arena);
        assert_int_equal(store_notices(r->node.store, 0, 50, &r->arena, &list, &count), ERR_OK);
        return count;
}

/* The newest notice. */
static inline const struct store_notice *last_notice(struct rig *r)
{
        struct store_notice *list;
        size_t count;
        arena_reset(&r->arena);
        assert_int_equal(store_notices(r->node.store, 0, 50, &r->arena, &list, &count), ERR_OK);
        assert_true(count > 0);
        return &list[count - 1];
}

static inline void wrote(struct rig *r, const char *kind, const char *to)
{
        const struct store_notice *n = last_notice(r);
        if (!str_eq(n->kind, str_of_c(kind)) || !str_eq_nocase(n->address, str_of_c(to)))
                print_error("%.*s to %.*s\n", STR_ARG(n->kind), STR_ARG(n->address));
        assert_true(str_eq(n->kind, str_of_c(kind)));
        assert_true(str_eq_nocase(n->address, str_of_c(to)));
}

static inline bool is_member(struct rig *r, int64_t list, const char *address)
{
        struct store_member m;
        arena_reset(&r->arena);
        enum err e = store_member_find(r->node.store, list, str_of_c(address), &r->arena, &m);
        assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
        return e == ERR_OK;
}

/* "WORD-TOKEN" of the list for a request, as the mailer writes it. */
static inline const char *link_of(struct rig *r, const char *list, const char *word, int64_t request)
{
        static char text[200];
        char name[100], token_text[TOKEN_TEXT_SIZE];
        struct token token = {.id = request, .day = (uint16_t)(host_wall_ms(r->host) / 86400000)};
        struct wr w;
        (void)snprintf(name, sizeof name, "%s@mailingl.st", list);
        wr_init(&w, token_text, sizeof token_text);
        assert_int_equal(
                token_write(&w, &r->node.domains[0].keys[0],
                        strcmp(word, "confirm") == 0 ? TOKEN_CONFIRM : TOKEN_DECIDE, str_of_c(name), &token),
                ERR_OK);
        (void)snprintf(text, sizeof text, "%s-%s-%.*s", list, word, TOKEN_TEXT_SIZE, token_text);
        return text;
}

/* Let the mailer write all that is to be written. */
static inline void run_mailer(struct rig *r)
{
        struct scope scope;
        scope_open(&scope, r->host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "mailer", mailer_run, &r->node), ERR_OK);
        for (int i = 0; i < 400 && notices(r) > 0; i++)
                assert_int_equal(fiber_sleep(r->host->sched, 10), ERR_OK);
        assert_int_equal(notices(r), 0);
        scope_cancel(&scope);
        (void)scope_join(&scope);
}

/* One round of the janitor. */
static inline void run_janitor(struct rig *r)
{
        struct scope scope;
        scope_open(&scope, r->host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "janitor", janitor_run, &r->node), ERR_OK);
        assert_int_equal(fiber_sleep(r->host->sched, 200), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
}

#define LIST_TEST(name)                         \
        static void test_##name(void **state)   \
        {                                       \
                (void)state;                    \
                with_texts(signed_texts, name); \
        }

#endif
