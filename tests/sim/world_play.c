/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include <stdlib.h>

#include "base/check.h"

/* ---- what ends later ---- */

struct later {
        struct machine *machine;
        int64_t at_ms;
        enum { TEMPER, DNS_FAULT, SLOW_DISK } what;
        enum dns_fault fault;
};

static void run_later(void *arg)
{
        struct later *l = arg;
        static const struct mx_temper calm;
        struct mx_temper temper = calm;
        if (fiber_sleep_until(world_sched(l->machine->world), l->at_ms) != ERR_OK)
                return;
        switch (l->what) {
        case TEMPER: /* as it was declared */
                world_temper(l->machine->said, &temper);
                mx_temper_set(l->machine->mx, &temper);
                break;
        case DNS_FAULT:
                dns_peer_fault(l->machine->dns, l->fault, 0, 0);
                break;
        case SLOW_DISK:
                l->machine->disk->flush_ms = 2;
                break;
        }
}

void world_lasts(struct world *w, int64_t for_ms)
{
        int64_t until_ms = sim_now(w->sim) + for_ms;
        if (until_ms > w->quiet_ms)
                w->quiet_ms = until_ms;
}

/* A statement without `for` lasts. */
static void end_later(struct machine *m, const struct statement *t, struct later later)
{
        struct world *w = m->world;
        int64_t for_ms = statement_ms(t, "for", -1);
        if (for_ms < 0)
                return;
        struct later *l = world_alloc(w, sizeof *l);
        *l = later;
        l->machine = m;
        l->at_ms = sim_now(w->sim) + for_ms;
        world_lasts(w, for_ms);
        world_spawn(w, "later", run_later, l);
}

/* ---- peers ---- */

static void do_temper(struct machine *m, const struct statement *t)
{
        struct mx_temper temper = *mx_temper_get(m->mx);
        world_temper(t, &temper);
        mx_temper_set(m->mx, &temper);
        end_later(m, t, (struct later){.what = TEMPER});
}

#define LIE_REMEMBERED_MS (10 * 60 * 1000) /* by caches, and by those who asked before it ended */

/* What the ledger must know of those who answer wrongly, or perhaps not at all. */
static void note_fault(struct world *w, const struct statement *t, enum dns_fault fault)
{
        bool is_lie = fault == DNS_FAULT_NO_NAME || fault == DNS_FAULT_WRONG_TEXT ||
                      fault == DNS_FAULT_WRONG_ADDRESS;
        int64_t for_ms = statement_ms(t, "for", -1);
        ledger_dns_fails(w->ledger);
        if (is_lie)
                ledger_dns_lies(
                        w->ledger, for_ms < 0 ? INT64_MAX : sim_now(w->sim) + for_ms + LIE_REMEMBERED_MS);
}

static void do_fault(struct machine *m, const struct statement *t)
{
        struct later later = {.what = DNS_FAULT};
        int64_t by_ms = statement_ms(t, "by", 5000);
        CHECK(dns_fault_parse(statement_argument(t, 1), &later.fault) == ERR_OK);
        note_fault(m->world, t, later.fault);
        dns_peer_fault(m->dns, later.fault, (uint32_t)statement_number(t, "chance", 100) * 10000,
                later.fault == DNS_FAULT_CLOCK ? by_ms / 1000 : by_ms);
        end_later(m, t, later);
}

static void do_lag(struct machine *m, const struct statement *t)
{
        struct world *w = m->world;
        int64_t least_ms = statement_ms(t, "least", 0);
        for (size_t i = 0; i < w->s->count; i++) {
                struct dns_name name;
                if (w->s->statements[i].verb != VERB_DOMAIN)
                        continue;
                CHECK(dns_name_parse(statement_argument(&w->s->statements[i], 0), &name) == ERR_OK);
                dns_peer_lag(
                        m->dns, dns_zone_find(w->dns, &name), least_ms, statement_ms(t, "most", least_ms));
        }
}

static const char *record_of(struct world *w, const struct statement *t)
{
        return world_text(w, "%.*s 300 %.*s %.*s", STR_ARG(statement_argument(t, 0)),
                STR_ARG(statement_argument(t, 1)), STR_ARG(statement_argument(t, 2)));
}

#define TYPE_LAST 256

static uint16_t type_of(struct str text)
{
        uint16_t type = 1;
        while (type < TYPE_LAST && !str_eq(dns_type_text(type), text))
                type++;
        return type;
}

/* Does the primary have any record of that type there? */
static void expect_any(struct world *w, const struct statement *t)
{
        struct dns_name name;
        struct dns_answer answer = {.count = 0};
        struct arena arena;
        void *room = malloc(DNS_ANSWER_ROOM);
        CHECK(room);
        arena_init(&arena, room, DNS_ANSWER_ROOM);
        enum err e = dns_name_parse(statement_argument(t, 0), &name);
        if (e == ERR_OK)
                e = dns_world_lookup(w->dns, NULL, &name, type_of(statement_argument(t, 1)), sim_now(w->sim),
                        &arena, &answer);
        if (e != ERR_OK || answer.count == 0)
                world_broken(w, "expect", "line %u: no such record", t->line);
        free(room);
}

/* Somebody has changed a zone by hand: the signers may not know yet of ours, nor people.h of an author's. */
static void note_change(struct world *w, struct str at)
{
        struct dns_name name, origin;
        w->zone_hurt_until_ms = sim_now(w->sim) + WORLD_ZONE_HURT_MS;
        for (size_t i = 0; i < w->s->count; i++)
                if (w->s->statements[i].verb == VERB_DOMAIN && dns_name_parse(at, &name) == ERR_OK &&
                        dns_name_parse(statement_argument(&w->s->statements[i], 0), &origin) == ERR_OK &&
                        dns_name_is_under(&name, &origin))
                        return;
        ledger_dns_lies(w->ledger, INT64_MAX);
}

static void do_record(struct world *w, const struct statement *t)
{
        if (t->verb == VERB_DNS && str_eq(statement_argument(t, 2), S("*"))) {
                expect_any(w, t);
                return;
        }
        struct str line = str_of_c(record_of(w, t));
        if (t->verb == VERB_EDIT)
                note_change(w, statement_argument(t, 0));
        enum err e = t->verb == VERB_DNS ? dns_world_holds(w->dns, line) : dns_world_edit(w->dns, line);
        if (e != ERR_OK)
                world_broken(w, "expect", "line %u: the record: %s", t->line, err_text(e));
}

static void do_erase(struct world *w, const struct statement *t)
{
        struct dns_name name;
        uint16_t type = type_of(statement_argument(t, 1));
        struct dns_zone *zone = NULL;
        if (dns_name_parse(statement_argument(t, 0), &name) == ERR_OK)
                zone = dns_zone_find(w->dns, &name);
        if (!zone || type == TYPE_LAST)
                world_broken(w, "expect", "line %u: no such record", t->line);
        else
                (void)dns_zone_erase(zone, &name, type);
        note_change(w, statement_argument(t, 0));
}

static void do_restore(struct world *w, const struct statement *t)
{
        struct dns_name name;
        CHECK(dns_name_parse(statement_argument(t, 0), &name) == ERR_OK);
        int64_t at_ms = sim_now(w->sim) - statement_ms(t, "ago", 60 * 60 * 1000);
        dns_zone_restore(dns_zone_find(w->dns, &name), at_ms > SIM_START_MS ? at_ms : SIM_START_MS);
        w->zone_hurt_until_ms = sim_now(w->sim) + WORLD_ZONE_HURT_MS;
}

/* ---- servers ---- */

static void do_kill(struct machine *m, const struct statement *t)
{
        enum sim_kill how = str_eq(statement_argument(t, 1), S("power")) ? SIM_KILL_POWER : SIM_KILL_PROCESS;
        int64_t back_ms = statement_ms(t, "back", SERVER_BACK_MS);
        uint64_t call = statement_number(t, "call", 0);
        bool is_after = str_eq(statement_text(t, "when", S("before")), S("after"));
        m->pause_ms = back_ms;
        world_lasts(m->world, back_ms);
        if (call > 0)
                sim_node_kill_at_call(m->node, call, is_after ? SIM_AFTER : SIM_BEFORE, how);
        else
                server_kill(m, how, back_ms);
}

static void do_stop(struct machine *m, const struct statement *t)
{
        int64_t back_ms = statement_ms(t, "back", SERVER_BACK_MS);
        world_lasts(m->world, back_ms);
        server_stop(m, back_ms);
}

static void do_disk(struct machine *m, const struct statement *t)
{
        struct str what = statement_argument(t, 1);
        uint64_t after = statement_number(t, "after", 0);
        if (str_eq(what, S("slow"))) {
                m->disk->flush_ms = statement_ms(t, "by", 500);
                end_later(m, t, (struct later){.what = SLOW_DISK});
                return;
        }
        if (str_eq(what, S("write-error")))
                m->disk->faults.write_at = m->disk->writes + after;
        else
                m->disk->faults.flush_at = m->disk->flushes + after;
        m->is_disk_bad = true;
        ledger_disk_fails(m->world->ledger);
}

/* lipap is stopped for it, as the operator would. */
static void do_change(struct world *w, const struct statement *t)
{
        struct change c = {statement_argument(t, 0), statement_argument(t, 1), t->verb == VERB_JOIN};
        CHECK(w->change_count < WORLD_CHANGES_MAX);
        w->changes[w->change_count++] = c;
        ledger_member(w->ledger, ledger_list(w->ledger, c.list, LEDGER_LIST), c.email, LEDGER_MAYBE);
        world_refuse_homeless(w, c.email);
        if (w->lipap->back_ms <= sim_now(w->sim))
                server_stop(w->lipap, SERVER_BACK_MS);
}

/* ---- expectations ---- */

struct expecting {
        struct world *w;
        const struct statement *said;
        int64_t by_ms;
};

static void run_delivered(void *arg)
{
        struct expecting *x = arg;
        if (fiber_sleep_until(world_sched(x->w), x->by_ms) != ERR_OK || ledger_is_settled(x->w->ledger))
                return;
        look_at_image(x->w, false, "when all should be delivered");
        if (!ledger_is_settled(x->w->ledger))
                world_broken(x->w, "expect", "line %u: not all is delivered", x->said->line);
}

static void expect_delivered(struct world *w, const struct statement *t)
{
        struct expecting *x = world_alloc(w, sizeof *x);
        int64_t within_ms = statement_ms(t, "within", 0);
        *x = (struct expecting){w, t, sim_now(w->sim) + within_ms};
        world_lasts(w, within_ms + 1);
        world_spawn(w, "expect", run_delivered, x);
}

static bool is_line_seen(struct world *w, const struct statement *t)
{
        for (size_t i = 0; i < w->expected_count; i++)
                if (w->expected[i].said == t)
                        return w->expected[i].is_seen;
        return false;
}

static void do_expect(struct world *w, const struct statement *t)
{
        struct str what = statement_argument(t, 0), of = statement_argument(t, 1),
                   by = statement_argument(t, 2);
        bool is_so = true;
        if (str_eq(what, S("delivered")))
                expect_delivered(w, t);
        else if (str_eq(what, S("waiting")))
                is_so = !ledger_is_settled(w->ledger);
        else if (str_eq(what, S("image")))
                look_at_image(w, false, "as expected");
        else if (str_eq(what, S("accepted")))
                is_so = ledger_post_is_accepted(w->ledger, of);
        else if (str_eq(what, S("refused")))
                is_so = ledger_post_is_refused(w->ledger, of);
        else if (str_eq(what, S("deferred")))
                is_so = ledger_post_is_deferred(w->ledger, of);
        else if (str_eq(what, S("received")))
                is_so = ledger_count(w->ledger, of, by) > 0;
        else if (str_eq(what, S("nothing")))
                is_so = ledger_count(w->ledger, of, by) == 0;
        else if (str_eq(what, S("log")))
                is_so = is_line_seen(w, t);
        else
                is_so = world_expect_book(w, t);
        if (!is_so)
                world_broken(w, "expect", "line %u: not so: %.*s %.*s %.*s", t->line, STR_ARG(what),
                        STR_ARG(of), STR_ARG(by));
}

/* ---- in order ---- */

static void do_post(struct machine *m, const struct statement *t)
{
        struct str name = statement_text(t, "name", S("")), lists = statement_argument(t, 1), act;
        if (!statement_has(t, "act", &act))
                author_post(m->author, name, lists, statement_text(t, "cc", S("")),
                        statement_number(t, "size", 0));
        else
                CHECK(author_act(m->author, name, lists, act, statement_text(t, "victim", S(""))));
}

static void play_one(struct world *w, size_t at)
{
        const struct statement *t = &w->s->statements[at];
        struct machine *m = world_machine(w, statement_argument(t, 0));
        switch (t->verb) {
        case VERB_POST:
                do_post(m, t);
                break;
        case VERB_MAIL:
                world_mail(w, t);
                break;
        case VERB_JOIN:
        case VERB_LEAVE:
                do_change(w, t);
                break;
        case VERB_STOP:
                do_stop(m, t);
                break;
        case VERB_KILL:
                do_kill(m, t);
                break;
        case VERB_CLOCK:
                sim_node_set_clock(m->node, statement_argument_ms(t, 1));
                break;
        case VERB_DISK:
                do_disk(m, t);
                break;
        case VERB_TEMPER:
                do_temper(m, t);
                break;
        case VERB_FAULT:
                do_fault(m, t);
                break;
        case VERB_LAG:
                do_lag(m, t);
                break;
        case VERB_DNS:
        case VERB_EDIT:
                do_record(w, t);
                break;
        case VERB_ERASE:
                do_erase(w, t);
                break;
        case VERB_RESTORE:
                do_restore(w, t);
                break;
        case VERB_SESSION:
                play_session(w, at);
                break;
        case VERB_EXPECT:
                do_expect(w, t);
                break;
        case VERB_PARTITION:
        case VERB_DOWN:
        case VERB_CUT:
        case VERB_LINK:
                ledger_dns_fails(w->ledger);
                play_network(w, t);
                break;
        default:
                break;
        }
}

void play(struct world *w)
{
        int64_t at_ms = w->start_ms;
        bool has_begun = false;
        for (size_t i = 0; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                if (t->verb == VERB_TIME) {
                        at_ms += statement_argument_ms(t, 0);
                        has_begun = true;
                        if (fiber_sleep_until(world_sched(w), at_ms) != ERR_OK)
                                return;
                } else if (has_begun || t->verb != VERB_DNS) { /* those above stand already */
                        play_one(w, i);
                }
        }
}
