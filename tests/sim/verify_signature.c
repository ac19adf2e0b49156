/* SPDX-License-Identifier: ISC */
/* Whether a message is signed for everybody who asks DNS now. */
#include "tests/sim/verify_inside.h"

#include "base/check.h"
#include "base/limits.h"

static const struct dkim_key *key_of(struct verify *v, struct str record)
{
        struct cached_key *k = &v->keys[v->key_count % VERIFY_KEYS];
        for (size_t i = 0; i < VERIFY_KEYS; i++)
                if (v->keys[i].record.p && str_eq(v->keys[i].record, record))
                        return &v->keys[i].key;
        str_free(k->record);
        dkim_key_drop(&k->key);
        k->record = str_copy(record);
        dkim_key_from_records(&record, 1, &k->key);
        v->key_count++;
        return &k->key;
}

static struct dkim_verdict verdict_under(struct verify *v, size_t signature, const struct verify_view *view)
{
        struct dkim_key key;
        if (view->status == VERIFY_RECORDS && view->count == 1)
                return dkim_verify_verdict(&v->dkim, signature, key_of(v, view->records[0]));
        if (view->status == VERIFY_RECORDS)
                dkim_key_from_records(view->records, view->count, &key);
        else
                dkim_key_from_trouble(&key);
        struct dkim_verdict verdict = dkim_verify_verdict(&v->dkim, signature, &key);
        dkim_key_drop(&key);
        return verdict;
}

/* ---- signatures ---- */

static void put_views(struct buffer *b, struct str name, const struct verify_view *views, size_t n)
{
        buffer_print(b, "%.*s %zu\n", STR_ARG(name), n);
        for (size_t i = 0; i < n; i++) {
                buffer_print(b, "%d %zu\n", (int)views[i].status, views[i].count);
                for (size_t k = 0; k < views[i].count; k++) {
                        buffer_put(b, views[i].records[k]);
                        buffer_put(b, S("\n"));
                }
        }
}

/* Is one signature right for everybody who asks DNS now? Nobody is wronged by a server that gives no answer. */
static bool is_right(struct verify *v, struct known *k, size_t signature, enum dkim_fault *why)
{
        struct verify_view views[VERIFY_VIEWS_MAX];
        char text[2 * DNS_NAME_MAX];
        struct wr name;
        wr_init(&name, text, sizeof text);
        if (dkim_verify_question(&v->dkim, signature, &name) != ERR_OK) {
                *why = dkim_verify_verdict(&v->dkim, signature, NULL).fault;
                return false;
        }
        size_t n = v->lookup(v->ctx, wr_text(&name), views, VERIFY_VIEWS_MAX);
        CHECK(n > 0 && n <= VERIFY_VIEWS_MAX);
        buffer_print(&k->names, "%.*s\n", STR_ARG(wr_text(&name)));
        put_views(&k->dns, wr_text(&name), views, n);
        for (size_t i = 0; i < n; i++) {
                struct dkim_verdict verdict = verdict_under(v, signature, &views[i]);
                *why = verdict.fault;
                if (verdict.result != DKIM_PASS && verdict.result != DKIM_TEMPERROR)
                        return false;
        }
        return true;
}

bool verify_is_signed(struct verify *v, struct known *k, const struct verify_message *m, struct str domain,
        enum dkim_fault *why)
{
        struct mail_header header;
        bool is_good = false;
        *why = DKIM_KEY_NONE;
        if (mail_header_index(m->bytes, v->fields, MAIL_FIELDS_MAX, &header) != ERR_OK)
                return false;
        dkim_verify_init(&v->dkim, &header, m->wall_s);
        dkim_verify_body(&v->dkim, str_skip(m->bytes, header.body_at));
        dkim_verify_body_end(&v->dkim);
        for (size_t i = 0; i < v->dkim.count && !is_good; i++) {
                const struct dkim_signature *s = &v->dkim.list[i].signature;
                is_good = str_eq_nocase(s->domain, domain) && is_right(v, k, i, why);
                if (is_good)
                        k->until_s = s->has_expiry ? s->expiry_s : INT64_MAX;
        }
        dkim_verify_drop(&v->dkim);
        return is_good;
}

bool verify_is_as_before(
        struct verify *v, const struct known *k, const struct verify_message *m, struct str front)
{
        struct verify_view views[VERIFY_VIEWS_MAX];
        struct str names = buffer_text(&k->names), name;
        if (k->front.n == 0 || !str_eq(buffer_text(&k->front), front) || m->wall_s < k->from_s ||
                m->wall_s > k->until_s)
                return false;
        v->dns.n = 0;
        while (names.n > 0) {
                (void)str_cut(names, '\n', &name, &names);
                put_views(&v->dns, name, views, v->lookup(v->ctx, name, views, VERIFY_VIEWS_MAX));
        }
        return str_eq(buffer_text(&v->dns), buffer_text(&k->dns));
}
