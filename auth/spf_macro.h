/* SPDX-License-Identifier: ISC */
/* Macros of SPF (RFC 7208 7). Pure: no I/O, no allocation. */
#ifndef AUTH_SPF_MACRO_H
#define AUTH_SPF_MACRO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"

/* What the letters stand for; borrowed. */
struct spf_macros {
        struct str sender, local, sender_domain; /* s l o */
        struct str domain;                       /* d */
        struct ip ip;                            /* i v c: family 4 or 6 */
        struct str validated;                    /* p: the name, or "unknown" */
        struct str helo;                         /* h */
        struct str receiver;                     /* r */
        int64_t now_s;                           /* t */
};

enum spf_macro_place {
        SPF_MACRO_DOMAIN,     /* no c, r, t; no space */
        SPF_MACRO_MODIFIER,   /* no space */
        SPF_MACRO_EXPLANATION /* all */
};

/* Is it a macro-string (7.1), as that place allows it? */
bool spf_macro_is_valid(struct str text, enum spf_macro_place place);
/* Is it a domain-spec (7.1): a macro-string that ends in a macro or in a label that can be a top-level one? */
bool spf_macro_is_domain(struct str text);
/* A label that can be a top-level one: letters, digits and inner hyphens, and not digits alone. */
bool spf_macro_is_top(struct str label);
/* Does a valid macro-string use this letter (in lower case)? */
bool spf_macro_uses(struct str text, char letter);
/* Expand a valid macro-string; what does not fit shows in `w`. */
void spf_macro_expand(struct str text, const struct spf_macros *values, struct wr *w);

#endif
