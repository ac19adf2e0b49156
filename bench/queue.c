/* SPDX-License-Identifier: ISC */
/* A queue as lipap would have it after some time, made through the store's interface, and what is in one:
 *   post IMAGE DOMAIN LIST      a signed post, of which nobody has got anything yet
 *   defer IMAGE COUNT SECONDS   COUNT of its deliveries have failed once, and are due in so many SECONDS
 *   drain IMAGE                 all of it is handed out and delivered, with the replies of nobody: what the store has to do
 *   rows IMAGE                  what is there, of an image that was copied under a running lipap too */
#include "base/arena.h"
#include "bench/bench.h"
#include "store/delivery.h"
#include "store/lists.h"
#include "store/messages.h"

#define BATCH 500
#define DRAIN 64 /* results in one transaction */
#define ARENA (1024 * 1024)
#define BODY 4096

struct queue {
        char **argv;
        struct host *host;
        struct store *store;
        struct arena arena, page;
        int64_t next_ms;
};

static void post(struct queue *q)
{
        struct store_list list;
        struct store_intake *intake;
        int64_t id;
        static char body[BODY];
        memset(body, 'x', sizeof body);
        memcpy(body + BODY - 2, "\r\n", 2);
        memcpy(body, "Subject: x\r\n\r\n", 14);
        bench_need(store_list_find(q->store, str_of_c(q->argv[4]), str_of_c(q->argv[3]), &q->arena, &list),
                "the list");
        bench_need(store_intake_begin(q->store, BODY, &intake), "a message");
        bench_need(store_intake_write(intake, str_of(body, BODY)), "its body");
        const struct store_message_new message = {.ticket = S("bench"),
                .kind = STORE_POST,
                .list = list.id,
                .domain = str_of_c(q->argv[3]),
                .sender = S("author@author.test"),
                .message_id = S("<bench@author.test>"),
                .front = S("From: Author <author@author.test>\r\n"),
                .received_ms = host_wall_ms(q->host)};
        bench_need(store_intake_commit(intake, &message, &id), "its commit");
        bench_need(store_ticket_sign(q->store, id, S("DKIM-Signature: none\r\n")), "its signature");
}

struct ending {
        struct queue *queue;
        int64_t id;
};

static void defer_one(void *arg)
{
        const struct ending *d = arg;
        bench_need(store_delivery_defer(d->queue->store, d->id, d->queue->next_ms,
                           S("451 4.7.1 Greylisted, please try again in 300 seconds")),
                "a result");
}

static void end_one(void *arg)
{
        const struct ending *d = arg;
        bench_need(store_delivery_done(d->queue->store, d->id, host_wall_ms(d->queue->host), 250,
                           S("250 2.0.0 Ok: queued as 4f1c0a2b3d")),
                "a result");
}

/* Results that come at the same moment share a transaction, as they would in lipap. */
static void end_batch(
        struct queue *q, const struct store_delivery *deliveries, size_t count, void (*how)(void *arg))
{
        struct scope scope;
        struct ending *d = bench_memory(count, sizeof *d);
        scope_open(&scope, q->host->sched, FIBER_NEVER);
        for (size_t i = 0; i < count; i++) {
                d[i] = (struct ending){q, deliveries[i].id};
                bench_need(scope_spawn(&scope, "end", how, &d[i]), "a fiber");
        }
        bench_need(scope_join(&scope), "the results");
        free(d);
}

static void defer(struct queue *q)
{
        size_t left = bench_count(q->argv[3]), count;
        int64_t now_ms = host_wall_ms(q->host);
        struct store_delivery *deliveries;
        q->next_ms = now_ms + (int64_t)bench_count(q->argv[4]) * 1000;
        for (; left > 0; left -= count) {
                arena_reset(&q->arena);
                bench_need(store_post_fill(q->store, now_ms, left < BATCH ? left : BATCH, &q->arena,
                                   &deliveries, &count),
                        "deliveries");
                if (count == 0)
                        bench_fail("deliveries", "the list has no more members");
                end_batch(q, deliveries, count, defer_one);
        }
}

static void drain(struct queue *q)
{
        struct store_delivery *deliveries;
        size_t count, all = 0;
        int64_t begin_ns = bench_now_ns(), cpu_ns = bench_cpu_ns();
        do {
                arena_reset(&q->arena);
                bench_need(store_post_fill(
                                   q->store, host_wall_ms(q->host), DRAIN, &q->arena, &deliveries, &count),
                        "deliveries");
                end_batch(q, deliveries, count, end_one);
                all += count;
        } while (count > 0);
        bench_row("count", (double)all);
        bench_row("each-second", (double)all * 1e9 / (double)(bench_now_ns() - begin_ns));
        bench_row("cpu-each", (double)(bench_cpu_ns() - cpu_ns) / 1e6 / (double)all);
}

static size_t count_waiting(struct queue *q, int64_t message)
{
        struct store_waiting *waiting;
        size_t count = BATCH, all = 0;
        for (int64_t last = 0; count == BATCH; all += count) {
                arena_reset(&q->page);
                bench_need(store_queue_waiting(q->store, message, last, BATCH, &q->page, &waiting, &count),
                        "rows");
                if (count > 0)
                        last = waiting[count - 1].id;
        }
        return all;
}

static void rows(struct queue *q)
{
        struct store_queued *queued;
        size_t messages, waiting = 0;
        uint64_t left = 0;
        bench_need(store_queue(q->store, 0, BATCH, &q->arena, &queued, &messages), "the queue");
        for (size_t i = 0; i < messages; i++) {
                left += queued[i].left;
                waiting += count_waiting(q, queued[i].message);
        }
        bench_row("messages", (double)messages);
        bench_row("waiting", (double)waiting);
        bench_row("left", (double)left);
}

static void queue_run(struct host *h, void *arg)
{
        struct queue *q = arg;
        struct scope scope;
        char *memory = bench_memory(2, ARENA);
        q->host = h;
        arena_init(&q->arena, memory, ARENA);
        arena_init(&q->page, memory + ARENA, ARENA);
        bench_need(store_open(h, str_of_c(q->argv[2]), &q->store), "opening the image");
        scope_open(&scope, h->sched, FIBER_NEVER);
        bench_need(store_start(q->store, &scope), "the store fiber");
        if (strcmp(q->argv[1], "post") == 0)
                post(q);
        else if (strcmp(q->argv[1], "defer") == 0)
                defer(q);
        else if (strcmp(q->argv[1], "drain") == 0)
                drain(q);
        else
                rows(q);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        store_close(q->store);
        free(memory);
}

int main(int argc, char **argv)
{
        bool is_known = (argc == 5 && (strcmp(argv[1], "post") == 0 || strcmp(argv[1], "defer") == 0)) ||
                        (argc == 3 && (strcmp(argv[1], "rows") == 0 || strcmp(argv[1], "drain") == 0));
        struct queue q = {.argv = argv};
        if (!is_known)
                bench_fail(argv[0],
                        "post IMAGE DOMAIN LIST, defer IMAGE COUNT SECONDS, drain IMAGE, or rows IMAGE");
        bench_run(queue_run, &q);
        return 0;
}
