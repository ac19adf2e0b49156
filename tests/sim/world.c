/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"

#define WORLD_ROOM (8 * 1024 * 1024)
#define VIEWS_ROOM (256 * 1024)
#define ANSWER_ROOM 4096
#define STOP_MS (10 * 60 * 1000) /* that a program may take to end in order */
#define LOOK_FIRST_MS 60000      /* between two looks at the image while something waits; doubles */
#define LOOK_MOST_MS (60 * 60 * 1000)
#define PATIENCE_MS (26LL * 60 * 60 * 1000) /* after the last event and fault */

/* ---- small things ---- */

void world_broken(struct world *w, const char *invariant, const char *format, ...)
{
        char story[LEDGER_STORY_MAX];
        va_list list;
        va_start(list, format);
        vsnprintf(story, sizeof story, format, list);
        va_end(list);
        ledger_violate(w->ledger, invariant, "%s", story);
}

void *world_alloc(struct world *w, size_t n)
{
        void *p = arena_alloc(&w->arena, n);
        CHECK(p);
        return p;
}

char *world_text(struct world *w, const char *format, ...)
{
        va_list list, again;
        va_start(list, format);
        va_copy(again, list);
        int n = vsnprintf(NULL, 0, format, list);
        CHECK(n >= 0);
        char *text = world_alloc(w, (size_t)n + 1);
        vsnprintf(text, (size_t)n + 1, format, again);
        va_end(again);
        va_end(list);
        return text;
}

struct machine *world_machine(struct world *w, struct str name)
{
        for (size_t i = 0; i < w->machine_count; i++)
                if (str_eq(str_of_c(w->machines[i].name), name))
                        return &w->machines[i];
        return NULL;
}

struct sched *world_sched(struct world *w)
{
        return sim_sched(w->sim);
}

void world_spawn(struct world *w, const char *name, void (*fn)(void *arg), void *arg)
{
        enum err e = scope_spawn(&w->scope, name, fn, arg);
        CHECK(e == ERR_OK || e == ERR_CANCELLED); /* cancelled: the run has failed already */
}

/* ---- who looks on ---- */

static void watch_trace(void *arg, struct str line)
{
        struct world *w = arg;
        sha256_update(&w->hash, line);
        w->out->lines++;
        if (w->trace)
                fwrite(line.p, 1, line.n, w->trace);
}

static void watch_console(void *arg, struct sim_node *node, struct str line)
{
        struct world *w = arg;
        for (size_t i = 0; i < w->expected_count; i++) {
                struct expected_line *x = &w->expected[i];
                x->is_seen = x->is_seen || (x->node == node && scenario_matches(x->pattern, line));
        }
}

static int64_t ledger_clock(void *ctx)
{
        struct world *w = ctx;
        return sim_now(w->sim);
}

static void ledger_line(void *ctx, const char *node, struct str line)
{
        struct world *w = ctx;
        sim_trace(
                w->sim, node ? sim_node_find(w->sim, str_of_c(node)) : NULL, "ledger", "%.*s", STR_ARG(line));
}

/* ---- what receivers find in DNS ---- */

struct viewing {
        struct world *w;
        struct verify_view *views;
        size_t cap, count;
};

static bool is_same_view(const struct verify_view *v, const struct dns_answer *a)
{
        if (v->count != a->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (!str_eq(v->records[i], a->values[i].text))
                        return false;
        return true;
}

static bool visit_possible(void *arg, const struct dns_possible *possible)
{
        struct viewing *g = arg;
        const struct dns_answer *a = possible->answer;
        /* what is no more was asked for by nobody while it was not there: nothing had named it */
        if (a->count == 0 && possible->until_ms <= sim_now(g->w->sim))
                return true;
        for (size_t i = 0; i < g->count; i++)
                if (is_same_view(&g->views[i], a))
                        return true;
        struct str *records = arena_alloc(&g->w->views, (a->count + 1) * sizeof *records);
        CHECK(records);
        for (size_t i = 0; i < a->count; i++)
                CHECK(arena_copy(&g->w->views, a->values[i].text, &records[i]) == ERR_OK);
        g->views[g->count++] = (struct verify_view){VERIFY_RECORDS, records, a->count};
        return g->count < g->cap;
}

static size_t look_up(void *ctx, struct str name, struct verify_view *views, size_t cap)
{
        struct world *w = ctx;
        struct viewing g = {.w = w, .views = views, .cap = cap};
        struct dns_name parsed;
        arena_reset(&w->views);
        if (sim_now(w->sim) < w->zone_hurt_until_ms) {
                views[0] = (struct verify_view){VERIFY_TROUBLE, NULL, 0};
                return 1;
        }
        if (dns_name_parse(name, &parsed) == ERR_OK)
                (void)dns_world_possible(w->dns, &parsed, DNS_TYPE_TXT, sim_now(w->sim), visit_possible, &g);
        for (size_t i = 0; i < g.count && w->zone_hurt_until_ms > 0; i++)
                if (views[i].count == 0) { /* no signer has lived since then to put it back */
                        w->zone_hurt_until_ms = sim_now(w->sim) + WORLD_ZONE_HURT_MS;
                        views[0] = (struct verify_view){VERIFY_TROUBLE, NULL, 0};
                        return 1;
                }
        if (g.count == 0)
                views[g.count++] = (struct verify_view){VERIFY_RECORDS, NULL, 0};
        return g.count;
}

/* ---- the end ---- */

/* What is under way, in words; NULL: nothing but mail, perhaps. */
static const char *find_busy(struct world *w)
{
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m->author && author_waiting(m->author) > 0)
                        return m->name;
                if (m->mx && mx_bounces(m->mx) > 0)
                        return m->name;
        }
        if (w->change_count > 0)
                return "a change of members";
        return sim_now(w->sim) < w->quiet_ms ? "a fault" : NULL;
}

static bool is_settled(struct world *w)
{
        return ledger_is_settled(w->ledger) && book_is_settled(w->book);
}

/* Until everything has its outcome. False: the time was over before. */
static bool wait_for_quiet(struct world *w, int64_t end_ms)
{
        int64_t look_ms = 0, pause_ms = LOOK_FIRST_MS;
        for (;;) {
                bool is_idle = !find_busy(w);
                if (is_idle && is_settled(w))
                        return true;
                if (is_idle && sim_now(w->sim) >= look_ms) {
                        look_at_image(w, false, "while something waits");
                        if (is_settled(w))
                                return true;
                        look_ms = sim_now(w->sim) + pause_ms;
                        pause_ms = pause_ms < LOOK_MOST_MS / 2 ? pause_ms * 2 : LOOK_MOST_MS;
                }
                if (sim_now(w->sim) >= end_ms || fiber_sleep(world_sched(w), 10000) != ERR_OK)
                        return false;
        }
}

static void wait_to_end(struct world *w)
{
        for (size_t i = 0; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                if (t->verb != VERB_END)
                        continue;
                (void)wait_for_quiet(w, w->start_ms + statement_argument_ms(t, 0));
                return;
        }
        int64_t last_ms = w->quiet_ms > sim_now(w->sim) ? w->quiet_ms : sim_now(w->sim);
        if (!wait_for_quiet(w, last_ms + PATIENCE_MS) && !sim_failure(w->sim)) {
                const char *busy = find_busy(w);
                world_broken(w, "stuck", "%s still waits %lld hours after the last event",
                        busy ? busy : "mail", (long long)(PATIENCE_MS / 3600000));
        }
}

static void stop(struct world *w, struct machine *m)
{
        int status;
        sim_node_stop(m->node);
        if (sim_node_join(m->node, sim_now(w->sim) + STOP_MS, &status) == ERR_TIMEOUT)
                sim_fail(w->sim, "%s does not end when it is asked to", m->name);
}

/* People first, then the servers, then those whom they ask. */
static void stop_all(struct world *w)
{
        static const enum verb order[] = {VERB_AUTHOR, VERB_LIPAP, VERB_SIGNER, VERB_MAILHOST, VERB_RESOLVER,
                VERB_SECONDARY, VERB_PRIMARY};
        w->is_ending = true;
        for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
                for (size_t i = 0; i < w->machine_count; i++) {
                        struct machine *m = &w->machines[i];
                        if (m->said->verb != order[k])
                                continue;
                        if (order[k] == VERB_LIPAP || order[k] == VERB_SIGNER)
                                server_join(m);
                        else
                                stop(w, m);
                }
}

static int run_author(struct host *h, void *arg)
{
        struct machine *m = arg;
        return author_run(h, m->author);
}

static int run_mx(struct host *h, void *arg)
{
        struct machine *m = arg;
        return mx_run(h, m->mx);
}

static int run_dns(struct host *h, void *arg)
{
        struct machine *m = arg;
        return dns_peer_run(h, m->dns);
}

static void start_all(struct world *w)
{
        server_make_image(w);
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m->dns)
                        sim_node_start(m->node, run_dns, m);
                else if (m->mx)
                        sim_node_start(m->node, run_mx, m);
                else if (m->author)
                        sim_node_start(m->node, run_author, m);
                else
                        world_spawn(w, "server", server_run, m);
        }
}

static void live(struct sim *sim, void *arg)
{
        struct world *w = arg;
        (void)sim;
        scope_open(&w->scope, world_sched(w), FIBER_NEVER);
        start_all(w);
        world_spawn(w, "memory", world_watch_memory, w);
        world_watch_metrics(w);
        w->start_ms = w->quiet_ms = sim_now(w->sim);
        play(w);
        wait_to_end(w);
        stop_all(w);
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        world_look_at_stacks(w);
        if (!sim_failure(w->sim)) {
                ledger_image_again(w->ledger);
                look_at_image(w, true, "at the end");
                world_judge_members(w);
                ledger_judge(w->ledger);
                book_judge(w->book);
                world_judge_behaviour(w);
        }
}

/* ---- the run ---- */

static void conclude(struct world *w)
{
        const struct ledger_violation *v = ledger_violation(w->ledger, 0);
        struct world_result *out = w->out;
        uint8_t digest[SHA256_SIZE];
        if (sim_failure(w->sim)) {
                snprintf(out->invariant, sizeof out->invariant, "run");
                snprintf(out->story, sizeof out->story, "%s", sim_failure(w->sim));
        } else if (v) {
                snprintf(out->invariant, sizeof out->invariant, "%s", v->invariant);
                snprintf(out->story, sizeof out->story, "%s", v->story);
        }
        out->is_broken = out->invariant[0] != '\0';
        out->simulated_ms = sim_now(w->sim) - SIM_START_MS;
        out->sum = ledger_sum(w->ledger);
        struct wr hex;
        CHECK(sha256_end(&w->hash, digest) == ERR_OK);
        wr_init(&hex, out->trace, sizeof out->trace - 1);
        hex_encode(&hex, str_of(digest, sizeof digest));
}

static uint64_t seed_of(const struct scenario *s)
{
        uint64_t seed;
        for (size_t i = 0; i < s->count; i++)
                if (s->statements[i].verb == VERB_SEED &&
                        str_to_u64(statement_argument(&s->statements[i], 0), INT64_MAX, &seed) == ERR_OK)
                        return seed;
        return 1;
}

static void open_world(struct world *w)
{
        struct sim_watch watch = {watch_trace, watch_console, w};
        struct ledger_config config = {
                .seed = w->seed, .now_ms = ledger_clock, .trace = ledger_line, .ctx = w};
        sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(w->seed % INT32_MAX) + 1, NULL);
        void *room = malloc(WORLD_ROOM), *views = malloc(VIEWS_ROOM);
        CHECK(room && views);
        arena_init(&w->arena, room, WORLD_ROOM);
        arena_init(&w->views, views, VIEWS_ROOM);
        sha256_init(&w->hash);
        w->sim = sim_new(w->seed, &watch);
        w->ledger = ledger_new(&config);
        w->dns = dns_world_new(w->sim);
        w->people = people_new(w->seed);
        w->verify = verify_new(w->ledger, look_up, w);
        w->book = book_new(w->ledger, world_told, w);
        w->health = health_new(w->ledger);
        verify_expect_notes(w->verify, w->book);
        verify_expect_health(w->verify, w->health);
        book_expect_health(w->book, w->health);
}

static void close_world(struct world *w)
{
        world_tear_down(w);
        verify_free(w->verify);
        book_free(w->book);
        health_free(w->health);
        buffer_free(&w->members);
        dns_world_free(w->dns);
        people_free(w->people);
        ledger_free(w->ledger);
        sim_free(w->sim);
        sim_disk_free(w->copy);
        free(w->arena.p);
        free(w->views.p);
}

void world_run(const struct scenario *s, FILE *trace, struct world_result *out)
{
        struct world w = {.s = s, .seed = seed_of(s), .trace = trace, .out = out};
        *out = (struct world_result){0};
        open_world(&w);
        if (world_build(&w))
                sim_run(w.sim, live, &w);
        conclude(&w);
        close_world(&w);
}
