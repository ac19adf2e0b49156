/* SPDX-License-Identifier: ISC */
/* A next hop that keeps nothing: takes mail at ADDRESS:PORT as fast as it comes, by DATA or BDAT, until it is told to end.
 * It knows just enough of SMTP for a sender that does all right; what it is not sent by one ends the connection. */
#include "base/ip.h"
#include "base/str.h"
#include "bench/bench.h"
#include "host/host.h"

#define BUFFER 65536

struct sink {
        struct host *host;
        struct ip_port at;
        struct scope scope;
};

struct visit {
        struct sink *sink;
        struct host_tcp *tcp;
        size_t n;        /* bytes in `text` */
        uint64_t skip;   /* octets of a chunk that are still to come */
        bool is_last;    /* of that chunk */
        bool in_message; /* behind DATA */
        char text[BUFFER];
};

static bool say(struct visit *v, struct str bytes)
{
        return host_tcp_write(v->sink->host, v->tcp, bytes, FIBER_NEVER) == ERR_OK;
}

static void take(struct visit *v, size_t n)
{
        memmove(v->text, v->text + n, v->n - n);
        v->n -= n;
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

static struct str answer(struct visit *v, struct str line)
{
        struct str verb = str_take(line, 4);
        if (str_eq_nocase(verb, S("EHLO")))
                return S("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n");
        if (str_eq_nocase(verb, S("BDAT"))) {
                begin_chunk(v, line);
                return S("");
        }
        v->in_message = str_eq_nocase(verb, S("DATA"));
        if (str_eq_nocase(verb, S("QUIT")))
                return S("221 bye\r\n");
        return v->in_message ? S("354 go\r\n") : S("250 ok\r\n");
}

/* The octets of a chunk that are there. */
static bool skip_chunk(struct visit *v)
{
        size_t n = v->skip < v->n ? (size_t)v->skip : v->n;
        take(v, n);
        v->skip -= n;
        return v->skip > 0 || say(v, S("250 kept\r\n"));
}

/* The message behind DATA: up to its dot, all but the last bytes are let go. */
static bool skip_message(struct visit *v, bool *is_waiting)
{
        struct str text = str_of(v->text, v->n);
        size_t end = str_find(text, S("\r\n.\r\n"));
        *is_waiting = end == text.n;
        if (*is_waiting) {
                take(v, v->n > 4 ? v->n - 4 : 0);
                return true;
        }
        take(v, end + 5);
        v->in_message = false;
        return say(v, S("250 kept\r\n"));
}

/* All that can be done with what is there. */
static bool work(struct visit *v)
{
        bool is_waiting = false;
        while (v->n > 0 && !is_waiting) {
                struct str text = str_of(v->text, v->n);
                size_t end = str_find(text, S("\r\n"));
                bool good = true;
                if (v->skip > 0) {
                        good = skip_chunk(v);
                } else if (v->in_message) {
                        good = skip_message(v, &is_waiting);
                } else if (end < text.n) {
                        struct str said = answer(v, str_take(text, end));
                        take(v, end + 2);
                        good = said.n == 0 || say(v, said);
                } else {
                        is_waiting = true;
                }
                if (!good)
                        return false;
        }
        return v->n < BUFFER;
}

static void visit_run(void *arg)
{
        struct visit *v = arg;
        bool good = say(v, S("220 sink\r\n"));
        while (good) {
                size_t got = 0;
                good = host_tcp_read(v->sink->host, v->tcp, v->text + v->n, BUFFER - v->n, FIBER_NEVER,
                               &got) == ERR_OK;
                v->n += got;
                good = good && work(v);
        }
        host_tcp_close(v->sink->host, v->tcp);
        free(v);
}

static void accept_run(void *arg)
{
        struct sink *s = arg;
        struct host_listener *listener;
        struct host_tcp *tcp;
        struct ip_port peer;
        bench_need(host_listen(s->host, &s->at, &listener), "listening");
        while (host_accept(s->host, listener, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                struct visit *v = bench_memory(1, sizeof *v);
                v->sink = s;
                v->tcp = tcp;
                bench_need(scope_spawn(&s->scope, "visit", visit_run, v), "starting a connection");
        }
        host_listener_close(s->host, listener);
}

static void sink_run(struct host *h, void *arg)
{
        struct sink *s = arg;
        s->host = h;
        scope_open(&s->scope, h->sched, FIBER_NEVER);
        bench_need(scope_spawn(&s->scope, "accept", accept_run, s), "starting");
        bench_need(host_wait_stop(h), "waiting");
        scope_cancel(&s->scope);
        (void)scope_join(&s->scope);
}

int main(int argc, char **argv)
{
        static struct sink sink;
        if (argc != 2 || ip_port_parse(str_of_c(argv[1]), 25, &sink.at) != ERR_OK)
                bench_fail(argv[0], "ADDRESS:PORT");
        linux_take_descriptors();
        bench_run(sink_run, &sink);
        return 0;
}
