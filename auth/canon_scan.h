/* SPDX-License-Identifier: ISC */
/* The search that decides how fast a relaxed body goes (RFC 6376 3.4.4): how many bytes at the head of a text stay as they
 * are within their lines. They end before
 *   an HTAB,
 *   a SP before SP, HTAB or CR, or at the end of the text,
 *   a CR at the end of the text.
 * Pure; all ways give the same. */
#ifndef AUTH_CANON_SCAN_H
#define AUTH_CANON_SCAN_H

#include "base/str.h"

typedef size_t canon_scan(struct str text);

canon_scan canon_scan_bytes; /* one byte at a time: what the others are held against */
canon_scan canon_scan_words; /* eight at a time, on any processor */

/* The fastest that this processor can run. */
canon_scan *canon_scan_best(void);

#endif
