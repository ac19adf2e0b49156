/* SPDX-License-Identifier: ISC */
/* A mail to admin-request@. The admin's commands are done in one change of the store, together with the answer that tells
 * how each ended. As the answer has to lie on disk before its row, the change is rehearsed first: done, and undone. Its
 * outcomes are what the answer says; they are the same when it is done for good, or all is begun anew. On a full disk, where
 * the admin is needed most, what makes room is done without an answer. */
#include <stdlib.h>

#include "auth/field.h"
#include "host/log.h"
#include "list/admin.h"
#include "list/command.h"
#include "mail/automatic.h"
#include "serve/admin_mail.h"
#include "serve/admin_text.h"
#include "serve/arrival.h"
#include "serve/text_in.h"
#include "store/alarm.h"
#include "store/delivery.h"

#define TRIES_MAX 5 /* at a queue that changes meanwhile */
#define SUBJECT_MAX 200

struct admin_in {
        struct arrival arrival;
        struct text_in text;
};

/* What obeying needs, for as long as it takes. */
struct work {
        struct lipap *node;
        struct str message_id;
        struct admin_commands commands;
        enum admin_outcome outcomes[ADMIN_COMMANDS_MAX]; /* of the rehearsal */
        bool is_rehearsal, was_obeyed, is_change, is_answered;
        struct admin_letter *answer; /* NULL: there is no room for one */
        size_t answer_n;
        struct arena arena;
        char commands_text[COMMAND_TEXT_MAX];
        char answer_text[ADMIN_MAIL_TEXT_MAX];
        char memory[ADMIN_TEXT_ARENA];
};

/* ---- the message comes ---- */

static struct smtp_reply check(const struct arrival *a)
{
        if (mail_is_automatic(a->envelope->sender, &a->index))
                return smtp_reply_of(550, 7, 1, S("automatic mail is not obeyed"));
        return (struct smtp_reply){0};
}

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct admin_in *c = malloc(sizeof *c);
        *state = c;
        if (!c)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        c->text = (struct text_in){0};
        arrival_begin(&c->arrival, envelope, check);
        return smtp_reply_plain(354, S("go ahead, end with a dot on a line of its own"));
}

static void body(void *state, struct str bytes)
{
        struct admin_in *c = state;
        if (arrival_got(&c->arrival, &bytes) && c->arrival.is_evaluating)
                text_in_begin(&c->text, arrival_header(&c->arrival));
        if (bytes.n == 0 || !c->arrival.is_evaluating)
                return;
        evaluation_body(&c->arrival.evaluation, bytes);
        text_in_got(&c->text, bytes);
}

static void drop(void *state)
{
        struct admin_in *c = state;
        arrival_drop(&c->arrival);
        text_in_drop(&c->text);
        free(c);
}

/* ---- obeying ---- */

static enum err run(struct store *s, const struct admin_command *c)
{
        uint64_t count;
        switch (c->kind) {
        case ADMIN_FLUSH:
                return c->message == 0 ? store_queue_flush_all(s, &count) : store_queue_flush(s, c->message);
        case ADMIN_HOLD:
                return store_queue_hold(s, c->message);
        case ADMIN_DROP:
                return store_queue_drop(s, c->message);
        default:
                return ERR_OK;
        }
}

/* All that are not held were flushed before, by the same mail: once more would change nothing. */
static bool is_flushed(const struct admin_commands *all, size_t nth)
{
        const struct admin_command *c = &all->list[nth];
        bool is_known = false;
        for (size_t i = 0; i < nth && c->kind == ADMIN_FLUSH && c->message == 0; i++)
                is_known = is_known || (all->list[i].kind == ADMIN_FLUSH && all->list[i].message == 0);
        return is_known;
}

static enum err run_all(struct store *s, struct work *k)
{
        for (size_t i = 0; i < k->commands.count; i++) {
                const struct admin_command *c = &k->commands.list[i];
                enum err e = is_flushed(&k->commands, i) ? ERR_OK : run(s, c);
                enum admin_outcome outcome = c->kind == ADMIN_WRONG ? ADMIN_NOT_UNDERSTOOD
                                             : e == ERR_OK          ? ADMIN_DONE
                                                                    : ADMIN_NO_MESSAGE;
                if (e != ERR_OK && e != ERR_NOT_FOUND)
                        return e;
                if (k->is_rehearsal)
                        k->outcomes[i] = outcome;
                else if (k->outcomes[i] != outcome)
                        return ERR_AGAIN; /* the answer would be wrong */
        }
        return ERR_OK;
}

/* ---- the answer, and the change ---- */

/* The most that any `queue` asks for. */
static size_t rows_asked(const struct admin_commands *all)
{
        size_t rows = 0;
        for (size_t i = 0; i < all->count; i++)
                if (all->list[i].kind == ADMIN_QUEUE && all->list[i].rows > rows)
                        rows = all->list[i].rows;
        return rows;
}

/* Each view once, however often it is asked for: it would show the same, and walking the queue takes its time. */
static void write_views(struct work *k, struct wr *w)
{
        bool is_shown[ADMIN_WRONG + 1] = {false};
        for (size_t i = 0; i < k->commands.count; i++) {
                enum admin_kind kind = k->commands.list[i].kind;
                if (is_shown[kind] || (kind != ADMIN_QUEUE && kind != ADMIN_STATUS && kind != ADMIN_HELP))
                        continue;
                is_shown[kind] = true;
                wr_byte(w, '\n');
                if (kind == ADMIN_QUEUE)
                        admin_text_queue(k->node, &k->arena, rows_asked(&k->commands), w);
                else if (kind == ADMIN_STATUS)
                        admin_text_status(k->node, w);
                else
                        admin_help_write(w);
        }
}

static void write_text(struct work *k)
{
        struct wr w;
        wr_init(&w, k->answer_text, sizeof k->answer_text);
        for (size_t i = 0; i < k->commands.count; i++)
                admin_outcome_write(&w, &k->commands.list[i], k->outcomes[i]);
        if (k->commands.is_cut)
                wr_str(&w, S("more commands than one mail may have: the others were not looked at\n"));
        write_views(k, &w);
        k->answer_n = wr_text(&w).n;
}

static enum err write_answer(struct work *k, struct str subject)
{
        char title[SUBJECT_MAX];
        struct wr s;
        wr_init(&s, title, sizeof title);
        wr_str(&s, S("Re: "));
        field_write_clean(&s, subject, SUBJECT_MAX - 8);
        struct admin_mail mail = {.subject = subject.n > 0 ? wr_text(&s) : S("Re: your commands"),
                .text = str_of(k->answer_text, k->answer_n),
                .answers = k->message_id,
                .is_unsigned = admin_mail_goes_unsigned(k->node)};
        return admin_mail_write(k->node, &mail, &k->answer);
}

static enum err change(struct store *s, void *ctx)
{
        struct work *k = ctx;
        enum err e = store_order_add(s, k->message_id, host_wall_ms(k->node->host));
        k->was_obeyed = e == ERR_EXISTS;
        if (e == ERR_OK)
                e = run_all(s, k);
        if (e == ERR_OK && k->is_rehearsal) {
                write_text(k);    /* the queue as it will be */
                return ERR_AGAIN; /* so that it is undone */
        }
        return e == ERR_OK && k->answer ? admin_mail_add(k->answer) : e;
}

static bool changes(const struct admin_command *c)
{
        return c->kind == ADMIN_FLUSH || c->kind == ADMIN_HOLD || c->kind == ADMIN_DROP;
}

/* ---- who asks, and what follows ---- */

static enum err obey_once(struct work *k, struct str subject)
{
        k->is_rehearsal = true;
        enum err e = store_together(k->node->store, change, k);
        if (e != ERR_AGAIN)
                return e;
        e = write_answer(k, subject);
        if (e != ERR_OK && (e != ERR_FULL || !k->is_change))
                return e;
        k->is_rehearsal = false;
        k->is_answered = k->answer != NULL;
        e = store_together(k->node->store, change, k);
        if (k->is_answered)
                admin_mail_end(k->answer, e == ERR_OK);
        return e;
}

static struct smtp_reply obey(struct work *k, struct str subject)
{
        enum err e = ERR_AGAIN;
        for (size_t i = 0; i < k->commands.count; i++)
                k->is_change = k->is_change || changes(&k->commands.list[i]);
        if (k->is_change) /* what becomes due must find no rest */
                lipap_queue_changed(k->node);
        for (int i = 0; i < TRIES_MAX && e == ERR_AGAIN; i++)
                e = obey_once(k, subject);
        if (k->was_obeyed)
                return smtp_reply_of(250, 0, 0, S("this mail was obeyed before, nothing was done again"));
        if (e == ERR_AGAIN)
                return smtp_reply_of(451, 3, 0, S("the queue changes too fast, try again later"));
        if (e != ERR_OK)
                return inbound_store_trouble(k->node, e);
        if (k->is_change)
                lipap_queue_changed(k->node);
        return smtp_reply_of(250, 0, 0,
                k->is_answered ? S("done, an answer follows")
                               : S("done as far as could be, but there is no room for an answer"));
}

static struct smtp_reply read_and_obey(struct admin_in *c, struct work *k)
{
        const struct arrival *a = &c->arrival;
        struct lipap *node = a->envelope->node;
        struct wr text;
        enum admin_verdict verdict = admin_judge(&a->evaluation.evaluate, &a->index, a->envelope->recipient,
                node->admin, host_wall_ms(node->host) / 1000, &k->message_id);
        if (verdict == ADMIN_UNPROVEN)
                return arrival_refuse_unproven(a);
        if (verdict != ADMIN_HEARD && verdict != ADMIN_SUBJECT_ONLY)
                return smtp_reply_of(550, 7, 1, admin_verdict_text(verdict));
        k->node = node;
        arena_init(&k->arena, k->memory, sizeof k->memory);
        wr_init(&text, k->commands_text, sizeof k->commands_text);
        if (verdict == ADMIN_HEARD)
                text_in_read(&c->text, &text);
        struct str subject = text_in_subject(&a->index, a->envelope->arena);
        admin_commands_read(subject, wr_text(&text), &k->commands);
        if (verdict == ADMIN_SUBJECT_ONLY && (subject.n == 0 || k->commands.list[0].kind == ADMIN_WRONG))
                return smtp_reply_of(550, 7, 1, admin_verdict_text(verdict));
        return obey(k, subject);
}

static struct smtp_reply judge(struct admin_in *c)
{
        if (arrival_header_end(&c->arrival) && c->arrival.is_evaluating) /* there is no body */
                text_in_begin(&c->text, arrival_header(&c->arrival));
        struct smtp_reply reply = text_in_refusal(&c->text);
        if (reply.code == 0)
                reply = arrival_settle(&c->arrival);
        if (reply.code != 0)
                return reply;
        struct work *k = calloc(1, sizeof *k);
        if (!k)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        reply = read_and_obey(c, k);
        free(k);
        return reply;
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct admin_in *c = state;
        struct smtp_reply reply = judge(c);
        struct log_line l;
        (void)has_8bit;
        arrival_log(&l, &c->arrival, size, &reply);
        log_c(&l, "command", ADMIN_LOCAL);
        if (smtp_reply_is_positive(&reply))
                log_str(&l, "text", reply.text);
        log_end(&l);
        drop(c);
        return reply;
}

const struct inbound_target admin_in = {.begin = begin, .body = body, .end = end, .drop = drop};
