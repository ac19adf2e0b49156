/* SPDX-License-Identifier: ISC */
/* Writing directories: a short name that is unique, a row of free slots, the pieces of a long name. */
#include <string.h>

#include "base/check.h"
#include "base/siphash.h"
#include "fat/bytes.h"
#include "fat/directory.h"

/* Which of the names that differ from `raw` only in the digit at `digit` are taken: bit N for N. */
static enum err digits_taken(struct fat *f, uint32_t first, const uint8_t *raw, size_t digit, uint32_t *taken)
{
        struct fat_slots s;
        fat_slots_init(&s, first);
        *taken = 0;
        enum err err = ERR_OK;
        while (err == ERR_OK) {
                const uint8_t *slot;
                uint64_t at;
                err = fat_slots_get(f, &s, &slot, &at);
                if (err != ERR_OK || slot[0] == FAT_SLOT_END)
                        break;
                if (!fat_slot_is_long(slot) && memcmp(slot, raw, digit) == 0 &&
                        memcmp(slot + digit + 1, raw + digit + 1, FAT_SHORT_SIZE - digit - 1) == 0 &&
                        slot[digit] >= '1' && slot[digit] <= '9')
                        *taken |= 1u << (slot[digit] - '0');
                err = fat_slots_next(f, &s);
        }
        return err == ERR_EOF ? ERR_OK : err;
}

/* NAME~1 to NAME~9.  ERR_EXISTS: all taken. */
static enum err try_tails(struct fat *f, uint32_t first, uint8_t *raw, size_t base_n)
{
        size_t digit = base_n < 6 ? base_n + 1 : 7;
        uint32_t taken;
        fat_short_tail(raw, base_n, 1);
        enum err err = digits_taken(f, first, raw, digit, &taken);
        if (err != ERR_OK)
                return err;
        for (uint32_t n = 1; n <= 9; n++)
                if ((taken & 1u << n) == 0) {
                        raw[digit] = (uint8_t)('0' + n);
                        return ERR_OK;
                }
        return ERR_EXISTS;
}

/* When nine alike are there: two characters of the base and four digits of a hash, so that the search stays short. */
static enum err try_hashes(
        struct fat *f, uint32_t first, const struct fat_name *name, uint8_t *raw, size_t base_n)
{
        static const char hex[] = "0123456789ABCDEF";
        size_t keep = base_n < 2 ? base_n : 2;
        for (uint32_t round = 0; round < 256; round++) {
                uint8_t key[SIPHASH_KEY_SIZE] = {(uint8_t)round};
                uint64_t hash = siphash(key, str_of(name->units, name->n * sizeof name->units[0]));
                for (size_t i = 0; i < 4; i++, hash >>= 4)
                        raw[keep + i] = (uint8_t)hex[hash & 15];
                enum err err = try_tails(f, first, raw, keep + 4);
                if (err != ERR_EXISTS)
                        return err;
        }
        return ERR_FULL;
}

enum err fat_directory_unique(
        struct fat *f, uint32_t first, const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE])
{
        size_t base_n = fat_short_basis(name, raw);
        enum err err = try_tails(f, first, raw, base_n);
        return err == ERR_EXISTS ? try_hashes(f, first, name, raw, base_n) : err;
}

/* The short name of a new entry, and whether it needs a long one too. */
static enum err choose_short(struct fat *f, uint32_t first, const struct fat_name *name,
        uint8_t raw[FAT_SHORT_SIZE], bool *needs_long)
{
        *needs_long = !fat_short_encode(name, raw);
        if (!*needs_long)
                return ERR_OK;
        struct fat_name upper = *name;
        for (size_t i = 0; i < upper.n; i++)
                upper.units[i] = fat_upper(upper.units[i]);
        if (fat_short_encode(&upper, raw))
                return ERR_OK; /* free: a lookup of the name, which ignores case, found nothing */
        return fat_directory_unique(f, first, name, raw);
}

/* A row of free slots. Behind the end mark all are free, whatever stands there. */
struct row {
        uint32_t start, count;
        uint32_t tail;  /* the directory's last cluster */
        bool was_ended; /* the row reaches over the end mark */
};

static enum err find_row(struct fat *f, uint32_t first, uint32_t need, struct row *out)
{
        struct fat_slots s;
        fat_slots_init(&s, first);
        *out = (struct row){.tail = first};
        enum err err = ERR_OK;
        while (err == ERR_OK && out->count < need) {
                const uint8_t *slot;
                uint64_t at;
                err = fat_slots_get(f, &s, &slot, &at);
                if (err != ERR_OK)
                        break;
                out->tail = s.cluster;
                out->was_ended = out->was_ended || slot[0] == FAT_SLOT_END;
                if (!out->was_ended && slot[0] != FAT_SLOT_FREE)
                        out->count = 0;
                else if (out->count++ == 0)
                        out->start = s.index;
                err = fat_slots_next(f, &s);
        }
        if (out->count == 0)
                out->start = s.index;
        return err == ERR_EOF ? ERR_OK : err;
}

/* Clusters for the rest of a row that the directory's last cluster cut off. */
static enum err extend(struct fat *f, const struct row *row, uint32_t need)
{
        if (row->start + need > FAT_DIRECTORY_MAX)
                return ERR_FULL;
        uint32_t each = f->cluster_size / FAT_SLOT_SIZE;
        uint32_t want = (need - row->count + each - 1) / each, got, cluster;
        enum err err = fat_need_free(f, want);
        if (err == ERR_OK)
                err = fat_chain_grow(f, row->tail, want, &cluster, &got);
        if (err == ERR_OK && got < want)
                err = ERR_LIMIT;
        while (err == ERR_OK && want-- > 0) {
                err = fat_cluster_zero(f, cluster);
                if (err == ERR_OK && want > 0)
                        err = fat_chain_next(f, cluster, &cluster);
        }
        return err;
}

static void piece_encode(
        const struct fat_name *name, uint32_t number, bool is_last, uint8_t sum, uint8_t *slot)
{
        memset(slot, 0, FAT_SLOT_SIZE);
        slot[0] = (uint8_t)(number | (is_last ? 0x40 : 0));
        slot[11] = FAT_IS_LONG;
        slot[13] = sum;
        for (size_t i = 0; i < FAT_SLOT_UNITS; i++) {
                size_t at = (number - 1) * FAT_SLOT_UNITS + i;
                fat_put16(slot + fat_unit_at[i], at < name->n ? name->units[at] : at == name->n ? 0 : 0xffff);
        }
}

/* Write one slot and move on. */
static enum err put_slot(struct fat *f, struct fat_slots *s, const uint8_t bytes[FAT_SLOT_SIZE], uint64_t *at)
{
        const uint8_t *old;
        uint8_t *slot;
        enum err err = fat_slots_get(f, s, &old, at);
        if (err == ERR_OK)
                err = fat_slot_edit(f, *at, &slot);
        if (err != ERR_OK)
                return err == ERR_EOF ? ERR_CORRUPT : err;
        memcpy(slot, bytes, FAT_SLOT_SIZE);
        return fat_slots_next(f, s);
}

/* The slot behind a row that went over the end mark becomes the new end, whatever stood there. */
static enum err put_end(struct fat *f, struct fat_slots *s)
{
        const uint8_t *slot;
        uint8_t *edit;
        uint64_t at;
        enum err err = fat_slots_get(f, s, &slot, &at);
        if (err != ERR_OK || slot[0] == FAT_SLOT_END)
                return err == ERR_EOF ? ERR_OK : err;
        err = fat_slot_edit(f, at, &edit);
        if (err == ERR_OK)
                memset(edit, 0, FAT_SLOT_SIZE);
        return err;
}

enum err fat_directory_insert(struct fat *f, uint32_t first, const struct fat_name *name,
        const uint8_t raw[FAT_SLOT_SIZE], uint64_t *at)
{
        uint8_t entry[FAT_SLOT_SIZE], piece[FAT_SLOT_SIZE];
        bool needs_long;
        memcpy(entry, raw, sizeof entry);
        entry[12] = 0;
        enum err err = choose_short(f, first, name, entry, &needs_long);
        if (err != ERR_OK)
                return err;
        uint32_t pieces = needs_long ? (uint32_t)((name->n + FAT_SLOT_UNITS - 1) / FAT_SLOT_UNITS) : 0;
        struct row row;
        err = find_row(f, first, pieces + 1, &row);
        if (err == ERR_OK && row.count < pieces + 1)
                err = extend(f, &row, pieces + 1);
        struct fat_slots s = {.first = first};
        if (err == ERR_OK)
                err = fat_slots_seek(f, &s, row.start);
        for (uint32_t number = pieces; number > 0 && err == ERR_OK; number--) {
                piece_encode(name, number, number == pieces, fat_short_sum(entry), piece);
                err = put_slot(f, &s, piece, at);
        }
        if (err == ERR_OK)
                err = put_slot(f, &s, entry, at);
        return err == ERR_OK && row.was_ended ? put_end(f, &s) : err;
}

enum err fat_directory_erase(struct fat *f, uint32_t first, uint32_t start, uint32_t end)
{
        struct fat_slots s = {.first = first};
        enum err err = fat_slots_seek(f, &s, start);
        while (err == ERR_OK && s.index <= end) {
                const uint8_t *old;
                uint8_t *slot;
                uint64_t at;
                err = fat_slots_get(f, &s, &old, &at);
                if (err == ERR_OK)
                        err = fat_slot_edit(f, at, &slot);
                if (err == ERR_OK) {
                        slot[0] = FAT_SLOT_FREE;
                        err = fat_slots_next(f, &s);
                }
        }
        return err == ERR_EOF ? ERR_CORRUPT : err;
}
