/* SPDX-License-Identifier: ISC */
#include "auth/dmarc.h"
#include "base/ascii.h"

/* A record while it is read. Tags that are not there have an empty value. */
struct raw {
        struct str p, sp, np, adkim, aspf, t, psd, rua, ruf;
};

static struct str trim(struct str s)
{
        while (s.n > 0 && ascii_is_wsp(s.p[0]))
                s = str_skip(s, 1);
        while (s.n > 0 && ascii_is_wsp(s.p[s.n - 1]))
                s.n--;
        return s;
}

/* dmarc-tag = 1*ALPHA equals 1*dmarc-value */
static void read_tag(struct str spec, struct raw *out)
{
        const struct {
                struct str name;
                struct str *value;
        } tags[] = {
                {S("p"), &out->p},
                {S("sp"), &out->sp},
                {S("np"), &out->np},
                {S("adkim"), &out->adkim},
                {S("aspf"), &out->aspf},
                {S("t"), &out->t},
                {S("psd"), &out->psd},
                {S("rua"), &out->rua},
                {S("ruf"), &out->ruf},
        };
        struct str name, value;
        if (!str_cut(spec, '=', &name, &value))
                return;
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
                if (tags[i].value->n == 0 && str_eq(trim(name), tags[i].name))
                        *tags[i].value = trim(value);
}

/* dmarc-version = "v" equals %s"DMARC1" */
static bool is_version(struct str spec)
{
        struct str name, value;
        return str_cut(spec, '=', &name, &value) && str_eq_nocase(trim(name), S("v")) &&
               str_eq(trim(value), S("DMARC1"));
}

/* dmarc-request; false for anything else */
static bool read_policy(struct str text, enum dmarc_policy *out)
{
        for (enum dmarc_policy p = DMARC_POLICY_NONE; p <= DMARC_POLICY_REJECT; p++)
                if (str_eq_nocase(text, dmarc_policy_text(p))) {
                        *out = p;
                        return true;
                }
        return false;
}

/* Unreserved, reserved and percent-encoded characters (RFC 3986 2), behind a scheme (3.1). */
static bool is_uri(struct str uri)
{
        struct str scheme, rest;
        if (!str_cut(uri, ':', &scheme, &rest) || scheme.n == 0 || rest.n == 0 ||
                !ascii_is_alpha(scheme.p[0]))
                return false;
        for (size_t i = 0; i < scheme.n; i++)
                if (!ascii_is_alnum(scheme.p[i]) && str_find_byte(S("+-."), scheme.p[i]) == 3)
                        return false;
        for (size_t i = 0; i < rest.n; i++) {
                char c = rest.p[i];
                bool is_hex = c == '%' && rest.n - i > 2 && ascii_is_hex(rest.p[i + 1]) &&
                              ascii_is_hex(rest.p[i + 2]);
                if (!is_hex && !ascii_is_alnum(c) && str_find_byte(S("-._~:/?#[]@!$&'()*+,;="), c) == 22)
                        return false;
        }
        struct str address = str_take(rest, str_find_byte(rest, '?'));
        size_t at = str_find_byte(address, '@');
        return !str_eq_nocase(scheme, S("mailto")) || (at > 0 && at + 1 < address.n);
}

/* dmarc-urilist; one good address is enough (4.10.1). What follows "!" is an obsolete size. */
static bool has_uri(struct str list)
{
        struct str uri;
        bool is_more = true;
        while (is_more) {
                is_more = str_cut(list, ',', &uri, &list);
                if (is_uri(trim(str_take(uri, str_find_byte(uri, '!')))))
                        return true;
        }
        return false;
}

/* The policies, or what stands in for them (4.10.1). */
static void take_policies(const struct raw *raw, struct dmarc_record *out)
{
        bool is_right = read_policy(raw->p, &out->p);
        out->has_sp = raw->sp.n > 0;
        out->has_np = raw->np.n > 0;
        out->sp = out->p;
        if (out->has_sp && !read_policy(raw->sp, &out->sp))
                is_right = false;
        out->np = out->sp;
        if (out->has_np && !read_policy(raw->np, &out->np))
                is_right = false;
        out->is_usable = is_right || has_uri(raw->rua);
        if (is_right)
                return;
        out->p = out->sp = out->np = DMARC_POLICY_NONE;
        out->has_sp = out->has_np = false;
}

enum err dmarc_record_parse(struct str text, struct dmarc_record *out)
{
        struct raw raw = {0};
        struct str spec;
        bool is_more = str_cut(text, ';', &spec, &text);
        *out = (struct dmarc_record){0};
        if (!is_version(spec))
                return ERR_NOT_FOUND;
        while (is_more) {
                is_more = str_cut(text, ';', &spec, &text);
                read_tag(spec, &raw);
        }
        take_policies(&raw, out);
        out->strict_dkim = str_eq_nocase(raw.adkim, S("s"));
        out->strict_spf = str_eq_nocase(raw.aspf, S("s"));
        out->testing = str_eq_nocase(raw.t, S("y"));
        if (str_eq_nocase(raw.psd, S("y")))
                out->psd = DMARC_PSD_YES;
        else if (str_eq_nocase(raw.psd, S("n")))
                out->psd = DMARC_PSD_NO;
        out->rua = raw.rua;
        out->ruf = raw.ruf;
        return ERR_OK;
}
