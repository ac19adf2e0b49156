/* SPDX-License-Identifier: ISC */
/* What commands that sign share. Each function gives false (or NULL) after saying what is wrong. */
#ifndef APP_BLAZE_SIGN_H
#define APP_BLAZE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/blaze_message.h"
#include "app/options.h"
#include "auth/body_hash.h"
#include "auth/dkim_sign.h"
#include "base/limits.h"
#include "crypto/key.h"

/* The private key of -p or --seed, with -a and -b; owned by the caller. */
struct crypto_key *blaze_sign_key(const struct options *o);
/* A domain or selector as it is published: its U-labels become A-labels, in `room`. */
bool blaze_sign_name(struct str *name, char room[DNS_NAME_MAX]);
/* t= and x= of -t and -x; 0: left out. */
bool blaze_sign_times(const struct options *o, int64_t *time_s, int64_t *expiry_s);
/* The fields of -f, oversigned; room for OPTIONS_MAX.
 *   how many there are */
size_t blaze_sign_cover(const struct options *o, struct dkim_cover *chosen);
/* Open the message, to be kept; its header must hold fields alone. */
bool blaze_sign_open(struct blaze_message *m, const struct options *o);
/* All of the body into `hash`, whose digests are then there. */
bool blaze_sign_body(struct blaze_message *m, struct body_hash *hash);

#endif
