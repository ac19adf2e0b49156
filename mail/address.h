/* SPDX-License-Identifier: ISC */
/* Mail addresses: in header fields (RFC 5322 3.4, RFC 6532, RFC 6854) and in SMTP (RFC 5321 4.1.2, RFC 6531).
 * Pure: no I/O, no allocation; every slice is borrowed from the text that was parsed.
 *
 * Both parsers give one type. What an address may be is the same for both: a local part of at most SMTP_LOCAL_PART_MAX
 * octets, a domain (mail_domain_is_valid) or an address literal, MAIL_ADDRESS_MAX octets together. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/lex.h"

struct mail_address {
        struct str local;  /* as written: a dot-atom, or a quoted string with its quotes */
        struct str domain; /* as written: LDH labels, U-labels, or an address literal with its brackets */
};

/* Labels of letters, digits and inner hyphens with single dots between, no final dot; a label has at most 63 octets, the whole at most
 * SMTP_DOMAIN_MAX. With MAIL_UTF8 a label may also have well-formed UTF-8. */
bool mail_domain_is_valid(struct str domain, enum mail_charset charset);
/* The address of a literal such as "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3), brackets included.
 *   ERR_OK
 *   ERR_UNSUPPORTED  a General-address-literal: its tag is none that IANA registers
 *   ERR_SYNTAX       none of these           (`out->family` is 0 on both errors) */
MUST_USE enum err mail_literal_parse(struct str domain, struct ip *out);

/* SMTP: Mailbox without comments and white space. */

/* All of `text` is one Mailbox.
 *   ERR_OK
 *   ERR_SYNTAX       not a Mailbox, or 8-bit octets with MAIL_ASCII
 *   ERR_LIMIT        too long a local part, domain, label or whole
 *   ERR_UNSUPPORTED  an address literal that is neither IPv4 nor IPv6
 * `*out` is empty on errors. */
MUST_USE enum err mail_mailbox_parse(struct str text, enum mail_charset charset, struct mail_address *out);
/* The longest Mailbox at the head of `text`, `*used` octets, for a path such as "<a@b> SIZE=1". Outcomes as above,
 * `*used` is 0 on errors. What follows it is the caller's to judge. */
MUST_USE enum err mail_mailbox_scan(
        struct str text, enum mail_charset charset, struct mail_address *out, size_t *used);

/* Header fields: address-list. */

struct mail_mailbox {
        struct mail_address address;
        struct str
                display; /* the phrase before "<", as written; mail_phrase_decode (mail/encoded_word.h) makes text of it; may be empty */
        struct str
                comment; /* inside of the comment behind a bare address ("a@b (Name)"), the older display name */
        bool in_group; /* a member of "name: a, b;" */
};

/* Reads the mailboxes of an address-list, one a call, out of groups too. UTF-8 is allowed. Accepted beyond the RFC 5322
 * grammar of today: empty list elements, a route before the address ("<@x,@y:a@b>"), quoted strings as words of a
 * dotted local part, unquoted dots in a phrase. Refused: comments or white space inside a local part or inside a
 * domain (RFC 5322 4.4), since such an address is no slice and nobody sends it in earnest. */
struct mail_addresses {
        struct str text;
        size_t at;
        bool in_group;
        bool has_element; /* an element was read and no comma yet behind it */
        enum err fault;   /* sticks */
};

void mail_addresses_init(struct mail_addresses *r, struct str field_body);
/*   ERR_OK           `*out` is the next mailbox
 *   ERR_EOF          the list ended in order
 *   ERR_SYNTAX       not an address-list from here on; what was given before stands
 *   ERR_LIMIT        too long an address, label or part
 *   ERR_UNSUPPORTED  an address literal that is neither IPv4 nor IPv6
 * An error sticks, and so does ERR_EOF; `*out` is empty then. */
MUST_USE enum err mail_addresses_next(struct mail_addresses *r, struct mail_mailbox *out);

/* All mailboxes of a field body. Several From mailboxes are visible as `*n` above 1.
 *   ERR_OK     `*n` may be 0 (an empty group, an empty list)
 *   ERR_LIMIT  more than `cap`, or as above
 *   ERR_SYNTAX, ERR_UNSUPPORTED as above   (on errors `*n` is 0) */
MUST_USE enum err mail_addresses_parse(
        struct str field_body, struct mail_mailbox *out, size_t cap, size_t *n);
/* Exactly one mailbox ("a@b", "Name <a@b>").
 *   outcomes as above, and ERR_SYNTAX also for none or several; `*out` is empty on errors */
MUST_USE enum err mail_address_parse(struct str field_body, struct mail_mailbox *out);

/* Comparing and writing. */

/* The local part without quotes and backslashes: the octets it stands for. */
void mail_local_unquote(struct wr *w, struct str local);
/* The shortest way to write these octets as a local part: plain if they are a dot-atom, else quoted.
 * Octets that no local part can have (controls) are a fault of the caller's. */
void mail_local_quote(struct wr *w, struct str octets);
/* Equal by what they stand for: "a"@x is a@x; domains without regard to ASCII case. */
bool mail_address_eq(const struct mail_address *a, const struct mail_address *b);
/* The same with ASCII case folded in the local part too: how lists compare members. */
bool mail_address_eq_folded(const struct mail_address *a, const struct mail_address *b);
/* "local@domain" with the local part in its shortest form. */
void mail_address_write(struct wr *w, const struct mail_address *a);
/* The same with ASCII letters in lower case: equal bytes for what mail_address_eq_folded calls equal. A key for tables. */
void mail_address_write_folded(struct wr *w, const struct mail_address *a);

#endif
