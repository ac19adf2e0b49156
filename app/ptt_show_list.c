/* SPDX-License-Identifier: ISC */
/* ptt show: the lists, and what waits at them. */
#include <inttypes.h>
#include <string.h>

#include "app/ptt_show.h"
#include "list/decide.h"
#include "list/setting.h"
#include "store/requests.h"
#include "store/walk.h"

#define REQUESTS_PAGE 16 /* each may have STORE_DATA_MAX bytes of data */

/* Lists. */

static void show_settings(struct show *s, const struct store_list *list)
{
        if (s->json != NULL)
                json_open(s->json, "settings", '{');
        for (const struct setting *t = settings; t->name != NULL; t++) {
                struct str value = store_list_setting(list, str_of_c(t->name), str_of_c(t->standard));
                if (s->json != NULL) {
                        json_str(s->json, t->name, value);
                } else {
                        printf("  %-15s ", t->name);
                        show_text(value);
                        printf("\n");
                }
        }
        if (s->json != NULL)
                json_close(s->json, '}');
}

static void show_moderators(struct show *s, const struct store_list *list)
{
        struct str *moderators;
        size_t count;
        arena_reset(&s->page);
        s->err = store_moderators(s->store, list->id, &s->page, &moderators, &count);
        if (s->json != NULL)
                json_open(s->json, "moderators", '[');
        for (size_t i = 0; i < count; i++) {
                if (s->json != NULL) {
                        json_str(s->json, NULL, moderators[i]);
                } else {
                        printf("  moderator       ");
                        show_text(moderators[i]);
                        printf("\n");
                }
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

static void show_member(struct show *s, const struct store_member *m)
{
        bool is_nomail = (m->options & STORE_NOMAIL) != 0, no_own = (m->options & STORE_NO_OWN) != 0;
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_u64(s->json, "id", (uint64_t)m->id);
                json_str(s->json, "address", m->address);
                json_time(s->json, "joined", m->joined_ms);
                json_bool(s->json, "nomail", is_nomail);
                json_bool(s->json, "own-posts", !no_own);
                json_bool(s->json, "accepted", (m->options & STORE_ACCEPTED) != 0);
                json_close(s->json, '}');
        } else {
                printf("  subscriber      ");
                show_text(m->address);
                printf("%s%s\n", is_nomail ? "  nomail" : "", no_own ? "  no own posts" : "");
        }
}

static enum err each_member(void *ctx, const struct store_member *row)
{
        show_member(ctx, row);
        return ERR_OK;
}

static void show_members(struct show *s, const struct store_list *list)
{
        if (s->json != NULL)
                json_open(s->json, "subscribers", '[');
        if (s->err == ERR_OK)
                s->err = store_walk_members(s->store, list->id, &s->page, each_member, s);
        if (s->json != NULL)
                json_close(s->json, ']');
}

static void show_ban(struct show *s, const struct store_ban *b)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "address", b->address);
                json_str(s->json, "by", b->by);
                json_time(s->json, "made", b->made_ms);
                if (b->until_ms > 0)
                        json_time(s->json, "until", b->until_ms);
                json_close(s->json, '}');
        } else {
                printf("  banned          ");
                show_text(b->address);
                printf("\n");
        }
}

static void show_bans(struct show *s, const struct store_list *list)
{
        char last[PTT_EMAIL_MAX];
        struct str after = S("");
        size_t count = SHOW_PAGE;
        if (s->json != NULL)
                json_open(s->json, "bans", '[');
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_ban *bans;
                arena_reset(&s->page);
                s->err = store_bans(s->store, list->id, after, SHOW_PAGE, &s->page, &bans, &count);
                for (size_t i = 0; i < count; i++)
                        show_ban(s, &bans[i]);
                if (count > 0) {
                        after = str_take(bans[count - 1].address, sizeof last);
                        memcpy(last, after.p, after.n);
                        after.p = last;
                }
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

void show_list(struct show *s, const struct store_list *list)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "name", list->name);
                json_str(s->json, "domain", list->domain);
        } else {
                show_address(list->name, list->domain);
                printf("\n");
        }
        show_settings(s, list);
        show_moderators(s, list);
        show_members(s, list);
        show_bans(s, list);
        if (s->json != NULL)
                json_close(s->json, '}');
}

/* One list alone. */
enum err ptt_list_json(struct ptt *p, struct store *store, const struct store_list *list, FILE *to)
{
        struct json json = {to, 0, true};
        struct show *s = arena_alloc(&p->arena, sizeof *s);
        if (s == NULL)
                return ERR_MEMORY;
        s->ptt = p;
        s->store = store;
        s->json = &json;
        arena_init(&s->page, s->memory, sizeof s->memory);
        show_list(s, list);
        return s->err;
}

/* Requests. */

static struct str purpose_text(unsigned purpose)
{
        switch (purpose) {
        case REQUEST_JOIN_CONFIRM:
                return S("join, to be confirmed");
        case REQUEST_JOIN_DECIDE:
                return S("join, to be decided");
        case REQUEST_CHANGE_CONFIRM:
                return S("change, to be confirmed");
        case REQUEST_POST:
                return S("held post");
        default:
                return S("unknown");
        }
}

static void show_request(struct show *s, const struct store_request *r)
{
        struct str purpose = purpose_text(r->purpose);
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_u64(s->json, "id", (uint64_t)r->id);
                json_str(s->json, "list", r->list_name);
                json_str(s->json, "domain", r->domain);
                json_str(s->json, "purpose", purpose);
                json_str(s->json, "address", r->address);
                json_time(s->json, "made", r->made_ms);
                if (r->message > 0)
                        json_u64(s->json, "message", (uint64_t)r->message);
                json_close(s->json, '}');
                return;
        }
        printf("  ");
        show_time(r->made_ms);
        printf("  ");
        show_address(r->list_name, r->domain);
        printf("  ");
        show_text(r->address);
        printf("  ");
        show_text(purpose);
        if (r->message > 0)
                printf(", message %" PRId64, r->message);
        printf("\n");
}

void show_requests(struct show *s)
{
        int64_t after = 0;
        size_t count = REQUESTS_PAGE, shown = 0;
        show_open_part(s, "requests");
        while (s->err == ERR_OK && count == REQUESTS_PAGE) {
                struct store_request *rows;
                arena_reset(&s->page);
                s->err = store_requests(s->store, 0, after, REQUESTS_PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        after = rows[i].id;
                        if (!show_is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_request(s, &rows[i]);
                        shown++;
                }
        }
        show_close_part(s, shown);
}
