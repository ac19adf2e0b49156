/* SPDX-License-Identifier: ISC */
/* A mail that asks a list for something: its header, and of those whose text counts the first 64 KiB, wait in memory
 * while fibers ask the DNS about the author. At the final dot its commands are read, and decided and done in one change
 * of the store. Nothing is written to anyone here: what is to be told becomes rows, of which mailer.c makes mail. */
#include <stdlib.h>

#include "host/log.h"
#include "list/asking.h"
#include "list/posting.h"
#include "mail/automatic.h"
#include "mail/message_id.h"
#include "serve/act.h"
#include "serve/arrival.h"
#include "serve/text_in.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define WORK_ARENA (512 * 1024)

struct command_in {
        struct arrival arrival;
        struct text_in text;
};

/* What deciding needs, for as long as it takes. */
struct work {
        const struct inbound_envelope *envelope;
        struct act act;
        struct decide_run run;
        struct decide_facts facts;
        struct decision decision;
        char author[MAIL_ADDRESS_MAX];
        struct arena arena;
        char memory[WORK_ARENA];
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
        struct command_in *c = malloc(sizeof *c);
        *state = c;
        if (!c)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        c->text = (struct text_in){0};
        arrival_begin(&c->arrival, envelope, check);
        return smtp_reply_plain(354, S("go ahead, end with a dot on a line of its own"));
}

static bool has_text(enum route_kind route)
{
        return route == ROUTE_REQUEST || route == ROUTE_SETTINGS || route == ROUTE_OPTIONS ||
               route == ROUTE_WHY;
}

static void body(void *state, struct str bytes)
{
        struct command_in *c = state;
        if (arrival_got(&c->arrival, &bytes) && c->arrival.is_evaluating &&
                has_text(c->arrival.envelope->route))
                text_in_begin(&c->text, arrival_header(&c->arrival));
        if (bytes.n == 0 || !c->arrival.is_evaluating)
                return;
        evaluation_body(&c->arrival.evaluation, bytes);
        text_in_got(&c->text, bytes);
}

static void drop(void *state)
{
        struct command_in *c = state;
        arrival_drop(&c->arrival);
        text_in_drop(&c->text);
        free(c);
}

/* ---- who asks, and for what ---- */

static struct smtp_reply refuse_asking(const struct arrival *a, enum asking asking)
{
        if (asking == ASKING_SEVERAL)
                return smtp_reply_of(
                        550, 7, 1, S("who asks a list for something is the only author in From"));
        if (asking == ASKING_ELSEWHERE)
                return smtp_reply_of(550, 7, 1,
                        S("a copy of what was signed for others is not obeyed: name this address in To, and "
                          "sign that"));
        return arrival_refuse_unproven(a);
}

/* Only the link of a confirmation is proof enough by itself. */
static struct smtp_reply prove(struct work *k, const struct arrival *a)
{
        const struct evaluate *verdicts = &a->evaluation.evaluate;
        struct wr w;
        wr_init(&w, k->author, sizeof k->author);
        posting_author_write(&w, verdicts);
        k->act.author = wr_text(&w);
        k->act.proof = DECIDE_UNPROVEN;
        enum asking asking = asking_of(verdicts, &a->index, k->envelope->recipient);
        if (asking == ASKING_BY_SIGNATURE)
                k->act.proof = DECIDE_STRONG;
        else if (asking == ASKING_BY_WAY)
                k->act.proof = DECIDE_PROVEN;
        else if (k->envelope->route != ROUTE_CONFIRM)
                return refuse_asking(a, asking);
        return (struct smtp_reply){0};
}

static enum err read_commands(struct command_in *c, struct work *k)
{
        const struct mail_header *header = &c->arrival.index;
        struct str message_id;
        struct store_list list;
        struct setting_values in_force;
        char *room = arena_alloc(&k->arena, COMMAND_TEXT_MAX);
        struct wr text;
        enum err e = store_list_get(k->act.node->store, k->act.list, &k->arena, &list);
        if (e != ERR_OK || !room)
                return e != ERR_OK ? e : ERR_MEMORY;
        setting_values_init(&in_force);
        for (size_t i = 0; i < list.setting_count; i++)
                setting_values_put(&in_force, list.settings[i].name, list.settings[i].value);
        wr_init(&text, room, COMMAND_TEXT_MAX);
        text_in_read(&c->text, &text);
        const struct mail_field *id = mail_header_first(header, S("Message-ID"));
        if (id && mail_message_id_first(id->body, &message_id) == ERR_OK)
                k->act.message_id = message_id;
        struct command_input in = {.route = k->envelope->route,
                .token = k->envelope->object,
                .subject = text_in_subject(header, &k->arena),
                .text = wr_text(&text),
                .in_force = &in_force};
        return commands_read(&in, &k->arena, &k->run.commands);
}

/* ---- deciding ---- */

static enum err step(struct work *k, const struct decide_wanted *wanted, bool is_last)
{
        const struct arena before = k->arena;
        const bool was_confirmed = k->run.is_confirmed;
        enum err e = act_facts(&k->act, wanted, &k->facts);
        if (e != ERR_OK)
                return e;
        if (is_last)
                decide_end(&k->run, &k->facts, &k->decision);
        else
                decide_step(&k->run, &k->facts, &k->decision);
        e = act_carry_out(&k->act, &k->decision);
        if (k->run.is_confirmed == was_confirmed) /* else the commands to come lie in these facts */
                k->arena = before;
        return e;
}

static enum err decide_all(struct store *store, void *ctx)
{
        struct work *k = ctx;
        struct decide_wanted wanted;
        enum err e = ERR_OK;
        (void)store;
        decide_begin(&k->run, k->envelope->route);
        while (e == ERR_OK && decide_next(&k->run, &wanted))
                e = step(k, &wanted, false);
        wanted = (struct decide_wanted){.actor = decide_actor(&k->run)};
        return e == ERR_OK ? step(k, &wanted, true) : e;
}

static void init(struct work *k, const struct inbound_envelope *e)
{
        int64_t now_ms = host_wall_ms(e->node->host);
        int64_t age_days = now_ms / DAY_MS - e->token.day;
        k->envelope = e;
        k->act = (struct act){.node = e->node,
                .arena = &k->arena,
                .list = e->list.id,
                .now_ms = now_ms,
                .request = e->token.id,
                .is_token_fresh = age_days >= 0 && age_days <= DECIDE_REQUEST_LIFE_MS / DAY_MS};
        arena_init(&k->arena, k->memory, sizeof k->memory);
}

static struct smtp_reply obey(struct command_in *c, struct work *k)
{
        struct smtp_reply reply = prove(k, &c->arrival);
        if (reply.code != 0)
                return reply;
        enum err e = read_commands(c, k);
        if (e == ERR_OK)
                e = store_together(k->act.node->store, decide_all, k);
        if (e == ERR_NOT_FOUND)
                return smtp_reply_of(550, 1, 1, S("no such list or address here"));
        if (e != ERR_OK)
                return inbound_store_trouble(k->act.node, e);
        act_ring(&k->act);
        const struct decide_reply *said = &k->decision.reply;
        return smtp_reply_of(
                (uint16_t)said->code, (uint16_t)said->subject, (uint16_t)said->detail, said->text);
}

static struct smtp_reply judge(struct command_in *c)
{
        const struct inbound_envelope *e = c->arrival.envelope;
        (void)arrival_header_end(&c->arrival); /* then there is no text */
        struct smtp_reply reply = text_in_refusal(&c->text);
        if (reply.code == 0)
                reply = arrival_settle(&c->arrival);
        if (reply.code != 0)
                return reply;
        struct work *k = malloc(sizeof *k);
        if (!k)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        init(k, e);
        reply = obey(c, k);
        if (smtp_reply_is_positive(&reply))
                e->node->stats.commands[e->route]++;
        free(k);
        return reply;
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct command_in *c = state;
        struct smtp_reply reply = judge(c);
        struct log_line l;
        (void)has_8bit;
        arrival_log(&l, &c->arrival, size, &reply);
        log_str(&l, "command", route_word(c->arrival.envelope->route));
        if (smtp_reply_is_positive(&reply))
                log_str(&l, "text", reply.text);
        log_end(&l);
        drop(c);
        return reply;
}

const struct inbound_target command_in = {.begin = begin, .body = body, .end = end, .drop = drop};
