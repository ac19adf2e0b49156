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
extern const struct zone_state_row zone_at_read_pointer, zone_at_write_pointer, zone_at_change_pointer;
extern const struct zone_state_row zone_at_read_key, zone_at_write_key;
extern const struct zone_state_row zone_at_read_servers, zone_at_read_address, zone_at_check_server;
extern const struct zone_state_row zone_at_read_retired, zone_at_write_retired;

void zone_go(struct zone *z, enum zone_state to);

/* Names of records. */
bool zone_has_kind(const struct zone *z, enum zone_kind kind);
void zone_write_selector(const struct zone *z, struct wr *w, enum zone_kind kind, int64_t epoch);
void zone_pointer_name(const struct zone *z, struct dns_name *out);
void zone_key_name(const struct zone *z, struct str selector, struct dns_name *out);
struct str zone_key_selector(const struct zone_key *key);

/* Steps. */
bool zone_ask_primary(const struct dns_name *name, uint16_t type, struct zone_step *out);
bool zone_ask_update(struct zone *z, int64_t now_s, struct zone_step *out);

/* RRsets for exact prerequisites: ERR_OK, or ERR_LIMIT when it cannot be kept (`seen` is empty then). */
MUST_USE enum err zone_see(struct zone_seen *seen, const struct dns_answer *answer);
/* The prerequisite that `name` still has exactly what was seen, or nothing; and its deletion if there was something. */
void zone_need_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen);
void zone_delete_seen(struct dns_update *u, const struct dns_name *name, const struct zone_seen *seen);
void zone_add_txt(const struct zone *z, struct dns_update *u, const struct dns_name *name, struct str text);

/* Events and reasons. A reason is written with zone_reason_begin .. zone_reason_end and stands until the next one. */
void zone_tell(struct zone *z, enum zone_event_kind kind, struct str selector, struct str detail);
struct wr zone_reason_begin(struct zone *z, enum zone_lack lack);
void zone_reason_end(struct zone *z, const struct wr *w);
struct str zone_reason(const struct zone *z);
void zone_write_failure(struct wr *w, enum err e, const struct dns_answer *answer);
void zone_write_update_failure(struct wr *w, const struct zone_update_result *r);

/* Rest, then begin again with the pointer. */
void zone_rest(struct zone *z, int64_t seconds);
int64_t zone_usual_rest_s(const struct zone *z);
/* All was looked at: rest until something is due. */
void zone_rest_until_due(struct zone *z, int64_t now_s);
/* The reason says what failed: tell it; the next rest is longer than the one before it after a failure. */
void zone_fail(struct zone *z);
/* The same, and rest now. */
void zone_trouble(struct zone *z);
/* The answer is an alias, not the name's own records. */
bool zone_is_alias(const struct dns_name *name, enum err e, const struct dns_answer *answer);
/* A question at the primary failed, or its answer is an alias: give true after zone_trouble. */
bool zone_answer_failed(struct zone *z, const struct dns_name *name, uint16_t type, enum err e,
        const struct dns_answer *answer);
/* How an update went. */
enum zone_outcome {
        ZONE_OUTCOME_DONE,
        ZONE_OUTCOME_RACED,  /* somebody else was faster: read again */
        ZONE_OUTCOME_FAILED, /* zone_fail was called */
};
enum zone_outcome zone_judge_update(struct zone *z, const struct zone_update_result *result);

/* Old epochs whose time is over. */
bool zone_is_retired(const struct zone_old *old, int64_t now_s);
bool zone_is_all_empty(const struct zone *z, int64_t now_s);
/* When the records of this one may go; INT64_MAX: they are not known to be empty. */
int64_t zone_removal_s(const struct zone *z, const struct zone_old *old);
/* Change the pointer to `*wanted`. */
void zone_swap_pointer(struct zone *z, const struct zone_pointer *wanted, enum zone_event_kind event);
/* The machine ends (a revocation): zone_revoked gives `outcome`. */
void zone_end(struct zone *z, enum err outcome);
/* When the next epoch is announced. */
int64_t zone_announce_s(const struct zone *z);

#endif
