/* SPDX-License-Identifier: ISC */
/* lipap's SMTP side over real connections on loopback: strangers come by IPv6, the signer's network is IPv4. */
#define _GNU_SOURCE /* mkdtemp */
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

#include "auth/dkim_sign.h"
#include "host/linux/linux.h"
#include "serve/smtpd.h"
#include "store/delivery.h"
#include "store/lists.h"
#include "store/messages.h"

#define BIG (LIPAP_PREFIX_MAX + 4096)

struct rig {
        struct host *host;
        struct lipap node;
        struct ip_port stranger_at, signer_at;
        struct host_listener *listeners[2];
        size_t next_listener;
        char folder[64], image[80];
        void (*test)(struct rig *r);
        struct arena arena;
        char memory[512 * 1024];
};

/* ---- a client that speaks from a script ---- */

/* Read one reply and compare its beginning with what the script wants. */
static void expect(struct rig *r, struct host_tcp *tcp, struct str want)
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

static struct host_tcp *dial(struct rig *r, const struct ip_port *to)
{
        struct host_tcp *tcp;
        assert_int_equal(host_connect(r->host, to, host_now_ms(r->host) + 20000, &tcp), ERR_OK);
        expect(r, tcp, S("220"));
        return tcp;
}

static void say(struct rig *r, struct host_tcp *tcp, struct str bytes)
{
        assert_int_equal(host_tcp_write(r->host, tcp, bytes, host_now_ms(r->host) + 20000), ERR_OK);
}

/* Lines "C: command" and "S: beginning of the reply". */
static void play(struct rig *r, struct host_tcp *tcp, const char *script)
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

static void stranger(struct rig *r, const char *script)
{
        struct host_tcp *tcp = dial(r, &r->stranger_at);
        play(r, tcp, "C: EHLO client.example\nS: 250");
        play(r, tcp, script);
        host_tcp_close(r->host, tcp);
}

/* Send a whole message to `to` and give the beginning of the reply that is wanted. */
static void deliver(struct rig *r, const struct ip_port *at, const char *from, const char *to,
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

static void post(struct rig *r, const char *message, const char *want)
{
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of_c(message), want);
}

/* ---- the node ---- */

static void listen_run(void *arg)
{
        struct rig *r = arg;
        struct smtpd_listen_config config = {.host = r->host,
                .listener = r->listeners[r->next_listener++],
                .gate = &r->node.gate,
                .session = inbound_session,
                .ctx = &r->node};
        (void)smtpd_listen(&config);
}

static void add_lists(struct rig *r)
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

static void listen_anywhere(struct rig *r, const char *ip, struct ip_port *at, struct host_listener **out)
{
        enum err e = ERR_BUSY;
        assert_int_equal(ip_port_parse(str_of_c(ip), 1, at), ERR_OK);
        for (int tries = 0; tries < 100 && e == ERR_BUSY; tries++) {
                at->port = (uint16_t)(20000 + host_random_below(r->host, 12000));
                e = host_listen(r->host, at, out);
        }
        assert_int_equal(e, ERR_OK);
}

static void rig_main(void *arg)
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
        scope_cancel(&store_scope);
        (void)scope_join(&store_scope);
        store_close(r->node.store);
}

static void with_node(void (*test)(struct rig *r))
{
        struct rig *r = calloc(1, sizeof *r);
        char command[128];
        assert_non_null(r);
        snprintf(r->folder, sizeof r->folder, "/tmp/ptt-inbound-XXXXXX");
        assert_non_null(mkdtemp(r->folder));
        snprintf(r->image, sizeof r->image, "%s/image", r->folder);
        r->host = linux_host_new(NULL);
        assert_non_null(r->host);
        arena_init(&r->arena, r->memory, sizeof r->memory);
        r->test = test;
        r->node.host = r->host;
        r->node.hostname = S("mx.mailingl.st");
        r->node.message_max = 1 << 20;
        r->node.gate.most = LIPAP_SESSIONS_MAX;
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

/* ---- recipients ---- */

static void recipients(struct rig *r)
{
        static const struct {
                const char *from, *to, *want;
        } cases[] = {
                {"author@example.org", "ptt@mailingl.st", "250 2.1.5"},
                {"AUTHOR@EXAMPLE.ORG", "PTT@MailingL.st",
                        "250 2.1.5"}, /* mixed-case domains get nothing, once */
                {"author@example.org", "\"ptt\"@mailingl.st", "250 2.1.5"},
                {"author@example.org", "nobody@mailingl.st", "550 5.1.1"},
                {"author@example.org", "ptt@example.org", "550 5.7.1"},
                {"author@example.org", "ptt-return-aaaaaaaaaaaaaaaaaaaaaaaa@mailingl.st", "550 5.1.1"},
                {"author@example.org", "_signed.aaaa@mailingl.st", "550 5.1.1"},
                {"stranger@example.org", "ptt@mailingl.st", "550 5.7.1"},
                {"", "ptt@mailingl.st", "550 5.7.1"},
                {"author@example.org", "news-and.views@mailingl.st", "550 5.7.1"},
                {"owner@example.org", "news-and.views@mailingl.st", "250 2.1.5"},
                {"", "postmaster@mailingl.st", "250 2.1.5"},
                {"", "Postmaster", "250 2.1.5"},
                {"stranger@example.org", "abuse@mailingl.st", "250 2.1.5"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char script[400];
                snprintf(script, sizeof script,
                        "C: MAIL FROM:<%s>\nS: 250\nC: RCPT TO:<%s>\nS: %s\nC: QUIT\nS: 221", cases[i].from,
                        cases[i].to, cases[i].want);
                stranger(r, script);
        }
        stranger(r,
                "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                "C: RCPT TO:<ptt@mailingl.st>\nS: 250\nC: RCPT TO:<postmaster@mailingl.st>\nS: 452 4.5.3\n"
                "C: RSET\nS: 250\nC: MAIL FROM:<author@example.org>\nS: 250\n"
                "C: RCPT TO:<postmaster@mailingl.st>\nS: 250");
}

static void return_paths(struct rig *r)
{
        char text[64], script[300];
        struct wr w;
        struct store_failure *failures;
        size_t count;
        struct token token = {.id = 1, .day = 20000};
        wr_init(&w, text, sizeof text);
        assert_int_equal(
                token_write(&w, &r->node.domains[0].keys[0], TOKEN_RETURN, S("ptt@mailingl.st"), &token),
                ERR_OK);
        snprintf(script, sizeof script, "ptt-return-%.*s@mailingl.st", (int)w.n, text);
        deliver(r, &r->stranger_at, "", script, S("Subject: no\r\n\r\nStatus: 5.1.1\r\n"), "250 2.0.0");
        assert_int_equal(store_failures(r->node.store, 0, 10, &r->arena, &failures, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_int_equal(failures[0].member, 1);
        assert_true(str_eq(failures[0].reply, S("5.1.1")));
        /* a token of one list is none of another's */
        snprintf(script, sizeof script,
                "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<news-and.views-return-%.*s@mailingl.st>\nS: 550 5.1.1",
                (int)w.n, text);
        stranger(r, script);
}

/* Recipients that were refused leave nothing behind: neither in the transaction's memory nor for the next one. */
static void refused_recipients(struct rig *r)
{
        struct str moderators[300];
        char(*text)[32] = calloc(300, sizeof *text), script[400];
        int64_t id;
        assert_non_null(text);
        for (size_t i = 0; i < 300; i++) {
                snprintf(text[i], sizeof text[i], "moderator-%zu@example.org", i);
                moderators[i] = str_of_c(text[i]);
        }
        const struct store_setting announce = {S("posting"), S("announce")};
        struct store_list_new list = {.name = S("crowd"),
                .domain = S("mailingl.st"),
                .settings = &announce,
                .setting_count = 1,
                .moderators = moderators,
                .moderator_count = 300};
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
        free(text);
        struct host_tcp *tcp = dial(r, &r->stranger_at);
        play(r, tcp, "C: EHLO c\nS: 250\nC: MAIL FROM:<author@example.org>\nS: 250");
        for (int i = 0; i < 15; i++)
                play(r, tcp, "C: RCPT TO:<crowd@mailingl.st>\nS: 550 5.7.1");
        snprintf(script, sizeof script,
                "C: RCPT TO:<ptt@mailingl.st>\nS: 250 2.1.5\nC: DATA\nS: 354\nC: From: a@b.test\nC: \nC: "
                ".\nS: 250");
        play(r, tcp, script);
        host_tcp_close(r->host, tcp);
}

/* ---- posts ---- */

static void post_limit(struct rig *r)
{
        static const char start[] = "From: a@b.test\r\n\r\n";
        char text[3000];
        memset(text, 'x', sizeof text);
        memcpy(text, start, sizeof start - 1);
        for (size_t i = 500; i + 2 < sizeof text; i += 500)
                memcpy(text + i, "\r\n", 2);
        assert_int_equal(store_setting_put(r->node.store, 1, S("max-message"), S("2K")), ERR_OK);
        stranger(r,
                "C: MAIL FROM:<author@example.org> SIZE=2049\nS: 250\n"
                "C: RCPT TO:<ptt@mailingl.st>\nS: 552 5.3.4\nC: RCPT TO:<postmaster@mailingl.st>\nS: 250");
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, 2047), "552 5.3.4");
        assert_int_equal(store_space(r->node.store).used, 0);
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, 2046), "250 2.0.0");
        deliver(r, &r->stranger_at, "author@example.org", "postmaster@mailingl.st", str_of(text, 2900),
                "250 2.0.0");
}

static void posts(struct rig *r)
{
        int64_t ids[4];
        size_t count;
        post(r, "Subject: x\r\n\r\nno author\r\n", "554 5.6.0");
        post(r, "From: a@b.test\r\nFrom: c@b.test\r\n\r\ntwo\r\n", "554 5.6.0");
        post(r, "From: a@b.test\r\nno field\r\n\r\nx\r\n", "554 5.6.0");
        post(r, "From: a@b.test\r\nList-Id: old <ptt.mailingl.st>\r\n\r\nloop\r\n", "554 5.4.6");
        post(r, "From: a@b.test\r\nAuto-Submitted: auto-replied\r\n\r\nvacation\r\n", "554 5.7.1");
        assert_int_equal(store_tickets_open(r->node.store, 0, 4, ids, &count), ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(store_space(r->node.store).used, 0);
        assert_int_equal(store_space(r->node.store).reserved, 0);
        post(r, "From: a@b.test\r\nList-Id: <other.example.org>\r\n\r\nfine\r\n", "250 2.0.0");
        post(r, "From: a@b.test\r\nno-body: at all\r\n", "250 2.0.0");
        assert_int_equal(store_tickets_open(r->node.store, 0, 4, ids, &count), ERR_OK);
        assert_int_equal(count, 2);
        stranger(r, "C: MAIL FROM:<author@example.org> SIZE=9999999\nS: 552 5.3.4");
}

static void post_repeated(struct rig *r, const char *field, size_t count, const char *want)
{
        size_t n = 0, cap = 65536;
        char *text = malloc(cap);
        assert_non_null(text);
        for (size_t i = 0; i < count; i++)
                n += (size_t)snprintf(text + n, cap - n, "%s: x; y\r\n", field);
        (void)snprintf(text + n, cap - n, "From: a@b.test\r\n\r\nx\r\n");
        post(r, text, want);
        free(text);
}

/* No message is taken that nec, which finds our own fields in front of it, would refuse for ever. */
static void repeated_fields(struct rig *r)
{
        size_t covered = 2 + dkim_cover_default_count - 4; /* From, all names over but the last three */
        post_repeated(r, "Received", MAIL_RECEIVED_MAX, "250 2.0.0");
        post_repeated(r, "Received", MAIL_RECEIVED_MAX + 1, "554 5.4.6");
        post_repeated(r, "To", DKIM_COVERED_MAX - 4 - covered, "250 2.0.0");
        post_repeated(r, "To", DKIM_COVERED_MAX - 4 - covered + 1, "554 5.6.0");
        post_repeated(r, "X-Any", 900, "250 2.0.0");
        post_repeated(r, "X-Any", 950, "552 5.3.4");
}

static void large_header(struct rig *r)
{
        size_t n = MAIL_HEADER_MAX + 65536;
        char *text = malloc(n);
        assert_non_null(text);
        for (size_t i = 0; i < n; i += 64)
                memcpy(text + i, "X-Padding: 012345678901234567890123456789012345678901234567890\r\n", 64);
        struct lipap_stats before = r->node.stats;
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, n), "552 5.3.4");
        assert_int_equal(r->node.stats.refused[552 - 400] - before.refused[552 - 400], 1);
        assert_int_equal(r->node.stats.accepted, before.accepted);
        assert_int_equal(store_space(r->node.store).used, 0);
        free(text);
}

/* ---- signed copies ---- */

struct handed {
        struct store_message message;
        char address[128];
        char text[8192];
        size_t n;
};

static void take_in(struct rig *r, struct handed *out)
{
        int64_t ids[8];
        size_t count;
        struct store_reader *reader;
        arena_reset(&r->arena);
        post(r, "From: a@b.test\r\nSubject: dots\r\n\r\n..one\r\ntwo\r\n", "250 2.0.0");
        assert_int_equal(store_tickets_open(r->node.store, 0, 8, ids, &count), ERR_OK);
        assert_int_equal(store_message_get(r->node.store, ids[count - 1], &r->arena, &out->message), ERR_OK);
        snprintf(out->address, sizeof out->address, "_signed.%.*s@mailingl.st", STR_ARG(out->message.ticket));
        assert_int_equal(store_reader_open(r->node.store, ids[count - 1], STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, out->text, sizeof out->text, &out->n), ERR_OK);
        assert_int_equal(out->n, store_reader_size(reader));
        store_reader_close(reader);
}

/* As a signer would send it: dots are doubled where a line begins with one. */
static void give_back(
        struct rig *r, const struct handed *h, struct str prefix, struct str message, const char *want)
{
        char *wire = malloc(BIG + 2 * sizeof h->text);
        struct wr w;
        assert_non_null(wire);
        wr_init(&w, wire, BIG + 2 * sizeof h->text);
        wr_str(&w, prefix);
        for (size_t i = 0; i < message.n; i++) {
                if (message.p[i] == '.' && (i == 0 || message.p[i - 1] == '\n'))
                        wr_byte(&w, '.');
                wr_byte(&w, message.p[i]);
        }
        assert_int_equal(wr_end(&w), ERR_OK);
        deliver(r, &r->signer_at, "", h->address, wr_text(&w), want);
        free(wire);
}

static enum store_state state_of(struct rig *r, const struct handed *h)
{
        struct store_message m;
        assert_int_equal(store_message_get(r->node.store, h->message.id, &r->arena, &m), ERR_OK);
        return m.state;
}

#define SIGNATURE "DKIM-Signature: v=1; d=mailingl.st;\r\n b=abc\r\n"

static void signed_copies(struct rig *r)
{
        struct handed h;
        struct store_message m;
        char *changed = malloc(sizeof h.text), *long_prefix = malloc(BIG);
        assert_non_null(changed);
        assert_non_null(long_prefix);
        take_in(r, &h);
        struct str text = str_of(h.text, h.n);
        give_back(r, &h, S(""), text, "554 5.6.0");
        give_back(r, &h, S("Received: by nec\r\n"), text, "554 5.6.0");
        give_back(r, &h, S("X-Evil: yes\r\n" SIGNATURE), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE "To: all@example.org\r\n"), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE "\r\n"), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE), str_take(text, text.n - 5), "554 5.6.0");
        give_back(r, &h, S(SIGNATURE), str_take(text, 40), "554 5.6.0");
        for (size_t at = 0; at < text.n; at += 97) {
                memcpy(changed, text.p, text.n);
                changed[at] = changed[at] == 'a'                           ? 'b'
                              : changed[at] == '\r' || changed[at] == '\n' ? changed[at]
                                                                           : 'a';
                if (memcmp(changed, text.p, text.n) != 0)
                        give_back(r, &h, S(SIGNATURE), str_of(changed, text.n), "554 5.6.0");
        }
        memcpy(changed, text.p, text.n);
        memcpy(changed + text.n, "more\r\n", 6);
        give_back(r, &h, S(SIGNATURE), str_of(changed, text.n + 6), "554 5.6.0");
        for (size_t i = 0; i < BIG; i += 64)
                memcpy(long_prefix + i, "Received: 1234567890123456789012345678901234567890123456789012\r\n",
                        64);
        give_back(r, &h, str_of(long_prefix, BIG), text, "554 5.6.0");
        assert_int_equal(state_of(r, &h), STORE_OPEN);

        give_back(r, &h, S("Received: by nec\r\n" SIGNATURE), text, "250 2.0.0 signed copy kept");
        assert_int_equal(store_message_get(r->node.store, h.message.id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_SIGNED);
        assert_int_equal(m.prefix_size, sizeof("Received: by nec\r\n" SIGNATURE) - 1);
        /* replayed, even with other bytes: taken and dropped, nothing changes */
        give_back(r, &h, S("ARC-Seal: i=1\r\n" SIGNATURE), text, "250 2.0.0 this copy came before");
        assert_int_equal(store_message_get(r->node.store, h.message.id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.prefix_size, sizeof("Received: by nec\r\n" SIGNATURE) - 1);
        free(changed);
        free(long_prefix);
}

static void tickets(struct rig *r)
{
        struct handed h;
        char script[300];
        take_in(r, &h);
        /* right ticket, wrong network: an unknown address, so that a stranger learns nothing */
        snprintf(script, sizeof script, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<%s>\nS: 550 5.1.1 no such list",
                h.address);
        stranger(r, script);
        struct host_tcp *tcp = dial(r, &r->signer_at);
        play(r, tcp,
                "C: EHLO nec\nS: 250\nC: MAIL FROM:<>\nS: 250\n"
                "C: RCPT TO:<_signed.aaaaaaaaaaaaaaaaaaaaaaaaaa@mailingl.st>\nS: 550 5.1.1 no such ticket\n"
                "C: RCPT TO:<_signed.@mailingl.st>\nS: 5");
        host_tcp_close(r->host, tcp);
        assert_int_equal(state_of(r, &h), STORE_OPEN);
}

static void test_recipients(void **state)
{
        (void)state;
        with_node(recipients);
}

static void test_refused_recipients(void **state)
{
        (void)state;
        with_node(refused_recipients);
}

static void test_post_limit(void **state)
{
        (void)state;
        with_node(post_limit);
}

static void test_return_paths(void **state)
{
        (void)state;
        with_node(return_paths);
}

static void test_posts(void **state)
{
        (void)state;
        with_node(posts);
}

static void test_repeated_fields(void **state)
{
        (void)state;
        with_node(repeated_fields);
}

static void test_large_header(void **state)
{
        (void)state;
        with_node(large_header);
}

static void test_signed_copies(void **state)
{
        (void)state;
        with_node(signed_copies);
}

static void test_tickets(void **state)
{
        (void)state;
        with_node(tickets);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recipients),
                cmocka_unit_test(test_refused_recipients),
                cmocka_unit_test(test_return_paths),
                cmocka_unit_test(test_post_limit),
                cmocka_unit_test(test_posts),
                cmocka_unit_test(test_repeated_fields),
                cmocka_unit_test(test_large_header),
                cmocka_unit_test(test_signed_copies),
                cmocka_unit_test(test_tickets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
