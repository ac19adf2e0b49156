/* SPDX-License-Identifier: ISC */
#include "list/queued.h"

#include "auth/field.h"
#include "base/time_text.h"
#include "list/said.h"

#define WORD_MAX 320  /* of a name or an address */
#define REPLY_MAX 600 /* of a reply */

static void put(struct wr *w, struct str text)
{
        field_write_clean(w, str_take(text, str_find_byte(text, '\n')), WORD_MAX);
}

static void put_quoted(struct wr *w, struct str reply)
{
        wr_str(w, S("\""));
        said_write(w, reply, REPLY_MAX);
        wr_str(w, S("\""));
}

static void put_count(struct wr *w, struct str before, uint64_t n, struct str after)
{
        wr_str(w, before);
        wr_u64(w, n);
        wr_str(w, after);
}

static void put_next(struct wr *w, int64_t next_ms)
{
        if (next_ms <= 0) {
                wr_str(w, S("next at once"));
                return;
        }
        wr_str(w, S("next "));
        time_write_rfc3339(w, next_ms);
}

struct str queued_reason(const struct queued_message *m)
{
        static const struct str reasons[] = {
                [QUEUED_FOR_MODERATOR] = {"moderator", 9},
                [QUEUED_FOR_SIGNER] = {"signer", 6},
                [QUEUED_FOR_DELIVERY] = {"delivery", 8},
        };
        return m->is_held ? S("held") : reasons[m->state];
}

void queued_reason_write(struct wr *w, const struct queued_message *m)
{
        if (m->is_held)
                wr_str(w, S("held by the operator; "));
        switch (m->state) {
        case QUEUED_FOR_MODERATOR:
                wr_str(w, S("waits for a moderator"));
                return;
        case QUEUED_FOR_SIGNER:
                wr_str(w, S("waits for the signer"));
                if (m->trouble.n > 0) {
                        wr_str(w, S(", last trouble "));
                        put_quoted(w, m->trouble);
                }
                return;
        case QUEUED_FOR_DELIVERY:
                put_count(w, S(""), m->left, S(" not begun, "));
                put_count(w, S(""), m->waiting, S(" in flight or put off"));
                return;
        }
}

void queued_message_write(struct wr *w, const struct queued_message *m)
{
        struct wr undo = *w;
        wr_u64(w, (uint64_t)m->id);
        wr_byte(w, ' ');
        put(w, m->list);
        wr_str(w, m->list.n > 0 ? S("@") : S(""));
        put(w, m->domain);
        wr_str(w, S("  since "));
        time_write_rfc3339(w, m->received_ms);
        wr_str(w, S("  from <"));
        put(w, m->sender);
        wr_str(w, S(">  "));
        put(w, m->message_id);
        put_count(w, S("  "), m->size, S(" octets\n    "));
        queued_reason_write(w, m);
        wr_byte(w, '\n');
        if (w->full)
                *w = undo;
}

void queued_delivery_write(struct wr *w, const struct queued_delivery *d)
{
        struct wr undo = *w;
        put(w, d->address);
        put_count(w, S("  tries "), d->attempts, S("  "));
        if (d->in_flight)
                wr_str(w, S("in flight"));
        else if (d->is_held)
                wr_str(w, S("held"));
        else
                put_next(w, d->next_ms);
        if (d->reply.n > 0) {
                wr_str(w, S("  "));
                put_quoted(w, d->reply);
        }
        wr_byte(w, '\n');
        if (w->full)
                *w = undo;
}

void queued_destination_write(struct wr *w, const struct queued_destination *d)
{
        struct wr undo = *w;
        put_count(w, S(""), d->count, S(" for "));
        put(w, d->domain);
        put_count(w, S("  tries up to "), d->attempts, S("  "));
        put_next(w, d->next_ms);
        wr_str(w, S("  "));
        if (d->reply.n > 0)
                put_quoted(w, d->reply);
        else
                wr_str(w, S("no reply yet"));
        wr_byte(w, '\n');
        if (w->full)
                *w = undo;
}
