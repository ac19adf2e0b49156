/* SPDX-License-Identifier: ISC */
#include "auth/authres_make.h"

#include "auth/dkim_name.h"
#include "auth/field.h"
#include "auth/received_spf.h"
#include "base/ascii.h"
#include "base/limits.h"

/* The numbers of `a` before a result was begun, to be restored when it does not fit. */
struct mark {
        size_t results, properties, room;
};

static struct mark begin(const struct authres *a, const struct wr *room)
{
        return (struct mark){a->count, a->property_count, room->n};
}

static bool end(struct authres *a, struct wr *room, struct mark m, bool is_good)
{
        if (is_good && !room->full)
                return true;
        a->count = m.results;
        a->property_count = m.properties;
        if (!room->full)
                room->n = m.room;
        return false;
}

static struct str since(const struct wr *room, size_t at)
{
        return str_skip(wr_text(room), at);
}

static void set_comment(struct authres *a, struct str comment)
{
        a->results[a->count - 1].comment = comment;
}

/* smtp.mailfrom is given without its local part, which is nobody's business but the sender's. */
bool authres_add_spf(
        struct authres *a, struct wr *room, const struct spf_input *in, const struct spf_verdict *v)
{
        struct mark m = begin(a, room);
        struct spf_input ours = *in;
        ours.receiver = a->id;
        if (!authres_add(a, S("spf"), spf_result_text(v->result)))
                return false;
        spf_comment_write(room, &ours, v);
        set_comment(a, since(room, m.room));
        size_t at = room->n;
        if (!v->is_helo)
                wr_byte(room, '@');
        field_write_clean(room, v->domain, AUTHRES_TEXT_MAX);
        struct str value = since(room, at);
        bool is_good = v->domain.n == 0 ||
                       authres_add_property(a, S("smtp"), v->is_helo ? S("helo") : S("mailfrom"), value);
        return end(a, room, m, is_good);
}

/* The beginning of b= without folds (RFC 6008): enough to tell signatures apart. */
static struct str signature_start(struct wr *room, struct str b)
{
        size_t at = room->n;
        for (size_t i = 0; i < b.n && room->n - at < 8 && !room->full; i++)
                if (ascii_is_graph(b.p[i]))
                        wr_byte(room, b.p[i]);
        return since(room, at);
}

static bool add_signature(struct authres *a, struct wr *room, const struct dkim_signature *s)
{
        size_t at = room->n;
        if (s->identity.n > 0) {
                field_write_clean(room, s->identity, AUTHRES_TEXT_MAX);
        } else {
                wr_byte(room, '@');
                dkim_name_write(room, s->domain);
        }
        struct str identity = since(room, at);
        at = room->n;
        dkim_name_write(room, s->selector);
        struct str selector = since(room, at), start = signature_start(room, s->b);
        if (s->domain.n > 0 && !authres_add_property(a, S("header"), S("i"), identity))
                return false;
        if (selector.n > 0 && !authres_add_property(a, S("header"), S("s"), selector))
                return false;
        return start.n == 0 || authres_add_property(a, S("header"), S("b"), start);
}

bool authres_add_dkim(
        struct authres *a, struct wr *room, const struct dkim_signature *s, const struct dkim_verdict *v)
{
        struct mark m = begin(a, room);
        if (!authres_add(a, S("dkim"), dkim_result_text(v->result)))
                return false;
        if (v->fault != DKIM_OK) {
                field_write_comment(room, dkim_fault_text(v->fault), AUTHRES_TEXT_MAX);
                if (v->detail.n > 0) {
                        wr_str(room, S(": "));
                        field_write_comment(room, v->detail, AUTHRES_TEXT_MAX);
                }
        } else if (v->testing) {
                wr_str(room, S("test mode"));
        }
        set_comment(a, since(room, m.room));
        return end(a, room, m, add_signature(a, room, s));
}

static void write_policy(struct wr *room, struct str before, enum dmarc_policy policy)
{
        struct str text = dmarc_policy_text(policy);
        wr_str(room, before);
        for (size_t i = 0; i < text.n; i++)
                wr_byte(room, ascii_upper(text.p[i]));
}

/* "p=REJECT sp=REJECT", np= where it is another, "t=y"; and what hindered a verdict. */
static void write_dmarc_comment(struct wr *room, const struct dmarc_verdict *v)
{
        bool has_record = v->policy_domain.n > 0;
        if (has_record) {
                write_policy(room, S("p="), v->record.p);
                write_policy(room, S(" sp="), v->record.sp);
                if (v->record.np != v->record.sp)
                        write_policy(room, S(" np="), v->record.np);
                if (v->record.testing)
                        wr_str(room, S(" t=y"));
        }
        if (!has_record || v->result == DMARC_TEMPERROR) {
                char text[DMARC_REASON_MAX];
                struct wr reason;
                wr_init(&reason, text, sizeof text);
                dmarc_reason_write(&reason, v);
                wr_str(room, has_record ? S("; ") : S(""));
                field_write_comment(room, wr_text(&reason), AUTHRES_TEXT_MAX);
        }
}

bool authres_add_dmarc(struct authres *a, struct wr *room, const struct dmarc_verdict *v)
{
        struct mark m = begin(a, room);
        if (!authres_add(a, S("dmarc"), dmarc_result_text(v->result)))
                return false;
        write_dmarc_comment(room, v);
        set_comment(a, since(room, m.room));
        size_t at = room->n;
        if (v->author.n > 0)
                dns_name_write(room, &v->author);
        struct str author = since(room, at);
        return end(a, room, m, author.n == 0 || authres_add_property(a, S("header"), S("from"), author));
}

bool authres_add_plain(
        struct authres *a, struct wr *room, struct str method, struct str result, struct str comment)
{
        struct mark m = begin(a, room);
        if (!authres_add(a, method, result))
                return false;
        field_write_comment(room, comment, AUTHRES_TEXT_MAX);
        set_comment(a, since(room, m.room));
        return end(a, room, m, true);
}
