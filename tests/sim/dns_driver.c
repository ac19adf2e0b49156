/* SPDX-License-Identifier: ISC */
/* One simulated name server that reads lines from standard input, for scripts that compare it with others:
 *   zone ORIGIN          it is the primary of a new zone
 *   record LINE          a record whose names are whole, as in a master file
 *   key KEY ZONE         KEY as in --dns-key
 *   udp NOW HEX          a request at that Unix time: prints the answer in hex, or `-` for none; likewise
 *   tcp NOW HEX */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "tests/sim/dns_request.h"

#define LINE_MAX_SIZE (4 * DNS_MESSAGE_MAX)

struct driver {
        struct sim *sim;
        struct dns_world *world;
        struct dns_peer *peer;
        char request[DNS_MESSAGE_MAX], answer[DNS_MESSAGE_MAX];
};

static void run_zone(struct driver *d, struct str origin)
{
        struct dns_zone *z;
        CHECK(dns_zone_new(d->world, origin, &z) == ERR_OK);
        dns_peer_serve(d->peer, z, DNS_PRIMARY);
}

static void run_request(struct driver *d, bool over_tcp, struct str fields)
{
        struct str now, hex, answer;
        struct wr w;
        uint64_t now_s;
        struct dns_request r;
        struct dns_content content;
        (void)str_cut(fields, ' ', &now, &hex);
        CHECK(str_to_u64(now, UINT64_MAX, &now_s) == ERR_OK);
        wr_init(&w, d->request, sizeof d->request);
        CHECK(hex_decode(hex, &w) == ERR_OK);
        dns_request_read(&r, d->peer, wr_text(&w), over_tcp, now_s);
        struct dns_view view = {d->world, d->peer, sim_now(d->sim)};
        if (dns_request_is_question(&r))
                dns_content_find(&view, &r.summary.question, &content);
        else
                dns_request_settle(&r, &content);
        dns_request_answer(&r, &content, d->answer, sizeof d->answer, &answer);
        for (size_t i = 0; i < answer.n; i++)
                printf("%02x", (unsigned)(unsigned char)answer.p[i]);
        puts(answer.n > 0 ? "" : "-");
        fflush(stdout);
}

static void run_line(struct driver *d, struct str line)
{
        struct str verb, rest, key;
        (void)str_cut(line, ' ', &verb, &rest);
        if (str_eq(verb, S("zone"))) {
                run_zone(d, rest);
        } else if (str_eq(verb, S("record"))) {
                CHECK(dns_world_edit(d->world, rest) == ERR_OK);
        } else if (str_eq(verb, S("key"))) {
                (void)str_cut(rest, ' ', &key, &rest);
                CHECK(dns_key_add(d->world, key, rest) == ERR_OK);
        } else {
                CHECK(str_eq(verb, S("udp")) || str_eq(verb, S("tcp")));
                run_request(d, str_eq(verb, S("tcp")), rest);
        }
}

int main(void)
{
        struct ip ip = ip_v4(10, 0, 0, 1);
        struct driver *d = dns_alloc(sizeof *d);
        char *line = dns_alloc(LINE_MAX_SIZE);
        d->sim = sim_new(1, NULL);
        d->world = dns_world_new(d->sim);
        d->peer = dns_peer_new(d->world, sim_node_add(d->sim, "primary", &ip, 1, NULL), DNS_PEER_SERVER);
        while (fgets(line, LINE_MAX_SIZE, stdin))
                run_line(d, str_trim(str_of_c(line)));
        sim_free(d->sim);
        dns_world_free(d->world);
        free(line);
        free(d);
        return 0;
}
