/* SPDX-License-Identifier: ISC */
/* What the files of auth/zone*.c share; nobody else includes it. */
#ifndef AUTH_ZONE_INTERNAL_H
#define AUTH_ZONE_INTERNAL_H

#include "auth/zone.h"
#include "base/wr.h"

/* One row a state. `ask` fills the step and gives true, or moves on to another state and gives false. */
struct zone_state_row {
        bool (*ask)(struct zone *z, int64_t now_s, struct zone_step *out);
        void (*answered)(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer);
        void (*updated)(struct zone *z, int64_t now_s, const struct zone_update_result *result);
        void (*fill)(const struct zone *z, struct dns_update *u);
};
extern const struct zone_state_row zone_at_read_pointer, zone_at_write_pointer, zone_at_read_expired;
extern const struct zone_state_row zone_at_derive_keys, zone_at_read_key, zone_at_write_key;
extern const struct zone_state_row zone_at_read_servers, zone_at_read_address, zone_at_check_server;

/* Names of records. */
void zone_pointer_name(const struct zone *z, struct dns_name *out);
void zone_key_name(const struct zone *z, struct str selector, struct dns_name *out);
struct str zone_key_selector(const struct zone_key *key);

/* Steps. */
bool zone_ask_primary(const struct dns_name *name, uint16_t type, struct zone_step *out);

/* RRsets for exact prerequisites: ERR_OK, or ERR_LIMIT when it cannot be kept (`seen` is empty then). */
MUST_USE enum err zone_see(struct zone_seen *seen, const struct dns_answer *answer);
/* The prerequisite that `name` still has exactly what was seen, or nothing; and its deletion if there was something. */
void zone_need_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen);
void zone_delete_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen);
void zone_add_txt(const struct zone *z, struct dns_update *u, const struct dns_name *name, struct str text);

/* Events and reasons. A reason is written with zone_reason_begin .. zone_reason_end and stands until the next one. */
void zone_tell(struct zone *z, enum zone_event_kind kind, struct str selector, struct str detail);
struct wr zone_reason_begin(struct zone *z);
void zone_reason_end(struct zone *z, const struct wr *w);
struct str zone_reason(const struct zone *z);

/* Rest, then begin again with the pointer. */
void zone_rest(struct zone *z, int64_t seconds);
/* The reason says what failed: tell it, and rest longer each time. */
void zone_trouble(struct zone *z);
/* The answer is an alias, not the name's own records. */
bool zone_is_alias(const struct dns_name *name, enum err e, const struct dns_answer *answer);
/* A question at the primary failed, or its answer is an alias: give true after zone_trouble. */
bool zone_answer_failed(struct zone *z, const struct dns_name *name, uint16_t type, enum err e,
        const struct dns_answer *answer);
void zone_write_failure(struct wr *w, enum err e, const struct dns_answer *answer);
/* The pointer's changes, once the keys were looked at: true when there is one to make, and the machine is on its way. */
bool zone_rotate(struct zone *z, int64_t now_s);
bool zone_remove_expired(struct zone *z, int64_t now_s);
/* After an update: true when the zone is changed. Else the machine rests: shortly when somebody else was faster. */
bool zone_update_done(struct zone *z, const struct zone_update_result *result);

#endif
