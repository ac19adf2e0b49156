/* SPDX-License-Identifier: ISC */
/* The inside of a world, for its own files. */
#ifndef TESTS_SIM_WORLD_INSIDE_H
#define TESTS_SIM_WORLD_INSIDE_H

#include "base/arena.h"
#include "crypto/sha256.h"
#include "host/sim/sim.h"
#include "tests/sim/author.h"
#include "tests/sim/book.h"
#include "tests/sim/buffer.h"
#include "tests/sim/dns_world.h"
#include "tests/sim/health.h"
#include "tests/sim/mx.h"
#include "tests/sim/verify.h"
#include "tests/sim/world.h"

#define WORLD_ARGUMENTS_MAX 128
#define WORLD_MODERATOR "moderator@moderators.test" /* when a list names none */
#define WORLD_MODERATORS_MAX 8                      /* of one list */
#define SERVER_BACK_MS 1000
#define WORLD_ZONE_HURT_MS (4 * 60 * 1000) /* signers look each minute, and secondaries lag */
#define WORLD_CHANGES_MAX 256              /* members who wait to join or leave at once */

/* A node of the world, whatever runs on it. */
struct machine {
        struct world *world;
        const struct statement *said; /* what declared it */
        const char *name;
        struct ip ip;
        struct sim_node *node;
        struct sim_disk *disk; /* of lipap */
        char *argv[WORLD_ARGUMENTS_MAX];
        int argc;
        struct author *author;
        const struct person *who; /* the author is */
        struct mx *mx;
        struct dns_peer *dns;
        /* of servers that are started again */
        int64_t back_ms;  /* not before */
        int64_t pause_ms; /* between the next death by a counted call and the start after it */
        unsigned stops;   /* that were asked for and have not come yet */
        bool is_disk_bad; /* so it may end by itself */
        bool is_clean;    /* the image was closed in order */
};

struct change {
        struct str list, email;
        bool joins;
};

/* A line that somebody expects in a node's log. */
struct expected_line {
        const struct statement *said;
        struct sim_node *node;
        struct str pattern;
        bool is_seen;
};

struct world {
        const struct scenario *s;
        uint64_t seed;
        FILE *trace;
        struct world_result *out;
        struct sha256 hash;
        struct sim *sim;
        struct ledger *ledger;
        struct verify *verify;
        struct dns_world *dns;
        struct people *people;
        struct book *book;
        struct health *health;
        struct buffer members;     /* of the image that was looked at last */
        const char *authserv;      /* the name that lipap's results bear */
        struct arena arena, views; /* of the run; of one question of verify */
        struct machine *machines;
        size_t machine_count;
        struct machine *lipap;
        struct scope scope; /* of supervisors and of what ends later */
        int64_t start_ms;
        int64_t quiet_ms;           /* the last fault that was announced is over then */
        int64_t zone_hurt_until_ms; /* somebody has changed our zone by hand: the signers may not know yet */
        bool is_ending;
        struct sim_disk *copy; /* images are looked at here, */
        struct sim_node *desk; /* by this node */
        bool is_desk_taken;
        struct change changes[WORLD_CHANGES_MAX];
        size_t change_count;
        struct expected_line *expected;
        size_t expected_count;
};

/* world.c */
void world_broken(struct world *w, const char *invariant, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void *world_alloc(struct world *w, size_t n);              /* zeros, for the run; never NULL */
char *world_text(struct world *w, const char *format, ...) /* for the run */
        __attribute__((format(printf, 2, 3)));
struct machine *world_machine(struct world *w, struct str name); /* NULL: none */
struct sched *world_sched(struct world *w);
void world_spawn(struct world *w, const char *name, void (*fn)(void *arg), void *arg);

/* world_build.c: zones, nodes and their peers, as the statements say; command lines. */
bool world_build(struct world *w);
void world_tear_down(struct world *w);
void world_fill_ledger(struct world *w); /* world_ledger.c */
void world_refuse_homeless(
        struct world *w, struct str email); /* nobody takes mail for those without a mail host */
void world_temper(const struct statement *t, struct mx_temper *temper); /* the traits that it names */

/* world_server.c: lipap and the signers. */
void server_make_image(struct world *w); /* in a fiber, before anything runs */
void server_run(void *machine);          /* the fiber that starts it again and again until the world ends */
void server_mend_disk(struct machine *m);
void server_stop(struct machine *m, int64_t back_ms);
void server_kill(struct machine *m, enum sim_kill how, int64_t back_ms);
void server_join(struct machine *m); /* it has ended for good */

/* world_memory.c: ceilings. The first is a fiber, the second looks once, before the scheduler ends. */
void world_watch_memory(void *world);
void world_look_at_stacks(struct world *w);

/* world_monitor.c: a machine that looks at the pages of --metrics, now and then. */
void world_watch_metrics(struct world *w);

/* world_look.c: a copy of lipap's image, looked at. Its faults are violations; what failed, and `with_queue` what waits,
 * goes into the ledger. */
void look_at_image(struct world *w, bool with_queue, const char *when);

/* world_play.c: what the statements say, in their order and at their times. */
void play(struct world *w);
void world_lasts(struct world *w, int64_t for_ms); /* nothing is quiet before */

/* world_book.c: letters to the routes of lists, and who is a member. */
void world_mail(struct world *w, const struct statement *t);
void world_told(void *world, uint32_t note);                                     /* for book_new */
bool world_has_member(const struct world *w, struct str list, struct str email); /* as last looked at */
void world_judge_members(struct world *w);                                       /* likewise */
void world_judge_behaviour(
        struct world *w); /* of mail hosts' clients, and of lists to their members, likewise */
bool world_expect_book(struct world *w, const struct statement *t);

/* world_link.c: those about the network. */
void play_network(struct world *w, const struct statement *t);

/* world_session.c: a dialogue; `at` is the place of the session statement. */
void play_session(struct world *w, size_t at);

#endif
