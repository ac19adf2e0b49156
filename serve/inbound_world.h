/* SPDX-License-Identifier: ISC */
/* For tests: lipap's SMTP side over real connections on loopback, with a DNS of its own. Strangers come by IPv6, the
 * signer's network is IPv4. */
#ifndef SERVE_INBOUND_WORLD_H
#define SERVE_INBOUND_WORLD_H

#define _GNU_SOURCE /* mkdtemp: to be included first */

#include "serve/inbound.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/linux/linux.h"
#include "host/linux/test_folder.h"
#include "serve/fake_texts.h"
#include "serve/smtpd.h"
#include "store/lists.h"
#include "store/messages.h"

struct rig {
        struct host *host;
        struct lipap node;
        struct ip_port stranger_at, signer_at;
        struct fake_texts texts;
        struct host_listener *listeners[2];
        size_t next_listener;
        char folder[TEST_FOLDER_MAX], image[TEST_FOLDER_MAX + 16];
        void (*test)(struct rig *r);
        struct arena arena;
        char memory[512 * 1024];
};

/* ---- a client that speaks from a script ---- */

/* Read one reply and compare its beginning with what the script wants. */
static inline void expect(struct rig *r, struct host_tcp *tcp, struct str want)
{
        char text[4096];
        size_t n = 0, line = 0;
        for (;;) {
                size_t got;
                assert_true(n < sizeof text);
                assert_int_equal(
                        host_tcp_read(r->host, tcp, text + n, 1, host_now_ms(r->host) + 20000, &got), ERR_OK);
                n++;
                if (text[n - 1] != '\n')
                        continue;
                if (n - line > 3 && text[line + 3] == ' ')
                        break;
                line = n;
        }
        struct str last = str_of(text + line, n - line);
        if (!str_has_prefix(last, want))
                print_error("wanted %.*s, got %.*s", STR_ARG(want), STR_ARG(last));
        assert_true(str_has_prefix(last, want));
}

static inline struct host_tcp *dial(struct rig *r, const struct ip_port *to)
{
        struct host_tcp *tcp;
        assert_int_equal(host_connect(r->host, to, host_now_ms(r->host) + 20000, &tcp), ERR_OK);
        expect(r, tcp, S("220"));
        return tcp;
}

static inline void say(struct rig *r, struct host_tcp *tcp, struct str bytes)
{
        assert_int_equal(host_tcp_write(r->host, tcp, bytes, host_now_ms(r->host) + 20000), ERR_OK);
}

/* Lines "C: command" and "S: beginning of the reply". */
static inline void play(struct rig *r, struct host_tcp *tcp, const char *script)
{
        struct str rest = str_of_c(script);
        while (rest.n > 0) {
                struct str line, tail;
                (void)str_cut(rest, '\n', &line, &tail);
                rest = tail;
                struct str text = str_skip(line, 3);
                if (str_has_prefix(line, S("C: "))) {
                        say(r, tcp, text);
                        say(r, tcp, S("\r\n"));
                } else if (line.n > 0) {
                        expect(r, tcp, text);
                }
        }
}

static inline void stranger(struct rig *r, const char *script)
{
        struct host_tcp *tcp = dial(r, &r->stranger_at);
        play(r, tcp, "C: EHLO client.example\nS: 250");
        play(r, tcp, script);
        host_tcp_close(r->host, tcp);
}

/* Send a whole message to `to` and give the beginning of the reply that is wanted. */
static inline void deliver(struct rig *r, const struct ip_port *at, const char *from, const char *to,
        struct str message, const char *want)
{
        char line[400];
        struct host_tcp *tcp = dial(r, at);
        play(r, tcp, "C: EHLO client.example\nS: 250");
        snprintf(line, sizeof line, "C: MAIL FROM:<%s>\nS: 250\nC: RCPT TO:<%s>\nS: 250\nC: DATA\nS: 354",
                from, to);
        play(r, tcp, line);
        say(r, tcp, message);
        if (!str_has_suffix_nocase(message, S("\r\n")))
                say(r, tcp, S("\r\n"));
        say(r, tcp, S(".\r\n"));
        expect(r, tcp, str_of_c(want));
        play(r, tcp, "C: QUIT\nS: 221");
        host_tcp_close(r->host, tcp);
}

static inline void post(struct rig *r, const char *message, const char *want)
{
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of_c(message), want);
}

/* ---- the node ---- */

static inline void listen_run(void *arg)
{
        struct rig *r = arg;
        struct smtpd_listen_config config = {.host = r->host,
                .listener = r->listeners[r->next_listener++],
                .gate = &r->node.gate,
                .session = inbound_session,
                .ctx = &r->node};
        (void)smtpd_listen(&config);
}

static inline void add_lists(struct rig *r)
{
        const struct str moderator = S("owner@example.org"),
                         members[] = {S("Author@Example.org"), S("b@b.test")};
        struct store_list_new list = {.name = S("ptt"),
                .domain = S("mailingl.st"),
                .moderators = &moderator,
                .moderator_count = 1,
                .members = members,
                .member_count = 2};
        const struct store_setting announce = {S("posting"), S("announce")};
        int64_t id;
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
        list.name = S("news-and.views");
        list.settings = &announce;
        list.setting_count = 1;
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
}

/* example.org lets its mail come from loopback; it has no policy. */
static const struct fake_text inbound_texts[] = {
        {"example.org", "v=spf1 ip6:::1 -all"},
        {NULL, NULL},
};

static inline void start_resolver(struct rig *r, struct scope *scope)
{
        struct dns_server server = {0};
        fake_texts_start(&r->texts, r->host, scope);
        server.at = r->texts.dns.at;
        struct resolver_config config = {
                .servers = &server, .server_count = 1, .timeout_ms = 400, .rounds = 1};
        r->node.resolver = resolver_new(r->host, &config);
        assert_non_null(r->node.resolver);
        evaluation_node_init(&r->node.evaluations, r->host, r->node.resolver);
}

static inline void listen_anywhere(
        struct rig *r, const char *ip, struct ip_port *at, struct host_listener **out)
{
        enum err e = ERR_BUSY;
        assert_int_equal(ip_port_parse(str_of_c(ip), 1, at), ERR_OK);
        for (int tries = 0; tries < 100 && e == ERR_BUSY; tries++) {
                at->port = (uint16_t)(20000 + host_random_below(r->host, 12000));
                e = host_listen(r->host, at, out);
        }
        assert_int_equal(e, ERR_OK);
}

static inline void rig_main(void *arg)
{
        struct rig *r = arg;
        struct sched *s = r->host->sched;
        struct scope store_scope, scope;
        int fd = open(r->image, O_CREAT | O_EXCL | O_WRONLY, 0600);
        assert_true(fd >= 0 && ftruncate(fd, 64 << 20) == 0);
        close(fd);
        assert_int_equal(store_create(r->host, str_of_c(r->image)), ERR_OK);
        assert_int_equal(store_open(r->host, str_of_c(r->image), &r->node.store), ERR_OK);
        scope_open(&store_scope, s, FIBER_NEVER);
        assert_int_equal(store_start(r->node.store, &store_scope), ERR_OK);
        add_lists(r);
        start_resolver(r, &store_scope);
        listen_anywhere(r, "::1", &r->stranger_at, &r->listeners[0]);
        listen_anywhere(r, "127.0.0.1", &r->signer_at, &r->listeners[1]);
        scope_open(&scope, s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "listen", listen_run, r), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "listen", listen_run, r), ERR_OK);
        r->test(r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        host_listener_close(r->host, r->listeners[0]);
        host_listener_close(r->host, r->listeners[1]);
        inbound_forget(&r->node);
        evaluation_node_drop(&r->node.evaluations);
        resolver_free(r->node.resolver);
        scope_cancel(&store_scope);
        (void)scope_join(&store_scope);
        fake_stop(&r->texts.dns);
        store_close(r->node.store);
}

/* `texts` NULL: inbound_texts. */
static inline void with_texts(const struct fake_text *texts, void (*test)(struct rig *r))
{
        struct rig *r = calloc(1, sizeof *r);
        char command[TEST_FOLDER_MAX + 8];
        assert_non_null(r);
        test_folder_make(r->folder, "inbound");
        snprintf(r->image, sizeof r->image, "%s/image", r->folder);
        r->host = linux_host_new(NULL);
        assert_non_null(r->host);
        arena_init(&r->arena, r->memory, sizeof r->memory);
        r->test = test;
        r->texts.list = texts ? texts : inbound_texts;
        r->node.host = r->host;
        r->node.hostname = S("mx.mailingl.st");
        r->node.authserv_id = S("mailingl.st");
        r->node.message_max = 1 << 20;
        r->node.gate.most = LIPAP_SESSIONS_MAX;
        r->node.gate.reserved = LIPAP_SESSIONS_RESERVED;
        r->node.domains[0].name = S("mailingl.st");
        r->node.domain_count = 1;
        assert_int_equal(token_key_derive(S("seed"), &r->node.domains[0].keys[0]), ERR_OK);
        r->node.domains[0].key_count = 1;
        assert_int_equal(ip_net_parse(S("127.0.0.0/8"), &r->node.signer_networks[0]), ERR_OK);
        r->node.signer_network_count = 1;
        linux_host_run(r->host, rig_main, r);
        linux_host_free(r->host);
        snprintf(command, sizeof command, "rm -rf %s", r->folder);
        assert_int_equal(system(command), 0);
        free(r);
}

static inline void with_node(void (*test)(struct rig *r))
{
        with_texts(NULL, test);
}

#endif
