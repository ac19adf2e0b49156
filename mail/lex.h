/* SPDX-License-Identifier: ISC */
/* The lexical tokens of header fields (RFC 5322 3.2, RFC 6532 3.2). Each function gives how many octets at the head of
 * `s` are such a token, 0 when there is none. Pure. */
#ifndef MAIL_LEX_H
#define MAIL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum mail_charset {
        MAIL_ASCII,
        MAIL_UTF8 /* well-formed UTF-8 beyond ASCII is allowed too (RFC 6531, RFC 6532) */
};

enum mail_quoting {
        MAIL_QUOTING_LINE,  /* RFC 5321 4.1.2: SP and graphic characters only */
        MAIL_QUOTING_FOLDED /* RFC 5322 3.2.4: HTAB and folds too, and controls but NUL, CR and LF (4.1) */
};

size_t mail_atom_size(struct str s, enum mail_charset charset); /* 1*atext */
size_t mail_dot_atom_size(
        struct str s, enum mail_charset charset); /* atom *("." atom); stops before a stray dot */
/* With both quotes; 0 also when it is not closed or holds what it may not. */
size_t mail_quoted_size(struct str s, enum mail_charset charset, enum mail_quoting quoting);
size_t mail_fws_size(struct str s); /* *(SP / HTAB / CRLF before one of these) */
/* A comment with those inside of it; 0 also when it is not closed or holds what it may not. */
size_t mail_comment_size(struct str s);
/* Folding white space and comments; the inside of the first comment in `*comment`, unless that is NULL. It stops before a
 * malformed comment, whose "(" no grammar accepts. */
size_t mail_cfws_size(struct str s, struct str *comment);

#endif
