/* SPDX-License-Identifier: ISC */
#include "tests/sim/author.h"

#include <stdlib.h>

#include "tests/sim/author_inside.h"
#include "tests/sim/buffer.h"

#define RETRY_FIRST_MS 30000
#define RETRY_MOST_MS (10 * 60 * 1000)
#define LIFE_MS (5LL * 24 * 60 * 60 * 1000)
#define ACTS 4 /* of somebody bad, for one post */

static const char *const moods[AUTHOR_MOODS] = {[AUTHOR_GOOD] = "good",
        [AUTHOR_SLOW] = "slow",
        [AUTHOR_BROKEN] = "broken",
        [AUTHOR_MALICIOUS] = "malicious"};

const char *author_mood_text(enum author_mood mood)
{
        return moods[mood];
}

enum author_mood author_mood_of(struct str word)
{
        size_t i = 0;
        while (i < AUTHOR_MOODS && !str_eq(word, str_of_c(moods[i])))
                i++;
        return (enum author_mood)i;
}

static int64_t or_default(int64_t ms, int64_t value)
{
        return ms > 0 ? ms : value;
}

struct author *author_new(const struct author_config *config)
{
        struct author *a = calloc(1, sizeof *a);
        CHECK(a);
        a->config = *config;
        a->config.address = str_copy(config->address);
        a->config.retry_first_ms = or_default(config->retry_first_ms, RETRY_FIRST_MS);
        a->config.retry_most_ms = or_default(config->retry_most_ms, RETRY_MOST_MS);
        a->config.life_ms = or_default(config->life_ms, LIFE_MS);
        if (!a->config.strangers)
                a->config.strangers = "stranger.test";
        a->end = &a->letters;
        return a;
}

static struct str copy_or_none(struct str s)
{
        return s.p ? str_copy(s) : s;
}

static struct author_command *command_copy(const struct author_command *from)
{
        struct author_command *c = malloc(sizeof *c);
        CHECK(c);
        *c = *from;
        c->address = str_copy(from->address);
        c->token = str_copy(from->token);
        c->of = str_copy(from->of);
        c->about = str_copy(from->about);
        c->from = str_copy(from->from);
        c->front = str_copy(from->front);
        c->sender = copy_or_none(from->sender);
        c->subject = copy_or_none(from->subject);
        c->text = copy_or_none(from->text);
        return c;
}

static void command_free(struct author_command *c)
{
        if (!c)
                return;
        str_free(c->address);
        str_free(c->token);
        str_free(c->of);
        str_free(c->about);
        str_free(c->from);
        str_free(c->front);
        str_free(c->sender);
        str_free(c->subject);
        str_free(c->text);
        free(c);
}

void author_free(struct author *a)
{
        while (a && a->letters) {
                struct author_letter *p = a->letters;
                a->letters = p->next;
                for (size_t i = 0; i < p->list_count; i++)
                        str_free(p->lists[i]);
                str_free(p->name);
                str_free(p->victim);
                str_free(p->cc);
                command_free(p->command);
                free(p);
        }
        if (a)
                str_free(a->config.address);
        free(a);
}

size_t author_waiting(const struct author *a)
{
        size_t n = 0;
        for (const struct author_letter *p = a->letters; p; p = p->next)
                n += !p->is_done;
        return n;
}

/* ---- writing ---- */

/* Most letters are short; a few are not. */
static size_t draw_size(struct sim_random *r, enum author_mood mood)
{
        uint64_t kind = sim_random_below(r, 100);
        size_t most = mood == AUTHOR_SLOW ? 600
                      : kind < 60         ? 2000
                      : kind < 90         ? 10000
                      : kind < 99         ? 40000
                                          : 300000;
        return 1 + (size_t)sim_random_below(r, most);
}

static void take_lists(struct author_letter *p, struct str lists)
{
        while (lists.n > 0 && p->list_count < LEDGER_TARGETS_MAX) {
                struct str list;
                (void)str_cut(lists, ',', &list, &lists);
                p->lists[p->list_count++] = str_copy(str_trim(list));
        }
        CHECK(lists.n == 0 && p->list_count > 0);
}

static void write_letter(struct author *a, struct author_letter *p, struct str post, struct str lists)
{
        char name[64];
        (void)snprintf(name, sizeof name, "%s-%zu", a->config.name, ++a->written);
        p->author = a;
        p->name = str_copy(post.n > 0 ? post : str_of_c(name));
        p->random = sim_random_of(a->config.seed, S("post"), p->name);
        p->size = p->size > 0 ? p->size : draw_size(&p->random, a->config.mood);
        take_lists(p, lists);
        *a->end = p;
        a->end = &p->next;
        waitq_wake_all(&a->bell);
}

static struct author_letter *new_letter(void)
{
        struct author_letter *p = calloc(1, sizeof *p);
        CHECK(p);
        return p;
}

void author_post(struct author *a, struct str post, struct str lists, struct str cc, size_t size)
{
        struct author_letter *p = new_letter();
        p->size = size;
        p->cc = str_copy(cc);
        write_letter(a, p, post, lists);
}

bool author_act(struct author *a, struct str post, struct str list, struct str act, struct str victim)
{
        size_t i = 0;
        while (i < author_forgery_count && !str_eq(act, str_of_c(author_forgery_acts[i].name)))
                i++;
        if (i == author_forgery_count)
                return false;
        struct author_letter *p = new_letter();
        p->act = &author_forgery_acts[i];
        p->victim = str_copy(victim);
        write_letter(a, p, post, list);
        return true;
}

void author_command(struct author *a, struct str post, const struct author_command *command)
{
        CHECK(a->config.book);
        struct author_letter *p = new_letter();
        p->command = command_copy(command);
        p->size = 1;
        write_letter(a, p, post, command->address);
}

/* ---- helpers ---- */

struct str author_domain(struct str address)
{
        return str_skip(address, str_find_last_byte(address, '@') + 1);
}

bool author_open(struct author_letter *p, struct talk *t)
{
        struct author *a = p->author;
        bool is_slow = a->config.mood == AUTHOR_SLOW;
        unsigned code = talk_open(t, a->host, &a->config.server, is_slow ? &p->random : NULL);
        char name[128];
        (void)snprintf(
                name, sizeof name, "%s.%.*s", a->config.name, STR_ARG(author_domain(a->config.address)));
        if (code / 100 == 2 && talk_hello(t, name) / 100 == 2)
                return true;
        author_close(p, t, code / 100 == 2);
        return false;
}

void author_close(struct author_letter *p, struct talk *t, bool in_order)
{
        if (t->is_malformed)
                ledger_violate(p->author->config.ledger, "protocol",
                        "a malformed reply to author %s: after %s", p->author->config.name, t->text);
        if (in_order)
                talk_quit(t);
        talk_close(t);
}

/* All lists of a post, or the one that a letter inside of the letter or its loop is for. */
static void put_to(struct buffer *to, const struct author_letter *p, enum letter_shape shape)
{
        bool is_one = shape == LETTER_LOOP || (shape >= LETTER_SMUGGLE_LF && shape <= LETTER_SMUGGLE_CRLF_LF);
        for (size_t i = 0; i < p->list_count && (i == 0 || !is_one); i++)
                buffer_print(to, "%s%.*s", i > 0 ? ", " : "", STR_ARG(p->lists[i]));
        if (p->cc.n > 0 && !is_one)
                buffer_print(to, ", <%.*s>", STR_ARG(p->cc));
}

/* The fields in front, and what a server must find out. */
static void prove(struct author_letter *p, uint32_t t, const struct author_claim *c)
{
        const struct author_config *is = &p->author->config;
        const struct ledger_try *try = ledger_try_get(is->ledger, t);
        struct buffer front = {0};
        if (!is->who) {
                ledger_try_front(is->ledger, t, c->front);
                return;
        }
        bool is_signed = person_signs(is->who) && !c->is_unsigned;
        struct ledger_truth truth = people_truth(is->people, is->who, try->sender, try->from, is_signed);
        if (c->shape == LETTER_TWO_AUTHORS) { /* whatever their domains say */
                truth.is_proven = false;
                truth.dmarc = LEDGER_DMARC_FAIL;
        }
        buffer_put(&front, c->front);
        if (is_signed) {
                struct str bytes = author_bytes(p, t);
                struct str field = person_sign(is->who, bytes, sim_random_below(&p->random, 2) > 0);
                buffer_put(&front, field);
                letter_free(bytes);
                str_free(field);
        }
        ledger_try_front(is->ledger, t, buffer_text(&front));
        ledger_try_truth(is->ledger, t, &truth);
        buffer_free(&front);
}

uint32_t author_claim(struct author_letter *p, const struct author_claim *c)
{
        struct author *a = p->author;
        struct buffer to = {0};
        put_to(&to, p, c->shape);
        struct ledger_try_new new = {.author = a->config.name,
                .post = p->name,
                .sender = c->sender.p ? c->sender : a->config.address,
                .from = c->from.p ? c->from : a->config.address,
                .second = c->second,
                .forged = c->forged,
                .subject = c->subject,
                .text = c->text,
                .to = buffer_text(&to),
                .shape = c->shape,
                .size = p->size,
                .is_forged = c->is_forged,
                .smuggles = LEDGER_NONE};
        if (c->shape >= LETTER_SMUGGLE_LF && c->shape <= LETTER_SMUGGLE_CRLF_LF) {
                struct ledger_try_new inner = new;
                inner.shape = LETTER_PLAIN;
                inner.is_forged = true;
                new.smuggles = ledger_try(a->config.ledger, &inner);
        }
        uint32_t t = ledger_try(a->config.ledger, &new);
        buffer_free(&to);
        prove(p, t, c);
        return t;
}

uint32_t author_try(struct author_letter *p, enum letter_shape shape, bool is_forged)
{
        return author_claim(p, &(struct author_claim){.shape = shape, .is_forged = is_forged});
}

struct str author_bytes(const struct author_letter *p, uint32_t t)
{
        struct letter letter = ledger_letter(p->author->config.ledger, t);
        return letter_write(&letter);
}

/* ---- living ---- */

static int64_t pause_ms(struct author_letter *p)
{
        const struct author_config *c = &p->author->config;
        int64_t pause = c->retry_first_ms;
        for (unsigned i = 1; i < p->attempts && pause < c->retry_most_ms; i++)
                pause *= 2;
        pause = pause < c->retry_most_ms ? pause : c->retry_most_ms;
        return pause + sim_random_between(&p->random, 0, pause / 4);
}

#define ANSWER_MOST_MS (3 * 60 * 1000)

static void try_until_done(struct author_letter *p)
{
        struct host *h = p->author->host;
        bool is_later = p->command && p->command->is_later && p->attempts == 0;
        if (is_later && fiber_sleep(h->sched, sim_random_between(&p->random, 1000, ANSWER_MOST_MS)) != ERR_OK)
                return;
        while (!p->is_done && fiber_check(h->sched) == ERR_OK) {
                int64_t now = host_now_ms(h);
                p->first_ms = p->attempts++ == 0 ? now : p->first_ms;
                if (p->command)
                        author_command_session(p);
                else
                        author_good_session(p);
                p->is_done = p->is_done || host_now_ms(h) - p->first_ms > p->author->config.life_ms;
                if (!p->is_done && fiber_sleep(h->sched, pause_ms(p)) != ERR_OK)
                        break;
        }
}

static void act(struct author_letter *p, const struct author_act *chosen)
{
        ledger_trace(p->author->config.ledger, p->author->config.name, "act %s", chosen->name);
        chosen->play(p);
}

/* What bad people do is over quickly, so they do several things, each of one of two kinds. */
static void act_badly(struct author_letter *p, const struct author_act *acts, size_t count,
        const struct author_act *others, size_t other_count)
{
        p->is_done = true;
        for (unsigned i = 0; i < ACTS && fiber_check(p->author->host->sched) == ERR_OK; i++) {
                uint64_t n = sim_random_below(&p->random, count + other_count);
                act(p, n < count ? &acts[n] : &others[n - count]);
        }
}

static void run_letter(void *arg)
{
        struct author_letter *p = arg;
        if (p->act) {
                p->is_done = true;
                act(p, p->act);
        } else if (p->command)
                try_until_done(p);
        else if (p->author->config.mood == AUTHOR_BROKEN)
                act_badly(p, author_broken_acts, author_broken_count, NULL, 0);
        else if (p->author->config.mood == AUTHOR_MALICIOUS)
                act_badly(p, author_malicious_acts, author_malicious_count, author_forgery_acts,
                        author_forgery_count);
        else
                try_until_done(p);
        p->is_running = false;
}

static void wait_stop(void *arg)
{
        struct author *a = arg;
        if (host_wait_stop(a->host) == ERR_OK)
                scope_cancel(&a->scope);
}

/* Those that do not run yet: new ones, and what a life before this one left. */
static enum err start_letters(struct author *a)
{
        for (struct author_letter *p = a->letters; p; p = p->next) {
                if (p->is_done || p->is_running)
                        continue;
                p->is_running = true;
                if (scope_spawn(&a->scope, "author", run_letter, p) != ERR_OK) {
                        p->is_running = false;
                        return ERR_CANCELLED;
                }
        }
        return ERR_OK;
}

/* Runs inside of the scope, so that a stop reaches it. */
static void write_letters(void *arg)
{
        struct author *a = arg;
        while (start_letters(a) == ERR_OK && waitq_wait(&a->bell, a->host->sched, FIBER_NEVER) == ERR_OK)
                ;
}

int author_run(struct host *h, void *arg)
{
        struct author *a = arg;
        a->host = h;
        scope_open(&a->scope, h->sched, FIBER_NEVER);
        if (scope_spawn(&a->scope, "author-stop", wait_stop, a) != ERR_OK ||
                scope_spawn(&a->scope, "author-desk", write_letters, a) != ERR_OK)
                scope_cancel(&a->scope);
        (void)scope_join(&a->scope);
        a->host = NULL;
        return 0;
}
