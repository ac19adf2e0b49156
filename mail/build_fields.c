/* SPDX-License-Identifier: ISC */
/* The fields that a mail server adds by itself. */
#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "mail/build.h"
#include "mail/date.h"
#include "mail/message_id.h"
#include "mail/percent.h"

/* A field whose body is one piece. */
static enum err build_piece(struct wr *w, struct str name, const struct wr *piece)
{
        struct mail_build b;
        mail_build_begin(&b, w, name);
        if (piece->full)
                b.fault = ERR_LIMIT;
        mail_build_word(&b, wr_text(piece));
        return mail_build_end(&b);
}

enum err mail_build_date(struct wr *w, int64_t unix_s)
{
        char buffer[40];
        struct wr text;
        wr_init(&text, buffer, sizeof buffer);
        mail_date_write_utc(&text, unix_s);
        return build_piece(w, S("Date"), &text);
}

enum err mail_build_message_id(struct wr *w, struct str random, int64_t now_ms, struct str domain)
{
        char buffer[MAIL_LINE_MAX];
        struct wr text;
        wr_init(&text, buffer, sizeof buffer);
        mail_message_id_write(&text, random, now_ms, domain);
        return build_piece(w, S("Message-ID"), &text);
}

enum err mail_build_list_id(struct wr *w, struct str description, struct str list_name, struct str domain)
{
        char buffer[SMTP_DOMAIN_MAX + LIST_NAME_MAX + 8];
        struct wr text;
        struct mail_build b;
        wr_init(&text, buffer, sizeof buffer);
        mail_build_begin(&b, w, S("List-Id"));
        mail_build_phrase(&b, description);
        wr_byte(&text, '<');
        wr_str(&text, list_name);
        wr_byte(&text, '.');
        wr_str(&text, domain);
        wr_byte(&text, '>');
        struct str id = wr_text(&text);
        bool sound = !text.full && mail_dot_atom_size(str_skip(id, 1), MAIL_UTF8) == id.n - 2;
        if (!sound && b.fault == ERR_OK)
                b.fault = ERR_SYNTAX;
        mail_build_word(&b, id);
        return mail_build_end(&b);
}

void mail_mailto_write(struct wr *w, const struct mail_address *address, struct str subject)
{
        char plain[2 * SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 8];
        struct wr mailbox;
        CHECK(address->local.n <= SMTP_LOCAL_PART_MAX && address->domain.n <= SMTP_DOMAIN_MAX);
        wr_init(&mailbox, plain, sizeof plain);
        mail_address_write(&mailbox, address);
        wr_str(w, S("mailto:"));
        mail_percent_encode(w, wr_text(&mailbox), S("-._~!$*+@")); /* RFC 6068 2: qchar */
        if (subject.n > 0) {
                wr_str(w, S("?subject="));
                mail_percent_encode(w, subject, S("-._~!$*"));
        }
}

enum err mail_build_mailto(
        struct wr *w, struct str name, const struct mail_address *address, struct str subject)
{
        char buffer[MAIL_LINE_MAX];
        struct wr text;
        wr_init(&text, buffer, sizeof buffer);
        wr_byte(&text, '<');
        mail_mailto_write(&text, address, subject);
        wr_byte(&text, '>');
        return build_piece(w, name, &text);
}

static bool is_helo(struct str helo)
{
        struct ip ip;
        return mail_domain_is_valid(helo, MAIL_UTF8) || mail_literal_parse(helo, &ip) == ERR_OK;
}

/* A peer's words inside a comment: what would end it, or is no plain character, becomes "?". */
static void comment_write(struct wr *w, struct str s)
{
        for (size_t i = 0; i < s.n && i < SMTP_DOMAIN_MAX; i++) {
                bool plain = ascii_is_graph(s.p[i]) && s.p[i] != '(' && s.p[i] != ')' && s.p[i] != '\\';
                wr_byte(w, plain ? s.p[i] : '?');
        }
}

static void literal_write(struct wr *w, const struct ip *ip)
{
        wr_str(w, ip->family == 6 ? S("[IPv6:") : S("["));
        ip_write(w, ip);
        wr_byte(w, ']');
}

/* From-domain = "FROM" FWS Extended-Domain; Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) */
static void build_from(struct mail_build *b, const struct mail_received *r)
{
        char buffer[2 * SMTP_DOMAIN_MAX + IP_TEXT_MAX + 32];
        struct wr info;
        wr_init(&info, buffer, sizeof buffer);
        mail_build_word(b, S("from"));
        mail_build_word(b, is_helo(r->helo) ? r->helo : S("unknown"));
        wr_byte(&info, '(');
        if (r->helo.n > 0 && !is_helo(r->helo)) {
                wr_str(&info, S("helo="));
                comment_write(&info, r->helo);
                wr_byte(&info, ' ');
        }
        if (mail_domain_is_valid(r->reverse, MAIL_UTF8)) {
                wr_str(&info, r->reverse);
                wr_byte(&info, ' ');
        }
        if (r->client.family != 0)
                literal_write(&info, &r->client);
        while (info.n > 0 && info.p[info.n - 1] == ' ')
                info.n--;
        wr_byte(&info, ')');
        CHECK(!info.full);
        if (info.n > 2)
                mail_build_word(b, wr_text(&info));
}

static void build_clause(struct mail_build *b, struct str keyword, struct str value)
{
        if (value.n == 0)
                return;
        mail_build_word(b, keyword);
        mail_build_word(b, value);
}

enum err mail_build_received(struct wr *w, const struct mail_received *r)
{
        char buffer[40];
        struct mail_build b;
        struct wr date;
        mail_build_begin(&b, w, S("Received"));
        build_from(&b, r);
        build_clause(&b, S("by"), r->by);
        build_clause(&b, S("with"), r->protocol);
        build_clause(&b, S("id"), r->id);
        if (r->for_) {
                mail_build_word(&b, S("for"));
                mail_build_path(&b, r->for_);
        }
        mail_build_glue(&b, S(";"));
        wr_init(&date, buffer, sizeof buffer);
        mail_date_write_utc(&date, r->unix_s);
        mail_build_word(&b, wr_text(&date));
        return mail_build_end(&b);
}
