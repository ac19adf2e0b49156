/* SPDX-License-Identifier: ISC */
/* For tests of the simulated DNS: a primary at 10.0.0.1, a secondary at 10.0.0.2, a resolver at 10.0.0.3, and a client
 * at 10.0.0.9 on which the test plays. Zones are the test's to make. */
#ifndef TESTS_SIM_DNS_RIG_H
#define TESTS_SIM_DNS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/siphash.h"
#include "serve/dns_update.h"
#include "tests/sim/dns_peer.h"

#define RIG_SECRET "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

struct rig {
        struct sim *sim;
        struct dns_world *world;
        struct sim_node *nodes[3], *client;
        struct dns_peer *primary, *secondary, *resolver;
        struct host *h; /* the client's */
        void (*play)(struct rig *r);
        uint64_t trace; /* a hash of all lines */
        char answer[DNS_ANSWER_ROOM];
};

static inline struct dns_name rig_name(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

static inline struct dns_zone *rig_zone(struct rig *r, const char *origin, const char *lines)
{
        struct dns_zone *z;
        size_t line;
        assert_int_equal(dns_zone_new(r->world, str_of_c(origin), &z), ERR_OK);
        assert_int_equal(dns_zone_edit(z, str_of_c(lines), &line), ERR_OK);
        dns_peer_serve(r->primary, z, DNS_PRIMARY);
        dns_peer_serve(r->secondary, z, DNS_SECONDARY);
        return z;
}

static inline void rig_edit(struct rig *r, const char *line)
{
        assert_int_equal(dns_world_edit(r->world, str_of_c(line)), ERR_OK);
}

static inline struct dns_server rig_server(uint8_t last, bool tcp_only)
{
        return (struct dns_server){.at = {ip_v4(10, 0, 0, last), 53}, .tcp_only = tcp_only};
}

static inline void rig_sleep(struct rig *r, int64_t ms)
{
        assert_int_equal(fiber_sleep(r->h->sched, ms), ERR_OK);
}

/* Ask one server once, with recursion; the answer lives until the next one. */
static inline enum err rig_ask(
        struct rig *r, uint8_t server, const char *name, uint16_t type, struct dns_answer *out)
{
        struct dns_name n = rig_name(name);
        struct dns_server at = rig_server(server, false);
        struct dns_query query = {.name = &n, .type = type, .recursion_desired = true};
        struct dns_reply reply;
        struct arena arena;
        *out = (struct dns_answer){0};
        enum err e = dns_exchange_query(r->h, &at, &query, host_now_ms(r->h) + 6000, &reply);
        if (e != ERR_OK)
                return e;
        arena_init(&arena, r->answer, sizeof r->answer);
        e = dns_answer_read(reply.message, &n, type, &arena, out);
        dns_reply_free(&reply);
        return e;
}

/* "k.ZONE" with the rig's secret. */
static inline struct tsig_key rig_key(const char *name)
{
        char text[128];
        struct tsig_key key;
        (void)snprintf(text, sizeof text, "%s:SHA256:" RIG_SECRET, name);
        assert_int_equal(tsig_key_parse(str_of_c(text), &key), ERR_OK);
        return key;
}

static inline void rig_key_add(struct rig *r, const char *name, const char *zone)
{
        char text[128];
        (void)snprintf(text, sizeof text, "%s:SHA256:" RIG_SECRET, name);
        assert_int_equal(dns_key_add(r->world, str_of_c(text), str_of_c(zone)), ERR_OK);
}

static inline void rig_trace(void *arg, struct str line)
{
        static const uint8_t key[SIPHASH_KEY_SIZE] = {1};
        struct rig *r = arg;
        uint64_t both[2] = {r->trace, siphash(key, line)};
        r->trace = siphash(key, str_of(both, sizeof both));
        if (getenv("PTT_TRACE"))
                printf("%.*s", STR_ARG(line));
}

static inline int rig_client(struct host *h, void *arg)
{
        struct rig *r = arg;
        r->h = h;
        r->play(r);
        return 0;
}

static inline void rig_main(struct sim *sim, void *arg)
{
        struct rig *r = arg;
        struct dns_peer *peers[3] = {r->primary, r->secondary, r->resolver};
        int status;
        (void)sim;
        for (size_t i = 0; i < 3; i++)
                sim_node_start(r->nodes[i], dns_peer_run, peers[i]);
        sim_node_start(r->client, rig_client, r);
        assert_int_equal(sim_node_join(r->client, FIBER_NEVER, &status), ERR_OK);
        for (size_t i = 0; i < 3; i++) {
                sim_node_stop(r->nodes[i]);
                assert_int_equal(sim_node_join(r->nodes[i], FIBER_NEVER, &status), ERR_OK);
                assert_int_equal(status, 0);
        }
}

/* Play on the client's node; gives the hash of the trace. */
static inline uint64_t rig_run(uint64_t seed, void (*play)(struct rig *r))
{
        static const char *const names[3] = {"ns1", "ns2", "resolver"};
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        struct sim_watch watch = {.trace = rig_trace, .arg = r};
        r->play = play;
        r->sim = sim_new(seed, &watch);
        r->world = dns_world_new(r->sim);
        for (uint8_t i = 0; i < 3; i++) {
                struct ip ip = ip_v4(10, 0, 0, (uint8_t)(1 + i));
                r->nodes[i] = sim_node_add(r->sim, names[i], &ip, 1, NULL);
        }
        struct ip ip = ip_v4(10, 0, 0, 9);
        r->client = sim_node_add(r->sim, "client", &ip, 1, NULL);
        r->primary = dns_peer_new(r->world, r->nodes[0], DNS_PEER_SERVER);
        r->secondary = dns_peer_new(r->world, r->nodes[1], DNS_PEER_SERVER);
        r->resolver = dns_peer_new(r->world, r->nodes[2], DNS_PEER_RESOLVER);
        sim_run(r->sim, rig_main, r);
        if (sim_failure(r->sim))
                fail_msg("%s", sim_failure(r->sim));
        uint64_t trace = r->trace;
        sim_free(r->sim);
        dns_world_free(r->world);
        free(r);
        return trace;
}

#endif
