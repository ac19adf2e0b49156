/* SPDX-License-Identifier: ISC */
#include "tests/sim/results.h"

#include "base/ascii.h"
#include "mail/header.h"
#include "tests/sim/buffer.h"

/* What is said of one method. */
struct said {
        size_t count, passes, troubles, nones;
        bool is_about; /* a pass is about the domain in question */
};

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without comments and quotes; what they hide cannot part anything then. */
static void flatten(struct buffer *b, struct str body)
{
        size_t depth = 0;
        bool is_quoted = false;
        for (size_t i = 0; i < body.n; i++) {
                char c = body.p[i];
                if (c == '\\' && (is_quoted || depth > 0)) {
                        i++;
                } else if (c == '"' && depth == 0) {
                        is_quoted = !is_quoted;
                } else if (is_quoted) {
                        buffer_put(b, c == ';' ? S(",") : str_of(&c, 1));
                } else if (c == '(' || (c == ')' && depth > 0)) {
                        depth = c == '(' ? depth + 1 : depth - 1;
                } else if (depth == 0 && c != '\r' && c != '\n') {
                        buffer_put(b, c == '\t' ? S(" ") : str_of(&c, 1));
                }
        }
}

/* "method=word more": takes notes in `said` when it is that method. */
static void note(struct said *said, struct str piece, const char *method, struct str domain)
{
        struct str name, rest, word, more;
        (void)str_cut(piece, '=', &name, &rest);
        if (!str_eq(str_trim(name), str_of_c(method)))
                return;
        (void)str_cut(rest, ' ', &word, &more);
        bool is_pass = str_eq(word, S("pass"));
        said->count++;
        said->passes += is_pass;
        said->troubles += str_eq(word, S("temperror"));
        said->nones += str_eq(word, S("none"));
        said->is_about = said->is_about || (is_pass && str_find(more, domain) < more.n);
}

/* A pass where one is true, about the right domain, and none where none is. */
static bool is_so(const struct said *said, bool passes, bool may_fail)
{
        if (said->count == 0)
                return false;
        if (!passes)
                return said->passes == 0;
        return said->passes > 0 ? said->is_about : may_fail && said->troubles > 0;
}

static struct str domain_of(struct str address)
{
        return str_skip(address, str_find_last_byte(address, '@') + 1);
}

static const char *judge_methods(struct str pieces, const struct ledger_try *is, bool may_fail)
{
        struct said spf = {0}, dkim = {0}, dmarc = {0};
        struct str piece;
        while (pieces.n > 0) {
                (void)str_cut(pieces, ';', &piece, &pieces);
                piece = str_trim(piece);
                note(&spf, piece, "spf", domain_of(is->sender));
                note(&dkim, piece, "dkim", is->truth.signer);
                note(&dmarc, piece, "dmarc", domain_of(is->from));
        }
        if (spf.count != 1 || !is_so(&spf, is->truth.spf, may_fail))
                return "the result of SPF is not so";
        if (!is_so(&dkim, is->truth.dkim, may_fail))
                return "the result of DKIM is not so";
        if (dmarc.count != 1 || !is_so(&dmarc, is->truth.dmarc == LEDGER_DMARC_PASS, may_fail))
                return "the result of DMARC is not so";
        if (is->truth.dmarc == LEDGER_DMARC_NONE && dmarc.nones == 0 && !(may_fail && dmarc.troubles > 0))
                return "a result of DMARC without a policy";
        if (is->truth.dmarc != LEDGER_DMARC_NONE && dmarc.nones > 0)
                return "no result of DMARC with a policy";
        return NULL;
}

static const char *judge_field(
        struct str body, struct str authserv, const struct ledger_try *is, bool may_fail)
{
        struct buffer b = {0};
        struct str id, pieces;
        flatten(&b, body);
        (void)str_cut(buffer_text(&b), ';', &id, &pieces);
        const char *wrong = str_eq_nocase(str_trim(id), authserv) ? judge_methods(pieces, is, may_fail)
                                                                  : "results in another server's name";
        buffer_free(&b);
        return wrong;
}

/* Two texts without their white space. */
static bool is_alike(struct str a, struct str b)
{
        size_t i = 0, k = 0;
        for (;;) {
                while (i < a.n && is_space(a.p[i]))
                        i++;
                while (k < b.n && is_space(b.p[k]))
                        k++;
                if (i == a.n || k == b.n)
                        return i == a.n && k == b.n;
                if (a.p[i++] != b.p[k++])
                        return false;
        }
}

/* What a signer seals is the results as they stand, in the first set of all: no author sends a chain. `sealed` is NULL
 * where it had no key to seal with yet. */
static const char *judge_sealed(struct str sealed, struct str results)
{
        struct str instance, rest;
        if (!sealed.p)
                return NULL;
        (void)str_cut(sealed, ';', &instance, &rest);
        return is_alike(instance, S("i=1")) && is_alike(rest, results) ? NULL
                                                                       : "other results are sealed in ARC";
}

const char *results_judge(struct str front, struct str authserv, const struct ledger_try *is, bool may_fail)
{
        struct mail_field field, above = {0};
        struct str sealed = {0};
        size_t at = 0, count = 0;
        const char *wrong = NULL;
        while (at < front.n && mail_item_next(front, &at, &field) == MAIL_ITEM_FIELD) {
                if (str_eq_nocase(field.name, S("ARC-Authentication-Results"))) {
                        sealed = field.body;
                } else if (str_eq_nocase(field.name, S("Authentication-Results"))) {
                        count++;
                        wrong = wrong ? wrong : judge_field(field.body, authserv, is, may_fail);
                        wrong = wrong ? wrong : judge_sealed(sealed, field.body);
                        if (!str_eq_nocase(above.name, S("Received")))
                                wrong = "results that do not stand below Received";
                }
                above = field;
        }
        return count == 1 ? wrong : count == 0 ? "no results" : "results twice";
}
