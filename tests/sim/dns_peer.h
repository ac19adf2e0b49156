/* SPDX-License-Identifier: ISC */
/* Inside of the simulated DNS: what its files share. Others use tests/sim/dns_world.h. */
#ifndef TESTS_SIM_DNS_PEER_H
#define TESTS_SIM_DNS_PEER_H

#include "dns/message.h"
#include "dns/tsig.h"
#include "tests/sim/dns_change.h"
#include "tests/sim/dns_world.h"
#include "tests/sim/dns_zone.h"

#define DNS_PORT 53

/* A server's copy of a zone. `due[v]` is when version v came there; DNS_NEVER: it does not. */
#define DNS_NEVER INT64_MAX
struct dns_copy {
        struct dns_zone *zone;
        struct dns_peer *peer;
        enum dns_role role;
        int64_t least_ms, most_ms;
        struct sim_random random;
        int64_t *due;
        uint32_t due_count, due_cap;
};

struct dns_key {
        struct tsig_key tsig;
        struct dns_zone *zone;
        struct dns_scope *scopes;
        size_t scope_count;
};

struct dns_fault_setting {
        uint32_t ppm;
        int64_t value;
};

struct dns_peer {
        struct dns_world *world;
        struct sim_node *node;
        enum dns_peer_kind kind;
        struct sim_random random; /* for faults and choices */
        struct dns_fault_setting faults[DNS_FAULTS];
        struct dns_peer_stats stats;
};

struct dns_world {
        struct sim *sim;
        struct dns_zone **zones;
        size_t zone_count;
        struct dns_peer **peers;
        size_t peer_count;
        struct dns_copy **copies; /* in the order in which they were made */
        size_t copy_count;
        struct dns_key **keys;
        size_t key_count;
};

/* Memory, or the end of the program. `dns_grow` makes room for one more in an array of pointers. */
void *dns_alloc(size_t n);
void *dns_grow(void *array, size_t count);

/* Who shows what at which moment: a peer's copies, or for NULL those of the primaries. */
struct dns_view {
        const struct dns_world *world;
        const struct dns_peer *peer;
        int64_t at_ms;
};
/* The longest zone that holds `name` and that the view has, and its version there; NULL: none. */
struct dns_zone *dns_view_zone(const struct dns_view *view, const struct dns_name *name, uint32_t *version);
struct dns_copy *dns_copy_of(
        const struct dns_world *w, const struct dns_peer *p, const struct dns_zone *z); /* or NULL */
/* The version that a copy shows at a moment: true, or false for none. */
bool dns_copy_version(const struct dns_copy *c, int64_t at_ms, uint32_t *out);
/* When the copy showed another version after `version`, or DNS_NEVER. */
int64_t dns_copy_until(const struct dns_copy *c, uint32_t version);

/* After each dns_store_end that made a version: it goes to the copies; `how` is for the trace, `node` NULL: by hand. */
void dns_zone_changed(struct dns_world *w, struct dns_zone *z, struct sim_node *node, const char *how);

const struct dns_key *dns_key_find(const struct dns_world *w, const struct dns_name *name); /* or NULL */

/* The faults that hit one request. */
struct dns_faults {
        bool hits[DNS_FAULTS];
};
void dns_faults_draw(struct dns_peer *p, struct dns_faults *out);

/* A name for the trace, ended by NUL. */
struct dns_name_text {
        char p[DNS_NAME_TEXT_MAX + 1];
};
const char *dns_name_c(const struct dns_name *name, struct dns_name_text *room);

#endif
