/* SPDX-License-Identifier: ISC */
/* Members of a large list, through the store's interface and its fiber, one call at a time, each durable:
 *   names COUNT [DOMAINS]                    the addresses in disorder, one a line, for ptt import
 *   probe IMAGE DOMAIN LIST COUNT PROBES     membership, joining and leaving */
#include "base/arena.h"
#include "bench/bench.h"
#include "store/lists.h"

#define ADDRESS_MAX 64
#define DOMAINS 997
#define STEP 7919 /* prime, and no COUNT is a multiple of it: this goes all over the list, to each once */

static struct str address(char text[ADDRESS_MAX], const char *kind, size_t i, size_t domains)
{
        int n = snprintf(text, ADDRESS_MAX, "%s%07zu@sub%zu.test", kind, i, i % domains);
        return str_of(text, (size_t)n);
}

static int names(size_t count, size_t domains)
{
        char text[ADDRESS_MAX];
        if (count % STEP == 0)
                bench_fail("names", "not for a multiple of 7919");
        for (size_t i = 0; i < count; i++)
                (void)printf("%.*s\n", STR_ARG(address(text, "member", i * STEP % count, domains)));
        return 0;
}

struct probe {
        char **argv;
        struct store *store;
        int64_t list;
        size_t count, probes;
};

/* One kind of call, PROBES times; `expected` is what each must give. */
static void measure(struct probe *p, const char *name, const char *kind, enum err expected,
        enum err (*call)(struct probe *p, struct str address))
{
        struct bench_samples samples;
        char text[ADDRESS_MAX];
        bench_samples_init(&samples, p->probes);
        for (size_t i = 0; i < p->probes; i++) {
                struct str a = address(text, kind, i * STEP % p->count, DOMAINS);
                int64_t start = bench_now_ns();
                enum err err = call(p, a);
                bench_samples_add(&samples, bench_now_ns() - start);
                if (err != expected)
                        bench_fail(name, err_text(err));
        }
        bench_samples_rows(&samples, name);
}

static enum err find(struct probe *p, struct str a)
{
        char memory[1024];
        struct arena arena;
        struct store_member member;
        arena_init(&arena, memory, sizeof memory);
        return store_member_find(p->store, p->list, a, &arena, &member);
}

static enum err add(struct probe *p, struct str a)
{
        int64_t id;
        return store_member_add(p->store, p->list, a, 1, &id);
}

static enum err leave(struct probe *p, struct str a)
{
        return store_member_remove(p->store, p->list, a);
}

static void probe_run(struct host *h, void *arg)
{
        struct probe *p = arg;
        char memory[4096];
        struct arena arena;
        struct store_list list;
        struct scope scope;
        uint64_t members;
        arena_init(&arena, memory, sizeof memory);
        bench_need(store_open(h, str_of_c(p->argv[2]), &p->store), "opening the image");
        scope_open(&scope, h->sched, FIBER_NEVER);
        bench_need(store_start(p->store, &scope), "the store fiber");
        bench_need(store_list_find(p->store, str_of_c(p->argv[4]), str_of_c(p->argv[3]), &arena, &list),
                "the list");
        p->list = list.id;
        bench_need(store_member_count(p->store, p->list, &members), "counting");
        if (members != p->count)
                bench_fail("the list", "has another number of members");
        measure(p, "find", "member", ERR_OK, find);
        measure(p, "miss", "nobody", ERR_NOT_FOUND, find);
        measure(p, "add", "more", ERR_OK, add);
        measure(p, "remove", "more", ERR_OK, leave);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        store_close(p->store);
        bench_row_peak();
}

int main(int argc, char **argv)
{
        if ((argc == 3 || argc == 4) && strcmp(argv[1], "names") == 0)
                return names(bench_count(argv[2]), argc == 4 ? bench_count(argv[3]) : DOMAINS);
        if (argc != 7 || strcmp(argv[1], "probe") != 0)
                bench_fail(argv[0], "names COUNT [DOMAINS], or probe IMAGE DOMAIN LIST COUNT PROBES");
        struct probe p = {.argv = argv, .count = bench_count(argv[5]), .probes = bench_count(argv[6])};
        if (p.probes > p.count)
                bench_fail(argv[0], "more probes than members");
        bench_run(probe_run, &p);
        return 0;
}
