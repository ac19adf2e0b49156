/* SPDX-License-Identifier: ISC */
/* A load of mail: CONNECTIONS clients send MESSAGES of SIZE bytes in all, each as fast as it is answered.
 *
 * Each client does what a mail server does that has much for one host: it stays connected for the whole run, sends
 * MAIL, RCPT and DATA in one write where PIPELINING is offered, then the message with its dot in another, and waits for
 * the answer. The bytes are the same for every server; FIELDS, if given, are further header fields, each with its end. Any
 * answer but a good one ends the run. */
#include "base/ip.h"
#include "base/str.h"
#include "bench/bench.h"
#include "host/host.h"

#define REPLY_MAX 4096
#define WAIT_MS 60000
#define LINE 76 /* with its end */

struct load {
        struct host *host;
        struct ip_port server;
        size_t connections, left, size;
        struct str envelope, message;
        struct bench_samples samples;
};

struct client {
        struct load *load;
        struct host_tcp *tcp;
        size_t got; /* bytes in `text` */
        char text[REPLY_MAX];
};

static int64_t deadline(const struct load *l)
{
        return host_now_ms(l->host) + WAIT_MS;
}

static void say(struct client *c, struct str bytes)
{
        bench_need(host_tcp_write(c->load->host, c->tcp, bytes, deadline(c->load)), "sending");
}

/* The last line of the next reply is taken off the head of the text, with all before it. */
static bool take_reply(struct client *c, char first)
{
        size_t at = 0, n;
        struct str rest = str_of(c->text, c->got), line;
        while ((n = str_find(rest, S("\r\n"))) < rest.n) {
                line = str_take(rest, n);
                rest = str_skip(rest, n + 2);
                at += n + 2;
                if (line.n >= 4 && line.p[3] == '-')
                        continue;
                if (line.n < 3 || line.p[0] != first) {
                        c->text[at - 2] = 0;
                        bench_fail("answered", line.p);
                }
                memmove(c->text, c->text + at, c->got - at);
                c->got -= at;
                return true;
        }
        return false;
}

static void hear(struct client *c, char first)
{
        while (!take_reply(c, first)) {
                size_t got = 0;
                if (c->got == sizeof c->text)
                        bench_fail("answered", "more than fits");
                bench_need(host_tcp_read(c->load->host, c->tcp, c->text + c->got, sizeof c->text - c->got,
                                   deadline(c->load), &got),
                        "waiting for an answer");
                c->got += got;
        }
}

static void send_one(struct client *c)
{
        int64_t start = bench_now_ns();
        say(c, c->load->envelope);
        hear(c, '2');
        hear(c, '2');
        hear(c, '3');
        say(c, c->load->message);
        hear(c, '2');
        bench_samples_add(&c->load->samples, bench_now_ns() - start);
}

static void client_run(void *arg)
{
        struct load *l = arg;
        struct client *c = bench_memory(1, sizeof *c);
        c->load = l;
        bench_need(host_connect(l->host, &l->server, deadline(l), &c->tcp), "connecting");
        hear(c, '2');
        say(c, S("EHLO load.author.test\r\n"));
        hear(c, '2');
        while (l->left > 0) {
                l->left--;
                send_one(c);
        }
        say(c, S("QUIT\r\n"));
        hear(c, '2');
        host_tcp_close(l->host, c->tcp);
        free(c);
}

static void load_run(struct host *h, void *arg)
{
        struct load *l = arg;
        struct scope scope;
        size_t messages = l->left;
        l->host = h;
        int64_t start = bench_now_ns();
        scope_open(&scope, h->sched, FIBER_NEVER);
        for (size_t i = 0; i < l->connections; i++)
                bench_need(scope_spawn(&scope, "client", client_run, l), "starting a client");
        bench_need(scope_join(&scope), "the clients");
        double seconds = (double)(bench_now_ns() - start) / 1e9;
        bench_row("messages-per-second", (double)messages / seconds);
        bench_row("client-cpu-each", (double)bench_cpu_ns() / 1e6 / (double)messages);
        bench_samples_rows(&l->samples, "message");
}

static struct str make_envelope(const char *from, const char *to)
{
        static char text[1024];
        int n = snprintf(text, sizeof text, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to);
        if (n < 0 || (size_t)n >= sizeof text)
                bench_fail("envelope", "too long");
        return str_of(text, (size_t)n);
}

/* A header as an author's server would leave it, then lines of text up to `size` bytes, then the dot. */
static struct str make_message(const char *from, const char *to, const char *fields, size_t size)
{
        char *text = bench_memory(1, size + 1024);
        int n = snprintf(text, size + 1,
                "%sFrom: Author <%s>\r\nTo: %s\r\nSubject: What is measured\r\n"
                "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <load@author.test>\r\n"
                "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
                fields, from, to);
        if (n < 0 || (size_t)n + 2 > size)
                bench_fail("message", "smaller than its header");
        size_t at = (size_t)n;
        memset(text + at, 'x', size - at);
        for (; at + LINE + 2 < size; at += LINE)
                memcpy(text + at + LINE - 2, "\r\n", 2);
        memcpy(text + size - 2, "\r\n.\r\n", 5);
        return str_of(text, size + 3);
}

int main(int argc, char **argv)
{
        static struct load load;
        if (argc < 7 || argc > 8 || ip_port_parse(str_of_c(argv[1]), 25, &load.server) != ERR_OK)
                bench_fail(argv[0], "ADDRESS:PORT CONNECTIONS MESSAGES SIZE FROM TO [FIELDS]");
        load.connections = bench_count(argv[2]);
        load.left = bench_count(argv[3]);
        load.size = bench_count(argv[4]);
        load.envelope = make_envelope(argv[5], argv[6]);
        load.message = make_message(argv[5], argv[6], argc == 8 ? argv[7] : "", load.size);
        bench_samples_init(&load.samples, load.left);
        linux_take_descriptors();
        bench_run(load_run, &load);
        free((char *)(uintptr_t)load.message.p);
        return 0;
}
