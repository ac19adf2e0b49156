/* SPDX-License-Identifier: ISC */
#include "list/rewrite_internal.h"
#include "mail/build.h"

struct str rewrite_text(const struct rewrite_list *list, enum setting_id id)
{
        struct str text = list->settings->v[id];
        return str_eq(text, S("none")) ? S("") : text;
}

struct mail_address rewrite_address(const struct rewrite_list *list)
{
        return (struct mail_address){.local = list->name, .domain = list->domain};
}

static enum err build_route(
        struct wr *w, const struct rewrite_list *list, const char *field, const char *suffix)
{
        char room[SMTP_LOCAL_PART_MAX];
        struct wr local;
        wr_init(&local, room, sizeof room);
        wr_str(&local, list->name);
        wr_str(&local, str_of_c(suffix));
        if (local.full)
                return ERR_SYNTAX;
        struct mail_address address = {.local = wr_text(&local), .domain = list->domain};
        return mail_build_mailto(w, str_of_c(field), &address, S(""));
}

enum err rewrite_list_fields(struct wr *w, const struct rewrite_list *list)
{
        static const char *const routes[][2] = {{"List-Post", ""}, {"List-Help", "-help"},
                {"List-Subscribe", "-subscribe"}, {"List-Unsubscribe", "-unsubscribe"},
                {"List-Owner", "-owner"}};
        bool is_announce = setting_is(list->settings, SETTING_POSTING, S("announce"));
        size_t begin = w->n;
        enum err e = mail_build_list_id(w, rewrite_text(list, SETTING_DESCRIPTION), list->name, list->domain);
        if (e == ERR_OK && is_announce) /* RFC 2369 3.4 */
                e = mail_build_unstructured(w, S("List-Post"), S("NO"));
        for (size_t i = is_announce ? 1 : 0; e == ERR_OK && i < sizeof routes / sizeof routes[0]; i++)
                e = build_route(w, list, routes[i][0], routes[i][1]);
        if (e != ERR_OK)
                w->n = begin;
        return e;
}
