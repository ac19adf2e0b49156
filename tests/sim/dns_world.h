/* SPDX-License-Identifier: ISC */
/* The DNS of a simulated Internet: zones, the servers that hold copies of them, resolvers with caches, and what goes
 * wrong there. The zones belong to the world and outlive their servers' nodes.
 *
 * A zone keeps all of its versions. A server shows the version that has reached it: the primary the newest, a secondary
 * one that is older by a lag, each at its own pace. So who checks can ask what any server showed at any moment. Random
 * draws come from streams of the seed that are named after peers and zones; each event is a line of the trace, "dns".
 *
 *     struct dns_world *w = dns_world_new(sim);
 *     dns_zone_new(w, S("example.org"), &zone);
 *     dns_zone_edit(zone, S("@ NS ns1\nns1 A 10.0.0.1\n"), &line);
 *     dns_key_add(w, S("k._update.example.org:SHA256:..."), S("example.org"));
 *     primary = dns_peer_new(w, ns1, DNS_PEER_SERVER);
 *     dns_peer_serve(primary, zone, DNS_PRIMARY);
 *     resolver = dns_peer_new(w, node, DNS_PEER_RESOLVER);
 *     sim_node_start(ns1, dns_peer_run, primary); ... */
#ifndef TESTS_SIM_DNS_WORLD_H
#define TESTS_SIM_DNS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "dns/answer.h"
#include "dns/name.h"
#include "host/host.h"
#include "host/sim/sim.h"

struct dns_world;
struct dns_zone;
struct dns_peer;

/* Memory that is out ends the program, here and below. */
struct dns_world *dns_world_new(struct sim *sim);
void dns_world_free(struct dns_world *w); /* with all in it, when no peer runs any more; NULL is nothing */

/* Zones. */

/* A zone with a SOA record alone: serial 1, and 60 s as the time to live of negative answers.
 *   ERR_OK; ERR_SYNTAX or ERR_LIMIT: not a name; ERR_EXISTS     (`*out` is NULL on errors) */
MUST_USE enum err dns_zone_new(struct dns_world *w, struct str origin, struct dns_zone **out);
/* The longest zone of the world that `name` lies in, or NULL. */
struct dns_zone *dns_zone_find(const struct dns_world *w, const struct dns_name *name);
const struct dns_name *dns_zone_origin(const struct dns_zone *z);
uint32_t dns_zone_serial(const struct dns_zone *z); /* of the newest version */

/* Records added by hand, as one new version with the next serial. A line is `NAME [TTL] [IN] TYPE DATA` as in a master
 * file (RFC 1035 5.1): names relative to the origin unless a dot ends them, `@` for the origin, no name (a blank in
 * front) for the one before; `;` begins a comment; no parentheses. The TTL is 300 when left out. Types: A AAAA NS CNAME
 * PTR MX TXT SOA TLSA, and TYPEn \# LENGTH HEX. A SOA takes the place of the one before, its serial included; a record
 * that is there already only takes the new TTL, which all of its set have (RFC 2181 5.2).
 *   ERR_OK
 *   ERR_SYNTAX  line `*line` (from 1) cannot be read
 *   ERR_DENIED  it does not fit: outside of the zone, or a CNAME beside other records
 * On errors nothing is changed. */
MUST_USE enum err dns_zone_edit(struct dns_zone *z, struct str lines, size_t *line);
/* The same for one line whose names are all whole ("mx.example.org 300 A 10.0.0.2"), in whichever zone it lies.
 *   ERR_OK, ERR_SYNTAX, ERR_DENIED, ERR_NOT_FOUND (no zone) */
MUST_USE enum err dns_world_edit(struct dns_world *w, struct str line);
/* Does the newest version hold the record of such a line, whatever its TTL? Outcomes as above, ERR_MISMATCH: it does not. */
MUST_USE enum err dns_world_holds(const struct dns_world *w, struct str line);
/* Remove by hand the records of a type at a name (DNS_TYPE_ANY: of all types), but not the origin's SOA; how many. */
size_t dns_zone_erase(struct dns_zone *z, const struct dns_name *name, uint16_t type);
/* The primary comes back from a copy of the moment `at_ms`: content and serial of then are the newest version now.
 * Secondaries keep what they have until the serial has passed theirs (RFC 1982). */
void dns_zone_restore(struct dns_zone *z, int64_t at_ms);

/* A TSIG key "name:algorithm:base64" that may change the zone at `zone`, within its scopes if it has any.
 *   ERR_OK; ERR_SYNTAX, ERR_UNSUPPORTED, ERR_LIMIT as tsig_key_parse; ERR_NOT_FOUND: no such zone; ERR_EXISTS: another
 *   key has that name */
MUST_USE enum err dns_key_add(struct dns_world *w, struct str key, struct str zone);
/* The key added last may change only names at or below `name`, and records of `type` (DNS_TYPE_ANY: of every one).
 * Once more: that as well.
 *   ERR_OK; ERR_SYNTAX, ERR_LIMIT: not a name; ERR_SEQUENCE: there is no key */
MUST_USE enum err dns_key_scope(struct dns_world *w, struct str name, uint16_t type);

/* Peers: name servers with copies of zones, and resolvers that ask these. */

enum dns_peer_kind { DNS_PEER_SERVER, DNS_PEER_RESOLVER };
enum dns_role { DNS_PRIMARY, DNS_SECONDARY };

/* A peer for a node: it has the node's name and serves at all of its addresses, port 53. */
struct dns_peer *dns_peer_new(struct dns_world *w, struct sim_node *node, enum dns_peer_kind kind);
struct dns_peer *dns_peer_find(const struct dns_world *w, struct str name); /* or NULL */
/* The server has a copy of the zone; a secondary has all that is in it now. A zone has one primary. */
void dns_peer_serve(struct dns_peer *p, struct dns_zone *z, enum dns_role role);
/* From now on changes reach this secondary after a time drawn between the two; for what is on its way it is drawn
 * again. FIBER_NEVER as `least_ms`: it follows no more. At first both are 0. */
void dns_peer_lag(struct dns_peer *p, struct dns_zone *z, int64_t least_ms, int64_t most_ms);

/* The node's process, `peer` a struct dns_peer: sim_node_start(node, dns_peer_run, peer). Serves until host_wait_stop
 * returns. A resolver starts with an empty cache; it asks a server drawn from those that have the name's zone. Exit
 * status 0, or 1 when it could not listen. */
int dns_peer_run(struct host *h, void *peer);

/* What goes wrong at a peer, with a probability for each request. */
enum dns_fault {
        DNS_FAULT_DELAY,         /* answered only after `value` milliseconds */
        DNS_FAULT_DROP,          /* not seen: no answer, over TCP the connection ends */
        DNS_FAULT_SERVFAIL,      /* nothing is done but to answer this code without a signature */
        DNS_FAULT_REFUSED,       /* likewise */
        DNS_FAULT_NOTAUTH,       /* likewise */
        DNS_FAULT_TRUNCATE,      /* over UDP: TC and no records */
        DNS_FAULT_NO_EDNS,       /* FORMERR to a request that has an OPT record */
        DNS_FAULT_NO_TCP,        /* a TCP connection is closed at once */
        DNS_FAULT_WRONG_ADDRESS, /* a lie: each A and AAAA answered is 192.0.2.66 or 2001:db8::66 */
        DNS_FAULT_WRONG_TEXT,    /* a lie: each TXT answered is "wrong" */
        DNS_FAULT_NO_NAME,       /* a lie: NXDOMAIN to every question */
        DNS_FAULT_WRONG_ID,      /* the answer bears another id */
        DNS_FAULT_OTHER_NAME,    /* the answer is to another question */
        DNS_FAULT_LOST_ANSWER,   /* an update is done, and nobody hears of it */
        DNS_FAULT_DEAF,          /* an update is answered as if it were done */
        DNS_FAULT_CLOCK,         /* at any probability: the clock for TSIG is `value` seconds ahead */
        DNS_FAULTS
};

/* From now on; `ppm` parts of a million, 0 to end it. */
void dns_peer_fault(struct dns_peer *p, enum dns_fault fault, uint32_t ppm, int64_t value);
void dns_peer_faults_clear(struct dns_peer *p);
struct str dns_fault_text(enum dns_fault fault); /* "wrong-address" and the like */
/*   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err dns_fault_parse(struct str text, enum dns_fault *out);

struct dns_peer_stats {
        uint64_t over_udp, over_tcp; /* requests seen */
        uint64_t updates;            /* that changed the zone */
        uint64_t refusals;           /* updates answered with another code than NOERROR */
        uint64_t asked, hits;        /* a resolver's: questions to servers, and what its cache answered */
        size_t cached;               /* answers in it */
};
struct dns_peer_stats dns_peer_stats(const struct dns_peer *p);

/* For those who check. Faults are not in these answers. */

/* What the copy of a server showed at `at_ms` (NULL: what the primaries did), CNAMEs followed from zone to zone.
 *   ERR_OK         `out->status` is DNS_FOUND, DNS_NO_DATA or DNS_NO_NAME; values are in the arena
 *   ERR_DENIED     it had no copy of such a zone then, or an alias leads out of what it has
 *   ERR_LIMIT      aliases in a circle; ERR_DENIED: more of them than DNS_CNAME_MAX
 *   ERR_MEMORY     the arena is full; one of DNS_ANSWER_ROOM never is      (`out->count` is 0 on errors) */
MUST_USE enum err dns_world_lookup(struct dns_world *w, const struct dns_peer *p, const struct dns_name *name,
        uint16_t type, int64_t at_ms, struct arena *arena, struct dns_answer *out);

/* Each answer that some resolver may give at `at_ms`: it has asked any one server of the zone, at `at_ms` or at a moment
 * so shortly before that the answer has not outlived its time to live. Servers with the same answer come each.
 * An alias is followed as far as that server has the zones, else the status is DNS_ALIAS. */
struct dns_possible {
        const struct dns_peer *from;
        int64_t since_ms, until_ms; /* the server showed it in [since, until); INT64_MAX: it still does */
        const struct dns_answer *answer;
};
/* Calls `visit` until it gives false; `answer` is borrowed for the call. Whether all were visited. */
bool dns_world_possible(struct dns_world *w, const struct dns_name *name, uint16_t type, int64_t at_ms,
        bool (*visit)(void *arg, const struct dns_possible *possible), void *arg);

#endif
