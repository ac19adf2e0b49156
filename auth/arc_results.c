/* SPDX-License-Identifier: ISC */
#include "auth/arc_seal.h"
#include "auth/authres.h"
#include "base/ascii.h"
#include "mail/lex.h"

/* The authserv-id as written, and what stands behind the ";" (RFC 8601 2.2):
 * [CFWS] authserv-id [ CFWS authres-version ] (no-result / 1*resinfo) */
static struct str split_id(struct str body, struct str *results)
{
        body = str_skip(body, mail_cfws_size(body, NULL));
        size_t n = mail_quoted_size(body, MAIL_UTF8, MAIL_QUOTING_FOLDED);
        if (n == 0)
                while (n < body.n && body.p[n] != ';' && body.p[n] != '(' && !ascii_is_wsp(body.p[n]) &&
                        body.p[n] != '\r')
                        n++;
        struct str id = str_take(body, n);
        body = str_skip(body, n);
        body = str_skip(body, mail_cfws_size(body, NULL));
        while (body.n > 0 && ascii_is_digit(body.p[0]))
                body = str_skip(body, 1);
        body = str_skip(body, mail_cfws_size(body, NULL));
        *results = str_skip(body, 1);
        return id;
}

static struct str trim_results(struct str s)
{
        s = str_trim(s);
        while (s.n > 0 && s.p[s.n - 1] == ';')
                s = str_trim(str_take(s, s.n - 1));
        return s;
}

/* Two statuses that differ, or a word that is none, leave nothing to believe in. */
static void take_status(const struct authres *a, struct arc_results *out)
{
        for (size_t i = 0; i < a->count; i++) {
                enum arc_cv cv;
                if (!str_eq_nocase(a->results[i].method, S("arc")))
                        continue;
                if (!arc_cv_parse(a->results[i].result, &cv) || (out->has_cv && out->cv != cv))
                        cv = ARC_FAIL;
                out->has_cv = true;
                out->cv = cv;
        }
}

enum err arc_results_gather(
        const struct mail_header *header, struct str id, struct wr *w, struct arc_results *out)
{
        char text[ARC_RESULTS_MAX];
        struct authres a;
        size_t start = w->n;
        bool any = false;
        *out = (struct arc_results){.cv = ARC_NONE};
        for (size_t i = 0; i < header->n; i++) {
                const struct mail_field *field = &header->fields[i];
                struct str results;
                struct wr room;
                wr_init(&room, text, sizeof text);
                if (!str_eq_nocase(field->name, S("Authentication-Results")) ||
                        authres_parse(field->body, &room, &a) != ERR_OK || !str_eq_nocase(a.id, id))
                        continue;
                struct str written = split_id(field->body, &results);
                if (out->count++ == 0)
                        wr_str(w, written);
                take_status(&a, out);
                if (a.count == 0)
                        continue;
                wr_str(w, S(";\r\n "));
                wr_str(w, trim_results(results));
                any = true;
        }
        if (out->count > 0 && !any)
                wr_str(w, S("; none"));
        out->payload = str_skip(wr_text(w), start);
        if (out->count == 0)
                return ERR_NOT_FOUND;
        return wr_end(w);
}
