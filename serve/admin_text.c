/* SPDX-License-Identifier: ISC */
#include "serve/admin_text.h"

#include "base/time_text.h"
#include "list/queued.h"
#include "store/delivery.h"
#include "store/walk.h"

/* ---- lines ---- */

static void put_number(struct wr *w, const char *word, uint64_t value)
{
        wr_str(w, str_of_c(word));
        wr_u64(w, value);
        wr_byte(w, '\n');
}

static void put_trouble(struct wr *w, enum err e)
{
        wr_str(w, S("trouble with the store: "));
        wr_str(w, str_of_c(err_text(e)));
        wr_byte(w, '\n');
}

/* A section that does not fit is left out whole, and later ones are tried. */
static void forget_unfit(struct wr *w, const struct wr *before)
{
        if (w->full)
                *w = *before;
}

/* ---- the queue ---- */

static enum err put_counts(struct lipap *node, struct wr *w)
{
        struct store_backlog b;
        enum err e = store_backlog(node->store, &b);
        if (e != ERR_OK)
                return e;
        put_number(w, "messages that wait for a signer: ", b.open);
        put_number(w, "messages that wait for a moderator: ", b.held);
        put_number(w, "messages that are not done: ", b.messages);
        put_number(w, "deliveries that wait: ", b.waiting);
        if (b.oldest_ms > 0) {
                wr_str(w, S("oldest message: "));
                time_write_rfc3339(w, b.oldest_ms);
                wr_byte(w, '\n');
        }
        return ERR_OK;
}

static enum err put_destinations(struct lipap *node, struct arena *a, struct wr *w)
{
        struct arena before = *a;
        struct store_destination *list;
        size_t count;
        enum err e = store_queue_destinations(node->store, ADMIN_TEXT_DESTINATIONS, a, &list, &count);
        if (e == ERR_OK && count > 0)
                wr_str(w, S("\nBy destination and reply, worst first:\n"));
        for (size_t i = 0; e == ERR_OK && i < count; i++)
                queued_destination_write(w, &(struct queued_destination){.domain = list[i].domain,
                                                    .reply = list[i].reply,
                                                    .count = list[i].count,
                                                    .attempts = list[i].attempts,
                                                    .next_ms = list[i].next_ms});
        *a = before;
        return e;
}

struct messages {
        struct wr *w;
        size_t left;
};

static enum err put_message(void *ctx, const struct store_queued *row)
{
        struct messages *m = ctx;
        if (m->left == 0 || m->w->full)
                return ERR_EOF;
        m->left--;
        queued_message_write(m->w, &(struct queued_message){.id = row->message,
                                           .list = row->list_name,
                                           .domain = row->domain,
                                           .sender = row->sender,
                                           .message_id = row->message_id,
                                           .state = row->is_waiting  ? QUEUED_FOR_MODERATOR
                                                    : row->is_signed ? QUEUED_FOR_DELIVERY
                                                                     : QUEUED_FOR_SIGNER,
                                           .is_held = row->is_held,
                                           .received_ms = row->received_ms,
                                           .size = row->size,
                                           .left = row->left,
                                           .waiting = row->waiting,
                                           .trouble = row->trouble});
        return ERR_OK;
}

void admin_text_queue(struct lipap *node, struct arena *a, size_t rows, struct wr *w)
{
        struct messages messages = {w, rows};
        struct wr before = *w;
        enum err e = put_counts(node, w);
        if (e == ERR_OK)
                e = put_destinations(node, a, w);
        wr_str(w, S("\nMessages, oldest first:\n"));
        forget_unfit(w, &before);
        if (e == ERR_OK)
                e = store_walk_queue(node->store, a, put_message, &messages);
        if (e == ERR_EOF)
                wr_str(w, S("(more wait: ask for \"queue\" with a number)\n"));
        else if (e != ERR_OK)
                put_trouble(w, e);
        else if (messages.left == rows)
                wr_str(w, S("none\n"));
}

/* ---- how things stand ---- */

static void put_alarms(const struct lipap *node, struct wr *w)
{
        bool is_any = false;
        wr_str(w, S("alarms:"));
        for (int i = 0; i < ALARMS; i++) {
                if (!node->alarms[i])
                        continue;
                wr_byte(w, ' ');
                wr_str(w, alarm_name((enum alarm)i));
                is_any = true;
        }
        wr_str(w, is_any ? S("\n") : S(" none\n"));
}

void admin_text_status(struct lipap *node, struct wr *w)
{
        const struct lipap_stats *s = &node->stats;
        struct store_space space = store_space(node->store);
        wr_str(w, S("ptt " PTT_VERSION " at "));
        wr_str(w, node->hostname);
        wr_str(w, S(", "));
        time_write_rfc3339(w, host_wall_ms(node->host));
        wr_byte(w, '\n');
        put_alarms(node, w);
        wr_str(w, node->is_signer_away ? S("signers: none could be reached\n") : S("signers: at hand\n"));
        put_number(w, "SMTP sessions: ", node->gate.open);
        put_number(w, "spool, bytes used: ", space.used + space.reserved);
        put_number(w, "spool, bytes at most: ", space.share);
        wr_str(w, S("Since the start:\n"));
        put_number(w, "  taken in: ", s->accepted);
        put_number(w, "  signed: ", s->handed_over);
        put_number(w, "  tries to have one signed that failed: ", s->not_signed);
        put_number(w, "  delivered: ", s->delivered);
        put_number(w, "  put off: ", s->deferred);
        put_number(w, "  failed: ", s->failed);
        enum err e = put_counts(node, w);
        if (e != ERR_OK)
                put_trouble(w, e);
}
