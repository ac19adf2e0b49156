/* SPDX-License-Identifier: ISC */
/* ptt show, queue and bounces: lists with their settings, moderators and subscribers; the queue, and what is done to it;
 * failures (ptt_bounces.c). As text or as JSON, page by page, so that no list is too long. What peers said is shown without its control
 * characters. */
#include "app/ptt_show.h"

#include <inttypes.h>

#include "base/time_text.h"
#include "store/delivery.h"

bool show_is_wanted(const struct show *s, struct str name, struct str domain)
{
        return (s->domain.n == 0 || str_eq_nocase(s->domain, domain)) &&
               (s->name.n == 0 || str_eq_nocase(s->name, name));
}

/* Text. */

void show_text(struct str s)
{
        ptt_text(stdout, s);
}

void show_time(int64_t unix_ms)
{
        char text[32];
        struct wr w;
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, unix_ms);
        show_text(wr_text(&w));
}

void show_address(struct str name, struct str domain)
{
        show_text(name);
        printf("%s", name.n > 0 ? "@" : "");
        show_text(domain);
}

static void put_reply(struct str reply)
{
        if (reply.n == 0)
                return;
        printf("  \"");
        show_text(reply);
        printf("\"");
}

static void show_lists(struct show *s, const struct store_list *lists, size_t count)
{
        if (s->json != NULL)
                json_open(s->json, "lists", '[');
        for (size_t i = 0; i < count && s->err == ERR_OK; i++)
                if (show_is_wanted(s, lists[i].name, lists[i].domain))
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
                show_text(w->address);
                printf("  tries %u", w->attempts);
                if (w->in_flight) {
                        printf("  in flight");
                } else if (w->next_ms > 0) {
                        printf("  next ");
                        show_time(w->next_ms);
                }
                put_reply(w->reply);
                printf("\n");
        }
}

void show_waiting(struct show *s, int64_t message)
{
        int64_t after = 0;
        size_t count = SHOW_PAGE;
        if (s->json != NULL)
                json_open(s->json, "waiting", '[');
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_waiting *rows;
                struct arena before = s->page; /* the message stands in it */
                s->err = store_queue_waiting(s->store, message, after, SHOW_PAGE, &s->page, &rows, &count);
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
        show_address(q->list_name, q->domain);
        printf("  %s%s  ", q->is_signed ? "signed" : "waits for the signer", q->is_held ? ", held" : "");
        show_time(q->received_ms);
        printf("  from <");
        show_text(q->sender);
        printf(">  ");
        show_text(q->message_id);
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
void show_open_part(struct show *s, const char *name)
{
        if (s->json != NULL)
                json_open(s->json, name, '[');
        else
                printf("%s:\n", name);
}

void show_close_part(struct show *s, size_t shown)
{
        if (s->json != NULL)
                json_close(s->json, ']');
        else if (shown == 0)
                printf("  none\n");
}

static void show_queue(struct show *s)
{
        int64_t after = 0;
        size_t count = SHOW_PAGE / 8, shown = 0;
        show_open_part(s, "queue");
        while (s->err == ERR_OK && count == SHOW_PAGE / 8) {
                struct store_queued *rows;
                arena_reset(&s->page);
                s->err = store_queue(s->store, after, SHOW_PAGE / 8, &s->page, &rows, &count);
                for (size_t i = 0; i < count && s->err == ERR_OK; i++) {
                        after = rows[i].message;
                        if (!show_is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_queued(s, &rows[i]);
                        shown++;
                }
        }
        show_close_part(s, shown);
}

/* All of it, or one part. */

enum part { LISTS = 1, REQUESTS = 2, QUEUE = 4, FAILURES = 8 };

static void show_parts(struct show *s, unsigned parts, const struct store_list *lists, size_t count)
{
        if (s->json != NULL)
                json_open(s->json, NULL, '{');
        if (parts & LISTS)
                show_lists(s, lists, count);
        if (parts & REQUESTS)
                show_requests(s);
        if (parts & QUEUE)
                show_queue(s);
        if (parts & FAILURES)
                show_bounces(s);
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
                wanted += show_is_wanted(s, lists[i].name, lists[i].domain);
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
        struct str who;
        if (acts)
                status = act_all(s);
        else
                status = parts == FAILURES && options_value(&p->options, "of", &who) ? show_bounce(s, who)
                                                                                     : show_open(s, parts);
        store_close(s->store);
        return status;
}

int ptt_show(struct ptt *p)
{
        return show(p, LISTS | REQUESTS | QUEUE | FAILURES, false);
}

int ptt_queue(struct ptt *p)
{
        return show(p, QUEUE, true);
}

int ptt_bounces(struct ptt *p)
{
        return show(p, FAILURES, false);
}
