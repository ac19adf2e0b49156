/* SPDX-License-Identifier: ISC */
/* Names: long ones in UTF-16, short ones in 8.3 bytes of code page 850, both told in UTF-8. Pure. */
#ifndef FAT_NAME_H
#define FAT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"

#define FAT_SHORT_SIZE 11
#define FAT_SHORT_UNITS 12 /* with the dot */

struct fat_name {
        uint16_t units[FAT_NAME_UNITS_MAX];
        size_t n;
};

/* The upper case of a UTF-16 unit, or itself; what folds to ASCII from outside is left alone. */
uint16_t fat_upper(uint16_t unit);
bool fat_name_eq(const struct fat_name *a, const struct fat_name *b); /* without case */

/* A name for lookup and for creating.
 *   ERR_SYNTAX  empty, ".", "..", a character FAT forbids, a space or dot at the end, ill-formed UTF-8
 *   ERR_LIMIT   above FAT_NAME_UNITS_MAX */
MUST_USE enum err fat_name_parse(struct str utf8, struct fat_name *out);
/* Whether a name from a disk may be shown: not empty, "." or "..", no control character, '/' or '\'. */
bool fat_name_is_sane(const struct fat_name *name);
/* In UTF-8; an unpaired surrogate gives U+FFFD. */
void fat_name_write(struct wr *w, const struct fat_name *name);

/* What a short name says; `flags` is byte 12 of its entry (0x08: base in lower case, 0x10: extension). Bytes that
 * fat_name_is_sane would refuse become '_'. */
void fat_short_decode(const uint8_t raw[FAT_SHORT_SIZE], uint8_t flags, struct fat_name *out);
/* Whether the bytes may stand in a short name. */
bool fat_short_is_valid(const uint8_t raw[FAT_SHORT_SIZE]);
/* True, and `raw` filled, if the name is a short name as it stands: then it needs no long one. */
bool fat_short_encode(const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE]);
/* The basis of a short name for a long one (the specification's basis-name algorithm, 3.2.4 of "Long File Names"):
 * returns the length of its base, at most 8. */
size_t fat_short_basis(const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE]);
/* Put ~`number` behind the basis. */
void fat_short_tail(uint8_t raw[FAT_SHORT_SIZE], size_t base_n, uint32_t number);
/* The sum that ties long name entries to their short one. */
uint8_t fat_short_sum(const uint8_t raw[FAT_SHORT_SIZE]);

#endif
