/* SPDX-License-Identifier: ISC */
#include "list/said.h"

#include "auth/field.h"
#include "base/ascii.h"

void said_write(struct wr *w, struct str said, size_t most)
{
        struct str line;
        for (size_t n = 0; said.n > 0 && n < most; n += line.n) {
                (void)str_cut(said, '\n', &line, &said);
                line = str_trim(line);
                if (n > 0 && line.n > 0) {
                        wr_byte(w, ' ');
                        n++;
                }
                field_write_clean(w, line, most - n);
        }
}

static bool begins_with(struct str said, unsigned code)
{
        uint64_t number;
        size_t digits = 0;
        while (digits < said.n && ascii_is_digit(said.p[digits]))
                digits++;
        return str_to_u64(str_take(said, digits), UINT32_MAX, &number) == ERR_OK && number == code;
}

void said_write_coded(struct wr *w, unsigned code, struct str said, size_t most)
{
        if (code > 0 && !begins_with(said, code)) {
                wr_u64(w, code);
                wr_str(w, said.n > 0 ? S(" ") : S(""));
        }
        said_write(w, said, most);
}
