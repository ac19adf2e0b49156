/* SPDX-License-Identifier: ISC */
/* Hexadecimal text: lower case out, either case in. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/str.h"
#include "base/wr.h"

void hex_encode(struct wr *w, struct str bytes);
/*   ERR_OK
 *   ERR_SYNTAX  an odd length or another character
 *   ERR_SPACE   the output does not fit */
MUST_USE enum err hex_decode(struct str text, struct wr *w);

#endif
