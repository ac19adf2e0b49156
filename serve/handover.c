/* SPDX-License-Identifier: ISC */
#include "serve/handover.h"

#include <stdlib.h>

#include "base/arena.h"
#include "host/log.h"
#include "serve/smtp_out.h"
#include "serve/stored_out.h"
#include "store/messages.h"

#define BATCH 32
#define WORKER_ARENA 8192
#define TROUBLE_REPLY_MAX 400 /* of a signer's words that are kept */

struct handover {
        struct lipap *node;
        struct chan work; /* of struct task */
        void *slots[HANDOVER_WORKERS];
        struct task {
                int64_t message; /* 0: free */
        } tasks[2 * HANDOVER_WORKERS + 1];
        bool has_failed;
        int64_t retry_at_ms, pause_ms;
        struct signer_state {
                int64_t dead_until_ms;
                bool is_away;
        } signers[LIPAP_SIGNERS_MAX];
        size_t workers; /* that have begun */
};

struct worker {
        struct handover *handover;
        struct lipap *node;
        struct smtp_out *out; /* open while `is_open` */
        bool is_open;
        size_t next_signer; /* to be asked when a connection is needed */
        struct ip_port signer;
        struct trouble { /* the last */
                unsigned code;
                size_t n;
                char text[STORE_TROUBLE_MAX];
        } trouble;
        struct arena arena;
        char memory[WORKER_ARENA];
};

static int64_t now_ms(struct handover *h)
{
        return host_now_ms(h->node->host);
}

/* ---- one connection ---- */

static void log_signer(struct worker *w, enum log_level level, const char *event, int64_t message, enum err e,
        const struct smtp_reply *reply)
{
        struct log_line l;
        log_begin(&l, w->node->host, level, "handover", event);
        if (message != 0)
                log_i64(&l, "message", message);
        log_ip_port(&l, "signer", &w->signer);
        if (e != ERR_OK)
                log_err(&l, e);
        if (reply->code != 0) {
                log_u64(&l, "code", reply->code);
                log_str(&l, "text", reply->text);
        }
        log_end(&l);
}

/* What whoever looks at the queue is told: "10.0.0.3:25: 451 4.3.0 no key yet". */
static void note_trouble(struct worker *w, enum err e, const struct smtp_reply *reply)
{
        struct wr text;
        wr_init(&text, w->trouble.text, sizeof w->trouble.text);
        ip_port_write(&text, &w->signer);
        wr_str(&text, S(": "));
        if (reply->code != 0) {
                wr_u64(&text, reply->code);
                wr_byte(&text, ' ');
                if (reply->enhanced.class != 0) {
                        smtp_enhanced_write(&text, &reply->enhanced);
                        wr_byte(&text, ' ');
                }
                wr_str(&text, str_take(reply->text, TROUBLE_REPLY_MAX));
        } else {
                wr_str(&text, str_of_c(err_text(e)));
        }
        w->trouble.n = wr_text(&text).n;
        w->trouble.code = reply->code;
}

/* When a signer may be asked again at the earliest: 0 when one did not fail a moment ago. */
static int64_t next_signer_ms(struct handover *h)
{
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < h->node->signer_count; i++)
                if (h->signers[i].dead_until_ms < next)
                        next = h->signers[i].dead_until_ms;
        return next <= now_ms(h) ? 0 : next;
}

/* The next signer in turn that did not fail a moment ago; the count of signers when all did. */
static size_t choose_signer(struct worker *w)
{
        struct handover *h = w->handover;
        size_t n = h->node->signer_count;
        for (size_t i = 0; i < n; i++) {
                size_t at = (w->next_signer + i) % n;
                if (h->signers[at].dead_until_ms <= now_ms(h)) {
                        w->next_signer = at + 1;
                        return at;
                }
        }
        return n;
}

/* Going away and coming back are said once, not for each message that waits. */
static void note_signer(struct worker *w, size_t at, enum err e, const struct smtp_reply *reply)
{
        struct signer_state *state = &w->handover->signers[at];
        if (w->is_open && state->is_away)
                log_signer(w, LOG_INFO, "signer-back", 0, ERR_OK, &(struct smtp_reply){0});
        if (!w->is_open && !state->is_away)
                log_signer(w, LOG_WARN, "signer-away", 0, e, reply);
        state->is_away = !w->is_open;
        if (!w->is_open) {
                state->dead_until_ms = now_ms(w->handover) + HANDOVER_RETRY_FIRST_MS;
                note_trouble(w, e, reply);
        }
        bool is_away = true;
        for (size_t i = 0; i < w->node->signer_count; i++)
                is_away = is_away && w->handover->signers[i].is_away;
        w->node->is_signer_away = is_away;
}

static bool open_signer(struct worker *w)
{
        enum err e = ERR_OK;
        for (size_t tries = 0; tries < w->node->signer_count && !w->is_open && e != ERR_CANCELLED; tries++) {
                size_t at = choose_signer(w);
                struct smtp_reply reply;
                if (at == w->node->signer_count)
                        return false;
                struct smtp_out_config config = {.to = w->node->signers[at],
                        .connect_ms = HANDOVER_CONNECT_MS,
                        .client = {.hello = w->node->hostname,
                                .greeting_ms = HANDOVER_GREETING_MS,
                                .command_ms = HANDOVER_COMMAND_MS}};
                w->signer = config.to;
                e = smtp_out_open(w->out, w->node->host, &config, &reply);
                w->is_open = e == ERR_OK;
                if (!w->is_open)
                        smtp_out_close(w->out);
                if (e != ERR_CANCELLED)
                        note_signer(w, at, e, &reply);
        }
        return w->is_open;
}

static void close_signer(struct worker *w, bool in_order)
{
        if (!w->is_open)
                return;
        if (in_order)
                smtp_out_quit(w->out);
        smtp_out_close(w->out);
        w->is_open = false;
}

/* ---- one message ---- */

/* `reply` is the answer that decided. */
static enum err send_message(struct worker *w, const struct store_message *m, struct store_reader *reader,
        struct smtp_reply *reply)
{
        char address[SMTP_PATH_MAX];
        struct wr to;
        struct smtp_reply mail, rcpt, data;
        size_t accepted = 0;
        wr_init(&to, address, sizeof address);
        wr_str(&to, S("_signed."));
        wr_str(&to, m->ticket);
        wr_byte(&to, '@');
        wr_str(&to, m->domain);
        struct str recipient = wr_text(&to);
        struct smtp_out_envelope envelope = {
                .params = stored_out_params(w->out, m->is_8bit, m->is_smtputf8, store_reader_size(reader)),
                .to = &recipient,
                .to_n = 1,
                .wants_data = true,
        };
        enum err e = smtp_out_envelope(w->out, &envelope, &mail, &rcpt, &data, &accepted);
        *reply = !smtp_reply_is_positive(&mail) ? mail : !smtp_reply_is_positive(&rcpt) ? rcpt : data;
        if (e != ERR_OK)
                return e;
        if (data.code != 354 || accepted == 0)
                return smtp_out_rset(w->out, &mail) == ERR_OK ? ERR_OK : ERR_CLOSED;
        e = stored_out_body(w->out, reader);
        return e == ERR_OK ? smtp_out_end(w->out, reply) : e;
}

/* Send it over the open connection. True when the signed copy is here: what the store says counts, not the signer's
 * reply, good or bad. */
static bool offer(struct worker *w, const struct store_message *m)
{
        struct store *store = w->node->store;
        struct store_reader *reader;
        struct store_message after = {0};
        struct smtp_reply reply = {0};
        enum err e = store_reader_open(store, m->id, STORE_SENT, &reader);
        if (e == ERR_OK) {
                e = send_message(w, m, reader, &reply);
                store_reader_close(reader);
                if (e != ERR_OK && e != ERR_UNSUPPORTED)
                        close_signer(w, false);
        }
        bool is_signed =
                store_message_get(store, m->id, &w->arena, &after) == ERR_OK && after.state != STORE_OPEN;
        if (is_signed)
                log_signer(w, LOG_INFO, "signed", m->id, ERR_OK, &(struct smtp_reply){0});
        else if (!fiber_is_cancelled(w->node->host->sched)) {
                log_signer(w, LOG_ERROR, "not-signed", m->id, e, &reply);
                note_trouble(w, e, &reply);
        }
        return is_signed;
}

/* A connection that was idle may have been closed by the other side; and what one signer refuses, another may sign. So
 * each is asked once, and one more time the one whose connection was open. True when it is signed. */
static bool hand_over(struct worker *w, int64_t id)
{
        struct store_message m;
        size_t tries = w->node->signer_count + w->is_open;
        arena_reset(&w->arena);
        enum err e = store_message_get(w->node->store, id, &w->arena, &m);
        if (e == ERR_OK && m.state != STORE_OPEN)
                return true;
        if (e != ERR_OK) {
                log_signer(w, LOG_ERROR, "unreadable", id, e, &(struct smtp_reply){0});
                return false;
        }
        struct arena message = w->arena;
        for (; tries > 0; tries--) {
                w->arena = message;
                if (!w->is_open && !open_signer(w))
                        return false;
                if (offer(w, &m))
                        return true;
                if (fiber_is_cancelled(w->node->host->sched) || (w->is_open && w->node->signer_count == 1))
                        return false;
                close_signer(w, true);
        }
        return false;
}

/* Why it is still not signed, with its row: the queue and the admin are told by it. */
static void keep_trouble(struct worker *w, int64_t message)
{
        if (w->trouble.n == 0 || fiber_is_cancelled(w->node->host->sched))
                return;
        enum err e = store_trouble_put(
                w->node->store, message, w->trouble.code, str_of(w->trouble.text, w->trouble.n));
        if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_FULL)
                log_signer(w, LOG_WARN, "trouble-not-kept", message, e, &(struct smtp_reply){0});
}

/* ---- workers and their manager ---- */

static void note_result(struct handover *h, struct task *task, bool is_signed)
{
        struct lipap_stats *stats = &h->node->stats;
        task->message = 0;
        *(is_signed ? &stats->handed_over : &stats->not_signed) += 1;
        if (is_signed) {
                h->pause_ms = HANDOVER_RETRY_FIRST_MS;
                return;
        }
        if (h->has_failed)
                return; /* the next pass is set already */
        h->has_failed = true;
        h->retry_at_ms = now_ms(h) + h->pause_ms;
        h->pause_ms = h->pause_ms * 2 < HANDOVER_RETRY_MOST_MS ? h->pause_ms * 2 : HANDOVER_RETRY_MOST_MS;
        bell_ring(&h->node->handover_bell);
}

static void work_on(struct worker *w, struct task *task)
{
        w->trouble.n = 0;
        bool is_signed = hand_over(w, task->message);
        if (!is_signed)
                keep_trouble(w, task->message);
        note_result(w->handover, task, is_signed);
}

static void worker_run(void *arg)
{
        struct handover *h = arg;
        struct sched *sched = h->node->host->sched;
        struct worker *w = calloc(1, sizeof *w);
        struct smtp_out *out = calloc(1, sizeof *out);
        enum err e = ERR_OK;
        if (w)
                w->next_signer = h->workers++;
        while (w && out && e != ERR_CANCELLED && e != ERR_CLOSED) {
                void *item;
                w->handover = h;
                w->node = h->node;
                w->out = out;
                arena_init(&w->arena, w->memory, sizeof w->memory);
                e = chan_receive(&h->work, sched, now_ms(h) + HANDOVER_IDLE_MS, &item);
                if (e == ERR_OK)
                        work_on(w, item);
                else
                        close_signer(w, true);
        }
        if (w)
                close_signer(w, false);
        free(out);
        free(w);
}

static bool is_busy(const struct handover *h, int64_t message)
{
        for (size_t i = 0; i < sizeof h->tasks / sizeof h->tasks[0]; i++)
                if (h->tasks[i].message == message)
                        return true;
        return false;
}

/* There is one task more than the channel and the workers can hold, so one is free when this is called. */
static struct task *free_task(struct handover *h)
{
        struct task *t = h->tasks;
        while (t->message != 0)
                t++;
        return t;
}

/* The last ones that were given out. */
struct reached {
        int64_t forward, post;
};

/* Give out a batch of open messages behind what was reached: what people wait for (confirmations, forwards) before posts.
 * While no signer may be asked they stay where they are: each would only come back, and there may be very many. */
static enum err give_out(struct handover *h, struct reached *reached, size_t *count)
{
        int64_t ids[BATCH], *last = &reached->forward;
        *count = 0;
        if (next_signer_ms(h) != 0)
                return ERR_OK;
        enum err e = store_tickets_open(h->node->store, STORE_FORWARD, *last, BATCH, ids, count);
        if (e == ERR_OK && *count == 0) {
                last = &reached->post;
                e = store_tickets_open(h->node->store, STORE_POST, *last, BATCH, ids, count);
        }
        for (size_t i = 0; e == ERR_OK && i < *count && next_signer_ms(h) == 0; i++) {
                *last = ids[i];
                if (is_busy(h, ids[i]))
                        continue;
                struct task *task = free_task(h);
                task->message = ids[i];
                e = chan_send(&h->work, h->node->host->sched, task, FIBER_NEVER);
        }
        return e;
}

/* After a failure, once its time has come, all that are still open are handed over again: also while new ones come
 * without end. A post that was held is older than those behind which we look. */
static void begin_pass(struct handover *h, struct reached *reached)
{
        if (h->node->has_released) {
                h->node->has_released = false;
                *reached = (struct reached){0};
        }
        if (!h->has_failed || now_ms(h) < h->retry_at_ms || next_signer_ms(h) != 0)
                return;
        h->has_failed = false;
        *reached = (struct reached){0};
}

/* Wait for a new message or for the time of the next pass. */
static enum err wait_for_work(struct handover *h, uint64_t rung)
{
        int64_t until = h->has_failed ? h->retry_at_ms : FIBER_NEVER, next = next_signer_ms(h);
        if (next > until)
                until = next;
        enum err e = bell_wait(&h->node->handover_bell, h->node->host->sched, rung, until);
        return e == ERR_TIMEOUT ? ERR_OK : e;
}

static void manage(struct handover *h)
{
        struct reached reached = {0};
        enum err e = ERR_OK;
        while (e == ERR_OK) {
                uint64_t rung = h->node->handover_bell.rung;
                size_t count = 0;
                begin_pass(h, &reached);
                e = give_out(h, &reached, &count);
                if (e != ERR_OK && e != ERR_CANCELLED && e != ERR_CLOSED && e != ERR_IO) {
                        h->has_failed = true; /* the store has trouble that may pass */
                        h->retry_at_ms = now_ms(h) + HANDOVER_RETRY_MOST_MS;
                        e = ERR_OK;
                        count = 0;
                }
                if (e == ERR_OK && count == 0)
                        e = wait_for_work(h, rung);
        }
}

void handover_run(void *arg)
{
        struct lipap *node = arg;
        struct handover *h = calloc(1, sizeof *h);
        struct scope workers;
        enum err e = ERR_OK;
        if (!h)
                return;
        h->node = node;
        h->pause_ms = HANDOVER_RETRY_FIRST_MS;
        chan_init(&h->work, h->slots, HANDOVER_WORKERS);
        scope_open(&workers, node->host->sched, FIBER_NEVER);
        for (size_t i = 0; i < HANDOVER_WORKERS && e == ERR_OK; i++)
                e = scope_spawn(&workers, "handover", worker_run, h);
        if (e == ERR_OK)
                manage(h);
        chan_close(&h->work);
        scope_cancel(&workers);
        (void)scope_join(&workers);
        free(h);
}
