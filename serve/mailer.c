/* SPDX-License-Identifier: ISC */
#include "serve/mailer.h"

#include <stdlib.h>

#include "host/log.h"
#include "mail/build.h"
#include "serve/arrival.h"
#include "serve/mailer_internal.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define TICKET_BYTES 16
#define PASSED_OVER_MAX 16 /* notices that find no room, in one round */

/* ---- what the mail needs to know ---- */

/* What is gone is no error, but leaves an id of 0. */
static enum err if_there(enum err e)
{
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err find_list(struct mailer *m, struct letter *l)
{
        enum err e = store_list_get(m->node->store, l->notice->list, &m->arena, &l->list);
        setting_values_init(&l->settings);
        for (size_t i = 0; e == ERR_OK && i < l->list.setting_count; i++)
                setting_values_put(&l->settings, l->list.settings[i].name, l->list.settings[i].value);
        return e;
}

static enum err find_request(struct mailer *m, struct letter *l)
{
        struct store *s = m->node->store;
        if (l->notice->request == 0)
                return ERR_OK;
        enum err e = if_there(store_request_get(s, l->notice->request, &m->arena, &l->request));
        if (e == ERR_OK && l->request.id != 0 && l->request.message != 0)
                e = if_there(store_message_get(s, l->request.message, &m->arena, &l->post));
        return e;
}

/* A list that nobody looks after: the admin is told in the place of its moderators.
 *   ERR_OK, or ERR_NOT_FOUND: there is no admin either */
static enum err find_substitute(struct mailer *m, struct letter *l)
{
        struct log_line line;
        log_begin(&line, m->node->host, LOG_WARN, "mailer", "no-moderators");
        log_str(&line, "list", l->list.name);
        log_str(&line, "domain", l->list.domain);
        log_str(&line, "kind", l->notice->kind);
        log_c(&line, "hint", "name one with ptt add-moderator");
        log_end(&line);
        l->recipients = &m->node->admin;
        l->recipient_count = m->node->admin.n > 0;
        return l->recipient_count > 0 ? ERR_OK : ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: nobody is to be told. */
static enum err find_recipients(struct mailer *m, struct letter *l)
{
        struct str *moderators;
        l->recipients = &l->notice->address;
        l->recipient_count = 1;
        if (l->notice->address.n > 0)
                return ERR_OK;
        enum err e = store_moderators(
                m->node->store, l->notice->list, &m->arena, &moderators, &l->recipient_count);
        l->recipients = moderators;
        return e == ERR_OK && l->recipient_count == 0 ? find_substitute(m, l) : e;
}

static enum err find_options(struct mailer *m, struct letter *l)
{
        struct store_member member;
        if (l->mail.kind != NOTICE_OPTIONS)
                return ERR_OK;
        enum err e =
                store_member_find(m->node->store, l->notice->list, l->notice->address, &m->arena, &member);
        if (e != ERR_OK)
                return e; /* who left meanwhile has none */
        l->options[OPTION_NOMAIL] = (member.options & STORE_NOMAIL) != 0;
        l->options[OPTION_OWN_POSTS] = (member.options & STORE_NO_OWN) == 0;
        l->options[OPTION_APPROVED] = (member.options & STORE_ACCEPTED) != 0;
        return ERR_OK;
}

/* A probe is of no use for who left meanwhile. */
static enum err find_probed(struct mailer *m, struct letter *l)
{
        struct store_member member;
        if (l->mail.kind != NOTICE_PROBE)
                return ERR_OK;
        enum err e =
                store_member_find(m->node->store, l->notice->list, l->notice->address, &m->arena, &member);
        l->probed = e == ERR_OK ? member.id : 0;
        return e;
}

static enum err make_token(struct mailer *m, struct letter *l)
{
        enum notice_token needs = notice_needs_token(l->mail.kind);
        const struct lipap_domain *domain = lipap_domain_find(m->node, l->list.domain);
        const struct token token = {.id = l->request.id, .day = (uint16_t)(l->mail.now_ms / DAY_MS)};
        char name[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr w, list;
        if (needs == NOTICE_TOKEN_NONE)
                return ERR_OK;
        if (l->request.id == 0 || !domain)
                return ERR_NOT_FOUND;
        wr_init(&list, name, sizeof name);
        wr_str(&list, l->list.name);
        wr_byte(&list, '@');
        wr_str(&list, l->list.domain);
        wr_init(&w, l->token, sizeof l->token);
        enum err e = token_write(&w, &domain->keys[0],
                needs == NOTICE_TOKEN_CONFIRM ? TOKEN_CONFIRM : TOKEN_DECIDE, wr_text(&list), &token);
        l->mail.token = wr_text(&w);
        return e;
}

static void log_template(struct mailer *m, struct str path, enum err e, size_t line)
{
        struct log_line l;
        log_begin(&l, m->node->host, LOG_WARN, "mailer", "template-refused");
        log_str(&l, "path", path);
        if (line > 0)
                log_u64(&l, "line", line);
        log_err(&l, e);
        log_c(&l, "hint", "the built-in text is used instead");
        log_end(&l);
}

/* The owner's text, where there is one that can be used. */
static enum err find_template(struct mailer *m, struct letter *l)
{
        char room[FAT_NAME_UTF8_MAX];
        struct wr path;
        wr_init(&path, room, sizeof room);
        for (size_t nth = 0; notice_template_path(&l->mail, nth, &path); nth++) {
                struct str text;
                size_t line = 0;
                enum err e = store_file_read(
                        m->node->store, wr_text(&path), NOTICE_TEMPLATE_MAX, &m->arena, &text);
                if (e == ERR_OK)
                        e = notice_template_check(l->mail.kind, text, &line);
                if (e == ERR_OK)
                        l->mail.template = text;
                else if (e == ERR_SYNTAX || e == ERR_UNSUPPORTED || e == ERR_LIMIT ||
                         (e == ERR_NOT_FOUND && line > 0))
                        log_template(m, wr_text(&path), e, line);
                else if (e != ERR_NOT_FOUND)
                        return e;
                if (l->mail.template.n > 0)
                        return ERR_OK;
                wr_init(&path, room, sizeof room);
        }
        return ERR_OK;
}

/*   ERR_OK
 *   ERR_NOT_FOUND  it has no meaning any more: its list, request or reader is gone
 *   else trouble of the store */
static enum err find_all(struct mailer *m, struct letter *l)
{
        enum err e = find_list(m, l);
        l->mail = (struct notice_mail){.kind = notice_kind_of(l->notice->kind),
                .list = l->list.name,
                .domain = l->list.domain,
                .settings = &l->settings,
                .options = l->options,
                .to = l->notice->address,
                .about = l->data.about,
                .text = l->data.text,
                .answers = l->data.answers,
                .now_ms = host_wall_ms(m->node->host)};
        if (e == ERR_OK)
                e = find_request(m, l);
        if (e == ERR_OK)
                e = find_recipients(m, l);
        if (e == ERR_OK)
                e = find_options(m, l);
        if (e == ERR_OK)
                e = find_probed(m, l);
        if (e == ERR_OK)
                e = make_token(m, l);
        if (e == ERR_OK && l->mail.kind == NOTICE_POST_WAITS && l->post.id == 0)
                e = ERR_NOT_FOUND;
        l->mail.post_is_8bit = l->post.is_8bit;
        l->mail.post_is_smtputf8 = l->post.is_smtputf8;
        host_random(m->node->host, l->mail.random, sizeof l->mail.random);
        return e == ERR_OK ? find_template(m, l) : e;
}

/* ---- the message ---- */

enum err mailer_front_write(const struct lipap *node, int64_t now_ms, struct wr *w)
{
        char id[32];
        struct mail_received r = {.helo = node->hostname,
                .by = node->hostname,
                .id = arrival_random(node->host, id, sizeof id, ARRIVAL_ID_BYTES),
                .unix_s = now_ms / 1000};
        return mail_build_received(w, &r);
}

static enum err write_mail(
        struct mailer *m, struct letter *l, struct wr *before, struct wr *after, struct notice_made *made)
{
        wr_init(before, m->before, sizeof m->before);
        wr_init(after, m->after, sizeof m->after);
        enum err e = notice_mail_write(&l->mail, before, after, made);
        if (e != ERR_SPACE || l->mail.template.n == 0)
                return e;
        l->mail.template = S("");
        wr_init(before, m->before, sizeof m->before);
        wr_init(after, m->after, sizeof m->after);
        return notice_mail_write(&l->mail, before, after, made);
}

/* Uses up the intake. */
static enum err commit(
        struct mailer *m, const struct letter *l, const struct notice_made *made, struct store_intake *intake)
{
        char ticket[32], front[MAIL_LINE_MAX];
        struct wr w;
        int64_t id;
        wr_init(&w, front, sizeof front);
        enum err e = mailer_front_write(m->node, l->mail.now_ms, &w);
        if (e != ERR_OK) {
                store_intake_abort(intake);
                return e;
        }
        struct store_message_new message = {
                .ticket = arrival_random(m->node->host, ticket, sizeof ticket, TICKET_BYTES),
                .kind = STORE_FORWARD,
                .list = l->probed != 0 ? l->list.id : 0,
                .probe = l->probed,
                .domain = l->list.domain,
                .message_id = made->message_id,
                .front = wr_text(&w),
                .is_8bit = made->is_8bit,
                .is_smtputf8 = made->is_smtputf8,
                .received_ms = l->mail.now_ms,
                .recipients = l->recipients,
                .recipient_count = l->recipient_count,
                .notice = l->notice->id,
        };
        return store_intake_commit(intake, &message, &id);
}

static enum err keep(struct mailer *m, struct letter *l)
{
        struct wr before, after;
        struct notice_made made;
        struct store_intake *intake;
        enum err e = write_mail(m, l, &before, &after, &made);
        if (e == ERR_OK)
                e = store_intake_begin(m->node->store, l->post.body_size, &intake);
        if (e != ERR_OK)
                return e;
        e = store_intake_write(intake, wr_text(&before));
        if (e == ERR_OK)
                e = mailer_stream(m, l, intake);
        if (e == ERR_OK)
                e = store_intake_write(intake, wr_text(&after));
        if (e == ERR_OK)
                return commit(m, l, &made, intake);
        store_intake_abort(intake);
        return e;
}

/* ---- notices ---- */

static void log_notice(struct mailer *m, enum log_level level, const char *event,
        const struct store_notice *notice, const struct letter *l, enum err e)
{
        struct log_line line;
        log_begin(&line, m->node->host, level, "mailer", event);
        log_i64(&line, "notice", notice->id);
        log_str(&line, "kind", notice->kind);
        log_str(&line, "list", l->list.name);
        log_str(&line, "domain", l->list.domain);
        log_str(&line, "to", notice->address);
        if (e != ERR_OK)
                log_err(&line, e);
        log_end(&line);
}

/* Trouble that may pass: the notice stays, and is tried again. */
static bool is_trouble(enum err e)
{
        return e == ERR_FULL || e == ERR_MEMORY || e == ERR_IO || e == ERR_CLOSED || e == ERR_CANCELLED;
}

/* Make one notice a message.
 *   ERR_OK, also when it had no meaning any more, or can never be written: then it is gone
 *   else trouble */
static enum err write_notice(struct mailer *m, const struct store_notice *notice)
{
        struct letter l = {.notice = notice};
        notice_data_read(notice->data, &l.data);
        enum err e = notice_kind_of(notice->kind) == NOTICE_KINDS ? ERR_UNSUPPORTED : find_all(m, &l);
        if (e == ERR_OK)
                e = keep(m, &l);
        if (is_trouble(e)) {
                if (e != ERR_CANCELLED)
                        log_notice(m, LOG_ERROR, "not-written", notice, &l, e);
                return e;
        }
        log_notice(m, e == ERR_OK || e == ERR_NOT_FOUND ? LOG_INFO : LOG_ERROR,
                e == ERR_OK ? "written" : "dropped", notice, &l, e);
        if (e == ERR_OK) {
                m->node->stats.written++;
                bell_ring(&m->node->handover_bell);
                return ERR_OK;
        }
        e = store_notice_drop(m->node->store, notice->id);
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* All that wait now. One that finds no room, as it shows a large post, may not hold up the small ones behind it.
 *   ERR_OK: none is left */
static enum err write_all(struct mailer *m)
{
        struct store_notice *notices;
        size_t count = 1, passed_over = 0;
        int64_t after = 0;
        enum err e = ERR_OK;
        while (e == ERR_OK && count > 0) {
                if (fiber_is_cancelled(m->node->host->sched))
                        return ERR_CANCELLED; /* what waits is written after the next start */
                arena_reset(&m->arena);
                e = store_notices(m->node->store, after, 1, &m->arena, &notices, &count);
                if (e == ERR_OK && count > 0)
                        e = write_notice(m, &notices[0]);
                if (e == ERR_FULL && count > 0 && passed_over < PASSED_OVER_MAX) {
                        after = notices[0].id;
                        passed_over++;
                        e = ERR_OK;
                }
        }
        return e == ERR_OK && passed_over > 0 ? ERR_FULL : e;
}

void mailer_run(void *lipap)
{
        struct lipap *node = lipap;
        struct mailer *m = malloc(sizeof *m);
        enum err e = ERR_OK;
        if (!m)
                return;
        m->node = node;
        arena_init(&m->arena, m->memory, sizeof m->memory);
        while (e != ERR_CANCELLED && e != ERR_CLOSED && e != ERR_IO) {
                uint64_t rung = node->mailer_bell.rung;
                e = write_all(m);
                if (e == ERR_OK)
                        e = bell_wait(&node->mailer_bell, node->host->sched, rung, FIBER_NEVER);
                else if (e != ERR_CANCELLED && e != ERR_CLOSED && e != ERR_IO)
                        e = fiber_sleep(node->host->sched, MAILER_RETRY_MS);
        }
        free(m);
}
