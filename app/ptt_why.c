/* SPDX-License-Identifier: ISC */
/* ptt why: the path of a message, at each list that it came to: what was found and decided when it arrived, where it is,
 * and the last reply for each recipient. */

#include "app/ptt_show.h"
#include "base/limits.h"
#include "list/why.h"
#include "store/walk.h"

#define TRACES_MAX 64 /* copies of one message that are told */

static struct str state_text(enum store_state state)
{
        switch (state) {
        case STORE_WAITING:
                return S("waits for a moderator");
        case STORE_OPEN:
                return S("waits for the signer");
        case STORE_SIGNED:
                return S("being delivered");
        case STORE_DONE:
                break;
        }
        return S("done");
}

/* Lines that list/why.h wrote; what does not fit was left out. */
static void put_lines(const struct wr *w)
{
        struct str rest = wr_text(w), line;
        while (rest.n > 0) {
                (void)str_cut(rest, '\n', &line, &rest);
                show_text(line);
                printf("\n");
        }
}

/* One recipient: what was said last, or that it is its turn or waits. */

static void why_result(struct show *s, const struct store_result *r)
{
        char text[WHY_LINE_MAX];
        struct wr w;
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "address", r->address);
                json_bool(s->json, "delivered", r->is_delivered);
                json_u64(s->json, "code", r->code);
                json_str(s->json, "reply", r->reply);
                json_time(s->json, "time", r->time_ms);
                json_close(s->json, '}');
                return;
        }
        struct why_result result = {r->address, r->is_delivered, r->code, r->reply, r->time_ms};
        wr_init(&w, text, sizeof text);
        why_result_write(&w, &result);
        put_lines(&w);
}

static enum err each_result(void *ctx, const struct store_result *row)
{
        why_result(ctx, row);
        return ERR_OK;
}

static void why_results(struct show *s, int64_t message)
{
        if (s->json != NULL)
                json_open(s->json, "results", '[');
        if (s->err == ERR_OK)
                s->err = store_walk_results(s->store, message, &s->page, each_result, s);
        if (s->json != NULL)
                json_close(s->json, ']');
}

/* One copy. */

static void why_json(struct show *s, const struct store_trace *t)
{
        struct str rest = t->text, line;
        json_str(s->json, "list", t->list_name);
        json_str(s->json, "domain", t->domain);
        json_u64(s->json, "id", (uint64_t)t->message);
        json_str(s->json, "message-id", t->message_id);
        json_str(s->json, "sender", t->sender);
        json_str(s->json, "state", state_text(t->state));
        json_bool(s->json, "held", t->is_held);
        json_time(s->json, "received", t->received_ms);
        json_u64(s->json, "left", t->left);
        json_open(s->json, "trace", '[');
        while (rest.n > 0) {
                (void)str_cut(rest, '\n', &line, &rest);
                json_str(s->json, NULL, line);
        }
        json_close(s->json, ']');
}

static void why_text(const struct store_trace *t)
{
        char text[WHY_HEAD_MAX], list[LIST_NAME_MAX + SMTP_DOMAIN_MAX + 1];
        struct wr w, at;
        wr_init(&at, list, sizeof list);
        wr_str(&at, t->list_name);
        if (t->list_name.n > 0)
                wr_byte(&at, '@');
        wr_str(&at, t->domain);
        struct why_message message = {.list = wr_text(&at),
                .message_id = t->message_id,
                .sender = t->sender,
                .state = t->is_held ? S("held by the operator") : state_text(t->state),
                .received_ms = t->received_ms,
                .left = t->left,
                .trace = t->text};
        wr_init(&w, text, sizeof text);
        why_head_write(&w, &message);
        put_lines(&w);
}

static void why_message(struct show *s, const struct store_trace *t)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                why_json(s, t);
        } else {
                why_text(t);
        }
        show_waiting(s, t->message, t->is_held, UINT64_MAX);
        why_results(s, t->message);
        if (s->json != NULL)
                json_close(s->json, '}');
}

/* Messages are kept by their ids as they stand in the header: in brackets. */
static enum err find(struct show *s, struct str id, struct store_trace **out, size_t *count)
{
        char text[MAIL_LINE_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (str_has_prefix(id, S("<"))) {
                wr_str(&w, id);
        } else {
                wr_byte(&w, '<');
                wr_str(&w, id);
                wr_byte(&w, '>');
        }
        *count = 0;
        return wr_end(&w) == ERR_OK ? store_traces(s->store, wr_text(&w), 0, TRACES_MAX, &s->page, out, count)
                                    : ERR_OK;
}

static int why_open(struct show *s, struct str id)
{
        struct store_trace *traces;
        size_t count, wanted = 0;
        s->err = find(s, id, &traces, &count);
        if (s->err != ERR_OK)
                return ptt_trouble(s->ptt, s->err);
        for (size_t i = 0; i < count; i++)
                wanted += show_is_wanted(s, traces[i].list_name, traces[i].domain);
        if (wanted == 0)
                return ptt_say(1, "nothing is known of that message (any more)", id);
        if (s->json != NULL)
                json_open(s->json, NULL, '[');
        for (size_t i = 0, shown = 0; i < count && s->err == ERR_OK; i++) {
                if (!show_is_wanted(s, traces[i].list_name, traces[i].domain))
                        continue;
                if (shown++ > 0 && s->json == NULL)
                        printf("\n");
                why_message(s, &traces[i]);
        }
        if (s->json != NULL)
                json_close(s->json, ']');
        return s->err == ERR_OK ? 0 : ptt_trouble(s->ptt, s->err);
}

int ptt_why(struct ptt *p)
{
        struct json json = {stdout, 0, true};
        struct show *s = arena_alloc(&p->arena, sizeof *s);
        if (s == NULL)
                return ptt_say(1, "out of memory", S(""));
        s->ptt = p;
        s->json = options_has(&p->options, "json") ? &json : NULL;
        arena_init(&s->page, s->memory, sizeof s->memory);
        if (p->options.arguments_count > 2)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[2]);
        int status = ptt_domain(p, true, &s->domain);
        if (status == 0)
                status = ptt_open(p, &s->store);
        if (status != 0)
                return status;
        status = why_open(s, p->options.arguments[1]);
        store_close(s->store);
        return status;
}
