/* SPDX-License-Identifier: ISC */
/* The zone machine: brings the keys of one signing domain into its zone, keeps them there, changes them in time, and
 * says which may sign. An engine: answers, results and time go in; one thing to do at a time comes out. No I/O, no
 * clock, no randomness, no keys: the caller derives those (auth/key.h) and gives their record texts in.
 * docs/zone-machine.md has its states as a picture.
 *
 *     zone_init(&z, &config);
 *     for (;;) {
 *             zone_next(&z, now, &step);
 *             ...log what zone_take_event gives...
 *             ...do what `step` says and tell with zone_answered, zone_updated, zone_derived; after a wait: nothing...
 *     }
 *
 * What it promises:
 *   - No change of the zone without a prerequisite that names exactly what was seen, so that any number of replicas
 *     may run: the pointer is changed by compare-and-swap, and key records follow from it.
 *   - A pointer with another password's id is never touched, nor is any record then, but to take over (`mode`).
 *   - A key signs only after the zone was seen to publish it, and a new one only after every name server of the zone
 *     serves it alone, or ZONE_PROOF_MAX_S have passed (told as a warning). One that stood there before this process,
 *     and is older than that, waits likewise for servers that show something else, and for no others.
 *   - What is looked for at the name servers is the record. Serials prove nothing: a primary restored from a backup has
 *     a lower one than its secondaries, and a secondary that signs the zone inline has one of its own.
 *   - The next epoch's keys are announced, published and proven before it takes over; the old ones stand until what they
 *     signed has expired, then empty for one TTL, then not at all.
 *   - A key that signs stays one while the zone cannot be read; it stops when what it signs would not outlive the queue.
 *   - An epoch that vanishes from the pointer before its time (a restored backup, a slip of somebody's hand) is put back.
 *   - Whatever else fails (a pointer that somebody has spoilt, a refused update, another record that cannot be put right):
 *     as long as the zone answers, each key that signs is looked at each minute.
 *   - Nothing is sent to the zone when nothing is missing there. */
#ifndef AUTH_ZONE_H
#define AUTH_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "auth/zone_pointer.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/str.h"
#include "dns/answer.h"
#include "dns/name.h"
#include "dns/update.h"

#define ZONE_REST_S 60      /* between two looks at a zone where all is well; 1 in a rotation test */
#define ZONE_PROOF_REST_S 5 /* between two looks for a new key at the name servers; likewise */
#define ZONE_PROOF_MAX_S (10 * 60)
#define ZONE_CLOCKS_APART_S \
        600 /* most that replicas' clocks differ: each may be 300 s off the primary's (TSIG) */
#define ZONE_TROUBLE_REST_MIN_S 2 /* after trouble, doubled each time up to ZONE_REST_S */
#define ZONE_ANNOUNCE_S \
        86400 /* before it takes over an epoch is announced, or half of the time between two */
#define ZONE_EPOCHS_MAX (2 + ZONE_OLD_MAX)
#define ZONE_KEYS_MAX (ZONE_EPOCHS_MAX * ZONE_KINDS)
#define ZONE_SERVERS_MAX 16 /* NS records that are looked at */
#define ZONE_ADDRESSES_MAX 32
#define ZONE_SEEN_MAX 8 /* records of one RRset that an exact prerequisite can name */
#define ZONE_SEEN_BYTES 4096
#define ZONE_TEXT_MAX 400     /* of a reason or an event's detail */
#define ZONE_UPDATE_MAX 16384 /* buffer that any of our updates fits, TSIG_ROOM included */
#define ZONE_RACES_MAX 5      /* lost in a row before it is told as trouble */
#define ZONE_SELECTOR_PATTERN_MAX 46

/* Each epoch has one key of each kind that is wanted, under a selector of its own. */
enum zone_kind {
        ZONE_DKIM_RSA, /* always there: rsa-sha256 */
        ZONE_DKIM_ED25519,
        ZONE_ARC_RSA,
        ZONE_KINDS
};

/* Why nothing signs. */
enum zone_lack {
        ZONE_LACK_NONE,        /* something does */
        ZONE_LACK_UNREAD,      /* the zone was not read yet */
        ZONE_LACK_FOREIGN,     /* its keys belong to another password: only an operator can help */
        ZONE_LACK_UNREACHABLE, /* the primary does not answer, or refuses what we need */
        ZONE_LACK_UNPUBLISHED, /* the record is not in the zone, or another one is: being put right */
        ZONE_LACK_UNSERVED,    /* it is there, and not every name server shows it yet */
        ZONE_LACK_EXPIRING,    /* what would be signed now would expire before the queues give up */
};

enum zone_mode {
        ZONE_KEEPS,    /* foreign keys are left alone */
        ZONE_REPLACES, /* the same, but once, at the start, takes over a zone that has them */
        ZONE_REVOKES,  /* one shot: takes over from another password, all older keys end now; then ZONE_END */
        ZONE_REVOKES_SAME, /* the same, from the same password */
};

struct zone_config {
        struct dns_name domain;  /* that signs */
        struct dns_name zone;    /* equal to `domain` or above it */
        struct ip primary;       /* where questions and updates go; not asked a second time as name server */
        uint8_t id[KEY_ID_SIZE]; /* of our password at `domain` */
        struct str
                selector; /* "dkim-%d": one %d for the epoch; borrowed for the machine's life, as the next */
        struct str arc_selector; /* empty: there are no ARC keys */
        bool has_ed25519;
        int64_t validity_s;   /* x= of a signature is epoch + validity */
        int64_t overlap_s;    /* a new epoch takes over this long before; under `validity_s` */
        int64_t queue_life_s; /* what is signed must stay valid for this long */
        uint32_t ttl_s;       /* of the records that we write */
        enum zone_mode mode;
        bool is_rotation_test; /* look each second */
};

/* Is `pattern` letters, digits and hyphens around exactly one %d, and short enough for a label?
 *   ERR_OK, ERR_SYNTAX, ERR_LIMIT */
MUST_USE enum err zone_selector_check(struct str pattern);
/* The selector of an epoch, in lower case, as it stands in the DNS and in the derivation: of `pattern`, with
 * `ed25519-%d` for its %d if the kind is ZONE_DKIM_ED25519. At most DNS_LABEL_MAX bytes. */
void zone_selector_write(struct wr *w, struct str pattern, enum zone_kind kind, int64_t epoch);
/* Are there so few epochs at once that the pointer can name them? Else --overlap is too long for --validity. */
bool zone_times_fit(int64_t validity_s, int64_t overlap_s, int64_t ttl_s);

/* What is to be done next. */
enum zone_action {
        ZONE_QUERY, /* ask `name`, `type` at the primary, or at `server`, without recursion; then zone_answered */
        ZONE_UPDATE, /* fill an update with zone_fill_update, send it to the primary; then zone_updated */
        ZONE_DERIVE, /* derive the key of `selector`, which is of `kind`; then zone_derived */
        ZONE_WAIT,   /* wait `wait_s`, then zone_next */
        ZONE_END,    /* nothing, for ever: zone_revoked tells whether it is done */
};

struct zone_step {
        enum zone_action action;
        bool at_primary;
        struct ip server;     /* QUERY, when not at_primary: port 53 */
        struct dns_name name; /* QUERY */
        uint16_t type;        /* QUERY */
        int64_t epoch;        /* DERIVE */
        enum zone_kind kind;  /* DERIVE */
        char selector[DNS_LABEL_MAX];
        size_t selector_n;
        int64_t wait_s; /* WAIT: at least 1 */
};

/* How an update ended (serve/dns_update.h tells the same). */
struct zone_update_result {
        enum { ZONE_UPDATE_DONE, ZONE_UPDATE_REFUSED, ZONE_UPDATE_CLAIMED, ZONE_UPDATE_LOST } status;
        enum err err;           /* LOST: why */
        uint16_t rcode;         /* REFUSED, CLAIMED */
        uint16_t tsig_error;    /* the same, or 0 */
        uint64_t server_time_s; /* with BADTIME, or 0 */
        uint64_t our_time_s;
};

enum zone_event_kind {
        ZONE_EVENT_POINTER_CREATED,
        ZONE_EVENT_POINTER_FOUND,    /* a (new) epoch was adopted from the zone */
        ZONE_EVENT_POINTER_RESTORED, /* it had lost epochs that are in use: named again */
        ZONE_EVENT_TAKEN_OVER,       /* it was another password's, or is revoked: names a new epoch of ours */
        ZONE_EVENT_EPOCH_ANNOUNCED,  /* a rotation begins: the pointer names the next epoch */
        ZONE_EVENT_EPOCH_CHOSEN,     /* that is the current one now */
        ZONE_EVENT_KEY_FOUND,        /* the zone has our record */
        ZONE_EVENT_KEY_PUBLISHED,    /* it had none: written */
        ZONE_EVENT_KEY_REPLACED,     /* it had another one, or more than one: replaced */
        ZONE_EVENT_KEY_EMPTIED,      /* an old key's time is over: its record says so */
        ZONE_EVENT_KEY_REMOVED,      /* and is gone */
        ZONE_EVENT_EPOCH_FORGOTTEN,  /* the pointer no longer names an old epoch */
        ZONE_EVENT_SERVED,           /* every name server serves the key */
        ZONE_EVENT_NOT_SERVED,       /* not all did within ZONE_PROOF_MAX_S: going on; `detail` names one */
        ZONE_EVENT_UNASKED,          /* a name server has no address that the primary knows: not asked */
        ZONE_EVENT_READY,            /* from now on `selector` signs */
        ZONE_EVENT_NOT_READY, /* from now on nothing of the kind of `selector` signs; `detail` says why */
        ZONE_EVENT_TROUBLE,   /* something failed and will be tried again; `detail` */
        ZONE_EVENTS
};

struct zone_event {
        enum zone_event_kind kind;
        char selector[DNS_LABEL_MAX];
        size_t selector_n;
        char detail[ZONE_TEXT_MAX];
        size_t detail_n;
};
#define ZONE_EVENTS_MAX 12 /* that wait; take them after each call */

/* One key record of ours that should stand in the zone. */
struct zone_key {
        int64_t epoch;
        enum zone_kind kind;
        int64_t until_s;   /* of an old epoch; 0 for the current and the announced one */
        bool is_published; /* the last look at the primary found it, alone and right */
        bool is_ours;      /* this process wrote it */
        bool is_new; /* this process saw the zone without it, whoever put it there: to be looked for at the servers */
        bool is_old; /* by our clock, which may be wrong, it stood there for longer than a new key is waited for */
        bool is_proven;        /* it may sign */
        int64_t proof_since_s; /* 0: not looked for at the name servers yet */
        int64_t looked_s;      /* when the last look for it ended */
        unsigned looks;
        uint32_t right, wrong;       /* servers: what an address of it has answered, in this look */
        size_t selector_n, record_n; /* record_n 0: not derived yet */
        char selector[DNS_LABEL_MAX];
        char record[KEY_RECORD_MAX];
};

/* The names stand in docs/zone-machine.md. */
enum zone_state {
        ZONE_STATE_READ_POINTER,
        ZONE_STATE_WRITE_POINTER,
        ZONE_STATE_READ_KEY, /* have it derived first, if need be */
        ZONE_STATE_WRITE_KEY,
        ZONE_STATE_READ_SERVERS,
        ZONE_STATE_READ_ADDRESS,
        ZONE_STATE_CHECK_SERVER,
        ZONE_STATE_CHANGE_POINTER,
        ZONE_STATE_READ_RETIRED,
        ZONE_STATE_WRITE_RETIRED,
        ZONE_STATE_REST,
        ZONE_STATE_END,
        ZONE_STATES
};

/* An RRset as it was seen at the primary, for exact prerequisites. */
struct zone_seen {
        size_t n;
        size_t ends[ZONE_SEEN_MAX];
        char bytes[ZONE_SEEN_BYTES];
};

/* The name servers of the zone, while new keys are looked for at each. One serves a key when one of its addresses
 * does and none gives anything else. Sets of servers are bits by index. */
struct zone_servers {
        size_t from, to; /* the keys that are looked for: those of these that are published and not proven */
        size_t key;      /* at this one */
        size_t n, address_n;
        uint16_t address_type; /* being read */
        uint32_t known;        /* at least one address is known */
        struct dns_name names[ZONE_SERVERS_MAX];
        struct {
                struct ip ip;
                uint32_t servers;
        } addresses[ZONE_ADDRESSES_MAX];
        size_t fault_n;
        char fault[ZONE_TEXT_MAX]; /* what the first one without a key said */
};

/* An old epoch whose time is over. */
struct zone_retired {
        int64_t epoch;
        int64_t empty_s; /* since when all of its records are known to be empty or gone; 0: not yet */
};

struct zone {
        struct zone_config config;
        enum zone_state state;
        uint32_t moves
                [ZONE_STATES]; /* bits: where it went from each state so far; docs/zone-machine.md tells all */
        bool has_pointer;      /* `pointer` is in force: read from the zone, or to be put back there */
        bool was_ours;         /* our own pointer has been seen in the zone, or made */
        struct zone_pointer pointer;
        int64_t read_s;             /* when it was last read, and ours */
        struct zone_pointer wanted; /* WRITE_POINTER */
        enum zone_event_kind wanted_event;
        struct zone_seen pointer_seen;
        struct zone_seen record_seen; /* of the record that the state is about */
        size_t key_n, current_n;
        struct zone_key keys
                [ZONE_KEYS_MAX]; /* the current epoch's first, `current_n` of them, then the announced one's */
        size_t at;               /* key, name server, address or old epoch that the state is about */
        enum zone_kind at_kind;  /* READ_RETIRED, WRITE_RETIRED */
        size_t retired_left;     /* records of that epoch that are not gone */
        bool is_unempty;         /* one of them is not empty */
        bool is_removal;         /* WRITE_RETIRED: of the whole record */
        struct zone_retired retired[ZONE_OLD_MAX];
        unsigned writes; /* since the last rest: the server that says yes and does nothing */
        unsigned races;  /* prerequisites that failed in a row */
        struct zone_servers servers;
        int64_t rest_s, trouble_rest_s;
        bool is_failed; /* something has, in this look at the zone */
        bool is_unchangeable; /* the pointer, in this look at the zone: it could not be changed, or not be understood */
        int64_t signing[ZONE_KINDS]; /* epochs, as told last; 0: none */
        bool is_foreign;             /* the pointer has another id */
        bool is_read_only; /* the pointer cannot be understood: this look at the keys changes nothing */
        bool is_revoking;  /* the pointer of a revocation stands in the zone */
        enum err revoked;  /* as zone_revoked tells */
        enum zone_lack lack;
        size_t reason_n; /* why nothing signs, when nothing does */
        char reason[ZONE_TEXT_MAX];
        size_t event_n;
        struct zone_event events[ZONE_EVENTS_MAX];
};

/* Large (some 60 KiB): on the heap. `config` is copied, but for what its slices point to.
 *   ERR_OK, or ERR_LIMIT when the domain leaves no room for the names of its records */
MUST_USE enum err zone_init(struct zone *z, const struct zone_config *config);
void zone_next(struct zone *z, int64_t now_s, struct zone_step *out);

/* The outcome of a QUERY: `e` ERR_OK with an answer, or why there is none; `answer->rcode` is read with ERR_DENIED.
 * An answer is borrowed for the call. */
void zone_answered(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer);
/* Put prerequisites and changes into an update that was begun for `config.zone`. */
void zone_fill_update(const struct zone *z, struct dns_update *u);
void zone_updated(struct zone *z, int64_t now_s, const struct zone_update_result *result);
/* The record text of the key that a DERIVE asked for, at most KEY_RECORD_MAX; empty: it could not be derived. */
void zone_derived(struct zone *z, int64_t now_s, struct str record);

/* The oldest event not yet taken: true, or false. */
bool zone_take_event(struct zone *z, struct zone_event *out);

/* Which key of a kind signs now: an index into `z->keys`, and until when what it signs is valid (x=).
 * The current epoch's; else that of the newest old one which can; else the announced one's.
 *   ERR_OK
 *   ERR_NOT_FOUND  none: `lack` and `reason` say why, the latter borrowed until the next call on `z` */
struct zone_signing {
        size_t key;
        int64_t expiry_s;
        enum zone_lack lack;
        struct str reason;
};
MUST_USE enum err zone_signing(
        const struct zone *z, int64_t now_s, enum zone_kind kind, struct zone_signing *out);

/* Does a signature or seal made earlier by the key of `selector`, whose x= is `expiry_s` (INT64_MAX: it has none), spare a
 * message another one: is the key in the zone and proven, and does the signature outlive the queues? */
bool zone_vouches(const struct zone *z, int64_t now_s, struct str selector, int64_t expiry_s);

/* When the next epoch takes over. */
int64_t zone_change_s(const struct zone *z);

/* Has a revocation come to its end?
 *   ERR_OK         the pointer names a new epoch, and no older key has a record that is not empty
 *   ERR_AGAIN      not yet
 *   ERR_NOT_FOUND  there is nothing to revoke: the zone has no pointer
 *   ERR_DENIED     the password is not as `mode` has it: `zone_signing` gives the reason */
MUST_USE enum err zone_revoked(const struct zone *z);

#endif
