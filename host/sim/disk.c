/* SPDX-License-Identifier: ISC */
/* The bytes lie in pages that come when they are first written. The log holds what each sector was before each write,
 * so that a crash and a rewind are the same thing: sectors put back, newest first. */
#include "host/sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { SECTOR = SIM_DISK_SECTOR, PAGE = 4096, SECTORS_A_PAGE = PAGE / SECTOR };

/* The size is logged as if it stood in a sector of its own. */
#define SIZE_SECTOR UINT64_MAX

enum kind { WRITTEN, PUT, FLUSHED };

struct entry {
        enum kind kind;
        uint64_t operation;
        uint64_t sector;
        union {
                uint8_t bytes[SECTOR];
                uint64_t size;
                uint64_t durable; /* of a flush */
        } old;
};

struct sim_disk_inside {
        uint8_t **pages;
        uint64_t page_n, taken;
        struct entry *log;
        size_t n, cap;
        uint64_t dropped; /* entries that the log has lost at its head; positions below count them */
        uint64_t durable; /* the position of the first entry that no flush covers */
        bool remembers;
        bool is_open;
        uint64_t life; /* between two crashes */
};

struct host_block {
        struct sim_disk *disk;
        struct sched *sched;
        uint64_t life;
        bool is_failed; /* a write or flush failed: nothing more is promised */
};

/* Bytes. */

static void reach(struct sim_disk_inside *in, uint64_t size)
{
        uint64_t n = size / PAGE + (size % PAGE != 0);
        if (n <= in->page_n)
                return;
        CHECK(n <= SIZE_MAX / sizeof *in->pages);
        in->pages = realloc(in->pages, (size_t)n * sizeof *in->pages);
        CHECK(in->pages != NULL);
        memset(in->pages + in->page_n, 0, (size_t)(n - in->page_n) * sizeof *in->pages);
        in->page_n = n;
}

/* The sector's bytes, or NULL while it was never written. */
static uint8_t *sector_bytes(const struct sim_disk_inside *in, uint64_t sector)
{
        uint8_t *page = in->pages[sector / SECTORS_A_PAGE];
        return page != NULL ? page + sector % SECTORS_A_PAGE * SECTOR : NULL;
}

static uint8_t *sector_take(struct sim_disk_inside *in, uint64_t sector)
{
        uint8_t **page = &in->pages[sector / SECTORS_A_PAGE];
        if (*page == NULL) {
                *page = calloc(1, PAGE);
                CHECK(*page != NULL);
                in->taken++;
        }
        return sector_bytes(in, sector);
}

/* The part of a range that lies in its first sector. */
static size_t head_of(uint64_t at, size_t n)
{
        size_t left = SECTOR - (size_t)(at % SECTOR);
        return n < left ? n : left;
}

void sim_disk_get(const struct sim_disk *d, uint64_t at, void *into, size_t n)
{
        CHECK(at <= d->size && n <= d->size - at);
        uint8_t *to = into;
        for (size_t part; n > 0; at += part, to += part, n -= part) {
                size_t in = (size_t)(at % PAGE);
                part = n < PAGE - in ? n : PAGE - in;
                const uint8_t *page = d->inside->pages[at / PAGE];
                if (page != NULL)
                        memcpy(to, page + in, part);
                else
                        memset(to, 0, part);
        }
}

/* The log. */

static struct entry *log_add(struct sim_disk *d, enum kind kind)
{
        struct sim_disk_inside *in = d->inside;
        if (in->n == in->cap) {
                in->cap = in->cap > 0 ? in->cap * 2 : 64;
                in->log = realloc(in->log, in->cap * sizeof *in->log);
                CHECK(in->log != NULL);
        }
        struct entry *e = &in->log[in->n++];
        e->kind = kind;
        e->operation = d->operations;
        return e;
}

static uint64_t log_end(const struct sim_disk_inside *in)
{
        return in->dropped + in->n;
}

static void log_drop(struct sim_disk_inside *in)
{
        size_t n = (size_t)(in->durable - in->dropped);
        if (in->remembers || n == 0)
                return;
        in->n -= n;
        memmove(in->log, in->log + n, in->n * sizeof *in->log);
        in->dropped += n;
}

/* What was logged before `covers` is durable. */
static void log_flush(struct sim_disk *d, uint64_t covers)
{
        struct sim_disk_inside *in = d->inside;
        struct entry *e = log_add(d, FLUSHED);
        e->old.durable = in->durable;
        if (covers > in->durable)
                in->durable = covers;
        log_drop(in);
}

static void set_size(struct sim_disk *d, uint64_t size)
{
        struct entry *e = log_add(d, WRITTEN);
        e->sector = SIZE_SECTOR;
        e->old.size = d->size;
        reach(d->inside, size);
        d->size = size;
}

/* Bytes inside of one sector. */
static void set_bytes(struct sim_disk *d, enum kind kind, uint64_t at, const void *from, size_t n)
{
        uint8_t *bytes = sector_take(d->inside, at / SECTOR);
        struct entry *e = log_add(d, kind);
        e->sector = at / SECTOR;
        memcpy(e->old.bytes, bytes, SECTOR);
        memcpy(bytes + at % SECTOR, from, n);
}

static void restore(struct sim_disk *d, const struct entry *e)
{
        if (e->kind == FLUSHED)
                d->inside->durable = e->old.durable;
        else if (e->sector == SIZE_SECTOR)
                d->size = e->old.size;
        else
                memcpy(sector_bytes(d->inside, e->sector), e->old.bytes, SECTOR);
}

/* What a test does behind the node's back is one operation, and in a crash it is kept. */

void sim_disk_put(struct sim_disk *d, uint64_t at, const void *from, size_t n)
{
        CHECK(at <= d->size && n <= d->size - at);
        const uint8_t *p = from;
        for (size_t part; n > 0; at += part, p += part, n -= part) {
                part = head_of(at, n);
                set_bytes(d, PUT, at, p, part);
        }
        d->operations++;
}

void sim_disk_flip(struct sim_disk *d, uint64_t at, uint8_t bits)
{
        uint8_t byte;
        sim_disk_get(d, at, &byte, 1);
        byte ^= bits;
        sim_disk_put(d, at, &byte, 1);
}

static void copy_page(uint8_t **to, const uint8_t *from, uint64_t *taken)
{
        if (from == NULL && *to != NULL)
                memset(*to, 0, PAGE);
        if (from == NULL)
                return;
        if (*to == NULL) {
                *to = malloc(PAGE);
                CHECK(*to != NULL);
                ++*taken;
        }
        memcpy(*to, from, PAGE);
}

void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
        struct sim_disk_inside *in = to->inside;
        CHECK(!in->is_open && !in->remembers);
        reach(in, from->size);
        for (uint64_t i = 0; i < in->page_n; i++)
                copy_page(
                        &in->pages[i], i < from->inside->page_n ? from->inside->pages[i] : NULL, &in->taken);
        to->size = from->size;
        log_flush(to, log_end(in));
        to->operations++;
}

void sim_disk_remember(struct sim_disk *d)
{
        d->inside->remembers = true;
}

void sim_disk_rewind(struct sim_disk *d, uint64_t operations)
{
        struct sim_disk_inside *in = d->inside;
        CHECK(in->remembers && !in->is_open && operations <= d->operations);
        for (; in->n > 0 && in->log[in->n - 1].operation >= operations; in->n--)
                restore(d, &in->log[in->n - 1]);
        d->operations = operations;
}

void sim_disk_forget(struct sim_disk *d)
{
        d->inside->remembers = false;
        log_drop(d->inside);
}

/* The power. */

struct crash {
        enum sim_disk_crash how;
        uint64_t last, victim; /* operations: the last one that wrote, and the one that is lost */
        uint64_t torn_at;      /* of the last one: the entry at which it is torn; 0: anywhere */
        uint64_t random;
};

/* splitmix64 (Steele, Lea and Flood, 2014) */
static uint64_t next_random(struct crash *c)
{
        uint64_t z = c->random += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
}

/* Look at what is not durable. */
static void crash_plan(const struct sim_disk_inside *in, struct crash *c)
{
        size_t first = (size_t)(in->durable - in->dropped), last_n = 0, seen = 0, end = in->n;
        for (size_t i = first; i < in->n; i++) {
                const struct entry *e = &in->log[i];
                if (e->kind != WRITTEN)
                        continue;
                last_n = seen > 0 && e->operation == c->last ? last_n + 1 : 1;
                c->last = e->operation;
                end = i + 1;
                if (next_random(c) % ++seen == 0)
                        c->victim = e->operation;
        }
        if (last_n > 1 && next_random(c) % 2 == 0)
                c->torn_at = end - 1 - next_random(c) % (last_n - 1);
}

static bool is_kept(struct crash *c, const struct entry *e, size_t at)
{
        if (e->kind == PUT)
                return true;
        switch (c->how) {
        case SIM_DISK_LOSES_ALL:
                return false;
        case SIM_DISK_LOSES_LAST:
                return e->operation != c->last;
        case SIM_DISK_LOSES_ONE:
                return e->operation != c->victim;
        case SIM_DISK_KEEPS_LAST:
                return e->operation == c->last;
        case SIM_DISK_TEARS:
                return e->operation != c->last ||
                       (c->torn_at > 0 ? at < c->torn_at : next_random(c) % 2 == 0);
        case SIM_DISK_MIXES:
                return next_random(c) % 2 == 0;
        default:
                return true;
        }
}

/* Put a sector back as `e` found it; which is logged as well. */
static void crash_lose(struct sim_disk *d, const struct entry *e)
{
        struct entry lost = *e;
        if (lost.sector == SIZE_SECTOR)
                set_size(d, lost.old.size);
        else
                set_bytes(d, WRITTEN, lost.sector * SECTOR, lost.old.bytes, SECTOR);
}

/* From the newest to the oldest: a sector that has kept one version has lost the older ones. */
void sim_disk_crash(struct sim_disk *d, enum sim_disk_crash how, uint64_t seed)
{
        struct sim_disk_inside *in = d->inside;
        struct crash c = {.how = how, .random = seed};
        crash_plan(in, &c);
        uint64_t size_bit = in->page_n * SECTORS_A_PAGE;
        uint8_t *settled = calloc(1, (size_t)(size_bit / 8 + 1));
        CHECK(settled != NULL);
        for (size_t i = in->n, first = (size_t)(in->durable - in->dropped); i-- > first;) {
                const struct entry *e = &in->log[i];
                if (e->kind == FLUSHED)
                        continue;
                uint64_t bit = e->sector == SIZE_SECTOR ? size_bit : e->sector;
                if (settled[bit / 8] >> (bit % 8) & 1)
                        continue;
                if (is_kept(&c, e, i))
                        settled[bit / 8] |= (uint8_t)(1u << (bit % 8));
                else
                        crash_lose(d, e);
        }
        free(settled);
        log_flush(d, log_end(in));
        d->operations++;
        d->faults.cut_at = SIM_DISK_NEVER;
        in->is_open = false;
        in->life++;
}

size_t sim_disk_unflushed(const struct sim_disk *d)
{
        const struct sim_disk_inside *in = d->inside;
        size_t n = 0;
        for (size_t i = (size_t)(in->durable - in->dropped); i < in->n; i++)
                n += in->log[i].kind == WRITTEN;
        return n;
}

/* The node's side. */

enum err sim_disk_open(struct sim_disk *d, struct sched *s, struct host_block **out)
{
        *out = NULL;
        if (d->operations >= d->faults.cut_at)
                return ERR_IO;
        if (d->inside->is_open)
                return ERR_BUSY;
        struct host_block *b = calloc(1, sizeof *b);
        CHECK(b != NULL);
        *b = (struct host_block){.disk = d, .sched = s, .life = d->inside->life};
        d->inside->is_open = true;
        *out = b;
        return ERR_OK;
}

uint64_t sim_block_size(struct host_block *b)
{
        return b->disk->size;
}

static bool is_dead(const struct host_block *b)
{
        const struct sim_disk *d = b->disk;
        return b->life != d->inside->life || d->operations >= d->faults.cut_at;
}

static enum err fail(struct host_block *b)
{
        b->is_failed = true;
        return ERR_IO;
}

/* What is cut off reads as zeros when it comes back. */
static void clear_behind(struct sim_disk *d, uint64_t size)
{
        static const uint8_t zeros[SECTOR];
        for (uint64_t at = size, part; at < d->size; at += part) {
                part = head_of(at, d->size - at);
                if (sector_bytes(d->inside, at / SECTOR) != NULL)
                        set_bytes(d, WRITTEN, at, zeros, (size_t)part);
        }
}

enum err sim_block_resize(struct host_block *b, uint64_t size)
{
        struct sim_disk *d = b->disk;
        if (is_dead(b) || b->is_failed)
                return ERR_IO;
        if (size > d->size && size > d->faults.size_max)
                return ERR_FULL;
        clear_behind(d, size);
        set_size(d, size);
        d->operations++;
        return ERR_OK;
}

enum err sim_block_read(struct host_block *b, uint64_t at, void *into, size_t n)
{
        struct sim_disk *d = b->disk;
        const struct sim_disk_faults *f = &d->faults;
        if (is_dead(b) || (at < f->bad_at + f->bad_n && f->bad_at < at + n))
                return ERR_IO;
        d->reads++;
        sim_disk_get(d, at, into, n);
        return ERR_OK;
}

static bool has_room(const struct sim_disk *d, uint64_t sector)
{
        return sector_bytes(d->inside, sector) != NULL || d->inside->taken < d->faults.room / PAGE;
}

enum err sim_block_write(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        struct sim_disk *d = b->disk;
        if (is_dead(b) || b->is_failed)
                return ERR_IO;
        if (d->writes >= d->faults.write_at)
                return fail(b);
        CHECK(at <= d->size && n <= d->size - at);
        const uint8_t *p = from;
        for (size_t part; n > 0 && has_room(d, at / SECTOR); at += part, p += part, n -= part) {
                part = head_of(at, n);
                set_bytes(d, WRITTEN, at, p, part);
        }
        d->writes++;
        d->operations++;
        return n == 0 ? ERR_OK : ERR_FULL;
}

enum err sim_block_flush(struct host_block *b)
{
        struct sim_disk *d = b->disk;
        uint64_t covers = log_end(d->inside);
        bool is_fiber = b->sched != NULL && sched_current(b->sched) != NULL;
        enum err err = is_fiber ? fiber_check(b->sched) : ERR_OK;
        if (err == ERR_OK && is_fiber && d->flush_ms > 0)
                err = fiber_sleep(b->sched, d->flush_ms);
        if (err != ERR_OK)
                return err;
        if (is_dead(b) || b->is_failed)
                return ERR_IO;
        if (d->flushes >= d->faults.flush_at)
                return fail(b);
        log_flush(d, covers);
        d->flushes++;
        d->operations++;
        return ERR_OK;
}

void sim_block_close(struct host_block *b)
{
        if (b == NULL)
                return;
        if (b->life == b->disk->inside->life)
                b->disk->inside->is_open = false;
        free(b);
}

struct sim_disk *sim_disk_new(uint64_t size)
{
        struct sim_disk *d = calloc(1, sizeof *d);
        CHECK(d != NULL);
        d->inside = calloc(1, sizeof *d->inside);
        CHECK(d->inside != NULL);
        d->faults = (struct sim_disk_faults){.cut_at = SIM_DISK_NEVER,
                .write_at = SIM_DISK_NEVER,
                .flush_at = SIM_DISK_NEVER,
                .room = SIM_DISK_NEVER,
                .size_max = SIM_DISK_NEVER};
        reach(d->inside, size);
        d->size = size;
        return d;
}

void sim_disk_free(struct sim_disk *d)
{
        if (d == NULL)
                return;
        for (uint64_t i = 0; i < d->inside->page_n; i++)
                free(d->inside->pages[i]);
        free(d->inside->pages);
        free(d->inside->log);
        free(d->inside);
        free(d);
}
