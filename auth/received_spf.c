/* SPDX-License-Identifier: ISC */
#include "auth/received_spf.h"

#include "auth/field.h"
#include "base/limits.h"
#include "mail/build.h"
#include "mail/lex.h"

#define REASON_MAX 400 /* octets: with all of them escaped, it fits a line still */

/* RFC 7208 9.1: the keys, in the order in which they are written. */
#define KEYS 7
static const struct {
        struct str key;
        size_t at;
} keys[KEYS] = {
        {{"receiver", 8}, offsetof(struct received_spf, receiver)},
        {{"client-ip", 9}, offsetof(struct received_spf, client_ip)},
        {{"envelope-from", 13}, offsetof(struct received_spf, envelope_from)},
        {{"helo", 4}, offsetof(struct received_spf, helo)},
        {{"identity", 8}, offsetof(struct received_spf, identity)},
        {{"mechanism", 9}, offsetof(struct received_spf, mechanism)},
        {{"problem", 7}, offsetof(struct received_spf, problem)},
};

static struct str *value_of(struct received_spf *r, size_t key)
{
        return (struct str *)(void *)((char *)r + keys[key].at);
}

/* key [CFWS] "=" ( dot-atom / quoted-string ), where key may have dots, and then is none of ours */
static void read_pair(struct field_rd *r, struct received_spf *out)
{
        struct str key = field_word(r);
        while (field_take(r, '.')) {
                field_word(r);
                key = S("");
        }
        field_expect(r, '=');
        struct str value = field_value(r);
        for (size_t i = 0; i < KEYS; i++)
                if (str_eq_nocase(key, keys[i].key) && value_of(out, i)->n == 0)
                        *value_of(out, i) = value;
}

/* result FWS [comment FWS] [ key-value-pair *( ";" key-value-pair ) [";"] ] */
enum err received_spf_parse(struct str body, struct wr *room, struct received_spf *out)
{
        struct field_rd r;
        *out = (struct received_spf){0};
        field_rd_init(&r, body, room);
        if (!spf_result_parse(field_word(&r), &out->result))
                field_fail(&r, ERR_SYNTAX);
        r.comment = (struct str){0};
        field_peek(&r);
        out->comment = r.comment;
        while (!field_is_end(&r)) {
                read_pair(&r, out);
                field_take(&r, ';');
        }
        if (r.fault != ERR_OK)
                *out = (struct received_spf){0};
        return r.fault;
}

/* "domain of SENDER" and what it says of the client */
static void write_opinion(struct wr *w, struct str before, struct str who, struct str behind,
        const struct ip *ip, struct str end)
{
        wr_str(w, before);
        field_write_comment(w, who, AUTHRES_TEXT_MAX);
        wr_str(w, behind);
        ip_write(w, ip);
        wr_str(w, end);
}

static void write_reason(
        struct wr *w, const struct spf_verdict *v, void (*write)(struct wr *, struct str, size_t))
{
        char text[SPF_REASON_MAX];
        struct wr reason;
        wr_init(&reason, text, sizeof text);
        spf_reason_write(&reason, v);
        write(w, wr_text(&reason), REASON_MAX);
}

void spf_comment_write(struct wr *w, const struct spf_input *in, const struct spf_verdict *v)
{
        struct str who = v->is_helo ? v->domain : in->sender;
        struct ip ip = ip_unmapped(&in->ip);
        if (in->receiver.n > 0) {
                field_write_comment(w, in->receiver, AUTHRES_TEXT_MAX);
                wr_str(w, S(": "));
        }
        if (v->result == SPF_PASS)
                write_opinion(w, S("domain of "), who, S(" designates "), &ip, S(" as permitted sender"));
        else if (v->result == SPF_FAIL)
                write_opinion(
                        w, S("domain of "), who, S(" does not designate "), &ip, S(" as permitted sender"));
        else if (v->result == SPF_SOFTFAIL)
                write_opinion(w, S("domain of transitioning "), who, S(" does not designate "), &ip,
                        S(" as permitted sender"));
        else if (v->result == SPF_NEUTRAL)
                write_opinion(w, S("domain of "), who, S(" neither permits nor denies "), &ip, S(""));
        else
                write_reason(w, v, field_write_comment);
}

static struct str since(const struct wr *w, size_t begin)
{
        return str_skip(wr_text(w), begin);
}

static struct str clean(struct wr *room, struct str s, size_t most)
{
        size_t begin = room->n;
        field_write_clean(room, s, most);
        return since(room, begin);
}

/* The term that decided, or what hindered the evaluation. */
static void make_cause(const struct spf_verdict *v, struct wr *room, struct received_spf *out)
{
        size_t begin = room->n;
        if (v->result == SPF_TEMPERROR || v->result == SPF_PERMERROR) {
                write_reason(room, v, field_write_clean);
                out->problem = since(room, begin);
        } else if (v->result != SPF_NONE) {
                out->mechanism = v->term.n > 0 ? clean(room, v->term, AUTHRES_TEXT_MAX) : S("default");
        }
}

enum err received_spf_make(
        const struct spf_input *in, const struct spf_verdict *v, struct wr *room, struct received_spf *out)
{
        size_t begin = room->n;
        *out = (struct received_spf){.result = v->result};
        spf_comment_write(room, in, v);
        out->comment = since(room, begin);
        out->receiver = clean(room, in->receiver, AUTHRES_TEXT_MAX);
        struct ip ip = ip_unmapped(&in->ip);
        begin = room->n;
        ip_write(room, &ip);
        out->client_ip = since(room, begin);
        out->envelope_from = clean(room, in->sender, AUTHRES_TEXT_MAX);
        out->helo = clean(room, in->helo, AUTHRES_TEXT_MAX);
        out->identity = v->is_helo ? S("helo") : S("mailfrom");
        make_cause(v, room, out);
        if (!room->full)
                return ERR_OK;
        *out = (struct received_spf){0};
        return ERR_SPACE;
}

enum err received_spf_write(struct wr *w, const struct received_spf *r)
{
        struct received_spf copy = *r;
        struct mail_build b;
        size_t begin = w->n;
        bool is_first = true;
        mail_build_begin(&b, w, S("Received-SPF"));
        mail_build_word(&b, spf_result_text(r->result));
        bool is_right = r->comment.n == 0 || field_build_comment(&b, r->comment);
        for (size_t i = 0; i < KEYS; i++) {
                struct str value = *value_of(&copy, i);
                if (value.n == 0)
                        continue;
                if (!is_first)
                        mail_build_glue(&b, S(";"));
                is_first = false;
                mail_build_word(&b, keys[i].key);
                mail_build_glue(&b, S("="));
                field_build_value(&b, value, mail_dot_atom_size(value, MAIL_ASCII) == value.n);
        }
        enum err e = mail_build_end(&b);
        if (is_right || e != ERR_OK)
                return e;
        w->n = begin;
        return ERR_SYNTAX;
}
