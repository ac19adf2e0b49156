/* SPDX-License-Identifier: ISC */
/* What commands write: a message with fields in front, texts of strangers; and the clock that they need. */
#ifndef APP_BLAZE_OUTPUT_H
#define APP_BLAZE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "app/blaze_message.h"
#include "app/options.h"
#include "base/str.h"

/* Option of every command that writes a message. */
#define BLAZE_OUTPUT_OPTION                                                                         \
        {                                                                                           \
                "output", 'o', "OUT", false, "write the message here instead of to standard output" \
        }

/* Write `front`, whole fields with CRLF, with the line ends of the message, and then the message as it was read, which
 * must have been kept.
 *   true, or false after saying what is wrong */
bool blaze_output_write(const struct options *o, struct blaze_message *m, struct str front);

/* Print what a stranger wrote, without what would move a terminal's cursor. */
void blaze_print_clean(struct str s);

int64_t blaze_now_s(void); /* Unix time; 0 when memory is out */

#endif
