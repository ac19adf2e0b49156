/* SPDX-License-Identifier: ISC */
/* For tests: what is in a volume as one number, and a check that must find nothing. */
#ifndef FAT_TEST_TREE_H
#define FAT_TEST_TREE_H

#include <stdio.h>

#include "base/siphash.h"
#include "fat/check.h"
#include "fat/memory_device.h"

/* Four lanes of whole words: the enumeration of crashes reads every byte of a volume thousands of times. */
static inline uint64_t test_hash(const void *p, size_t n)
{
        static const uint8_t key[SIPHASH_KEY_SIZE] = "tree of a volume";
        const uint8_t *bytes = p;
        uint64_t lanes[4] = {1, 2, 3, 4}, words[4];
        for (; n >= sizeof words; n -= sizeof words, bytes += sizeof words) {
                memcpy(words, bytes, sizeof words);
                for (int i = 0; i < 4; i++)
                        lanes[i] = (lanes[i] ^ words[i]) * 0x9e3779b97f4a7c15u;
        }
        return siphash(key, str_of(lanes, sizeof lanes)) + siphash(key, str_of(bytes, n));
}

static inline uint64_t test_file_hash(struct fat *f, const char *path)
{
        static uint8_t bytes[65536];
        struct fat_file file;
        uint64_t hash = 1;
        size_t got = 1;
        CHECK(fat_file_open(f, &file, str_of_c(path), FAT_OPEN, 0) == ERR_OK);
        uint64_t step = file.size > 1 << 20 ? 16 * sizeof bytes : sizeof bytes; /* of large files a part */
        for (uint64_t at = 0; got > 0; at += step) {
                CHECK(fat_read(&file, at, bytes, sizeof bytes, &got) == ERR_OK);
                hash = hash * 31 + (got > 0 ? test_hash(bytes, got) : 0);
        }
        fat_file_close(&file);
        return hash;
}

/* Names, sizes and bytes of everything below `path`, in any order. */
static inline uint64_t test_tree_hash(struct fat *f, const char *path)
{
        struct fat_list list;
        struct fat_entry e;
        enum err err;
        uint64_t sum = 7;
        CHECK(fat_list_open(f, str_of_c(path), &list) == ERR_OK);
        while ((err = fat_list_next(&list, &e)) == ERR_OK) {
                char below[2048];
                int n = snprintf(below, sizeof below, "%s/%s", path, e.name);
                CHECK(n > 0 && (size_t)n < sizeof below);
                uint64_t hash = test_hash(below, (size_t)n);
                hash = hash * 31 +
                       (e.is_directory ? test_tree_hash(f, below) : test_file_hash(f, below) + e.size);
                sum += hash;
        }
        CHECK(err == ERR_EOF);
        return sum;
}

static inline void test_report(
        void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired)
{
        (void)ctx;
        fprintf(stderr, "%.*s: %s (%u)%s\n", STR_ARG(path), fat_fault_text(fault), number,
                is_repaired ? ", repaired" : "");
}

/* Faults of a mounted volume. */
static inline uint32_t test_check(struct fat *f, bool repair, bool says)
{
        struct fat_checked found;
        struct fat_checker how = {
                .report = says ? test_report : NULL, .repair = repair, .memory_n = fat_check_memory(f)};
        how.memory = malloc(how.memory_n);
        CHECK(how.memory);
        CHECK(fat_check(f, &how, &found) == ERR_OK);
        free(how.memory);
        uint32_t free_clusters;
        CHECK(fat_free_clusters(f, &free_clusters) == ERR_OK);
        CHECK(free_clusters == found.free_clusters);
        return found.faults;
}

#endif
