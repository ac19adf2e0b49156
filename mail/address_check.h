/* SPDX-License-Identifier: ISC */
/* What the two address grammars share. For mail/ itself. */
#ifndef MAIL_ADDRESS_CHECK_H
#define MAIL_ADDRESS_CHECK_H

#include "mail/address.h"

/* Octets at the head of `s` that may be a domain or an address literal. */
size_t mail_domain_size(struct str s, enum mail_charset charset);
/* An address whose local part follows its grammar: domain, literal and lengths.
 *   ERR_OK, ERR_SYNTAX, ERR_LIMIT, ERR_UNSUPPORTED; `*out` is emptied on errors */
MUST_USE enum err mail_address_check(enum mail_charset charset, struct mail_address *out);

#endif
