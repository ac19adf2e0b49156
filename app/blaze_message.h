/* SPDX-License-Identifier: ISC */
/* A message from a file or standard input: its header in memory, its body in chunks, lines ending in CRLF. */
#ifndef APP_BLAZE_MESSAGE_H
#define APP_BLAZE_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "app/options.h"
#include "base/limits.h"
#include "base/str.h"
#include "mail/header.h"

#define BLAZE_CHUNK 65536

struct blaze_message {
        FILE *in;
        bool is_ours;  /* `in` is to be closed */
        bool is_lf;    /* --newline lf: make CRLF of LF */
        bool after_cr; /* the last byte read was CR */
        bool kept;     /* the input can be read again from `start` */
        long long start;
        char *bytes;    /* owned: the header, and what was read behind it */
        size_t bytes_n; /* of the header, and of the first piece of the body */
        struct mail_header header;
        struct mail_field *fields; /* owned */
        bool first_given;          /* the first piece of the body was given */
};

/* Option of every command that reads a message. */
#define BLAZE_NEWLINE_OPTION                                                                     \
        {                                                                                        \
                "newline", 0, "lf|crlf", false, "line ends of the message: lf (default) or crlf" \
        }

/* Open the first argument of the command, or standard input for "-" and none, and read the header. With `keep`, what
 * cannot be read twice (a pipe) is copied to a nameless temporary file on the way.
 *   true, or false after saying what is wrong */
bool blaze_message_open(struct blaze_message *m, const struct options *o, bool keep);
/* The next piece of the body; borrowed until the next call.
 *   ERR_OK, ERR_EOF, ERR_IO */
MUST_USE enum err blaze_message_body(struct blaze_message *m, struct str *out);
/* Write the whole message once more, byte for byte as it was read; needs `keep`.
 *   ERR_OK, ERR_IO */
MUST_USE enum err blaze_message_copy(struct blaze_message *m, FILE *to);
void blaze_message_close(struct blaze_message *m);

#endif
