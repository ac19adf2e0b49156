/* SPDX-License-Identifier: ISC */
/* What a program counts, and how it tells: the Prometheus text exposition format 0.0.4, written into an arena of its
 * own. Counters are plain members of the structs whose parts own them; nothing here is global.
 *
 *     metrics_family(&m, METRICS_COUNTER, "nec_messages_signed_total", "Messages signed and taken by the next hop");
 *     metrics_u64(&m, NULL, 0, signer->stats.signed_count);
 *
 * Names and label names are literals of ours; label values may hold anything and are escaped. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

/* A distribution of durations. Zeros are ready. */
#define HISTOGRAM_BOUNDS 12
struct histogram {
        uint64_t count[HISTOGRAM_BOUNDS + 1]; /* up to each bound of histogram_bounds_ms; the last: above */
        uint64_t sum_ms;
};
extern const uint32_t histogram_bounds_ms[HISTOGRAM_BOUNDS];
void histogram_add(struct histogram *h, int64_t ms); /* below 0 counts as 0 */

/* Failures of the DNS, by what was answered. Zeros are ready. */
#define DNS_ERRORS_RCODES 24
struct dns_errors {
        uint64_t by_rcode[DNS_ERRORS_RCODES]; /* of an answer, or of TSIG in it; 0: any without a name here */
        uint64_t timeout, network, malformed; /* none in time; no way to the server; not to be understood */
};
/* Count the outcome of a question or an update: ERR_OK, ERR_CANCELLED, ERR_MEMORY are none; ERR_DENIED stands for
 * `rcode`, or for `tsig_error` when that is not 0. */
void dns_errors_add(struct dns_errors *d, enum err e, uint16_t rcode, uint16_t tsig_error);

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics {
        struct wr w;
        const char *name; /* of the family */
};

#define METRICS_LABELS_MAX 4

struct metrics_label {
        const char *name;
        struct str value;
};

/* Write into `buffer`. What does not fit sticks: metrics_end then gives ERR_SPACE. */
void metrics_init(struct metrics *m, void *buffer, size_t cap);
/* Begin a family: its HELP and TYPE. Its values follow. `name` and `help` are literals; a counter's name ends in _total. */
void metrics_family(struct metrics *m, enum metrics_type type, const char *name, const char *help);
/* One value of the family. */
void metrics_u64(struct metrics *m, const struct metrics_label *labels, size_t label_count, uint64_t value);
void metrics_i64(struct metrics *m, const struct metrics_label *labels, size_t label_count, int64_t value);
/* A value in thousandths, written with three decimals. */
void metrics_milli(struct metrics *m, const struct metrics_label *labels, size_t label_count, int64_t value);
/* A family with the version of the program: `NAME{version="..."} 1`. */
void metrics_build_info(struct metrics *m, const char *name);
/* All of a histogram, in seconds. */
void metrics_histogram(struct metrics *m, const struct histogram *h);
/* The values of `NAME{LABELS,error="..."}`, at most METRICS_LABELS_MAX labels given: every rcode that has occurred, and other, timeout, network,
 * malformed. */
void metrics_dns_errors(struct metrics *m, const struct metrics_label *labels, size_t label_count,
        const struct dns_errors *d);

/*   ERR_OK: the text is wr_text(&m->w); ERR_SPACE */
MUST_USE enum err metrics_end(const struct metrics *m);

#endif
