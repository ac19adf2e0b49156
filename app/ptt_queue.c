/* SPDX-License-Identifier: ISC */
/* The queue: what waits and why, by destination and by message; and what the operator does to it. */
#include "app/ptt_show.h"
#include "list/queued.h"
#include "store/walk.h"

#define RECIPIENTS_MAX 20   /* of one message, shown as text; JSON has all */
#define DESTINATIONS_MAX 50 /* shown */

/* One that list/queued.h wrote, without its end. */
static void put_line(const char *before, struct str line)
{
        printf("%s", before);
        show_text(str_trim(line));
        printf("\n");
}

/* Recipients. */

struct recipients {
        struct show *show;
        bool is_held;
        uint64_t left; /* that are still to be shown */
};

static void recipient_text(const struct recipients *r, const struct store_waiting *row)
{
        const struct queued_delivery d = {.address = row->address,
                .reply = row->reply,
                .attempts = row->attempts,
                .is_held = r->is_held,
                .in_flight = row->in_flight,
                .next_ms = row->next_ms};
        char text[QUEUED_LINE_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        queued_delivery_write(&w, &d);
        put_line("    ", wr_text(&w));
}

static void recipient_json(struct json *j, const struct store_waiting *row)
{
        json_open(j, NULL, '{');
        json_str(j, "address", row->address);
        json_str(j, "state", row->in_flight ? S("in flight") : S("waiting"));
        json_u64(j, "attempts", row->attempts);
        if (!row->in_flight)
                json_time(j, "next", row->next_ms);
        json_str(j, "reply", row->reply);
        json_close(j, '}');
}

static enum err each_recipient(void *ctx, const struct store_waiting *row)
{
        struct recipients *r = ctx;
        if (r->show->json != NULL)
                recipient_json(r->show->json, row);
        else if (r->left == 0)
                return ERR_EOF;
        else
                recipient_text(r, row);
        r->left -= r->left > 0;
        return ERR_OK;
}

void show_waiting(struct show *s, int64_t message, bool is_held, uint64_t most)
{
        struct recipients r = {s, is_held, most};
        if (s->json != NULL)
                json_open(s->json, "waiting", '[');
        if (s->err == ERR_OK)
                s->err = store_walk_waiting(s->store, message, &s->page, each_recipient, &r);
        if (s->err == ERR_EOF) {
                printf("    and others: --json shows all\n");
                s->err = ERR_OK;
        }
        if (s->json != NULL)
                json_close(s->json, ']');
}

/* Messages. */

static struct queued_message message_of(const struct store_queued *q)
{
        return (struct queued_message){.id = q->message,
                .list = q->list_name,
                .domain = q->domain,
                .sender = q->sender,
                .message_id = q->message_id,
                .state = q->is_waiting  ? QUEUED_FOR_MODERATOR
                         : q->is_signed ? QUEUED_FOR_DELIVERY
                                        : QUEUED_FOR_SIGNER,
                .is_held = q->is_held,
                .received_ms = q->received_ms,
                .size = q->size,
                .left = q->left,
                .waiting = q->waiting,
                .trouble = q->trouble};
}

static void message_json(struct json *j, const struct store_queued *q)
{
        const struct queued_message m = message_of(q);
        json_u64(j, "id", (uint64_t)q->message);
        json_str(j, "list", q->list_name);
        json_str(j, "domain", q->domain);
        json_str(j, "message-id", q->message_id);
        json_str(j, "sender", q->sender);
        json_str(j, "state", q->is_waiting ? S("waiting") : q->is_signed ? S("signed") : S("open"));
        json_str(j, "reason", queued_reason(&m));
        json_str(j, "trouble", q->trouble);
        json_bool(j, "held", q->is_held);
        json_time(j, "received", q->received_ms);
        json_u64(j, "size", q->size);
        json_u64(j, "left", q->left);
}

static void message_text(const struct store_queued *q)
{
        const struct queued_message m = message_of(q);
        char text[QUEUED_LINE_MAX];
        struct wr w;
        struct str first, second;
        wr_init(&w, text, sizeof text);
        queued_message_write(&w, &m);
        (void)str_cut(wr_text(&w), '\n', &first, &second);
        put_line("  ", first);
        put_line("    ", second);
}

static enum err each_message(void *ctx, const struct store_queued *q)
{
        struct show *s = ctx;
        if (!show_is_wanted(s, q->list_name, q->domain))
                return ERR_OK;
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                message_json(s->json, q);
        } else {
                message_text(q);
        }
        show_waiting(s, q->message, q->is_held, RECIPIENTS_MAX);
        if (s->json != NULL)
                json_close(s->json, '}');
        s->shown++;
        return s->err;
}

void show_queue(struct show *s)
{
        show_open_part(s, "queue");
        s->shown = 0;
        if (s->err == ERR_OK)
                s->err = store_walk_queue(s->store, &s->page, each_message, s);
        show_close_part(s, s->shown);
}

/* Destinations. */

static void destination_text(const struct store_destination *d)
{
        const struct queued_destination of = {.domain = d->domain,
                .reply = d->reply,
                .count = d->count,
                .attempts = d->attempts,
                .next_ms = d->next_ms};
        char text[QUEUED_LINE_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        queued_destination_write(&w, &of);
        put_line("  ", wr_text(&w));
}

static void destination_json(struct json *j, const struct store_destination *d)
{
        json_open(j, NULL, '{');
        json_str(j, "domain", d->domain);
        json_u64(j, "deliveries", d->count);
        json_u64(j, "attempts", d->attempts);
        json_time(j, "next", d->next_ms);
        json_str(j, "reply", d->reply);
        json_close(j, '}');
}

void show_destinations(struct show *s)
{
        struct store_destination *list;
        struct arena before = s->page;
        size_t count = 0;
        if (s->domain.n > 0 || s->name.n > 0)
                return;
        show_open_part(s, "destinations");
        if (s->err == ERR_OK)
                s->err = store_queue_destinations(s->store, DESTINATIONS_MAX, &s->page, &list, &count);
        for (size_t i = 0; s->err == ERR_OK && i < count; i++)
                if (s->json != NULL)
                        destination_json(s->json, &list[i]);
                else
                        destination_text(&list[i]);
        s->page = before;
        show_close_part(s, count);
}

/* What is done to it. */

typedef enum err act_fn(struct store *s, int64_t message);

static int act_on(struct show *s, struct str text, act_fn *fn)
{
        uint64_t id;
        if (str_to_u64(text, INT64_MAX, &id) != ERR_OK)
                return ptt_say(EXIT_USAGE, "not the number of a message", text);
        enum err err = fn(s->store, (int64_t)id);
        if (err == ERR_NOT_FOUND)
                return ptt_say(1, "no message of that number waits", text);
        return err == ERR_OK ? 0 : ptt_trouble(s->ptt, err);
}

static int flush_all(struct show *s)
{
        uint64_t count;
        enum err err = store_queue_flush_all(s->store, &count);
        return err == ERR_OK ? 0 : ptt_trouble(s->ptt, err);
}

/* The values of one option, each the number of a message; "all" for --flush. */
static int act(struct show *s, const char *option, act_fn *fn)
{
        struct str text;
        int status = 0;
        for (size_t i = 0; status == 0 && options_nth(&s->ptt->options, option, i, &text); i++)
                status = fn == store_queue_flush && str_eq_nocase(text, S("all")) ? flush_all(s)
                                                                                  : act_on(s, text, fn);
        return status;
}

int queue_act(struct show *s)
{
        int status = act(s, "hold", store_queue_hold);
        if (status == 0)
                status = act(s, "flush", store_queue_flush);
        return status == 0 ? act(s, "drop", store_queue_drop) : status;
}
