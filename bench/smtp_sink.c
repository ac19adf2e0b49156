/* SPDX-License-Identifier: ISC */
/* Next hops that keep nothing: take mail at each ADDRESS:PORT as fast as it comes, by DATA or BDAT, until they are told
 * to end, or have COUNT messages:
 *   [--delay MS] [--plain] [--count COUNT] ADDRESS:PORT...
 * --delay: what is said is said so much later, once for all that came together, as over a long line; --plain: no
 * CHUNKING is offered. With --count it prints how long it took from the first command to the last message, and how many
 * connections there were at most. It knows just enough of SMTP for a sender that does all right; what it is not sent by
 * one ends the connection. */
#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "bench/bench.h"
#include "host/host.h"

#define BUFFER 65536
#define SAID_MAX 8192

struct sink {
        struct host *host;
        struct ip_port *at;
        size_t places;
        int64_t delay_ms;
        bool is_plain;
        size_t wanted, messages, connections, most;
        int64_t begin_ns;
        struct scope scope;
        struct waitq done;
};

struct place {
        struct sink *sink;
        const struct ip_port *at;
};

struct visit {
        struct sink *sink;
        struct host_tcp *tcp;
        size_t n;        /* bytes in `text` */
        uint64_t skip;   /* octets of a chunk that are still to come */
        bool is_last;    /* of that chunk */
        bool in_message; /* behind DATA */
        struct wr said;
        char room[SAID_MAX];
        char text[BUFFER];
};

static void say(struct visit *v, struct str bytes)
{
        wr_str(&v->said, bytes);
}

/* All that was said, in one write. */
static bool flush(struct visit *v)
{
        struct sink *s = v->sink;
        struct str said = wr_text(&v->said);
        if (said.n == 0)
                return true;
        if (s->delay_ms > 0 && fiber_sleep(s->host->sched, s->delay_ms) != ERR_OK)
                return false;
        v->said.n = 0;
        return !v->said.full && host_tcp_write(s->host, v->tcp, said, FIBER_NEVER) == ERR_OK;
}

static void take(struct visit *v, size_t n)
{
        memmove(v->text, v->text + n, v->n - n);
        v->n -= n;
}

static void keep(struct visit *v)
{
        struct sink *s = v->sink;
        say(v, S("250 kept\r\n"));
        if (++s->messages == s->wanted)
                waitq_wake_all(&s->done);
}

/* BDAT SIZE LAST: the answer is said behind the octets. */
static void begin_chunk(struct visit *v, struct str line)
{
        struct str word, size, rest;
        str_cut(line, ' ', &word, &rest);
        v->is_last = str_cut(rest, ' ', &size, &rest);
        if (str_to_u64(size, UINT32_MAX, &v->skip) != ERR_OK)
                bench_fail("sink", "a bad BDAT");
}

static void end_chunk(struct visit *v)
{
        if (v->is_last)
                keep(v);
        else
                say(v, S("250 go on\r\n"));
}

static void answer(struct visit *v, struct str line)
{
        struct str verb = str_take(line, 4);
        if (str_eq_nocase(verb, S("EHLO"))) {
                say(v, S("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"));
                say(v, v->sink->is_plain ? S("250 SMTPUTF8\r\n") : S("250-SMTPUTF8\r\n250 CHUNKING\r\n"));
        } else if (str_eq_nocase(verb, S("BDAT"))) {
                begin_chunk(v, line);
                if (v->skip == 0)
                        end_chunk(v);
        } else if (str_eq_nocase(verb, S("DATA"))) {
                v->in_message = true;
                say(v, S("354 go\r\n"));
        } else {
                if (v->sink->begin_ns == 0 && str_eq_nocase(verb, S("MAIL")))
                        v->sink->begin_ns = bench_now_ns();
                say(v, str_eq_nocase(verb, S("QUIT")) ? S("221 bye\r\n") : S("250 ok\r\n"));
        }
}

/* The octets of a chunk that are there. */
static void skip_chunk(struct visit *v)
{
        size_t n = v->skip < v->n ? (size_t)v->skip : v->n;
        take(v, n);
        v->skip -= n;
        if (v->skip == 0)
                end_chunk(v);
}

/* The message behind DATA: up to its dot, all but the last bytes are let go. False: more is to come. */
static bool skip_message(struct visit *v)
{
        struct str text = str_of(v->text, v->n);
        size_t end = str_find(text, S("\r\n.\r\n"));
        if (end == text.n) {
                take(v, v->n > 4 ? v->n - 4 : 0);
                return false;
        }
        take(v, end + 5);
        v->in_message = false;
        keep(v);
        return true;
}

/* All that can be done with what is there. */
static void work(struct visit *v)
{
        while (v->n > 0) {
                struct str text = str_of(v->text, v->n);
                size_t end = str_find(text, S("\r\n"));
                if (v->skip > 0) {
                        skip_chunk(v);
                } else if (v->in_message) {
                        if (!skip_message(v))
                                return;
                } else if (end < text.n) {
                        answer(v, str_take(text, end));
                        take(v, end + 2);
                } else {
                        return;
                }
        }
}

static void visit_run(void *arg)
{
        struct visit *v = arg;
        struct sink *s = v->sink;
        bool good = true;
        wr_init(&v->said, v->room, sizeof v->room);
        say(v, S("220 sink\r\n"));
        s->most = ++s->connections > s->most ? s->connections : s->most;
        while (good && flush(v) && v->n < BUFFER) {
                size_t got = 0;
                good = host_tcp_read(s->host, v->tcp, v->text + v->n, BUFFER - v->n, FIBER_NEVER, &got) ==
                       ERR_OK;
                v->n += got;
                work(v);
        }
        s->connections--;
        host_tcp_close(s->host, v->tcp);
        free(v);
}

static void accept_run(void *arg)
{
        const struct place *place = arg;
        struct sink *s = place->sink;
        struct host_listener *listener;
        struct host_tcp *tcp;
        struct ip_port peer;
        bench_need(host_listen(s->host, place->at, &listener), "listening");
        while (host_accept(s->host, listener, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                struct visit *v = malloc(sizeof *v); /* its buffer is touched as far as it is used */
                if (v == NULL)
                        bench_fail("memory", "exhausted");
                memset(v, 0, offsetof(struct visit, room));
                v->sink = s;
                v->tcp = tcp;
                bench_need(scope_spawn(&s->scope, "visit", visit_run, v), "starting a connection");
        }
        host_listener_close(s->host, listener);
}

static void count_run(void *arg)
{
        struct sink *s = arg;
        while (s->messages < s->wanted)
                if (waitq_wait(&s->done, s->host->sched, FIBER_NEVER) != ERR_OK)
                        return;
        double seconds = (double)(bench_now_ns() - s->begin_ns) / 1e9;
        bench_row("seconds", seconds);
        bench_row("messages-per-second", (double)s->messages / seconds);
        bench_row("sink-cpu-each", (double)bench_cpu_ns() / 1e6 / (double)s->messages);
        bench_row("connections", (double)s->most);
}

static void sink_run(struct host *h, void *arg)
{
        struct sink *s = arg;
        struct place *places = bench_memory(s->places, sizeof *places);
        s->host = h;
        scope_open(&s->scope, h->sched, FIBER_NEVER);
        for (size_t i = 0; i < s->places; i++) {
                places[i] = (struct place){s, &s->at[i]};
                bench_need(scope_spawn(&s->scope, "accept", accept_run, &places[i]), "starting");
        }
        if (s->wanted > 0)
                bench_need(scope_spawn(&s->scope, "count", count_run, s), "starting");
        bench_need(host_wait_stop(h), "waiting");
        scope_cancel(&s->scope);
        (void)scope_join(&s->scope);
        free(places);
}

static int read_options(struct sink *s, int argc, char **argv)
{
        int i = 1;
        for (; i < argc && argv[i][0] == '-'; i++) {
                bool is_delay = strcmp(argv[i], "--delay") == 0, is_count = strcmp(argv[i], "--count") == 0;
                if (strcmp(argv[i], "--plain") == 0)
                        s->is_plain = true;
                else if (is_delay && i + 1 < argc)
                        s->delay_ms = (int64_t)bench_count(argv[++i]);
                else if (is_count && i + 1 < argc)
                        s->wanted = bench_count(argv[++i]);
                else
                        bench_fail(argv[i], "unknown");
        }
        return i;
}

int main(int argc, char **argv)
{
        static struct sink sink;
        int first = read_options(&sink, argc, argv);
        if (first == argc)
                bench_fail(argv[0], "[--delay MS] [--plain] [--count COUNT] ADDRESS:PORT...");
        sink.places = (size_t)(argc - first);
        sink.at = bench_memory(sink.places, sizeof *sink.at);
        for (int i = first; i < argc; i++)
                if (ip_port_parse(str_of_c(argv[i]), 25, &sink.at[i - first]) != ERR_OK)
                        bench_fail(argv[i], "no ADDRESS:PORT");
        linux_take_descriptors();
        bench_run(sink_run, &sink);
        free(sink.at);
        return 0;
}
