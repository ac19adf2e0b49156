/* SPDX-License-Identifier: ISC */
/* The update client against a fake primary: what is success, what a refusal, what a claim, and what is not known. */
#define _GNU_SOURCE
#include "serve/dns_update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

#define KEY "k._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define OTHER_KEY "k._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWU="
#define SERVER_TIME "\0\0\145\123\361\1"

/* How the primary answers. */
struct manner {
        const char *label;
        uint8_t rcode;
        enum { SIGNED, UNSIGNED, NO_TSIG, NOTHING, GARBAGE, HANG_UP } form;
        const char *key;     /* NULL: the right one */
        bool forget_request; /* sign without the request's MAC */
        int64_t time_off_s;  /* of the time signed */
        uint16_t tsig_error;
        bool changed; /* a byte is changed after signing */
        bool no_question;
        bool udp_only;
        /* what the client is to say */
        enum dns_update_status status;
        enum err err;
        bool has_server_time;
};

struct world {
        struct host *h;
        const struct manner *manner;
        struct fake_dns fake;
        struct dns_update_result result;
        bool was_signed; /* the request verified at the primary */
};

static struct tsig_key key_of(const char *text)
{
        struct tsig_key key;
        CHECK(tsig_key_parse(str_of_c(text), &key) == ERR_OK);
        return key;
}

static size_t put_answer(struct fake_message *m, const struct fake_query *q, const struct manner *manner)
{
        struct dns_header h = q->summary.header;
        h.is_response = true;
        h.rcode = manner->rcode;
        dns_writer_init(&m->w, m->buffer, sizeof m->buffer, &h);
        if (!manner->no_question)
                dns_writer_question(&m->w, &q->summary.question);
        return fake_end(m).n;
}

/* A TSIG record without a MAC (RFC 8945 5.3.2). */
static struct str put_unsigned(struct fake_message *m, size_t n, const struct tsig_key *key, uint16_t error)
{
        struct wr w;
        wr_init(&w, m->buffer, sizeof m->buffer);
        w.n = n;
        dns_name_write_wire(&w, &key->name);
        wr_be16(&w, DNS_TYPE_TSIG);
        wr_be16(&w, DNS_CLASS_ANY);
        wr_be32(&w, 0);
        wr_be16(&w, 13 + 16);
        wr_str(&w, str_of("\13hmac-sha256", 13));
        wr_be48(&w, 0);
        wr_be32(&w, 0); /* fudge, MAC size */
        wr_be16(&w, 0);
        wr_be16(&w, error);
        wr_be16(&w, 0);
        wr_patch_be16(&w, 10, 1);
        return wr_text(&w);
}

static struct str put_signed(
        struct world *w, struct fake_message *m, size_t n, const struct tsig_result *request)
{
        const struct manner *manner = w->manner;
        struct tsig_key key = key_of(manner->key ? manner->key : KEY);
        struct tsig_mac mac;
        struct str message;
        struct tsig_input in = {.buffer = m->buffer, .n = n, .cap = sizeof m->buffer};
        if (!manner->forget_request)
                in.request_mac = str_of(request->mac.b, request->mac.n);
        in.fields = (struct tsig_fields){.time_s = (uint64_t)((int64_t)request->time_s + manner->time_off_s),
                .fudge_s = TSIG_FUDGE_S,
                .error = manner->tsig_error,
                .other = manner->tsig_error == DNS_RCODE_BADTIME ? str_of(SERVER_TIME, 6) : S("")};
        CHECK(tsig_sign(&key, &in, &message, &mac) == ERR_OK);
        if (manner->changed)
                m->buffer[3] ^= 0x20;
        return message;
}

static void answer(struct fake_dns *s, const struct fake_query *q)
{
        struct world *w = s->arg;
        struct tsig_key key = key_of(KEY);
        struct tsig_result request;
        struct fake_message m;
        uint64_t now_s = (uint64_t)(host_wall_ms(s->h) / 1000);
        CHECK(tsig_verify(&key, q->message, S(""), now_s, &request) == ERR_OK);
        w->was_signed = request.verdict == TSIG_GOOD;
        if (w->manner->form == HANG_UP)
                return;
        if (w->manner->form == NOTHING) {
                (void)(fiber_sleep(s->h->sched, 5000) == ERR_OK);
                return;
        }
        size_t n = put_answer(&m, q, w->manner);
        if (w->manner->form == GARBAGE)
                fake_reply(s, q, str_take(str_of(m.buffer, n), n - 1));
        else if (w->manner->form == NO_TSIG)
                fake_reply(s, q, str_of(m.buffer, n));
        else if (w->manner->form == UNSIGNED)
                fake_reply(s, q, put_unsigned(&m, n, &key, w->manner->tsig_error));
        else
                fake_reply(s, q, put_signed(w, &m, n, &request));
}

static void send_update(struct world *w, const struct dns_server *server)
{
        char buffer[1024];
        struct dns_update u;
        struct tsig_key key = key_of(KEY);
        struct dns_name zone;
        CHECK(dns_name_parse(S("example.org"), &zone) == ERR_OK);
        dns_update_init(&u, buffer, sizeof buffer, 0x1234, &zone);
        dns_update_need_no_rrset(&u, &zone, DNS_TYPE_TXT);
        dns_update_add(&u, &(struct dns_update_record){&zone, DNS_TYPE_TXT, 60, S("\1x")});
        /* patient with a slow machine, but where silence is what is wanted */
        int64_t patience_ms = w->manner != NULL && w->manner->err == ERR_TIMEOUT ? 200 : 10000;
        dns_update_send(w->h, server, &key, &u, host_now_ms(w->h) + patience_ms, &w->result);
}

static void run_world(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        w->fake = (struct fake_dns){.h = w->h, .answer = answer, .arg = w};
        fake_start(&w->fake, &scope, !w->manner->udp_only);
        send_update(w, &(struct dns_server){.at = w->fake.at});
        scope_cancel(&scope);
        (void)scope_join(&scope);
        fake_stop(&w->fake);
}

static void test_answers(void **state)
{
        (void)state;
        static const struct manner cases[] = {
                {"done", .status = DNS_UPDATE_DONE},
                {"done, no zone section", .no_question = true, .status = DNS_UPDATE_DONE},
                {"done over UDP", .udp_only = true, .status = DNS_UPDATE_DONE},
                {"prerequisite failed", DNS_RCODE_NXRRSET, .status = DNS_UPDATE_REFUSED},
                {"refused", DNS_RCODE_REFUSED, .status = DNS_UPDATE_REFUSED},
                {"our clock", DNS_RCODE_NOTAUTH, .tsig_error = DNS_RCODE_BADTIME,
                        .status = DNS_UPDATE_REFUSED, .has_server_time = true},
                {"our clock, at the server's time", DNS_RCODE_NOTAUTH, .tsig_error = DNS_RCODE_BADTIME,
                        .time_off_s = 4000, .status = DNS_UPDATE_REFUSED, .has_server_time = true},
                {"our clock, forged", DNS_RCODE_NOTAUTH, .tsig_error = DNS_RCODE_BADTIME, .key = OTHER_KEY,
                        .status = DNS_UPDATE_CLAIMED},
                {"unknown key", DNS_RCODE_NOTAUTH, UNSIGNED, .tsig_error = DNS_RCODE_BADKEY,
                        .status = DNS_UPDATE_CLAIMED},
                {"wrong signature", DNS_RCODE_NOTAUTH, UNSIGNED, .tsig_error = DNS_RCODE_BADSIG,
                        .status = DNS_UPDATE_CLAIMED},
                {"an error in TSIG alone", 0, UNSIGNED, .tsig_error = DNS_RCODE_BADSIG,
                        .status = DNS_UPDATE_CLAIMED},
                {"refused without TSIG", DNS_RCODE_REFUSED, NO_TSIG, .status = DNS_UPDATE_CLAIMED},
                {"formerr without TSIG", DNS_RCODE_FORMERR, NO_TSIG, .status = DNS_UPDATE_CLAIMED},
                {"success without TSIG", 0, NO_TSIG, .status = DNS_UPDATE_UNKNOWN, .err = ERR_DENIED},
                {"success without a MAC", 0, UNSIGNED, .status = DNS_UPDATE_UNKNOWN, .err = ERR_DENIED},
                {"success by another key", .key = OTHER_KEY, .status = DNS_UPDATE_UNKNOWN, .err = ERR_DENIED},
                {"success of another request", .forget_request = true, .status = DNS_UPDATE_UNKNOWN,
                        .err = ERR_DENIED},
                {"success of long ago", .time_off_s = -4000, .status = DNS_UPDATE_UNKNOWN, .err = ERR_DENIED},
                {"success changed on the way", .changed = true, .status = DNS_UPDATE_UNKNOWN,
                        .err = ERR_DENIED},
                {"refusal by another key", DNS_RCODE_REFUSED, .key = OTHER_KEY, .status = DNS_UPDATE_CLAIMED},
                {"malformed", 0, GARBAGE, .status = DNS_UPDATE_UNKNOWN, .err = ERR_MISMATCH},
                {"no answer", 0, NOTHING, .status = DNS_UPDATE_UNKNOWN, .err = ERR_TIMEOUT},
                {"hang up", 0, HANG_UP, .status = DNS_UPDATE_UNKNOWN, .err = ERR_CLOSED},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                static struct world w;
                const struct dns_update_result *r = &w.result;
                w = (struct world){.manner = &cases[i], .h = linux_host_new(NULL)};
                linux_host_run(w.h, run_world, &w);
                linux_host_free(w.h);
                if (r->status != cases[i].status || r->err != cases[i].err)
                        fail_msg("%s: status %d, %s", cases[i].label, (int)r->status, err_text(r->err));
                assert_true(w.was_signed);
                assert_int_equal(w.fake.over_udp + w.fake.over_tcp, 1);
                assert_int_equal(w.fake.over_udp, cases[i].udp_only);
                assert_int_equal(r->server_time_s, cases[i].has_server_time ? 0x6553f101 : 0);
                if (r->status == DNS_UPDATE_REFUSED || r->status == DNS_UPDATE_CLAIMED) {
                        assert_int_equal(r->rcode, cases[i].rcode);
                        assert_int_equal(r->tsig_error, cases[i].tsig_error);
                }
                assert_true(r->our_time_s > 1700000000);
        }
}

static void run_nowhere(void *arg)
{
        struct world *w = arg;
        struct ip_port at;
        close(fake_udp_socket(&at)); /* a port where nobody is */
        send_update(w, &(struct dns_server){.at = at, .tcp_only = true});
        assert_int_equal(w->result.status, DNS_UPDATE_NOT_SENT);
        assert_int_equal(w->result.err, ERR_REFUSED);

        char small[100];
        struct dns_update u;
        struct tsig_key key = key_of(KEY);
        struct dns_name zone;
        CHECK(dns_name_parse(S("example.org"), &zone) == ERR_OK);
        dns_update_init(&u, small, sizeof small, 1, &zone);
        dns_update_send(w->h, &(struct dns_server){.at = at}, &key, &u, host_now_ms(w->h) + 200, &w->result);
        assert_int_equal(w->result.status, DNS_UPDATE_NOT_SENT);
        assert_int_equal(w->result.err, ERR_SPACE);
}

static void test_not_sent(void **state)
{
        (void)state;
        static struct world w;
        w.h = linux_host_new(NULL);
        linux_host_run(w.h, run_nowhere, &w);
        linux_host_free(w.h);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_not_sent),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
