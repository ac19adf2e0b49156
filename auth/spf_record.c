/* SPDX-License-Identifier: ISC */
#include "auth/spf_record.h"

#include "auth/spf_macro.h"
#include "base/ascii.h"

bool spf_record_is(struct str text, struct str *terms)
{
        *terms = str_skip(text, 6);
        return str_has_prefix_nocase(text, S("v=spf1")) && (text.n == 6 || text.p[6] == ' ');
}

/* terms = *( 1*SP ( directive / modifier ) ) */
bool spf_record_next(struct str *terms, struct str *text)
{
        while (terms->n > 0 && terms->p[0] == ' ')
                *terms = str_skip(*terms, 1);
        str_cut(*terms, ' ', text, terms);
        return text->n > 0;
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool is_name(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && str_find_byte(S("-_."), s.p[i]) == 3)
                        return false;
        return s.n > 0 && ascii_is_alpha(s.p[0]);
}

/* redirect and explanation have a domain-spec, an unknown modifier a macro-string. */
static enum spf_fault modifier_parse(struct str name, struct str value, struct spf_term *out)
{
        bool is_right = is_name(name);
        out->kind = SPF_TERM_MODIFIER;
        if (str_eq_nocase(name, S("redirect")))
                out->kind = SPF_TERM_REDIRECT;
        else if (str_eq_nocase(name, S("exp")))
                out->kind = SPF_TERM_EXP;
        out->domain = value;
        if (out->kind == SPF_TERM_MODIFIER)
                is_right = is_right && spf_macro_is_valid(value, SPF_MACRO_MODIFIER);
        else
                is_right = spf_macro_is_domain(value);
        return is_right ? SPF_OK : SPF_SYNTAX;
}

/* "/" ( "0" / %x31-39 *DIGIT ) at the end of `*s`, taken off. Without one `*bits` stays; false: malformed. */
static bool take_bits(struct str *s, struct str slashes, uint8_t most, uint8_t *bits)
{
        size_t at = s->n;
        uint64_t number;
        while (at > 0 && ascii_is_digit(s->p[at - 1]))
                at--;
        struct str front = str_take(*s, at), digits = str_skip(*s, at);
        if (digits.n == 0 || !str_has_suffix_nocase(front, slashes))
                return true;
        s->n = at - slashes.n;
        if (str_to_u64(digits, most, &number) != ERR_OK || (digits.n > 1 && digits.p[0] == '0'))
                return false;
        *bits = (uint8_t)number;
        return true;
}

/* What may follow the name of each mechanism. */
enum shape { ALONE, DOMAIN_NEEDED, DOMAIN_MAY, DOMAIN_AND_BITS, ADDRESS };

static const struct {
        struct str name;
        enum spf_kind kind;
        enum shape shape;
} mechanisms[] = {
        {{"all", 3}, SPF_TERM_ALL, ALONE},
        {{"include", 7}, SPF_TERM_INCLUDE, DOMAIN_NEEDED},
        {{"a", 1}, SPF_TERM_A, DOMAIN_AND_BITS},
        {{"mx", 2}, SPF_TERM_MX, DOMAIN_AND_BITS},
        {{"ptr", 3}, SPF_TERM_PTR, DOMAIN_MAY},
        {{"ip4", 3}, SPF_TERM_IP4, ADDRESS},
        {{"ip6", 3}, SPF_TERM_IP6, ADDRESS},
        {{"exists", 6}, SPF_TERM_EXISTS, DOMAIN_NEEDED},
};

/* ip4 = "ip4" ":" ip4-network [ "/" ip4-cidr-length ], ip6 likewise. */
static bool address_parse(struct str value, struct spf_term *out)
{
        bool is_v4 = out->kind == SPF_TERM_IP4;
        return take_bits(&value, S("/"), is_v4 ? 32 : 128, is_v4 ? &out->bits4 : &out->bits6) &&
               ip_parse(value, &out->ip) == ERR_OK && out->ip.family == (is_v4 ? 4 : 6);
}

/* `rest` is what stands behind the name: [ ":" domain-spec ] [ dual-cidr-length ]. */
static bool arguments_parse(struct str rest, enum shape shape, struct spf_term *out)
{
        if (shape == DOMAIN_AND_BITS) {
                /* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
                if (!take_bits(&rest, S("//"), 128, &out->bits6) ||
                        !take_bits(&rest, S("/"), 32, &out->bits4))
                        return false;
        }
        if (rest.n == 0)
                return shape != DOMAIN_NEEDED && shape != ADDRESS;
        if (rest.p[0] != ':' || shape == ALONE)
                return false;
        out->domain = str_skip(rest, 1);
        if (shape == ADDRESS)
                return address_parse(out->domain, out);
        return spf_macro_is_domain(out->domain);
}

/* directive = [ "+" / "-" / "?" / "~" ] mechanism */
static enum spf_fault mechanism_parse(struct str text, size_t name_end, struct spf_term *out)
{
        static const enum spf_result meanings[] = {SPF_PASS, SPF_FAIL, SPF_NEUTRAL, SPF_SOFTFAIL};
        size_t sign = str_find_byte(S("+-?~"), text.n > 0 ? text.p[0] : 0);
        size_t signs = sign < 4 ? 1 : 0;
        struct str name = str_skip(str_take(text, name_end), signs);
        if (sign < 4)
                out->qualifier = meanings[sign];
        for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
                if (!str_eq_nocase(name, mechanisms[i].name))
                        continue;
                out->kind = mechanisms[i].kind;
                return arguments_parse(str_skip(text, name_end), mechanisms[i].shape, out) ? SPF_OK
                                                                                           : SPF_SYNTAX;
        }
        return is_name(name) ? SPF_MECHANISM : SPF_SYNTAX;
}

/* A modifier has "=" behind its name, a mechanism ":", "/" or nothing. */
enum spf_fault spf_term_parse(struct str text, struct spf_term *out)
{
        size_t end = 0;
        while (end < text.n && text.p[end] != '=' && text.p[end] != ':' && text.p[end] != '/')
                end++;
        *out = (struct spf_term){.qualifier = SPF_PASS, .text = text, .bits4 = 32, .bits6 = 128};
        if (end < text.n && text.p[end] == '=')
                return modifier_parse(str_take(text, end), str_skip(text, end + 1), out);
        return mechanism_parse(text, end, out);
}

static enum spf_fault keep_modifier(const struct spf_term *term, bool *has, struct spf_term *kept)
{
        if (*has)
                return SPF_MODIFIER_TWICE;
        *has = true;
        *kept = *term;
        return SPF_OK;
}

bool spf_ip_agrees(const struct ip *a, const struct ip *b, size_t bits)
{
        if (a->family != b->family)
                return false;
        for (size_t i = 0; i < bits / 8; i++)
                if (a->b[i] != b->b[i])
                        return false;
        return bits % 8 == 0 || (a->b[bits / 8] ^ b->b[bits / 8]) >> (8 - bits % 8) == 0;
}

/* Can this mechanism match the client? `*is_certain`: it does, without asking. */
static bool can_match(const struct spf_term *t, const struct ip *client, bool *is_certain)
{
        switch (t->kind) {
        case SPF_TERM_ALL:
                *is_certain = true;
                return true;
        case SPF_TERM_IP4:
        case SPF_TERM_IP6:
                *is_certain = spf_ip_agrees(client, &t->ip, client->family == 4 ? t->bits4 : t->bits6);
                return *is_certain;
        case SPF_TERM_REDIRECT:
        case SPF_TERM_EXP:
        case SPF_TERM_MODIFIER:
                return false;
        default:
                return true;
        }
}

enum spf_fault spf_record_parse(struct str terms, const struct ip *client, struct spf_record *out)
{
        bool is_certain = false;
        out->count = 0;
        out->has_redirect = out->has_exp = false;
        while (spf_record_next(&terms, &out->wrong)) {
                struct spf_term term;
                enum spf_fault fault = spf_term_parse(out->wrong, &term);
                if (fault == SPF_OK && term.kind == SPF_TERM_REDIRECT)
                        fault = keep_modifier(&term, &out->has_redirect, &out->redirect);
                else if (fault == SPF_OK && term.kind == SPF_TERM_EXP)
                        fault = keep_modifier(&term, &out->has_exp, &out->exp);
                if (fault != SPF_OK)
                        return fault;
                if (!is_certain && out->count < SPF_TERMS_MAX && can_match(&term, client, &is_certain))
                        out->terms[out->count++] = term;
        }
        return SPF_OK;
}
