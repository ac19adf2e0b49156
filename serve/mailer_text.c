/* SPDX-License-Identifier: ISC */
/* What a notice shows of the store, streamed into its mail: a held post, the members, the path of a message. */
#include "list/said.h"
#include "list/why.h"
#include "serve/mailer_internal.h"
#include "store/walk.h"

#define LINE_MAX 2048 /* octets that notice_mail_line has room for */
#define TRACES_MAX 16 /* messages with the same Message-ID that are told of */

static enum err write_post(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        struct store_reader *reader;
        uint64_t at = 0;
        size_t got = 1;
        enum err e = store_reader_open(m->node->store, l->post.id, STORE_SENT, &reader);
        if (e != ERR_OK)
                return e;
        while (e == ERR_OK && got > 0) {
                e = store_reader_read(reader, at, m->chunk, sizeof m->chunk, &got);
                if (e == ERR_OK && got > 0)
                        e = store_intake_write(intake, str_of(m->chunk, got));
                at += got;
        }
        store_reader_close(reader);
        return e;
}

static enum err write_line(struct mailer *m, struct store_intake *intake, struct str line)
{
        struct wr w;
        wr_init(&w, m->line, sizeof m->line);
        notice_mail_line(&w, line);
        return wr_end(&w) == ERR_OK ? store_intake_write(intake, wr_text(&w)) : ERR_OK;
}

enum err mailer_lines(struct mailer *m, struct store_intake *intake, struct str text)
{
        enum err e = ERR_OK;
        while (e == ERR_OK && text.n > 0) {
                struct str line, rest;
                (void)str_cut(text, '\n', &line, &rest);
                line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
                e = write_line(m, intake, str_take(line, LINE_MAX));
                text = rest;
        }
        return e;
}

/* Where the lines of rows go. */
struct lines {
        struct mailer *mailer;
        struct store_intake *intake;
};

static enum err each_member(void *ctx, const struct store_member *row)
{
        const struct lines *l = ctx;
        return write_line(l->mailer, l->intake, row->address);
}

static enum err write_members(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        struct lines lines = {m, intake};
        return store_walk_members(m->node->store, l->list.id, &m->arena, each_member, &lines);
}

/* ---- why ---- */

static enum err each_result(void *ctx, const struct store_result *row)
{
        const struct lines *l = ctx;
        const struct why_result result = {.address = row->address,
                .is_delivered = row->is_delivered,
                .code = row->code,
                .reply = row->reply,
                .time_ms = row->time_ms};
        struct wr w;
        wr_init(&w, l->mailer->chunk, WHY_LINE_MAX);
        why_result_write(&w, &result);
        return mailer_lines(l->mailer, l->intake, wr_text(&w));
}

/* One that is under way, or waits for another try. */
static enum err each_waiting(void *ctx, const struct store_waiting *row)
{
        const struct lines *l = ctx;
        struct wr text, line;
        wr_init(&text, l->mailer->chunk, WHY_LINE_MAX);
        wr_str(&text, row->address);
        if (row->reply.n > 0)
                wr_str(&text, S(": "));
        said_write(&text, row->reply, STORE_REPLY_MAX);
        wr_init(&line, l->mailer->chunk + WHY_LINE_MAX, WHY_LINE_MAX);
        why_line_write(&line, row->in_flight ? S("under way") : S("waits"), wr_text(&text));
        return mailer_lines(l->mailer, l->intake, wr_text(&line));
}

static struct str state_text(const struct store_trace *t)
{
        if (t->is_held)
                return S("held by the operator");
        switch (t->state) {
        case STORE_WAITING:
                return S("waiting for a moderator");
        case STORE_OPEN:
                return S("to be signed");
        case STORE_SIGNED:
                return S("being delivered");
        default:
                return S("done");
        }
}

static enum err write_head(
        struct mailer *m, const struct letter *l, const struct store_trace *t, struct store_intake *intake)
{
        char list[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr w, name;
        wr_init(&name, list, sizeof list);
        wr_str(&name, l->list.name);
        wr_byte(&name, '@');
        wr_str(&name, l->list.domain);
        struct why_message message = {.list = wr_text(&name),
                .message_id = t->message_id,
                .sender = t->sender,
                .state = state_text(t),
                .received_ms = t->received_ms,
                .left = t->left,
                .trace = t->text};
        wr_init(&w, m->chunk, WHY_HEAD_MAX);
        why_head_write(&w, &message);
        return mailer_lines(m, intake, wr_text(&w));
}

static enum err write_why(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        char id[MAIL_LINE_MAX];
        struct lines lines = {m, intake};
        struct store_trace *traces;
        struct wr w;
        size_t count = 0;
        wr_init(&w, id, sizeof id);
        wr_byte(&w, '<');
        wr_str(&w, l->data.text);
        wr_byte(&w, '>');
        enum err e =
                store_traces(m->node->store, wr_text(&w), l->list.id, TRACES_MAX, &m->arena, &traces, &count);
        if (e == ERR_OK && count == 0)
                e = write_line(m, intake, S("result: nothing is known here of a message with that id"));
        for (size_t i = 0; e == ERR_OK && i < count; i++) {
                e = write_head(m, l, &traces[i], intake);
                if (e == ERR_OK)
                        e = store_walk_results(
                                m->node->store, traces[i].message, &m->arena, each_result, &lines);
                if (e == ERR_OK)
                        e = store_walk_waiting(
                                m->node->store, traces[i].message, &m->arena, each_waiting, &lines);
                if (e == ERR_OK)
                        e = write_line(m, intake, S(""));
        }
        return e;
}

enum err mailer_stream(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        switch (l->mail.kind) {
        case NOTICE_POST_WAITS:
                return write_post(m, l, intake);
        case NOTICE_MEMBERS:
                return write_members(m, l, intake);
        case NOTICE_WHY:
                return write_why(m, l, intake);
        case NOTICE_DIGEST:
                return mailer_digest(m, l, intake);
        case NOTICE_REMOVED_OWNER:
                return mailer_bounce(m, l, intake);
        case NOTICE_BREAKER:
        case NOTICE_REPORT:
                return mailer_lines(m, intake, l->data.text);
        default:
                return ERR_OK;
        }
}
