/* SPDX-License-Identifier: ISC */
#include "auth/sts.h"

#include "base/ascii.h"

#define VERSION S("STSv1")
#define NAME_SIZE_MAX 32 /* of a key: one character and up to 31 more */
#define MAX_AGE_DIGITS 10
#define LABEL_SIZE_MAX 63
#define HOST_SIZE_MAX 253
#define LINE_MARKS 5     /* "mx: " and LF */
#define KEPT_HEAD_MAX 64 /* version, mode and max_age as sts_policy_write has them */

/* ---- what both have ---- */

/* (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".") */
static bool is_name(struct str s)
{
        if (s.n == 0 || s.n > NAME_SIZE_MAX || !ascii_is_alnum(s.p[0]))
                return false;
        for (size_t i = 1; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' && s.p[i] != '.')
                        return false;
        return true;
}

/* ---- the record ---- */

/* 1*32(ALPHA / DIGIT) */
static bool is_id(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]))
                        return false;
        return s.n > 0 && s.n <= STS_ID_MAX;
}

/* 1*(%x21-3A / %x3C / %x3E-7E): "=" and ";" are not in it */
static bool is_record_value(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_graph(s.p[i]) || s.p[i] == '=' || s.p[i] == ';')
                        return false;
        return s.n > 0;
}

/* sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]; `fields` is what stands behind the first
 * delimiter. The first id counts. */
static enum err record_parse(struct str fields, struct str *id)
{
        while (fields.n > 0) {
                struct str field, name, value;
                (void)str_cut(fields, ';', &field, &fields);
                field = str_trim_wsp(field);
                if (field.n == 0 && str_trim_wsp(fields).n == 0)
                        break; /* behind the last delimiter */
                if (!str_cut(field, '=', &name, &value) || !is_name(name) || !is_record_value(value))
                        return ERR_SYNTAX;
                if (!str_eq(name, S("id")) || id->n > 0)
                        continue;
                if (!is_id(value))
                        return ERR_SYNTAX;
                *id = value;
        }
        return id->n > 0 ? ERR_OK : ERR_SYNTAX;
}

enum err sts_record_find(const struct str *texts, size_t count, struct str *id)
{
        const struct str begin = S("v=STSv1;");
        size_t found = 0;
        struct str fields = {NULL, 0};
        *id = (struct str){NULL, 0};
        for (size_t i = 0; i < count; i++)
                if (str_has_prefix(texts[i], begin)) {
                        fields = str_skip(texts[i], begin.n);
                        found++;
                }
        if (found == 0)
                return ERR_NOT_FOUND;
        enum err e = found == 1 ? record_parse(fields, id) : ERR_SYNTAX;
        if (e != ERR_OK)
                *id = (struct str){NULL, 0};
        return e;
}

/* ---- the policy ---- */

/* sub-domain *("." sub-domain), of letters, digits and hyphens within (RFC 5321 4.1.2) */
static bool is_host(struct str s)
{
        if (s.n > HOST_SIZE_MAX)
                return false;
        for (;;) {
                struct str label;
                bool has_more = str_cut(s, '.', &label, &s);
                if (label.n == 0 || label.n > LABEL_SIZE_MAX || label.p[0] == '-' ||
                        label.p[label.n - 1] == '-')
                        return false;
                for (size_t i = 0; i < label.n; i++)
                        if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
                                return false;
                if (!has_more)
                        return true;
        }
}

/* What of a policy is not in struct sts_policy while it is read. */
struct reading {
        struct sts_policy *policy;
        bool has_version, has_mode, has_max_age;
        size_t kept; /* octets of mx in sts_policy_write */
};

/* sts-policy-mx-value = ["*."] Domain */
static enum err take_mx(struct reading *r, struct str value)
{
        struct sts_policy *p = r->policy;
        if (!is_host(str_has_prefix(value, S("*.")) ? str_skip(value, 2) : value))
                return ERR_SYNTAX;
        if (p->mx_count == STS_MX_MAX || r->kept + value.n + LINE_MARKS > STS_KEPT_MAX - KEPT_HEAD_MAX)
                return ERR_LIMIT;
        r->kept += value.n + LINE_MARKS;
        p->mx[p->mx_count++] = value;
        return ERR_OK;
}

static const struct str modes[] = {
        [STS_NONE] = {"none", 4}, [STS_TESTING] = {"testing", 7}, [STS_ENFORCE] = {"enforce", 7}};

static enum err take_mode(struct reading *r, struct str value)
{
        for (enum sts_mode m = STS_NONE; m <= STS_ENFORCE; m++)
                if (str_eq(value, modes[m])) {
                        r->policy->mode = m;
                        return ERR_OK;
                }
        return ERR_SYNTAX;
}

/* 1*10(DIGIT) */
static enum err take_max_age(struct reading *r, struct str value)
{
        uint64_t seconds;
        if (value.n > MAX_AGE_DIGITS || str_to_u64(value, UINT64_MAX, &seconds) != ERR_OK)
                return ERR_SYNTAX;
        r->policy->max_age_s = seconds < STS_MAX_AGE_S ? (int64_t)seconds : STS_MAX_AGE_S;
        return ERR_OK;
}

/* Is it the first? Of the others nothing is looked at. */
static bool is_first(bool *has)
{
        bool first = !*has;
        *has = true;
        return first;
}

static enum err take_field(struct reading *r, struct str name, struct str value)
{
        if (str_eq(name, S("mx")))
                return take_mx(r, value);
        if (str_eq(name, S("version")))
                return is_first(&r->has_version) && !str_eq(value, VERSION) ? ERR_SYNTAX : ERR_OK;
        if (str_eq(name, S("mode")))
                return is_first(&r->has_mode) ? take_mode(r, value) : ERR_OK;
        if (str_eq(name, S("max_age")))
                return is_first(&r->has_max_age) ? take_max_age(r, value) : ERR_OK;
        return is_name(name) ? ERR_OK : ERR_SYNTAX;
}

/* sts-policy-field-delim = ":" *WSP, and white space at the end of the line; NUL and the like are in none of them. */
static enum err take_line(struct reading *r, struct str line)
{
        struct str name, value;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
                line.n--;
        for (size_t i = 0; i < line.n; i++)
                if (ascii_is_control(line.p[i]) && line.p[i] != '\t')
                        return ERR_SYNTAX;
        if (str_trim_wsp(line).n == 0)
                return ERR_OK;
        if (!str_cut(line, ':', &name, &value))
                return ERR_SYNTAX;
        return take_field(r, name, str_trim_wsp(value));
}

static enum err policy_parse(struct str text, struct sts_policy *out)
{
        struct reading r = {.policy = out};
        while (text.n > 0) {
                struct str line;
                (void)str_cut(text, '\n', &line, &text);
                enum err e = take_line(&r, line);
                if (e != ERR_OK)
                        return e;
        }
        bool is_whole = r.has_version && r.has_mode && r.has_max_age;
        return is_whole && (out->mode == STS_NONE || out->mx_count > 0) ? ERR_OK : ERR_SYNTAX;
}

enum err sts_policy_parse(struct str text, struct sts_policy *out)
{
        *out = (struct sts_policy){.mode = STS_NONE};
        enum err e = policy_parse(text, out);
        if (e != ERR_OK)
                *out = (struct sts_policy){.mode = STS_NONE};
        return e;
}

void sts_policy_write(struct wr *w, const struct sts_policy *policy)
{
        wr_str(w, S("version: STSv1\nmode: "));
        wr_str(w, modes[policy->mode]);
        wr_str(w, S("\nmax_age: "));
        wr_u64(w, (uint64_t)policy->max_age_s);
        wr_byte(w, '\n');
        for (size_t i = 0; i < policy->mx_count; i++) {
                wr_str(w, S("mx: "));
                wr_str(w, policy->mx[i]);
                wr_byte(w, '\n');
        }
}

bool sts_policy_lists(const struct sts_policy *policy, struct str host)
{
        struct str first, rest;
        bool has_rest = str_cut(host, '.', &first, &rest) && first.n > 0;
        for (size_t i = 0; i < policy->mx_count; i++) {
                struct str mx = policy->mx[i];
                bool is_wild = str_has_prefix(mx, S("*."));
                if (is_wild ? has_rest && str_eq_nocase(str_skip(mx, 2), rest) : str_eq_nocase(mx, host))
                        return true;
        }
        return false;
}
