/* SPDX-License-Identifier: ISC */
/* What a notice shows of the store, streamed into its mail: a held post, the members, the path of a message. */
#include "serve/mailer_internal.h"

#define PAGE 200 /* rows that are read at once */

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

static enum err write_members(struct mailer *m, const struct letter *l, struct store_intake *intake)
{
        int64_t after = 0;
        size_t count = 1;
        enum err e = ERR_OK;
        while (e == ERR_OK && count > 0) {
                struct arena before = m->arena;
                struct store_member *members;
                e = store_members(m->node->store, l->list.id, after, PAGE, &m->arena, &members, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        after = members[i].id;
                        e = write_line(m, intake, members[i].address);
                }
                m->arena = before;
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
        default:
                return ERR_OK;
        }
}
