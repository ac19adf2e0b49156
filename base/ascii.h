/* SPDX-License-Identifier: ISC */
/* ASCII classes and case, independent of any locale. Bytes above 127 belong to no class. */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

char ascii_lower(char c);
char ascii_upper(char c);
bool ascii_is_digit(char c);
bool ascii_is_alpha(char c);
bool ascii_is_alnum(char c);
bool ascii_is_hex(char c);
bool ascii_is_wsp(char c);     /* SP or HTAB (RFC 5234 B.1) */
bool ascii_is_graph(char c);   /* VCHAR: 33 to 126 */
bool ascii_is_control(char c); /* 0 to 31, 127 */
bool ascii_is_8bit(char c);    /* 128 to 255 */

#endif
