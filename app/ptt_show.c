/* SPDX-License-Identifier: ISC */
/* ptt show, queue and bounces: lists with their settings, moderators and subscribers; the queue, and what is done to it;
 * failures. As text or as JSON, page by page, so that no list is too long. What peers said is shown without its control
 * characters. */
#include "app/ptt.h"

#include <inttypes.h>

#include "app/ptt_json.h"
#include "base/time_text.h"
#include "list/setting.h"
#include "store/delivery.h"

#define PAGE 256

struct show {
        struct ptt *ptt;
        struct store *store;
        struct str domain, name; /* empty: all */
        struct json *json;       /* NULL: text */
        struct arena page;       /* one page of rows */
        enum err err;
        char memory[2 * 1024 * 1024];
};

static bool is_wanted(const struct show *s, struct str name, struct str domain)
{
        return (s->domain.n == 0 || str_eq_nocase(s->domain, domain)) &&
               (s->name.n == 0 || str_eq_nocase(s->name, name));
}

/* Text. */

static void put(struct str s)
{
        ptt_text(stdout, s);
}

static void put_time(int64_t unix_ms)
{
        char text[32];
        struct wr w;
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, unix_ms);
        put(wr_text(&w));
}

static void put_address(struct str name, struct str domain)
{
        put(name);
        printf("%s", name.n > 0 ? "@" : "");
        put(domain);
}

static void put_reply(struct str reply)
{
        if (reply.n == 0)
                return;
        printf("  \"");
        put(reply);
        printf("\"");
}

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
                        put(value);
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
                        put(moderators[i]);
                        printf("\n");
                }
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

static void show_member(struct show *s, const struct store_member *m)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_u64(s->json, "id", (uint64_t)m->id);
                json_str(s->json, "address", m->address);
                json_time(s->json, "joined", m->joined_ms);
                json_close(s->json, '}');
        } else {
                printf("  subscriber      ");
                put(m->address);
                printf("\n");
        }
}

static void show_members(struct show *s, const struct store_list *list)
{
        int64_t after = 0;
        size_t count = PAGE;
        if (s->json != NULL)
                json_open(s->json, "subscribers", '[');
        while (s->err == ERR_OK && count == PAGE) {
                struct store_member *members;
                arena_reset(&s->page);
                s->err = store_members(s->store, list->id, after, PAGE, &s->page, &members, &count);
                for (size_t i = 0; i < count; i++) {
                        show_member(s, &members[i]);
                        after = members[i].id;
                }
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

static void show_list(struct show *s, const struct store_list *list)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "name", list->name);
                json_str(s->json, "domain", list->domain);
        } else {
                put_address(list->name, list->domain);
                printf("\n");
        }
        show_settings(s, list);
        show_moderators(s, list);
        show_members(s, list);
        if (s->json != NULL)
                json_close(s->json, '}');
}

static void show_lists(struct show *s, const struct store_list *lists, size_t count)
{
        if (s->json != NULL)
                json_open(s->json, "lists", '[');
        for (size_t i = 0; i < count && s->err == ERR_OK; i++)
                if (is_wanted(s, lists[i].name, lists[i].domain))
                        show_list(s, &lists[i]);
        if (s->json != NULL)
                json_close(s->json, ']');
}

/* The queue. */

static void show_waiting_row(struct show *s, const struct store_waiting *w)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "address", w->address);
                json_str(s->json, "state", w->in_flight ? S("in flight") : S("waiting"));
                json_u64(s->json, "attempts", w->attempts);
                if (!w->in_flight)
                        json_time(s->json, "next", w->next_ms);
                json_str(s->json, "reply", w->reply);
                json_close(s->json, '}');
        } else {
                printf("    ");
                put(w->address);
                printf("  tries %u", w->attempts);
                if (w->in_flight) {
                        printf("  in flight");
                } else if (w->next_ms > 0) {
                        printf("  next ");
                        put_time(w->next_ms);
                }
                put_reply(w->reply);
                printf("\n");
        }
}

static void show_waiting(struct show *s, int64_t message)
{
        int64_t after = 0;
        size_t count = PAGE;
        if (s->json != NULL)
                json_open(s->json, "waiting", '[');
        while (s->err == ERR_OK && count == PAGE) {
                struct store_waiting *rows;
                struct arena before = s->page; /* the message stands in it */
                s->err = store_queue_waiting(s->store, message, after, PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        show_waiting_row(s, &rows[i]);
                        after = rows[i].id;
                }
                s->page.used = before.used;
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

static void show_queued_json(struct json *j, const struct store_queued *q)
{
        json_u64(j, "id", (uint64_t)q->message);
        json_str(j, "list", q->list_name);
        json_str(j, "domain", q->domain);
        json_str(j, "message-id", q->message_id);
        json_str(j, "sender", q->sender);
        json_str(j, "state", q->is_signed ? S("signed") : S("open"));
        json_bool(j, "held", q->is_held);
        json_time(j, "received", q->received_ms);
        json_u64(j, "size", q->size);
        json_u64(j, "left", q->left);
}

static void show_queued_text(const struct store_queued *q)
{
        printf("  %" PRId64 " ", q->message);
        put_address(q->list_name, q->domain);
        printf("  %s%s  ", q->is_signed ? "signed" : "waits for the signer", q->is_held ? ", held" : "");
        put_time(q->received_ms);
        printf("  from <");
        put(q->sender);
        printf(">  ");
        put(q->message_id);
        printf("  %" PRIu64 " octets  %" PRIu64 " not begun\n", q->size, q->left);
}

static void show_queued(struct show *s, const struct store_queued *q)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                show_queued_json(s->json, q);
        } else {
                show_queued_text(q);
        }
        show_waiting(s, q->message);
        if (s->json != NULL)
                json_close(s->json, '}');
}

/* Opening and closing a part that has a title in text. */
static void part_open(struct show *s, const char *name)
{
        if (s->json != NULL)
                json_open(s->json, name, '[');
        else
                printf("%s:\n", name);
}

static void part_close(struct show *s, size_t shown)
{
        if (s->json != NULL)
                json_close(s->json, ']');
        else if (shown == 0)
                printf("  none\n");
}

static void show_queue(struct show *s)
{
        int64_t after = 0;
        size_t count = PAGE / 8, shown = 0;
        part_open(s, "queue");
        while (s->err == ERR_OK && count == PAGE / 8) {
                struct store_queued *rows;
                arena_reset(&s->page);
                s->err = store_queue(s->store, after, PAGE / 8, &s->page, &rows, &count);
                for (size_t i = 0; i < count && s->err == ERR_OK; i++) {
                        after = rows[i].message;
                        if (!is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_queued(s, &rows[i]);
                        shown++;
                }
        }
        part_close(s, shown);
}

/* Failures. */

static void show_failure(struct show *s, const struct store_failure *f)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "list", f->list_name);
                json_str(s->json, "domain", f->domain);
                json_str(s->json, "address", f->address);
                json_u64(s->json, "member", (uint64_t)f->member);
                json_u64(s->json, "message", (uint64_t)f->message);
                json_str(s->json, "message-id", f->message_id);
                json_time(s->json, "time", f->time_ms);
                json_u64(s->json, "code", f->code);
                json_str(s->json, "reply", f->reply);
                json_close(s->json, '}');
        } else {
                printf("  ");
                put_time(f->time_ms);
                printf("  ");
                put_address(f->list_name, f->domain);
                printf("  ");
                put(f->address);
                put_reply(f->reply);
                printf("\n");
        }
}

static void show_failures(struct show *s)
{
        int64_t after = 0;
        size_t count = PAGE, shown = 0;
        part_open(s, "failures");
        while (s->err == ERR_OK && count == PAGE) {
                struct store_failure *rows;
                arena_reset(&s->page);
                s->err = store_failures(s->store, after, PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        after = rows[i].id;
                        if (!is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_failure(s, &rows[i]);
                        shown++;
                }
        }
        part_close(s, shown);
}

/* All of it, or one part. */

enum part { LISTS = 1, QUEUE = 2, FAILURES = 4 };

static void show_parts(struct show *s, unsigned parts, const struct store_list *lists, size_t count)
{
        if (s->json != NULL)
                json_open(s->json, NULL, '{');
        if (parts & LISTS)
                show_lists(s, lists, count);
        if (parts & QUEUE)
                show_queue(s);
        if (parts & FAILURES)
                show_failures(s);
        if (s->json != NULL)
                json_close(s->json, '}');
}

static int show_open(struct show *s, unsigned parts)
{
        struct store_list *lists;
        size_t count, wanted = 0;
        enum err err = store_lists(s->store, s->domain, &s->ptt->arena, &lists, &count);
        if (err != ERR_OK)
                return ptt_trouble(s->ptt, err);
        for (size_t i = 0; i < count; i++)
                wanted += is_wanted(s, lists[i].name, lists[i].domain);
        if (s->name.n > 0 && wanted == 0)
                return ptt_say(1, "no list of that name", s->name);
        show_parts(s, parts, lists, count);
        return s->err == ERR_OK ? 0 : ptt_trouble(s->ptt, s->err);
}

/* The values of one option, each the number of a message. */
static int act(struct show *s, const char *option, enum err (*fn)(struct store *s, int64_t message))
{
        struct str text;
        for (size_t i = 0; options_nth(&s->ptt->options, option, i, &text); i++) {
                uint64_t id;
                if (str_to_u64(text, INT64_MAX, &id) != ERR_OK)
                        return ptt_say(EXIT_USAGE, "not the number of a message", text);
                enum err err = fn(s->store, (int64_t)id);
                if (err == ERR_NOT_FOUND)
                        return ptt_say(1, "no message of that number waits", text);
                if (err != ERR_OK)
                        return ptt_trouble(s->ptt, err);
        }
        return 0;
}

static int act_all(struct show *s)
{
        int status = act(s, "hold", store_queue_hold);
        if (status == 0)
                status = act(s, "flush", store_queue_flush);
        return status == 0 ? act(s, "drop", store_queue_drop) : status;
}

static int show(struct ptt *p, unsigned parts, bool may_act)
{
        struct json json = {stdout, 0, true};
        struct show *s = arena_alloc(&p->arena, sizeof *s);
        if (s == NULL)
                return ptt_say(1, "out of memory", S(""));
        s->ptt = p;
        s->json = options_has(&p->options, "json") ? &json : NULL;
        s->name = p->options.arguments_count > 1 ? p->options.arguments[1] : S("");
        arena_init(&s->page, s->memory, sizeof s->memory);
        if (p->options.arguments_count > 2)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[2]);
        bool acts = may_act && (options_has(&p->options, "hold") || options_has(&p->options, "flush") ||
                                       options_has(&p->options, "drop"));
        int status = ptt_domain(p, true, &s->domain);
        if (status == 0)
                status = ptt_open(p, &s->store);
        if (status != 0)
                return status;
        status = acts ? act_all(s) : show_open(s, parts);
        store_close(s->store);
        return status;
}

int ptt_show(struct ptt *p)
{
        return show(p, LISTS | QUEUE | FAILURES, false);
}

int ptt_queue(struct ptt *p)
{
        return show(p, QUEUE, true);
}

int ptt_bounces(struct ptt *p)
{
        return show(p, FAILURES, false);
}
