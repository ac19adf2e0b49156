/* SPDX-License-Identifier: ISC */
#include "serve/notice_data.h"

static void write_line(struct wr *w, struct str line)
{
        if (str_find_byte(line, '\n') == line.n)
                wr_str(w, line);
        wr_byte(w, '\n');
}

void notice_data_write(struct wr *w, const struct notice_data *data)
{
        write_line(w, data->about);
        write_line(w, data->answers);
        wr_str(w, data->text);
}

void notice_data_read(struct str data, struct notice_data *out)
{
        struct str rest;
        (void)str_cut(data, '\n', &out->about, &rest);
        (void)str_cut(rest, '\n', &out->answers, &out->text);
}
