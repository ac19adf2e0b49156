/* SPDX-License-Identifier: ISC */
/* The program `sim`: runs scenarios and seeds, searches for seeds that fail, and shrinks them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/options.h"
#include "tests/sim/memo.h"
#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

#define SHRINK_TRIES 400
#define SEED_LAST (UINT64_MAX / 4)

static const struct option_spec specs[] = {
        {"seed", 0, "N", false, "run, shrink, generate: the scenario of this seed"},
        {"seeds", 0, "A-B", false, "run: all of these"},
        {"trace", 0, NULL, false, "run: print every event"},
        {"hashes", 0, NULL, false, "run: print the hash of each trace"},
        {"jobs", 0, "N", false, "runs at a time, default 1"},
        {"hours", 0, "H", false, "search: so long"},
        {"minutes", 0, "M", false, "search: so long"},
        {"from", 0, "N", false, "search: the first seed, default 1"},
        {"only", 0, "INVARIANT", false, "run: only this one counts as a failure"},
        {"first", 0, NULL, false, "run: end at the first failure"},
        {"out", 0, "DIR", false, "search, shrink: where failing scenarios are kept, default ."},
        {"help", 0, NULL, false, "print this"},
        {NULL, 0, NULL, false, NULL},
};

struct summary {
        const struct options *options;
        struct str only;
        uint64_t runs, failures;
        int64_t simulated_ms, deadline_s;
        uint64_t accepted, copies, duplicates, crashes;
        bool is_searching;
};

static int complain(const char *what)
{
        fprintf(stderr, "sim: %s\n", what);
        return EXIT_USAGE;
}

static uint64_t number(const struct options *o, const char *name, uint64_t otherwise)
{
        struct str text;
        uint64_t n;
        if (!options_value(o, name, &text))
                return otherwise;
        if (str_to_u64(text, SEED_LAST, &n) != ERR_OK) {
                fprintf(stderr, "sim: --%s is not a number\n", name);
                exit(EXIT_USAGE);
        }
        return n;
}

static int64_t now_s(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec;
}

/* ---- files ---- */

static bool read_file(const char *path, char **text, size_t *n)
{
        FILE *f = fopen(path, "r");
        size_t cap = 1 << 20;
        *text = f ? malloc(cap) : NULL;
        *n = *text ? fread(*text, 1, cap, f) : 0;
        bool is_good = *text && *n < cap && !ferror(f);
        if (f)
                fclose(f);
        return is_good;
}

static char *text_of(const struct scenario *s, size_t *n)
{
        size_t cap = scenario_print_size(s);
        char *text = malloc(cap);
        struct wr w;
        wr_init(&w, text, text ? cap : 0);
        scenario_print(s, &w);
        *n = w.n;
        return text;
}

static bool print_to(FILE *f, const struct scenario *s)
{
        size_t n;
        char *text = text_of(s, &n);
        bool is_good = f && fwrite(text, 1, n, f) == n && fflush(f) == 0;
        free(text);
        return is_good;
}

/* ---- telling ---- */

static void print_result(const struct world_result *r)
{
        printf("%.1f hours simulated, %zu posts accepted, %zu copies, %zu duplicates, %u deaths; trace %s "
               "(%" PRIu64 " lines)\n",
                (double)r->simulated_ms / 3600000, r->sum.accepted, r->sum.copies, r->sum.duplicates,
                r->crashes, r->trace, r->lines);
}

static void print_summary(const struct summary *s)
{
        printf("%" PRIu64 " runs, %" PRIu64 " failed; %.1f hours simulated, %" PRIu64
               " posts accepted, %" PRIu64 " copies, %" PRIu64 " duplicates, %" PRIu64 " deaths\n",
                s->runs, s->failures, (double)s->simulated_ms / 3600000, s->accepted, s->copies,
                s->duplicates, s->crashes);
}

static bool is_failure(const struct summary *s, const struct world_result *r)
{
        return r->is_broken && (s->only.n == 0 || str_eq(s->only, str_of_c(r->invariant)));
}

static void add(struct summary *s, const struct world_result *r)
{
        s->runs++;
        s->failures += is_failure(s, r);
        s->simulated_ms += r->simulated_ms;
        s->accepted += r->sum.accepted;
        s->copies += r->sum.copies;
        s->duplicates += r->sum.duplicates;
        s->crashes += r->crashes;
}

/* ---- run ---- */

static int run_traced(const struct scenario *s, bool with_trace)
{
        struct world_result r;
        world_run(s, with_trace ? stdout : NULL, &r);
        if (r.is_broken)
                printf("INVARIANT %s: %s\n", r.invariant, r.story);
        print_result(&r);
        return r.is_broken;
}

static int run_file(const struct options *o, struct str path)
{
        struct scenario s;
        struct scenario_fault fault;
        char *text;
        size_t n;
        if (!read_file(path.p, &text, &n)) {
                free(text);
                return complain("the file cannot be read");
        }
        enum err e = scenario_parse(str_of(text, n), &s, &fault);
        free(text);
        if (e != ERR_OK) {
                fprintf(stderr, "sim: %.*s:%u: %s\n", STR_ARG(path), fault.line,
                        e == ERR_SYNTAX ? fault.text : err_text(e));
                return EXIT_USAGE;
        }
        int status = run_traced(&s, options_has(o, "trace"));
        scenario_free(&s);
        return status;
}

static int run_seed(const struct options *o)
{
        struct scenario s = run_generated(number(o, "seed", 1));
        int status = run_traced(&s, options_has(o, "trace"));
        scenario_free(&s);
        return status;
}

static bool tell_seed(void *ctx, uint64_t seed, const struct world_result *r)
{
        struct summary *s = ctx;
        add(s, r);
        if (options_has(s->options, "hashes"))
                printf("%" PRIu64 " %s\n", seed, r->trace);
        if (is_failure(s, r))
                printf("seed %" PRIu64 ": INVARIANT %s: %s (sim run --seed %" PRIu64 ")\n", seed,
                        r->invariant, r->story, seed);
        fflush(stdout);
        return !is_failure(s, r) || !options_has(s->options, "first");
}

static unsigned jobs_of(const struct options *o)
{
        uint64_t n = number(o, "jobs", 1);
        return n < 1 ? 1 : n > RUN_JOBS_MAX ? RUN_JOBS_MAX : (unsigned)n;
}

static int run_range(const struct options *o, struct str range)
{
        struct summary s = {.options = o};
        struct str a, b;
        uint64_t first, last;
        (void)options_value(o, "only", &s.only);
        if (!str_cut(range, '-', &a, &b) || str_to_u64(a, SEED_LAST, &first) != ERR_OK ||
                str_to_u64(b, SEED_LAST, &last) != ERR_OK)
                return complain("--seeds is not A-B");
        run_seeds(first, last, jobs_of(o), tell_seed, &s);
        print_summary(&s);
        return s.failures > 0;
}

static int command_run(const struct options *o)
{
        struct str range;
        if (o->arguments_count == 2)
                return run_file(o, o->arguments[1]);
        if (options_value(o, "seeds", &range))
                return run_range(o, range);
        return options_has(o, "seed") ? run_seed(o) : complain("run what? FILE, --seed N or --seeds A-B");
}

/* ---- search ---- */

static bool fails_alike(void *ctx, const struct scenario *s)
{
        const struct world_result *original = ctx;
        struct world_result r;
        run_one(s, &r);
        return r.is_broken && strcmp(r.invariant, original->invariant) == 0;
}

static void keep_failure(const struct summary *s, uint64_t seed, const struct world_result *r)
{
        struct world_result original = *r, now;
        struct scenario scenario = run_generated(seed);
        struct str folder = S(".");
        char path[1024];
        (void)options_value(s->options, "out", &folder);
        shrink(&scenario, fails_alike, &original, SHRINK_TRIES);
        run_one(&scenario, &now);
        snprintf(path, sizeof path, "%.*s/seed-%" PRIu64 "-%s.sim", STR_ARG(folder), seed, r->invariant);
        FILE *f = fopen(path, "w");
        if (print_to(f, &scenario))
                printf("  in %zu lines: INVARIANT %s: %s (sim run --trace %s)\n", scenario.count,
                        now.invariant, now.story, path);
        else
                printf("  %s cannot be written\n", path);
        if (f)
                fclose(f);
        scenario_free(&scenario);
}

static bool search_seed(void *ctx, uint64_t seed, const struct world_result *r)
{
        struct summary *s = ctx;
        (void)tell_seed(ctx, seed, r);
        if (is_failure(s, r))
                keep_failure(s, seed, r);
        return now_s() < s->deadline_s;
}

static int command_search(const struct options *o)
{
        uint64_t seconds = number(o, "hours", 0) * 3600 + number(o, "minutes", 0) * 60;
        struct summary s = {.options = o, .deadline_s = now_s() + (int64_t)seconds};
        if (seconds == 0)
                return complain("--hours or --minutes is missing");
        run_seeds(number(o, "from", 1), SEED_LAST, jobs_of(o), search_seed, &s);
        print_summary(&s);
        return s.failures > 0;
}

/* One seed that fails, made small. */
static int command_shrink(const struct options *o)
{
        struct summary s = {.options = o};
        uint64_t seed = number(o, "seed", 1);
        struct scenario scenario = run_generated(seed);
        struct world_result r;
        run_one(&scenario, &r);
        scenario_free(&scenario);
        (void)tell_seed(&s, seed, &r);
        if (r.is_broken)
                keep_failure(&s, seed, &r);
        return r.is_broken;
}

static int command_generate(const struct options *o)
{
        struct scenario s = run_generated(number(o, "seed", 1));
        bool is_good = print_to(stdout, &s);
        scenario_free(&s);
        return !is_good;
}

int main(int argc, char **argv)
{
        static struct options o;
        if (options_parse(specs, argc, argv, &o) != ERR_OK)
                return complain(o.message);
        if (options_has(&o, "help")) {
                printf("sim run FILE | run --seed N | run --seeds A-B | search --hours H | shrink --seed N | "
                       "generate --seed "
                       "N\n\n");
                options_help(stdout, specs);
                return 0;
        }
        if (o.arguments_count == 0 || !memo_share())
                return complain("what? run, search, shrink or generate");
        if (str_eq(o.arguments[0], S("run")))
                return command_run(&o);
        if (str_eq(o.arguments[0], S("search")))
                return command_search(&o);
        if (str_eq(o.arguments[0], S("shrink")))
                return command_shrink(&o);
        if (str_eq(o.arguments[0], S("generate")))
                return command_generate(&o);
        return complain("unknown command");
}
