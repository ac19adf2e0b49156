/* SPDX-License-Identifier: ISC */
/* Charsets that mail comes in, beside UTF-8 those that people of Western Europe still write. Pure. */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include <stdint.h>

#include "base/str.h"

enum charset {
        CHARSET_UTF8, /* and US-ASCII */
        CHARSET_LATIN1,
        CHARSET_LATIN9,  /* ISO-8859-15 */
        CHARSET_WINDOWS, /* Windows-1252 */
        CHARSET_UNKNOWN
};

enum charset charset_of(struct str name);
/* The character of one octet; U+FFFD where the charset has none, and for octets above 127 of CHARSET_UTF8 or
 * CHARSET_UNKNOWN. */
uint32_t charset_code(enum charset charset, uint8_t octet);

#endif
