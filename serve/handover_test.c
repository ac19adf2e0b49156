/* SPDX-License-Identifier: ISC */
/* Handover against signers that are fibers on loopback, good and bad. A good one gives the copy back by its own
 * request to the store, as signed_in.c does when nec comes with it. */
#define _GNU_SOURCE /* mkdtemp, nftw */
#include "serve/handover.h"

#include "serve/smtpd.h"
#include "store/open_tickets.h"
#include "store/rig.h"

#define SIGNERS 2

struct world;

enum manner {
        GOOD,
        SLOW,        /* good, but it takes its time */
        LIAR,        /* says 250 and gives nothing back */
        REFUSES,     /* 554 behind the final dot */
        PICKY,       /* 554 at RCPT for one ticket, good to the others */
        HANGS_UP,    /* closes behind 354 */
        FORGETS,     /* gives the copy back and closes without a word */
        ONE_MESSAGE, /* good, and closes without a word when it is asked for a second message */
};

struct signer {
        struct world *world;
        struct host_listener *listener;
        struct ip_port at;
        struct smtpd_gate gate;
        struct scope scope; /* of its listener, while it is up */
        enum manner manner;
        size_t connections, offers; /* `offers`: recipients named */
};

/* One connection. */
struct visit {
        struct signer *signer;
        struct host_tcp *tcp;
        char ticket[64];
        size_t ticket_n;
};

struct world {
        struct rig *rig;
        struct host *h;
        struct lipap node;
        struct signer at[SIGNERS];
        struct scope handover;
        int64_t list;
};

/* ---- signers ---- */

static enum err give_back(struct visit *v)
{
        struct store *store = v->signer->world->rig->s;
        struct store_message m;
        char memory[4096];
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        enum err e = store_ticket_find(store, str_of(v->ticket, v->ticket_n), &arena, &m);
        return e == ERR_OK ? store_ticket_sign(store, m.id, S("P: 1\r\n")) : e;
}

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        (void)ctx;
        assert_int_equal(mail->from.mailbox.n, 0);
        return smtp_reply_of(250, 1, 0, S("yes"));
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        struct visit *v = ctx;
        struct signer *s = v->signer;
        struct str ticket = str_skip(to->local, 8);
        s->offers++;
        assert_true(str_has_prefix(to->local, S("_signed.")) && ticket.n <= sizeof v->ticket);
        memcpy(v->ticket, ticket.p, ticket.n);
        v->ticket_n = ticket.n;
        if (s->manner == PICKY && str_eq(ticket, S("t0")))
                return smtp_reply_of(550, 7, 1, S("not this one, ever"));
        return smtp_reply_of(250, 1, 5, S("yes"));
}

static void on_body(void *ctx, struct str bytes)
{
        (void)ctx;
        (void)bytes;
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct visit *v = ctx;
        struct signer *s = v->signer;
        (void)message;
        if (s->manner == LIAR)
                return smtp_reply_of(250, 0, 0, S("of course"));
        if (s->manner == REFUSES)
                return smtp_reply_of(554, 6, 0, S("no"));
        if (s->manner == SLOW && fiber_sleep(s->world->h->sched, 300) != ERR_OK)
                return smtp_reply_of(451, 3, 0, S("the test ends"));
        return give_back(v) == ERR_OK ? smtp_reply_of(250, 0, 0, S("signed"))
                                      : smtp_reply_of(451, 3, 0, S("not taken back"));
}

/* The dialogue of one message by a script, then the connection is closed without a word. */
static void hang_up(struct visit *v)
{
        struct signer *s = v->signer;
        struct host_tcp *tcp = v->tcp;
        static const struct {
                const char *say, *until;
        } steps[] = {{"220 rude\r\n", "\r\n"}, {"250 rude\r\n", "\r\n"}, {"250 yes\r\n", "\r\n"},
                {"250 yes\r\n", "\r\n"}, {"354 go\r\n", "\r\n.\r\n"}};
        char heard[4096];
        size_t steps_n = sizeof steps / sizeof steps[0] - (s->manner == HANGS_UP);
        for (size_t i = 0; i < steps_n; i++) {
                size_t n = 0, got;
                if (host_tcp_write(s->world->h, tcp, str_of_c(steps[i].say), FIBER_NEVER) != ERR_OK)
                        return;
                while (!str_has_suffix_nocase(str_of(heard, n), str_of_c(steps[i].until))) {
                        if (host_tcp_read(s->world->h, tcp, heard + n, sizeof heard - n, FIBER_NEVER, &got) !=
                                ERR_OK)
                                return;
                        n += got;
                }
                if (i == 2) { /* "RCPT TO:<_signed.TICKET@..." */
                        struct str line = str_of(heard, n), ticket, rest;
                        line = str_skip(line, str_find_byte(line, '.') + 1);
                        (void)str_cut(line, '@', &ticket, &rest);
                        memcpy(v->ticket, ticket.p, ticket.n);
                        v->ticket_n = ticket.n;
                        s->offers++;
                }
        }
        if (s->manner != HANGS_UP)
                assert_int_equal(give_back(v), ERR_OK);
        if (s->manner == ONE_MESSAGE)
                (void)(host_tcp_write(s->world->h, tcp, S("250 signed\r\n"), FIBER_NEVER) == ERR_OK);
}

static void session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        static const struct smtpd_handler manners = {
                .mail = on_mail, .rcpt = on_rcpt, .body = on_body, .end = on_end};
        struct signer *s = ctx;
        const struct smtpd_config config = {
                .server = {.hostname = S("nec.test"),
                        .offer = {.pipelining = true, .enhanced = true, .mime_8bit = true, .smtputf8 = true}},
                .gate = &s->gate};
        struct visit v = {.signer = s, .tcp = tcp};
        (void)peer;
        s->connections++;
        if (s->manner == HANGS_UP || s->manner == FORGETS || s->manner == ONE_MESSAGE)
                hang_up(&v);
        else
                (void)smtpd_run(s->world->h, tcp, &config, &manners, &v);
}

static void listen_run(void *arg)
{
        struct signer *s = arg;
        struct smtpd_listen_config config = {
                .host = s->world->h, .listener = s->listener, .gate = &s->gate, .session = session, .ctx = s};
        (void)smtpd_listen(&config);
}

static void up(struct signer *s)
{
        assert_int_equal(host_listen(s->world->h, &s->at, &s->listener), ERR_OK);
        scope_open(&s->scope, s->world->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&s->scope, "signer", listen_run, s), ERR_OK);
}

static void down(struct signer *s)
{
        if (!s->listener)
                return;
        scope_cancel(&s->scope);
        (void)scope_join(&s->scope);
        host_listener_close(s->world->h, s->listener);
        s->listener = NULL;
}

/* ---- the world ---- */

/* Each signer at a free port of its own, and down. */
static void find_places(struct world *w)
{
        for (uint8_t i = 0; i < SIGNERS; i++) {
                struct signer *s = &w->at[i];
                enum err e;
                s->world = w;
                s->gate.most = 100;
                do {
                        s->at.ip = ip_v4(127, 0, 0, (uint8_t)(2 + i));
                        s->at.port = (uint16_t)(20000 + host_random_below(w->h, 12000));
                        e = host_listen(w->h, &s->at, &s->listener);
                } while (e != ERR_OK);
                host_listener_close(w->h, s->listener);
                s->listener = NULL;
                w->node.signers[i] = s->at;
        }
}

static void run(struct world *w)
{
        scope_open(&w->handover, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&w->handover, "handover", handover_run, &w->node), ERR_OK);
}

static void halt(struct world *w)
{
        scope_cancel(&w->handover);
        (void)scope_join(&w->handover);
}

static void in_world(struct rig *r, void (*test)(struct world *w), size_t signers)
{
        struct world *w = calloc(1, sizeof *w);
        assert_non_null(w);
        rig_start(r);
        w->rig = r;
        w->h = r->h;
        w->node = (struct lipap){
                .host = r->h, .store = r->s, .hostname = S("mx.example.org"), .signer_count = signers};
        w->list = rig_list(r, "l", 1);
        find_places(w);
        test(w);
        halt(w);
        for (size_t i = 0; i < SIGNERS; i++)
                down(&w->at[i]);
        rig_stop(r);
        free(w);
}

/* `name` with so many signers. */
#define WORLD_CASE(name, signers)             \
        static void name##_rig(struct rig *r) \
        {                                     \
                in_world(r, name, signers);   \
        }                                     \
        static void test_##name(void **state) \
        {                                     \
                (void)state;                  \
                rig_test(name##_rig);         \
        }

/* Messages under the tickets t<from> to t<to - 1>. */
static void take_in(struct world *w, int from, int to)
{
        for (int i = from; i < to; i++) {
                struct store_intake *intake;
                char ticket[16];
                int64_t id;
                (void)snprintf(ticket, sizeof ticket, "t%d", i);
                struct store_message_new m = {.ticket = str_of_c(ticket),
                        .kind = STORE_POST,
                        .list = w->list,
                        .domain = S("example.org"),
                        .front = S("Front: 1\r\n")};
                assert_int_equal(store_intake_begin(w->rig->s, 0, &intake), ERR_OK);
                assert_int_equal(store_intake_write(intake, S("From: a@b.example\r\n\r\nhello\r\n")), ERR_OK);
                assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        }
        bell_ring(&w->node.handover_bell);
}

static size_t left(struct world *w)
{
        int64_t ids[200];
        size_t count;
        assert_int_equal(open_tickets(w->rig->s, 0, 200, ids, &count), ERR_OK);
        return count;
}

#define WAIT_FOR(w, condition)                                                    \
        do {                                                                      \
                int64_t until_ = host_now_ms((w)->h) + 20000;                     \
                while (!(condition) && host_now_ms((w)->h) < until_)              \
                        assert_int_equal(fiber_sleep((w)->h->sched, 10), ERR_OK); \
                assert_true(condition);                                           \
        } while (0)

static void rest(struct world *w, int64_t ms)
{
        assert_int_equal(fiber_sleep(w->h->sched, ms), ERR_OK);
}

/* ---- the tests ---- */

static void all_are_signed_once(struct world *w)
{
        up(&w->at[0]);
        take_in(w, 0, 40);
        run(w);
        WAIT_FOR(w, left(w) == 0);
        take_in(w, 40, 60);
        WAIT_FOR(w, left(w) == 0);
        assert_int_equal(w->at[0].offers, 60);
        assert_true(w->at[0].connections <= HANDOVER_WORKERS);
}
WORLD_CASE(all_are_signed_once, 1)

static void dead_then_back(struct world *w)
{
        take_in(w, 0, 10);
        run(w);
        rest(w, 1500);
        assert_int_equal(left(w), 10);
        assert_true(w->node.is_signer_away);
        up(&w->at[0]);
        WAIT_FOR(w, left(w) == 0);
        assert_int_equal(w->at[0].offers, 10);
        assert_false(w->node.is_signer_away);
}
WORLD_CASE(dead_then_back, 1)

/* While no signer answers, one message in a while is looked at, and not all that wait in each pass. */
static void away_costs_little(struct world *w)
{
        take_in(w, 0, 150);
        run(w);
        rest(w, 200);
        for (int i = 150; i < 180; i++) {
                take_in(w, i, i + 1);
                rest(w, 50);
        }
        sqlite3_stmt *looked = w->rig->s->db.statements[SQL_MESSAGE_GET];
        assert_non_null(looked);
        assert_in_range(sqlite3_stmt_status(looked, SQLITE_STMTSTATUS_RUN, 0), 1, 60);
        assert_int_equal(left(w), 180);
        up(&w->at[0]);
        WAIT_FOR(w, left(w) == 0);
        assert_int_equal(w->at[0].offers, 180);
        WAIT_FOR(w, w->node.stats.handed_over == 180);
        assert_true(w->node.stats.not_signed > 0);
}
WORLD_CASE(away_costs_little, 1)

/* 250 without the copy is no signature, and a 5yz no end: both are tried again until the signer mends. */
static void liar_mends(struct world *w)
{
        w->at[0].manner = LIAR;
        up(&w->at[0]);
        take_in(w, 0, 3);
        run(w);
        WAIT_FOR(w, w->at[0].offers >= 6);
        assert_int_equal(left(w), 3);
        w->at[0].manner = REFUSES;
        size_t before = w->at[0].offers;
        WAIT_FOR(w, w->at[0].offers >= before + 3);
        assert_int_equal(left(w), 3);
        w->at[0].manner = GOOD;
        WAIT_FOR(w, left(w) == 0);
}
WORLD_CASE(liar_mends, 1)

/* One message that is refused for ever starves nobody, and does not spin. */
static void one_is_refused_for_ever(struct world *w)
{
        w->at[0].manner = PICKY;
        up(&w->at[0]);
        take_in(w, 0, 100);
        run(w);
        WAIT_FOR(w, left(w) == 1);
        take_in(w, 100, 101);
        WAIT_FOR(w, left(w) == 1);
        size_t before = w->at[0].offers;
        rest(w, 2500);
        assert_in_range(w->at[0].offers, before + 1, before + 4);
        uint64_t refused; /* the admin is to know of it */
        assert_int_equal(store_troubles_refused(w->rig->s, &refused), ERR_OK);
        assert_int_equal(refused, 1);
        w->at[0].manner = GOOD;
        WAIT_FOR(w, left(w) == 0);
}
WORLD_CASE(one_is_refused_for_ever, 1)

/* What failed has its next turn although new messages come without a pause. */
static void failed_ones_have_their_turn(struct world *w)
{
        int next = 1;
        w->at[0].manner = REFUSES;
        up(&w->at[0]);
        take_in(w, 0, 1);
        run(w);
        WAIT_FOR(w, w->at[0].offers == 1);
        w->at[0].manner = SLOW;
        take_in(w, next, next + 60);
        next += 60;
        int64_t ids[1] = {0}, until = host_now_ms(w->h) + 4000;
        size_t count = 1;
        while (count == 1 && host_now_ms(w->h) < until) { /* 13 a second are signed, and always more wait */
                if (left(w) < 40) {
                        take_in(w, next, next + 20);
                        next += 20;
                }
                rest(w, 50);
                assert_int_equal(open_tickets(w->rig->s, 0, 1, ids, &count), ERR_OK);
                count = ids[0] == 1;
        }
        assert_int_equal(count, 0);
        assert_true(left(w) > 0);
}
WORLD_CASE(failed_ones_have_their_turn, 1)

/* A signer that refuses everything, or hangs up, harms nobody while another one signs. */
static void the_other_signs(struct world *w)
{
        w->at[0].manner = REFUSES;
        up(&w->at[0]);
        up(&w->at[1]);
        take_in(w, 0, 20);
        run(w);
        int64_t began = host_now_ms(w->h);
        WAIT_FOR(w, left(w) == 0);
        w->at[0].manner = HANGS_UP;
        take_in(w, 20, 40);
        WAIT_FOR(w, left(w) == 0);
        down(&w->at[0]);
        take_in(w, 40, 60);
        WAIT_FOR(w, left(w) == 0);
        assert_true(host_now_ms(w->h) - began < 5000);
        assert_true(w->at[0].offers > 0 && w->at[1].offers >= 60);
}
WORLD_CASE(the_other_signs, 2)

/* The copy came, the signer's answer did not: it is signed. */
static void answer_is_lost(struct world *w)
{
        w->at[0].manner = FORGETS;
        up(&w->at[0]);
        take_in(w, 0, 3);
        run(w);
        WAIT_FOR(w, left(w) == 0);
        rest(w, 1200);
        assert_int_equal(w->at[0].offers, 3);
}
WORLD_CASE(answer_is_lost, 1)

/* A connection that the signer closed meanwhile is opened anew at once. */
static void connection_went_stale(struct world *w)
{
        w->at[0].manner = ONE_MESSAGE;
        up(&w->at[0]);
        run(w);
        enum { COUNT = 60 };
        int64_t began = host_now_ms(w->h);
        for (int i = 0; i < COUNT; i++) {
                take_in(w, i, i + 1);
                WAIT_FOR(w, left(w) == 0);
                rest(w, 20);
        }
        /* each worker's first one needs no second try; the others would wait for the next pass */
        assert_true(host_now_ms(w->h) - began < (COUNT - HANDOVER_WORKERS) * HANDOVER_RETRY_FIRST_MS / 2);
}
WORLD_CASE(connection_went_stale, 1)

/* Stopped in the middle: soon over, nothing lost, and the next start goes on. */
static void stopped_in_the_middle(struct world *w)
{
        w->at[0].manner = SLOW;
        up(&w->at[0]);
        take_in(w, 0, 12);
        for (int64_t ms = 0; ms < 400; ms += 50) {
                run(w);
                rest(w, ms);
                int64_t began = host_now_ms(w->h);
                halt(w);
                assert_true(host_now_ms(w->h) - began < 3000);
        }
        run(w);
        WAIT_FOR(w, left(w) == 0);
}
WORLD_CASE(stopped_in_the_middle, 1)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_are_signed_once),
                cmocka_unit_test(test_dead_then_back),
                cmocka_unit_test(test_away_costs_little),
                cmocka_unit_test(test_liar_mends),
                cmocka_unit_test(test_one_is_refused_for_ever),
                cmocka_unit_test(test_failed_ones_have_their_turn),
                cmocka_unit_test(test_the_other_signs),
                cmocka_unit_test(test_answer_is_lost),
                cmocka_unit_test(test_connection_went_stale),
                cmocka_unit_test(test_stopped_in_the_middle),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
