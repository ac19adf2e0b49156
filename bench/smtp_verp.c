/* SPDX-License-Identifier: ISC */
/* The least that a sender of one message to many can do: MESSAGES transactions, each with a return path and a recipient of
 * its own, over CONNECTIONS at each ADDRESS:PORT, from memory, and nothing is kept of what became of them:
 *   [--chunking] CONNECTIONS MESSAGES SIZE ADDRESS:PORT...
 * --chunking: a transaction is one write and one wait. It bounds what a sender that keeps a queue can reach here. */
#include "base/ip.h"
#include "base/wr.h"
#include "bench/talk.h"

#define ENVELOPE_MAX 512
#define LINE 76 /* with its end */

struct load {
        struct host *host;
        bool is_chunked;
        size_t connections, left, size;
        const char *message; /* and behind it a dot */
};

struct client {
        struct load *load;
        struct ip_port server;
        struct talk talk;
        char *room; /* of an envelope, and of the message where that comes in the same write */
};

static void write_number(struct wr *w, const char *before, size_t number, const char *behind)
{
        wr_str(w, str_of_c(before));
        wr_u64(w, number);
        wr_str(w, str_of_c(behind));
}

static struct str write_envelope(struct client *c, size_t number)
{
        const struct load *l = c->load;
        struct wr w;
        wr_init(&w, c->room, ENVELOPE_MAX + l->size);
        write_number(&w, "MAIL FROM:<large-return-", number, "@mailingl.st>\r\n");
        write_number(&w, "RCPT TO:<member", number, "@sub1.test>\r\n");
        if (!l->is_chunked) {
                wr_str(&w, S("DATA\r\n"));
        } else {
                write_number(&w, "BDAT ", l->size, " LAST\r\n");
                wr_str(&w, str_of(l->message, l->size));
        }
        bench_need(wr_end(&w), "an envelope");
        return wr_text(&w);
}

static void send_one(struct client *c, size_t number)
{
        const struct load *l = c->load;
        talk_say(&c->talk, write_envelope(c, number));
        talk_hear(&c->talk, '2');
        talk_hear(&c->talk, '2');
        if (!l->is_chunked) {
                talk_hear(&c->talk, '3');
                talk_say(&c->talk, str_of(l->message, l->size + 3));
        }
        talk_hear(&c->talk, '2');
}

static void client_run(void *arg)
{
        struct client *c = arg;
        struct load *l = c->load;
        c->room = bench_memory(1, ENVELOPE_MAX + l->size);
        talk_open(&c->talk, l->host, &c->server);
        while (l->left > 0)
                send_one(c, l->left--);
        talk_close(&c->talk);
        free(c->room);
}

static const char *make_message(size_t size)
{
        char *text = bench_memory(1, size + 3);
        memset(text, 'x', size);
        for (size_t at = LINE; at + 2 < size; at += LINE)
                memcpy(text + at - 2, "\r\n", 2);
        memcpy(text, "Subject: x\r\n\r\n", 14);
        memcpy(text + size - 2, "\r\n.\r\n", 5);
        return text;
}

struct all {
        struct load load;
        struct client *clients;
        size_t count;
};

static void all_run(struct host *h, void *arg)
{
        struct all *a = arg;
        struct scope scope;
        size_t messages = a->load.left;
        a->load.host = h;
        int64_t begin_ns = bench_now_ns(), cpu_ns = bench_cpu_ns();
        scope_open(&scope, h->sched, FIBER_NEVER);
        for (size_t i = 0; i < a->count; i++)
                bench_need(scope_spawn(&scope, "client", client_run, &a->clients[i]), "starting a client");
        bench_need(scope_join(&scope), "the clients");
        bench_row("messages-per-second", (double)messages * 1e9 / (double)(bench_now_ns() - begin_ns));
        bench_row("cpu-each", (double)(bench_cpu_ns() - cpu_ns) / 1e6 / (double)messages);
        bench_row_peak();
}

int main(int argc, char **argv)
{
        static struct all a;
        a.load.is_chunked = argc > 1 && strcmp(argv[1], "--chunking") == 0;
        int first = a.load.is_chunked ? 5 : 4;
        if (argc <= first)
                bench_fail(argv[0], "[--chunking] CONNECTIONS MESSAGES SIZE ADDRESS:PORT...");
        size_t servers = (size_t)(argc - first);
        a.load.connections = bench_count(argv[first - 3]);
        a.load.left = bench_count(argv[first - 2]);
        a.load.size = bench_count(argv[first - 1]);
        if (a.load.size < 64)
                bench_fail(argv[first - 1], "too small");
        a.load.message = make_message(a.load.size);
        a.count = servers * a.load.connections;
        a.clients = bench_memory(a.count, sizeof *a.clients);
        for (size_t i = 0; i < a.count; i++) {
                const char *server = argv[first + (int)(i % servers)];
                a.clients[i].load = &a.load;
                if (ip_port_parse(str_of_c(server), 25, &a.clients[i].server) != ERR_OK)
                        bench_fail(server, "no ADDRESS:PORT");
        }
        linux_take_descriptors();
        bench_run(all_run, &a);
        free(a.clients);
        free((char *)(uintptr_t)a.load.message);
        return 0;
}
