/* SPDX-License-Identifier: ISC */
#include "serve/dns_update.h"

#include "dns/summary.h"

static enum err prepare(struct host *h, const struct tsig_key *key, struct dns_update *update,
        struct str *request, struct tsig_mac *mac, uint64_t *now_s)
{
        struct wr *w = &update->writer.wr;
        struct str message;
        enum err e = dns_update_end(update, &message);
        if (e != ERR_OK)
                return e;
        *now_s = (uint64_t)(host_wall_ms(h) / 1000);
        return tsig_sign(key,
                &(struct tsig_input){.buffer = w->p,
                        .n = message.n,
                        .cap = w->cap,
                        .fields = {.time_s = *now_s, .fudge_s = TSIG_FUDGE_S}},
                request, mac);
}

/* TCP first: an UPDATE is not repeated, so that it should not be lost, and nobody can put an answer into a connection. */
static enum err exchange(struct host *h, const struct dns_server *server, struct str request,
        int64_t deadline_ms, struct dns_reply *out, bool *was_sent)
{
        struct dns_server over_tcp = *server;
        over_tcp.tcp_only = true;
        enum err e = dns_exchange(h, &over_tcp, request, deadline_ms, out, was_sent);
        if (e != ERR_REFUSED || *was_sent || server->tcp_only)
                return e;
        return dns_exchange(h, server, request, deadline_ms, out, was_sent);
}

/* Did somebody who holds the key write this answer to our request? An answer that says BADTIME may bear the server's
 * time as the time signed, and is then outside of our fudge by its very meaning. */
static bool is_authentic(const struct tsig_result *tsig)
{
        return tsig->verdict == TSIG_GOOD ||
               (tsig->verdict == TSIG_BADTIME && tsig->error == DNS_RCODE_BADTIME);
}

static void judge(
        const struct dns_summary *summary, const struct tsig_result *tsig, struct dns_update_result *out)
{
        bool is_error = summary->rcode != DNS_RCODE_NOERROR || tsig->error != 0;
        bool is_believed = is_authentic(tsig);
        out->rcode = summary->rcode;
        out->tsig_error = tsig->error;
        out->verdict = tsig->verdict;
        if (is_believed)
                out->server_time_s = tsig->server_time_s;
        if (is_error) {
                out->status = is_believed ? DNS_UPDATE_REFUSED : DNS_UPDATE_CLAIMED;
                out->err = ERR_OK;
        } else {
                out->status = is_believed ? DNS_UPDATE_DONE : DNS_UPDATE_UNKNOWN;
                out->err = is_believed ? ERR_OK : ERR_DENIED;
        }
}

static void read_answer(struct host *h, const struct tsig_key *key, const struct tsig_mac *mac,
        struct str message, struct dns_update_result *out)
{
        struct dns_summary summary;
        struct tsig_result tsig;
        out->status = DNS_UPDATE_UNKNOWN;
        out->verdict = TSIG_MALFORMED;
        out->err = dns_summary_read(message, &summary);
        if (out->err == ERR_OK)
                out->err = tsig_verify(
                        key, message, str_of(mac->b, mac->n), (uint64_t)(host_wall_ms(h) / 1000), &tsig);
        if (out->err == ERR_OK)
                judge(&summary, &tsig, out);
}

void dns_update_send(struct host *h, const struct dns_server *server, const struct tsig_key *key,
        struct dns_update *update, int64_t deadline_ms, struct dns_update_result *out)
{
        struct str request;
        struct tsig_mac mac;
        struct dns_reply reply;
        bool was_sent = false;
        *out = (struct dns_update_result){.status = DNS_UPDATE_NOT_SENT, .verdict = TSIG_ABSENT};
        out->err = prepare(h, key, update, &request, &mac, &out->our_time_s);
        if (out->err != ERR_OK)
                return;
        out->err = exchange(h, server, request, deadline_ms, &reply, &was_sent);
        if (out->err != ERR_OK) {
                out->status = was_sent ? DNS_UPDATE_UNKNOWN : DNS_UPDATE_NOT_SENT;
                return;
        }
        read_answer(h, key, &mac, reply.message, out);
        dns_reply_free(&reply);
}
