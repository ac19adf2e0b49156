/* SPDX-License-Identifier: ISC */
/* libopendkim, as bench/auth.c does it: its interface takes a private key as PEM text for each message, and asks for the
 * text of the public one for each signature, which it gets here at once.
 *
 *   opendkim sign KEY.pem MESSAGE SECONDS
 *   opendkim verify RECORD.txt MESSAGE SECONDS */
#include <opendkim/dkim.h>

#include "bench/bench.h"

struct job {
        DKIM_LIB *lib;
        struct str key, message;
        size_t body_at;
};

static void need(DKIM_STAT status, const char *what)
{
        if (status != DKIM_STAT_OK)
                bench_fail(what, dkim_getresultstr(status));
}

static void check(const DKIM *d, DKIM_STAT status, const char *what)
{
        if (d == NULL)
                bench_fail(what, dkim_getresultstr(status));
}

/* The interface takes bytes that it does not change as `unsigned char *`. */
static unsigned char *bytes(struct str s)
{
        union {
                const char *given;
                unsigned char *taken;
        } p = {s.p};
        return p.taken;
}

/* Fields go in one by one and unfolded no further, without their last CRLF. */
static void put_message(const struct job *j, DKIM *d)
{
        struct str rest = str_take(j->message, j->body_at - 2);
        while (rest.n > 0) {
                size_t end = 0;
                do
                        end += str_find(str_skip(rest, end), S("\r\n")) + 2;
                while (end < rest.n && (rest.p[end] == ' ' || rest.p[end] == '\t'));
                need(dkim_header(d, bytes(rest), end - 2), "a field");
                rest = str_skip(rest, end);
        }
        need(dkim_eoh(d), "the header");
        struct str body = str_skip(j->message, j->body_at);
        need(dkim_body(d, bytes(body), body.n), "the body");
        need(dkim_eom(d, NULL), "the end");
}

static void sign(void *arg)
{
        struct job *j = arg;
        DKIM_STAT status;
        unsigned char field[4096];
        DKIM *d = dkim_sign(j->lib, bytes(S("bench")), NULL, bytes(j->key), bytes(S("s1")),
                bytes(S("list.test")), DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1,
                &status);
        check(d, status, "signing");
        put_message(j, d);
        need(dkim_getsighdr(d, field, sizeof field, sizeof "DKIM-Signature: " - 1), "the signature");
        need(dkim_free(d), "the end");
}

static void verify(void *arg)
{
        struct job *j = arg;
        DKIM_STAT status;
        DKIM *d = dkim_verify(j->lib, bytes(S("bench")), NULL, &status);
        check(d, status, "verifying");
        put_message(j, d);
        DKIM_SIGINFO *s = dkim_getsignature(d);
        if (s == NULL || (dkim_sig_getflags(s) & DKIM_SIGFLAG_PASSED) == 0 ||
                dkim_sig_getbh(s) != DKIM_SIGBH_MATCH)
                bench_fail("verify", "the signature is not right");
        need(dkim_free(d), "the end");
}

static struct str record;

static DKIM_CBSTAT look_up(DKIM *d, DKIM_SIGINFO *s, unsigned char *into, size_t cap)
{
        (void)d;
        (void)s;
        if (record.n >= cap)
                return DKIM_CBSTAT_ERROR;
        memcpy(into, record.p, record.n);
        into[record.n] = 0;
        return DKIM_CBSTAT_CONTINUE;
}

int main(int argc, char **argv)
{
        struct job j;
        if (argc != 5 || (strcmp(argv[1], "sign") != 0 && strcmp(argv[1], "verify") != 0))
                bench_fail(argv[0], "sign KEY.pem, or verify RECORD.txt; MESSAGE SECONDS");
        j.key = bench_file(argv[2]); /* ends in NUL */
        j.message = bench_file(argv[3]);
        j.body_at = str_find(j.message, S("\r\n\r\n")) + 4;
        j.lib = dkim_init(NULL, NULL);
        if (j.lib == NULL || j.body_at > j.message.n)
                bench_fail(argv[0], "cannot begin");
        record = str_trim(j.key);
        need(dkim_set_key_lookup(j.lib, look_up), "the key's callback");
        bench_rate(strcmp(argv[1], "sign") == 0 ? sign : verify, &j, bench_seconds(argv[4]));
        dkim_close(j.lib);
        return 0;
}
