/* SPDX-License-Identifier: ISC */
/* A load of mail: CONNECTIONS clients send MESSAGES of SIZE bytes in all, each as fast as it is answered.
 *
 * Each client does what a mail server does that has much for one host: it stays connected for the whole run, sends
 * MAIL, RCPT and DATA in one write where PIPELINING is offered, then the message with its dot in another, and waits for
 * the answer. The bytes are the same for every server; FIELDS, if given, are further header fields, each with its end;
 * in the place of SIZE, a file is the whole message. Any answer but a good one ends the run. */
#include "base/ip.h"
#include "base/str.h"
#include "bench/talk.h"

#define LINE 76 /* with its end */

struct load {
        struct host *host;
        struct ip_port server;
        size_t connections, left;
        struct str envelope, message;
        struct bench_samples samples;
};

struct client {
        struct load *load;
        struct talk talk;
};

static void send_one(struct client *c)
{
        struct talk *t = &c->talk;
        int64_t start = bench_now_ns();
        talk_say(t, c->load->envelope);
        talk_hear(t, '2');
        talk_hear(t, '2');
        talk_hear(t, '3');
        talk_say(t, c->load->message);
        talk_hear(t, '2');
        bench_samples_add(&c->load->samples, bench_now_ns() - start);
}

static void client_run(void *arg)
{
        struct load *l = arg;
        struct client *c = bench_memory(1, sizeof *c);
        c->load = l;
        talk_open(&c->talk, l->host, &l->server);
        while (l->left > 0) {
                l->left--;
                send_one(c);
        }
        talk_close(&c->talk);
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

/* A message of a file, in which no line begins with a dot. */
static struct str read_message(const char *path)
{
        struct str text = bench_file(path);
        if (!str_has_suffix_nocase(text, S("\r\n")) || str_find(text, S("\r\n.")) < text.n)
                bench_fail(path, "cannot be sent as it is");
        char *room = bench_memory(1, text.n + 3);
        memcpy(room, text.p, text.n);
        memcpy(room + text.n, ".\r\n", 3);
        free((char *)(uintptr_t)text.p);
        return str_of(room, text.n + 3);
}

int main(int argc, char **argv)
{
        static struct load load;
        if (argc < 7 || argc > 8 || ip_port_parse(str_of_c(argv[1]), 25, &load.server) != ERR_OK)
                bench_fail(argv[0], "ADDRESS:PORT CONNECTIONS MESSAGES SIZE|FILE FROM TO [FIELDS]");
        load.connections = bench_count(argv[2]);
        load.left = bench_count(argv[3]);
        load.envelope = make_envelope(argv[5], argv[6]);
        if (argv[4][0] >= '0' && argv[4][0] <= '9')
                load.message = make_message(argv[5], argv[6], argc == 8 ? argv[7] : "", bench_count(argv[4]));
        else
                load.message = read_message(argv[4]);
        bench_samples_init(&load.samples, load.left);
        linux_take_descriptors();
        bench_run(load_run, &load);
        free((char *)(uintptr_t)load.message.p);
        return 0;
}
