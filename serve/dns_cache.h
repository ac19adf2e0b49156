/* SPDX-License-Identifier: ISC */
/* Answers remembered for as long as they say, within a number of entries and of bytes; the least recently used goes
 * first. Every step takes the same time however much is kept. No I/O, no clock; memory from the heap. */
#ifndef SERVE_DNS_CACHE_H
#define SERVE_DNS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "dns/answer.h"

struct dns_cache;

/* `key` is random. NULL when memory is out. */
struct dns_cache *dns_cache_new(size_t entries, size_t bytes, const uint8_t key[SIPHASH_KEY_SIZE]);
void dns_cache_free(struct dns_cache *c); /* NULL is harmless */

/* The answer to a question if one is kept that has not expired: borrowed until the next put or clear, its `ttl_s` that
 * of when it came; `*left_s` is what remains. NULL: none. */
const struct dns_answer *dns_cache_get(
        struct dns_cache *c, const struct dns_name *name, uint16_t type, int64_t now_ms, uint32_t *left_s);
/* Keep a copy, in the place of an older one. What is not cacheable, has a TTL of 0 or is larger than the whole bound is
 * not kept, nor is anything when memory is out. TTLs are bounded by DNS_CACHE_TTL_MAX_S and, for negative answers,
 * DNS_CACHE_NEGATIVE_TTL_MAX_S. */
void dns_cache_put(
        struct dns_cache *c, const struct dns_name *name, const struct dns_answer *answer, int64_t now_ms);
void dns_cache_clear(struct dns_cache *c);

size_t dns_cache_entries(const struct dns_cache *c);
size_t dns_cache_bytes(const struct dns_cache *c);
uint64_t dns_cache_evicted(const struct dns_cache *c); /* before their time, for want of room */

#endif
