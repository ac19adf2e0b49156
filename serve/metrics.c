/* SPDX-License-Identifier: ISC */
#include "serve/metrics.h"

#include "base/check.h"
#include "dns/code.h"

const uint32_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = {
        5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 60000};

void histogram_add(struct histogram *h, int64_t ms)
{
        size_t at = 0;
        uint64_t value = ms < 0 ? 0 : (uint64_t)ms;
        while (at < HISTOGRAM_BOUNDS && value > histogram_bounds_ms[at])
                at++;
        h->count[at]++;
        h->sum_ms += value;
}

void dns_errors_add(struct dns_errors *d, enum err e, uint16_t rcode, uint16_t tsig_error)
{
        uint16_t said = tsig_error != 0 ? tsig_error : rcode;
        switch (e) {
        case ERR_OK:
        case ERR_CANCELLED:
        case ERR_MEMORY:
                break;
        case ERR_TIMEOUT:
                d->timeout++;
                break;
        case ERR_DENIED:
                d->by_rcode[said < DNS_ERRORS_RCODES ? said : 0]++;
                break;
        case ERR_REFUSED:
        case ERR_UNREACHABLE:
        case ERR_CLOSED:
        case ERR_LIMIT:
                d->network++;
                break;
        default:
                d->malformed++;
        }
}

void metrics_init(struct metrics *m, void *buffer, size_t cap)
{
        wr_init(&m->w, buffer, cap);
        m->name = NULL;
}

static void put(struct metrics *m, const char *c)
{
        wr_str(&m->w, str_of_c(c));
}

void metrics_family(struct metrics *m, enum metrics_type type, const char *name, const char *help)
{
        static const char *const types[] = {
                [METRICS_COUNTER] = "counter", [METRICS_GAUGE] = "gauge", [METRICS_HISTOGRAM] = "histogram"};
        CHECK(type != METRICS_COUNTER || str_has_suffix_nocase(str_of_c(name), S("_total")));
        m->name = name;
        put(m, "# HELP ");
        put(m, name);
        put(m, " ");
        put(m, help);
        put(m, "\n# TYPE ");
        put(m, name);
        put(m, " ");
        put(m, types[type]);
        put(m, "\n");
}

/* Backslash, double quote and line feed are escaped; what else is no printable ASCII becomes a question mark, so that
 * the page is UTF-8 whatever a peer has said. */
static void put_value(struct metrics *m, struct str value)
{
        for (size_t i = 0; i < value.n; i++) {
                char c = value.p[i];
                if (c == '\n')
                        put(m, "\\n");
                else if (c == '\\' || c == '"') {
                        wr_byte(&m->w, '\\');
                        wr_byte(&m->w, c);
                } else
                        wr_byte(&m->w, c >= ' ' && c < 0x7f ? c : '?');
        }
}

static void put_start(
        struct metrics *m, const char *suffix, const struct metrics_label *labels, size_t label_count)
{
        CHECK(m->name != NULL);
        put(m, m->name);
        put(m, suffix);
        for (size_t i = 0; i < label_count; i++) {
                put(m, i == 0 ? "{" : ",");
                put(m, labels[i].name);
                put(m, "=\"");
                put_value(m, labels[i].value);
                put(m, "\"");
        }
        put(m, label_count > 0 ? "} " : " ");
}

void metrics_u64(struct metrics *m, const struct metrics_label *labels, size_t label_count, uint64_t value)
{
        put_start(m, "", labels, label_count);
        wr_u64(&m->w, value);
        put(m, "\n");
}

static uint64_t put_sign(struct metrics *m, int64_t value)
{
        if (value >= 0)
                return (uint64_t)value;
        put(m, "-");
        return ~(uint64_t)value + 1;
}

void metrics_i64(struct metrics *m, const struct metrics_label *labels, size_t label_count, int64_t value)
{
        put_start(m, "", labels, label_count);
        wr_u64(&m->w, put_sign(m, value));
        put(m, "\n");
}

static void put_milli(struct metrics *m, uint64_t value)
{
        wr_u64(&m->w, value / 1000);
        put(m, ".");
        wr_u64_padded(&m->w, value % 1000, 3);
}

void metrics_milli(struct metrics *m, const struct metrics_label *labels, size_t label_count, int64_t value)
{
        put_start(m, "", labels, label_count);
        put_milli(m, put_sign(m, value));
        put(m, "\n");
}

void metrics_build_info(struct metrics *m, const char *name)
{
        struct metrics_label label = {"version", S(PTT_VERSION)};
        metrics_family(m, METRICS_GAUGE, name, "The version that runs");
        metrics_u64(m, &label, 1, 1);
}

void metrics_histogram(struct metrics *m, const struct histogram *h)
{
        uint64_t count = 0;
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
                char text[24];
                struct metrics bound;
                struct metrics_label label = {"le", S("+Inf")};
                metrics_init(&bound, text, sizeof text);
                if (i < HISTOGRAM_BOUNDS) {
                        put_milli(&bound, histogram_bounds_ms[i]);
                        label.value = wr_text(&bound.w);
                }
                count += h->count[i];
                put_start(m, "_bucket", &label, 1);
                wr_u64(&m->w, count);
                put(m, "\n");
        }
        put_start(m, "_sum", NULL, 0);
        put_milli(m, h->sum_ms);
        put(m, "\n");
        put_start(m, "_count", NULL, 0);
        wr_u64(&m->w, count);
        put(m, "\n");
}

void metrics_dns_errors(
        struct metrics *m, const struct metrics_label *labels, size_t label_count, const struct dns_errors *d)
{
        struct metrics_label all[METRICS_LABELS_MAX + 1], *error = &all[label_count];
        uint64_t unnamed = 0;
        CHECK(label_count <= METRICS_LABELS_MAX);
        for (size_t i = 0; i < label_count; i++)
                all[i] = labels[i];
        error->name = "error";
        for (uint16_t i = 0; i < DNS_ERRORS_RCODES; i++) {
                error->value = dns_tsig_error_text(i);
                if (i == DNS_RCODE_NOERROR || str_eq(error->value, dns_tsig_error_text(UINT16_MAX)))
                        unnamed += d->by_rcode[i];
                else if (d->by_rcode[i] > 0)
                        metrics_u64(m, all, label_count + 1, d->by_rcode[i]);
        }
        const struct {
                struct str error;
                uint64_t count;
        } others[] = {{S("other"), unnamed}, {S("timeout"), d->timeout}, {S("network"), d->network},
                {S("malformed"), d->malformed}};
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                error->value = others[i].error;
                metrics_u64(m, all, label_count + 1, others[i].count);
        }
}

enum err metrics_end(const struct metrics *m)
{
        return wr_end(&m->w);
}
