/* SPDX-License-Identifier: ISC */
/* Everything at once, drawn: machines that talk to each other over TCP and UDP and write to their disks, under kills,
 * cuts and partitions. Whatever is heard is what was said; everybody unwinds; and it happens twice in the same way.
 * PTT_LONG=1: more seeds. */
#include <stdio.h>

#include "host/sim/stage.h"

enum { NODES = 4, CLIENTS = 3, STEPS = 60, PORT = 25, SEEDS = 12, SEEDS_LONG = 400 };

struct storm;

struct machine {
        struct storm *storm;
        struct sim_node *node;
        struct sim_disk *disk;
        struct ip ip;
        struct sim_random random; /* of its programs */
        uint64_t echoed;
};

struct storm {
        struct stage *stage;
        struct machine machines[NODES];
};

/* A session with the echo server. */
struct session {
        struct machine *machine;
        struct host *h;
        struct host_tcp *tcp;
};

static char byte_at(uint64_t salt, uint64_t i)
{
        return (char)(salt * 7 + i * 31 + (i >> 7));
}

static bool is_text(const char *p, size_t n, uint64_t salt, uint64_t from)
{
        for (size_t i = 0; i < n; i++)
                if (p[i] != byte_at(salt, from + i))
                        return false;
        return true;
}

static void echo(void *arg)
{
        struct session *e = arg;
        char bytes[700];
        size_t n;
        while (host_tcp_read(e->h, e->tcp, bytes, sizeof bytes, host_now_ms(e->h) + 20000, &n) == ERR_OK &&
                host_tcp_write(e->h, e->tcp, str_of(bytes, n), host_now_ms(e->h) + 20000) == ERR_OK)
                ;
        host_tcp_close(e->h, e->tcp);
        free(e);
}

static void serve_echo(void *arg)
{
        struct machine *m = arg;
        struct host *h = sim_node_host(m->node);
        const struct ip_port at = {.ip = m->ip, .port = PORT};
        struct host_listener *l;
        struct host_tcp *t;
        struct ip_port peer;
        struct scope scope;
        if (host_listen(h, &at, &l) != ERR_OK)
                return;
        scope_open(&scope, h->sched, FIBER_NEVER);
        while (host_accept(h, l, FIBER_NEVER, &t, &peer) == ERR_OK) {
                struct session *e = malloc(sizeof *e);
                assert_non_null(e);
                *e = (struct session){.machine = m, .h = h, .tcp = t};
                if (scope_spawn(&scope, "echo", echo, e) != ERR_OK) {
                        host_tcp_close(h, t);
                        free(e);
                }
        }
        (void)!scope_join(&scope);
        host_listener_close(h, l);
}

static void serve_udp(void *arg)
{
        struct machine *m = arg;
        struct host *h = sim_node_host(m->node);
        const struct ip_port at = {.ip = m->ip, .port = PORT};
        struct sim_udp_peer peer;
        struct sim_udp *u;
        char bytes[64];
        size_t n;
        if (sim_udp_open(h, &at, &u) != ERR_OK)
                return;
        while (sim_udp_receive(u, bytes, sizeof bytes, FIBER_NEVER, &n, &peer) == ERR_OK &&
                sim_udp_send(u, &peer, str_of(bytes, n)) == ERR_OK)
                ;
        sim_udp_close(u);
}

/* Say some bytes and hear them again, or the first of them. */
static void talk(struct machine *m, struct host *h, const struct ip_port *to)
{
        struct host_tcp *t;
        char bytes[2000], heard[300];
        uint64_t salt = sim_random_u64(&m->random), said = 0, got = 0;
        size_t n;
        if (host_connect(h, to, host_now_ms(h) + 5000, &t) != ERR_OK)
                return;
        for (unsigned i = 0; i < 5; i++) {
                n = (size_t)sim_random_below(&m->random, sizeof bytes + 1);
                for (size_t k = 0; k < n; k++)
                        bytes[k] = byte_at(salt, said + k);
                if (host_tcp_write(h, t, str_of(bytes, n), host_now_ms(h) + 5000) != ERR_OK)
                        break;
                said += n;
                while (got < said &&
                        host_tcp_read(h, t, heard, sizeof heard, host_now_ms(h) + 5000, &n) == ERR_OK) {
                        assert_true(is_text(heard, n, salt, got));
                        got += n;
                }
                assert_true(got <= said);
        }
        m->echoed += got;
        host_tcp_close(h, t);
}

static void ask(struct machine *m, struct host *h, const struct ip_port *to)
{
        struct host_udp *u;
        uint64_t question = sim_random_u64(&m->random), answer;
        size_t n;
        if (host_udp_open(h, to, &u) != ERR_OK)
                return;
        if (host_udp_send(h, u, str_of(&question, sizeof question)) == ERR_OK &&
                host_udp_receive(h, u, &answer, sizeof answer, host_now_ms(h) + 1000, &n) == ERR_OK)
                assert_true(n == sizeof answer && answer == question);
        host_udp_close(h, u);
}

static void run_client(void *arg)
{
        struct machine *m = arg;
        struct host *h = sim_node_host(m->node);
        do {
                size_t peer = (size_t)sim_random_below(&m->random, NODES);
                const struct ip_port to = {.ip = m->storm->machines[peer].ip, .port = PORT};
                if (sim_random_below(&m->random, 3) == 0)
                        ask(m, h, &to);
                else
                        talk(m, h, &to);
        } while (fiber_sleep(h->sched, sim_random_between(&m->random, 0, 3000)) == ERR_OK);
}

/* A counter on the disk, each value flushed before the next. */
static void run_disk(void *arg)
{
        struct machine *m = arg;
        struct host *h = sim_node_host(m->node);
        struct host_block *b;
        uint64_t v;
        if (host_block_open(h, S("disk"), false, &b) != ERR_OK)
                return;
        if (host_block_read(h, b, 0, &v, sizeof v) == ERR_OK)
                do
                        v++;
                while (host_block_write(h, b, 0, str_of(&v, sizeof v)) == ERR_OK &&
                        host_block_flush(h, b) == ERR_OK && fiber_sleep(h->sched, 500) == ERR_OK);
        host_block_close(h, b);
}

static int run_machine(struct host *h, void *arg)
{
        struct scope scope;
        scope_open(&scope, h->sched, FIBER_NEVER);
        enum err err = scope_spawn(&scope, "echo server", serve_echo, arg);
        if (err == ERR_OK)
                err = scope_spawn(&scope, "udp server", serve_udp, arg);
        if (err == ERR_OK)
                err = scope_spawn(&scope, "disk", run_disk, arg);
        for (unsigned i = 0; i < CLIENTS && err == ERR_OK; i++)
                err = scope_spawn(&scope, "client", run_client, arg);
        if (err == ERR_OK)
                err = host_wait_stop(h);
        scope_cancel(&scope);
        (void)!scope_join(&scope);
        return err == ERR_OK ? 0 : 1;
}

/* Bad luck. */

static struct sim_node *draw_node(struct storm *storm, struct sim_random *r)
{
        return storm->machines[sim_random_below(r, NODES)].node;
}

static void draw_link(struct sim_link *link, struct sim_random *r)
{
        link->jitter_ms = sim_random_between(r, 0, 100);
        link->window = (size_t)sim_random_between(r, 100, 5000);
        link->loss_ppm = (uint32_t)sim_random_below(r, SIM_PPM / 5);
        link->split_ppm = (uint32_t)sim_random_below(r, SIM_PPM);
        link->cut_ppm = (uint32_t)sim_random_below(r, SIM_PPM / 2);
        link->cut_within = 3000;
        link->cut_how = SIM_CUT_ANY;
        link->udp_loss_ppm = link->udp_copy_ppm = link->udp_late_ppm = SIM_PPM / 10;
        link->udp_late_ms = 500;
        link->bytes_per_s = sim_random_below(r, 2) * 20000;
}

static void misfortune(struct storm *storm, struct sim_random *r)
{
        struct sim *sim = storm->stage->sim;
        struct sim_node *node = draw_node(storm, r), *other = draw_node(storm, r);
        enum sim_kill kill = sim_random_below(r, 2) == 0 ? SIM_KILL_PROCESS : SIM_KILL_POWER;
        enum sim_moment moment = sim_random_below(r, 2) == 0 ? SIM_BEFORE : SIM_AFTER;
        enum sim_cut cut = (enum sim_cut)sim_random_below(r, SIM_CUT_ANY + 1);
        uint64_t n = 1 + sim_random_below(r, 200);
        struct sim_link link = sim_link_get(sim, node, other);
        switch (sim_random_below(r, 8)) {
        case 0:
                sim_node_kill(node, kill);
                break;
        case 1:
                sim_node_kill_at_call(node, n, moment, kill);
                break;
        case 2:
                sim_link_down(sim, node, other, sim_now(sim) + (int64_t)n * 100);
                break;
        case 3:
                sim_partition(sim, &node, 1, sim_now(sim) + (int64_t)n * 100);
                break;
        case 4:
                (void)sim_link_cut(sim, node, other, cut);
                break;
        case 5:
                sim_link_cut_next(sim, node, other, n, cut);
                break;
        case 6:
                draw_link(&link, r);
                sim_link_set(sim, node, other, &link);
                break;
        default:
                sim_node_stop(node);
        }
}

static void storm_main(struct stage *s)
{
        struct storm *storm = s->arg;
        struct sim_random r = sim_random_of(sim_seed(s->sim), S("test"), S("storm"));
        storm->stage = s;
        for (size_t i = 0; i < NODES; i++) {
                struct machine *m = &storm->machines[i];
                char name[8];
                (void)snprintf(name, sizeof name, "m%zu", i);
                *m = (struct machine){
                        .storm = storm, .disk = sim_disk_new(4096), .ip = ip_v4(10, 1, 0, (uint8_t)i)};
                m->random = sim_random_of(sim_seed(s->sim), S("test"), str_of_c(name));
                m->disk->flush_ms = 2;
                m->node = sim_node_add(s->sim, name, &m->ip, 1, m->disk);
        }
        for (unsigned step = 0; step < STEPS; step++) {
                for (size_t i = 0; i < NODES; i++)
                        if (!sim_node_is_running(storm->machines[i].node))
                                sim_node_start(storm->machines[i].node, run_machine, &storm->machines[i]);
                stage_sleep(s, sim_random_between(&r, 0, 5000));
                misfortune(storm, &r);
        }
        sim_heal(s->sim);
        for (size_t i = 0; i < NODES; i++) {
                int status;
                sim_node_stop(storm->machines[i].node);
                assert_int_equal(sim_node_join(storm->machines[i].node, stage_in(s, 1), &status), ERR_OK);
        }
        stage_sleep(s, 20 * 60000); /* what still lingers in the network ends as well */
        for (size_t i = 0; i < NODES; i++)
                assert_int_equal(sim_node_counters(storm->machines[i].node).open, 0);
}

static uint64_t play(struct stage *s, uint64_t seed)
{
        struct storm storm;
        uint64_t echoed = 0;
        *s = (struct stage){.arg = &storm};
        stage_play(s, seed, storm_main);
        if (sim_failure(s->sim) != NULL)
                fail_msg("seed %llu: %s", (unsigned long long)seed, sim_failure(s->sim));
        for (size_t i = 0; i < NODES; i++) {
                sim_disk_free(storm.machines[i].disk);
                echoed += storm.machines[i].echoed;
        }
        return echoed;
}

static void test_storms(void **state)
{
        uint64_t seeds = getenv("PTT_LONG") != NULL ? SEEDS_LONG : SEEDS;
        (void)state;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
                struct stage first, second;
                uint64_t echoed = play(&first, seed);
                assert_true(echoed > 10000);
                assert_true(play(&second, seed) == echoed);
                assert_int_equal(first.n, second.n);
                assert_memory_equal(first.trace, second.trace, first.n);
                stage_end(&first);
                stage_end(&second);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_storms),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
