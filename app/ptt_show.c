/* SPDX-License-Identifier: ISC */
/* ptt show, queue and bounces: lists with their settings, moderators and subscribers; the queue (ptt_queue.c); failures
 * (ptt_bounces.c). As text or as JSON, page by page, so that no list is too long. What peers said is shown without its
 * control characters. */
#include "app/ptt_show.h"

#include "base/time_text.h"

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

/* All of it, or one part. */

enum part { LISTS = 1, REQUESTS = 2, QUEUE = 4, FAILURES = 8, DESTINATIONS = 16 };

static void show_parts(struct show *s, unsigned parts, const struct store_list *lists, size_t count)
{
        if (s->json != NULL)
                json_open(s->json, NULL, '{');
        if (parts & LISTS)
                show_lists(s, lists, count);
        if (parts & REQUESTS)
                show_requests(s);
        if (parts & DESTINATIONS)
                show_destinations(s);
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
                status = queue_act(s);
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
        return show(p, QUEUE | DESTINATIONS, true);
}

int ptt_bounces(struct ptt *p)
{
        return show(p, FAILURES, false);
}
